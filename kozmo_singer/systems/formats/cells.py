"""Cells of text as columns of the stream, for all formats whose files declare no types."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pyarrow as pa

from kozmo_singer.errors import ReadError
from kozmo_singer.systems.formats.csv_types import (
    NUMBERS,
    TEXTS,
    Numbers,
    misfit,
    spelt,
    typed,
    without_blanks,
)
from kozmo_singer.wire.arrow import JSON
from kozmo_singer.wire.arrow_lines import SPELT
from kozmo_singer.wire.types import Column

Refuse = Callable[[Column, str, int], ReadError]
"""Returns the error for a column, one of its cells that does not fit, and the place of that."""


def typed_cells(
    columns: Sequence[Column],
    cells: Callable[[str], pa.Array],
    numbers: Numbers,
    refuse: Refuse,
    *,
    arrow: bool,
) -> pa.RecordBatch:
    """Return *columns*, see FileReader.batches; *cells* gives the texts or the integers of each."""
    arrays, fields = [], []
    for column in columns:
        found = cells(column.name)
        name = column.type.name
        if pa.types.is_integer(found.type):
            arrays.append(found)
            fields.append(pa.field(column.name, found.type))
            continue
        if name != "string":
            found = found if name in TEXTS else without_blanks(found)
            place = None
            if name in NUMBERS and not numbers.plain:
                place = numbers.misfit(found)
                found = found if place is not None else numbers.read(found)
            if place is None:
                place = misfit(found, column.type)
            if place is not None:
                raise refuse(column, cells(column.name)[place].as_py(), place)
        made = typed(found, column.type) if arrow else spelt(found, column.type)
        marks = JSON if name == "json" else SPELT if name in NUMBERS and not arrow else None
        arrays.append(made)
        fields.append(pa.field(column.name, made.type, metadata=marks))
    return pa.RecordBatch.from_arrays(arrays, schema=pa.schema(fields))


def shown(value: str) -> str:
    """Return *value* as errors show it."""
    return repr(value if len(value) <= 40 else value[:40] + "...")
