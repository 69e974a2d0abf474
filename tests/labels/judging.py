"""What the cleaner holds labelled columns to be."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from kozmo_bridge.cleaner.profiling import profile
from labels.tables import SOURCES, TUNED, Label, labels, read

TUNED_NAMES = frozenset(source.name for source in TUNED)


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
    def tuned(self) -> bool:
        """Whether detection may have been tuned on it."""
        return self.label.table in TUNED_NAMES


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
