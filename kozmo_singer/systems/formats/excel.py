"""Excel and OpenDocument: the cells of a sheet, whose types are those of the values that it shows.

A number of Excel is a float of 64 bit; a column of whole ones is one of integers. Formulas are read
as the values that they had when the file was saved, faults such as #DIV/0! as null.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime, time, timedelta
from itertools import islice
from typing import Any

import pyarrow as pa
from python_calamine import CalamineError, CalamineWorkbook, SheetTypeEnum, SheetVisibleEnum

from kozmo_singer.errors import ReadError
from kozmo_singer.settings import did_you_mean
from kozmo_singer.systems.formats import UNKNOWN, Look, Options, Source, unreadable
from kozmo_singer.systems.formats.cells import shown, typed_cells
from kozmo_singer.systems.formats.csv_dialect import unique
from kozmo_singer.systems.formats.csv_types import PLAIN
from kozmo_singer.systems.formats.excel_area import Area
from kozmo_singer.systems.formats.excel_size import too_large
from kozmo_singer.systems.formats.packing import seekable
from kozmo_singer.wire.arrow_lines import texts
from kozmo_singer.wire.types import Column, LogicalType

BATCH_ROWS = 10_000
_WHOLE = 1 << 53
"""Below it every whole number is a float."""
_KINDS = {
    bool: "boolean",
    str: "string",
    date: "date",
    datetime: "timestamp",
    time: "time",
    timedelta: "string",
}


class ExcelFile:
    """A sheet of a workbook; it is held in memory while it is read."""

    def __init__(self, source: Source, options: Options) -> None:
        self._source, self._options = source, options
        self._area = options.cell_range or Area()
        self.beside: set[str] = set()

    def look(self) -> Look:
        """Return the columns, whose types hold all of their values."""
        with self._rows() as (names, rows):
            kinds: list[dict[str, None]] = [{} for _ in names]
            count = 0
            for _, row in rows:
                count += 1
                for kind, value in zip(kinds, row, strict=True):
                    if value != "" and (name := _kind(value)) not in kind:
                        kind[name] = None
        said = self._options.types
        columns = [
            Column(name, said.get(name) or _joined(kind))
            for name, kind in zip(names, kinds, strict=True)
        ]
        return Look(columns, count, "Excel")

    def batches(
        self, columns: Sequence[Column], skip: int, arrow: bool
    ) -> Iterator[pa.RecordBatch]:
        """Yield the rows behind the first *skip*, see FileReader; empty rows are none."""
        with self._rows() as (names, rows):
            wanted = [column for column in columns if column.name in names]
            self.beside = {*names} - {column.name for column in wanted}
            for _ in islice(rows, skip):
                pass
            while part := list(islice(rows, BATCH_ROWS)):
                yield self._batch(names, wanted, part, arrow)

    def count(self) -> int:
        """Return the number of rows that are not empty."""
        with self._rows() as (_, rows):
            return sum(1 for _ in rows)

    def _batch(
        self,
        names: Sequence[str],
        wanted: Sequence[Column],
        part: Sequence[tuple[int, list[Any]]],
        arrow: bool,
    ) -> pa.RecordBatch:
        turned = list(zip(*(row for _, row in part), strict=True))

        def cells(name: str) -> pa.Array:
            return texts([None if v == "" else _text(v) for v in turned[names.index(name)]])

        def refuse(column: Column, value: str, place: int) -> ReadError:
            return unreadable(
                self._source,
                f"row {part[place][0]}, column {column.name}: "
                f"expected {column.type.name}, got {shown(value)}",
                f'to read the column as text: columns: {{"{column.name}": "string"}}',
            )

        if not wanted:
            first = texts([""] * len(part))
            return pa.RecordBatch.from_arrays([first], names=[names[0]])
        moments = {c.name for c in wanted if c.type.name in ("timestamp", "timestamptz")}

        def found(name: str) -> pa.Array:
            if name not in moments:
                return cells(name)
            return texts([None if v == "" else _moment(v) for v in turned[names.index(name)]])

        return typed_cells(wanted, found, PLAIN, refuse, arrow=arrow)

    @contextmanager
    def _rows(self) -> Iterator[tuple[list[str], Iterator[tuple[int, list[Any]]]]]:
        """Give the names of the columns, and the rows that are not empty with their numbers."""
        with opened(self._source) as (book, file):
            name = self._sheet(book)
            why = too_large(file, book.sheet_names.index(name))
            if why:
                raise unreadable(self._source, f"sheet {name} {why}")
            with _translated(self._source):
                sheet = book.get_sheet_by_name(name)
            if sheet.start is None or sheet.end is None:
                yield [], iter(())
                return
            area, left = self._area, sheet.start[1]
            first, last = max(area.left - left, 0), max(area.right - left, 0)
            rows = (
                (number, row[first:last])
                for number, row in enumerate(sheet.iter_rows(), 1)
                if area.top < number <= area.bottom
            )
            filled = ((n, row) for n, row in rows if any(value != "" for value in row))
            width = max(min(last, sheet.end[1] - left + 1) - first, 0)
            yield self._names(filled, width), filled

    def _names(self, rows: Iterator[tuple[int, list[Any]]], width: int) -> list[str]:
        wanted = self._options.header_row
        if wanted == 0:
            return unique([""] * width)
        for number, row in rows:
            if wanted is None or number == wanted:
                return unique([_text(value) if value != "" else "" for value in row])
            if number > wanted:
                break
        if wanted is None:
            return []
        raise unreadable(self._source, f"there is nothing in row {wanted}: header_row")

    def _sheet(self, book: CalamineWorkbook) -> str:
        wanted = self._options.sheet
        names = sheets(book)
        if wanted is None:
            if not names:
                raise unreadable(self._source, "there is no sheet in it")
            return names[0]
        if wanted in book.sheet_names:
            return wanted
        if wanted.isdigit() and 0 < int(wanted) <= len(names):
            return names[int(wanted) - 1]
        hint = did_you_mean(wanted, names) or [f"there are {', '.join(names[:8])}"]
        raise unreadable(self._source, f"there is no sheet {wanted!r}", *hint)


def sheets(book: CalamineWorkbook) -> list[str]:
    """Return the names of the sheets of cells that are not hidden."""
    return [
        sheet.name
        for sheet in book.sheets_metadata
        if sheet.typ == SheetTypeEnum.WorkSheet and sheet.visible == SheetVisibleEnum.Visible
    ]


@contextmanager
def opened(source: Source) -> Iterator[tuple[CalamineWorkbook, Any]]:
    """Give the workbook and the file that it is in; what is none is a ReadError."""
    with seekable(source) as file:
        with _translated(source):
            book = CalamineWorkbook.from_filelike(file)
        try:
            yield book, file
        finally:
            book.close()


@contextmanager
def _translated(source: Source) -> Iterator[None]:
    try:
        yield
    except (CalamineError, zipfile.BadZipFile) as error:
        raise unreadable(source, f"it is no workbook that can be read: {error}"[:300]) from error


def _kind(value: Any) -> str:
    if isinstance(value, float):
        return "integer" if value.is_integer() and abs(value) < _WHOLE else "float"
    return "integer" if type(value) is int else _KINDS[type(value)]


def _joined(kinds: dict[str, None]) -> LogicalType:
    found = set(kinds)
    if not found:
        return UNKNOWN
    if found == {"integer", "float"}:
        return LogicalType("float", bits=64)
    if found == {"date", "timestamp"}:
        return LogicalType("timestamp")
    if len(found) > 1:
        return LogicalType("string")
    return LogicalType(found.pop(), bits=64 if found & {"float"} else None)


def _text(value: Any) -> str:
    """The value as text that is JSON where it is a number, and ISO 8601 where it is a moment."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < _WHOLE else repr(value)
    if isinstance(value, timedelta):
        return _duration(value)
    return value.isoformat() if isinstance(value, date | time) else str(value)


def _moment(value: Any) -> str:
    """Excel has no dates beside moments: one at midnight is what it shows as a date."""
    if type(value) is date:
        return f"{value.isoformat()}T00:00:00"
    return _text(value)


def _duration(value: timedelta) -> str:
    minutes, seconds = divmod(value, timedelta(minutes=1))
    whole = f"{minutes // 60}:{minutes % 60:02}:{seconds.seconds:02}"
    return f"{whole}.{seconds.microseconds:06}" if seconds.microseconds else whole
