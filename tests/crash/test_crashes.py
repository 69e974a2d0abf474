"""Whoever dies, whenever: a run after it makes the destination equal to the source."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Any

import pytest

from crash.harness import (
    TABLES,
    Fault,
    Scenario,
    World,
    await_server,
    drawn,
    in_postgres,
    in_sqlite,
)

pytestmark = pytest.mark.slow


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Draw as many faults as --crashes says."""
    if "seed" in metafunc.fixturenames:
        seeds = range(metafunc.config.getoption("--crashes"))
        names = [f"{seed}, {drawn(seed)[0].name}, {drawn(seed)[1]}" for seed in seeds]
        metafunc.parametrize("seed", seeds, ids=names)


def test_nothing_is_lost_and_nothing_doubled(world: World, seed: int, tmp_path: Path) -> None:
    """All rows are compared, as multisets; what is at least once may hold a row twice."""
    scenario, fault = drawn(seed)
    usual = world.usual(scenario, tmp_path / "usual")
    folder = tmp_path / "struck"
    folder.mkdir()
    with world.trial(scenario, folder) as trial:
        code = trial.run_struck(fault, usual)
        await_server(world.server)
        world.expect_promises(trial)
        for _ in range(2):
            if code != 0:
                code = trial.run()
        assert code == 0, trial.said
        world.expect(trial)


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
        trial.run_until(
            lambda: trial.loaded() >= 0.5, Fault("all three", signal.SIGKILL, share=0.5)
        )
        assert 0.5 <= trial.loaded() < 1
        assert trial.run() == 0, trial.said
        assert trial.report()["rows_read"] <= 0.55 * TABLES[table].rows
        world.expect(trial)
