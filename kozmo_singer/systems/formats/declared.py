"""What formats have in common whose files declare the types of their columns."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pyarrow as pa

from kozmo_singer.systems.formats import Source, unreadable
from kozmo_singer.wire.arrow_types import logical_type
from kozmo_singer.wire.types import Column, LogicalType, join


def declared(source: Source, schema: pa.Schema) -> list[Column]:
    """Return the columns of *schema*; ReadError where two have one name."""
    twice = {name for name in schema.names if schema.names.count(name) > 1}
    if twice:
        raise unreadable(source, f"it has two columns of the name '{min(twice)}'")
    return [Column(field.name, logical_type(field)) for field in schema]


def included(source: Source, own: Sequence[Column], columns: Sequence[Column]) -> list[str]:
    """Return the names of those of *columns* that the file has, whose *own* columns are told.

    ReadError where the values of one have no place in its type.
    """
    found = {column.name: column.type for column in own}
    for column in columns:
        type = found.get(column.name)
        if type is not None and not _holds(column.type, type):
            raise unreadable(
                source,
                f"column {column.name} is {type.name} here, but {column.type.name} in the stream",
                "the catalog may be out of date; make a new one with --discover",
            )
    return [column.name for column in columns if column.name in found]


def valid(source: Source, batches: Iterator[pa.RecordBatch], skip: int) -> Iterator[pa.RecordBatch]:
    """Yield *batches* behind their first *skip* rows; ReadError where text is not UTF-8."""
    for batch in batches:
        start = min(skip, batch.num_rows)
        skip -= start
        if start < batch.num_rows:
            rest = batch.slice(start)
            try:
                rest.validate(full=True)
            except pa.ArrowInvalid as error:
                raise unreadable(source, str(error)[:300]) from error
            yield rest


def _holds(type: LogicalType, found: LogicalType) -> bool:
    """Whether every value of *found* is one of *type*, widths apart."""
    if type.name in (found.name, "json"):
        return True
    wider = join([type, found])
    return wider.name == type.name and wider.mixed <= type.mixed
