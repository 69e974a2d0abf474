"""Excel workbooks of one sheet, with numbers, dates and truth values as what they are.

What a cell cannot hold exactly is text: integers and decimals that no double is equal to, moments
finer than milliseconds or before March 1900. Moments with a zone are told in UTC.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import date, datetime, time
from decimal import Decimal, InvalidOperation
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.compute as pc

from kozmo_singer.systems.formats.writers import Misfit, Part, Unwritable, WriteOptions
from kozmo_singer.systems.formats.writers.typed import TypedFormat
from kozmo_singer.wire.types import Column

# https://support.microsoft.com/office/1672b34d-7043-467e-8e27-269d656771c3
MOST_ROWS, MOST_COLUMNS, MOST_LETTERS = 1_048_576, 16_384, 32_767
_ILLEGAL = "[\\x00-\\x08\\x0b\\x0c\\x0e-\\x1f\ufffe\uffff]"
_NO_SHEET_NAME = re.compile(r"[\[\]:*?/\\\x00-\x1f]|^'|'$|[\ud800-\udfff]")
# The calendar of Excel has a February 29th in 1900.
_FIRST = date(1900, 3, 1)
_WHOLE = 1 << 53
_FORMATS = {date: "yyyy-mm-dd", datetime: "yyyy-mm-dd hh:mm:ss.000", time: "hh:mm:ss.000"}


class ExcelFormat(TypedFormat):
    """Files of rows of cells, each of which has the type that holds it."""

    group = 0
    longest: int | None = MOST_ROWS - 1

    def __init__(self, columns: Sequence[Column], options: WriteOptions) -> None:
        if len(columns) > MOST_COLUMNS:
            raise Unwritable(f"a sheet can have at most {MOST_COLUMNS} columns")
        super().__init__(columns, options)
        self.schema = None
        self._first = MOST_ROWS
        for column in columns:
            self._legal(column.name, pa.array([column.name]))

    def _fitted(self, place: int, array: pa.Array, spelt: Callable[[], pa.Array]) -> pa.Array:
        if not pa.types.is_string(array.type):
            return array
        return self._legal(self.columns[place].name, array)

    def _batch(self, arrays: Sequence[pa.Array]) -> pa.RecordBatch:
        return pa.RecordBatch.from_arrays(list(arrays), [column.name for column in self.columns])

    def _legal(self, column: str, array: pa.Array) -> pa.Array:
        long = pc.greater(pc.utf8_length(array), MOST_LETTERS)
        if pc.any(long).as_py():
            row = pc.indices_nonzero(long)[0].as_py()
            raise Misfit(f"text is longer than {MOST_LETTERS} letters, which is what a cell of "
                         "Excel can hold", row, column)  # fmt: skip
        illegal = pc.match_substring_regex(array, _ILLEGAL)
        if not pc.any(illegal).as_py():
            return array
        if self.options.replace_illegal:
            return pc.replace_substring_regex(array, _ILLEGAL, "\ufffd")
        row = pc.indices_nonzero(illegal)[0].as_py()
        raise Misfit("text holds a control character, which Excel has no form for", row, column)

    def open(self, file: BinaryIO) -> ExcelWriter:
        return ExcelWriter(file, self.columns, self.options)


class _Exact(float):
    """A number that is spelt with all its digits; the library spells 16 of 17."""

    def __format__(self, _: str) -> str:
        return repr(float(self))


class ExcelWriter:
    """Writes row by row to a file of its own, which is packed into *file* at the end."""

    def __init__(self, file: BinaryIO, columns: Sequence[Column], options: WriteOptions) -> None:
        from xlsxwriter import Workbook

        self._book: Any = Workbook(file, {"constant_memory": True})
        name = _NO_SHEET_NAME.sub("_", options.stream)[:31] or "rows"
        # The one name that Excel keeps for itself.
        self._sheet: Any = self._book.add_worksheet(name if name.lower() != "history" else "rows")
        self._formats = {
            kind: self._book.add_format({"num_format": text}) for kind, text in _FORMATS.items()
        }
        self._columns = columns
        self._row = 0
        if options.header:
            for place, column in enumerate(columns):
                self._sheet.write_string(0, place, column.name)
            self._row = 1

    def write(self, parts: Sequence[Part]) -> None:
        for part in parts:
            pairs = zip(self._columns, part.columns, strict=True)
            columns = [_VALUES.get(column.type.name, _as_is)(array) for column, array in pairs]
            for row in zip(*columns, strict=True):
                for place, value in enumerate(row):
                    if value is not None:
                        self._cell(place, value)
                self._row += 1

    def _cell(self, place: int, value: Any) -> None:
        if isinstance(value, str):
            self._sheet.write_string(self._row, place, value)
        elif isinstance(value, bool):
            self._sheet.write_boolean(self._row, place, value)
        elif isinstance(value, int | float):
            exact = _Exact(value) if isinstance(value, float) else value
            self._sheet.write_number(self._row, place, exact)
        else:
            self._sheet.write_datetime(self._row, place, value, self._formats[type(value)])

    def finish(self) -> None:
        from xlsxwriter.exceptions import XlsxFileError

        try:
            self._book.close()
        except XlsxFileError as error:
            # It hides what the file below said.
            raise OSError(str(error)) from error


def _as_is(array: pa.Array) -> list[Any]:
    return list(array.to_pylist())


def _numbers(array: pa.Array) -> list[Any]:
    """Numbers where a double is equal to them, else their digits."""
    return [v if v is None or isinstance(v, float) else _number(v) for v in array.to_pylist()]


def _number(value: Any) -> float | int | str:
    if isinstance(value, int):
        return value if -_WHOLE <= value <= _WHOLE else str(value)
    try:
        number = Decimal(value)
    except InvalidOperation:
        return str(value)
    if not number.is_finite():
        return str(value)
    near = float(number)
    return near if Decimal(repr(near)) == number else str(value)


def _floats(array: pa.Array) -> list[Any]:
    words = {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}
    if array.type == pa.float32():
        array = array.cast(pa.string()).cast(pa.float64())
    return [words.get(repr(v), v) if isinstance(v, float) else v for v in array.to_pylist()]


def _moments(array: pa.Array) -> list[Any]:
    if not pa.types.is_timestamp(array.type):
        return list(array.to_pylist())
    zone = "Z" if array.type.tz else ""
    naive = array.cast(pa.timestamp(array.type.unit)).cast(pa.timestamp("us"))
    return [v if v is None else _moment(v, zone) for v in naive.to_pylist()]


def _moment(value: datetime, zone: str) -> datetime | str:
    whole = value.microsecond % 1000 == 0
    return value if whole and value.date() >= _FIRST else value.isoformat() + zone


def _dates(array: pa.Array) -> list[Any]:
    return [v.isoformat() if isinstance(v, date) and v < _FIRST else v for v in array.to_pylist()]


def _times(array: pa.Array) -> list[Any]:
    return [
        v.isoformat() if isinstance(v, time) and v.microsecond % 1000 else v
        for v in array.to_pylist()
    ]


def _binary(array: pa.Array) -> list[Any]:
    return [v.hex() if isinstance(v, bytes) else v for v in array.to_pylist()]


_VALUES: dict[str, Callable[[pa.Array], list[Any]]] = {
    "integer": _numbers,
    "decimal": _numbers,
    "float": _floats,
    "timestamp": _moments,
    "timestamptz": _moments,
    "date": _dates,
    "time": _times,
    "binary": _binary,
}
