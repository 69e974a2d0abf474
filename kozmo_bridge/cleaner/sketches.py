"""Figures of a column that come in batches, in bounded memory and the same for the same batches.

Values      distinct values and their cells: all up to a cap, then a sample by their hashes
Moments     count, mean and the sums of powers, merged exactly (Pebay 2008)
Quantiles   a KLL sketch (Karnin, Lang, Liberty 2016): rank within 0.5 %
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import polars as pl

CAP = 262_144
"""Distinct values that are kept of a column that comes in batches."""
_SAMPLE = 32_768
_FREQUENT = 2_048
_SEED = 7


_WHOLE = (pl.Int8, pl.Int16, pl.Int32, pl.Int64, pl.UInt8, pl.UInt16, pl.UInt32, pl.UInt64)


def _counted(series: pl.Series) -> pl.DataFrame:
    """Return the distinct values of *series* and their cells, texts in the order they came in."""
    if series.dtype == pl.String:
        distinct = series.unique(maintain_order=True)
        return pl.DataFrame({"value": distinct, "cells": series.unique_counts()})
    if series.dtype.is_float() or series.dtype in _WHOLE:
        values, cells = np.unique(series.to_numpy(), return_counts=True)
        distinct = pl.Series(values, dtype=series.dtype)
        return pl.DataFrame({"value": distinct, "cells": pl.Series(cells, dtype=pl.UInt32)})
    return series.alias("value").value_counts(name="cells")


class Values:
    """Distinct values of a column (`value`) and their `cells`, nulls and NaN left out.

    Texts stand in the order in which they first came, others are sorted.

    Up to CAP values, or any number in a single batch, the table is whole and `exact`. Beyond, it
    holds those whose hashes are the lowest, whose cells are still exact, and the most frequent,
    whose cells are at least what is said: a value may have come before it was kept.
    """

    def __init__(self) -> None:
        self._table: pl.DataFrame | None = None
        self._highest: int | None = None
        self._batches = 0
        self._texts = False
        self.ends: tuple[Any, Any] | None = None
        """The least and the greatest value, where the table is not whole."""

    def add(self, series: pl.Series) -> None:
        """Take in the values of *series*, which holds neither nulls nor NaN.

        Where their type is not that of the values before, both become what holds them.
        """
        if self._table is not None and self._table.schema["value"] != series.dtype:
            series = self._widened(series)
        self._texts = series.dtype == pl.String
        counted = _counted(series)
        self._batches += 1
        if self._table is None:
            self._table = counted
        else:
            if self._highest is not None:
                self._extend(series)
                known = self._table["value"]
                low = pl.col("value").hash(_SEED) <= self._highest
                counted = counted.filter(low | pl.col("value").is_in(known.implode()))
            both = pl.concat([self._table, counted], how="vertical")
            grouped = both.group_by("value", maintain_order=self._texts)
            self._table = grouped.agg(pl.col("cells").sum())
        if self._batches > 1 and self._table.height > CAP:
            self._trim()

    def _widened(self, series: pl.Series) -> pl.Series:
        assert self._table is not None
        kept = self._table["value"]
        if self._highest is not None:
            raise ValueError(f"after many values of {kept.dtype} there are some of {series.dtype}")
        wide = wider(kept.dtype, series.dtype)
        cast = self._table.with_columns(pl.col("value").cast(wide))
        grouped = cast.group_by("value", maintain_order=True)
        self._table = grouped.agg(pl.col("cells").sum())
        made: pl.Series = series.cast(wide)
        return made

    def _extend(self, series: pl.Series) -> None:
        if len(series):
            ends = [series.min(), series.max(), *(self.ends or ())]
            self.ends = min(ends), max(ends)

    def _trim(self) -> None:
        assert self._table is not None
        if self.ends is None:
            self._extend(self._table["value"])
        hashed = self._table.with_columns(pl.col("value").hash(_SEED).alias("hash"))
        highest = hashed["hash"].bottom_k(_SAMPLE).max()
        frequent = max(2, hashed["cells"].top_k(_FREQUENT).min())  # type: ignore[type-var]
        assert isinstance(highest, int)
        self._highest = highest if self._highest is None else min(highest, self._highest)
        keep = (pl.col("hash") <= self._highest) | (pl.col("cells") >= frequent)
        self._table = hashed.filter(keep).select("value", "cells")

    @property
    def exact(self) -> bool:
        """Whether all distinct values are there."""
        return self._highest is None

    @property
    def distinct(self) -> int:
        """How many distinct values there were, within 2 % where the table is not whole."""
        if self._table is None:
            return 0
        if self._highest is None:
            return self._table.height
        low = (self._table["value"].hash(_SEED) <= self._highest).sum()
        return round((int(low) - 1) / (self._highest / 2**64))

    def table(self) -> pl.DataFrame:
        """Return the distinct values with their cells."""
        if self._table is None:
            return pl.DataFrame(
                {"value": [], "cells": []}, schema={"value": pl.Null, "cells": pl.Int64}
            )
        table = self._table.with_columns(pl.col("cells").cast(pl.Int64))
        return table if self._texts else table.sort("value")

    def sample(self, table: pl.DataFrame) -> pl.DataFrame:
        """Return the rows of table() whose cells are exact: all, or a fair sample of them."""
        if self._highest is None:
            return table
        return table.filter(pl.col("value").hash(_SEED) <= self._highest)


def wider(one: pl.DataType, other: pl.DataType) -> pl.DataType:
    """Return a type that holds the values of both: of numbers theirs, else that of texts."""
    if one.is_numeric() and other.is_numeric():
        both = pl.concat(
            [pl.DataFrame(schema={"v": one}), pl.DataFrame(schema={"v": other})],
            how="vertical_relaxed",
        )
        return both.schema["v"]
    return pl.String()


class Moments:
    """Count, mean and central moments of numbers; infinities are for the caller to leave out."""

    def __init__(self) -> None:
        self.count, self.mean, self._two, self._three, self._four = 0, 0.0, 0.0, 0.0, 0.0

    def add(self, values: np.ndarray, weights: np.ndarray | None = None) -> None:
        """Take in *values*, each as often as *weights* says."""
        weights = np.ones(len(values)) if weights is None else weights
        count = int(weights.sum())
        if not count:
            return
        with np.errstate(over="ignore", invalid="ignore"):
            mean = float((values * weights).sum() / count)
            apart = values - mean
            square = apart * apart
            weighted = weights * square
            powers = (weighted.sum(), (weighted * apart).sum(), (weighted * square).sum())
        self._merge(count, mean, *map(float, powers))

    def _merge(self, count: int, mean: float, two: float, three: float, four: float) -> None:
        before, total = self.count, self.count + count
        delta = mean - self.mean
        step = delta / total
        self._four += (
            four
            + delta * step**3 * before * count * (before**2 - before * count + count**2)
            + 6 * step**2 * (before**2 * two + count**2 * self._two)
            + 4 * step * (before * three - count * self._three)
        )
        self._three += (
            three
            + delta * step**2 * before * count * (before - count)
            + 3 * step * (before * two - count * self._two)
        )
        self._two += two + delta * step * before * count
        self.mean += step * count
        self.count = total

    @property
    def deviation(self) -> float | None:
        """Standard deviation with n - 1, None of a single value."""
        return math.sqrt(self._two / (self.count - 1)) if self.count > 1 else None

    @property
    def skew(self) -> float | None:
        """Skewness, corrected for the size of the sample as pandas does."""
        n = self.count
        if n < 3 or self._two <= 0:
            return None
        plain: float = (self._three / n) / (self._two / n) ** 1.5
        return math.sqrt(n * (n - 1)) / (n - 2) * plain

    @property
    def kurtosis(self) -> float | None:
        """Excess kurtosis, corrected for the size of the sample as pandas does."""
        n = self.count
        if n < 4 or self._two <= 0:
            return None
        plain = n * self._four / self._two**2
        return (n - 1) / ((n - 2) * (n - 3)) * ((n + 1) * plain - 3 * (n - 1))


class Quantiles:
    """Quantiles of numbers that pass by, in levels of which each counts twice the one below."""

    def __init__(self, width: int = 4_096) -> None:
        self._width = width
        self._levels: list[np.ndarray] = []
        self._odd = False

    def add(self, values: np.ndarray) -> None:
        """Take in *values*."""
        level = 0
        while len(values):
            if level == len(self._levels):
                self._levels.append(np.empty(0))
            merged = np.concatenate([self._levels[level], values])
            if len(merged) <= self._width:
                self._levels[level] = merged
                return
            merged.sort()
            self._levels[level] = merged[len(merged) // 2 * 2 :]
            values = merged[: len(merged) // 2 * 2][int(self._odd) :: 2]
            self._odd = not self._odd
            level += 1

    def table(self) -> tuple[np.ndarray, np.ndarray]:
        """Return values, sorted, and how many each stands for."""
        values = np.concatenate([np.empty(0), *self._levels])
        weights = np.concatenate(
            [np.empty(0), *(np.full(len(kept), 2.0**i) for i, kept in enumerate(self._levels))]
        )
        order = np.argsort(values, kind="stable")
        return values[order], weights[order]
