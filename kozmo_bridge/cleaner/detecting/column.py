"""A column as detection looks at it: its distinct values with their cells, and its name."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import polars as pl

from kozmo_bridge.cleaner.kinds import Kind
from kozmo_bridge.cleaner.model import Guess
from kozmo_bridge.cleaner.parsing import NumberForm, number_texts
from kozmo_bridge.cleaner.patterns import MARKS, NOTHING, PERHAPS_NOTHING

_PROBE = 1_000
_EXAMPLES = 5
_CUT = 80
_LONGEST_WORD = 24
"""Bytes of words that stand for no value, with some blanks around."""


def hints(label: str) -> frozenset[str]:
    """Return the words of a name in lower case: customerID, customer_id -> customer, id."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", " ", label[:200])
    return frozenset(re.findall(r"[^\W\d_]+", spaced.lower()))


def share_of(mask: pl.Series) -> float:
    """Return which part of *mask* is true, 0 to 1; nulls are not."""
    found = mask.sum()
    return float(found) / len(mask) if isinstance(found, int | float) and len(mask) else 0.0


@dataclass(frozen=True)
class Column:
    """Distinct `values` of a column and their `cells`, of which there are `count` in `rows` rows.

    `exact` is false where the values are a sample of all; `distinct` counts all of them.
    """

    label: str
    values: pl.Series
    cells: pl.Series
    count: int
    rows: int
    distinct: int
    exact: bool = True

    @cached_property
    def words(self) -> Words:
        """The column as texts; see words_of."""
        return words_of(self)

    def said(self, known: frozenset[str]) -> pl.Series:
        """Return which values are one of *known* words, in any case, with blanks or not."""
        at, plain = self._short
        found: pl.Series = pl.Series([False]).new_from_index(0, len(self.values))
        hits: pl.Series = at.filter(plain.is_in(list(known)))
        return found.scatter(hits, True) if len(hits) else found

    @cached_property
    def _short(self) -> tuple[pl.Series, pl.Series]:
        """Where values are as short as words for nothing are, and those in lower case."""
        short = self.values.str.len_bytes() <= _LONGEST_WORD
        plain: pl.Series = self.values.filter(short).str.strip_chars().str.to_lowercase()
        return short.arg_true(), plain

    @cached_property
    def hints(self) -> frozenset[str]:
        """The words of the column's name."""
        return hints(self.label)

    def named(self, *words: str) -> bool:
        """Whether the column's name has one of *words*."""
        return not self.hints.isdisjoint(words)

    @cached_property
    def numbered(self) -> bool:
        """Whether the name ends as those of running numbers do: censusNo, ticket_number."""
        return bool(re.search(r"(?:[a-z]No|[_\W](?i:no|nr|num|number))$", self.label))

    @cached_property
    def unique(self) -> float:
        """Distinct values to cells."""
        return self.distinct / self.count if self.count else 0.0

    def weigh(self, mask: pl.Series) -> int:
        """Return how many cells hold the values that *mask* marks."""
        return int(self.cells.filter(mask).sum() or 0)

    def guess(
        self,
        kind: Kind,
        mask: pl.Series,
        why: str,
        *,
        sure: float = 1.0,
        form: str | None = None,
        unit: str | None = None,
        ambiguous: str | None = None,
    ) -> Guess:
        """Return the guess that the values that *mask* marks are of *kind*."""
        total = int(self.cells.sum() or 0)
        share = self.weigh(mask.fill_null(False)) / total if total else 0.0
        return Guess(
            kind,
            round(min(1.0, sure * share), 4),
            round(share, 6),
            why,
            self.examples(~mask.fill_null(False)) if share < 1 else (),
            form,
            unit,
            ambiguous,
        )

    def examples(self, mask: pl.Series) -> tuple[str, ...]:
        """Return the most frequent values that *mask* marks, as texts."""
        found = pl.DataFrame({"v": self.values, "n": self.cells}).filter(mask)
        found = found.sort("n", descending=True, maintain_order=True).head(_EXAMPLES)
        return tuple(str(value)[:_CUT] for value in found["v"].to_list())


@dataclass(frozen=True)
class Words(Column):
    """A column of texts: values are stripped; empty ones and those that stand for none are away."""

    @cached_property
    def probe(self) -> pl.Series:
        """Values from all over the column, few enough to try much on them."""
        step = max(1, len(self.values) // _PROBE)
        return self.values.gather_every(step).head(_PROBE)

    def holding(self, sign: str) -> float:
        """Return the share of the probe that holds *sign*; 0 stands for any digit."""
        if sign not in self._signs:
            held = self.probe.str.contains("[0-9]" if sign == "0" else sign, literal=sign != "0")
            self._signs[sign] = share_of(held)
        return self._signs[sign]

    @cached_property
    def _signs(self) -> dict[str, float]:
        return {}

    @cached_property
    def lowered(self) -> pl.Series:
        """The values in lower case."""
        return self.values.str.to_lowercase()

    def matching(self, pattern: str, least: float) -> pl.Series | None:
        """Return which values match *pattern*, or None where too few of a probe do."""
        return self.fitting(lambda texts: texts.str.contains(pattern), least)

    def fitting(self, fits: Callable[[pl.Series], pl.Series], least: float) -> pl.Series | None:
        """Return which values *fits* marks, or None where less than *least* of the cells do."""
        if not len(self.values):
            return None
        if len(self.values) > 2 * _PROBE and share_of(fits(self.probe)) < least * 0.6:
            return None
        mask = fits(self.values).fill_null(False)
        return mask if self.weigh(mask) >= least * self.total else None

    def numbers(self, form: NumberForm, around: str, large: bool) -> pl.Series:
        """Return the values as number_texts reads them; the last reading is kept."""
        how = (form, around, large)
        if how not in self._readings:
            self._readings.clear()
            self._readings[how] = number_texts(self.values, form, around, large)
        return self._readings[how]

    @cached_property
    def _readings(self) -> dict[tuple[NumberForm, str, bool], pl.Series]:
        return {}

    @cached_property
    def total(self) -> int:
        """Cells of the values that are looked at."""
        return int(self.cells.sum() or 0)


def words_of(column: Column) -> Words:
    """Return a column of texts without what is empty or stands for none."""
    texts = column.values.str.strip_chars()
    keep = (texts.str.len_bytes() > 0) & ~column.said(NOTHING | MARKS)
    perhaps = column.said(PERHAPS_NOTHING)
    if perhaps.any() and share_of(texts.filter(keep & ~perhaps).str.contains(r"[\d@]")) > 0.8:
        keep = keep & ~perhaps
    cells = column.cells
    if not keep.all():
        texts, cells = texts.filter(keep), cells.filter(keep)
    return Words(
        column.label, texts, cells, column.count, column.rows, column.distinct, column.exact
    )
