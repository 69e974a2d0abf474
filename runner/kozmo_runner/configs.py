"""Configuration of a plug-in: gathered from its sources, handed over in a private file."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kozmo_runner.abilities import Abilities
from kozmo_runner.environment import settings_in_environment
from kozmo_runner.home import write_private
from kozmo_runner.plugins import Plug
from kozmo_runner.workspace import Workspace
from kozmo_singer.errors import ConfigError
from kozmo_singer.secrets import escape, expand, fetch, forms, is_fetched, is_secret, secrets_in
from kozmo_singer.settings import read_json_object

Source = str | os.PathLike[str] | Mapping[str, Any]
Config = Source | Sequence[Source] | None
"""A mapping, a JSON file's path, "ENV", "NAME=VALUE", or a list of these, later ones winning."""

_ASSIGNMENT = re.compile(r"([A-Za-z_][\w.\-]*)(:?=)(.*)", re.DOTALL)
_PATHS = {"path", "file", "filepath", "folder"}
_PLACES = {"host", "hostname", "server", "port", "database", "dbname", "db_name", "url", "uri",
           "sqlalchemy_url", "api_url", "base_url", "domain", "subdomain", "site", "shop",
           "account", "account_id", "project", "project_id", "organization", "tenant", "bucket",
           "warehouse", "dataset"}  # fmt: skip
_LOGIN = re.compile(r"://[^/\s]*@")


@dataclass
class Given:
    """A configuration as it goes to the plug-in: its arguments, and the values never to be shown.

    *original* is the one file that the user named, *sent* the one that the plug-in is given, and
    *written* what it said then. *values* are all that is known, from the environment too.
    """

    argv: list[str] = field(default_factory=list)
    secrets: list[str] = field(default_factory=list)
    values: dict[str, Any] = field(default_factory=dict)
    original: Path | None = None
    sent: Path | None = None
    written: dict[str, Any] = field(default_factory=dict)
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

    A single file goes as it is, so that a tap can renew its tokens in it, unless it refers to
    variables, commands or the keyring. ENV is passed on to plug-ins that know it and read here for
    others. Without any source, variables of the plug-in's prefix count if there are some.
    """
    sources = sources_of(config)
    if not sources and any(name.startswith(plug.prefix) for name in os.environ):
        sources = ["ENV"]
    given = Given()
    if not _as_it_is(plug, sources, given):
        _Composer(plug, abilities, workspace, given).compose(sources)
    given.secrets = forms([*secrets_in(given.values), *given.secrets])
    given.origin = origin(given.values)
    return given


def _as_it_is(plug: Plug, sources: Sequence[Source], given: Given) -> bool:
    """Take a file that stands alone and says all by itself; return whether it does."""
    if len(sources) != 1 or not _is_file(sources[0]):
        return False
    path = Path(os.path.abspath(os.fspath(sources[0])))  # type: ignore[arg-type]
    values = read_json_object(str(path), "config")
    fetched = any(is_fetched(n, value, plug.has_command) for n, value in values.items())
    if fetched or expand(values) != values:
        return False
    given.original = given.sent = path
    given.values, given.argv = values, ["--config", str(path)]
    return True


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
    changed = {name: value for name, value in now.items() if given.written.get(name) != value}
    if not changed:
        return None
    names = ", ".join(sorted(changed))
    if given.original is None or given.assigned & set(changed):
        return f"{plug.name} renewed {names} in its configuration, which is kept in no single file"
    content = {**read_json_object(str(given.original), "config"), **changed}
    mode = given.original.stat().st_mode & 0o777
    write_private(given.original, json.dumps(content, indent=2).encode() + b"\n", mode)
    return None


def said(given: Given, name: str) -> set[str]:
    """Return what the configuration says of a setting, nothing or one text."""
    return {str(given.values[name])} if given.values.get(name) else set()


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


def _is_file(source: Source) -> bool:
    if isinstance(source, Mapping) or source == "ENV":
        return False
    return _assignment(source) is None


def _assignment(source: str | os.PathLike[str]) -> re.Match[str] | None:
    if not isinstance(source, str) or os.path.exists(source):
        return None
    return _ASSIGNMENT.fullmatch(source)


class _Composer:
    """Gathers sources into files, one before and one behind each ENV that the plug-in reads."""

    def __init__(
        self, plug: Plug, abilities: Abilities, workspace: Workspace, given: Given
    ) -> None:
        self._plug, self._abilities, self._workspace = plug, abilities, workspace
        self._given = given
        self._files: list[Path] = []
        self._merged: dict[str, Any] = {}
        self._pending = False

    def compose(self, sources: Iterable[Source]) -> None:
        """Write *sources*, and note in what is given what they say."""
        given = self._given
        for source in sources:
            if source == "ENV" and self._abilities.environment:
                self._pass_environment()
            else:
                self._merged = _laid_over(self._merged, self._read(source))
                self._pending = True
        if self._pending or (not given.argv and self._abilities.needs_config):
            self._write()
        given.original = self._files[0] if len(self._files) == 1 else None

    def _pass_environment(self) -> None:
        if self._pending:
            self._write()
        self._given.argv += ["--config", "ENV"]
        own, has_command = settings_in_environment(self._plug), self._plug.has_command
        # What is not simply there follows in a file, and is left out of the environment.
        self._merged = {n: v for n, v in own.items() if is_fetched(n, v, has_command)}
        self._pending = bool(self._merged)
        plain = {n: v for n, v in own.items() if n not in self._merged}
        self._given.values = _laid_over(self._given.values, plain)

    def _write(self) -> None:
        given = self._given
        values, hidden = fetch(self._merged, self._plug.has_command)
        given.secrets += hidden
        given.values = _laid_over(given.values, values)
        # A plug-in of ours looks for references in its files.
        given.written = escape(values) if self._plug.ours else values
        # Two of one name may be at work: the tap of a source, and the one that reads a target back.
        name = f"{self._plug.name}.config.{len(os.listdir(self._workspace.folder))}.json"
        given.sent = self._workspace.write(name, given.written)
        given.argv += ["--config", str(given.sent)]

    def _read(self, source: Source) -> Mapping[str, Any]:
        plug, given = self._plug, self._given
        if isinstance(source, Mapping):
            given.assigned |= set(source)
            return source
        if source == "ENV":
            return {n: _guessed(n, v) for n, v in settings_in_environment(plug).items()}
        assigned = _assignment(source)
        if assigned is None:
            self._files.append(Path(os.path.abspath(os.fspath(source))))
            values = read_json_object(os.fspath(source), "config")
            found: dict[str, Any] = expand(values, hidden=given.secrets)
            return found
        path, operator, text = assigned.groups()
        value = (
            _exact(path, text) if operator == ":=" else text if plug.ours else _guessed(path, text)
        )
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
    if is_secret(name):
        return text
    if text in ("true", "false") or re.fullmatch(r"0|-?[1-9]\d{0,15}", text):
        return json.loads(text)
    if text[:1] in ("{", "["):
        try:
            return json.loads(text)
        except json.JSONDecodeError:
            return text
    return text


def _laid_over(older: Mapping[str, Any], newer: Mapping[str, Any]) -> dict[str, Any]:
    """Return *newer* laid over *older*; objects in objects merge."""
    merged = dict(older)
    for name, value in newer.items():
        before = merged.get(name)
        both = isinstance(before, Mapping) and isinstance(value, Mapping)
        merged[name] = _laid_over(before, value) if both else value  # type: ignore[arg-type]
    return merged
