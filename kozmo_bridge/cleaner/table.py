"""Any frame as a polars frame, and the result as the kind of frame that came in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import polars as pl

from kozmo_bridge.cleaner.cells import Taken
from kozmo_bridge.cleaner.changes import Column, Rows, columns_of, framed, rows_of
from kozmo_bridge.cleaner.labels import labels_of
from kozmo_singer.errors import ConfigError

ROW = "\x00row"
"""The hidden column that numbers the rows of a Table: which row of the original each one is."""


class Home(Protocol):
    """One frame of its kind: how it is taken in, and how a result becomes one again."""

    names: tuple[Any, ...]
    rows: int

    def take(self) -> list[Taken]:
        """Return the columns of the frame, each with a polars type."""

    def back(self, columns: Sequence[Column], rows: Rows) -> Any:
        """Return *columns* as the kind of frame that came in."""


@dataclass(frozen=True, eq=False)
class Table:
    """A table as the cleaner works on it, and where it came from.

    frame: polars; its columns are the labels. original: what came in. labels: the names of the
    columns as texts, made unique: `a`, `a_2`; levels of a MultiIndex are joined by ` / `.
    faults: by label, why a column could not be taken with its own type; it is there as text then.
    opaque: labels of columns whose values only stand for objects, such as periods, dicts and
    mixed types; where a cell is not changed, `back` gives the object itself.
    """

    frame: pl.DataFrame
    original: Any
    names: tuple[Any, ...]
    faults: Mapping[str, str] = field(default_factory=dict)
    opaque: frozenset[str] = frozenset()
    home: Home | None = field(default=None, repr=False)

    @property
    def labels(self) -> list[str]:
        """The names of the columns as unique texts."""
        return self.frame.columns

    @classmethod
    def of(cls, given: Any) -> Table:
        """Return *given* as a table; never fails for what a column holds.

        Frames of pandas and polars, Arrow tables and whatever gives Arrow streams, Data objects
        and dicts, alone or in lists; ConfigError for anything else.
        """
        if isinstance(given, Table):
            return given
        home = _home(given)
        taken = dict(zip(labels_of(home.names), home.take(), strict=True))
        columns = [column.series.alias(label) for label, column in taken.items()]
        frame = framed(columns, home.rows)
        faults = {label: column.fault for label, column in taken.items() if column.fault}
        opaque = frozenset(label for label, column in taken.items() if column.opaque)
        return cls(frame, given, home.names, faults, opaque, home)

    def back(self, result: pl.DataFrame, renamed: Mapping[str, str] | None = None) -> Any:
        """Return *result* as the kind of frame that came in.

        *result* may hold ROW, with null for new rows; without it its rows are those of the table
        if there are as many, else new. *renamed* gives the new label of a label; a column that
        holds what a missing one held counts as renamed too. Columns whose values are the same
        are given back with their own type and index, down to the objects in their cells.
        """
        rows = rows_of(result, ROW, self.frame.height)
        result = result.drop(ROW, strict=False)
        columns = columns_of(self.frame, result, rows, renamed or {})
        home = self.home
        if home is None:
            home = _home(self.original)
            home.take()
        return home.back(columns, rows)


def _home(given: Any) -> Home:
    """Return what knows the kind of frame that *given* is; its library is imported already."""
    if isinstance(given, pl.DataFrame | pl.LazyFrame):
        from kozmo_bridge.cleaner.polars_tables import PolarsHome

        return PolarsHome(given)
    if hasattr(given, "iloc") and hasattr(given, "columns"):
        from kozmo_bridge.cleaner.pandas_tables import PandasHome

        return PandasHome(given)
    if isinstance(given, pl.Series) or hasattr(given, "iloc"):
        raise ConfigError(f"expected a table, got a single column ({type(given).__name__})")
    if hasattr(given, "__arrow_c_stream__") or type(given).__module__.startswith("pyarrow"):
        from kozmo_bridge.cleaner.arrow_tables import ArrowHome

        return ArrowHome(given)
    from kozmo_bridge.cleaner.row_tables import RowHome

    return RowHome(given)
