"""Rows as the CSV that PostgreSQL's COPY reads, written in C by msgspec.

A row as a JSON array, without its brackets, is CSV with the quote ``"``, the escape ``\\`` and the
NULL ``null``. Only the JSON escapes other than those of quote and backslash need another look.
"""

from __future__ import annotations

import base64
import math
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import compress, count
from typing import Any

import msgspec

from kozmo_singer.errors import RecordError
from kozmo_singer.wire.rows import text_of
from kozmo_singer.wire.types import Column

COPY_OPTIONS = r"(FORMAT csv, ESCAPE '\', NULL 'null', ENCODING 'UTF8')"
Row = tuple[Any, ...]
Fault = Callable[[str, int, int], RecordError]
_ENCODER = msgspec.json.Encoder(decimal_format="number")
_OTHER_ESCAPE = re.compile(rb'\\[^"\\]')
_UNICODE = re.compile(rb"\\u([0-9a-f]{4})")
_PLAIN = {rb"\n": b"\n", rb"\t": b"\t", rb"\r": b"\r", rb"\b": b"\b", rb"\f": b"\f"}
_NUL_IN_JSON = re.compile(r"(?<!\\)((?:\\\\)*)\\u0000")
_NUL = "NUL character (U+0000), which PostgreSQL cannot store"


class CsvRows:
    """Writes rows whose columns have the logical types *types*, with values as `copied` makes them.

    *fault* makes the error for a message, a line and a column. A NUL is one, unless *replace_nul*
    puts U+FFFD in its place.
    """

    def __init__(self, types: Sequence[str], *, replace_nul: bool, fault: Fault) -> None:
        self._json = {i for i, name in enumerate(types) if name == "json"}
        self._replace_nul = replace_nul
        self._fault = fault

    def encode(self, rows: Sequence[Row], lines: Sequence[int], *, plain: bool = False) -> bytes:
        """Return *rows* as CSV, one line each unless a text holds line breaks.

        *plain* says that no text holds a control character.
        """
        try:
            body = _ENCODER.encode_lines(rows)
        except UnicodeEncodeError:
            raise self._surrogate(rows, lines) from None
        # Faster than to replace brackets, since lines are found by their one last byte.
        body = b"\n".join([line[1:-1] for line in body.split(b"\n")])
        # What stops at an escaped backslash before a letter costs a second look, and no more.
        if plain or b"\\" not in body or not _OTHER_ESCAPE.search(body):
            return body
        if b"\\u0000" in body:
            found = self._without_nul(rows, lines)
            if found is not None:
                return self.encode(found, lines)
        return _unescaped(body)

    def _surrogate(self, rows: Sequence[Row], lines: Sequence[int]) -> RecordError:
        for row, line in zip(rows, lines, strict=True):
            for column, value in enumerate(row):
                if isinstance(value, str) and not _encodes(value):
                    return self._fault(
                        "text holds half a surrogate pair, which no UTF-8 can carry", line, column
                    )
        return self._fault("text that UTF-8 cannot carry", lines[0], 0)

    def _without_nul(self, rows: Sequence[Row], lines: Sequence[int]) -> list[Row] | None:
        """Rows with every NUL replaced; None if there was none, an error if that is not wanted."""
        cleaned = [self._cleaned(row) for row in rows]
        changed = [new is not row for new, row in zip(cleaned, rows, strict=True)]
        if not any(changed):
            return None
        if not self._replace_nul:
            at = next(compress(count(), changed))
            pairs = enumerate(zip(rows[at], cleaned[at], strict=True))
            column = next(i for i, (old, new) in pairs if old is not new)
            raise self._fault(f"text holds a {_NUL}", lines[at], column)
        return cleaned

    def _cleaned(self, row: Row) -> Row:
        cleaned = [
            self._clean(value, i) if isinstance(value, str) else value
            for i, value in enumerate(row)
        ]
        same = all(new is old for new, old in zip(cleaned, row, strict=True))
        return row if same else tuple(cleaned)

    def _clean(self, value: str, column: int) -> str:
        if column in self._json and _NUL_IN_JSON.search(value):
            return _NUL_IN_JSON.sub(r"\1\\ufffd", value)
        return value.replace("\0", "\ufffd") if "\0" in value else value


def copied(column: Column, *, finite: bool) -> Callable[[Any], Any] | None:
    """How a value of *column* in a Rows becomes what CsvRows takes; None if it is that already.

    *finite* says that no float is infinite or none.
    """
    if column.type.name == "binary":
        return _hex_of_base64 if column.type.encoding == "base64" else "\\x".__add__
    if column.type.name == "float" and not finite:
        return _spelt
    return text_of(column)


def _hex_of_base64(value: str) -> str:
    return "\\x" + base64.b64decode(value).hex()


def _spelt(value: float) -> float | str:
    return value if math.isfinite(value) else str(value)


def _encodes(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def _unescaped(body: bytes) -> bytes:
    """Put control characters in the place of their escapes, which CSV does not know."""
    # With a NUL, which stands nowhere as it is, for each escaped backslash the rest is unambiguous.
    body = body.replace(rb"\\", b"\0")
    for escape, character in _PLAIN.items():
        body = body.replace(escape, character)
    if rb"\u" in body:
        body = _UNICODE.sub(lambda found: chr(int(found[1], 16)).encode(), body)
    return body.replace(b"\0", rb"\\")


def rows_in(blob: bytes) -> Iterator[bytes]:
    """Yield the rows of *blob*, each of which may have several lines."""
    at = 0
    while at < len(blob):
        end = _end_of_row(blob, at)
        yield blob[at:end]
        at = end


def record_at(rows: Iterable[bytes], line: int) -> int:
    """Return which of *rows* holds physical line number *line*; both count from 0."""
    last = 0
    for at, row in enumerate(rows):
        last = at
        line -= row.count(b"\n")
        if line < 0:
            break
    return last


_CELL = re.compile(rb'(?:"(?:[^"\\]|\\.)*"|[^"\n])*\n', re.DOTALL)


def _end_of_row(blob: bytes, at: int) -> int:
    found = _CELL.match(blob, at)
    return found.end() if found else len(blob)
