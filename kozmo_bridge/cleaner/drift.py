"""Where new rows no longer fit what the rules were made for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import polars as pl

from kozmo_bridge.cleaner.actions import Misfit, action_of, complete
from kozmo_bridge.cleaner.actions.values import gaps, visible
from kozmo_bridge.cleaner.model import Profile
from kozmo_bridge.cleaner.rules import Rules

MORE_GAPS = 0.1
"""How much the share of gaps may grow before it is said."""
What = Literal["missing column", "new column", "type", "kind", "values", "gaps"]


@dataclass(frozen=True)
class Drift:
    """One way in which a column is not what it was; text says it in a sentence."""

    column: str
    what: What
    text: str


def expectations(profile: Profile) -> dict[str, dict[str, Any]]:
    """Return what `Rules.expects` says of the columns of *profile*: type, kind, share of gaps."""
    return {
        column.label: {
            "type": column.dtype,
            "kind": column.kind.value,
            "gaps": column.statistics.nulls / (column.statistics.cells or 1),
        }
        for column in profile.columns
    }


def drifted(rules: Rules, frame: pl.DataFrame) -> list[Drift]:
    """Return where *frame* is not what `rules.expects` says, column by column."""
    found: list[Drift] = []
    if rules.expects:
        found += [
            Drift(name, "new column", f"'{name}' is new: no rule was made for it")
            for name in visible(frame)
            if name not in rules.expects
        ]
    kinds = _kinds(frame) if any("kind" in each for each in rules.expects.values()) else {}
    for name, expected in rules.expects.items():
        if name not in frame.columns:
            found.append(Drift(name, "missing column", f"'{name}' is missing"))
        else:
            found += _column(frame.get_column(name), expected, kinds.get(name))
    if not rules.expects:
        found += [
            Drift(name, "missing column", f"'{name}' is missing")
            for name in lacking(rules, frame.columns)
        ]
    return [*found, *_misfits(rules, frame)]


def lacking(rules: Rules, columns: Iterable[str]) -> list[str]:
    """Return the columns that *rules* are for, do not make, and that are not among *columns*."""
    made = set(columns)
    named: dict[str, None] = {}
    for rule in rules:
        named.update((name, None) for name in rule.columns if name not in made)
        into = rule.parameters.get("into") or ()
        made.update([into] if isinstance(into, str) else into)
        if rule.action in ("rename_columns", "clean_column_name", "expand_json"):
            break
    return list(named)


def _column(column: pl.Series, expected: Mapping[str, Any], kind: str | None) -> list[Drift]:
    name, found = column.name, []
    dtype = expected.get("type", expected.get("dtype"))
    if dtype is not None and str(column.dtype) != dtype:
        found.append(Drift(name, "type", f"'{name}' is stored as {column.dtype}, it was {dtype}"))
    if kind and expected.get("kind") not in (None, kind):
        text = f"'{name}' looks like {kind}, it was {expected['kind']}"
        found.append(Drift(name, "kind", text))
    before = expected.get("gaps")
    if isinstance(before, int | float) and column.len():
        share = gaps(column).mean()
        assert isinstance(share, float)
        if share > before + MORE_GAPS:
            text = f"{share:.0%} of '{name}' are gaps, it was {before:.0%}"
            found.append(Drift(name, "gaps", text))
    return found


def _kinds(frame: pl.DataFrame) -> dict[str, str]:
    """Return by column what profile() holds it to be."""
    from kozmo_bridge.cleaner.profiling import profile

    return {column.label: column.kind.value for column in profile(frame).columns}


def _misfits(rules: Rules, frame: pl.DataFrame) -> list[Drift]:
    """Return the columns whose values a rule that parses cannot read any more.

    A rule is tried on the columns as they come, so only the first one of each column is.
    """
    from kozmo_bridge.cleaner.cleaning import FAULTS, run

    found, seen = [], set[str]()
    for number, given in enumerate(rules, 1):
        rule = complete(given, number)
        action = action_of(rule.action)
        for name in rule.columns:
            if name in seen or name not in frame.columns:
                continue
            seen.add(name)
            if not action.of_cells or "on_error" not in action.parameters:
                continue
            try:
                run(action, frame.get_column(name), {**rule.parameters, "on_error": "fault"})
            except Misfit as error:
                found.append(Drift(name, "values", f"rule {number} ({action.name}): {error}"))
            except FAULTS as error:
                text = f"rule {number} ({action.name}): {str(error).splitlines()[0]}"
                found.append(Drift(name, "values", text))
    return found
