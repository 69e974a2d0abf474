"""One column over the batches of its table, and its profile at the end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl

from kozmo_bridge.cleaner import measuring
from kozmo_bridge.cleaner.cells import said
from kozmo_bridge.cleaner.detecting.column import Column, Words
from kozmo_bridge.cleaner.detecting.detect import seen_as
from kozmo_bridge.cleaner.kinds import CATEGORICAL, NUMERIC, WORDS, Kind
from kozmo_bridge.cleaner.model import ColumnProfile, Guess, Lengths, Statistics
from kozmo_bridge.cleaner.parsing import NumberForm, marks_around, moments_of, spans
from kozmo_bridge.cleaner.patterns import MARKS, NOTHING, PERHAPS_NOTHING
from kozmo_bridge.cleaner.sketches import Moments, Quantiles, Values, wider
from kozmo_bridge.cleaner.spelling import spellings

_STRETCHES = 50
_TOP = 20
_FAULTS = (
    pl.exceptions.PolarsError,
    pl.exceptions.PanicException,
    ValueError,
    TypeError,
    ArithmeticError,
)
"""What polars, numpy and Python raise for what a column holds; it stays in that column."""


class Tally:
    """What was seen of one column."""

    def __init__(self, label: str, position: int, missed: int = 0) -> None:
        self.label, self.position = label, position
        self.fault: str | None = None
        self._dtype: pl.DataType = pl.Null()
        self._nulls = 0
        self._values = Values()
        self._moments, self._quantiles = Moments(), Quantiles()
        self._infinities = 0
        self._stretches: list[tuple[int, int]] = []
        self._ends: list[tuple[Any, Any, bool, bool]] = []
        self._batches = 0
        self._run = self._longest = 0
        self._items: list[tuple[int, int, int]] = []
        self._first: pl.Series | None = None
        # Whether batches held types that only texts can hold together.
        self._mixed = False
        if missed:
            self.skip(missed)

    def add(self, series: pl.Series) -> None:
        """Take in the cells of the next rows; what goes wrong is kept as the column's fault."""
        self._batches += 1
        try:
            self._add(series)
        except _FAULTS as error:
            self.fault = self.fault or f"could not be looked at: {said(error)}"

    def skip(self, rows: int) -> None:
        """Take note of *rows* that do not have the column."""
        self._nulls += rows
        self._stretches.append((rows, rows))
        self._run += rows
        self._longest = max(self._longest, self._run)

    def _add(self, series: pl.Series) -> None:
        if self._dtype == pl.Null:
            self._dtype = series.dtype
        elif series.dtype not in (self._dtype, pl.Null):
            self._dtype = wider(self._dtype, series.dtype)
            self._mixed = self._mixed or not self._dtype.is_numeric()
        missing = series.is_null()
        if series.dtype.is_float():
            missing = missing | series.is_nan().fill_null(False)
        nulls = int(missing.sum())
        longest, self._run = measuring.longest_run(missing.to_numpy(), self._run)
        self._longest = max(self._longest, longest)
        self._nulls += nulls
        self._stretches += _stretches(missing, nulls)
        if nulls:
            series = series.filter(~missing)
        if not len(series):
            return
        self._values.add(comparable(series))
        if isinstance(series.dtype, pl.List):
            sizes = series.list.len().to_numpy()
            self._items.append((int(sizes.min()), int(sizes.sum()), int(sizes.max())))
        self._order(series)
        if series.dtype.is_numeric() and (self._batches > 1 or len(series) > 200_000):
            self._sketch(series)
        elif series.dtype.is_numeric():
            self._first = series

    def _sketch(self, series: pl.Series) -> None:
        """Keep what the quantiles and moments need once the distinct values are too many."""
        if self._first is not None:
            first, self._first = self._first, None
            self._sketch(first)
        values = series.cast(pl.Float64).to_numpy()
        finite = values[np.isfinite(values)]
        self._infinities += len(values) - len(finite)
        self._moments.add(finite)
        self._quantiles.add(finite)

    def _order(self, series: pl.Series) -> None:
        if series.dtype.is_nested() or series.dtype == pl.Object:
            return
        up = series.is_sorted()
        down = series.is_sorted(descending=True)
        self._ends.append((series[0], series[-1], up, down))

    def finish(self, rows: int) -> ColumnProfile:
        """Return the profile of the column in a table of *rows* rows."""
        try:
            return self._finish(rows)
        except _FAULTS as error:
            why = f"could not be looked at: {said(error)}"
            guess = Guess(Kind.TEXT, 0.0, 0.0, "could not be looked at")
            count = rows - self._nulls
            return ColumnProfile(
                self.label, self.position, str(self._dtype), guess,
                Statistics(count, self._nulls, exact=False), fault=self.fault or why,
            )  # fmt: skip

    def _finish(self, rows: int) -> ColumnProfile:
        full = self._values.table()
        table = self._values.sample(full)
        count = rows - self._nulls
        column = Column(
            self.label, table["value"], table["cells"], count, rows,
            self._values.distinct, self._values.exact,
        )  # fmt: skip
        guess, others = seen_as(column)
        figures = self._figures(column, guess, full)
        alike: tuple[tuple[str, ...], ...] = ()
        if guess.kind in CATEGORICAL and column.values.dtype == pl.String:
            alike = spellings(column.words.values, column.words.cells)
        return ColumnProfile(
            self.label, self.position, str(self._dtype), guess, figures, others, alike,
            self._gap_pattern(), self.fault, table,
        )  # fmt: skip

    def _figures(self, column: Column, guess: Guess, full: pl.DataFrame) -> Statistics:
        values = column.values
        least = full["cells"].top_k(_TOP).min()
        top = full.filter(pl.col("cells") >= (0 if least is None else least))
        top = top.sort(["cells", "value"], descending=[True, False]).head(_TOP)
        pairs = tuple(zip(top["value"].to_list(), top["cells"].to_list(), strict=True))
        made: dict[str, Any] = {
            "count": column.count,
            "nulls": self._nulls,
            "distinct": column.distinct,
            "exact": column.exact,
            "top": pairs,
            "mode": pairs[0][0] if pairs else None,
            "mode_cells": pairs[0][1] if pairs else 0,
            "lengths": self._lengths(column),
            "longest_gap": self._longest,
            "order": self._ordered(column),
        }
        if len(values):
            made["minimum"], made["maximum"] = self._values.ends or (values.min(), values.max())
        made.update(_by_type(self, column, guess))
        return Statistics(**made)

    def _lengths(self, column: Column) -> Lengths | None:
        if not self._items:
            return measuring.lengths(column.values, column.cells)
        total = sum(each for _, each, _ in self._items)
        low, high = min(low for low, *_ in self._items), max(high for *_, high in self._items)
        return Lengths(low, round(total / column.count, 3), high)

    def number_table(self, column: Column) -> tuple[np.ndarray, np.ndarray, Moments | None]:
        """Return the numbers of a numeric column, sorted, their cells, and the moments of all."""
        if column.exact:
            values = column.values.cast(pl.Float64).to_numpy()
            return values, column.cells.to_numpy(), None
        return *self._quantiles.table(), self._moments

    def _ordered(self, column: Column) -> Any:
        if column.distinct < 3 or not self._ends or self._mixed:
            return None
        seams = [(a[1], b[0]) for a, b in zip(self._ends, self._ends[1:], strict=False)]
        if all(up for *_, up, _ in self._ends) and all(last <= first for last, first in seams):
            return "ascending"
        if all(down for *_, down in self._ends) and all(last >= first for last, first in seams):
            return "descending"
        return None

    def _gap_pattern(self) -> tuple[float, ...]:
        if not self._nulls:
            return ()
        step = -(-len(self._stretches) // _STRETCHES)
        joined = [self._stretches[i : i + step] for i in range(0, len(self._stretches), step)]
        return tuple(
            round(sum(n for _, n in part) / max(1, sum(rows for rows, _ in part)), 4)
            for part in joined
        )


def comparable(series: pl.Series) -> pl.Series:
    """Return *series* as values that can be counted: categories as texts, nested values as JSON."""
    dtype = series.dtype
    if isinstance(dtype, pl.Categorical | pl.Enum):
        words: pl.Series = series.cast(pl.String)
        return words
    if dtype.is_nested():
        texts = pl.select(pl.struct(series.alias("v")).struct.json_encode()).to_series()
        bare: pl.Series = texts.str.slice(5).str.head(-1)
        return bare
    return series


def _stretches(missing: pl.Series, nulls: int) -> list[tuple[int, int]]:
    rows = len(missing)
    if not nulls or rows < _STRETCHES:
        if not nulls:
            return [(rows, 0)]
        return [(1, int(gap)) for gap in missing.to_list()]
    starts = np.linspace(0, rows, _STRETCHES, endpoint=False).astype(np.int64)
    counts = np.add.reduceat(missing.to_numpy().astype(np.int64), starts)
    return list(zip(np.diff(np.r_[starts, rows]).tolist(), counts.tolist(), strict=True))


def _by_type(tally: Tally, column: Column, guess: Guess) -> dict[str, Any]:
    dtype = column.values.dtype
    if dtype.is_numeric():
        values, cells, moments = tally.number_table(column)
        counts = guess.kind in (Kind.NUMBER, Kind.NUMBER_WITH_DECIMALS)
        made = measuring.number_figures(values, cells, moments, marked=counts)
        made["infinities"] = made["infinities"] or tally._infinities
        return made
    if dtype.is_temporal():
        return measuring.moment_figures(column.values, column.cells)
    if dtype == pl.Boolean:
        return {"mean": None}
    if dtype == pl.String:
        return _text_figures(column, guess)
    return {}


def _text_figures(column: Column, guess: Guess) -> dict[str, Any]:
    values, cells = column.values, column.cells
    words = column.words
    blank = cells.sum() - cells.filter(values.str.contains(r"\S")).sum()
    made: dict[str, Any] = {
        "empty": int(blank),
        "disguised": disguised(column, guess.kind),
    }
    if guess.kind not in (*WORDS, Kind.IDENTIFIER, Kind.LIST):
        made["invalid"] = round((1 - guess.share) * words.total)
        made["invalid_examples"] = guess.counter_examples
    if guess.kind in WORDS:
        made["words"] = measuring.word_counts(words.values, words.cells)
    made["parts"] = measuring.frequent_parts(words.values, words.cells, guess.kind)
    read = _READ.get(guess.kind)
    if read is None or not len(words.values):
        return made
    typed = read(words, guess)
    known = pl.DataFrame({"value": typed, "cells": words.cells}).drop_nulls()
    known = known.group_by("value").agg(pl.col("cells").sum()).sort("value")
    if not known.height:
        return made
    made["minimum"], made["maximum"] = known["value"][0], known["value"][-1]
    if known["value"].dtype.is_numeric():
        figures = measuring.number_figures(known["value"].to_numpy(), known["cells"].to_numpy())
        made.update(figures, disguised={**made["disguised"], **figures.get("disguised", {})})
    else:
        made.update(measuring.moment_figures(known["value"], known["cells"]))
    return made


def _numbers(words: Words, guess: Guess) -> pl.Series:
    money = guess.kind is Kind.CURRENCY
    around = marks_around("" if money else guess.unit or "", money)
    digits = words.numbers(NumberForm.of(guess.format), around, money)
    made: pl.Series = digits.cast(pl.Float64, strict=False)
    return made.set(made.is_infinite(), None)


def _places(words: Words, guess: Guess) -> pl.Series:
    if guess.unit not in ("latitude", "longitude"):
        return pl.Series([None] * len(words.values), dtype=pl.Float64)
    return _numbers(words, replace(guess, unit=None))


def _dates(words: Words, guess: Guess) -> pl.Series:
    return moments_of(words.values, (guess.format or "%Y-%m-%d").split(" | "))


_READ: dict[Kind, Callable[[Words, Guess], pl.Series]] = {
    **dict.fromkeys(NUMERIC, _numbers),
    Kind.GEO: _places,
    Kind.DATETIME: _dates,
    Kind.DURATION: lambda words, _: spans(words.values),
}
"""How texts of a kind are read for figures of what they mean."""


def disguised(column: Column, kind: Kind) -> dict[str, int]:
    """Return the texts that stand for no value in a column of *kind*, with their cells."""
    known = NOTHING | MARKS
    if kind not in CATEGORICAL and kind is not Kind.TEXT:
        known = known | PERHAPS_NOTHING
    if kind in (Kind.COUNTRY_CODE, Kind.LANGUAGE_CODE):
        known = known - {"na"}
    hits = column.said(known)
    if not hits.any():
        return {}
    found = pl.DataFrame({"v": column.values, "n": column.cells}).filter(hits)
    found = found.sort(["n", "v"], descending=[True, False])
    return dict(zip(found["v"].to_list(), found["n"].to_list(), strict=True))
