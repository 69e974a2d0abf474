"""Tables that do not fit memory: frames that come one after the other."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from typing import Any

import polars as pl

from kozmo_bridge.cleaner.changes import framed
from kozmo_bridge.cleaner.table import Table
from kozmo_bridge.convert import is_data

ROWS = 100_000
"""Rows of a batch, where the source does not come in batches itself."""


def batches(source: Any, rows: int = ROWS) -> Iterator[pl.DataFrame]:
    """Yield the frames of *source*, one after the other, with the same labels in each.

    *source*: an iterator of frames, Arrow batches or rows, a RecordBatchReader or what else gives
    an Arrow stream, a LazyFrame, or a table, which is cut. A column that a batch lacks is null
    there; one that comes later is added at the end. Types are those that each batch has; one
    with nulls alone takes the type of the batches before it. At least one frame comes, unless
    the source is an iterator without any.
    """
    seen: dict[str, pl.DataType] = {}
    for frame in _frames(source, rows):
        yield _aligned(frame, seen)


def slices(frame: pl.DataFrame, rows: int = ROWS) -> Iterator[pl.DataFrame]:
    """Yield *frame* in pieces of at most *rows* rows; a frame without rows as it is."""
    if not frame.height or not frame.width:
        yield frame
        return
    yield from frame.iter_slices(rows)


def _frames(source: Any, rows: int) -> Iterator[pl.DataFrame]:
    if isinstance(source, pl.LazyFrame):
        empty = True
        for batch in source.collect_batches(chunk_size=rows, maintain_order=True):
            empty = False
            yield Table.of(batch).frame
        if empty:
            yield Table.of(source.limit(0)).frame
    elif isinstance(source, Iterator) and not hasattr(source, "__arrow_c_stream__"):
        for given in _grouped(source, rows):
            yield Table.of(given).frame
    elif _streams(source):
        yield from _of_stream(source)
    else:
        yield from slices(Table.of(source).frame, rows)


def _grouped(source: Iterator[Any], rows: int) -> Iterator[Any]:
    """Yield what *source* does; Data and dicts that follow each other in lists of *rows*."""
    for single, items in itertools.groupby(source, _is_row):
        if single:
            while some := list(itertools.islice(items, rows)):
                yield some
        else:
            yield from items


def _is_row(given: Any) -> bool:
    return isinstance(given, Mapping) or is_data(given)


def _streams(source: Any) -> bool:
    """Whether *source* is an Arrow stream rather than a table in memory."""
    return hasattr(source, "__arrow_c_stream__") and not (
        isinstance(source, pl.DataFrame)
        or hasattr(source, "iloc")
        or hasattr(source, "column_names")
    )


def _of_stream(source: Any) -> Iterator[pl.DataFrame]:
    import pyarrow as pa

    reader = (
        source
        if isinstance(source, pa.RecordBatchReader)
        else (pa.RecordBatchReader.from_stream(source))
    )
    empty = True
    for batch in reader:
        empty = False
        yield Table.of(batch).frame
    if empty:
        yield Table.of(reader.schema.empty_table()).frame


def _aligned(frame: pl.DataFrame, seen: dict[str, pl.DataType]) -> pl.DataFrame:
    columns = []
    for label, dtype in seen.items():
        if label not in frame.columns:
            columns.append(pl.Series(label, [None] * frame.height, dtype=dtype))
        else:
            series = frame.get_column(label)
            null = series.dtype == pl.Null and dtype != pl.Null
            columns.append(series.cast(dtype) if null else series)
    columns += [s for s in frame.get_columns() if s.name not in seen]
    for series in columns:
        if seen.get(series.name, pl.Null) == pl.Null:
            seen[series.name] = series.dtype
    return framed(columns, frame.height)
