"""What the cleaner holds labelled columns to be."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from kozmo_bridge.cleaner.profiling import profile
from labels.tables import FRESH, HELD_BACK, SOURCES, TUNED, Label, labels, read

PART = {
    source.name: part
    for part, sources in (("tuned", TUNED), ("held back", HELD_BACK), ("fresh", FRESH))
    for source in sources
}
"""By table, which part of the benchmark it is of."""


@dataclass(frozen=True)
class Found:
    """A labelled column and the kind that it was found to be."""

    label: Label
    kind: str

    @property
    def right(self) -> bool:
        """Whether that is what it is."""
        return self.label.fits(self.kind)

    @property
    def part(self) -> str:
        """Which part of the benchmark its table is of: tuned, held back, fresh."""
        return PART[self.label.table]


def kinds_found(packages: Path) -> Iterator[Found]:
    """Yield what every labelled column is held to be, in the order of the labels."""
    by_table: dict[str, list[Label]] = {}
    for label in labels():
        by_table.setdefault(label.table, []).append(label)
    for source in SOURCES:
        columns = profile(read(source, packages)).columns
        for label, column in zip(by_table[source.name], columns, strict=True):
            yield Found(label, str(column.kind))


def accuracy(found: Iterable[Found]) -> float:
    """Return the share of columns that are what they were found to be."""
    answers = [each.right for each in found]
    return sum(answers) / len(answers)
