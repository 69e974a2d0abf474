"""What a result changed of the table that it was made from: its rows, its columns, its cells."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from kozmo_bridge.cleaner.cells import FAULTS

CANDIDATES = 20
"""Missing columns that a new one is compared with, to see whether it is one of them renamed."""


@dataclass(frozen=True)
class Rows:
    """The rows of a result. taken: for each the row of the original, -1 for a new one; None: all.

    New rows come with no value in the columns that are not given any.
    """

    count: int
    taken: np.ndarray[Any, np.dtype[np.int64]] | None = None

    @property
    def same(self) -> bool:
        """Whether they are the rows of the original, in their order."""
        return self.taken is None

    @property
    def new(self) -> bool:
        """Whether there are rows that the original does not have."""
        return self.taken is not None and bool((self.taken < 0).any())

    @property
    def places(self) -> Sequence[int]:
        """For each row the row of the original, or -1."""
        return range(self.count) if self.taken is None else self.taken.tolist()

    def of(self, series: pl.Series) -> pl.Series:
        """Return the values of a column of the original for these rows; null for new ones."""
        if self.taken is None:
            return series
        places = pl.Series(self.taken)
        return series.gather(places.set(places < 0, None) if self.new else places)


@dataclass(frozen=True)
class Column:
    """A column of a result.

    place: the position of the column of the original that it is, if it is one. changed: which cells
    have another value than there; None if none has. retyped: it has another type than there.
    """

    label: str
    series: pl.Series
    place: int | None = None
    renamed: bool = False
    changed: pl.Series | None = None
    retyped: bool = False

    @property
    def same(self) -> bool:
        """Whether it is a column of the original of which no cell is changed."""
        return self.place is not None and self.changed is None


def rows_of(result: pl.DataFrame, row: str, height: int) -> Rows:
    """Return which rows of a table of *height* rows those of *result* are, by its column *row*."""
    if row in result.columns:
        numbers = result.get_column(row).cast(pl.Int64).fill_null(-1).to_numpy()
        if len(numbers) == height and np.array_equal(numbers, np.arange(height)):
            return Rows(height)
        return Rows(len(numbers), numbers)
    if result.height == height or not result.width:
        return Rows(height)
    return Rows(result.height, np.full(result.height, -1, np.int64))


def columns_of(
    frame: pl.DataFrame, result: pl.DataFrame, rows: Rows, renamed: Mapping[str, str]
) -> list[Column]:
    """Return the columns of *result* and what each changed of *frame*."""
    origins = _origins(frame, result, rows, renamed)
    places = {label: place for place, label in enumerate(frame.columns)}
    made = []
    for series in result.get_columns():
        origin = origins.get(series.name)
        if origin is None:
            made.append(Column(series.name, series))
        else:
            base = rows.of(frame.get_column(origin))
            changed = _changed(series, base, rows)
            made.append(
                Column(
                    series.name,
                    series,
                    places[origin],
                    renamed=origin != series.name,
                    changed=changed,
                    retyped=series.dtype != base.dtype,
                )
            )
    return made


def _origins(
    frame: pl.DataFrame, result: pl.DataFrame, rows: Rows, renamed: Mapping[str, str]
) -> dict[str, str]:
    """Return the label in *frame* for the labels of *result* that come from there."""
    known = set(frame.columns)
    old_of = {new: old for old, new in renamed.items() if old in known}
    found = {}
    for label in result.columns:
        origin = old_of.get(label, label if label in known and label not in renamed else None)
        if origin is not None:
            found[label] = origin
    new = [label for label in result.columns if label not in found]
    if new:
        used = set(found.values())
        gone = [label for label in frame.columns if label not in used]
        _recognise(found, new, gone, result, lambda old: rows.of(frame.get_column(old)))
    return found


def _recognise(
    found: dict[str, str],
    new: Sequence[str],
    gone: list[str],
    result: pl.DataFrame,
    base: Callable[[str], pl.Series],
) -> None:
    """Add to *found* those of the *new* labels that hold what one of the first *gone* ones did."""
    for label in new:
        series = result.get_column(label)
        for old in gone[:CANDIDATES]:
            if _equal(series, base(old)):
                found[label] = old
                gone.remove(old)
                break


def _equal(series: pl.Series, base: pl.Series) -> bool:
    if series.dtype != base.dtype or series.null_count() != base.null_count():
        return False
    try:
        return series.equals(base, check_dtypes=True, null_equal=True)
    except FAULTS:  # types that polars does not compare are taken for changed
        return False


def _changed(series: pl.Series, base: pl.Series, rows: Rows) -> pl.Series | None:
    """Return which cells differ from *base*, or None; new rows always do."""
    if not rows.new and _equal(series, base):
        return None
    if series.dtype != base.dtype:
        return pl.repeat(True, len(series), dtype=pl.Boolean, eager=True)
    try:
        changed = series.ne_missing(base)
    except FAULTS:  # as above
        return pl.repeat(True, len(series), dtype=pl.Boolean, eager=True)
    return changed | pl.Series(rows.taken < 0) if rows.taken is not None else changed


def merged(objects: Sequence[Any], column: Column, rows: Rows) -> list[Any]:
    """Return the objects of the cells that are not changed, and the new values of the others."""
    if column.changed is None:
        return [objects[row] for row in rows.places]
    values = python_values(column.series)
    return [
        value if differs else objects[row]
        for value, differs, row in zip(values, column.changed, rows.places, strict=True)
    ]


def python_values(series: pl.Series) -> list[Any]:
    """Return the values as Python objects; as texts where Python's calendar ends before them."""
    try:
        return list(series.to_list())
    except (ValueError, OverflowError):
        return list(series.cast(pl.String).to_list())


def framed(columns: Sequence[pl.Series], rows: int) -> pl.DataFrame:
    """Return a frame of *columns*, or of *rows* rows without any."""
    if not columns:
        return pl.DataFrame(height=rows)
    # A list of columns would give one without a name the name column_0.
    return pl.DataFrame({column.name: column for column in columns})
