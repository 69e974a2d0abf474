"""Columns as the rules left them, as cells of records: by the wire's own way from Arrow to JSON."""

from __future__ import annotations

from typing import Any

import msgspec
import polars as pl

from kozmo_singer.wire.types import LogicalType, to_schema


def type_of(dtype: pl.DataType) -> LogicalType:
    """Return the type that a stream's schema has for a column of *dtype*."""
    import pyarrow as pa

    from kozmo_singer.wire.arrow_types import logical_type

    if dtype == pl.Null or isinstance(dtype, pl.Duration):
        return LogicalType("string")
    array = pl.Series("c", [], dtype=dtype).to_arrow()
    found = logical_type(pa.field("c", array.type))
    return LogicalType("integer") if found.name == "integer" else found


def schema_of(dtype: pl.DataType, nullable: bool = True) -> dict[str, Any]:
    """Return the JSON Schema of a column of *dtype*."""
    return to_schema(type_of(dtype), nullable)


def spelt(series: pl.Series, type: LogicalType, quoted: bool = False) -> list[Any]:
    """Return the JSON of each cell of *series* as Raw, None for a null.

    *quoted*: the stream has its numbers in quotes.
    """
    import pyarrow as pa

    from kozmo_singer.wire.arrow_lines import token

    if isinstance(series.dtype, pl.Duration):
        series = _durations(series)
    if type.name == "json" and series.dtype == pl.String:
        return [None if text is None else _document(text) for text in series.to_list()]
    array = series.to_arrow()
    if pa.types.is_large_string(array.type) or pa.types.is_string_view(array.type):
        array = array.cast(pa.string())
    found = token(array, pa.field(series.name, array.type), type)
    if found.array is None:
        constant = None if found.constant == b"null" else msgspec.Raw(found.constant)
        return [constant] * len(series)
    form = '"{}"' if found.quoted or quoted else "{}"
    texts = found.array.to_pylist()
    if form == "{}":
        return [None if text is None else msgspec.Raw(text) for text in texts]
    return [None if text is None else msgspec.Raw(form.format(text)) for text in texts]


def _durations(series: pl.Series) -> pl.Series:
    return series.dt.to_string("iso")


def _document(text: str) -> Any:
    """JSON as it is, and text that is none as a string."""
    try:
        msgspec.json.decode(text, type=msgspec.Raw)
    except msgspec.DecodeError:
        return msgspec.Raw(msgspec.json.encode(text))
    return msgspec.Raw(text.replace("\n", " "))
