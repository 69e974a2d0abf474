"""Charts as SVG in the text of a page; colours and fonts are those of the page's style."""

from __future__ import annotations

import html
import itertools
import math
from collections.abc import Sequence
from typing import Any

from kozmo_bridge.cleaner.model import ColumnProfile, Histogram, Statistics
from kozmo_bridge.cleaner.report import visible
from kozmo_bridge.cleaner.report.visible import Html

HEIGHT = 100
LEVELS = 4
"""Shades of the missing matrix."""


def edge(value: Any) -> str:
    """Return the edge of a histogram as text: dates without the midnight, numbers as figures."""
    if isinstance(value, str):
        moment = value.replace("T", " ", 1)
        return visible.line(moment.split(" 00:00:00", 1)[0].split("+", 1)[0][:19], 24)
    return visible.figure(value)


def bars(statistics: Statistics, label: str, titles: bool = True) -> Html:
    """Return the histogram; bars beyond the fences of outliers are marked, quartiles are below.

    titles: each bar says its range and cells when it is pointed at.
    """
    drawn = statistics.histogram
    if drawn is None or not any(drawn.counts):
        return Html()
    most = max(drawn.counts)
    parts = []
    for i, count in enumerate(drawn.counts):
        if not count:
            continue
        height = max(2.5, HEIGHT * count / most)
        strange = ' class="out"' if _is_beyond(statistics, drawn, i) else ""
        place = f'x="{i * 10 + 0.5:g}" y="{HEIGHT - height:.1f}" width="9" height="{height:.1f}"'
        box = f"<rect{strange} {place}"
        if titles:
            low, high = edge(drawn.edges[i]), edge(drawn.edges[i + 1])
            text = html.escape(f"{low} to {high}: {visible.counted(count, 'cell')}")
            parts.append(f"{box}><title>{text}</title></rect>")
        else:
            parts.append(f"{box}/>")
    said = f"Distribution of {visible.line(label, 60)}: {_shape(drawn)}"
    return Html(
        f'<svg class="bars" role="img" aria-label="{html.escape(said)}" '
        f'viewBox="0 0 {10 * len(drawn.counts)} {HEIGHT}" preserveAspectRatio="none">'
        f"{''.join(parts)}</svg>{_box(statistics, drawn)}"
    )


def _shape(drawn: Histogram) -> str:
    """Say in words what the histogram shows, for those who do not see it."""
    fullest = max(range(len(drawn.counts)), key=lambda i: drawn.counts[i])
    part = visible.share(drawn.counts[fullest], sum(drawn.counts))
    return (
        f"from {edge(drawn.edges[0])} to {edge(drawn.edges[-1])}, most of it ({part}) "
        f"between {edge(drawn.edges[fullest])} and {edge(drawn.edges[fullest + 1])}"
    )


def _is_beyond(statistics: Statistics, drawn: Histogram, i: int) -> bool:
    fences = statistics.outliers
    low, high = drawn.edges[i], drawn.edges[i + 1]
    if fences is None or not _are_numbers(low, high):
        return False
    return bool(high <= fences.low or low >= fences.high)


def _box(statistics: Statistics, drawn: Histogram) -> str:
    """Return a line from the 5 % to the 95 % quantile, a box of the quartiles, the median."""
    low, high = drawn.edges[0], drawn.edges[-1]
    found = [statistics.quantiles.get(q) for q in ("0.05", "0.25", "0.5", "0.75", "0.95")]
    if not _are_numbers(low, high, *found) or high <= low:
        return ""
    width = 1000
    a, b, c, d, e = (width * (float(q or 0) - low) / (high - low) for q in found)
    return (
        f'<svg class="box" aria-hidden="true" viewBox="0 0 {width} 10" preserveAspectRatio="none">'
        f'<path class="line" d="M{a:.0f} 4.5H{e:.0f}v1H{a:.0f}z"/>'
        f'<path class="mid" d="M{b:.0f} 2H{max(d, b + 3):.0f}v6H{b:.0f}z"/>'
        f'<path class="median" d="M{c - 2:.0f} 0h4v10h-4z"/></svg>'
    )


def _are_numbers(*values: Any) -> bool:
    return all(isinstance(v, int | float) and math.isfinite(v) for v in values)


def mini(column: ColumnProfile) -> Html:
    """Return a small picture of how the values lie: a histogram, or the shares of the top ones."""
    statistics = column.statistics
    drawn = statistics.histogram
    if drawn is not None and any(drawn.counts):
        most = max(drawn.counts)
        path = "".join(
            f"M{4 * i} 24v-{max(1.0, 24 * count / most):.0f}h3V24z"
            for i, count in enumerate(drawn.counts)
            if count
        )
        size = f"0 0 {4 * len(drawn.counts) - 1} 24"
        return Html(
            f'<svg class="mini" aria-hidden="true" viewBox="{size}" preserveAspectRatio="none">'
            f'<path d="{path}"/></svg>'
        )
    if not statistics.top or statistics.mode_cells < 2:
        return Html()
    return _shares([cells / statistics.count for _, cells in statistics.top[:8]])


def _shares(parts: Sequence[float]) -> Html:
    """Return a bar in which each value has its share, paler and paler, the rest left empty."""
    made, at = [], 0.0
    for i, part in enumerate(parts):
        width = 100 * part
        if width < 1:
            break
        opacity = max(0.2, 1 - 0.22 * i)
        made.append(
            f'<path opacity="{opacity:.2g}" d="M{at:.1f} 8h{width - 0.8:.1f}v8H{at:.1f}z"/>'
        )
        at += width
    return Html(
        '<svg class="mini" aria-hidden="true" viewBox="0 0 100 24" preserveAspectRatio="none">'
        f'<path class="rest" d="M0 8h100v8H0z"/>{"".join(made)}</svg>'
    )


def strip(column: ColumnProfile) -> Html:
    """Return where in the table the column has nulls: stretches of rows, the darker the more."""
    pattern = column.gap_pattern
    levels = [min(LEVELS, math.ceil(LEVELS * part)) for part in pattern]
    paths: dict[int, list[str]] = {}
    at = 0
    for level, run in itertools.groupby(levels):
        length = len(list(run))
        if level:
            paths.setdefault(level, []).append(f"M{at} 0h{length}v1H{at}z")
        at += length
    drawn = "".join(f'<path class="l{n}" d="{"".join(d)}"/>' for n, d in sorted(paths.items()))
    said = f"{sum(map(bool, levels))} of {len(pattern)} stretches of rows lack values"
    return Html(
        f'<svg class="strip" role="img" aria-label="{said}" viewBox="0 0 {len(pattern)} 1" '
        f'preserveAspectRatio="none">{drawn}</svg>'
    )


def spark(counts: Sequence[int], width: int = 12) -> str:
    """Return counts as a line of blocks for a terminal, at most *width* of them."""
    if not counts or not max(counts):
        return ""
    step = math.ceil(len(counts) / width)
    merged = [sum(counts[i : i + step]) for i in range(0, len(counts), step)]
    most = max(merged)
    blocks = "▁▂▃▄▅▆▇█"
    return "".join(blocks[math.ceil(7 * n / most)] if n else " " for n in merged)
