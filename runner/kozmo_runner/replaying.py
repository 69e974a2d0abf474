"""Records of a quarantine file, once they are repaired, on their way into a target."""

from __future__ import annotations

import base64
import os
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from kozmo_runner.abilities import abilities
from kozmo_runner.configs import Config, give, said, sources_of
from kozmo_runner.engine import Watcher
from kozmo_runner.feeding import feed
from kozmo_runner.plugins import Plug, find
from kozmo_runner.process import Cancel
from kozmo_runner.progress import Progress
from kozmo_runner.speech import metric
from kozmo_runner.workspace import Workspace
from kozmo_singer.errors import ConfigError, KozmoError, RecordError
from kozmo_singer.wire.encode import dumps
from kozmo_singer.wire.rows import parse
from kozmo_singer.wire.types import REPLICATION_METHOD

AGAIN = "again"
"""The folder, beside a file that is read, for what is still bad."""
_LINE = re.compile(r"\bline (\d+)")


class _Entry(msgspec.Struct):
    raw: msgspec.Raw = msgspec.Raw()
    raw_base64: str | None = None
    type: str | None = None


class Sent(NamedTuple):
    """A message for the target, and the line of the file that it stands in."""

    message: bytes
    line: int
    is_record: bool


@dataclass
class Replayed:
    """How a replay went: records sent, and those of them that the target set aside again."""

    sent: int = 0
    progress: Progress = field(default_factory=Progress)

    @property
    def bad(self) -> int:
        """The records that are still bad."""
        return self.progress.quarantined or 0


def replay(file: Path, target: str, config: Config, watcher: Watcher, cancel: Cancel) -> Replayed:
    """Send the records of *file* to *target* and return how that went.

    The whole file is checked before anything is sent. What the target says of a line is told with
    the line of the file that it came from. States are neither read nor written.
    """
    for _ in messages(file):
        cancel.check()
    plug = find(target, "target")
    result, lines = Replayed(), [0]

    def hear(text: str) -> None:
        point = metric(text)
        if point is not None:
            result.progress.add("target", point)
        else:
            watcher.line(plug.name, text)

    try:
        settings = _settings(plug, config, file, cancel)
        with feed(target, settings, cancel=cancel, on_line=hear) as running:
            # The reason why a target ended is told by finish.
            with suppress(OSError):
                for each in messages(file):
                    cancel.check()
                    lines.append(each.line)
                    _write(running.stdin.fileno(), each.message + b"\n")
                    result.sent += each.is_record
            running.finish()
    except KozmoError as error:
        raise _located(error, file, lines) from error
    return result


def messages(file: Path) -> Iterator[Sent]:
    """Yield the SCHEMA and RECORD messages that *file* holds, each SCHEMA before its records."""
    known: set[str] = set()
    for number, line in _lines(file):
        message = _message(file, number, line)
        parsed = _parsed(file, number, message)
        stream, kind = parsed.get("stream"), str(parsed.get("type")).upper()
        if not isinstance(stream, str) or kind not in ("SCHEMA", "RECORD"):
            raise _unfit(file, number, "it is neither a RECORD nor a SCHEMA message of a stream")
        if kind == "SCHEMA":
            yield Sent(_without_method(parsed), number, False)
        elif stream in known:
            yield Sent(message, number, True)
        else:
            yield _schema_of(file, number, stream)
            yield Sent(message, number, True)
        known.add(stream)


def _lines(file: Path) -> Iterator[tuple[int, bytes]]:
    try:
        with file.open("rb") as opened:
            for number, line in enumerate(opened, 1):
                if line.strip():
                    yield number, line.strip()
    except OSError as error:
        raise ConfigError(f"cannot read {file}: {error.strerror}") from error


def _message(file: Path, number: int, line: bytes) -> bytes:
    """The message that a line of the file stands for: as text, as an object, or the line itself."""
    try:
        entry = msgspec.json.decode(line, type=_Entry)
        raw = bytes(entry.raw)
        if raw.startswith(b'"'):
            raw = msgspec.json.decode(raw, type=str).strip().encode()
        elif not raw and entry.raw_base64 is not None:
            raw = base64.b64decode(entry.raw_base64, validate=True).strip()
    except (ValueError, RecursionError) as error:
        raise _unfit(file, number, str(error)) from error
    if raw or entry.type is None:
        return raw
    return line


def _parsed(file: Path, number: int, message: bytes) -> dict[str, Any]:
    if b"\n" in message:
        raise _unfit(file, number, "its message has a line break")
    try:
        return parse(message, number)
    except RecordError as error:
        raise _unfit(file, number, error.reason) from error


def _unfit(file: Path, number: int, why: str) -> ConfigError:
    return ConfigError(
        f"line {number} of {file} cannot be replayed: {why}",
        "repair what stands in its raw, or delete the line; nothing was sent",
    )


def _schema_of(file: Path, number: int, stream: str) -> Sent:
    """The first SCHEMA of *stream* in the file: its record came before it."""
    for at, line in _lines(file):
        if b'"SCHEMA"' in line:
            parsed = _parsed(file, at, _message(file, at, line))
            if (parsed.get("type"), parsed.get("stream")) == ("SCHEMA", stream):
                return Sent(_without_method(parsed), at, False)
    raise ConfigError(
        f"line {number} of {file} cannot be replayed: there is no SCHEMA of stream {stream}",
        "put its SCHEMA message, as the tap or another quarantine file has it, into a line before",
    )


def _without_method(schema: dict[str, Any]) -> bytes:
    """The SCHEMA as that of a part of the table: repaired rows must not replace all others."""
    inner = schema.get("schema")
    if isinstance(inner, dict):
        inner = {key: value for key, value in inner.items() if key != REPLICATION_METHOD}
    return dumps({**schema, "schema": inner})


def _settings(plug: Plug, config: Config, file: Path, cancel: Cancel) -> Config:
    """The user's configuration with what a replay needs to be otherwise.

    Records are as they were after stream maps. They are added to the rows that are there. And what
    is still bad must not go into the file that is being read.
    """
    if not plug.ours:
        return config
    sources = sources_of(config)
    if not sources and any(name.startswith(plug.prefix) for name in os.environ):
        sources = ["ENV"]
    with Workspace() as workspace:
        given = give(plug, sources, abilities(plug, workspace, cancel), workspace)
    changes = {
        "stream_maps": None,
        "flattening_enabled": None,
        "quarantine_path": str(file.parent / AGAIN),
    }
    if "overwrite" in said(given, "load_method"):
        changes["load_method"] = "auto"
    if said(given, "state_id"):
        # A run that goes on meanwhile would take it for a later one of its own.
        changes["state_id"] = None
    return [*sources, changes]


def _write(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def _located(error: KozmoError, file: Path, lines: list[int]) -> KozmoError:
    """Add which line of the file an error of the target speaks of."""
    found = next(filter(None, map(_LINE.search, error.details)), None)
    if found is not None and int(found[1]) < len(lines):
        error.details += (f"it came from line {lines[int(found[1])]} of {file}",)
    return error
