"""Avro, with its logical types."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any, BinaryIO

import pyarrow as pa

from kozmo_singer.systems.formats.writers import Part, Unwritable, WriteOptions
from kozmo_singer.systems.formats.writers.typed import TypedFormat
from kozmo_singer.wire.types import Column

_CODECS = {"none": "null", "gzip": "deflate", "bz2": "bzip2", "xz": "xz"}
# https://avro.apache.org/docs/1.12.0/specification/#names
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_PLAIN = {
    pa.bool_(): "boolean",
    pa.int16(): "int",
    pa.int32(): "int",
    pa.int64(): "long",
    pa.float32(): "float",
    pa.float64(): "double",
    pa.binary(): "bytes",
    pa.date32(): {"type": "int", "logicalType": "date"},
    pa.time64("us"): {"type": "long", "logicalType": "time-micros"},
    pa.timestamp("us"): {"type": "long", "logicalType": "local-timestamp-micros"},
    pa.timestamp("us", "UTC"): {"type": "long", "logicalType": "timestamp-micros"},
}
_ROWS = 10_000
"""Rows that are Python objects at once."""


class AvroFormat(TypedFormat):
    """Files of records, each of whose fields may be null."""

    def __init__(self, columns: Sequence[Column], options: WriteOptions) -> None:
        for column in columns:
            if not _NAME.fullmatch(column.name):
                raise Unwritable(
                    f"no field of Avro can have the name {column.name!r}; rename it by stream_maps"
                )
        super().__init__(columns, options)

    def open(self, file: BinaryIO) -> AvroWriter:
        fields = [
            {"name": column.name, "type": ["null", _type(column, field.type)], "default": None}
            for column, field in zip(self.columns, self.schema, strict=True)
        ]
        name = re.sub(r"\W", "_", self.options.stream, flags=re.ASCII) or "row"
        name = name if _NAME.fullmatch(name) else f"_{name}"
        schema = {"type": "record", "name": name, "fields": fields}
        return AvroWriter(file, schema, _CODECS[self.options.packed])


class AvroWriter:
    """Writes records in blocks."""

    def __init__(self, file: BinaryIO, schema: dict[str, Any], codec: str) -> None:
        from fastavro import parse_schema
        from fastavro.write import Writer

        # It writes the version of the file before the first row comes.
        self._writer: Any = Writer(file, parse_schema(schema), codec)

    def write(self, parts: Sequence[Part]) -> None:
        for part in parts:
            for start in range(0, len(part), _ROWS):
                cut = part.slice(start, _ROWS)
                names = cut.schema.names
                columns = [_values(array) for array in cut.columns]
                for row in zip(*columns, strict=True):
                    self._writer.write(dict(zip(names, row, strict=True)))

    def finish(self) -> None:
        self._writer.flush()


def _type(column: Column, type: pa.DataType) -> Any:
    if pa.types.is_decimal(type):
        return {"type": "bytes", "logicalType": "decimal", "precision": type.precision,
                "scale": type.scale}  # fmt: skip
    return _PLAIN.get(type, "string")


def _values(array: pa.Array) -> list[Any]:
    """Return what fastavro writes: of dates and moments the numbers that stand for them."""
    bare: Callable[[Any], pa.DataType] | None = next(
        (bare for is_such, bare in _BARE if is_such(array.type)), None
    )
    return list((array if bare is None else array.view(bare(array.type))).to_pylist())


_BARE: tuple[tuple[Callable[[Any], bool], Callable[[Any], pa.DataType]], ...] = (
    (pa.types.is_timestamp, lambda _: pa.int64()),
    (pa.types.is_time, lambda _: pa.int64()),
    (pa.types.is_date, lambda _: pa.int32()),
)
