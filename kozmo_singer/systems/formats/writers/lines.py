"""What formats of text have in common: rows that are texts, one after the other."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, BinaryIO

import pyarrow as pa

from kozmo_singer.systems.formats.writers import Misfit, Unwritable, WriteOptions
from kozmo_singer.systems.formats.writers.cells import of_batch, of_rows
from kozmo_singer.systems.formats.writers.packing import packing
from kozmo_singer.wire.arrow_lines import data_of
from kozmo_singer.wire.types import Column

if TYPE_CHECKING:
    from kozmo_singer.wire.rows import Rows

Encode = Callable[[bytes], bytes]


class LinesWriter:
    """A file that is a head, the texts of rows, and a tail."""

    def __init__(
        self,
        file: BinaryIO,
        packed: str,
        head: bytes,
        tail: bytes = b"",
        *,
        encode: Encode | None = None,
        between: int = 0,
    ) -> None:
        self._file, self._packed = packing(file, packed), packed != "none"
        self._head, self._tail, self._encode = head, tail, encode or bytes
        # So many bytes of each text stand between it and the one before.
        self._between = between
        self._file.write(head)

    def write(self, parts: Sequence[pa.Array]) -> None:
        for part in parts:
            data = data_of(part)
            self._file.write(self._encode(data[self._between :]) if data else b"")
            if data:
                self._between = 0

    def finish(self) -> None:
        self._file.write(self._tail)
        if self._packed:
            self._file.close()


class CellsFormat(ABC):
    """A format of text in which a row is made of the texts of its cells."""

    schema: object = None
    group = 0
    longest: int | None = None

    def __init__(self, columns: Sequence[Column], options: WriteOptions) -> None:
        if not columns:
            raise Unwritable("its SCHEMA names no field, and the format needs one")
        self.columns, self.options = columns, options

    def of_rows(self, rows: Rows) -> pa.Array:
        return self.lines(of_rows(rows, self.columns))

    def of_columns(self, batch: pa.RecordBatch) -> pa.Array:
        return self.lines(of_batch(batch, self.columns))

    @abstractmethod
    def lines(self, cells: Sequence[pa.Array]) -> pa.Array:
        """Return a text for each row of *cells*, which are texts a column."""

    @abstractmethod
    def open(self, file: BinaryIO) -> LinesWriter:
        """Return what writes to *file*."""


class Encoding:
    """An encoding other than UTF-8: checks that it has every letter, and encodes."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.plain = name == "utf-8"

    def check(self, columns: Sequence[Column], cells: Sequence[pa.Array]) -> None:
        """Raise Misfit for the first cell that the encoding cannot write."""
        if self.plain:
            return
        for column, texts in zip(columns, cells, strict=True):
            if not self._has_all(data_of(texts).decode()):
                for row, text in enumerate(texts.to_pylist()):
                    self._check_one(text or "", row, column.name)

    def _has_all(self, text: str) -> bool:
        try:
            text.encode(self.name)
        except UnicodeEncodeError:
            return False
        return True

    def _check_one(self, text: str, row: int, column: str) -> None:
        try:
            text.encode(self.name)
        except UnicodeEncodeError as error:
            letter = text[error.start]
            raise Misfit(
                f"text holds {letter!r}, which {self.name} cannot write", row, column
            ) from error

    def encode(self, data: bytes) -> bytes:
        """Return *data*, which is UTF-8, in the encoding."""
        return data if self.plain else data.decode().encode(self.name)
