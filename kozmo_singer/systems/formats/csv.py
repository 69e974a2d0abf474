"""CSV and TSV: every cell is read as text, and is a number or a date only where it stays exact."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from functools import cached_property
from itertools import islice
from typing import Any, NamedTuple

import pyarrow as pa
from pyarrow import csv

from kozmo_singer.errors import ReadError
from kozmo_singer.systems.formats import LeftOut, Look, Options, Source, unreadable
from kozmo_singer.systems.formats.cells import shown, typed_cells
from kozmo_singer.systems.formats.csv_blocks import (
    exact_end,
    guessed_end,
    is_closed,
    pieces,
    places,
)
from kozmo_singer.systems.formats.csv_dialect import (
    Dialect,
    decoded,
    detect,
)
from kozmo_singer.systems.formats.csv_lines import MARKED, cleaned, emptied
from kozmo_singer.systems.formats.csv_plain import is_plain
from kozmo_singer.systems.formats.csv_types import (
    Numbers,
    commas,
    infer,
)
from kozmo_singer.systems.formats.packing import translated, unpacked
from kozmo_singer.systems.formats.sampling import sample
from kozmo_singer.wire.arrow import arrow_type
from kozmo_singer.wire.arrow_lines import texts
from kozmo_singer.wire.types import Column


class CsvFile:
    """A file of rows whose cells stand between delimiters."""

    def __init__(self, source: Source, options: Options) -> None:
        self._source, self._options = source, options
        self._numbers = Numbers(options.decimal, options.thousands)
        self.beside: set[str] = set()
        self._whole: list[str] = []
        self._unplain = 0
        self.left_out = LeftOut()

    def look(self) -> Look:
        """Return the columns, whose types hold all that the sample shows; see Options.types."""
        dialect = self._dialect
        if dialect is None:
            return Look([], 0, "empty")
        tables = list(self._sampled(dialect))
        columns, hints = [], []
        for place, name in enumerate(dialect.names):
            cells = [chunk for table in tables for chunk in table.column(place).chunks]
            found = infer(pa.concat_arrays(cells) if cells else texts([]), self._numbers)
            columns.append(Column(name, self._options.types.get(name, found)))
            if found.name == "string" and self._numbers.plain and commas(cells):
                hints.append(name)
        notes = dialect.words
        if hints:
            notes += f" (text in {', '.join(hints)} may be numbers with decimal commas: decimal)"
        # The sample itself is large, and all that it tells is known now.
        read = sum(len(piece) for piece in self.__dict__.pop("_pieces"))
        rows = sum(table.num_rows for table in tables)
        if self._source.packed:
            return Look(columns, None, notes)
        if read < self._source.size:
            rows = rows * self._source.size // max(read, 1)
        return Look(columns, rows, notes)

    def batches(
        self, columns: Sequence[Column], skip: int, arrow: bool
    ) -> Iterator[pa.RecordBatch]:
        """Yield the rows behind the first *skip*, see FileReader."""
        dialect = self._dialect
        if dialect is None:
            return
        wanted = [column for column in columns if column.name in dialect.names]
        self.beside = {*dialect.names} - {column.name for column in wanted}
        if arrow and self._numbers.plain and len(wanted) == len(dialect.names):
            self._whole = [c.name for c in wanted if arrow_type(c.type) == pa.int64()]
        for block in self._blocks(dialect, [c.name for c in wanted] or [dialect.names[0]]):
            start = min(skip, block.batch.num_rows)
            skip -= start
            if start < block.batch.num_rows:
                yield self._typed(block, start, wanted, arrow)

    def count(self) -> int:
        """Return the number of rows."""
        dialect = self._dialect
        if dialect is None:
            return 0
        return sum(block.batch.num_rows for block in self._blocks(dialect, [dialect.names[0]]))

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
        # Pieces of bytes need not begin with a letter where a letter has several.
        wide = dialect.encoding.startswith(("utf-16", "utf-32"))
        for place, piece in enumerate(self._pieces[:1] if wide else self._pieces):
            text = decoded(piece, dialect.encoding)
            data = cleaned(text, self._options, start=not place).encode()
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

    def _blocks(self, dialect: Dialect, names: list[str]) -> Iterator[_Block]:
        """Yield the rows as text, block by block, without the header."""
        header = dialect.header
        for block in self._cut(dialect, names):
            if header and block.batch.num_rows:
                header = False
                block = block._replace(batch=block.batch.slice(1), dropped=1)
            yield block

    def _cut(self, dialect: Dialect, names: list[str]) -> Iterator[_Block]:
        line, rest = 1, b""
        with unpacked(self._source) as stream:
            found = pieces(stream, dialect.encoding)
            if self._options.comment or self._options.skip_rows:
                marks = dialect.delimiter.encode(), dialect.quote.encode()
                found = emptied(found, self._options, *marks)
            while True:
                try:
                    piece = next(found, None)
                except UnicodeDecodeError as error:
                    raise self._undecodable(dialect, line, rest, error) from error
                text = rest if piece is None else rest + piece
                block = self._whole_rows(dialect, names, text, line, last=piece is None)
                if block is not None:
                    if MARKED in block.text:
                        raise self._joined(block)
                    yield block
                    line += block.lines
                rest = text if block is None else text[len(block.text) :]
                if piece is None:
                    return
                if len(rest) > self._options.row_bytes:
                    raise unreadable(
                        self._source,
                        f"line {line}: the row is longer than {self._options.row_bytes} bytes",
                        "perhaps a quote is never closed; to read such rows: max_row_bytes",
                    )

    def _whole_rows(
        self, dialect: Dialect, names: list[str], text: bytes, line: int, *, last: bool
    ) -> _Block | None:
        """Return as many whole rows of *text* as there are, None where it holds none."""
        quote, delimiter = dialect.quote.encode(), dialect.delimiter.encode()
        end = len(text) if last else guessed_end(text, quote)
        batch = self._plain(text[:end], dialect, names)
        if batch is not None:
            return _Block(batch, text[:end], line, batch.num_rows, 0)
        fault: ReadError | None = None
        for attempt in range(2):
            if not end:
                return None
            bad: list[Any] = []
            try:
                batch = self._parsed(text[:end], dialect, names, bad)
            except pa.ArrowInvalid as error:
                fault = self._explained(str(error), dialect, text[:end], line)
            else:
                if bad and not attempt and not last:
                    # A row may be bad because it was cut.
                    end = exact_end(text, quote, delimiter)
                    continue
                cell = batch.column(dialect.names[-1])[-1].as_py() if batch.num_rows else None
                if cell is None or is_closed(text[:end], cell.encode(), quote):
                    if bad:
                        self._note(dialect, text[:end], line)
                    return _Block(batch, text[:end], line, text.count(b"\n", 0, end), 0)
                fault = unreadable(self._source, "the file ends within a quoted cell")
            exact = exact_end(text, quote, delimiter)
            if last or exact == end:
                break
            end = exact
        assert fault is not None, "else it was returned"
        raise fault

    def _plain(self, block: bytes, dialect: Dialect, names: list[str]) -> pa.RecordBatch | None:
        """Return the rows of *block*, whole numbers as such, or None where that is not safe."""
        if not self._whole or not block or dialect.quote.encode() in block:
            return None
        with suppress(pa.ArrowInvalid):
            batch = self._parsed(block, dialect, names, [], self._whole)
            if is_plain(batch.columns, block):
                self._unplain = 0
                return batch
        # The first block has the header; but to try each block twice is dear.
        self._unplain += 1
        if self._unplain > 1:
            self._whole = []
        return None

    def _parsed(
        self,
        block: bytes,
        dialect: Dialect,
        names: list[str],
        bad: list[Any],
        whole: Sequence[str] = (),
    ) -> pa.RecordBatch:
        included = names if dialect.names[-1] in names else [*names, dialect.names[-1]]
        if not block.strip(b"\r\n"):
            return pa.RecordBatch.from_arrays([texts([])] * len(included), names=included)
        read = csv.ReadOptions(column_names=dialect.names, block_size=len(block) + 1)
        read.use_threads = False
        parse, convert = self._parse_options(dialect), self._convert_options(included, whole)
        if self._options.skip_bad_rows:

            def skipped(row: Any) -> str:
                bad.append(row)
                return "skip"

            parse.invalid_row_handler = skipped
        table = csv.read_csv(pa.BufferReader(block), read, parse, convert)
        arrays = [pa.concat_arrays(column.chunks) for column in table.columns]
        return pa.RecordBatch.from_arrays(arrays, schema=table.schema)

    def _parse_options(self, dialect: Dialect) -> csv.ParseOptions:
        return csv.ParseOptions(
            delimiter=dialect.delimiter, quote_char=dialect.quote, newlines_in_values=True
        )

    def _convert_options(
        self, names: Sequence[str], whole: Sequence[str] = ()
    ) -> csv.ConvertOptions:
        return csv.ConvertOptions(
            column_types={
                **dict.fromkeys(names, pa.string()),
                **dict.fromkeys(whole, pa.int64()),
            },
            include_columns=list(names),
            null_values=list(self._options.nulls),
            strings_can_be_null=True,
            quoted_strings_can_be_null=False,
        )

    def _typed(
        self, block: _Block, start: int, wanted: Sequence[Column], arrow: bool
    ) -> pa.RecordBatch:
        """Return the cells from row *start* on by the types of their columns."""
        batch = block.batch.slice(start)
        if not wanted:
            return batch.select(batch.schema.names[:1])

        def refuse(column: Column, value: str, place: int) -> ReadError:
            return self._misfit(column, value, block, start + place)

        return typed_cells(wanted, batch.column, self._numbers, refuse, arrow=arrow)

    def _misfit(self, column: Column, value: str, block: _Block, row: int) -> ReadError:
        dialect = self._dialect
        assert dialect is not None, "there was a row"
        every = places(block.text, dialect.delimiter, dialect.quote)
        found = (place for place in every if len(place.cells) == len(dialect.names))
        place = next(islice(found, row + block.dropped, None))
        repeated = value == column.name
        why = "the header seems to stand there again" if repeated else "a sample told the type"
        return unreadable(
            self._source,
            f"line {block.line + place.line}, column {column.name}: "
            f"expected {column.type.name}, got {shown(value)}",
            f'{why}; to read the column as text: columns: {{"{column.name}": "string"}}',
        )

    def _note(self, dialect: Dialect, block: bytes, line: int) -> None:
        """Note the rows of *block*, which begins on *line*, that have too many cells or too few."""
        for place in places(block, dialect.delimiter, dialect.quote):
            if len(place.cells) != len(dialect.names):
                self.left_out.add(line + place.line)

    def _joined(self, block: _Block) -> ReadError:
        line = block.line + block.text.count(b"\n", 0, block.text.index(MARKED)) + 1
        return unreadable(
            self._source,
            f"line {line} begins with a byte order mark, as where files were joined",
            "take the mark away, and the header behind it if there is one",
        )

    def _explained(self, text: str, dialect: Dialect, block: bytes, line: int) -> ReadError:
        """Return the error for what Arrow says of *block*, which begins on *line*."""
        width = len(dialect.names)
        for place in places(block, dialect.delimiter, dialect.quote):
            where = f"line {line + place.line}"
            if len(place.cells) != width:
                return unreadable(
                    self._source,
                    f"{where}: expected {width} cells, got {len(place.cells)}",
                    f"read as: {dialect.words}",
                )
            for name, cell in zip(dialect.names, place.cells, strict=True):
                if any("\udc80" <= letter <= "\udcff" for letter in cell):
                    shown = cell.encode("utf-8", "surrogateescape")[:40]
                    return self._not_encoded(f"{where}, column {name}: {shown!r}", dialect)
        return unreadable(self._source, text[:200], f"read as: {dialect.words}")

    def _undecodable(
        self, dialect: Dialect, line: int, rest: bytes, error: UnicodeDecodeError
    ) -> ReadError:
        before = error.object[: error.start].decode(dialect.encoding, "replace")
        line += rest.count(b"\n") + before.count("\n")
        shown = error.object[error.start : error.end]
        return self._not_encoded(f"line {line}: {shown!r}", dialect)

    def _not_encoded(self, what: str, dialect: Dialect) -> ReadError:
        return unreadable(
            self._source,
            f"{what} is not {dialect.encoding}",
            "say what the file is written in: encoding, for example cp1252",
        )


class _Block(NamedTuple):
    """Rows; *text* begins on *line* and with rows of which *dropped* are not in *batch*."""

    batch: pa.RecordBatch
    text: bytes
    line: int
    lines: int
    dropped: int
