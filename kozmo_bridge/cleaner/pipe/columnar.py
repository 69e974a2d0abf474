"""Columns that came as Arrow, as the rules see them and as they leave."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any
from uuid import UUID

import msgspec
import polars as pl

from kozmo_bridge.cleaner.pipe.cells import Cells, cells_of_text, dtype_of
from kozmo_bridge.cleaner.pipe.shape import frame_type
from kozmo_singer.wire.arrow import arrow_type
from kozmo_singer.wire.arrow_values import values
from kozmo_singer.wire.encode import spell_binary
from kozmo_singer.wire.types import Column, LogicalType

if TYPE_CHECKING:
    import pyarrow as pa


def columns_frame(part: pa.RecordBatch, columns: Sequence[Column]) -> pl.DataFrame:
    """Return rows that came as Arrow as the rules see them."""
    names = set(part.schema.names)
    empty = pl.DataFrame(schema=frame_type(columns)).clear(part.num_rows)
    found = [
        arrow_cells(part.column(c.name), part.schema.field(c.name), c.type).series.alias(c.name)
        if c.name in names
        else empty.get_column(c.name)
        for c in columns
    ]
    return pl.DataFrame(found)


def arrow_cells(array: pa.Array, field: pa.Field, type: LogicalType) -> Cells:
    """Return a column, of *type* in the stream's schema, as the rules see it."""
    import pyarrow as pa

    if isinstance(array, pa.ExtensionArray) or type.name in ("binary", "json", "uuid"):
        texts = [_spelt_out(value, type) for value in values(array, field)]
        return cells_of_text(pl.Series(field.name, texts, dtype=pl.String), type)
    series = pl.from_arrow(array)
    assert isinstance(series, pl.Series)
    dtype = dtype_of(type)
    if series.dtype == dtype:
        return Cells(series)
    if series.dtype == pl.String:
        return cells_of_text(series, type)
    made = series.cast(dtype, strict=False)
    odd = made.is_null() & series.is_not_null()
    return Cells(made, odd if odd.any() else None)


def arrow_array(
    after: pl.Series, column: Column, old: pa.Array | None, odd: pl.Series | None
) -> pa.Array:
    """Return a column in the type that the wire has for it; as text where it has odd cells."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if isinstance(after.dtype, pl.Duration):
        after = after.dt.to_string("iso")
    if column.type.name == "binary" and after.dtype == pl.String:
        after = after.str.decode("hex" if column.type.encoding == "base16" else "base64")
    array = after.to_arrow()
    wanted = arrow_type(column.type)
    if odd is None or old is None:
        return array.cast(wanted)
    texts = array.cast(wanted).cast(pa.string())
    return pc.if_else(odd.to_arrow(), old.cast(pa.string()), texts)


def _spelt_out(value: Any, type: LogicalType) -> str | None:
    """A value that polars has no type of ours for, as text."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bytes) and type.name == "uuid":
        return str(UUID(bytes=value))
    if isinstance(value, bytes):
        return spell_binary(value, type.encoding)
    return str(value, "utf-8") if isinstance(value, msgspec.Raw) else str(value)
