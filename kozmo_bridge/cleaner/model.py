"""What the cleaner found out about a table: plain values that JSON can hold.

Nothing here imports a library; kozmo_bridge.cleaner.profiling fills it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from kozmo_bridge.cleaner.kinds import Kind
from kozmo_bridge.cleaner.rules import Rule

if TYPE_CHECKING:
    import polars as pl

Risk = Literal["safe", "lossy", "destructive"]


@dataclass(frozen=True)
class Guess:
    """What a column is held to be, how sure that is, and what speaks for and against it.

    share: of the cells that hold a value, how many fit (0 to 1).
    counter_examples: values that do not fit, the most frequent first.
    format: how the values are written (`%d.%m.%Y`, `decimal comma`, `alpha-2`), if that is one.
    unit: the currency, the unit or the part of a coordinate.
    ambiguous: why the values could be read otherwise, in words; None if they could not.
    """

    kind: Kind
    confidence: float
    share: float
    why: str
    counter_examples: tuple[str, ...] = ()
    format: str | None = None
    unit: str | None = None
    ambiguous: str | None = None


@dataclass(frozen=True)
class Histogram:
    """Cells in each of len(edges) - 1 ranges of equal width; edges of dates are ISO 8601."""

    edges: tuple[Any, ...]
    counts: tuple[int, ...]


@dataclass(frozen=True)
class Outliers:
    """Cells beyond the fences: 3 interquartile ranges outside the quartiles."""

    low: float
    high: float
    cells: int
    examples: tuple[Any, ...] = ()


@dataclass(frozen=True)
class Lengths:
    """Characters of texts, bytes of binaries, items of lists."""

    minimum: int
    mean: float
    maximum: int


@dataclass(frozen=True)
class Gaps:
    """Steps between moments in their order, in seconds; largest_after is an ISO 8601 moment."""

    typical: float
    largest: float
    largest_after: str
    holes: int
    """Steps of more than twice the typical one, where the steps are regular; else 0."""


@dataclass(frozen=True)
class Statistics:
    """The figures of one column. What does not apply to its kind is None or empty.

    Figures of numbers (mean, quantiles, outliers, histogram) are there for texts that hold
    numbers too, of the numbers that they hold. `exact` is false where a table larger than memory
    was read in one pass: distinct counts are then within 2 %, quantiles within 0.5 % of rank.
    """

    count: int = 0
    """Cells that hold a value: neither null nor NaN."""
    nulls: int = 0
    disguised: Mapping[str, int] = field(default_factory=dict)
    """Values that stand for none ('N/A', '-', '-999') and their cells; counted in `count`."""
    empty: int = 0
    """Texts without a character, or with nothing but white space."""
    distinct: int = 0
    exact: bool = True
    mode: Any = None
    mode_cells: int = 0
    top: tuple[tuple[Any, int], ...] = ()
    """The most frequent values and their cells; at most 20."""
    minimum: Any = None
    maximum: Any = None
    mean: float | None = None
    median: Any = None
    """Of dates the moment in the middle, ISO 8601."""
    total: float | None = None
    """The sum of the numbers."""
    deviation: float | None = None
    """Standard deviation, with n - 1."""
    skew: float | None = None
    kurtosis: float | None = None
    """Excess kurtosis: 0 for the normal distribution."""
    quantiles: Mapping[str, float] = field(default_factory=dict)
    """By '0.01', '0.05', '0.25', '0.5', '0.75', '0.95', '0.99'."""
    zeros: int = 0
    negatives: int = 0
    infinities: int = 0
    outliers: Outliers | None = None
    lengths: Lengths | None = None
    words: Lengths | None = None
    """Words to a cell of texts."""
    parts: tuple[tuple[str, int], ...] = ()
    """The most frequent words of texts, domains of addresses, items of lists; at most 20."""
    longest_gap: int = 0
    """The most rows in a row without a value."""
    invalid: int = 0
    """Cells whose value does not fit the kind of the column."""
    invalid_examples: tuple[str, ...] = ()
    histogram: Histogram | None = None
    order: Literal["ascending", "descending"] | None = None
    gaps: Gaps | None = None

    @property
    def cells(self) -> int:
        """All cells of the column."""
        return self.count + self.nulls

    @property
    def unique_ratio(self) -> float:
        """Distinct values to cells that hold one; 0 without any."""
        return self.distinct / self.count if self.count else 0.0

    @property
    def completeness(self) -> float:
        """Cells that hold a value, to all."""
        return self.count / self.cells if self.cells else 0.0

    @property
    def validity(self) -> float:
        """Cells that hold a value of the column's kind, to all."""
        return (self.count - self.invalid) / self.cells if self.cells else 0.0

    @property
    def missing(self) -> int:
        """Nulls, disguised ones among them."""
        return self.nulls + sum(self.disguised.values())


@dataclass(frozen=True)
class ColumnProfile:
    """One column: `label` is its name as text, made unique; `dtype` the type it is stored as."""

    label: str
    position: int
    dtype: str
    guess: Guess
    statistics: Statistics
    alternatives: tuple[Guess, ...] = ()
    spellings: tuple[tuple[str, ...], ...] = ()
    """Groups of values that seem to mean the same, the most frequent of each first."""
    gap_pattern: tuple[float, ...] = ()
    """Share of nulls in each of at most 50 stretches of rows, for the missing matrix."""
    fault: str | None = None
    """Why the column could not be looked at in full; what is said here is what was seen."""
    values: pl.DataFrame | None = field(default=None, repr=False, compare=False)
    """Distinct values (`value`) and their `cells`: all, or a sample of them."""

    @property
    def kind(self) -> Kind:
        """The kind that the column is held to be of."""
        return self.guess.kind


@dataclass(frozen=True)
class Dependency:
    """Column `left` determines column `right`: equal values there have equal values here.

    share: of the rows, how many keep to it (1.0: all).
    """

    left: str
    right: str
    share: float


@dataclass(frozen=True)
class Relations:
    """How columns go together."""

    duplicate_rows: int | None = 0
    """Rows that are equal to an earlier one; None where a table is too large to count them."""
    keys: tuple[tuple[str, ...], ...] = ()
    """Columns, alone or in pairs, that have a value in every row and none twice."""
    correlated: tuple[str, ...] = ()
    """The columns of `correlation`, in its order."""
    correlation: tuple[tuple[float | None, ...], ...] = ()
    """Pearson's coefficients, a row to a column."""
    inflation: Mapping[str, float] = field(default_factory=dict)
    """Variance inflation factor of each numeric column; inf where others determine it."""
    dependencies: tuple[Dependency, ...] = ()


@dataclass(frozen=True)
class Insight:
    """One sentence with its numbers. weight: 0 to 1, how much it matters."""

    text: str
    weight: float
    columns: tuple[str, ...] = ()


@dataclass(frozen=True)
class Suggestion:
    """A rule that could be applied, what it would change and what it would cost.

    risk: safe (nothing is lost), lossy (what was there cannot be told any more), destructive
    (rows, columns or values go). loses: what is lost, in words; None if nothing is.
    """

    rule: Rule
    risk: Risk
    rows: int
    cells: int
    why: str
    confidence: float
    examples: tuple[tuple[Any, Any], ...] = ()
    loses: str | None = None
    exact: bool = True
    """Whether rows and cells are counted rather than estimated from a sample."""

    def to_dict(self) -> dict[str, Any]:
        """Return the suggestion as JSON takes it."""
        from kozmo_bridge.cleaner.plain import plain

        return {**plain(self), "rule": self.rule.to_dict()}


@dataclass(frozen=True)
class Profile:
    """What a table holds: its columns, how they go together, and what is remarkable.

    `sample` holds the first rows as texts. `source` names the table in reports.
    """

    rows: int
    columns: tuple[ColumnProfile, ...]
    relations: Relations = Relations()
    insights: tuple[Insight, ...] = ()
    sample: tuple[tuple[str | None, ...], ...] = ()
    source: str = "table"
    memory: int = 0
    """Bytes that the table took in memory; of the last batch where it came in batches."""

    def __getitem__(self, label: str) -> ColumnProfile:
        for column in self.columns:
            if column.label == label:
                return column
        raise KeyError(label)

    def suggestions(self) -> list[Suggestion]:
        """Return what suggest() makes of this profile."""
        from kozmo_bridge.cleaner.suggesting import suggest

        return suggest(self)

    def to_dict(self) -> dict[str, Any]:
        """Return the profile as JSON takes it, without the tables of values."""
        from kozmo_bridge.cleaner.plain import plain

        made: dict[str, Any] = plain(self)
        return made

    def to_html(self) -> str:
        """Return a page that stands for itself: no network, light and dark, wide and narrow."""
        from kozmo_bridge.cleaner.report import html

        return html(self)

    def _repr_html_(self) -> str:
        from kozmo_bridge.cleaner.report import notebook

        return notebook(self)
