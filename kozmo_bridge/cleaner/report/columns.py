"""What the page shows of a column: ready texts, and HTML where values are shown."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from kozmo_bridge.cleaner.kinds import NUMERIC, Kind
from kozmo_bridge.cleaner.model import ColumnProfile, Guess, Histogram, Statistics
from kozmo_bridge.cleaner.report import charts, visible
from kozmo_bridge.cleaner.report.notes import Note, notes
from kozmo_bridge.cleaner.report.visible import Html

TOP, TOP_OF_MANY, SINGLES = 8, 5, 4
MANY = 60
"""Columns from which on each is told in less detail, so that the page stays small."""
SURE = 0.9
"""Confidence from which on the kind is told without it."""


@dataclass(frozen=True)
class Bar:
    """A value, the whole of it if it is long, its cells, their share, how wide its bar is."""

    value: Html
    title: str
    cells: int
    share: str
    width: float


@dataclass(frozen=True)
class Fact:
    """One thing to know beside the figures: a heading, a sentence, values."""

    name: str
    text: str = ""
    values: tuple[Html, ...] = ()
    level: str = "low"


@dataclass(frozen=True)
class ColumnView:
    """One column as the template takes it."""

    id: str
    name: Html
    search: str
    kind: Kind
    kind_words: str
    detail: Html
    dtype: str
    confidence: str
    is_sure: bool
    missing: str
    missing_width: float
    distinct: str
    mini: Html
    notes: list[Note]
    chart: Html
    axis: tuple[str, str] | None
    bars: list[Bar]
    rest: str
    all_differ: bool
    figures: list[tuple[str, str]]
    facts: list[Fact] = field(default_factory=list)


def view(column: ColumnProfile, inflation: float | None = None, many: bool = False) -> ColumnView:
    """Return *column* as the page shows it; in less detail where there are many columns."""
    statistics, guess = column.statistics, column.guess
    drawn = statistics.histogram if statistics.histogram and statistics.count else None
    missing = statistics.missing / statistics.cells if statistics.cells else 0.0
    bars = _bars(statistics, TOP_OF_MANY if many else TOP)
    return ColumnView(
        id=f"c{column.position}",
        name=visible.marked(column.label),
        search=visible.line(column.label, 200).lower(),
        kind=column.kind,
        kind_words=visible.kind(column.kind),
        detail=Html(" ".join(visible.marked(p, 40) for p in (guess.unit, guess.format) if p)),
        dtype=visible.line(column.dtype, 60),
        confidence=visible.share(guess.confidence),
        is_sure=guess.confidence >= SURE,
        missing=visible.share(missing),
        missing_width=round(100 * missing, 1),
        distinct=("" if statistics.exact else "≈ ") + f"{statistics.distinct:,}",
        mini=charts.mini(column),
        notes=notes(column),
        chart=charts.bars(statistics, column.label, titles=not many),
        axis=_axis(drawn),
        bars=bars,
        rest=_rest(statistics, len(bars)),
        all_differ=statistics.count > 1 and statistics.mode_cells <= 1 and bool(statistics.top),
        figures=list(_figures(column, inflation)),
        facts=list(_facts(column)),
    )


def _axis(drawn: Histogram | None) -> tuple[str, str] | None:
    return (charts.edge(drawn.edges[0]), charts.edge(drawn.edges[-1])) if drawn else None


def _bars(statistics: Statistics, limit: int) -> list[Bar]:
    """Return the most frequent values; of those that come once, no more than make four."""
    top = statistics.top[:limit]
    shown = [(v, cells) for i, (v, cells) in enumerate(top) if cells > 1 or i < SINGLES]
    most = max((cells for _, cells in shown), default=1) or 1
    return [
        Bar(
            visible.marked(value, 60),
            visible.line(value, 60) if len(visible.text(value, 60)) > 20 else "",
            cells,
            visible.share(cells, statistics.count),
            round(100 * cells / most, 1),
        )
        for value, cells in shown
    ]


def _rest(statistics: Statistics, shown: int) -> str:
    """Say what the bars leave out."""
    values = statistics.distinct - shown
    if not shown or values <= 0:
        return ""
    cells = statistics.count - sum(cells for _, cells in statistics.top[:shown])
    return f"{visible.counted(values, 'other value')}, {visible.share(cells, statistics.count)}"


_PARTS = {Kind.TEXT: "Words", Kind.EMAIL: "Domains", Kind.URL: "Hosts"}


def _figures(column: ColumnProfile, inflation: float | None) -> Iterator[tuple[str, str]]:
    statistics = column.statistics
    yield "Values", f"{statistics.count:,}"
    yield "Missing", _missing(statistics)
    yield "Distinct", _distinct(statistics)
    if column.kind in NUMERIC or statistics.mean is not None:
        yield from _of_numbers(statistics, inflation)
    elif statistics.minimum is not None:
        yield from _ends(column.kind is Kind.DATETIME, statistics)
    if statistics.lengths and column.kind not in NUMERIC | {Kind.DATETIME}:
        low, high = statistics.lengths.minimum, statistics.lengths.maximum
        mean = visible.figure(round(statistics.lengths.mean, 1))
        yield "Length", f"{low:,} to {high:,}, mean {mean}" if low != high else f"{low:,}"
    if statistics.parts:
        shown = (f"{visible.marked(part, 24)} × {cells:,}" for part, cells in statistics.parts[:4])
        yield _PARTS.get(column.kind, "Items"), Html(", ".join(shown))
    if statistics.longest_gap > 1:
        yield "Longest gap", visible.counted(statistics.longest_gap, "row")
    if statistics.mode_cells > 1 and statistics.mean is not None:
        yield "Mode", Html(f"{visible.marked(statistics.mode, 30)} × {statistics.mode_cells:,}")
    if statistics.order:
        yield "Order", statistics.order


def _ends(are_moments: bool, statistics: Statistics) -> Iterator[tuple[str, str]]:
    if are_moments:
        yield "Earliest", charts.edge(visible.text(statistics.minimum, 40))
        yield "Latest", charts.edge(visible.text(statistics.maximum, 40))
    else:
        yield "First", visible.marked(statistics.minimum, 40)
        yield "Last", visible.marked(statistics.maximum, 40)


def _missing(statistics: Statistics) -> str:
    if not statistics.missing:
        return "none"
    disguised = sum(statistics.disguised.values())
    of_them = "all" if disguised == statistics.missing else f"{disguised:,}"
    more = f", {of_them} disguised" if disguised else ""
    return f"{statistics.missing:,}{more}"


def _distinct(statistics: Statistics) -> str:
    about = "" if statistics.exact else "≈ "
    part = visible.share(min(1.0, statistics.unique_ratio))
    return f"{about}{statistics.distinct:,} ({part})"


def _of_numbers(statistics: Statistics, inflation: float | None) -> Iterator[tuple[str, str]]:
    quantiles = statistics.quantiles
    yield "Minimum", visible.figure(statistics.minimum)
    if "0.25" in quantiles and "0.75" in quantiles:
        low, high = visible.figure(quantiles["0.25"]), visible.figure(quantiles["0.75"])
        yield "Quartiles", f"{low} to {high}"
    if statistics.median is not None:
        yield "Median", visible.figure(statistics.median)
    if statistics.mean is not None:
        deviation = statistics.deviation
        more = f" ± {visible.figure(deviation)}" if deviation is not None else ""
        yield "Mean", f"{visible.figure(statistics.mean)}{more}"
    yield "Maximum", visible.figure(statistics.maximum)
    for name, amount in (("Zeros", statistics.zeros), ("Negative", statistics.negatives),
                         ("Infinite", statistics.infinities)):  # fmt: skip
        if amount:
            yield name, f"{amount:,} ({visible.share(amount, statistics.count)})"
    if statistics.skew is not None:
        yield "Skew", visible.figure(round(statistics.skew, 2))
    if statistics.kurtosis is not None:
        yield "Kurtosis", visible.figure(round(statistics.kurtosis, 2))
    if inflation is not None:
        yield "Inflation", visible.figure(round(inflation, 1) if inflation < 1e9 else inflation)


def _facts(column: ColumnProfile) -> Iterator[Fact]:
    statistics, guess = column.statistics, column.guess
    if column.fault:
        yield Fact("Seen in part", visible.sentence(column.fault), level="high")
    if guess.ambiguous:
        yield Fact("Ambiguous", visible.sentence(guess.ambiguous), level="high")
    if statistics.invalid:
        text = f"{visible.counted(statistics.invalid, 'cell does', 'cells do')} not fit the kind"
        shown = statistics.invalid_examples or guess.counter_examples
        yield Fact("Invalid", text, _marked(shown), "medium")
    elif guess.counter_examples:
        yield Fact("Does not fit", "", _marked(guess.counter_examples), "medium")
    if statistics.disguised:
        values = tuple(
            Html(f"<code>{visible.marked(value, 40)}</code> × {cells:,}")
            for value, cells in list(statistics.disguised.items())[:6]
        )
        yield Fact("Disguised nulls", "", values, "medium")
    if statistics.outliers and statistics.outliers.cells:
        fences = statistics.outliers
        low, high = visible.figure(fences.low), visible.figure(fences.high)
        text = f"{visible.counted(fences.cells, 'cell')} outside {low} to {high}"
        yield Fact("Outliers", text, _marked(_as_figures(fences.examples)), "medium")
    if column.spellings:
        groups = tuple(Html(" = ".join(_marked(group[:5]))) for group in column.spellings[:5])
        more = len(column.spellings) - len(groups)
        yield Fact("Spellings", f"{more:,} more groups" if more > 0 else "", groups, "medium")
    yield from _more_facts(statistics, guess, column.alternatives)


def _more_facts(
    statistics: Statistics, guess: Guess, alternatives: tuple[Guess, ...]
) -> Iterator[Fact]:
    if statistics.empty:
        yield Fact("Blank", f"{visible.counted(statistics.empty, 'text')} with nothing in it")
    if statistics.gaps:
        gaps = statistics.gaps
        text = f"{visible.span(gaps.typical)} as a rule, {visible.span(gaps.largest)} at most"
        where = f", after {charts.edge(gaps.largest_after)}"
        holes = f"; {visible.counted(gaps.holes, 'hole')}" if gaps.holes else ""
        yield Fact("Steps", text + where + holes)
    yield Fact("Why this kind", f"{visible.sentence(guess.why)} ({_evidence(guess)})")
    others = [f"{visible.kind(g.kind)} {visible.share(g.confidence)}" for g in alternatives[:3]]
    if others:
        yield Fact("Could be", ", ".join(others))


def _evidence(guess: Guess) -> str:
    return f"{visible.share(guess.share)} fit, {visible.share(guess.confidence)} sure"


def _marked(values: tuple[Any, ...], limit: int = 5) -> tuple[Html, ...]:
    return tuple(Html(f"<code>{visible.marked(value, 60)}</code>") for value in values[:limit])


def _as_figures(values: tuple[Any, ...]) -> tuple[str, ...]:
    return tuple(visible.figure(value) for value in values)
