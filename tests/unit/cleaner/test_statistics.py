"""The figures of a profile are those that pandas, numpy and a direct regression give."""

import itertools
import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

from kozmo_bridge.cleaner import profile
from kozmo_bridge.cleaner.measuring import QUANTILES

SEEDS = range(6)


def frame_of(seed: int) -> pd.DataFrame:
    """Return a frame of numbers of several shapes, with gaps, texts and doubled rows."""
    make = np.random.default_rng(seed)
    rows = int(make.integers(40, 400))
    made = pd.DataFrame(
        {
            "normal": make.normal(5, 2, rows),
            "long": make.lognormal(1, 1, rows),
            "few": make.integers(0, 6, rows),
            "large": make.normal(1e7, 1, rows).round(3),
            "signed": make.integers(-1000, 1000, rows) / 8,
        }
    )
    made["near"] = made["normal"] * 2 + made["long"] + make.normal(0, 0.3, rows)
    for name in ("long", "signed"):
        made.loc[make.random(rows) < 0.1, name] = np.nan
    words = ["ä" * n for n in range(1, 8)]
    made["word"] = pd.Series(make.choice(words, rows), dtype=object)
    return pd.concat([made, made.sample(int(make.integers(0, 9)), random_state=seed)])


def near(one: float | None, other: float, tolerance: float = 1e-9) -> bool:
    """Whether two figures are the same but for how they were summed up."""
    return one is not None and math.isclose(one, other, rel_tol=tolerance, abs_tol=1e-9)


@pytest.mark.parametrize("seed", SEEDS)
def test_figures_of_numbers_are_those_of_pandas(seed: int) -> None:
    """Counts, moments, quantiles, extremes and the most frequent values."""
    frame = frame_of(seed)
    seen = profile(frame)
    for name in frame.columns[:6]:
        figures, column = seen[name].statistics, frame[name]
        assert (figures.count, figures.nulls) == (column.count(), column.isna().sum())
        assert figures.distinct == column.nunique()
        assert (figures.minimum, figures.maximum) == (column.min(), column.max())
        assert near(figures.mean, column.mean())
        assert near(figures.deviation, column.std())
        # Numbers far from zero lose digits in pandas itself.
        assert near(figures.skew, column.skew(), 1e-4)
        assert near(figures.kurtosis, column.kurt(), 1e-4)
        assert near(figures.median, column.median())
        for at in QUANTILES:
            assert near(figures.quantiles[str(at)], column.quantile(at))
        counts = column.value_counts()
        assert figures.mode == column.mode()[0]
        assert figures.mode_cells == counts.max()
        assert dict(figures.top).items() <= counts.to_dict().items()
        assert (figures.zeros, figures.negatives) == ((column == 0).sum(), (column < 0).sum())
        histogram = figures.histogram
        assert histogram is not None
        assert sum(histogram.counts) == figures.count


@pytest.mark.parametrize("seed", SEEDS)
def test_correlations_are_those_of_pandas(seed: int) -> None:
    """Of each pair over the rows that have both."""
    frame = frame_of(seed)
    relations = profile(frame).relations
    expected = frame[list(relations.correlated)].corr().to_numpy()
    assert np.allclose(np.array(relations.correlation, dtype=float), expected, atol=2e-6)
    assert relations.duplicate_rows == frame.duplicated().sum()


@pytest.mark.parametrize("seed", SEEDS)
def test_inflation_is_that_of_a_regression(seed: int) -> None:
    """1 / (1 - R²) of each column on all the others, over the rows that have all."""
    frame = frame_of(seed)
    inflation = profile(frame).relations.inflation
    whole = frame[list(inflation)].dropna().to_numpy()
    whole = (whole - whole.mean(axis=0)) / whole.std(axis=0)
    for place, name in enumerate(inflation):
        others = np.delete(whole, place, axis=1)
        weights = np.linalg.lstsq(others, whole[:, place], rcond=None)[0]
        left = whole[:, place] - others @ weights
        assert near(inflation[name], 1 / (left @ left / len(left)), 1e-4)


def test_a_column_that_others_make_up_is_inflated_without_end() -> None:
    """The sum of two others, and the two with it."""
    make = np.random.default_rng(1)
    frame = pd.DataFrame({"a": make.normal(size=99), "b": make.normal(size=99)})
    frame["sum"] = frame["a"] + frame["b"]
    assert set(profile(frame).relations.inflation.values()) == {math.inf}


def test_order_lengths_and_words() -> None:
    """Sorted columns are said to be; lengths are of characters; the first of equals is the mode."""
    frame = pl.DataFrame(
        {
            "up": [1, 2, 2, 3, None],
            "down": [5.0, 4.0, 4.0, 1.0, None],
            "none": [1, 3, 2, 4, 0],
            "word": ["bé", "é", "", None, "abc"],
        }
    )
    seen = profile(frame)
    orders = [seen[name].statistics.order for name in ("up", "down", "none")]
    assert orders == ["ascending", "descending", None]
    lengths = seen["word"].statistics.lengths
    assert lengths is not None
    assert (lengths.minimum, lengths.mean, lengths.maximum) == (0, 1.5, 3)
    assert (seen["word"].statistics.mode, seen["word"].statistics.empty) == ("", 1)


@pytest.mark.parametrize(
    "values",
    [[1e308, -1e308, 1e308, 0.0], [math.inf, -math.inf, 1.0, 2.0], [0.0, -0.0, 0.0, -0.0],
     [5e-324, 0.0, 1.0, 2.0], [1e16, 1e16 + 2, 1e16 + 4, 1e16 + 6]],
    ids=["near the end", "infinite", "zeros with signs", "nearly nothing", "far from zero"],
)  # fmt: skip
def test_extreme_numbers_have_figures_that_are_finite_or_none(values: list[float]) -> None:
    """Nothing overflows aloud, and no figure is NaN."""
    figures = profile(pl.DataFrame({"a": values}))["a"].statistics
    for figure in (figures.mean, figures.deviation, figures.skew, figures.kurtosis):
        assert figure is None or math.isfinite(figure)
    assert figures.distinct == len(set(values))


def batches(total: int, size: int) -> Iterator[pl.DataFrame]:
    """Yield rows of numbers and of as many different texts, in batches."""
    make = np.random.default_rng(3)
    for start in range(0, total, size):
        yield pl.DataFrame(
            {
                "text": [f"k{i}" for i in range(start, start + size)],
                "number": make.lognormal(0, 2, size),
                "sorted": np.arange(start, start + size, dtype=np.float64),
            }
        )


def test_figures_of_batches_keep_within_their_bounds() -> None:
    """Distinct counts within 2 %, quantiles within 0.5 % of rank; the other figures are exact."""
    total, size = 600_000, 50_000
    seen = profile(batches(total, size))
    whole = pl.concat(batches(total, size))
    for name in whole.columns:
        figures = seen[name].statistics
        assert figures.count == total and not figures.exact
        assert abs(figures.distinct / total - 1) < 0.02
        if name == "text":
            continue
        values = np.sort(whole[name].to_numpy())
        for at, value in figures.quantiles.items():
            assert abs(np.searchsorted(values, value) / total - float(at)) < 0.005
        assert near(figures.mean, float(values.mean()), 1e-9)
        assert near(figures.deviation, float(values.std(ddof=1)), 1e-9)
        assert (figures.minimum, figures.maximum) == (values[0], values[-1])


FRAME = frame_of(0).reset_index(drop=True)


@pytest.mark.parametrize("cuts", [[1], [7, 8, 20], [39]], ids=str)
def test_batches_of_a_small_table_have_the_figures_of_the_whole(cuts: list[int]) -> None:
    """Whatever the rows are cut into."""
    edges = [0, *cuts, len(FRAME)]
    pieces = (FRAME.iloc[a:b] for a, b in itertools.pairwise(edges))
    whole, cut = profile(FRAME), profile(pieces)
    for one, other in zip(whole.columns, cut.columns, strict=True):
        assert other.guess == one.guess
        assert other.statistics == one.statistics
    assert cut.relations.duplicate_rows == whole.relations.duplicate_rows


@pytest.mark.parametrize(
    ("kinds", "expected"),
    [
        ([[1, 2], [2.5, None]], {1.0, 2.0, 2.5}),
        ([[1, 2], ["x", "2"]], {"1", "2", "x"}),
        ([[1.5], [2], ["x"]], {"1.5", "2.0", "x"}),
        ([[None, None], [3, 4]], {3, 4}),
        ([[True], [2]], {"true", "2"}),
    ],
    ids=["int, float", "int, text", "float, int, text", "none, int", "truth, int"],
)
def test_types_that_change_between_batches_are_widened(
    kinds: list[list[Any]], expected: set[Any]
) -> None:
    """Every value counts, as the type that holds all; the column has no fault."""
    seen = profile(iter([pl.DataFrame({"a": values}) for values in kinds]))["a"]
    assert seen.fault is None
    assert {value for value, _ in seen.statistics.top} == expected
    assert seen.statistics.cells == sum(map(len, kinds))


def test_columns_may_come_and_go_between_batches() -> None:
    """Rows without a column have no value there; equal rows are still found."""
    frames = [{"a": [1, 2]}, {"b": ["x", "y"], "a": [3, 1]}, {"a": [1, 1]}]
    seen = profile(iter([pl.DataFrame(frame) for frame in frames]))
    assert [(c.label, c.statistics.count, c.statistics.nulls) for c in seen.columns] == [
        ("a", 6, 0),
        ("b", 2, 4),
    ]
    assert seen.relations.duplicate_rows == 2
