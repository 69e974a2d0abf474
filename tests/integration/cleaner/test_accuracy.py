"""Kinds of columns are found in real tables, labelled as docs/cleaning-benchmarks.md says."""

from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from labels.judging import PART, Found, accuracy, kinds_found
from labels.tables import SOURCES, labels, read

LEAST = 0.97
LEAST_OF_A_PART = 0.95
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def packages(environment: Callable[[str], Path]) -> Path:
    """The folder of the packages that ship the tables."""
    return next((environment("datasets").parent / "lib").glob("python3*/site-packages"))


@pytest.fixture(scope="module")
def found(packages: Path) -> list[Found]:
    """What every labelled column is held to be."""
    return list(kinds_found(packages))


def _wrong(found: Iterator[Found]) -> str:
    """Name what is wrong in the tables that detection may be tuned on, and only count the rest."""
    wrong = [each for each in found if not each.right]
    shown = [
        f"{each.label.table}.{each.label.column}: {each.label.kind}, found {each.kind}"
        for each in wrong
        if each.part == "tuned"
    ]
    held = Counter(each.label.kind for each in wrong if each.part != "tuned")
    return "\n".join([*shown, f"elsewhere, by kind: {dict(held)}"])


def test_the_labels_are_those_of_the_tables(packages: Path) -> None:
    """Every column of every table has its label; two labels are the exception, with a reason."""
    tables = {source.name: read(source, packages) for source in SOURCES}
    columns = [(name, str(column)) for name, table in tables.items() for column in table.columns]
    rows = labels()
    assert [(row.table, row.column) for row in rows] == columns
    assert len(tables) >= 30
    assert len(columns) >= 300
    assert len(PART) == len(SOURCES)
    twice = [row for row in rows if row.also]
    assert len(twice) <= 0.05 * len(rows)
    assert all(row.why for row in twice)


def test_kinds_are_found(found: list[Found]) -> None:
    """97 of 100 columns, over all tables."""
    assert accuracy(found) >= LEAST, _wrong(iter(found))


@pytest.mark.parametrize("part", ["tuned", "held back", "fresh"])
def test_kinds_are_found_in_tables_never_seen_as_well(found: list[Found], part: str) -> None:
    """In each part of the benchmark: none makes up for another."""
    those = [each for each in found if each.part == part]
    assert accuracy(those) >= LEAST_OF_A_PART, _wrong(iter(those))
