"""Known damage is found, and undone where nothing is lost by it; what is clean stays as it is."""

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import polars as pl
import polars.testing
import pytest

from kozmo_bridge.cleaner.cleaning import clean
from labels.clean import CLEAN, clean_tables
from labels.curing import judged
from labels.damage import KINDS, Case, damaged

LEAST = 0.95
CASES = 24
"""Of each kind, spread over its tables; benchmarks/cleaner.py takes all."""
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def tables(environment: Callable[[str], Path]) -> dict[str, pl.DataFrame]:
    """Tables in which nothing is wrong."""
    packages = (environment("datasets").parent / "lib").glob("python3*/site-packages")
    return clean_tables(next(packages))


@pytest.fixture(scope="module")
def cases(tables: dict[str, pl.DataFrame]) -> dict[str, list[Case]]:
    """Damaged tables by kind."""
    found: dict[str, list[Case]] = {}
    for case in damaged(tables):
        found.setdefault(case.kind, []).append(case)
    return {kind: each[:: -(-len(each) // CASES)] for kind, each in found.items()}


@pytest.mark.parametrize("kind", sorted({kind for kind, _ in KINDS}))
def test_damage_is_found_and_undone(kind: str, cases: dict[str, list[Case]]) -> None:
    """The right rule for the right column; `auto` gives back what was, where the rule is safe."""
    outcomes = [judged(case) for case in cases[kind]]
    missed = [f"{each.case.table}.{each.case.column}" for each in outcomes if not each.found]
    assert len(missed) <= (1 - LEAST) * len(outcomes), missed
    tried = [each for each in outcomes if each.restored is not None]
    failed = [f"{each.case.table}.{each.case.column}" for each in tried if not each.restored]
    assert len(failed) <= (1 - LEAST) * len(tried), failed


@pytest.mark.parametrize("name", sorted(CLEAN))
def test_what_is_clean_stays_as_it_is(name: str, tables: dict[str, pl.DataFrame]) -> None:
    """Values, types, order, names and index, of polars and of pandas."""
    table = tables[name]
    polars.testing.assert_frame_equal(clean(table, "auto").frame, table)
    frame = table.to_pandas()
    pd.testing.assert_frame_equal(clean(frame, "auto").frame, frame)
