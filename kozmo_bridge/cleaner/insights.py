"""What is remarkable about a table, in sentences with their numbers."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

from kozmo_bridge.cleaner.kinds import NUMERIC, WORDS, Kind
from kozmo_bridge.cleaner.model import ColumnProfile, Insight, Profile

_STRONG = 0.9
_MOST = 60


def insights(profile: Profile) -> tuple[Insight, ...]:
    """Return the insights, those that matter most first; at most 60."""
    if not profile.rows or not profile.columns:
        return (Insight(_size(profile), 1.0),)
    found = [insight for look in _LOOKS for insight in look(profile)]
    ordered = sorted(found, key=lambda insight: -insight.weight)
    return tuple(ordered[:_MOST])


def share(part: float, whole: float) -> str:
    """Return *part* of *whole* in percent, never 0 % or 100 % of what is not so."""
    percent = 100 * part / whole if whole else 0.0
    if 0 < percent < 0.1:
        return "under 0.1 %"
    if 99.9 < percent < 100:
        return "over 99.9 %"
    return f"{percent:.0f} %" if percent >= 10 or percent == 0 else f"{percent:.1f} %"


def figure(value: object) -> str:
    """Return *value* as it is read aloud: thousands marked, four digits of a fraction."""
    if isinstance(value, bool) or value is None:
        return str(value)
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return (
            f"{value:,.0f}"
            if math.isfinite(value) and value == math.floor(value) and abs(value) < 1e15
            else f"{value:,.4g}"
        )
    return str(value)


def plural(number: int, word: str) -> str:
    """Return *number* with *word*, in the plural where it is not one."""
    return f"{number:,} {word}" + ("" if number == 1 else "s")


def _size(profile: Profile) -> str:
    rows, columns = plural(profile.rows, "row"), plural(len(profile.columns), "column")
    return f"The table has {rows} and {columns}."


def _rows(profile: Profile) -> Iterator[Insight]:
    doubled = profile.relations.duplicate_rows
    if doubled:
        part = share(doubled, profile.rows)
        yield Insight(
            f"{plural(doubled, 'row')} ({part}) {'is' if doubled == 1 else 'are'} equal to an "
            "earlier one.",
            0.6 + 0.35 * min(1.0, 5 * doubled / profile.rows),
        )
    keys = profile.relations.keys
    if keys:
        names = [" with ".join(key) for key in keys[:3]]
        yield Insight(f"Every row is told apart by {', or by '.join(names)}.", 0.35, keys[0])


def _faults(profile: Profile) -> Iterator[Insight]:
    for column in profile.columns:
        if column.fault:
            yield Insight(f"{column.label}: {column.fault}", 1.0, (column.label,))


def _missing(profile: Profile) -> Iterator[Insight]:
    for column in profile.columns:
        figures = column.statistics
        if column.kind is Kind.EMPTY:
            yield Insight(f"{column.label} is empty.", 0.65, (column.label,))
        elif figures.nulls:
            part = figures.nulls / figures.cells
            if part >= 0.01:
                text = f"{column.label} has no value in {share(part, 1)} of the rows."
                yield Insight(text, 0.3 + 0.5 * part, (column.label,))
        if figures.disguised:
            words = ", ".join(
                f"'{word}' {plural(n, 'time')}" for word, n in list(figures.disguised.items())[:3]
            )
            yield Insight(f"{column.label} hides missing values: {words}.", 0.78, (column.label,))
        if figures.empty:
            text = f"{column.label} has {plural(figures.empty, 'cell')} of nothing but blanks."
            yield Insight(text, 0.6, (column.label,))


def _kinds(profile: Profile) -> Iterator[Insight]:
    for column in profile.columns:
        guess, figures = column.guess, column.statistics
        if guess.ambiguous:
            yield Insight(f"{column.label} is ambiguous: {guess.ambiguous}.", 0.85, (column.label,))
        if figures.invalid and column.kind not in WORDS:
            examples = ", ".join(f"'{text}'" for text in guess.counter_examples[:2])
            cells = plural(figures.invalid, "cell")
            said = f"{column.label}: {cells} ({share(figures.invalid, figures.count)}) cannot be "
            yield Insight(f"{said}{kind_words(column)}, such as {examples}.", 0.75, (column.label,))
        if column.dtype == "String" and column.kind in {*NUMERIC, Kind.DATETIME}:
            form = f" ({guess.format})" if guess.format else ""
            text = f"{column.label} is stored as text and holds {kind_words(column)}{form}."
            yield Insight(text, 0.55, (column.label,))


def kind_words(column: ColumnProfile) -> str:
    """Return what the values of *column* are, in the plural: e-mail addresses."""
    names = {
        Kind.NUMBER: "whole numbers",
        Kind.NUMBER_WITH_DECIMALS: "numbers",
        Kind.CURRENCY: f"amounts in {column.guess.unit}",
        Kind.PERCENTAGE: "percentages",
        Kind.DATETIME: "dates or times",
        Kind.EMAIL: "e-mail addresses",
        Kind.URL: "URLs",
        Kind.IP: "IP addresses",
        Kind.UUID: "UUIDs",
        Kind.GEO: "coordinates",
        Kind.JSON: "JSON",
    }
    return names.get(column.kind, f"{column.kind.value.replace('_', ' ')}s")


def _values(profile: Profile) -> Iterator[Insight]:
    for column in profile.columns:
        figures = column.statistics
        if figures.count > 1 and figures.distinct == 1:
            text = f"{column.label} holds one value alone: {figure(figures.mode)!s:.60}."
            yield Insight(text, 0.62, (column.label,))
        elif figures.mode_cells > 0.95 * figures.count > 20:
            part = share(figures.mode_cells, figures.count)
            text = f"{column.label} is {figure(figures.mode)!s:.40} in {part} of its cells."
            yield Insight(text, 0.5, (column.label,))
        if column.spellings:
            first = " = ".join(f"'{word}'" for word in column.spellings[0][:4])
            groups = plural(len(column.spellings), "value")
            text = f"{column.label} writes {groups} in more than one way: {first}."
            yield Insight(text, 0.68, (column.label,))


def _numbers(profile: Profile) -> Iterator[Insight]:
    for column in profile.columns:
        figures = column.statistics
        beyond = figures.outliers
        if beyond is not None and beyond.cells and column.kind is not Kind.IDENTIFIER:
            part = beyond.cells / max(1, figures.count)
            far = figure(beyond.examples[0]) if beyond.examples else ""
            text = (
                f"{column.label} has {plural(beyond.cells, 'outlier')} ({share(part, 1)}) outside "
                f"{figure(beyond.low)} to {figure(beyond.high)}; the farthest is {far}."
            )
            yield Insight(text, 0.62 if part < 0.01 else 0.45, (column.label,))
        if figures.infinities:
            text = f"{column.label} has {plural(figures.infinities, 'infinite value')}."
            yield Insight(text, 0.74, (column.label,))
        if figures.skew is not None and abs(figures.skew) > 3 and column.kind in NUMERIC:
            side = "right" if figures.skew > 0 else "left"
            text = f"{column.label} is skewed to the {side} ({figures.skew:.1f}): its mean is "
            text += f"{figure(figures.mean)}, its median {figure(figures.median)}."
            yield Insight(text, 0.32, (column.label,))


def _times(profile: Profile) -> Iterator[Insight]:
    for column in profile.columns:
        gaps = column.statistics.gaps
        if gaps is not None and gaps.holes:
            text = (
                f"{column.label} comes every {span(gaps.typical)}, with "
                f"{plural(gaps.holes, 'hole')}; the longest, of {span(gaps.largest)}, follows "
                f"{gaps.largest_after}."
            )
            yield Insight(text, 0.55, (column.label,))
        if column.statistics.order and column.kind is Kind.DATETIME:
            text = f"The rows stand in {column.statistics.order} order of {column.label}."
            yield Insight(text, 0.25, (column.label,))


def span(seconds: float) -> str:
    """Return a span of time in its largest fitting unit: 90 -> 90 seconds, 86400 -> day."""
    for size, word in ((31_557_600, "year"), (86_400, "day"), (3_600, "hour"), (60, "minute")):
        if seconds >= 2 * size or seconds == size:
            number = seconds / size
            return word if number == 1 else f"{number:,.4g} {word}s"
    return f"{seconds:,.4g} seconds"


def _relations(profile: Profile) -> Iterator[Insight]:
    relations = profile.relations
    names = relations.correlated
    for i, left in enumerate(names):
        for j in range(i + 1, len(names)):
            value = relations.correlation[i][j]
            if value is not None and abs(value) >= _STRONG:
                way = "rise together" if value > 0 else "go against each other"
                text = f"{left} and {names[j]} {way} (correlation {value:.2f})."
                yield Insight(text, 0.4 + 0.15 * abs(value), (left, names[j]))
    inflated = [name for name, factor in relations.inflation.items() if factor > 10]
    if len(inflated) > 2:
        text = f"{', '.join(inflated[:6])} tell much the same: each follows from the others."
        yield Insight(text, 0.52, tuple(inflated))
    for found in relations.dependencies:
        if found.share < 1:
            part = share(1 - found.share, 1)
            text = f"{found.left} tells {found.right}, but for {part} of the rows: errors, perhaps."
            yield Insight(text, 0.5, (found.left, found.right))
        else:
            text = f"{found.left} tells {found.right}: equal values have equal ones there."
            yield Insight(text, 0.3, (found.left, found.right))


_LOOKS: tuple[Callable[[Profile], Iterator[Insight]], ...] = (
    _rows, _faults, _missing, _kinds, _values, _numbers, _times, _relations,
)  # fmt: skip
