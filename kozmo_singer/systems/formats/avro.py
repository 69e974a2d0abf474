"""Avro: records of one schema, whose logical types are told; what is nested becomes JSON.

The types: https://avro.apache.org/docs/1.12.0/specification/#logical-types
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import islice
from typing import Any

import fastavro
import pyarrow as pa
from fastavro.schema import SchemaParseException

from kozmo_singer.systems.formats import Look, Options, Source, unreadable
from kozmo_singer.systems.formats.declared import included
from kozmo_singer.systems.formats.packing import translated, unpacked
from kozmo_singer.wire.arrow import arrow_type, field
from kozmo_singer.wire.encode import dumps
from kozmo_singer.wire.types import Column, LogicalType

BATCH_ROWS = 10_000
_PLAIN = {
    "boolean": LogicalType("boolean"),
    "int": LogicalType("integer", bits=32),
    "long": LogicalType("integer", bits=64),
    "float": LogicalType("float", bits=32),
    "double": LogicalType("float", bits=64),
    "bytes": LogicalType("binary"),
    "fixed": LogicalType("binary"),
    "string": LogicalType("string"),
    "enum": LogicalType("string"),
}
_LOGICAL = {
    ("int", "date"): "date",
    ("int", "time-millis"): "time",
    ("long", "time-micros"): "time",
    ("long", "timestamp-millis"): "timestamptz",
    ("long", "timestamp-micros"): "timestamptz",
    ("long", "local-timestamp-millis"): "timestamp",
    ("long", "local-timestamp-micros"): "timestamp",
    ("string", "uuid"): "uuid",
    ("fixed", "uuid"): "uuid",
}
_JSON = LogicalType("json")
_FAULTS = (
    *(ValueError, LookupError, ArithmeticError, TypeError, AttributeError, EOFError, MemoryError),
    *(RuntimeError, StopIteration, struct.error, zlib.error, SchemaParseException),
)
"""What fastavro raises for bytes that are no Avro, or of another kind than it expects."""


class AvroFile:
    """A file of Avro; a block of it is held in memory."""

    def __init__(self, source: Source, options: Options) -> None:
        self._source = source
        self.beside: set[str] = set()

    def look(self) -> Look:
        """Return the columns of the schema; rows only where there is one block."""
        with self._blocks() as (columns, blocks):
            first = next(blocks, None)
            rows = 0 if first is None else int(first.num_records)
            alone = first is None or next(blocks, None) is None
            return Look(columns, rows if alone else None, "Avro")

    def batches(
        self, columns: Sequence[Column], skip: int, arrow: bool
    ) -> Iterator[pa.RecordBatch]:
        """Yield the rows behind the first *skip*, see FileReader; blocks before stay packed."""
        with self._blocks() as (found, blocks):
            own = {column.name: column for column in found}
            wanted = [own[name] for name in included(self._source, found, columns)]
            self.beside = {*own} - {column.name for column in wanted}
            for block in blocks:
                if skip >= block.num_records:
                    skip -= block.num_records
                    continue
                rows = islice(block, skip, None)
                skip = 0
                while part := list(islice(rows, BATCH_ROWS)):
                    yield _batch(wanted or found[:1], part)

    def count(self) -> int:
        """Return the number of rows."""
        with self._blocks() as (_, blocks):
            return sum(int(block.num_records) for block in blocks)

    @contextmanager
    def _blocks(self) -> Iterator[tuple[list[Column], Iterator[Any]]]:
        with self._translated(), unpacked(self._source) as stream:
            reader = fastavro.block_reader(stream)
            columns = self._columns(reader.writer_schema)
            yield columns, iter(reader)

    def _columns(self, schema: Any) -> list[Column]:
        if not isinstance(schema, Mapping) or schema.get("type") != "record":
            raise unreadable(self._source, "its schema is none of records, so it has no columns")
        named: dict[str, Any] = {}
        return [Column(each["name"], logical(each["type"], named)) for each in schema["fields"]]

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            with translated(self._source):
                yield
        except _FAULTS as error:
            # Also what Python lacks a value for, as the year 10000.
            why = str(error) or type(error).__name__
            raise unreadable(self._source, f"as Avro: {why}"[:300]) from error


def logical(schema: Any, named: dict[str, Any]) -> LogicalType:
    """Return the type of an Avro *schema*; *named* are the types that were met and have names."""
    if isinstance(schema, list):
        inner = [each for each in schema if each != "null"]
        found = list(dict.fromkeys(logical(each, named) for each in inner))
        if {type.name for type in found} == {"integer"}:
            return _PLAIN["long"]
        return found[0] if len(found) == 1 else _JSON
    if isinstance(schema, str):
        return _PLAIN.get(schema) or named.get(schema, _JSON)
    kind, meaning = schema["type"], schema.get("logicalType")
    if isinstance(kind, list | Mapping):
        return logical(kind, named)
    found_type = _PLAIN.get(kind, _JSON)
    if meaning == "decimal" and kind in ("bytes", "fixed"):
        found_type = LogicalType("decimal", schema["precision"], schema.get("scale", 0))
    elif (kind, meaning) in _LOGICAL:
        found_type = LogicalType(_LOGICAL[kind, meaning])
    elif kind not in _PLAIN and isinstance(kind, str) and kind in named:
        found_type = named[kind]
    if "name" in schema and isinstance(schema["name"], str):
        named[schema["name"]] = found_type
        space = schema.get("namespace")
        named[f"{space}.{schema['name']}" if space else schema["name"]] = found_type
    _name_inner(schema, named)
    return found_type


def _name_inner(schema: Mapping[str, Any], named: dict[str, Any]) -> None:
    """Note the types that are defined within *schema*; others may name them."""
    inner = [each["type"] for each in schema.get("fields") or ()]
    inner += [schema[key] for key in ("items", "values") if key in schema]
    for each in inner:
        if not isinstance(each, str):
            logical(each, named)


def _batch(columns: Sequence[Column], rows: Sequence[Mapping[str, Any]]) -> pa.RecordBatch:
    arrays = [_array(column.type, [row[column.name] for row in rows]) for column in columns]
    fields = [field(column, array.type) for column, array in zip(columns, arrays, strict=True)]
    return pa.RecordBatch.from_arrays(arrays, schema=pa.schema(fields))


def _array(type: LogicalType, values: list[Any]) -> pa.Array:
    wanted = arrow_type(type)
    if type.name == "json":
        values = [None if value is None else dumps(_inner(value)).decode() for value in values]
    elif wanted == pa.string():
        # Uuids, and decimals of more digits than Arrow has.
        values = [None if value is None else str(value) for value in values]
    return pa.array(values, wanted)


def _inner(value: Any) -> Any:
    """Values within others, where binary, which JSON lacks, is base16."""
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, Mapping):
        return {key: _inner(item) for key, item in value.items()}
    return [_inner(item) for item in value] if isinstance(value, list) else value
