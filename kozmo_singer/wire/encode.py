"""Rows to RECORD lines, and the other messages to their lines. Strict: one object, one newline."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timezone
from decimal import Decimal
from itertools import starmap
from operator import itemgetter
from typing import Any

import msgspec

from kozmo_singer.wire.cells import Cells, PackedLines
from kozmo_singer.wire.types import Column

_ENCODER = msgspec.json.Encoder(decimal_format="number")


def dumps(value: Any) -> bytes:
    """Return *value* as exact JSON: integers of any size, decimals as digits, any text.

    Numbers that JSON has no form for become the strings NaN, Infinity and -Infinity; text with
    lone surrogates, which no UTF-8 can carry, is written in escapes.
    """
    if isinstance(value, str):
        try:
            return _ENCODER.encode(value)
        except UnicodeEncodeError:
            return json.dumps(value).encode()
    if isinstance(value, Mapping):
        pairs = (dumps(str(key)) + b":" + dumps(item) for key, item in value.items())
        return b"{" + b",".join(pairs) + b"}"
    if isinstance(value, list | tuple):
        return b"[" + b",".join(map(dumps, value)) + b"]"
    # As a float a Decimal beyond the range of floats would be infinite.
    number = Decimal(value) if isinstance(value, float) else value
    if isinstance(number, Decimal) and not number.is_finite():
        return b'"NaN"' if number.is_nan() else b'"Infinity"' if number > 0 else b'"-Infinity"'
    return _ENCODER.encode(value)


class RecordEncoder:
    """Turns rows of one stream (tuples in the order of *columns*) into RECORD lines.

    Values: None, bool, int, float, Decimal, str, bytes, date, time, datetime, UUID, dict, list,
    or JSON text wrapped in msgspec.Raw, which must hold no newline. Rows may also be Cells or
    PackedLines.
    """

    def __init__(
        self, stream: str, columns: Sequence[Column], *, version: int | None = None
    ) -> None:
        self._names = [column.name for column in columns]
        self._keys = [dumps(name) + b":" for name in self._names]
        self._row = row_struct(columns)
        self._binary = {
            i: column.type.encoding
            for i, column in enumerate(columns)
            if column.type.name == "binary"
        }
        self._naive = [i for i, column in enumerate(columns) if column.type.name == "timestamp"]
        self._json = [i for i, column in enumerate(columns) if column.type.name == "json"]
        self._floats = [
            itemgetter(i) for i, column in enumerate(columns) if column.type.name == "float"
        ]
        self._head = b'{"type":"RECORD","stream":' + dumps(stream) + b',"record":'
        self._version = b"" if version is None else b',"version":%d' % version

    def encode(self, rows: Sequence[Sequence[Any]], time_extracted: str | None = None) -> bytes:
        """Return one line a row, each ended by a newline."""
        if not rows:
            return b""
        tail = self._version
        if time_extracted is not None:
            tail += b',"time_extracted":' + dumps(time_extracted)
        tail += b"}\n"
        if isinstance(rows, Cells):
            return self._between(rows, tail)
        if isinstance(rows, PackedLines):
            return rows.lines(self._keys, self._head, tail)
        if self._binary or self._json or self._naive:
            rows = [self._spell(row) for row in rows]
        body = self._fast(rows)
        if body is None:
            body = b"".join(self._slow(row) for row in rows)
        # Encoded JSON holds no raw newline, so each newline is the end of a record.
        return self._head + body[:-1].replace(b"\n", tail + self._head) + tail

    def _between(self, cells: Cells, tail: bytes) -> bytes:
        """Put the names between the values."""
        quotes = [b'"' if quoted else b"" for quoted in cells.quoted]
        before = [
            left + b"," + key + right
            for key, left, right in zip(self._keys[1:], quotes, quotes[1:], strict=False)
        ]
        first = self._head + b"{" + self._keys[0] + quotes[0]
        last = quotes[-1] + b"}" + tail
        parts = [b""] * (2 * len(cells.values))
        parts[0::2] = [last + first, *before] * len(cells)
        parts[0] = first
        parts[1::2] = cells.values
        parts.append(last)
        # A tab in a text is an escape; what stands between tokens means nothing.
        return b"".join(parts).replace(b"\t", b"")

    def _fast(self, rows: Sequence[Sequence[Any]]) -> bytes | None:
        """All rows in one call into C, or None where a value needs the careful way."""
        if self._row is None or not all(_all_finite(map(get, rows)) for get in self._floats):
            return None
        try:
            body = _ENCODER.encode_lines(list(starmap(self._row, rows)))
        except UnicodeEncodeError:
            return None
        # A Decimal that is no number would be written bare. Text may hold the words too.
        if b"NaN" in body or b"Infinity" in body or body.count(b"\n") != len(rows):
            return None
        return body

    def _slow(self, row: Sequence[Any]) -> bytes:
        pairs = (key + dumps(value) for key, value in zip(self._keys, row, strict=True))
        return b"{" + b",".join(pairs).replace(b"\n", b" ") + b"}\n"

    def _spell(self, row: Sequence[Any]) -> list[Any]:
        spelt = list(row)
        for i in self._json:
            if spelt[i] is not None and type(spelt[i]) is not msgspec.Raw:
                spelt[i] = msgspec.Raw(dumps(spelt[i]))
        for i in self._naive:
            # RFC 3339 wants a zone; the schema tells our readers that there is none.
            if isinstance(spelt[i], datetime) and spelt[i].tzinfo is None:
                spelt[i] = spelt[i].replace(tzinfo=timezone.utc)
        for i, encoding in self._binary.items():
            if isinstance(spelt[i], bytes | bytearray | memoryview):
                spelt[i] = spell_binary(bytes(spelt[i]), encoding)
        return spelt


def spell_binary(value: bytes, encoding: str) -> str:
    """Return *value* as text in base16 (lower case) or base64."""
    if encoding == "base64":
        import base64

        return base64.b64encode(value).decode()
    return value.hex()


def row_struct(columns: Sequence[Column]) -> Any:
    """Return a struct whose fields f0, f1, ... carry the names of *columns* on the wire.

    None where a name holds a quote, a backslash or a control character, which msgspec refuses.
    """
    names = {f"f{i}": column.name for i, column in enumerate(columns)}
    fields = [(field, Any, None) for field in names]
    try:
        return msgspec.defstruct("Row", fields, rename=names, gc=False)
    except ValueError:
        return None


def schema_line(
    stream: str,
    schema: Mapping[str, Any],
    key_properties: Sequence[str],
    bookmark_properties: Sequence[str] = (),
) -> bytes:
    """Return a SCHEMA message."""
    return _line(
        type="SCHEMA",
        stream=stream,
        schema=schema,
        key_properties=list(key_properties),
        bookmark_properties=list(bookmark_properties),
    )


def state_line(value: Any) -> bytes:
    """Return a STATE message."""
    return _line(type="STATE", value=value)


def activate_version_line(stream: str, version: int) -> bytes:
    """Return an ACTIVATE_VERSION message."""
    return _line(type="ACTIVATE_VERSION", stream=stream, version=version)


def abort_line(reason: str) -> bytes:
    """Return the runner's message that the tap failed.

    It begins with a newline, because a tap that died may have left half a line in the pipe.
    """
    return b"\n" + _line(type="ABORT", reason=reason)


def _line(**message: Any) -> bytes:
    return dumps(message) + b"\n"


def _all_finite(values: Iterable[Any]) -> bool:
    """Whether a column of floats and None holds no NaN or infinity; False where unsure."""
    try:
        return math.isfinite(sum(filter(None, values)))
    except (TypeError, OverflowError):
        return False
