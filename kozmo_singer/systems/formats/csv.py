"""CSV and TSV: every cell is read as text, and is a number or a date only where it stays exact."""

from __future__ import annotations

import codecs
from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Any

import pyarrow as pa
from pyarrow import csv

from kozmo_singer.errors import ReadError
from kozmo_singer.systems.formats import Look, Options, Source, unreadable
from kozmo_singer.systems.formats.csv_dialect import (
    Dialect,
    detect,
    line_of,
    ragged,
    undecodable,
)
from kozmo_singer.systems.formats.csv_types import (
    NUMBERS,
    TEXTS,
    infer,
    misfit,
    spelt,
    typed,
    without_blanks,
)
from kozmo_singer.systems.formats.packing import translated, unpacked
from kozmo_singer.systems.formats.sampling import sample
from kozmo_singer.wire.arrow import JSON
from kozmo_singer.wire.arrow_lines import SPELT, texts
from kozmo_singer.wire.types import Column

BLOCK_BYTES = 1 << 20
_TAIL_BYTES = 1 << 16


class CsvFile:
    """A file of rows whose cells stand between delimiters."""

    def __init__(self, source: Source, options: Options) -> None:
        self._source, self._options = source, options

    def look(self) -> Look:
        """Return the columns, whose types hold all that the sample shows; see Options.types."""
        dialect = self._dialect
        if dialect is None:
            return Look([], 0, "empty")
        tables = list(self._sampled(dialect))
        columns = []
        for place, name in enumerate(dialect.names):
            cells = [chunk for table in tables for chunk in table.column(place).chunks]
            found = infer(pa.concat_arrays(cells) if cells else texts([]))
            columns.append(Column(name, self._options.types.get(name, found)))
        # The sample itself is large, and all that it tells is known now.
        read = sum(len(piece) for piece in self.__dict__.pop("_pieces"))
        rows = sum(table.num_rows for table in tables)
        if read < self._source.size and self._source.compression is None:
            rows = rows * self._source.size // max(read, 1)
        elif self._source.compression is not None:
            return Look(columns, None, dialect.words)
        return Look(columns, rows, dialect.words)

    def batches(
        self, columns: Sequence[Column], skip: int, arrow: bool
    ) -> Iterator[pa.RecordBatch]:
        """Yield the rows behind the first *skip*, see FileReader."""
        dialect = self._dialect
        if dialect is None:
            return
        wanted = [column for column in columns if column.name in dialect.names]
        row = 0
        for batch in self._blocks(dialect, [c.name for c in wanted] or [dialect.names[0]]):
            start = min(max(skip - row, 0), batch.num_rows)
            row += batch.num_rows
            if start < batch.num_rows:
                first = row - batch.num_rows + start + 1
                yield self._typed(batch.slice(start), wanted, arrow, first)

    def count(self) -> int:
        """Return the number of rows."""
        dialect = self._dialect
        if dialect is None:
            return 0
        return sum(batch.num_rows for batch in self._blocks(dialect, [dialect.names[0]]))

    @cached_property
    def _pieces(self) -> list[bytes]:
        return sample(self._source)

    @cached_property
    def _dialect(self) -> Dialect | None:
        with translated(self._source):
            if not self._pieces or not self._pieces[0]:
                return None
            return detect(self._source, self._options, self._pieces)

    def _sampled(self, dialect: Dialect) -> Iterator[pa.Table]:
        """Tables of text, of those pieces in which the rows can be made out."""
        for place, piece in enumerate(self._pieces):
            text = codecs.getincrementaldecoder(dialect.encoding)("replace").decode(piece)
            data = text.removeprefix("\ufeff").encode()
            skipped: list[Any] = []
            parse = self._parse_options(dialect)
            parse.invalid_row_handler = lambda row, skipped=skipped: skipped.append(row) or "skip"
            read = csv.ReadOptions(column_names=dialect.names, block_size=len(data) + 1)
            read.use_threads = False
            try:
                table = csv.read_csv(
                    pa.BufferReader(data), read, parse, self._convert_options(dialect.names)
                )
            except pa.ArrowInvalid:
                continue
            if place and len(skipped) > table.num_rows:
                # It begins within a cell of many lines.
                continue
            yield table.slice(1) if dialect.header and not place else table

    def _blocks(self, dialect: Dialect, names: list[str]) -> Iterator[pa.RecordBatch]:
        """Yield text, block by block; a larger one is tried where a row does not fit."""
        seen = 0
        last = dialect.names[-1]
        included = [*names, last] if last not in names else names
        for size in (BLOCK_BYTES, max(BLOCK_BYTES, self._options.row_bytes)):
            try:
                for batch in self._from(seen, dialect, included, size):
                    seen += batch.num_rows
                    yield batch
            except pa.ArrowInvalid as error:
                if "straddl" not in str(error):
                    raise self._explained(error, dialect) from error
                continue
            except UnicodeDecodeError as error:
                raise self._not_encoded(dialect) from error
            return
        raise unreadable(
            self._source,
            f"row {seen + 1} is longer than {self._options.row_bytes} bytes",
            "perhaps a quote is never closed; to read such rows: max_row_bytes",
        )

    def _from(
        self, seen: int, dialect: Dialect, names: list[str], size: int
    ) -> Iterator[pa.RecordBatch]:
        """Yield the rows behind the first *seen*, in blocks of *size* bytes."""
        skip = seen + dialect.header
        with unpacked(self._source) as stream:
            watched = _Watched(stream)
            read = csv.ReadOptions(
                column_names=dialect.names,
                block_size=size,
                use_threads=False,
                encoding=dialect.encoding,
            )
            convert = self._convert_options(names)
            last = None
            with csv.open_csv(
                pa.PythonFile(watched, "r"), read, self._parse_options(dialect), convert
            ) as reader:
                for batch in reader:
                    if batch.num_rows:
                        last = batch.slice(batch.num_rows - 1)
                    start = min(skip, batch.num_rows)
                    skip -= start
                    if start < batch.num_rows:
                        yield batch.slice(start)
            if last is not None:
                self._expect_closed(dialect, last.column(dialect.names[-1])[0].as_py(), watched)

    def _parse_options(self, dialect: Dialect) -> csv.ParseOptions:
        return csv.ParseOptions(
            delimiter=dialect.delimiter, quote_char=dialect.quote, newlines_in_values=True
        )

    def _convert_options(self, names: Sequence[str]) -> csv.ConvertOptions:
        return csv.ConvertOptions(
            column_types=dict.fromkeys(names, pa.string()),
            include_columns=list(names),
            null_values=list(self._options.nulls),
            strings_can_be_null=True,
            quoted_strings_can_be_null=False,
        )

    def _typed(
        self, batch: pa.RecordBatch, wanted: Sequence[Column], arrow: bool, first: int
    ) -> pa.RecordBatch:
        """Return the cells by the types of their columns; *first* is the first row's number."""
        if not wanted:
            return batch.select(batch.schema.names[:1])
        arrays, fields = [], []
        for column in wanted:
            cells = batch.column(column.name)
            name = column.type.name
            if name != "string":
                cells = cells if name in TEXTS else without_blanks(cells)
                place = misfit(cells, column.type)
                if place is not None:
                    raise self._misfit(column, cells[place].as_py(), first + place)
            made = typed(cells, column.type) if arrow else spelt(cells, column.type)
            marks = JSON if name == "json" else SPELT if name in NUMBERS and not arrow else None
            arrays.append(made)
            fields.append(pa.field(column.name, made.type, metadata=marks))
        return pa.RecordBatch.from_arrays(arrays, schema=pa.schema(fields))

    def _misfit(self, column: Column, value: str, row: int) -> ReadError:
        dialect = self._dialect
        assert dialect is not None, "there was a row"
        line = line_of(self._source, dialect, row)
        repeated = value == column.name
        why = "the header seems to stand there again" if repeated else "it was inferred by a sample"
        return unreadable(
            self._source,
            f"line {line}, column {column.name}: expected {column.type.name}, got {_shown(value)}",
            f'{why}; to read the column as text: columns: {{"{column.name}": "string"}}',
        )

    def _explained(self, error: pa.ArrowInvalid, dialect: Dialect) -> ReadError:
        text = str(error)
        if "invalid UTF8" in text:
            return self._not_encoded(dialect)
        if "Expected" in text and "columns" in text:
            line, width = ragged(self._source, dialect)
            return unreadable(
                self._source,
                f"line {line}: expected {len(dialect.names)} cells, got {width}",
                f"read as: {dialect.words}",
            )
        return unreadable(self._source, text[:200], f"read as: {dialect.words}")

    def _not_encoded(self, dialect: Dialect) -> ReadError:
        line, name, value = undecodable(self._source, dialect)
        return unreadable(
            self._source,
            f"line {line}, column {name}: {value!r} is not {dialect.encoding}",
            "say what the file is written in: encoding, for example cp1252",
        )

    def _expect_closed(self, dialect: Dialect, last: str | None, watched: _Watched) -> None:
        """Raise where the file ended within quotes: Arrow takes what is there for the cell."""
        if last is None or dialect.encoding.startswith(("utf-16", "utf-32")):
            return
        quote, tail = dialect.quote.encode(dialect.encoding), watched.tail
        cell = last.encode(dialect.encoding).replace(quote, 2 * quote)
        cell = cell[-_TAIL_BYTES // 2 :] if len(cell) > _TAIL_BYTES // 2 else quote + cell
        closed = tail.rstrip(b"\r\n").endswith(cell + quote)
        if not closed and tail.endswith(cell):
            raise unreadable(
                self._source,
                "the file ends within a quoted cell",
                f"it begins: {_shown(last)}",
            )


class _Watched:
    """A stream of which the last bytes are remembered."""

    closed = False

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self.tail = b""

    def read(self, size: int = -1) -> bytes:
        """Return up to *size* bytes."""
        piece: bytes = self._stream.read(size)
        self.tail = (self.tail + piece[-_TAIL_BYTES:])[-_TAIL_BYTES:]
        return piece

    def readable(self) -> bool:
        """Say yes."""
        return True

    def close(self) -> None:
        """Leave the stream to whoever opened it."""


def _shown(value: str) -> str:
    return repr(value if len(value) <= 40 else value[:40] + "...")
