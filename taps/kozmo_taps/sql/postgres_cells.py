"""Text of a COPY as the values of RECORD lines: cut into cells, each put right where JSON differs.

What COPY writes is JSON but for quotes, booleans, moments and the few control characters that it
does not escape; columns of JSON are escaped once more. No cell is ever made an object.
https://www.postgresql.org/docs/18/sql-copy.html#SQL-COPY-FILE-FORMATS
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from kozmo_singer.wire.cells import Cells, row_decoder
from kozmo_singer.wire.types import Column

_CUT = b"\x01"
_NULL = b"\tnull"
COPY_OPTIONS = r"(DELIMITER E'\x01', NULL E'\tnull')"
"""COPY escapes every tab in a text, so that a NULL with one cannot be confused with it."""

BLOCK_BYTES = 1 << 16

_UNQUOTED = ("integer", "float", "decimal", "boolean", "json")
_SAFE = ("uuid", "date", "time", "binary", "timestamp", "timestamptz")
# Control characters that stand as they are; tab, newline and the cut are ours.
_CONTROLS = re.compile(rb"[\x02-\x08\x0b-\x1f]")
_FLAGS = bytes(1 if _CONTROLS.match(bytes([code])) else 0 for code in range(256))
_ESCAPE = re.compile(rb"\\(.)", re.DOTALL)
_BOOLEANS = {b"t": b"true", b"f": b"false", _NULL: b"null"}
_FINITE = b"0123456789+-.e\tnul"
_BLANKS = {b"n": b" ", b"r": b" ", b"t": b" ", b"\\": b"\\"}


class Cutter:
    """Cuts blocks of whole rows, whose columns have the logical types of *columns*."""

    def __init__(self, columns: Sequence[Column]) -> None:
        names = [column.type.name for column in columns]
        self._width = len(names)
        self._quoted = [name not in _UNQUOTED for name in names]
        self._texts = [i for i, n in enumerate(names) if n not in (*_UNQUOTED, *_SAFE)]
        self._mends: list[tuple[int, Callable[[list[bytes]], list[bytes]]]] = [
            (i, _MENDS[name]) for i, name in enumerate(names) if name in _MENDS
        ]
        self._decode = row_decoder(columns)

    def cells(self, block: bytes) -> Cells:
        """Return the rows of *block*, which ends with a newline."""
        count = block.count(b"\n")
        if self._texts and b"\x01" in block.translate(_FLAGS):
            block = _CONTROLS.sub(_unicode, block)
        escapes = b"\\" in block
        if escapes and b"\\v" in block:
            block = _ESCAPE.sub(_vertical_tab, block)
        values = self._split(block)
        if len(values) != count * self._width:
            values = self._split(_ESCAPE.sub(_cut_in_text, block))
        for place, mend in self._mends:
            values[place :: self._width] = mend(values[place :: self._width])
        if b'"' in block:
            for place in self._texts:
                self._escape(values, place)
        quoted = self._quoted
        if b"\t" in block:
            quoted = self._with_nulls(values)
        return Cells(values, quoted, self._decode)

    @staticmethod
    def _split(block: bytes) -> list[bytes]:
        return block[:-1].replace(b"\n", _CUT).split(_CUT)

    def _escape(self, values: list[bytes], place: int) -> None:
        joined = _CUT.join(values[place :: self._width])
        if b'"' in joined:
            values[place :: self._width] = joined.replace(b'"', b'\\"').split(_CUT)

    def _with_nulls(self, values: list[bytes]) -> list[bool]:
        """Quote what stands beside a null in a column of texts; other nulls are JSON already."""
        quoted = list(self._quoted)
        for place, is_quoted in enumerate(self._quoted):
            column = values[place :: self._width] if is_quoted else ()
            if _NULL in column:
                quoted[place] = False
                values[place :: self._width] = [
                    v if v == _NULL else b'"' + v + b'"' for v in column
                ]
        return quoted


def _booleans(column: list[bytes]) -> list[bytes]:
    return list(map(_BOOLEANS.__getitem__, column))


def _numbers(column: list[bytes]) -> list[bytes]:
    if not b"".join(column).strip(_FINITE):
        return column
    return [b'"' + v + b'"' if v[-1:] in (b"N", b"y") else v for v in column]


def _moments(column: list[bytes]) -> list[bytes]:
    """As RFC 3339 wants them; infinity and years before Christ as PostgreSQL writes them."""
    joined = _CUT.join(column)
    if b"C" in joined or b"y" in joined:
        return [v if v[-1:] in (b"C", b"y") else _moments([v])[0] for v in column]
    return joined.replace(b" ", b"T").replace(b"+00", b"Z").split(_CUT)


def _documents(column: list[bytes]) -> list[bytes]:
    """JSON without the escapes of COPY; line breaks between tokens, not in text, become blanks."""
    joined = _CUT.join(column)
    if b"\\" not in joined:
        return column
    if b"\\" in joined.replace(b"\\\\", b""):
        return _ESCAPE.sub(_blank, joined).split(_CUT)
    return joined.replace(b"\\\\", b"\\").split(_CUT)


_MENDS = {
    "boolean": _booleans,
    "float": _numbers,
    "decimal": _numbers,
    "timestamp": _moments,
    "timestamptz": _moments,
    "json": _documents,
}


def _unicode(found: re.Match[bytes]) -> bytes:
    return b"\\u%04x" % found[0][0]


def _vertical_tab(found: re.Match[bytes]) -> bytes:
    return b"\\u000b" if found[1] == b"v" else found[0]


def _cut_in_text(found: re.Match[bytes]) -> bytes:
    return b"\\u0001" if found[1] == _CUT else found[0]


def _blank(found: re.Match[bytes]) -> bytes:
    return _BLANKS[found[1]]
