"""What can be asked of a plug-in without moving rows: its streams, its health, its settings."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from kozmo_runner.abilities import Abilities, abilities
from kozmo_runner.answers import Answer, ask
from kozmo_runner.configs import Config, Given, give, take_back
from kozmo_runner.environment import child_environment
from kozmo_runner.plugins import Kind, Plug, find
from kozmo_runner.process import Cancel
from kozmo_runner.speech import exit_words, reason
from kozmo_runner.workspace import Workspace
from kozmo_singer.errors import (
    ConfigError,
    ConnectError,
    DiscoverError,
    KozmoError,
    ReadError,
    WriteError,
)
from kozmo_singer.wire.catalog import Catalog, select
from kozmo_singer.wire.committed import Committed

DISCOVER_SECONDS = 600.0
CHECK_SECONDS = 120.0


def discover(
    tap: str,
    config: Config = None,
    *,
    timeout: float | None = DISCOVER_SECONDS,
    cancel: Cancel | None = None,
) -> Catalog:
    """Return what *tap* can read; DiscoverError where it cannot say."""
    plug = find(tap, "tap")
    with Workspace() as workspace:
        able = abilities(plug, workspace, cancel)
        given = give(plug, config, able, workspace)
        catalog = discover_with(plug, given, able, workspace, timeout, cancel)
        take_back(plug, given)
        return catalog


def discover_with(
    plug: Plug,
    given: Given,
    able: Abilities,
    workspace: Workspace,
    timeout: float | None = DISCOVER_SECONDS,
    cancel: Cancel | None = None,
) -> Catalog:
    """As `discover`, of a plug-in whose configuration is already written."""
    if not able.discover:
        raise DiscoverError(f"{plug.name} has no discovery: its --help knows no --discover")
    answer = ask_with(plug, ["--discover"], given, workspace, timeout, cancel)
    if answer.code != 0:
        raise failure(DiscoverError, f"{plug.name} could not discover its streams", answer)
    return Catalog.from_dict(_json_object(plug, answer.out, "a catalog", DiscoverError))


def check(
    plugin: str,
    config: Config = None,
    *,
    kind: Kind | None = None,
    timeout: float | None = CHECK_SECONDS,
    cancel: Cancel | None = None,
) -> str:
    """Return one line that says what *plugin* reaches; ConnectError or ConfigError if nothing.

    A foreign tap is checked by its discovery, a foreign target by an empty input.
    """
    plug = find(plugin, kind)
    with Workspace() as workspace:
        able = abilities(plug, workspace, cancel)
        given = give(plug, config, able, workspace)
        if plug.kind == "tap" and not plug.ours and able.discover:
            found = discover_with(plug, given, able, workspace, timeout, cancel)
            return f"discovery answers: {len(found.streams)} streams"
        if plug.kind == "tap" and not plug.ours:
            return f"{plug.name} can be started; without discovery only a run tells more"
        answer = ask_with(plug, ["--check"] if plug.ours else [], given, workspace, timeout, cancel)
        take_back(plug, given)
    if answer.code != 0:
        raise failure(ConnectError, f"{plug.name} is not ready", answer)
    said = answer.out.decode("utf-8", "replace").strip()
    return said if plug.ours and said else "starts with this configuration and takes an empty input"


def count(
    tap: str,
    config: Config = None,
    *,
    streams: Sequence[str] = (),
    catalog: Catalog | Mapping[str, Any] | None = None,
    timeout: float | None = None,
    cancel: Cancel | None = None,
) -> dict[str, int]:
    """Return the rows of each selected stream; a foreign tap is run and its records counted."""
    plug = find(tap, "tap")
    if not plug.ours:
        from kozmo_runner.tapping import count_records, stream

        with stream(tap, config, streams=streams, catalog=catalog, cancel=cancel) as reading:
            return count_records(reading)
    with Workspace() as workspace:
        able = abilities(plug, workspace, cancel)
        given = give(plug, config, able, workspace)
        extra = ["--count"]
        if catalog is not None or streams:
            known = as_catalog(catalog) or discover_with(
                plug, given, able, workspace, timeout, cancel
            )
            known = select(known, streams) if streams else known
            extra += ["--catalog", str(workspace.write("catalog.json", known.to_dict()))]
        answer = ask_with(plug, extra, given, workspace, timeout, cancel)
    if answer.code != 0:
        raise failure(ReadError, f"{plug.name} could not count", answer)
    return _json_object(plug, answer.out, "counts", ReadError)


def about(plugin: str, *, cancel: Cancel | None = None) -> dict[str, Any]:
    """Return a plug-in's --about: name, description, capabilities, settings as a JSON Schema.

    A foreign plug-in without --about gives its name only.
    """
    plug = find(plugin)
    with Workspace() as workspace:
        if not abilities(plug, workspace, cancel).about:
            return {"name": plug.name, "description": "", "capabilities": [], "settings": {}}
        return about_of(plug, workspace, cancel)


def about_of(plug: Plug, workspace: Workspace, cancel: Cancel | None = None) -> dict[str, Any]:
    """As `about`, of a plug-in that has --about."""
    arguments = [*plug.command, "--about", "--format", "json"]
    env = child_environment(plug)
    answer = ask(arguments, plug.name, workspace, CHECK_SECONDS, cancel, env=env)
    if answer.code != 0:
        raise failure(ConfigError, f"{plug.name} --about failed", answer)
    return _json_object(plug, answer.out, "a description", ConfigError)


def ranges(
    plug: Plug,
    given: Given,
    workspace: Workspace,
    catalog: Catalog,
    state: Mapping[str, Any],
    parts: int,
    cancel: Cancel | None = None,
) -> dict[str, Any]:
    """Return where a tap that has key-ranges would cut the selected tables into *parts*."""
    arguments = ["--ranges", str(parts)]
    for name, value in (("catalog", catalog.to_dict()), ("state", state)):
        arguments += [f"--{name}", str(workspace.write(f"ranges.{name}.json", value))]
    return answered(plug, arguments, given, "could not look for ranges", workspace, cancel)


def answered(
    plug: Plug,
    arguments: Sequence[str],
    given: Given,
    failed: str,
    workspace: Workspace,
    cancel: Cancel | None = None,
) -> dict[str, Any]:
    """Return the JSON object that a plug-in of ours prints; ReadError, by "it *failed*"."""
    answer = ask_with(plug, arguments, given, workspace, None, cancel)
    if answer.code != 0:
        raise failure(ReadError, f"{plug.name} {failed}", answer)
    return _json_object(plug, answer.out, "an answer", ReadError)


def committed_states(
    plug: Plug, given: Given, workspace: Workspace, state_id: str, cancel: Cancel | None = None
) -> list[Committed]:
    """Return what a target that is exactly-once committed under *state_id*."""
    arguments = ["--committed-state", state_id, "--format", "json"]
    answer = ask_with(plug, arguments, given, workspace, CHECK_SECONDS, cancel)
    if answer.code != 0:
        raise failure(WriteError, f"{plug.name} failed", answer)
    return msgspec.convert(json.loads(answer.out), list[Committed])


def as_catalog(catalog: Catalog | Mapping[str, Any] | None) -> Catalog | None:
    """Return a catalog given as JSON or as what it is."""
    return Catalog.from_dict(catalog) if isinstance(catalog, Mapping) else catalog


def failure(kind: type[KozmoError], what: str, answer: Answer) -> KozmoError:
    """Return the error of a plug-in that answered with a failure, in its own words.

    Exit code 2 means usage or configuration, and so does the error then.
    """
    said = reason(answer.tail)
    details = [line.strip() for line in said] or [exit_words(answer.code)]
    return (ConfigError if answer.code == 2 else kind)(what, *details)


def ask_with(
    plug: Plug,
    arguments: Sequence[str],
    given: Given,
    workspace: Workspace,
    timeout: float | None,
    cancel: Cancel | None,
) -> Answer:
    """Return the answer of a plug-in whose configuration is already written, however it ended."""
    argv = [*plug.command, *given.argv, *arguments]
    env = child_environment(plug)
    return ask(argv, plug.name, workspace, timeout, cancel, secrets=given.secrets, env=env)


def _json_object(plug: Plug, out: bytes, what: str, kind: type[KozmoError]) -> dict[str, Any]:
    """The JSON object in *out*, which may follow lines that were meant for a log."""
    text = out.decode("utf-8", "replace")
    starts = [
        0,
        *(i + 1 for i, c in enumerate(text[:20000]) if c == "\n" and text[i + 1 : i + 2] == "{"),
    ]
    for start in starts:
        try:
            value = json.loads(text[start:])
        except ValueError:
            continue
        if isinstance(value, dict):
            return value
    raise kind(
        f"{plug.name} printed no JSON where {what} was expected", *text[:200].splitlines()[:2]
    )
