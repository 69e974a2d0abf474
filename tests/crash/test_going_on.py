"""Where a run goes on after the one before it: the newer of what the runner and the target know."""

from __future__ import annotations

import shutil
import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest

from crash.harness import Fault, Scenario, Trial, World, in_files, in_postgres, in_sqlite

pytestmark = pytest.mark.slow
SMALL = {"batch_size_rows": 10_000}
APPEND = Scenario("append", ("events",), in_postgres)


@pytest.mark.parametrize("into", [in_postgres, in_sqlite])
def test_a_store_that_is_lost_is_made_up_for(world: World, into: Any, tmp_path: Path) -> None:
    """The target knows where it was; nothing is read twice."""
    with world.trial(Scenario("append", ("events",), into), tmp_path) as trial:
        assert trial.run() == 0
        shutil.rmtree(tmp_path / "home")
        assert trial.run() == 0, trial.said
        assert trial.report()["rows_read"] == 0
        assert "which is newer" in trial.said[-1]
        world.expect(trial)


def test_a_target_that_keeps_no_state_cannot_make_up_for_it(world: World, tmp_path: Path) -> None:
    """Files are appended to again."""
    with world.trial(Scenario("files", ("events",), in_files, exact=False), tmp_path) as trial:
        assert trial.run() == 0
        shutil.rmtree(tmp_path / "home")
        assert trial.run() == 0
        assert trial.into.count("events") == 2 * world.rows["events"].total()


def test_what_the_user_says_goes_before_what_the_target_knows(world: World, tmp_path: Path) -> None:
    """A state that was cleared by hand, or is not wanted, is not gone on from."""
    with world.trial(APPEND, tmp_path) as trial:
        assert trial.run() == 0
        trial.kozmo("state", "clear", "tap-postgres-to-target-postgres")
        assert trial.run() == 0
        assert trial.into.count("events") == 2 * world.rows["events"].total()
        assert trial.run("--full-refresh") == 0
        assert trial.into.count("events") == 3 * world.rows["events"].total()
        assert trial.run("--state-store", "none") == 0
        assert trial.into.count("events") == 4 * world.rows["events"].total()
        assert trial.run() == 0
        assert trial.report()["rows_read"] == 0


def test_another_source_under_the_same_id_is_read_from_its_start(
    world: World, tmp_path: Path
) -> None:
    """Two users may both have a tap-postgres-to-target-postgres, and one warehouse."""
    with world.trial(APPEND, tmp_path) as trial, world.another_source() as other:
        assert trial.run() == 0
        shutil.rmtree(tmp_path / "home")
        again = Trial(APPEND, other, trial.into, tmp_path)
        assert again.run() == 0, again.said
        assert again.report()["rows_read"] == world.rows["events"].total()


_SLOW = """
CREATE SCHEMA shop;
CREATE TABLE shop._kozmo_state (state_id text, shard text, run_id text, streams text, state text,
    rows text, committed_at timestamptz, PRIMARY KEY (state_id, shard));
CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql
    AS 'BEGIN PERFORM pg_sleep(2); RETURN NULL; END';
CREATE CONSTRAINT TRIGGER slow AFTER INSERT OR UPDATE ON shop._kozmo_state
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.state IS NOT NULL) EXECUTE FUNCTION slow()
"""


def test_a_commit_may_still_be_under_way_when_the_next_run_begins(
    world: World, tmp_path: Path
) -> None:
    """Killed with kill -9 and run again at once, while the server is busy with the COMMIT."""
    with world.trial(APPEND, tmp_path) as trial:
        into = trial.into.database
        into.execute(_SLOW)
        busy = "SELECT 1 FROM pg_stat_activity WHERE query = 'COMMIT' AND wait_event = 'PgSleep'"
        with subprocess.Popen(
            trial.command, env=trial.env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        ) as first:
            while not into.execute(busy):
                assert first.poll() is None
            first.kill()
        assert trial.run() == 0, trial.said
        world.expect(trial)


@pytest.mark.parametrize("side", ["tap", "target"])
@pytest.mark.parametrize("lane", ["text", "arrow"])
def test_a_lost_connection_is_tried_again(
    world: World, side: str, lane: str, tmp_path: Path
) -> None:
    """From the last safe state; the report tells of both attempts."""
    scenario = Scenario("append", ("clicks",), in_postgres, ("--lane", lane), SMALL)
    with world.trial(scenario, tmp_path) as trial:
        code = trial.run_until(
            lambda: trial.loaded() >= 0.1, Fault(f"connections {side}", signal.SIGTERM, 0.3)
        )
        report = trial.report()
        assert (code, report["attempts"]) == (0, 2), trial.said
        assert any("attempt 1 moved" in text for text in report["warnings"])
        assert report["rows_read"] < 1.5 * world.rows["clicks"].total()
        world.expect(trial)


def test_retries_are_bounded_and_can_be_none(world: World, tmp_path: Path) -> None:
    """Then the run has failed, with its state saved, and says what the matter was."""
    scenario = Scenario("append", ("clicks",), in_postgres, ("--retries", "0"), SMALL)
    with world.trial(scenario, tmp_path) as trial:
        code = trial.run_until(
            lambda: trial.loaded() >= 0.1, Fault("connections target", signal.SIGTERM, 0.3)
        )
        assert (code, trial.report()["attempts"]) == (1, 1)
        assert "target-postgres failed" in trial.said[-1]
        assert trial.run() == 0
        world.expect(trial)
