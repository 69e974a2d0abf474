"""What formats have in common whose files say of what type each column is.

A column has the narrowest type of its list that holds its values; where values come that it does
not hold, the files after that have the next one: nothing is cut, rounded or refused.
"""

from __future__ import annotations

import base64
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, BinaryIO

import pyarrow as pa

from kozmo_singer.systems.formats.decimals import decimals
from kozmo_singer.systems.formats.writers import FileWriter, Unwritable, WriteOptions
from kozmo_singer.systems.formats.writers.cells import (
    digits,
    plain,
    spelling,
    string_array,
    texts,
    values_of,
)
from kozmo_singer.wire.arrow import arrow_array, arrow_type, field
from kozmo_singer.wire.types import Column, LogicalType

if TYPE_CHECKING:
    from kozmo_singer.wire.rows import Rows

_TEXT = pa.string()
_WHOLE = (pa.decimal128(38, 0), pa.decimal256(76, 0), _TEXT)
_DECIMALS = (pa.decimal128(38, 9), pa.decimal128(38, 18), pa.decimal256(76, 38), _TEXT)
"""What numbers without stated digits become: the scales are those of usual data warehouses."""


def candidates(type: LogicalType) -> list[pa.DataType]:
    """Return the types that a column of *type* may have, the narrowest first."""
    first = arrow_type(type)
    if type.name == "integer":
        return [first, *([] if first == pa.int64() else [pa.int64()]), *_WHOLE]
    if type.name == "decimal":
        return [*([] if first == _TEXT else [first]), *_DECIMALS]
    if first == pa.float32():
        return [first, pa.float64()]
    return list(dict.fromkeys((first, _TEXT)))


class TypedFormat(ABC):
    """A format whose files have a schema; *others* are types it lacks, and what it has instead."""

    group = 1 << 16
    longest: int | None = None

    def __init__(self, columns: Sequence[Column], options: WriteOptions) -> None:
        if not columns:
            raise Unwritable("its SCHEMA names no field, and the format needs one")
        self.columns, self.options = columns, options
        self._types = [
            list(dict.fromkeys(map(self.instead, candidates(column.type)))) for column in columns
        ]
        try:
            self.schema = self._schema()
        except UnicodeEncodeError as error:
            raise Unwritable(f"the name of a field cannot be written: {error}") from error

    def instead(self, type: pa.DataType) -> pa.DataType:
        """Return the type that the format has in the place of *type*."""
        return type

    def of_rows(self, rows: Rows) -> pa.RecordBatch:
        pairs = values_of(rows, self.columns)
        return self._batch(
            [
                self._fitted(place, _array(column, values), _spelt(column, values))
                for place, (column, values) in enumerate(pairs)
            ]
        )

    def of_columns(self, batch: pa.RecordBatch) -> pa.RecordBatch | None:
        made = []
        for i, (column, described) in enumerate(zip(self.columns, batch.schema, strict=True)):
            array = plain(batch.column(i))
            if pa.types.is_string(array.type) and column.type.name not in _TEXTS:
                # What has no place in its type, to be looked at as a record is.
                return None
            made.append(self._fitted(i, array, _told(array, described, column)))
        return self._batch(made)

    def _fitted(self, place: int, array: pa.Array, spelt: Callable[[], pa.Array]) -> pa.Array:
        """Return *array* in the first type of the column that holds all of it, from now on."""
        types = self._types[place]
        made = cast(array, types[0], spelt)
        while made is None:
            del types[0]
            made = cast(array, types[0], spelt)
        return made

    def _batch(self, arrays: Sequence[pa.Array]) -> pa.RecordBatch:
        if any(a.type != f.type for a, f in zip(arrays, self.schema, strict=True)):
            self.schema = self._schema()
        return pa.RecordBatch.from_arrays(list(arrays), schema=self.schema)

    def _schema(self) -> pa.Schema:
        pairs = zip(self.columns, self._types, strict=True)
        return pa.schema([field(column, types[0]) for column, types in pairs])

    @abstractmethod
    def open(self, file: BinaryIO) -> FileWriter:
        """Return what writes to *file*."""


_TEXTS = ("string", "decimal", "uuid", "json")


def cast(array: pa.Array, type: pa.DataType, spelt: Callable[[], pa.Array]) -> pa.Array | None:
    """Return *array* as *type* where that changes no value; *spelt* gives its texts."""
    if array.type == type:
        return array
    if type == _TEXT:
        return spelt()
    if pa.types.is_string(array.type):
        # What could be read as a value of any other type was.
        return decimals(array, type) if pa.types.is_decimal(type) else None
    if (
        pa.types.is_decimal(array.type)
        and pa.types.is_decimal(type)
        and not _has_room(array.type, type)
    ):
        return decimals(array.cast(_TEXT), type)
    try:
        return array.cast(type)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        return None


def _has_room(type: pa.DataType, wanted: pa.DataType) -> bool:
    """Whether *wanted* holds every number of *type*; where not, Arrow's cast may go astray."""
    whole = type.precision - type.scale <= wanted.precision - wanted.scale
    return bool(whole and type.scale <= wanted.scale)


def _array(column: Column, values: Sequence[Any]) -> pa.Array:
    """Return *values* of a Rows in the type of their column, or as text."""
    name = column.type.name
    if name == "decimal":
        return _spelt(column, values)()
    if name == "binary":
        decode = base64.b64decode if column.type.encoding == "base64" else bytes.fromhex
        return pa.array([None if v is None else decode(v) for v in values], pa.binary())
    if name in _TEXTS:
        return _spelt(column, values)()
    try:
        return arrow_array(column.type, values)
    except UnicodeEncodeError:
        return _spelt(column, values)()


def _spelt(column: Column, values: Sequence[Any]) -> Callable[[], pa.Array]:
    def made() -> pa.Array:
        spell = digits if column.type.name == "decimal" else spelling(column) or _word
        found = [None if value is None else spell(value) for value in values]
        return string_array(found, column.name)

    return made


def _word(value: Any) -> str:
    return value if isinstance(value, str) else str(value)


def _told(array: pa.Array, described: pa.Field, column: Column) -> Callable[[], pa.Array]:
    return lambda: texts(array, described, column)


class TableWriter:
    """A file that takes tables. *make* gives what writes it, which looks at the first of them."""

    def __init__(self, schema: pa.Schema, make: Callable[[pa.Table], Any]) -> None:
        self._schema, self._make = schema, make
        self._writer: Any = None

    def write(self, parts: Sequence[pa.RecordBatch]) -> None:
        table = pa.Table.from_batches(parts, self._schema)
        if self._writer is None:
            self._writer = self._make(table)
        self._add(table)

    def _add(self, table: pa.Table) -> None:
        self._writer.write(table)

    def finish(self) -> None:
        if self._writer is None:
            self.write([])
        self._writer.close()
