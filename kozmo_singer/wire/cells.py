"""Rows as a database or a file gave them: values that are JSON already."""

from __future__ import annotations

from abc import abstractmethod
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


class PackedRows(Sequence[Row]):
    """A sequence of rows of which a row is made only when it is asked for."""

    @abstractmethod
    def row(self, place: int) -> Row:
        """Return the row at *place*, counted from 0."""

    @abstractmethod
    def cut(self, start: int, stop: int) -> Sequence[Row]:
        """Return the rows from *start* to *stop* as they are."""

    def __iter__(self) -> Iterator[Row]:
        return map(self.row, range(len(self)))

    @overload
    def __getitem__(self, place: int) -> Row: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[Row]: ...
    def __getitem__(self, place: int | slice) -> Row | Sequence[Row]:
        if isinstance(place, int):
            return self.row(range(len(self))[place])
        start, stop, step = place.indices(len(self))
        if step != 1:
            raise ValueError("rows that are packed are cut in one piece only")
        return self.cut(start, max(start, stop))


class PackedLines(PackedRows):
    """Rows that spell their own lines."""

    @abstractmethod
    def lines(self, keys: Sequence[bytes], head: bytes, tail: bytes) -> bytes:
        """Return a line a row: *head*, an object of *keys* (as JSON, with a colon), *tail*."""


class Cells(PackedRows):
    """Rows as one flat list of *values*, row after row.

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

    def row(self, place: int) -> Row:
        values = self.values[place * self._width : (place + 1) * self._width]
        pairs = zip(values, self.quoted, strict=True)
        return self._decode(b"[" + b",".join(b'"%b"' % v if q else v for v, q in pairs) + b"]")

    def cut(self, start: int, stop: int) -> Cells:
        width = self._width
        return Cells(self.values[start * width : stop * width], self.quoted, self._decode)


def row_decoder(columns: Sequence[Column]) -> Callable[[bytes], Row]:
    """Return what makes a row of a JSON array: json and decimals stay JSON, as msgspec.Raw.

    A decimal that is no number is text.
    """
    names = [column.type.name for column in columns]
    types = tuple(_TYPES.get(name, str | None) for name in names)
    decode: Callable[[bytes], Row] = msgspec.json.Decoder(tuple[types]).decode  # type: ignore[valid-type]
    if msgspec.Raw not in types:
        return decode
    return lambda text: tuple(map(_unpacked, names, decode(text)))


def _unpacked(name: str, value: Any) -> Any:
    if type(value) is not msgspec.Raw:
        return value
    text = bytes(value)
    if text == _NULL:
        return None
    return text[1:-1].decode() if name == "decimal" and text.startswith(b'"') else value
