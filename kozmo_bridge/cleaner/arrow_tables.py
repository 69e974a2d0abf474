"""Arrow tables: what polars has no type for is taken as text, and given back as it was."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import polars as pl

from kozmo_bridge.cleaner.cells import FAULTS, Taken, in_zone, said, text_of
from kozmo_bridge.cleaner.changes import Column, Rows
from kozmo_singer.errors import ConfigError

if TYPE_CHECKING:
    import pyarrow as pa


class ArrowHome:
    """A Table or RecordBatch of pyarrow, or anything else that gives an Arrow stream: a Table."""

    def __init__(self, given: Any) -> None:
        import pyarrow as pa

        self.batch = isinstance(given, pa.RecordBatch)
        if self.batch:
            given = pa.Table.from_batches([given])
        self.table: pa.Table = given if isinstance(given, pa.Table) else _table(given)
        self.names: tuple[Any, ...] = tuple(self.table.column_names)
        self.rows = self.table.num_rows
        self.taken: list[Taken] = []

    def take(self) -> list[Taken]:
        """Return the columns; see Home."""
        self.taken = [taken(column) for column in self.table.columns]
        return self.taken

    def back(self, columns: Sequence[Column], rows: Rows) -> Any:
        """Return a Table, or a RecordBatch if that was given; see Home."""
        import pyarrow as pa

        places = [column.place for column in columns]
        same = all(column.same and not column.renamed for column in columns)
        if same and rows.same and places == [*range(len(self.names))]:
            return self._finished(self.table)
        if not columns:
            empty = pa.nulls(rows.count)
            return self._finished(pa.table({"": empty}).select([]))
        made = [self._column(column, rows) for column in columns]
        fields = [self._field(c, array) for c, array in zip(columns, made, strict=True)]
        schema = pa.schema(fields, metadata=self.table.schema.metadata)
        return self._finished(pa.Table.from_arrays(made, schema=schema))

    def _finished(self, table: pa.Table) -> Any:
        import pyarrow as pa

        if not self.batch:
            return table
        arrays = [_one(column) for column in table.columns]
        if not arrays:
            return table.to_batches()[0]
        return pa.RecordBatch.from_arrays(arrays, schema=table.schema)

    def _field(self, column: Column, array: Any) -> pa.Field:
        import pyarrow as pa

        if column.place is None:
            return pa.field(column.label, array.type)
        field = self.table.schema.field(column.place)
        name = column.label if column.renamed else field.name
        nullable = field.nullable or array.null_count > 0
        return field.with_name(name).with_type(array.type).with_nullable(nullable)

    def _column(self, column: Column, rows: Rows) -> Any:
        if column.place is None or column.retyped:
            return column.series.to_arrow()
        base = self.table.column(column.place)
        if column.same:
            return base if rows.taken is None else _gathered(base, rows.places)
        if not self.taken[column.place].opaque:
            return _like(column.series.to_arrow(), base.type)
        return self._merged(base, column, rows)

    def _merged(self, base: Any, column: Column, rows: Rows) -> Any:
        """Return the original's cells with the changed ones, in its type if that takes them."""
        import pyarrow as pa

        texts = _like(column.series.to_arrow(), base.type)
        if texts.type != base.type or column.changed is None:
            return texts
        both = pa.chunked_array([*base.chunks, texts], type=base.type)
        places = zip(column.changed, rows.places, strict=True)
        return _gathered(
            both, [len(base) + i if differs else row for i, (differs, row) in enumerate(places)]
        )


def _table(given: Any) -> Any:
    import pyarrow as pa

    try:
        return pa.table(given)
    except (TypeError, ValueError) as error:
        raise ConfigError(f"expected a table, got {type(given).__name__}") from error


def taken(column: Any) -> Taken:
    """Return an Arrow column with a polars type; as text where polars has none."""
    try:
        # Whoever made the column may have put into it what Arrow forbids, and polars relies on.
        column.validate(full=True)
        plain, opaque = _known(column)
        if plain is not None:
            return Taken(_polars(plain), opaque)
        return Taken(_texts(column), opaque=True)
    except FAULTS as error:  # a fault in a column stays in that column
        return Taken(_texts(column), opaque=True, fault=said(error))


def _polars(column: Any) -> pl.Series:
    import pyarrow as pa

    zone = getattr(column.type, "tz", None)
    if pa.types.is_timestamp(column.type) and zone is not None:
        # polars takes names of zones alone; the moments are those of UTC, whatever the zone.
        utc = column.cast(pa.timestamp(column.type.unit, "UTC"))
        return in_zone(_series(utc), zone)
    return _series(column)


def _series(column: Any) -> pl.Series:
    made = pl.from_arrow(column)
    assert isinstance(made, pl.Series)
    return made


def _known(column: Any) -> tuple[Any, bool]:
    """Return *column* in a type that polars has, or None; and whether the type was another."""
    import pyarrow as pa
    import pyarrow.compute as pc

    kind = column.type
    types = pa.types
    if isinstance(kind, pa.BaseExtensionType):
        return _of_extension(column)
    if types.is_run_end_encoded(kind):
        decoded = pa.chunked_array(
            [pc.run_end_decode(chunk) for chunk in column.chunks], kind.value_type
        )
        return _known(decoded)[0], True
    if types.is_timestamp(kind) or types.is_duration(kind):
        return _moments(column), False
    if types.is_decimal256(kind):
        narrow = _cast(column, pa.decimal128(38, kind.scale)) if 0 <= kind.scale <= 38 else None
        return narrow, True
    if types.is_dictionary(kind):
        if _takes(kind.value_type) and not types.is_string(kind.value_type):
            chunks = [chunk.dictionary_decode() for chunk in column.chunks]
            return pa.chunked_array(chunks, kind.value_type), False
        return (column, False) if _takes(kind.value_type) else (None, True)
    return (column, False) if _takes(kind) else (None, True)


def _takes(kind: Any) -> bool:
    """Whether polars has the type, and those within it."""
    import pyarrow as pa

    types = pa.types
    if types.is_decimal(kind):
        return bool(kind.bit_width <= 128 and 0 <= kind.scale <= kind.precision)
    if types.is_list(kind) or types.is_large_list(kind) or types.is_fixed_size_list(kind):
        return _takes(kind.value_type)
    if types.is_struct(kind):
        fields = [kind.field(i) for i in range(kind.num_fields)]
        names = [field.name for field in fields]
        return all(_takes(field.type) and "\0" not in field.name for field in fields) and len(
            set(names)
        ) == len(names)
    return any(getattr(types, f"is_{name}")(kind) for name in _PLAIN)


_PLAIN = (
    "boolean",
    "integer",
    "floating",
    "string",
    "large_string",
    "string_view",
    "binary",
    "large_binary",
    "binary_view",
    "fixed_size_binary",
    "date",
    "time",
    "null",
)


def _of_extension(column: Any) -> tuple[Any, bool]:
    import pyarrow as pa

    if column.type.extension_name == "arrow.uuid":
        return None, True
    storage = pa.chunked_array([chunk.storage for chunk in column.chunks], column.type.storage_type)
    return _known(storage)[0], True


def _moments(column: Any) -> Any:
    """Seconds become milliseconds, if they fit; moments outside of the calendar are for text."""
    import pyarrow as pa
    import pyarrow.compute as pc

    kind = column.type
    if kind.unit == "s":
        finer = pa.timestamp("ms", kind.tz) if pa.types.is_timestamp(kind) else pa.duration("ms")
        column = _cast(column, finer)
    if column is None or not pa.types.is_timestamp(kind) or kind.unit == "ns":
        return column
    scale = {"s": 1000, "ms": 1000, "us": 1_000_000}[kind.unit]
    ends = pc.min_max(column.cast(pa.int64())).as_py()
    low, high = ends["min"], ends["max"]
    if low is not None and (low < -62_135_596_800 * scale or high >= 253_402_300_800 * scale):
        return None
    return column


def _cast(column: Any, kind: Any) -> Any:
    import pyarrow as pa

    try:
        return column.cast(kind)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        return None


def _texts(column: Any) -> pl.Series:
    return pl.Series([_scalar_text(scalar) for scalar in column], dtype=pl.String)


def _scalar_text(scalar: Any) -> str | None:
    """Return the text of one value, also where Python has no value for it."""
    if not scalar.is_valid:
        return None
    try:
        return text_of(scalar.as_py())
    except UnicodeDecodeError:
        return bytes(scalar.as_buffer()).decode(errors="replace")
    except (ValueError, OverflowError, NotImplementedError):
        if hasattr(scalar, "value"):
            return f"{scalar.value} {scalar.type}"
        return f"<{scalar.type}>"


def _gathered(column: Any, places: Sequence[int]) -> Any:
    import pyarrow as pa

    try:
        return column.take(pa.array(places, pa.int64()))
    except pa.ArrowNotImplementedError:
        pieces = [_one(column.slice(place, 1)) for place in places]
        return pa.chunked_array(pieces, type=column.type)


def _one(column: Any) -> Any:
    """Return a chunked column as one array; some types cannot be joined, if they are split."""
    import pyarrow as pa

    if isinstance(column, pa.Array):
        return column
    if column.num_chunks == 1:
        return column.chunk(0)
    if column.num_chunks == 0:
        return pa.array([], type=column.type)
    return pa.concat_arrays(column.chunks)


def _like(array: Any, kind: Any) -> Any:
    """Return *array* in the type *kind* if that holds every value, else as it is."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if array.type == kind:
        return array
    try:
        if isinstance(kind, pa.DictionaryType):
            words = array.cast(kind.value_type).dictionary_encode()
            indices = words.indices.cast(kind.index_type)
            return pa.DictionaryArray.from_arrays(indices, words.dictionary, ordered=kind.ordered)
        if pa.types.is_run_end_encoded(kind):
            return pc.run_end_encode(array.cast(kind.value_type), run_end_type=kind.run_end_type)
        if isinstance(kind, pa.BaseExtensionType):
            return pa.ExtensionArray.from_storage(kind, array.cast(kind.storage_type))
        return array.cast(kind)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, pa.ArrowTypeError):
        return array
