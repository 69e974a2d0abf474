"""What cleaning did: for each rule and column, which cells were what before."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from kozmo_bridge.cleaner.plain import plain
from kozmo_bridge.cleaner.table import ROW

SHOWN = 20
_KEPT = 10_000
"""Classes of changed cells that are counted by name for one column and rule."""
_LONGEST = 200


@dataclass(frozen=True)
class LogEntry:
    """What one rule did to one column, or to the rows, where `column` is None.

    step: the number of the rule, from 1. cells: how many changed. rows: how many were changed,
    dropped or added. was: what cells were, what they became, and how many did so, the most
    frequent first, at most 20; others: the changed cells that this leaves out. Of a change of the
    type alone, `1` to 1, no cell is counted: note says it.
    """

    step: int
    action: str
    column: str | None
    cells: int
    rows: int
    was: tuple[tuple[Any, Any, int], ...] = ()
    others: int = 0
    note: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Return the entry as JSON takes it."""
        made: dict[str, Any] = plain(self)
        return made


@dataclass(frozen=True)
class Fault:
    """Why a rule was not followed for a column, which was left as it was before.

    step 0 is reading the table itself. column is None where a rule is for the whole table.
    """

    column: str | None
    why: str
    step: int = 0
    action: str = ""


@dataclass
class _Counts:
    cells: int = 0
    rows: int = 0
    classes: Counter[tuple[Any, Any]] = field(default_factory=Counter)
    note: str = ""


class Logbook:
    """Counts what changed, batch after batch."""

    def __init__(self) -> None:
        self._counts: dict[tuple[int, str, str | None], _Counts] = {}
        self._places: dict[str | None, int] = {None: -1}

    def see(self, columns: Iterable[str]) -> None:
        """Take note of the order of *columns*, which is that of the entries."""
        for name in columns:
            self._places.setdefault(name, len(self._places))

    def saw(self, column: str) -> bool:
        """Return whether the table had *column* when a rule before began."""
        return column in self._places

    def entries(self) -> list[LogEntry]:
        """Return what was done so far, in the order of the rules."""
        found = []
        for (step, action, column), counts in sorted(
            self._counts.items(), key=lambda item: (item[0][0], self._places[item[0][2]])
        ):
            ranked = sorted(counts.classes.items(), key=lambda item: (-item[1], repr(item[0])))
            was = tuple((before, after, cells) for (before, after), cells in ranked[:SHOWN])
            others = counts.cells - sum(cells for _, _, cells in was)
            found.append(
                LogEntry(
                    step,
                    action,
                    column,
                    counts.cells,
                    counts.rows,
                    was,
                    others if was else 0,
                    counts.note,
                )  # fmt: skip
            )
        return found

    def cells(self, step: int, action: str, before: pl.Series, after: pl.Series) -> None:
        """Count the cells of one column that differ."""
        self.see([before.name])
        note = "" if before.dtype == after.dtype else _retyped(before.dtype, after.dtype)
        changed = _changes(before, after)
        total = int(changed.get_column("cells").sum()) if changed is not None else 0
        if not total and not note:
            return
        counts = self._of(step, action, before.name)
        counts.note = note or counts.note
        counts.cells += total
        counts.rows += total
        if changed is None:
            return
        for was, made, cells in changed.iter_rows():
            key = (_shown(was), _shown(made))
            if key in counts.classes or len(counts.classes) < _KEPT:
                counts.classes[key] += cells

    def frames(self, step: int, action: str, before: pl.DataFrame, after: pl.DataFrame) -> None:
        """Count what an action of frames did: rows, columns, and cells where the rows stayed."""
        self.see([*before.columns, *after.columns])
        old, new = set(before.columns) - {ROW}, set(after.columns) - {ROW}
        gone, added, both = old - new, new - old, old & new
        for name in before.columns:
            if name in gone:
                self._of(step, action, name).note = "column dropped"
        for name in after.columns:
            if name in added:
                counts = self._of(step, action, name)
                counts.cells += after.height
                counts.rows += after.height
                counts.note = "column added"
        if before.height != after.height:
            counts = self._of(step, action, None)
            counts.rows += abs(before.height - after.height)
            counts.note = "rows dropped" if before.height > after.height else "rows added"
        elif _same_rows(before, after):
            for name in before.columns:
                if name in both:
                    self.cells(step, action, before.get_column(name), after.get_column(name))
        else:
            self._of(step, action, None).note = "rows in another order"

    def _of(self, step: int, action: str, column: str | None) -> _Counts:
        return self._counts.setdefault((step, action, column), _Counts())


def _retyped(before: pl.DataType, after: pl.DataType) -> str:
    """Return in words that a type became another; the categories of an Enum are left out."""
    if type(before) is type(after) and isinstance(before, pl.Enum):
        return "other categories"
    was, made = (type(each).__name__ if each == pl.Enum else str(each) for each in (before, after))
    return f"{was} became {made}"


def _same_rows(before: pl.DataFrame, after: pl.DataFrame) -> bool:
    if ROW not in before.columns or ROW not in after.columns:
        return True
    return before.get_column(ROW).equals(after.get_column(ROW))


def _changes(before: pl.Series, after: pl.Series) -> pl.DataFrame | None:
    """Return the pairs of values that differ and how often, or None if they cannot be compared."""
    if before.dtype == after.dtype and before.equals(after, null_equal=True):
        return None
    try:
        pairs = pl.DataFrame({"before": _comparable(before), "after": _comparable(after)})
        same = pl.col("before").eq_missing(pl.col("after"))
        if pairs.schema["before"] != pairs.schema["after"]:
            same = _same_value(pairs)
        changed = pairs.filter(~same).group_by("before", "after").agg(pl.len().alias("cells"))
        return changed.sort(
            ["cells", "before", "after"], descending=[True, False, False], nulls_last=True
        )
    except (pl.exceptions.PolarsError, TypeError, ValueError):
        return None


def _same_value(pairs: pl.DataFrame) -> pl.Expr:
    """Return where values of two types are the same: as texts, or as numbers."""
    before, after = pl.col("before"), pl.col("after")
    same = before.cast(pl.String).eq_missing(after.cast(pl.String))
    was, is_ = pairs.schema["before"], pairs.schema["after"]
    if is_.is_numeric() and (was.is_numeric() or was == pl.String):
        numbers = before.cast(pl.Float64, strict=False) == after.cast(pl.Float64)
        same |= numbers.fill_null(False)
    return same


def _comparable(column: pl.Series) -> pl.Series:
    if isinstance(column.dtype, pl.Categorical | pl.Enum):
        made: pl.Series = column.cast(pl.String)
        return made
    return column


def _shown(value: Any) -> Any:
    """Return *value* as it stands in the log: whatever is no number is text, cut if it is long."""
    value = plain(value)
    if isinstance(value, str) and len(value) > _LONGEST:
        return value[: _LONGEST - 1] + "…"
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)


def merged(faults: Iterable[Fault]) -> list[Fault]:
    """Return *faults* once each, in their order."""
    return list(dict.fromkeys(faults))
