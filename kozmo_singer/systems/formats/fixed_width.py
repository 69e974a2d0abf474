"""Text in columns of fixed widths, which are said, or told by the blanks between them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cached_property
from itertools import accumulate
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from kozmo_singer.errors import ReadError
from kozmo_singer.systems.formats import Look, Options, Source, unreadable
from kozmo_singer.systems.formats.cells import shown, typed_cells
from kozmo_singer.systems.formats.csv_blocks import pieces
from kozmo_singer.systems.formats.csv_dialect import decoded, encoding_of, has_header, unique
from kozmo_singer.systems.formats.csv_types import Numbers, infer
from kozmo_singer.systems.formats.packing import translated, unpacked
from kozmo_singer.systems.formats.sampling import sample
from kozmo_singer.wire.arrow_lines import literal, number, texts
from kozmo_singer.wire.types import Column

_TRIED_ROWS = 200
_FARTHEST = 1 << 30
_INK = re.compile(r"\S+")


class Layout(NamedTuple):
    """How one file is laid out: where columns start and stop, in letters, and their names.

    Between those that were told by blanks every line has to be blank.
    """

    starts: Sequence[int]
    stops: Sequence[int]
    names: Sequence[str]
    header: bool
    encoding: str
    told: bool


class FixedWidthFile:
    """A file of lines whose cells stand at the same places; blanks around cells are left out."""

    def __init__(self, source: Source, options: Options) -> None:
        self._source, self._options = source, options
        self._numbers = Numbers(options.decimal, options.thousands)
        self.beside: set[str] = set()

    def look(self) -> Look:
        """Return the columns, whose types hold all that the sample shows; see Options.types."""
        layout = self._layout
        if layout is None:
            return Look([], 0, "empty")
        sampled = self.__dict__.pop("_pieces")
        lines = _lines(sampled, layout.encoding)[layout.header :]
        array = texts(lines)
        columns = [
            Column(name, self._options.types.get(name) or infer(cells, self._numbers))
            for name, cells in zip(layout.names, _cut(array, layout), strict=True)
        ]
        read = sum(map(len, sampled))
        rows: int | None = len(lines)
        if self._source.packed:
            rows = None
        elif read < self._source.size:
            rows = len(lines) * self._source.size // max(read, 1)
        widths = [b - a for a, b in zip(layout.starts, layout.stops, strict=True)][:-1]
        header = "header" if layout.header else "no header"
        return Look(columns, rows, f"{layout.encoding}, widths {widths} and the rest, {header}")

    def batches(
        self, columns: Sequence[Column], skip: int, arrow: bool
    ) -> Iterator[pa.RecordBatch]:
        """Yield the rows behind the first *skip*, see FileReader; lines that are blank are none."""
        layout = self._layout
        if layout is None:
            return
        wanted = [column for column in columns if column.name in layout.names]
        self.beside = {*layout.names} - {column.name for column in wanted}
        for numbers, lines in self._rows(layout):
            start = min(skip, len(lines))
            skip -= start
            if start < len(lines):
                yield self._batch(layout, wanted, numbers[start:], lines[start:], arrow)

    def count(self) -> int:
        """Return the number of rows."""
        layout = self._layout
        return 0 if layout is None else sum(len(lines) for _, lines in self._rows(layout))

    @cached_property
    def _pieces(self) -> list[bytes]:
        return sample(self._source)

    @cached_property
    def _layout(self) -> Layout | None:
        with translated(self._source):
            if not self._pieces or not self._pieces[0].strip():
                return None
            encoding = self._options.encoding or encoding_of(self._source, self._pieces)
        lines = [line.decode() for line in _lines(self._pieces, encoding)]
        widths = self._options.widths
        if widths:
            ends = list(accumulate(widths))
            starts, stops = [0, *ends[:-1]], ends
        else:
            starts, stops = _told(lines)
        rows = [
            [line[a:b].strip() for a, b in zip(starts, stops, strict=True)]
            for line in lines[:_TRIED_ROWS]
        ]
        header = self._options.header
        if header is None:
            header = self._options.names is None and has_header(rows)
        names = list(self._options.names or (rows[0] if header else []))
        if len(names) > len(starts):
            raise unreadable(
                self._source,
                f"column_names has {len(names)} names, but there are {len(starts)} columns",
            )
        names += [""] * (len(starts) - len(names))
        return Layout(starts, stops, unique(names), header, encoding, not widths)

    def _rows(self, layout: Layout) -> Iterator[tuple[list[int], list[bytes]]]:
        """Yield the lines that are not blank and their numbers, without the header."""
        line, rest, header = 1, b"", layout.header
        with unpacked(self._source) as stream:
            found = pieces(stream, layout.encoding)
            last = False
            while not last:
                piece = next(found, None)
                last = piece is None
                head, newline, tail = (rest + (piece or b"")).rpartition(b"\n")
                if last:
                    head, tail = head + newline + tail, b""
                rest = tail
                lines = head.split(b"\n") if head or newline else []
                pairs = [(n, each) for n, each in enumerate(lines, line) if each.strip()]
                line += len(lines)
                if header and pairs:
                    header = False
                    pairs.pop(0)
                if pairs:
                    yield [n for n, _ in pairs], [each.rstrip(b"\r") for _, each in pairs]
                if len(rest) > self._options.row_bytes:
                    raise unreadable(
                        self._source,
                        f"line {line} is longer than {self._options.row_bytes} bytes",
                        "to read such lines: max_row_bytes",
                    )

    def _batch(
        self,
        layout: Layout,
        wanted: Sequence[Column],
        numbers: list[int],
        lines: list[bytes],
        arrow: bool,
    ) -> pa.RecordBatch:
        array = texts(lines)
        try:
            array.validate(full=True)
        except pa.ArrowInvalid as error:
            raise self._undecodable(layout, numbers, lines) from error
        self._check(layout, array, numbers)
        cells = dict(zip(layout.names, _cut(array, layout), strict=True))

        def refuse(column: Column, value: str, place: int) -> ReadError:
            return unreadable(
                self._source,
                f"line {numbers[place]}, column {column.name}: "
                f"expected {column.type.name}, got {shown(value)}",
                "a sample told the type; "
                f'to read the column as text: columns: {{"{column.name}": "string"}}',
            )

        if not wanted:
            return pa.RecordBatch.from_arrays([array], names=[layout.names[0]])
        return typed_cells(wanted, cells.__getitem__, self._numbers, refuse, arrow=arrow)

    def _check(self, layout: Layout, array: pa.Array, numbers: Sequence[int]) -> None:
        """ReadError where a line is too short, too long, or has letters between its columns."""
        if layout.told:
            ends = [0, *layout.stops[:-1]]
            for before, start in zip(ends, layout.starts, strict=True):
                if before < start:
                    gap = pc.utf8_trim_whitespace(pc.utf8_slice_codeunits(array, before, start))
                    self._refuse(gap, numbers, f"letters {before + 1} to {start} are not blank")
            return
        stop = layout.stops[-1]
        rest = pc.utf8_trim_whitespace(pc.utf8_slice_codeunits(array, stop))
        self._refuse(rest, numbers, f"it goes on behind letter {stop}, where the columns end")
        short = pc.less_equal(pc.utf8_length(array), number(layout.starts[-1]))
        if layout.starts[-1] and pc.any(short).as_py():
            place = pc.indices_nonzero(short)[0].as_py()
            raise unreadable(
                self._source,
                f"line {numbers[place]}: it ends before its last column, "
                f"which starts at letter {layout.starts[-1] + 1}",
                "the widths may be others",
            )

    def _refuse(self, rest: pa.Array, numbers: Sequence[int], why: str) -> None:
        found = pc.not_equal(rest, literal(""))
        if pc.any(found).as_py():
            place = pc.indices_nonzero(found)[0].as_py()
            raise unreadable(
                self._source,
                f"line {numbers[place]}: {why}, but {shown(rest[place].as_py())}",
                "the widths may be others: widths",
            )

    def _undecodable(
        self, layout: Layout, numbers: Sequence[int], lines: Sequence[bytes]
    ) -> ReadError:
        place = next(n for n, line in enumerate(lines) if not _is_utf8(line))
        return unreadable(
            self._source,
            f"line {numbers[place]}: {lines[place][:40]!r} is not {layout.encoding}",
            "say what the file is written in: encoding, for example cp1252",
        )


def _is_utf8(line: bytes) -> bool:
    return line.decode("utf-8", "ignore").encode() == line


def _lines(sampled: Sequence[bytes], encoding: str) -> list[bytes]:
    wide = encoding.startswith(("utf-16", "utf-32"))
    text = "\n".join(decoded(piece, encoding) for piece in (sampled[:1] if wide else sampled))
    return [line.rstrip("\r").encode() for line in text.split("\n") if line.strip()]


def _told(lines: Sequence[str]) -> tuple[list[int], list[int]]:
    """Where columns start and stop: the stretches that are not blank in all lines."""
    ink: set[int] = set()
    for line in lines:
        for match in _INK.finditer(line):
            ink.update(range(match.start(), match.end()))
    starts = sorted(place for place in ink if place - 1 not in ink)
    stops = sorted(place + 1 for place in ink if place + 1 not in ink)
    return starts, [*stops[:-1], _FARTHEST]


def _cut(lines: pa.Array, layout: Layout) -> Iterator[Any]:
    """Yield the cells of each column; those that are blank are null."""
    for start, stop in zip(layout.starts, layout.stops, strict=True):
        cells = pc.utf8_trim_whitespace(pc.utf8_slice_codeunits(lines, start, stop))
        yield pc.if_else(pc.equal(cells, literal("")), pa.nulls(1, pa.string())[0], cells)
