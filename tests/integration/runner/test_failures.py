"""Runs that go wrong: who is blamed, what is kept, what is left behind (nothing)."""

import json
import signal
import time
from pathlib import Path
from typing import Any

import pytest

from kozmo_runner import api
from kozmo_runner.engine import Grace
from kozmo_runner.stores import open_store

QUICK = Grace(tap=0.5, drain=0.5, target=0.5)
NAME = "tap-counting-to-target-lines"


def _saved() -> tuple[str, Any] | None:
    saved = open_store().get(NAME)
    return (saved.status, saved.state) if saved is not None else None


def test_a_tap_that_dies_half_way_leaves_its_state(tap: str, target: str, landed: Any) -> None:
    """What arrived is kept, and the next run goes on behind the last state."""
    config = {"rows": 30, "die_at": 27, "exit_code": 3}
    report = api.run(tap, target, tap_config=config, target_config=landed.config)
    assert (report.status, report.exit_code) == ("failed", 1)
    assert report.error is not None
    assert report.error.side == "tap"
    assert report.error.message == "tap-counting failed (exit code 3)"
    assert report.error.details == ["the source is on fire"]
    assert _saved() == ("failed", {"bookmarks": {"numbers": {"id": 20}}})
    assert landed.ids == list(range(1, 27))
    api.run(tap, target, tap_config={"rows": 30}, target_config=landed.config)
    assert landed.ids == [*range(1, 27), *range(21, 31)]


def test_the_reason_is_the_exception_and_not_its_traceback(
    tap: str, target: str, landed: Any, run: Any, home: Path
) -> None:
    """At most six lines on the terminal."""
    done = run(
        ["kozmo", "run", tap, target, "-q", "--tap-config", "die_at=3",
         "--target-config", f"path={landed.path}"],
        env={"KOZMO_HOME": str(home)},
    )  # fmt: skip
    assert done.code == 1
    assert done.err.splitlines() == [
        "Error: tap-counting failed (exit code 1)",
        "  RuntimeError: the source is on fire",
    ]


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV])
def test_a_tap_that_is_killed(tap: str, target: str, landed: Any, number: int) -> None:
    """Is named with the signal."""
    config = {"rows": 30, "die_at": 12, "signal": int(number)}
    report = api.run(tap, target, tap_config=config, target_config=landed.config)
    assert report.error is not None
    assert f"killed by {signal.Signals(number).name}" in report.error.message
    assert report.tap.exit_code == -number
    assert report.state_after == {"bookmarks": {"numbers": {"id": 10}}}


def test_a_target_that_dies_is_blamed_and_not_the_broken_pipe(
    tap: str, target: str, landed: Any
) -> None:
    """The tap's own complaint about its lost reader is in the report's tail only."""
    config = {**landed.config, "die_at": 15, "exit_code": 7}
    report = api.run(tap, target, tap_config={"rows": 300_000}, target_config=config)
    assert report.error is not None
    assert (report.error.side, report.error.details) == ("target", ["the disk is full"])
    assert report.error.message == "target-lines failed (exit code 7)"
    assert report.exit_code == 1
    assert _saved() == ("failed", {"bookmarks": {"numbers": {"id": 10}}})


def test_a_target_that_dies_ends_a_tap_that_waits(tap: str, target: str, landed: Any) -> None:
    """The tap would not notice before its next row."""
    config = {"rows": 3, "pause": 60}
    began = time.monotonic()
    report = api.run(
        tap, target, tap_config=config, target_config={**landed.config, "die_at": 1}, grace=QUICK
    )
    assert time.monotonic() - began < 20
    assert report.error is not None
    assert report.error.name == "target-lines"


def test_a_target_that_stops_reading_is_a_failure(tap: str, target: str, landed: Any) -> None:
    """Even though it says that all is well."""
    config = {**landed.config, "quit_at": 15}
    report = api.run(tap, target, tap_config={"rows": 300_000}, target_config=config)
    assert (report.status, report.exit_code) == ("failed", 1)
    assert report.error is not None
    assert report.error.details == ["it stopped reading before the tap was done"]


def test_garbage_on_the_taps_stdout(tap: str, landed: Any, tmp_path: Path) -> None:
    """The target says where it stands, the runner says whose it is."""
    config = {"rows": 3, "garbage": "hello, I am a log line"}
    report = api.run(
        tap, "target-sqlite", tap_config=config, target_config={"path": str(tmp_path / "x.db")}
    )
    assert report.error is not None
    said = "\n".join(report.error.details)
    assert "line 2: not JSON" in said
    assert "what it reads came from tap-counting" in said
    assert report.exit_code == 1


def test_a_tap_that_cannot_discover(tap: str, target: str, landed: Any) -> None:
    """Ends the run before the target has begun."""
    report = api.run(tap, target, tap_config={"refuse": True}, target_config=landed.config)
    assert report.error is not None
    assert report.error.message == "tap-counting could not discover its streams"
    assert report.target.exit_code is None
    assert not landed.path.exists()


def test_a_tap_that_ignores_sigterm_is_killed(tap: str, target: str, landed: Any) -> None:
    """After its time of grace; the state until then is kept."""
    config = {"rows": 100, "pause": 0.05, "stubborn": True}
    report = api.run(
        tap, target, tap_config=config, target_config=landed.config, timeout=1.5, grace=QUICK
    )
    assert report.tap.exit_code == -signal.SIGKILL
    assert report.error is not None
    assert report.error.message == "the run was stopped after 1.5 s (--timeout)"
    assert report.state_after is not None
    assert 10 <= report.state_after["bookmarks"]["numbers"]["id"] <= len(landed.ids)


def test_a_target_that_never_ends_is_stopped(tap: str, target: str, landed: Any) -> None:
    """End of input, then SIGTERM, then SIGKILL."""
    for extra, code in (({}, -signal.SIGTERM), ({"stubborn": True}, -signal.SIGKILL)):
        config = {**landed.config, "hang": True, **extra}
        report = api.run(
            tap, target, tap_config={"rows": 5}, target_config=config, timeout=1, grace=QUICK
        )
        assert report.target.exit_code == code
        assert report.exit_code == 1
        assert report.state_after == {"bookmarks": {"numbers": {"id": 5}}}


def test_an_idle_run_says_who_stands_still(tap: str, target: str, landed: Any) -> None:
    """A tap that sends nothing, a target that reads nothing, a target that does not end."""
    waiting = api.run(
        tap, target, tap_config={"rows": 3, "pause": 60}, target_config=landed.config,
        idle_timeout=1.5, grace=QUICK,
    )  # fmt: skip
    assert waiting.error is not None
    assert waiting.error.message == "nothing moved for 1.5 s (--idle-timeout)"
    assert waiting.error.details == ["tap-counting sent nothing"]
    sleeping = api.run(
        tap, target, tap_config={"rows": 500_000}, target_config={**landed.config, "pause": 60},
        idle_timeout=1.5, grace=QUICK, state_id="other",
    )  # fmt: skip
    assert sleeping.error is not None
    assert sleeping.error.details == ["target-lines did not read what tap-counting had sent"]
    hanging = api.run(
        tap, target, tap_config={"rows": 5}, target_config={**landed.config, "hang": True},
        idle_timeout=1.5, grace=QUICK, state_id="third",
    )  # fmt: skip
    assert hanging.error is not None
    assert hanging.error.details == ["target-lines did not come to its end"]


def test_a_program_that_cannot_be_started(tmp_path: Path, target: str, landed: Any) -> None:
    """Is named, and the target ends."""
    broken = tmp_path / "tap-broken"
    broken.write_text("#!/no/such/interpreter\n")
    broken.chmod(0o755)
    report = api.run(str(broken), target, target_config=landed.config)
    assert report.error is not None
    assert report.error.message == "tap-broken cannot be started: No such file or directory"
    assert report.exit_code == 1


def test_a_broken_store_does_not_pass_for_success(
    tmp_path: Path, tap: str, target: str, landed: Any
) -> None:
    """The rows are written, and the run says that the state is not."""
    url = f"sqlite+pysqlite:///{tmp_path / 'state.db'}"
    store = open_store(url)
    store._engine.connect().exec_driver_sql(  # type: ignore[attr-defined]
        "CREATE TRIGGER t BEFORE INSERT ON kozmo_state BEGIN SELECT RAISE(FAIL, 'full'); END"
    )
    report = api.run(
        tap, target, tap_config={"rows": 5}, target_config=landed.config, state_store=url
    )
    assert landed.ids == [1, 2, 3, 4, 5]
    assert (report.status, report.exit_code) == ("failed", 1)
    assert report.error is not None
    assert "cannot use the state store" in report.error.message


def test_a_target_of_ours_learns_that_the_tap_failed(tap: str, tmp_path: Path) -> None:
    """In overwrite mode nothing of a stream that is not complete is seen, and no state."""
    database = tmp_path / "x.db"
    config = {"path": str(database), "load_method": "overwrite"}
    good = api.run(tap, "target-sqlite", tap_config={"rows": 5}, target_config=config)
    good.raise_for_failure()
    bad = api.run(
        tap, "target-sqlite", full_refresh=True, target_config=config,
        tap_config={"rows": 30, "die_at": 25, "partial": True},
    )  # fmt: skip
    assert bad.error is not None
    assert (bad.error.name, bad.exit_code) == ("tap-counting", 1)
    assert _numbers(database) == [1, 2, 3, 4, 5]
    # The refresh is still to be done, by whichever run comes next.
    assert (good.state_after, bad.state_after) == (
        {"bookmarks": {"numbers": {"id": 5}}},
        {"bookmarks": {}},
    )


def test_a_tap_that_fails_between_lines_is_an_abort_for_a_target_of_ours(
    tap: str, tmp_path: Path
) -> None:
    """The target ends with 1, though its input was well-formed to the last byte."""
    config = {"path": str(tmp_path / "x.db")}
    report = api.run(
        tap, "target-sqlite", target_config=config,
        tap_config={"rows": 30, "die_at": 25, "exit_code": 9},
    )  # fmt: skip
    assert (report.tap.exit_code, report.target.exit_code) == (9, 1)
    assert _numbers(tmp_path / "x.db") == list(range(1, 25))
    assert report.state_after == {"bookmarks": {"numbers": {"id": 20}}}


def _numbers(database: Path) -> list[int]:
    import sqlite3
    from contextlib import closing

    with closing(sqlite3.connect(database)) as connection:
        return [row[0] for row in connection.execute("SELECT id FROM numbers ORDER BY id")]


def test_orders_to_the_terminal_are_not_passed_on(tmp_path: Path, target: str, landed: Any) -> None:
    """Colours, titles and cursors in what a plug-in says are left out."""
    script = tmp_path / "tap_gaudy.py"
    script.write_text(
        "import sys\nsys.exit('\\x1b[31mERROR\\x1b[0m it\\x1b]0;title\\x07 \\x1b[2Jburns\\x08')\n"
    )
    report = api.run(str(script), target, target_config=landed.config)
    assert report.error is not None
    assert report.error.details == ["it burns"]


def test_the_log_holds_what_the_plug_ins_said(
    tmp_path: Path, tap: str, target: str, landed: Any, run: Any, home: Path
) -> None:
    """Whole, without secrets, in a private file."""
    log = tmp_path / "run.log"
    run(
        ["kozmo", "run", tap, target, "--log", log, "--tap-config", "refuse=true",
         "--tap-config", "password=geheim123", "--target-config", f"path={landed.path}"],
        env={"KOZMO_HOME": str(home)},
    )  # fmt: skip
    assert "geheim123" not in log.read_text()
    assert log.stat().st_mode & 0o777 == 0o600
    run(
        ["kozmo", "run", tap, target, "--log", log, "--target-config", f"path={landed.path}"],
        env={"KOZMO_HOME": str(home)},
    )
    assert "tap-counting | INFO Starting sync" in log.read_text()
    assert json.loads(landed.path.read_text().splitlines()[0]) == {"id": 1}
