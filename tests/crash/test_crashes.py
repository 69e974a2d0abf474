"""Whoever dies, whenever: a run after it makes the destination equal to the source."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from crash.harness import (
    TABLES,
    Rows,
    Scenario,
    Trial,
    await_server,
    drawn,
    fill,
    in_postgres,
    in_sqlite,
)
from servers import postgres

DONE = 0


class World:
    """A server that may be struck down, a source in it, and how long scenarios usually take."""

    def __init__(self, server: postgres.Server, source: postgres.Database) -> None:
        self.server, self.source = server, source
        self.rows = fill(source)
        self.usual: dict[str, float] = {}

    @contextmanager
    def trial(self, scenario: Scenario, folder: Path) -> Iterator[Trial]:
        """Give *scenario* a fresh destination."""
        with scenario.destination(folder, self.server) as into:
            yield Trial(scenario, self.source, into, folder)

    def seconds(self, scenario: Scenario, folder: Path) -> float:
        """Return how long a run takes that nobody disturbs."""
        if scenario.name not in self.usual:
            folder.mkdir()
            with self.trial(scenario, folder) as trial:
                start = time.monotonic()
                assert trial.run() == DONE, trial.said
                self.usual[scenario.name] = time.monotonic() - start
                expect(scenario, trial, self.rows)
        return self.usual[scenario.name]


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    """Tables in a server of their own."""
    with postgres.running() as server, postgres.database(server, "source") as source:
        yield World(server, source)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Draw as many faults as --crashes says."""
    if "seed" in metafunc.fixturenames:
        seeds = range(metafunc.config.getoption("--crashes"))
        names = [f"{seed}, {drawn(seed)[0].name}, {drawn(seed)[1]}" for seed in seeds]
        metafunc.parametrize("seed", seeds, ids=names)


@pytest.mark.slow
def test_nothing_is_lost_and_nothing_doubled(world: World, seed: int, tmp_path: Path) -> None:
    """All rows are compared, as multisets; what is at least once may hold a row twice."""
    scenario, fault = drawn(seed)
    usual = world.seconds(scenario, tmp_path / "usual")
    folder = tmp_path / "struck"
    folder.mkdir()
    with world.trial(scenario, folder) as trial:
        code = trial.run(fault, usual)
        await_server(world.server)
        for _ in range(2):
            if code != DONE:
                code = trial.run()
        assert code == DONE, trial.said
        expect(scenario, trial, world.rows)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("table", "into", "lane"),
    [
        ("clicks", in_postgres, "text"),
        ("clicks", in_postgres, "arrow"),
        ("clicks", in_sqlite, "text"),
        ("items", in_postgres, "text"),
        ("items", in_postgres, "arrow"),
    ],
)
def test_a_rerun_does_what_was_left(
    world: World, table: str, into: Any, lane: str, tmp_path: Path
) -> None:
    """Killed in the middle, a run leaves at most 55 % of its rows to the next one."""
    config = {"batch_size_rows": 10_000}
    scenario = Scenario("half", (table,), into, ("--lane", lane), config)
    with world.trial(scenario, tmp_path) as trial:
        trial.run_until(lambda: trial.loaded() >= 0.5)
        assert 0.5 <= trial.loaded() < 1
        assert trial.run() == DONE, trial.said
        assert trial.report()["rows_read"] <= 0.55 * TABLES[table].rows
        expect(scenario, trial, world.rows)


def expect(scenario: Scenario, trial: Trial, source: dict[str, Rows]) -> None:
    """The destination equals the source, and nothing else is left."""
    for table in scenario.tables:
        there, wanted = trial.into.rows(table), source[table]
        lost, more = wanted - there, there - wanted
        said = "\n".join(trial.said)
        assert not lost, f"{lost.total()} rows of {table} are lost\n{said}"
        if scenario.exact:
            assert not more, f"{more.total()} rows of {table} are too many\n{said}"
        else:
            assert more.keys() <= wanted.keys()
    assert trial.into.leftovers() == []
    assert list((trial.folder / "tmp").glob("kozmo-run-*")) == []
