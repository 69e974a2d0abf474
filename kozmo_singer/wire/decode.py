"""Reading a Singer stream: liberal in key order, letter case, blank lines and unknown types."""

from __future__ import annotations

import logging
import os
import re
import select
from collections.abc import Callable, Iterable, Iterator
from typing import Any, BinaryIO

import msgspec

from kozmo_singer.errors import RecordError
from kozmo_singer.wire.encode import dumps
from kozmo_singer.wire.messages import (
    Aborted,
    ActivateVersion,
    Batch,
    Message,
    Other,
    Schema,
    State,
)
from kozmo_singer.wire.rows import REFUSED, Parsed, Refuse, Rows, StreamDecoder, parse
from kozmo_singer.wire.types import Column, LogicalType, columns, resolve_refs

CHUNK = 1 << 18
"""Bytes asked of the pipe at once."""
_log = logging.getLogger("kozmo_singer.wire")
_BOM = b"\xef\xbb\xbf"
_KIND = re.compile(rb'"type"\s*:\s*"(\w+)"')
_ANY = LogicalType("json")


class _Head(msgspec.Struct, gc=False):
    """What must be known of a line before it is decoded; the rest is only scanned."""

    type: str
    stream: str | None = None


class _StateValue(msgspec.Struct, gc=False):
    value: msgspec.Raw


_HEAD = msgspec.json.Decoder(_Head)
_STATE = msgspec.json.Decoder(_StateValue)


class Reader:
    """Iterates over the messages of *source*, a file descriptor or a binary file.

    Consecutive records of a stream come together as one Rows. Where nothing arrives for
    *idle_seconds* None is yielded, so that the caller can look after its batches.
    RecordError names the line, stream and JSON path of what cannot be taken; all that came
    before it has been yielded by then. With *refuse* a record that cannot be taken, or a line that
    is no message, is given to it and reading goes on, after a None that tells of it; what is wrong
    with messages of other types, or with the end of the input, is raised all the same. With *raw*
    every value of a row is kept as the JSON that it came as, whatever the schema says of it. With
    *others* messages of unknown types are yielded, which are skipped with a warning else.
    """

    def __init__(
        self,
        source: int | BinaryIO,
        *,
        idle_seconds: float | None = None,
        refuse: Refuse | None = None,
        raw: bool = False,
        others: bool = False,
    ) -> None:
        self._source = source
        self._others = others
        self._raw = raw
        self._idle = idle_seconds
        self._given = refuse
        self._refuse = None if refuse is None else self._set_aside
        self._refused = False
        self._streams: dict[str, StreamDecoder] = {}
        self._schemas: dict[str, Parsed] = {}
        self._unknown: set[str] = set()
        self._line = 0
        self._prefix: bytes | tuple[()] = ()
        self._mixed = False
        self._group: list[bytes] = []
        self._numbers: list[int] = []
        self._stream = ""

    def __iter__(self) -> Iterator[Message | None]:
        for block, whole in self._blocks():
            if block is None:
                yield None
                continue
            rows = self._rows_of(block) if whole else None
            if rows is not None:
                yield rows
            elif whole:
                yield from self._messages(block.split(b"\n"))
            else:
                yield from self._last(block)
            if self._refused:
                self._refused = False
                yield None

    def _set_aside(self, error: RecordError, line: bytes) -> None:
        assert self._given is not None
        self._refused = True
        self._given(error, line)

    def _rows_of(self, block: bytes) -> Rows | None:
        """Return the rows of a block that holds records of the current stream and nothing else.

        To try costs less than to look, unless it failed with the last block.
        """
        prefix, count = self._prefix, block.count(b"\n") + 1
        if not prefix or not block.startswith(prefix):
            return None
        if self._mixed and block.count(b"\n" + prefix) != count - 1:
            return None
        numbers = range(self._line + 1, self._line + count + 1)
        rows = self._streams[self._stream].decode_block(block, numbers)
        # Blank lines give no rows, and those that follow would get the numbers of others.
        self._mixed = rows is None or len(rows) != count
        if self._mixed:
            return None
        self._line += count
        return rows

    def _last(self, line: bytes) -> Iterator[Message]:
        """The line after the last newline: whole, or what a tap that died left of it."""
        try:
            if self._refuse is not None:
                parse(line, self._line + 1)
            yield from self._messages([line])
        except RecordError as error:
            raise RecordError(
                error.reason,
                "the input ends within this line: the tap probably died while writing it",
                stream=error.stream, line=error.line, path=error.path, of_record=False,
            ) from error  # fmt: skip

    def _blocks(self) -> Iterator[tuple[bytes | None, bool]]:
        """Pieces of input that end with a line, without its newline; then the rest, if any."""
        parts: list[bytes] = []
        for chunk in self._chunks():
            if chunk is None:
                yield None, True
                continue
            end = chunk.rfind(b"\n")
            if end < 0:
                parts.append(chunk)
                continue
            parts.append(chunk[:end])
            block = b"".join(parts)
            parts = [chunk[end + 1 :]]
            yield block, True
        rest = b"".join(parts)
        if rest.strip():
            yield rest, False

    def _chunks(self) -> Iterator[bytes | None]:
        source = self._source
        if not isinstance(source, int):
            yield from iter(lambda: source.read(CHUNK), b"")
            return
        while True:
            if self._idle is not None and not select.select([source], [], [], self._idle)[0]:
                yield None
                continue
            chunk = os.read(source, CHUNK)
            if not chunk:
                return
            yield chunk

    def _messages(self, lines: Iterable[bytes]) -> Iterator[Message]:
        for line in lines:
            self._line += 1
            if line.startswith(self._prefix):
                self._group.append(line)
                self._numbers.append(self._line)
                continue
            yield from self._other(line)
        yield from self._flush()

    def _other(self, line: bytes) -> Iterator[Message]:
        """A line that is not known by its first bytes as a record of the current stream."""
        if self._line == 1 and line.startswith(_BOM):
            line = line[len(_BOM) :]
        if not line.strip():
            return
        try:
            kind, stream, parsed = self._look(line)
        except RecordError as error:
            yield from self._flush()
            found = _KIND.search(line)
            error.of_record = found is None or found[1].decode().upper() not in _CONTROL
            if self._refuse is None or not error.of_record:
                raise
            self._refuse(error, line)
            return
        if kind == "RECORD":
            yield from self._record(stream, line)
            return
        yield from self._flush()
        try:
            message = self._control(kind, line, parsed)
        except RecordError as error:
            error.of_record = False
            raise
        if message is not None:
            yield message

    def _record(self, stream: str, line: bytes) -> Iterator[Rows]:
        """A record that is not known by its first bytes."""
        if stream != self._stream or not self._group:
            yield from self._flush()
            try:
                self._begin(stream, line)
            except RecordError as error:
                if self._refuse is None:
                    raise
                self._refuse(error, line)
                return
        self._group.append(line)
        self._numbers.append(self._line)

    def _look(self, line: bytes) -> tuple[str, str, Parsed | None]:
        parsed: Parsed | None = None
        try:
            head = _HEAD.decode(line)
            kind, stream = head.type, head.stream
        except REFUSED:
            parsed = self._parse(line)
            kind, stream = parsed.get("type"), parsed.get("stream")  # type: ignore[assignment]
        if not isinstance(kind, str):
            raise RecordError("the message has no type", line=self._line, path="$.type")
        return kind.upper(), stream if isinstance(stream, str) else "", parsed

    def _parse(self, line: bytes) -> Parsed:
        return parse(line, self._line)

    def _begin(self, stream: str, line: bytes) -> None:
        if stream not in self._streams:
            raise RecordError(
                "a record came before the SCHEMA of its stream", stream=stream, line=self._line
            )
        self._stream = stream
        # Taps write each record of a stream with the same first bytes. The decoder checks the
        # stream's name again, so a wrong guess here cannot put a record elsewhere.
        head, found, _ = line.partition(b'"record"')
        named = b'"RECORD"' in head and dumps(stream) in head and b"time_extracted" not in head
        self._prefix = head + found if found and named else ()

    def _flush(self) -> Iterator[Rows]:
        if not self._group:
            return
        lines, numbers = self._group, self._numbers
        self._group, self._numbers = [], []
        try:
            rows = self._streams[self._stream].decode(lines, numbers, self._refuse)
        except RecordError as error:
            if error.rows is not None and len(error.rows):
                yield error.rows
            raise
        if len(rows):
            yield rows

    def _control(self, kind: str, line: bytes, parsed: Parsed | None) -> Message | None:
        if kind == "STATE":
            return self._state(line)
        handler = _HANDLERS.get(kind)
        if handler is None and self._others:
            return Other(line)
        if handler is None:
            if kind not in self._unknown:
                self._unknown.add(kind)
                _log.warning("line %d: messages of type %s are skipped", self._line, kind)
            return None
        return handler(self, self._parse(line) if parsed is None else parsed)

    def _state(self, line: bytes) -> State:
        try:
            text = bytes(_STATE.decode(line).value)
        except REFUSED:
            parsed = self._parse(line)
            if "value" not in parsed:
                raise RecordError("expected a value", line=self._line, path="$.value") from None
            text = dumps(parsed["value"])
        return State(text, self._line)

    def _schema(self, message: Parsed) -> Schema:
        stream, schema = self._named(message), message.get("schema")
        if not isinstance(schema, dict):
            raise RecordError("expected an object", stream=stream, line=self._line, path="$.schema")
        schema = resolve_refs(schema)
        keys = self._strings(message, "key_properties") or []
        bookmarks = self._strings(message, "bookmark_properties")
        found = columns(schema, keys)
        missing = [key for key in keys if key not in (schema.get("properties") or {})]
        if missing:
            raise RecordError(
                f"key property '{missing[0]}' is not in the schema",
                stream=stream, line=self._line, path="$.key_properties",
            )  # fmt: skip
        if self._schemas.get(stream) != message:
            decoded = [Column(column.name, _ANY) for column in found] if self._raw else found
            warn = _log.debug if self._raw else _log.warning
            self._streams[stream] = StreamDecoder(stream, decoded, warn)
            self._schemas[stream] = message
        return Schema(stream, schema, keys, bookmarks, tuple(found), self._line)

    def _activate(self, message: Parsed) -> ActivateVersion:
        version = message.get("version")
        stream = self._named(message)
        if not isinstance(version, int) or isinstance(version, bool):
            raise RecordError(
                "expected an integer", stream=stream, line=self._line, path="$.version"
            )
        return ActivateVersion(stream, version, self._line)

    def _batch(self, message: Parsed) -> Batch:
        stream = self._named(message)
        if stream not in self._streams:
            raise RecordError(
                "a batch came before the SCHEMA of its stream", stream=stream, line=self._line
            )
        if isinstance(message.get("filepath"), str):
            # The shape of pipelinewise.
            encoding, manifest = message, [message["filepath"]]
        else:
            encoding, manifest = message.get("encoding"), message.get("manifest")  # type: ignore[assignment]
        if not isinstance(encoding, dict) or not isinstance(manifest, list):
            raise RecordError(
                "expected encoding and manifest", stream=stream, line=self._line, path="$"
            )
        format, compression = encoding.get("format", "jsonl"), encoding.get("compression")
        if compression == "none":
            compression = None
        version, extracted = message.get("version"), message.get("time_extracted")
        return Batch(
            stream,
            str(format),
            compression,
            [str(url) for url in manifest],
            self._streams[stream].columns,
            version if isinstance(version, int) else None,
            extracted if isinstance(extracted, str) else None,
            self._line,
        )

    def _abort(self, message: Parsed) -> Aborted:
        return Aborted(str(message.get("reason") or "the tap failed"))

    def _named(self, message: Parsed) -> str:
        stream = message.get("stream")
        if not isinstance(stream, str) or not stream:
            raise RecordError("the message names no stream", line=self._line, path="$.stream")
        try:
            stream.encode()
        except UnicodeEncodeError as error:
            raise RecordError(
                f"the name {ascii(stream)} holds half a surrogate pair, which no UTF-8 can carry",
                line=self._line, path="$.stream",
            ) from error  # fmt: skip
        return stream

    def _strings(self, message: Parsed, name: str) -> list[str] | None:
        value: Any = message.get(name)
        if isinstance(value, str):
            return [value]
        return [str(item) for item in value] if isinstance(value, list) else None

    def decoder(self, stream: str) -> StreamDecoder:
        """Return the decoder of *stream*, for records that come in the files of a BATCH."""
        return self._streams[stream]


_HANDLERS: dict[str, Callable[[Reader, Parsed], Message]] = {
    "SCHEMA": Reader._schema,
    "ACTIVATE_VERSION": Reader._activate,
    "BATCH": Reader._batch,
    "ABORT": Reader._abort,
}
_CONTROL = {"STATE", *_HANDLERS}
"""Types of messages that stand for more than one record: none of them is set aside."""
