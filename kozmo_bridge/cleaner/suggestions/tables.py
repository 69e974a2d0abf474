"""Suggestions for rows, columns and gaps."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from kozmo_bridge.cleaner.insights import plural, share
from kozmo_bridge.cleaner.kinds import CATEGORICAL, NUMERIC, Kind
from kozmo_bridge.cleaner.model import ColumnProfile, Profile, Suggestion
from kozmo_bridge.cleaner.relating import explaining, inflation_of
from kozmo_bridge.cleaner.rules import Rule

_MOSTLY = 0.5
_FEW_ROWS = 0.05
_INFLATED = 10.0
_MANY_OUTLIERS = 0.1


def columns(profile: Profile) -> Iterator[Suggestion | None]:
    """Yield columns to leave out: empty ones, single values, what follows from others."""
    rows = profile.rows
    for column in profile.columns:
        figures = column.statistics
        missing = figures.missing + figures.empty
        if rows and missing > _MOSTLY * rows:
            why = f"{share(missing, rows)} of its cells hold no value"
            yield _drop(column, rows, why, 0.5 + 0.49 * missing / rows)
        elif rows > 1 and figures.distinct == 1 and not figures.nulls:
            yield _drop(column, rows, f"holds one value alone: {figures.mode!s:.60}", 0.9)
    yield from _collinear(profile)


def _drop(column: ColumnProfile, rows: int, why: str, sure: float) -> Suggestion:
    rule = Rule("drop_columns", (column.label,))
    return Suggestion(rule, "destructive", rows, rows, why, round(sure, 3), loses="the column",
                      exact=column.statistics.exact)  # fmt: skip


def _collinear(profile: Profile) -> Iterator[Suggestion]:
    """Yield the columns that the others determine, the most inflated first, until none is."""
    relations = profile.relations
    labels = [label for label in relations.correlated if label in relations.inflation]
    factors = dict(relations.inflation)
    while len(labels) > 1:
        worst = max(reversed(labels), key=lambda label: factors[label])
        if factors[worst] <= _INFLATED:
            return
        labels.remove(worst)
        told = " and ".join(explaining(relations, worst, labels)[:3])
        why = f"follows from {told}: its variance is inflated {factors[worst]:,.4g} times"
        rule = Rule("drop_columns", (worst,))
        yield Suggestion(
            rule, "destructive", profile.rows, profile.rows, why, 0.7, loses="the column"
        )
        factors = inflation_of(relations, labels)


def names(profile: Profile) -> Iterator[Suggestion | None]:
    """Yield the columns whose names are no plain words."""
    odd = [
        column.label
        for column in profile.columns
        if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", column.label)
    ]
    if odd:
        from kozmo_bridge.cleaner.actions.columns import clean_name

        examples = tuple((label, clean_name(label)) for label in odd[:5])
        yield Suggestion(
            Rule("clean_column_name", tuple(odd)), "lossy", 0, 0,
            "names with blanks or signs, or a digit at their start", 0.7, examples,
            "the names as they were; queries that use them",
        )  # fmt: skip


def rows(profile: Profile) -> Iterator[Suggestion | None]:
    """Yield rows to leave out: those that come twice, and those with far numbers or gaps."""
    doubled = profile.relations.duplicate_rows
    width = len(profile.columns)
    if doubled:
        yield Suggestion(
            Rule("drop_duplicates"), "destructive", doubled, doubled * width,
            f"{plural(doubled, 'row')} ({share(doubled, profile.rows)}) equal to an earlier one",
            0.85,
            loses="that there was more than one",
        )  # fmt: skip
    for column in profile.columns:
        yield _outliers(column)
        figures = column.statistics
        if 0 < figures.nulls <= _FEW_ROWS * profile.rows:
            why = f"{share(figures.nulls, profile.rows)} of the rows have no value"
            yield Suggestion(
                Rule("drop_nulls", (column.label,)), "destructive", figures.nulls,
                figures.nulls * width, why, 0.35, loses="the rows",
            )  # fmt: skip


def _outliers(column: ColumnProfile) -> Suggestion | None:
    figures = column.statistics
    beyond = figures.outliers
    if beyond is None or not beyond.cells or column.kind not in NUMERIC:
        return None
    part = beyond.cells / max(1, figures.count)
    rows = beyond.cells + figures.infinities
    if part > _MANY_OUTLIERS:
        return None
    given = {"learned": {column.label: [beyond.low, beyond.high]}, "factor": 3.0}
    return Suggestion(
        Rule("remove_outliers", (column.label,), given), "destructive", rows, rows,
        f"{plural(beyond.cells, 'value')} outside {beyond.low:,.4g} to {beyond.high:,.4g}",
        0.6 if part < 0.01 else 0.4, tuple((value, None) for value in beyond.examples),
        "the rows with these values", figures.exact,
    )  # fmt: skip


def gaps(profile: Profile) -> Iterator[Suggestion | None]:
    """Yield what fills gaps, with the value that would be put in."""
    for column in profile.columns:
        figures = column.statistics
        missing = figures.nulls
        if not missing or missing > _MOSTLY * max(1, profile.rows) or not figures.count:
            continue
        fill = _fill(column)
        if fill is not None:
            rule, why = fill
            yield Suggestion(
                rule, "lossy", missing, missing, why, 0.5,
                ((None, _put_in(column, rule)),), "which values were missing",
                figures.exact and rule.parameters.get("method") != "ffill",
            )  # fmt: skip


def _put_in(column: ColumnProfile, rule: Rule) -> Any:
    """Return what gaps become, None where it is not one value."""
    mode = column.statistics.mode if rule.parameters.get("method") == "mode" else None
    return rule.parameters.get("value", mode)


def _fill(column: ColumnProfile) -> tuple[Rule, str] | None:
    figures = column.statistics
    name = (column.label,)
    stored = not column.dtype.startswith(("String", "Categorical", "Enum"))
    if column.kind in NUMERIC and stored and figures.median is not None:
        skewed = abs(figures.skew or 0) > 1 or bool(figures.outliers and figures.outliers.cells)
        value = figures.median if skewed else figures.mean
        if column.kind is Kind.NUMBER and value is not None:
            value = round(value)
        if value is None:
            return None
        method = "median" if skewed else "mean"
        why = f"the {method} fills its gaps" + (": the mean is drawn aside" if skewed else "")
        return Rule("fill_nulls", name, {"value": value}), f"{why} ({value:,.6g})"
    if column.kind in CATEGORICAL and isinstance(figures.mode, str | bool | int):
        if figures.mode_cells >= 0.3 * figures.count:
            # A text is found again by then: rules before may have mended how it is written.
            text = isinstance(figures.mode, str)
            given = {"method": "mode"} if text else {"value": figures.mode}
            return Rule("fill_nulls", name, given), "the most frequent value fills its gaps"
        if isinstance(figures.mode, str):
            return Rule("fill_nulls", name, {"value": "missing"}), "a word fills its gaps"
    if column.kind is Kind.DATETIME and stored and figures.order:
        return Rule(
            "fill_nulls", name, {"method": "ffill"}
        ), "its moments are in order: each goes on"
    return None
