"""What a rule would change, found by applying it to the distinct values of its column."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import polars as pl

from kozmo_bridge.cleaner.actions import action_of, complete
from kozmo_bridge.cleaner.cleaning import FAULTS, run
from kozmo_bridge.cleaner.model import ColumnProfile, Risk, Suggestion
from kozmo_bridge.cleaner.rules import Rule

_EXAMPLES = 5
_CUT = 120


@dataclass(frozen=True)
class Effect:
    """Cells that a rule changes, those that it empties among them, and examples."""

    cells: int
    emptied: int
    examples: tuple[tuple[Any, Any], ...]
    after: pl.Series


def effect(column: ColumnProfile, rule: Rule) -> Effect | None:
    """Return what *rule*, one of cells, does to *column*; None where it can do nothing."""
    if column.values is None or not column.values.height:
        return None
    before = column.values["value"].alias(column.label)
    done = complete(rule, 1)
    action = action_of(done.action)
    try:
        after = run(action, before, done.parameters)
    except FAULTS:
        return None
    if after is before:
        return None
    return _compared(column, before, after)


def _compared(column: ColumnProfile, before: pl.Series, after: pl.Series) -> Effect:
    assert column.values is not None
    cells = column.values["cells"]
    emptied = after.is_null()
    same = before.dtype == after.dtype
    changed = before.ne_missing(after) if same else before.is_not_null()
    pairs = pl.DataFrame({"n": cells, "at": pl.int_range(len(cells), eager=True)}).filter(changed)
    pairs = pairs.sort("n", descending=True, maintain_order=True).head(_EXAMPLES)
    examples = tuple((_shown(before[i]), _shown(after[i])) for i in pairs["at"].to_list())
    return Effect(_sum(cells, changed), _sum(cells, emptied), examples, after)


def _sum(cells: pl.Series, mask: pl.Series) -> int:
    return int(cells.filter(mask).sum())


def _shown(value: Any) -> Any:
    if isinstance(value, str):
        return value if len(value) <= _CUT else f"{value[:_CUT]}…"
    if isinstance(value, int | float) or value is None:
        return value
    return str(value)


def suggestion(
    column: ColumnProfile,
    rule: Rule,
    risk: Risk,
    why: str,
    confidence: float,
    *,
    loses: str | None = None,
    found: Effect | None = None,
) -> Suggestion | None:
    """Return *rule* as a suggestion for *column*; None where it would change nothing."""
    found = found or effect(column, rule)
    if found is None or not found.cells:
        return None
    return Suggestion(
        rule, risk, found.cells, found.cells, why, round(confidence, 3), found.examples, loses,
        column.statistics.exact,
    )  # fmt: skip
