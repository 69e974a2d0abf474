"""A frame into a file of any format, by target-files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from kozmo_bridge.cleaner.pipe.cells import dtype_of
from kozmo_bridge.cleaner.pipe.spelling import type_of
from kozmo_bridge.cleaner.table import ROW
from kozmo_singer.wire.arrow import field
from kozmo_singer.wire.encode import RecordEncoder, schema_line
from kozmo_singer.wire.types import Column, to_schema

_ROWS = 50_000


def write(
    frame: pl.DataFrame, stream: str, known: Sequence[Column], config: Mapping[str, Any]
) -> None:
    """Write *frame*; columns that are as in *known* keep the type that they have there."""
    import pyarrow as pa

    from kozmo_runner import api
    from kozmo_singer.wire.arrow_lines import arrow_lines

    frame = frame.drop(ROW, strict=False)
    types = {column.name: column.type for column in known}
    columns = [
        Column(name, types[name] if name in types and dtype_of(types[name]) == dtype
               else type_of(dtype))
        for name, dtype in frame.schema.items()
    ]  # fmt: skip
    properties = {column.name: to_schema(column.type) for column in columns}
    encoder = RecordEncoder(stream, columns)
    with api.feed("target-files", dict(config)) as target:
        target.stdin.write(schema_line(stream, {"type": "object", "properties": properties}, []))
        for part in frame.iter_slices(_ROWS):
            arrays = [_array(series) for series in part.get_columns()]
            pairs = zip(columns, arrays, strict=True)
            fields = [field(column, array.type) for column, array in pairs]
            batch = pa.RecordBatch.from_arrays(arrays, schema=pa.schema(fields))
            _write(target.stdin, encoder.encode(arrow_lines(batch, columns)))
        target.finish()


def _write(out: Any, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[out.write(view) :]


def _array(series: pl.Series) -> Any:
    import pyarrow as pa

    if isinstance(series.dtype, pl.Duration):
        series = series.dt.to_string("iso")
    array = series.to_arrow()
    if pa.types.is_large_string(array.type) or pa.types.is_string_view(array.type):
        return array.cast(pa.string())
    return array
