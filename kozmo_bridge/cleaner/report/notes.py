"""What is wrong with a column, in few words: for the lists in which each column has one line."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from kozmo_bridge.cleaner.kinds import NUMERIC, Kind
from kozmo_bridge.cleaner.model import ColumnProfile
from kozmo_bridge.cleaner.report.visible import counted, share

Level = Literal["high", "medium", "low"]
MUCH = 0.5
"""Share of missing cells from which on a column is mostly empty."""
_ORDER = {"high": 0, "medium": 1, "low": 2}
_TEXTS = ("str", "utf8", "object", "categorical", "enum", "text")


@dataclass(frozen=True)
class Note:
    """A few words on a column, and how much they matter."""

    text: str
    level: Level


def severity(weight: float) -> Level:
    """Return the weight of an insight in words."""
    return "high" if weight >= 0.7 else "medium" if weight >= 0.4 else "low"


def notes(column: ColumnProfile) -> list[Note]:
    """Return what is wrong with *column*, the worst first."""
    found = [*_of_the_whole(column), *_of_cells(column)]
    return sorted(found, key=lambda note: _ORDER[note.level])


def _of_the_whole(column: ColumnProfile) -> Iterator[Note]:
    statistics, guess = column.statistics, column.guess
    if column.fault:
        yield Note("seen in part", "high")
    if guess.kind is Kind.EMPTY or (statistics.cells and not statistics.count):
        yield Note("no value at all", "high")
        return
    if statistics.cells and statistics.missing / statistics.cells >= MUCH:
        yield Note("mostly missing", "high")
    if guess.ambiguous:
        yield Note("ambiguous", "high")
    if statistics.distinct == 1 and statistics.count > 1:
        yield Note("one value only", "medium")
    if _is_in_texts(column):
        yield Note("stored as text", "low")


def _of_cells(column: ColumnProfile) -> Iterator[Note]:
    statistics = column.statistics
    if statistics.invalid:
        many = statistics.invalid > statistics.count / 100
        yield Note(f"{statistics.invalid:,} invalid", "high" if many else "medium")
    if statistics.disguised:
        yield Note(f"{sum(statistics.disguised.values()):,} disguised nulls", "medium")
    if statistics.outliers and statistics.outliers.cells:
        yield Note(counted(statistics.outliers.cells, "outlier"), "medium")
    if column.spellings:
        yield Note(f"{len(column.spellings):,} spelled variously", "medium")
    if statistics.infinities:
        yield Note(f"{statistics.infinities:,} infinite", "medium")
    if statistics.empty:
        yield Note(f"{share(statistics.empty, statistics.cells)} blank", "low")
    if statistics.gaps and statistics.gaps.holes:
        yield Note(counted(statistics.gaps.holes, "gap in time", "gaps in time"), "low")


def _is_in_texts(column: ColumnProfile) -> bool:
    """Tell whether numbers and dates are kept as texts, from where they can be read."""
    read = column.kind in NUMERIC | {Kind.DATETIME, Kind.DURATION, Kind.TRUE_OR_FALSE}
    return read and column.dtype.lower().startswith(_TEXTS)
