"""Configuration of a plug-in: gathered from its sources, handed over in a private file."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from kozmo_runner.abilities import Abilities
from kozmo_runner.home import write_private
from kozmo_runner.plugins import Plug
from kozmo_runner.workspace import Workspace
from kozmo_singer.errors import ConfigError
from kozmo_singer.settings import read_json_object

Source = str | os.PathLike[str] | Mapping[str, Any]
Config = Source | Sequence[Source] | None
"""A mapping, a JSON file's path, "ENV", "NAME=VALUE", or a list of these, later ones winning."""

_ASSIGNMENT = re.compile(r"([A-Za-z_][\w.\-]*)(:?=)(.*)", re.DOTALL)
_SECRET = re.compile(
    r"pass|secret|token|api_?key|private_?key|access_?key|credential|auth|dsn|connection_string",
    re.IGNORECASE,
)
_PATHS = {"path", "file", "filepath", "folder"}
_PLACES = {"host", "hostname", "server", "port", "database", "dbname", "db_name", "url", "uri",
           "sqlalchemy_url", "api_url", "base_url", "domain", "subdomain", "site", "shop",
           "account", "account_id", "project", "project_id", "organization", "tenant", "bucket",
           "warehouse", "dataset"}  # fmt: skip
_LOGIN = re.compile(r"://[^/\s:@]*:([^/\s@]+)@")


@dataclass
class Given:
    """A configuration as it goes to the plug-in: its arguments, and the values never to be shown.

    *original* is the one file that the user named, *sent* what was written for the plug-in.
    """

    argv: list[str] = field(default_factory=list)
    secrets: list[str] = field(default_factory=list)
    values: dict[str, Any] = field(default_factory=dict)
    original: Path | None = None
    sent: Path | None = None
    assigned: frozenset[str] = frozenset()
    origin: str = ""


def sources_of(config: Config) -> list[Source]:
    """Return *config* as the list of its sources."""
    if config is None:
        return []
    if isinstance(config, str | os.PathLike | Mapping):
        return [config]
    return list(config)


def give(plug: Plug, config: Config, abilities: Abilities, workspace: Workspace) -> Given:
    """Write the configuration for *plug* and return its arguments.

    A single file goes as it is, so that a tap can renew its tokens in it. ENV is passed on to
    plug-ins that know it and read here for others. Without any source, variables of the plug-in's
    prefix count if there are some.
    """
    sources = sources_of(config)
    if not sources and any(name.startswith(plug.prefix) for name in os.environ):
        sources = ["ENV"]
    given = Given()
    if len(sources) == 1 and _is_file(sources[0]):
        given.original = given.sent = Path(os.path.abspath(os.fspath(sources[0])))  # type: ignore[arg-type]
        given.values = read_json_object(str(given.original), "config")
        given.argv = ["--config", str(given.original)]
    else:
        _compose(plug, sources, abilities, workspace, given)
    variables = _environment(plug) if "ENV" in sources else {}
    given.secrets = [*secrets_in(given.values), *secrets_in(variables)]
    given.origin = origin({**variables, **given.values})
    return given


def take_back(plug: Plug, given: Given) -> str | None:
    """Keep what the tap changed in its configuration; return a warning where that cannot be.

    Taps renew OAuth tokens by rewriting the file of --config. A file of the user's own was changed
    in place; a composed one is carried back to the only file among its sources, if there is one.
    """
    if given.sent is None or given.sent == given.original:
        return None
    try:
        now = read_json_object(str(given.sent), "config")
    except ConfigError:
        return None
    changed = {name: value for name, value in now.items() if given.values.get(name) != value}
    if not changed:
        return None
    names = ", ".join(sorted(changed))
    if given.original is None or given.assigned & set(changed):
        return f"{plug.name} renewed {names} in its configuration, which is kept in no single file"
    content = {**read_json_object(str(given.original), "config"), **changed}
    mode = given.original.stat().st_mode & 0o777
    write_private(given.original, json.dumps(content, indent=2).encode() + b"\n", mode)
    return None


def said(plug: Plug, given: Given, name: str) -> set[str]:
    """Return what the configuration, or the environment if it counts, says of a setting."""
    variable = os.environ.get(plug.prefix + name.upper()) if "ENV" in given.argv else None
    return {str(value) for value in (given.values.get(name), variable) if value}


def origin(values: Mapping[str, Any]) -> str:
    """Return a short mark of the source that a configuration points at, not of how it is read.

    Empty where it names no place. Passwords are not in it.
    """
    places = {
        name: os.path.abspath(value)
        if name in _PATHS and isinstance(value, str) and "://" not in value
        else _LOGIN.sub("://", value)
        if isinstance(value, str)
        else value
        for name, value in values.items()
        if name in _PLACES | _PATHS and value not in (None, "")
    }
    text = json.dumps(places, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16] if places else ""


def secrets_in(value: Any, name: str = "") -> Iterator[str]:
    """Yield the values in a configuration that look like secrets by their name or form."""
    if isinstance(value, Mapping):
        for key, item in value.items():
            inherited = name if _SECRET.search(name) else str(key)
            yield from secrets_in(item, inherited)
    elif isinstance(value, list):
        for item in value:
            yield from secrets_in(item, name)
    elif isinstance(value, str):
        if _SECRET.search(name):
            yield value
            yield from (line for line in value.splitlines() if len(line) > 16)
        for login in _LOGIN.findall(value):
            yield from {login, unquote(login)}
    elif isinstance(value, int) and not isinstance(value, bool) and _SECRET.search(name):
        yield str(value)


def _is_file(source: Source) -> bool:
    if isinstance(source, Mapping) or source == "ENV":
        return False
    return _assignment(source) is None


def _assignment(source: str | os.PathLike[str]) -> re.Match[str] | None:
    if not isinstance(source, str) or os.path.exists(source):
        return None
    return _ASSIGNMENT.fullmatch(source)


def _compose(
    plug: Plug, sources: Iterable[Source], abilities: Abilities, workspace: Workspace, given: Given
) -> None:
    files: list[Path] = []
    merged: dict[str, Any] = {}
    pending = False

    def write() -> None:
        given.sent = workspace.write(f"{plug.name}.config.{len(given.argv)}.json", merged)
        given.argv += ["--config", str(given.sent)]

    for source in sources:
        if source == "ENV" and abilities.environment:
            if pending:
                write()
            merged, pending = {}, False
            given.argv += ["--config", "ENV"]
            continue
        pending = True
        values = _read(plug, source, given, files)
        merged = _laid_over(merged, values)
        given.values = _laid_over(given.values, values)
    if pending or not given.argv and abilities.needs_config:
        write()
    given.original = files[0] if len(files) == 1 else None


def _read(plug: Plug, source: Source, given: Given, files: list[Path]) -> Mapping[str, Any]:
    if isinstance(source, Mapping):
        given.assigned |= set(source)
        return source
    if source == "ENV":
        return _environment(plug)
    assigned = _assignment(source)
    if assigned is None:
        files.append(Path(os.path.abspath(os.fspath(source))))
        return read_json_object(os.fspath(source), "config")
    path, operator, text = assigned.groups()
    value = _exact(path, text) if operator == ":=" else text if plug.ours else _guessed(path, text)
    *parents, last = path.split(".")
    given.assigned |= {path.split(".")[0]}
    nested: dict[str, Any] = {last: value}
    for parent in reversed(parents):
        nested = {parent: nested}
    return nested


def _exact(name: str, text: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise ConfigError(
            f"the value of {name}:= is not JSON: {error.msg}", f"for plain text: {name}=TEXT"
        ) from error


def _guessed(name: str, text: str) -> Any:
    """What *text* means to a plug-in that does not convert: a number, truth, JSON, or itself."""
    if _SECRET.search(name):
        return text
    if text in ("true", "false") or re.fullmatch(r"0|-?[1-9]\d{0,15}", text):
        return json.loads(text)
    if text[:1] in ("{", "["):
        try:
            return json.loads(text)
        except json.JSONDecodeError:
            return text
    return text


def _environment(plug: Plug) -> dict[str, Any]:
    return {
        name.removeprefix(plug.prefix).lower(): _guessed(name, value)
        for name, value in os.environ.items()
        if name.startswith(plug.prefix) and name != plug.prefix
    }


def _laid_over(older: Mapping[str, Any], newer: Mapping[str, Any]) -> dict[str, Any]:
    """Return *newer* laid over *older*; objects in objects merge."""
    merged = dict(older)
    for name, value in newer.items():
        before = merged.get(name)
        both = isinstance(before, Mapping) and isinstance(value, Mapping)
        merged[name] = _laid_over(before, value) if both else value  # type: ignore[arg-type]
    return merged
