"""Rows whose values are JSON already, as a database or a file gave them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, overload

import msgspec

from kozmo_singer.wire.types import Column

Row = tuple[Any, ...]
_NULL = b"null"
_TYPES: dict[str, Any] = {
    "integer": int | None,
    "float": float | str | None,
    "boolean": bool | None,
    "decimal": msgspec.Raw,
    "json": msgspec.Raw,
}


class Cells(Sequence[Row]):
    """A sequence of rows, kept as one flat list of *values*, row after row.

    quoted[i] says that the values of column i are the inside of a JSON string, and stand for text;
    those of other columns are JSON, around which tabs may stand. A row that is asked for is decoded
    by *decode*, see `row_decoder`.
    """

    def __init__(
        self, values: list[bytes], quoted: Sequence[bool], decode: Callable[[bytes], Row]
    ) -> None:
        self.values, self.quoted = values, quoted
        self._decode = decode
        self._width = len(quoted)

    def __len__(self) -> int:
        return len(self.values) // self._width

    def __iter__(self) -> Iterator[Row]:
        return map(self._row, range(len(self)))

    @overload
    def __getitem__(self, place: int) -> Row: ...
    @overload
    def __getitem__(self, place: slice) -> Cells: ...
    def __getitem__(self, place: int | slice) -> Row | Cells:
        if isinstance(place, int):
            return self._row(range(len(self))[place])
        start, stop, step = place.indices(len(self))
        if step != 1:
            raise ValueError("cells are cut in one piece only")
        width = self._width
        return Cells(self.values[start * width : stop * width], self.quoted, self._decode)

    def _row(self, place: int) -> Row:
        values = self.values[place * self._width : (place + 1) * self._width]
        pairs = zip(values, self.quoted, strict=True)
        return self._decode(b"[" + b",".join(b'"%b"' % v if q else v for v, q in pairs) + b"]")


def row_decoder(columns: Sequence[Column]) -> Callable[[bytes], Row]:
    """Return what makes a row of a JSON array: decimals and json stay JSON, as msgspec.Raw."""
    types = tuple(_TYPES.get(column.type.name, str | None) for column in columns)
    decode: Callable[[bytes], Row] = msgspec.json.Decoder(tuple[types]).decode  # type: ignore[valid-type]
    if msgspec.Raw not in types:
        return decode
    return lambda text: tuple(
        None if type(value) is msgspec.Raw and bytes(value) == _NULL else value
        for value in decode(text)
    )
