"""What the cleaner makes of damaged tables, and of clean ones."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from kozmo_bridge.cleaner.cleaning import clean
from kozmo_bridge.cleaner.model import Risk, Suggestion
from kozmo_bridge.cleaner.profiling import profile
from kozmo_bridge.cleaner.suggesting import suggest
from labels.damage import Case


@dataclass(frozen=True)
class Outcome:
    """Whether damage was found, by a rule of which risk, and whether `auto` undid it.

    restored is None where `auto` has nothing to do with it.
    """

    case: Case
    found: bool
    risk: Risk | None = None
    restored: bool | None = None


def judged(case: Case) -> Outcome:
    """Return what becomes of a damaged table."""
    right = [each for each in suggest(profile(case.damaged)) if _answers(each, case)]
    if not right:
        return Outcome(case, False)
    risk = min((each.risk for each in right), key=("safe", "lossy", "destructive").index)
    if risk != "safe" or not case.restorable:
        return Outcome(case, True, risk)
    cured = clean(case.damaged, "auto").frame
    return Outcome(case, True, risk, same(cured, case.wanted, case.kind == "percent sign"))


def _answers(suggestion: Suggestion, case: Case) -> bool:
    columns = suggestion.rule.columns
    there = not case.column or not columns or case.column in columns
    return suggestion.rule.action in case.actions and there


def alarms(tables: Mapping[str, pl.DataFrame]) -> Counter[Risk]:
    """Return how many suggestions of each risk are made for tables in which nothing is wrong."""
    found = (each for frame in tables.values() for each in suggest(profile(frame)))
    return Counter(each.risk for each in found)


def same(one: pl.DataFrame, other: pl.DataFrame, percent: bool = False) -> bool:
    """Return whether two tables hold the same values; numbers and dates of any width are alike.

    percent: whether numbers may be a hundredth as well.
    """
    if one.columns != other.columns or one.height != other.height:
        return False
    return all(_alike(one[name], other[name], percent) for name in other.columns)


def _alike(one: pl.Series, other: pl.Series, percent: bool) -> bool:
    if other.dtype.is_numeric():
        if not (one.dtype.is_numeric() or one.dtype.is_decimal()):
            return False
        values, wanted = one.cast(pl.Float64), other.cast(pl.Float64)
        scales = (1, 100) if percent else (1,)
        return any(_close(values * scale, wanted) for scale in scales)
    if other.dtype == pl.Date and isinstance(one.dtype, pl.Datetime):
        one = one.dt.date()
    return one.dtype == other.dtype and bool(one.eq_missing(other).all())


def _close(values: pl.Series, wanted: pl.Series) -> bool:
    gaps = values.is_null() == wanted.is_null()
    near = ((values - wanted).abs() <= wanted.abs() * 1e-9 + 1e-12).fill_null(True)
    return bool((gaps & near).all())
