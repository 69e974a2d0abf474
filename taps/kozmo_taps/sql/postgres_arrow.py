"""COPY's CSV as Arrow, parsed in C++ by types: nothing of a row is ever a Python object."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from typing import Any

import msgspec
import pyarrow as pa
from pyarrow import csv

from kozmo_singer.wire import lane
from kozmo_singer.wire.arrow import arrow_type, field, unhexed
from kozmo_singer.wire.arrow_texts import clocks, days, moments
from kozmo_singer.wire.types import Column
from kozmo_taps.tap import Columnar, Row

COPY_OPTIONS = "(FORMAT csv)"
_BLANKS = re.compile(r"[\n\r\t]")
BLOCK_BYTES = 1 << 19
# pyarrow's own allocator keeps what batches of a megabyte need no more.
pa.set_memory_pool(pa.system_memory_pool())


class ArrowRows(Columnar):
    """Rows as one Arrow batch; a row that is asked for is what Cells gives.

    Where a value has no place in its Arrow type (infinity, NaN, 24:00) its column is text, as a
    whole.
    """

    def __init__(self, batch: pa.RecordBatch, columns: Sequence[Column]) -> None:
        self.batch = batch
        self._columns = columns

    def __len__(self) -> int:
        return int(self.batch.num_rows)

    def payload(self) -> memoryview:
        """Return the rows as an Arrow IPC stream."""
        return lane.payload(self.batch)

    def row(self, place: int) -> Row:
        return _wire_rows(self.batch.slice(place, 1), self._columns)[0]

    def cut(self, start: int, stop: int) -> ArrowRows:
        return ArrowRows(self.batch.slice(start, stop - start), self._columns)


class Parser:
    """Parses blocks of whole rows, whose columns have the logical types of *columns*."""

    def __init__(self, columns: Sequence[Column]) -> None:
        self._columns = columns
        self._types = {
            str(i): _CSV_TYPES.get(column.type.name) or arrow_type(column.type)
            for i, column in enumerate(columns)
        }

    def rows(self, block: bytes) -> ArrowRows:
        """Return the rows of *block*."""
        try:
            arrays = _parsed(block, self._types, list(self._types))
        except pa.ArrowInvalid:
            arrays = [self._alone(block, name) for name in self._types]
        made = [_MADE[c.type.name](a) if c.type.name in _MADE else a
                for c, a in zip(self._columns, arrays, strict=True)]  # fmt: skip
        fields = [field(c, a.type) for c, a in zip(self._columns, made, strict=True)]
        batch = pa.RecordBatch.from_arrays(made, schema=pa.schema(fields))
        return ArrowRows(batch, self._columns)

    def _alone(self, block: bytes, name: str) -> pa.Array:
        """One column by its type, or as text where a value has no place there."""
        try:
            return _parsed(block, self._types, [name])[0]
        except pa.ArrowInvalid:
            return _parsed(block, {**self._types, name: pa.string()}, [name])[0]


def _parsed(block: bytes, types: dict[str, pa.DataType], wanted: list[str]) -> list[pa.Array]:
    table = csv.read_csv(
        pa.BufferReader(block),
        # The whole block at once: it is one batch.
        csv.ReadOptions(column_names=list(types), block_size=len(block) + 1, use_threads=False),
        csv.ParseOptions(newlines_in_values=True, ignore_empty_lines=False),
        csv.ConvertOptions(
            column_types=types,
            include_columns=wanted,
            null_values=[""],
            strings_can_be_null=True,
            quoted_strings_can_be_null=False,
            true_values=["t"],
            false_values=["f"],
        ),
    )
    return [column.combine_chunks() for column in table.columns]


def _naive(values: pa.Array) -> pa.Array:
    return _aware(values) if pa.types.is_string(values.type) else values.cast(pa.timestamp("us"))


def _aware(values: pa.Array) -> pa.Array:
    """Moments of which one has to be text: all in the words of a RECORD message."""
    if not pa.types.is_string(values.type):
        return values
    import pyarrow.compute as pc

    return pc.replace_substring_regex(values, r"^(\S+) (\S+)\+00$", r"\1T\2Z")


def _documents(values: pa.Array) -> pa.Array:
    """In JSON, on the wire, a document that is null cannot be told from no document."""
    # Loaded where it is needed only: that takes as long as the rest of pyarrow.
    import pyarrow.compute as pc

    return pc.if_else(pc.equal(values, "null"), None, values)


# Binary comes as hexadecimal text, and timestamps without a zone as if they were in UTC. A real is
# the number that its digits say, as it is on a line, and not the nearest in 32 bits.
_CSV_TYPES = {
    "binary": pa.string(),
    "float": pa.float64(),
    "timestamp": pa.timestamp("us", "UTC"),
}
_MADE: dict[str, Callable[[pa.Array], pa.Array]] = {
    "binary": unhexed,
    "timestamp": _naive,
    "timestamptz": _aware,
    "json": _documents,
}


def _wire_rows(batch: pa.RecordBatch, columns: Sequence[Column]) -> list[tuple[Any, ...]]:
    """Return the rows of *batch* as Cells would give them, so that no bookmark depends on the lane.

    A column may also have come as text.
    """
    turned = [
        [_wire_value(column, value) for value in _plain(values)]
        for column, values in zip(columns, batch.columns, strict=True)
    ]
    return list(zip(*turned, strict=True))


def _plain(values: pa.Array) -> list[Any]:
    """Values of which dates and times are text already."""
    type = values.type
    if pa.types.is_timestamp(type):
        return moments(values, "Z")
    if pa.types.is_time(type):
        return clocks(values)
    return days(values) if pa.types.is_date(type) else list(values.to_pylist())


def _float(value: float) -> float | str:
    if math.isfinite(value):
        return value
    return "NaN" if value != value else "Infinity" if value > 0 else "-Infinity"


_WIRE: dict[str, Callable[[Any], Any]] = {
    "float": _float,
    "binary": bytes.hex,
    "decimal": lambda value: msgspec.Raw(format(value, "f").encode()),
}


def _wire_value(column: Column, value: Any) -> Any:
    name = column.type.name
    if value is None:
        return None
    if name == "json":
        return msgspec.Raw(_BLANKS.sub(" ", value).encode())
    if isinstance(value, str):
        return _text(name, value)
    return _WIRE[name](value) if name in _WIRE else value


def _text(name: str, value: str) -> Any:
    """What a column that came as text would be in a cell."""
    if name == "decimal":
        return value if value[-1:] in ("N", "y") else msgspec.Raw(value.encode())
    return int(value) if name == "integer" else value
