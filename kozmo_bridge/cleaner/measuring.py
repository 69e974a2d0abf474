"""The figures of a column, from its distinct values and their cells."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import polars as pl

from kozmo_bridge.cleaner.kinds import Kind
from kozmo_bridge.cleaner.model import Gaps, Histogram, Lengths, Outliers
from kozmo_bridge.cleaner.patterns import SENTINELS
from kozmo_bridge.cleaner.sketches import Moments

QUANTILES = (0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99)
_BINS = 24
_FENCE = 3.0
_LOG_FENCE = 1.5
_TAIL = 0.01
_EXAMPLES = 5
_READ, _MOST, _LONGEST = 5_000, 20, 80
_PARTS = {Kind.EMAIL: r"@([^@>\s]+)", Kind.URL: r"^(?:\w+://)?(?:[^@/\s]*@)?([^/:?#\s]+)"}


def number_figures(
    values: np.ndarray, weights: np.ndarray, moments: Moments | None = None, marked: bool = True
) -> dict[str, Any]:
    """Return the fields of Statistics for numbers: *values* are sorted, *weights* their cells.

    *moments* are those of all numbers where the values are only a sketch of them. Numbers that
    stand for none, such as -999, are told and left out, if they may be *marked* so.
    """
    finite = np.isfinite(values)
    infinities = int(weights[~finite].sum())
    values, weights = values[finite], weights[finite]
    marks = sentinels(values, weights) if marked and moments is None else {}
    if marks:
        real = ~np.isin(values, [float(mark) for mark in marks])
        values, weights = values[real], weights[real]
    if not len(values):
        return {"infinities": infinities}
    if moments is None:
        moments = Moments()
        moments.add(values, weights)
    found = quantiles(values, weights, QUANTILES)
    by_name = {str(q): v for q, v in zip(QUANTILES, found, strict=True)}
    return {
        "disguised": marks,
        **({"minimum": _native(values[0]), "maximum": _native(values[-1])} if marks else {}),
        "mean": _finite(moments.mean),
        "total": _finite(moments.mean * moments.count),
        "median": by_name["0.5"],
        "deviation": _finite(moments.deviation),
        "skew": _finite(moments.skew),
        "kurtosis": _finite(moments.kurtosis),
        "quantiles": by_name,
        "zeros": int(weights[values == 0].sum()),
        "negatives": int(weights[values < 0].sum()),
        "infinities": infinities,
        "outliers": _outliers(values, weights, by_name),
        "histogram": histogram(values, weights),
    }


def _native(value: Any) -> Any:
    number = float(value)
    return int(number) if number.is_integer() and abs(number) < 2**53 else number


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


def quantiles(values: np.ndarray, weights: np.ndarray, at: tuple[float, ...]) -> list[float]:
    """Return the quantiles *at*, interpolated between neighbours as numpy does by default."""
    ends = np.cumsum(weights)
    places = np.array(at) * (ends[-1] - 1)
    low, high = np.floor(places), np.ceil(places)
    left = values[np.searchsorted(ends, low, side="right").clip(max=len(values) - 1)]
    right = values[np.searchsorted(ends, high, side="right").clip(max=len(values) - 1)]
    part = places - low
    made = np.where(left == right, left, left * (1 - part) + right * part)
    return [float(value) for value in made]


def _outliers(
    values: np.ndarray, weights: np.ndarray, by_name: dict[str, float]
) -> Outliers | None:
    """Return what lies beyond the fences: 3 interquartile ranges outside the quartiles.

    Where that is more than one in a hundred, the numbers have long tails: 1.5 ranges on a scale of
    logarithms (of either sign) count then, if fewer lie beyond.
    """
    found = _beyond(values, weights, by_name, _FENCE)
    if found is not None and found.cells <= _TAIL * weights.sum():
        return found
    sizes = np.abs(values[values != 0])
    if not len(sizes):
        return None
    unit = float(np.median(sizes)) / 10 or 1.0
    with np.errstate(over="ignore"):
        logs = np.sign(values) * np.log1p(np.abs(values) / unit)
    if not np.isfinite(logs).all():
        return found
    by_log = dict(zip(by_name, quantiles(logs, weights, QUANTILES), strict=True))
    scaled = _beyond(logs, weights, by_log, _LOG_FENCE)
    if scaled is None:
        return found
    low, high = (math.copysign(math.expm1(min(abs(at), 700.0)) * unit, at)
                 for at in (scaled.low, scaled.high))  # fmt: skip
    wider = _told(values, weights, by_name["0.5"], low, high)
    return found if found is not None and found.cells <= wider.cells else wider


def _beyond(
    values: np.ndarray, weights: np.ndarray, by_name: dict[str, float], reach: float
) -> Outliers | None:
    low, high = by_name["0.25"], by_name["0.75"]
    if high == low:
        low, high = by_name["0.05"], by_name["0.95"]
    spread = high - low
    if not spread > 0 or not math.isfinite(spread):
        return None
    return _told(values, weights, by_name["0.5"], low - reach * spread, high + reach * spread)


def _told(
    values: np.ndarray, weights: np.ndarray, median: float, low: float, high: float
) -> Outliers:
    beyond = (values < low) | (values > high)
    far = values[beyond]
    order = np.argsort(-np.abs(far - median), kind="stable")[:_EXAMPLES]
    examples = tuple(float(value) for value in far[order])
    return Outliers(low, high, int(weights[beyond].sum()), examples)


def histogram(values: np.ndarray, weights: np.ndarray) -> Histogram | None:
    """Return the cells in ranges of equal width; whole numbers close together get one each."""
    low, high = float(values[0]), float(values[-1])
    if not math.isfinite(2 * (high - low)):
        return None
    if low == high:
        return Histogram((low, high), (int(weights.sum()),))
    bins = _BINS
    if high - low < _BINS and bool((values == np.floor(values)).all()):
        bins = int(high - low) + 1
        edges = np.arange(bins + 1) + low - 0.5
    else:
        edges = np.linspace(low, high, bins + 1)
    places = np.searchsorted(edges, values, side="right") - 1
    counts = np.bincount(places.clip(0, bins - 1), weights=weights, minlength=bins)
    return Histogram(tuple(float(edge) for edge in edges), tuple(int(n) for n in counts))


def sentinels(values: np.ndarray, weights: np.ndarray) -> dict[str, int]:
    """Return numbers such as -999 that stand for no value, with their cells.

    They come more than once, and lie below zero where nothing else does, or farther from the
    others than those from one another.
    """
    found = {}
    for mark in SENTINELS:
        at = np.flatnonzero(values == mark)
        if not len(at) or weights[at[0]] < 2:
            continue
        rest = np.delete(values, at)
        rest = rest[~np.isin(rest, SENTINELS)]
        if len(rest) < 3:
            continue
        low, high = float(rest[0]), float(rest[-1])
        away = max(low - mark, mark - high)
        if (mark <= -9 and low >= 0) or (abs(mark) > 9 and away > 2 * (high - low)):
            found[f"{mark:g}"] = int(weights[at[0]])
    return found


def lengths(values: pl.Series, cells: pl.Series) -> Lengths | None:
    """Return how long texts, binaries and lists are."""
    if values.dtype == pl.String:
        return _sizes(values.str.len_chars(), cells)
    if values.dtype == pl.Binary:
        return _sizes(values.bin.size(), cells)
    return None


def word_counts(values: pl.Series, cells: pl.Series) -> Lengths | None:
    """Return how many words texts have."""
    return _sizes(values.str.count_matches(r"\S+"), cells)


def _sizes(sizes: pl.Series, cells: pl.Series) -> Lengths | None:
    if not len(sizes):
        return None
    figures, weights = sizes.to_numpy(), cells.to_numpy()
    mean = float((figures * weights).sum() / weights.sum())
    return Lengths(int(figures.min()), round(mean, 3), int(figures.max()))


def longest_run(missing: np.ndarray, before: int) -> tuple[int, int]:
    """Return the longest run of true, and the one at the end; *before* is one that goes on."""
    there = np.flatnonzero(~missing)
    if not len(there):
        return before + len(missing), before + len(missing)
    edges = np.concatenate(([-1], there, [len(missing)]))
    runs = np.diff(edges) - 1
    runs[0] += before
    return int(runs.max()), int(runs[-1])


def frequent_parts(values: pl.Series, cells: pl.Series, kind: Kind) -> tuple[tuple[str, int], ...]:
    """Return the most frequent words of texts, domains of addresses, items of written lists."""
    frame = pl.DataFrame({"part": values, "cells": cells})
    if kind is Kind.TEXT:
        frame = frame.head(_READ).with_columns(
            pl.col("part").str.to_lowercase().str.extract_all(r"\p{L}{4,}")
        )
    elif kind in _PARTS:
        frame = frame.with_columns(pl.col("part").str.extract(_PARTS[kind]).str.to_lowercase())
    elif kind is Kind.LIST:
        frame = frame.head(_READ).with_columns(
            pl.col("part")
            .str.extract_all(r"[^\[\]{},;|\"']+")
            .list.eval(pl.element().str.strip_chars())
        )
    else:
        return ()
    if frame["part"].dtype == pl.List:
        frame = frame.explode("part")
    counted = frame.drop_nulls().filter(pl.col("part") != "").group_by("part")
    top = counted.agg(pl.col("cells").sum()).sort(["cells", "part"], descending=[True, False])
    return tuple((str(part)[:_LONGEST], int(n)) for part, n in top.head(_MOST).rows())


def moment_figures(values: pl.Series, cells: pl.Series) -> dict[str, Any]:
    """Return the fields of Statistics for dates, moments, times and spans: sorted values."""
    exact = values.to_physical()
    ticks = exact.cast(pl.Float64).to_numpy()
    weights = cells.to_numpy()
    per_second = _per_second(values.dtype)
    found = histogram(ticks, weights)
    if found is not None:
        kind = values.dtype
        # A float may round an end up to what 64 bits do not hold.
        low, high = int(exact[0]), int(exact[-1])
        ticked = [min(max(int(edge), low), high) for edge in found.edges]
        edges = pl.Series(ticked, dtype=exact.dtype)
        said = [value if value is None else str(value) for value in edges.cast(kind).to_list()]
        found = Histogram(tuple(said), found.counts)
    middle = int(np.searchsorted(np.cumsum(weights), (weights.sum() + 1) // 2))
    made: dict[str, Any] = {"histogram": found, "median": str(values[middle])}
    if isinstance(values.dtype, pl.Date | pl.Datetime) and len(ticks) > 2:
        made["gaps"] = _gaps(values, ticks, per_second)
    return made


def _per_second(dtype: pl.DataType) -> float:
    if isinstance(dtype, pl.Datetime | pl.Duration):
        return {"ms": 1e3, "us": 1e6, "ns": 1e9}[dtype.time_unit or "us"]
    return 1e9 if isinstance(dtype, pl.Time) else 1 / 86_400


def _gaps(values: pl.Series, ticks: np.ndarray, per_second: float) -> Gaps:
    steps = np.diff(ticks) / per_second
    typical = float(np.median(steps))
    at = int(np.argmax(steps))
    regular = float((np.abs(steps - typical) <= 0.1 * typical).mean()) >= 0.8
    holes = int((steps > 2 * typical).sum()) if regular else 0
    return Gaps(typical, float(steps[at]), values[at].isoformat(), holes)
