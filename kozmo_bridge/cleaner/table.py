"""Any frame as a polars frame, and the result as the kind of frame that came in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import polars as pl

ROW = "\x00row"
"""The hidden column that numbers the rows of a Table: which row of the original each one is."""


@dataclass(frozen=True)
class Table:
    """A table as the cleaner works on it, and where it came from.

    frame: polars; its columns are the labels. original: what came in. labels: the names of the
    columns as texts, made unique: `a`, `a_2`; levels of a MultiIndex are joined by ` / `.
    faults: by label, why a column could not be taken with its own type; it is there as text then.
    """

    frame: pl.DataFrame
    original: Any
    names: tuple[Any, ...]
    faults: Mapping[str, str] = field(default_factory=dict)

    @property
    def labels(self) -> list[str]:
        """The names of the columns as unique texts."""
        return self.frame.columns

    @classmethod
    def of(cls, given: Any) -> Table:
        """Return *given* as a table; never fails for what a column holds."""
        if isinstance(given, pl.DataFrame):
            return cls(given, given, tuple(given.columns))
        import pandas as pd

        if isinstance(given, pd.DataFrame):
            frame = pl.from_pandas(given)
            return cls(frame, given, tuple(given.columns))
        raise TypeError(type(given))

    def back(self, result: pl.DataFrame) -> Any:
        """Return *result* as the kind of frame that came in.

        *result* may hold ROW; columns of the original whose values are the same are given back
        with their own type and index, down to the objects in their cells.
        """
        result = result.drop(ROW, strict=False)
        return result if isinstance(self.original, pl.DataFrame) else result.to_pandas()
