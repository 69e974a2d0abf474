"""polars frames: what only Python knows is taken as text, the rest is as it is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import polars as pl

from kozmo_bridge.cleaner.cells import Taken, of_objects
from kozmo_bridge.cleaner.changes import Column, Rows, framed, merged
from kozmo_bridge.cleaner.labels import labels_of


class PolarsHome:
    """A DataFrame, or a LazyFrame, which is collected and given back as one."""

    def __init__(self, given: Any) -> None:
        self.lazy = isinstance(given, pl.LazyFrame)
        self.frame: pl.DataFrame = given.collect() if self.lazy else given
        self.names: tuple[Any, ...] = tuple(self.frame.columns)
        self.rows = self.frame.height

    def take(self) -> list[Taken]:
        """Return the columns; see Home."""
        return [_taken(series) for series in self.frame.get_columns()]

    def back(self, columns: Sequence[Column], rows: Rows) -> Any:
        """Return a DataFrame, or a LazyFrame if that was given; see Home."""
        names = [
            column.label if column.place is None or column.renamed else self.names[column.place]
            for column in columns
        ]
        if len(set(names)) < len(names):
            names = labels_of(names)
        series = [
            self._series(column, rows).alias(n) for column, n in zip(columns, names, strict=True)
        ]
        made = framed(series, rows.count)
        return made.lazy() if self.lazy else made

    def _series(self, column: Column, rows: Rows) -> pl.Series:
        if column.place is None or column.retyped:
            return column.series
        base = self.frame.to_series(column.place)
        if column.same and rows.same:
            return base
        if base.dtype == pl.Object:
            return pl.Series(merged(base.to_list(), column, rows), dtype=pl.Object)
        if column.same and isinstance(base.dtype, pl.BaseExtension):
            return rows.of(base)
        return column.series


def _taken(series: pl.Series) -> Taken:
    if series.dtype == pl.Object:
        return of_objects(series.to_list())
    if isinstance(series.dtype, pl.BaseExtension):
        return Taken(series.ext.storage(), opaque=True)
    return Taken(series)
