"""How columns go together: keys, duplicates, correlation, collinearity, dependencies."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import combinations

import numpy as np
import polars as pl

from kozmo_bridge.cleaner.kinds import Kind
from kozmo_bridge.cleaner.model import ColumnProfile, Dependency, Relations

MOST_NUMBERS = 60
"""Numeric columns up to which correlations are found; the first ones, where there are more."""
_MOST_CODES = 40
_MOST_PAIRS = 12
_PROBE = 2_000
_LEAST_SHARE = 0.98
_LEAST_ROWS = 20
_INFINITE = 1e8


def numeric_columns(columns: Sequence[ColumnProfile], frame: pl.DataFrame) -> list[str]:
    """Return the labels of numeric columns that vary and are not mostly gaps."""
    found: list[str] = []
    types = dict(frame.schema)  # made anew by polars each time that it is asked for
    for column in columns:
        dtype = types[column.label]
        spread = 0.0 if dtype == pl.Boolean else column.statistics.deviation
        if (
            (dtype.is_numeric() or dtype == pl.Boolean)
            and column.kind not in (Kind.IDENTIFIER, Kind.ZIP_CODE, Kind.PHONE_NUMBER)
            and spread is not None  # squares of such numbers are beyond floats
            and column.statistics.distinct > 1
            and column.statistics.nulls <= 0.5 * column.statistics.cells
        ):
            found.append(column.label)
    return found[:MOST_NUMBERS]


def correlations(frame: pl.DataFrame, labels: Sequence[str]) -> list[list[float | None]]:
    """Return Pearson's coefficients of the pairs of *labels*, over the rows that have both."""
    if len(labels) < 2:
        return []
    numbers = _matrix(frame, labels)
    there = np.isfinite(numbers)
    found = _complete(numbers) if there.all() else _pairwise(numbers, there)
    # Rounded: the order in which threads of a matrix product add up must not be seen.
    found = np.clip(found, -1, 1).round(6)
    return [[None if math.isnan(v) else float(v) + 0.0 for v in row] for row in found]


def _complete(numbers: np.ndarray) -> np.ndarray:
    centred = numbers - numbers.mean(axis=0)
    scale = np.sqrt((centred**2).sum(axis=0))
    with np.errstate(invalid="ignore", divide="ignore"):
        scaled = centred / scale
        return np.where((scale > 0) & (scale > 0)[:, None], scaled.T @ scaled, np.nan)


def _pairwise(numbers: np.ndarray, there: np.ndarray) -> np.ndarray:
    filled = np.where(there, numbers, 0.0)
    means = filled.sum(axis=0) / np.maximum(there.sum(axis=0), 1)
    centred = np.where(there, numbers - means, 0.0)
    centred = centred / np.maximum(np.abs(centred).max(axis=0), 1e-300)
    mask = there.astype(np.float64)
    count, sums, squares = mask.T @ mask, centred.T @ mask, (centred**2).T @ mask
    products = centred.T @ centred
    top = count * products - sums * sums.T
    bottom = (count * squares - sums**2) * (count * squares.T - sums.T**2)
    with np.errstate(invalid="ignore", divide="ignore"):
        whole = (bottom > 0) & (count > 2)
        return np.where(whole, top / np.sqrt(np.maximum(bottom, 0)), np.nan)


def inflation(frame: pl.DataFrame, labels: Sequence[str]) -> dict[str, float]:
    """Return the variance inflation factor of each of *labels*: 1 / (1 - R²) of a regression of
    the column on all the others, over the rows that have all of them; inf where R² is 1.
    """
    if len(labels) < 2:
        return {}
    numbers = _matrix(frame, labels)
    whole = np.isfinite(numbers).all(axis=1)
    if not whole.all():
        numbers = numbers[whole]
    if len(numbers) < max(_LEAST_ROWS, 2 * len(labels)):
        return {}
    centred = numbers - numbers.mean(axis=0)
    spread = np.sqrt((centred**2).sum(axis=0))
    keep = spread > 0
    names = [label for label, kept in zip(labels, keep, strict=True) if kept]
    if len(names) < 2:
        return {}
    scaled = centred[:, keep] / spread[keep]
    return _factors(names, scaled.T @ scaled)


def _factors(names: Sequence[str], correlations: np.ndarray) -> dict[str, float]:
    scores, vectors = np.linalg.eigh(correlations)
    scores = np.maximum(scores, 1 / _INFINITE / 100)
    factors = ((vectors**2) / scores).sum(axis=1)
    return {
        name: math.inf if factor > _INFINITE else float(f"{max(1.0, factor):.5g}")
        for name, factor in zip(names, factors.tolist(), strict=True)
    }


def _matrix(frame: pl.DataFrame, labels: Sequence[str]) -> np.ndarray:
    columns = [frame[label].cast(pl.Float64).to_numpy() for label in labels]
    return np.column_stack(columns)


def keys(
    columns: Sequence[ColumnProfile], frame: pl.DataFrame, whole: bool
) -> list[tuple[str, ...]]:
    """Return columns that tell every row apart: single ones, else pairs where *frame* is whole."""
    rows = frame.height
    single: list[tuple[str, ...]] = [
        (column.label,)
        for column in columns
        if column.statistics.count
        and not column.statistics.nulls
        and not column.statistics.disguised
        and column.statistics.exact
        and column.statistics.distinct == column.statistics.count
        and column.kind not in (Kind.NUMBER_WITH_DECIMALS, Kind.TEXT, Kind.JSON, Kind.LIST)
    ]
    if single or not whole or rows < 2:
        return single
    parts = [
        column
        for column in columns
        if not column.statistics.nulls
        and column.statistics.distinct > 1
        and column.kind
        not in (Kind.NUMBER_WITH_DECIMALS, Kind.TEXT, Kind.GEO, Kind.JSON, Kind.LIST)
    ]
    likely = sorted(
        (
            (left, right)
            for left, right in combinations(parts[:_MOST_CODES], 2)
            if left.statistics.distinct * right.statistics.distinct >= rows
        ),
        key=lambda pair: pair[0].statistics.distinct * pair[1].statistics.distinct,
    )
    probe = frame.head(_PROBE)
    found: list[tuple[str, ...]] = []
    for left, right in likely[:_MOST_PAIRS]:
        pair = [left.label, right.label]
        if (
            probe.select(pl.struct(pair).n_unique()).item() == probe.height
            and frame.select(pl.struct(pair).n_unique()).item() == rows
        ):
            found.append((left.label, right.label))
    return found[:5]


def dependencies(columns: Sequence[ColumnProfile], frame: pl.DataFrame) -> list[Dependency]:
    """Return which columns determine which others, in nearly all rows (98 %)."""
    rows = frame.height
    if rows < _LEAST_ROWS:
        return []
    types = dict(frame.schema)
    usable = [
        column.label
        for column in columns
        if 1 < column.statistics.distinct <= 0.5 * rows
        and column.kind not in (Kind.NUMBER_WITH_DECIMALS, Kind.TEXT, Kind.JSON, Kind.LIST)
        and not types[column.label].is_nested()
    ][:_MOST_CODES]
    step = max(1, rows // _PROBE)
    codes = {
        label: frame[label]
        .gather_every(step)
        .rank("dense")
        .fill_null(0)
        .to_numpy()
        .astype(np.int64)
        for label in usable
    }
    tops = {column.label: column.statistics for column in columns}
    found = []
    for left in usable:
        if tops[left].distinct > 0.3 * rows:
            continue
        for right in usable:
            figures = tops[right]
            if left == right or tops[left].distinct < figures.distinct:
                continue
            if figures.mode_cells > 0.9 * figures.count:
                continue
            if _share_of_codes(codes[left], codes[right]) >= _LEAST_SHARE - 0.01:
                share = _share(frame, left, right)
                if share >= _LEAST_SHARE:
                    found.append(Dependency(left, right, round(share, 6)))
    return found


def _share_of_codes(left: np.ndarray, right: np.ndarray) -> float:
    pairs, counts = np.unique(left * (int(right.max()) + 1) + right, return_counts=True)
    owners = pairs // (int(right.max()) + 1)
    order = np.argsort(owners, kind="stable")
    starts = np.flatnonzero(np.r_[True, np.diff(owners[order]) > 0])
    most = np.maximum.reduceat(counts[order], starts)
    groups = np.add.reduceat(counts[order], starts)
    if groups.max() < 2:
        return 0.0
    # Groups of one row agree with whatever it is: only the others tell anything.
    told = groups > 1
    return float(most[told].sum() / groups[told].sum())


def _share(frame: pl.DataFrame, left: str, right: str) -> float:
    pairs = frame.lazy().select(pl.col(left).alias("l"), pl.col(right).alias("r")).drop_nulls("l")
    groups = pairs.group_by("l", "r").len("n").group_by("l").agg(
        pl.col("n").max().alias("most"), pl.col("n").sum().alias("all")
    )  # fmt: skip
    told = groups.filter(pl.col("all") > 1).select(pl.col("most", "all").sum()).collect()
    return float(told["most"][0]) / float(told["all"][0]) if told["all"][0] else 0.0


def row_hashes(frame: pl.DataFrame) -> np.ndarray:
    """Return a number for each row that equal rows share."""
    return frame.hash_rows(seed=11).to_numpy()


def _coefficients(relations: Relations, labels: Sequence[str]) -> np.ndarray:
    places = [relations.correlated.index(label) for label in labels]
    full = np.array(
        [[0.0 if v is None else v for v in row] for row in relations.correlation], dtype=np.float64
    )
    return full[np.ix_(places, places)]


def inflation_of(relations: Relations, labels: Sequence[str]) -> dict[str, float]:
    """Return the variance inflation factors of *labels* alone, from their correlations."""
    return _factors(labels, _coefficients(relations, labels))


def explaining(relations: Relations, label: str, others: Sequence[str]) -> list[str]:
    """Return which of *others* a regression of *label* draws on, those that matter most first."""
    matrix = _coefficients(relations, [label, *others])
    weights = np.linalg.lstsq(matrix[1:, 1:], matrix[1:, 0], rcond=1e-8)[0].round(4)
    order = np.argsort(-np.abs(weights), kind="stable")
    found = [others[i] for i in order if abs(weights[i]) >= 0.05]
    return found or [others[order[0]]]
