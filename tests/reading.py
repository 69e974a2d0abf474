"""Reading a file of a format as the taps do, in both forms, with all of its rows."""

from __future__ import annotations

import io
import json
from decimal import Decimal
from typing import Any, NamedTuple

import pyarrow as pa

from kozmo_singer.systems.formats import Look, Options, Source, reader
from kozmo_singer.systems.formats.packing import HEAD_BYTES, compression_of
from kozmo_singer.wire import Column, RecordEncoder, Rows
from kozmo_singer.wire.arrow_lines import arrow_lines


class Read(NamedTuple):
    """What a file tells, and the records that it becomes."""

    look: Look
    records: list[dict[str, Any]]

    @property
    def types(self) -> dict[str, str]:
        """The name of each column's type."""
        return {column.name: column.type.name for column in self.look.columns}


def read(format: str, content: bytes, *, skip: int = 0, types: Any = (), **given: Any) -> Read:
    """Return the rows of *content* behind the first *skip*, which are the same in Arrow."""
    options = Options(types=dict(types), **given)
    packed = compression_of(content[:HEAD_BYTES])
    source = Source(f"t.{format}", len(content), lambda: io.BytesIO(content), packed)
    look = reader(format, source, options).look()
    found: list[dict[str, Any]] = []
    for batch in reader(format, source, options).batches(look.columns, skip, arrow=False):
        found += _records(batch, look.columns)
    again: list[dict[str, Any]] = []
    for batch in reader(format, source, options).batches(look.columns, skip, arrow=True):
        assert isinstance(batch, pa.RecordBatch)
        again += _records(batch, look.columns)
    numbers = {column.name for column in look.columns if column.type.name == "decimal"}
    assert _exact(again, numbers) == _exact(found, numbers)
    assert reader(format, source, options).count() == len(found) + skip
    return Read(look, found)


def by_stream(said: Any) -> dict[str, list[dict[str, Any]]]:
    """The records of each stream that a tap said."""
    found: dict[str, list[dict[str, Any]]] = {}
    for message in said.of("RECORD"):
        found.setdefault(message["stream"], []).append(message["record"])
    return found


def _exact(records: list[dict[str, Any]], numbers: set[str]) -> list[dict[str, Any]]:
    """The records with decimals as such: Arrow has those without stated digits as texts."""
    return [
        {k: Decimal(str(v)) if k in numbers and v is not None else v for k, v in record.items()}
        for record in records
    ]


def _records(batch: Any, columns: list[Column]) -> list[dict[str, Any]]:
    if isinstance(batch, Rows):
        return [json.loads(record) for record in batch.records()]
    names = batch.schema.names
    own = [next(column for column in columns if column.name == name) for name in names]
    lines = RecordEncoder("t", own).encode(arrow_lines(batch, own), None)
    return [json.loads(line)["record"] for line in lines.splitlines()]
