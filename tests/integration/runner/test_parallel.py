"""Several pairs of tap and target at once: one state, one report, and no process left over."""

from __future__ import annotations

import os
import signal
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing
from multiprocessing import get_context
from pathlib import Path
from threading import Timer
from typing import Any

import pytest

from commands import Run
from destinations import read_lines
from kozmo_runner import api
from kozmo_runner.stores import open_store
from kozmo_runner.stores.base import Saved
from servers.postgres import Database
from servers.processes import is_gone

NAME = "tap-counting-to-target-jsonl"
STREAMS = list("abcde")


@pytest.fixture
def landed(tmp_path: Path) -> Callable[[], dict[str, list[int]]]:
    """The ids that arrived, by stream, as far as lines are whole."""
    folder = tmp_path / "out"
    return lambda: {
        name: [row["id"] for row in read_lines(folder / f"{name}.jsonl")] for name in STREAMS
    }


@pytest.fixture
def options(tmp_path: Path) -> dict[str, Any]:
    """Five streams of a foreign tap into files of ours, by three pairs."""
    return {
        "tap_config": {"streams": STREAMS, "rows": 50},
        "target_config": {"path": str(tmp_path / "out")},
        "jobs": 3,
    }


def _state(name: str = NAME) -> dict[str, Any]:
    saved = open_store().get(name)
    return saved.state if saved is not None else {}


def _bookmarks(number: int) -> dict[str, Any]:
    return {"bookmarks": {name: {"id": number} for name in STREAMS}}


def _all(number: int) -> dict[str, list[int]]:
    return {name: list(range(1, number + 1)) for name in STREAMS}


def test_streams_are_shared_out_and_one_state_is_kept(
    tap: str, options: dict[str, Any], landed: Callable[[], Any]
) -> None:
    """A later run of one job goes on with it, and one of many with that."""
    report = api.run(tap, "target-jsonl", **options)
    report.raise_for_failure()
    assert landed() == _all(50)
    assert _state() == report.state_after == _bookmarks(50)
    assert (report.status, report.rows_read, report.rows_written) == ("done", 250, 250)
    assert [(s.name, s.rows_read) for s in report.streams] == [(name, 50) for name in STREAMS]
    assert sorted(name for shard in report.shards for name in shard.streams) == STREAMS
    assert [(s.status, s.rows_read) for s in report.shards] == [
        ("done", 50 * len(s.streams)) for s in report.shards
    ]
    for rows, jobs in ((60, 1), (80, 2)):
        options |= {"jobs": jobs, "tap_config": {"streams": STREAMS, "rows": rows}}
        api.run(tap, "target-jsonl", **options).raise_for_failure()
        assert landed() == _all(rows)
        assert _state() == _bookmarks(rows)


def test_full_refresh_forgets_the_chosen_streams_only(
    tap: str, options: dict[str, Any], landed: Callable[[], Any]
) -> None:
    """The bookmarks of the others stay."""
    api.run(tap, "target-jsonl", **options)
    options["tap_config"]["rows"] = 30
    api.run(tap, "target-jsonl", streams=["*", "!c"], full_refresh=True, **options)
    twice = [*range(1, 51), *range(1, 31)]
    assert landed() == {name: _all(50)[name] if name == "c" else twice for name in STREAMS}
    assert _state()["bookmarks"] == {n: {"id": 50 if n == "c" else 30} for n in STREAMS}


def test_executors_in_other_processes_are_taken(
    tap: str, options: dict[str, Any], landed: Callable[[], Any]
) -> None:
    """What a worker is given and gives back can be pickled, as for a cluster."""
    with ProcessPoolExecutor(2, mp_context=get_context("forkserver")) as executor:
        report = api.run(tap, "target-jsonl", executor=executor, **options)
    _end_fork_server()
    report.raise_for_failure()
    assert (landed(), _state(), report.rows_read) == (_all(50), _bookmarks(50), 250)


def _end_fork_server() -> None:
    from multiprocessing import forkserver, resource_tracker

    forkserver._forkserver._stop()  # type: ignore[attr-defined]  # it would stay to the end
    resource_tracker._resource_tracker._stop()  # type: ignore[attr-defined]


@pytest.mark.parametrize("before", [{"seen": 3}, {"bookmarks": {}, "since": "2024-01-01"}])
def test_a_state_that_is_not_by_stream_means_one_job(
    tap: str, options: dict[str, Any], landed: Callable[[], Any], before: dict[str, Any]
) -> None:
    """Nobody could join two of them; a warning says so."""
    open_store().save(NAME, Saved("before", "2024-01-01T00:00:00Z", "done", before))
    report = api.run(tap, "target-jsonl", **options)
    assert (landed(), report.shards) == (_all(50), [])
    assert report.warnings == [
        "one job instead of 3: tap-counting keeps its state in another way than by stream"
    ]


def test_a_tap_without_discovery_means_one_job(bare_tap: str, target: str, tmp_path: Path) -> None:
    """It reads what it reads."""
    config = {"path": str(tmp_path / "words")}
    report = api.run(bare_tap, target, target_config=config, jobs=2)
    assert (report.status, len(read_lines(tmp_path / "words"))) == ("done", 3)
    assert report.warnings == [
        "one job instead of 2: tap-bare cannot be told which streams to read"
    ]


def test_one_that_fails_stops_the_others_and_is_named(
    tap: str, options: dict[str, Any], landed: Callable[[], Any]
) -> None:
    """Exit code 1, and the state of all; once it is mended the rest follows."""
    api.run(tap, "target-jsonl", streams=["*", "!c"], **options)
    options["tap_config"] |= {"rows": 100, "die_at": 20, "exit_code": 3}
    report = api.run(tap, "target-jsonl", **options)
    assert (report.status, report.exit_code, report.tap.exit_code) == ("failed", 1, 3)
    assert report.error is not None
    assert report.error.message == "tap-counting failed (exit code 3)"
    assert report.error.details[0] == "the source is on fire"
    [failed] = [shard for shard in report.shards if shard.status == "failed"]
    assert "c" in failed.streams
    which = f"while this was moved: {', '.join(failed.streams)}"
    assert report.error.details[-1] == which
    assert _state()["bookmarks"]["c"] == {"id": 10}
    del options["tap_config"]["die_at"]
    api.run(tap, "target-jsonl", **options).raise_for_failure()
    assert {name: sorted(set(ids)) for name, ids in landed().items()} == _all(100)
    assert _state() == _bookmarks(100)


def test_a_configuration_that_is_refused_is_exit_code_2(
    tap: str, options: dict[str, Any], tmp_path: Path
) -> None:
    """As with one job."""
    (tmp_path / "out").write_text("a file")
    report = api.run(tap, "target-jsonl", **options)
    assert (report.status, report.exit_code) == ("failed", 2)


def test_a_run_that_takes_too_long_is_stopped(tap: str, options: dict[str, Any]) -> None:
    """All pairs in order, with their state."""
    options["tap_config"] |= {"rows": 100_000, "pause": 0.01}
    report = api.run(tap, "target-jsonl", timeout=1.5, **options)
    assert (report.status, report.exit_code) == ("failed", 1)
    assert report.error is not None
    assert report.error.message == "the run was stopped after 1.5 s (--timeout)"
    assert any(mark["id"] >= 10 for mark in _state()["bookmarks"].values())


def _arguments(tap: str, tmp_path: Path, *more: str) -> list[str]:
    return [
        "run", tap, "target-jsonl", "--tap-config", "rows=100000", "--tap-config", "pause:=0.005",
        "--tap-config", 'streams:=["a", "b", "c", "d", "e"]', "--jobs", "2",
        "--target-config", f"path={tmp_path / 'out'}",
        "--target-config", "batch_wait_seconds:=0.2", *more,
    ]  # fmt: skip


def _plug_ins(parents: Iterable[int]) -> Iterator[int]:
    """The running taps and targets of a runner, which started them from threads."""
    for parent in parents:
        for listed in Path(f"/proc/{parent}/task").glob("*/children"):
            for pid in map(int, listed.read_text().split()):
                command = Path(f"/proc/{pid}/cmdline").read_text()
                if "tap_counting" in command or "target-jsonl" in command:
                    yield pid


def test_ctrl_c_stops_all_pairs(
    background: Callable[..., Any],
    until: Callable[..., Any],
    tap: str,
    options: dict[str, Any],
    landed: Callable[[], Any],
    tmp_path: Path,
) -> None:
    """Exit code 130, said once, with all state: the next run goes on without a row twice."""
    running = background(*_arguments(tap, tmp_path))
    until(lambda: sum(len(ids) > 15 for ids in landed().values()) == 2, "no rows arrived")
    pids = list(_plug_ins([running.process.pid]))
    assert len(pids) == 4
    running.send(signal.SIGINT)
    code, out, err = running.end()
    assert (code, err.splitlines()) == (
        130,
        ["tap-counting to target-jsonl", "kozmo | WARNING stopping; a second signal kills"],
    )
    assert "interrupted" in out
    assert all(map(is_gone, pids))
    state = _state()["bookmarks"]
    arrived = {name: len(ids) for name, ids in landed().items()}
    assert all(0 <= arrived[name] - mark["id"] <= 10 for name, mark in state.items())
    options["tap_config"]["rows"] = 20_000
    api.run(tap, "target-jsonl", **options).raise_for_failure()
    assert {name: sorted(set(ids)) for name, ids in landed().items()} == _all(20_000)
    assert all(
        len(ids) == 20_000 + arrived[name] - state.get(name, {"id": 0})["id"]
        for name, ids in landed().items()
    )


def test_two_signals_kill_all_pairs(
    background: Callable[..., Any],
    until: Callable[..., Any],
    tap: str,
    landed: Callable[[], Any],
    tmp_path: Path,
) -> None:
    """Taps that do not listen hold nobody up."""
    running = background(*_arguments(tap, tmp_path, "--tap-config", "stubborn=true"))
    until(lambda: sum(len(ids) > 5 for ids in landed().values()) == 2, "no rows arrived")
    running.send(signal.SIGINT)
    until(lambda: "stopping" in running.err, "the first signal was not heard")
    running.send(signal.SIGINT)
    assert running.end()[0] == 130


def test_nothing_outlives_a_runner_that_is_killed(
    background: Callable[..., Any],
    until: Callable[..., Any],
    tap: str,
    options: dict[str, Any],
    landed: Callable[[], Any],
    tmp_path: Path,
) -> None:
    """kill -9; the state saved until then is good to go on with."""
    running = background(*_arguments(tap, tmp_path))
    until(lambda: len(_state().get("bookmarks", {})) == 2, "no state was saved")
    pids = list(_plug_ins([running.process.pid]))
    assert len(pids) == 4
    os.kill(running.process.pid, signal.SIGKILL)
    running.end()
    until(lambda: all(map(is_gone, pids)), "a plug-in lives")
    options["tap_config"]["rows"] = 2000
    api.run(tap, "target-jsonl", **options).raise_for_failure()
    assert {name: sorted(set(ids)) for name, ids in landed().items()} == _all(2000)


def test_a_file_of_pipelines_may_say_jobs(tap: str, run: Run, tmp_path: Path, home: Path) -> None:
    """And the option goes before it."""
    (tmp_path / "p.yml").write_text(
        f"pipelines:\n  one:\n    tap: {tap}\n    target: target-jsonl\n    jobs: 2\n"
        "    tap_config: {streams: [a, b]}\n    target_config: {path: out}\n"
    )
    reports = []
    for more in ([], ["--jobs", "1"], ["--jobs", "0"]):
        done = run(["kozmo", "run", "p.yml", "--report", "r.json", *more])
        reports.append(
            (done.code, (tmp_path / "r.json").read_text().count('"streams": [\n        "'))
        )
    assert reports == [(0, 2), (0, 0), (2, 0)]


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """A file with six tables of 3,000 rows."""
    path = tmp_path / "shop.db"
    with closing(sqlite3.connect(path)) as connection, connection:
        for number in range(6):
            connection.execute(f"CREATE TABLE t{number} (id INTEGER PRIMARY KEY, word TEXT)")
            rows = ((i, f"{number}-{i}") for i in range(3000))
            connection.executemany(f"INSERT INTO t{number} VALUES (?, ?)", rows)
    return path


def test_several_processes_write_one_sqlite_file(shop: Path, tmp_path: Path) -> None:
    """One after the other, in small transactions, and none gives up."""
    report = api.run(
        "tap-sqlite", "target-sqlite", tap_config={"path": str(shop)}, jobs=3,
        target_config={"path": str(tmp_path / "copy.db"), "batch_size_rows": 50},
    )  # fmt: skip
    report.raise_for_failure()
    assert (len(report.shards), report.rows_written) == (3, 18_000)
    with closing(sqlite3.connect(shop)) as one, closing(sqlite3.connect(tmp_path / "copy.db")) as o:
        for number in range(6):
            query = f"SELECT id, word FROM t{number} ORDER BY id"
            assert one.execute(query).fetchall() == o.execute(query).fetchall()


def test_streams_of_one_table_are_refused_although_apart(
    postgres: Database, tmp_path: Path
) -> None:
    """Each process knows what the others write."""
    for schema in ("one", "two"):
        postgres.execute(f"CREATE SCHEMA {schema}")
        postgres.execute(f"CREATE TABLE {schema}.orders (id integer PRIMARY KEY)")
    config = {**postgres.config, "default_target_schema": "copy"}
    report = api.run(
        "tap-postgres", "target-postgres", tap_config=postgres.config, target_config=config, jobs=2
    )
    assert report.exit_code == 1
    assert report.error is not None
    assert "would both be loaded into table orders" in report.error.details[0]


def test_processes_that_load_one_schema_do_not_collide(postgres: Database) -> None:
    """Eight tables of PostgreSQL by three pairs, into a schema that none of them has made yet."""
    for number in range(8):
        postgres.execute(
            f"CREATE TABLE t{number} AS SELECT i AS id, md5(i::text) AS word, i / 3.0 AS part "
            f"FROM generate_series(1, 2000 * {number}) i"
        )
        postgres.execute(f"ALTER TABLE t{number} ADD PRIMARY KEY (id)")
    config = {**postgres.config, "default_target_schema": "copy"}
    report = api.run(
        "tap-postgres", "target-postgres", tap_config=postgres.config, target_config=config,
        streams=["public-*"], jobs=3,
    )  # fmt: skip
    report.raise_for_failure()
    assert report.rows_written == 2000 * sum(range(8))
    for number in range(8):
        rows = [postgres.execute(f"SELECT * FROM {schema}.t{number} ORDER BY id")
                for schema in ("public", "copy")]  # fmt: skip
        assert rows[0] == rows[1]
        assert len(rows[0]) == 2000 * number


def test_a_worker_that_dies_is_a_failure(
    until: Callable[..., Any], tap: str, options: dict[str, Any]
) -> None:
    """Of an executor in other processes; nothing that it started outlives it."""
    options["tap_config"] |= {"rows": 100_000, "pause": 0.01}
    with ProcessPoolExecutor(1, mp_context=get_context("forkserver")) as executor:
        [pid] = [executor.submit(os.getpid).result()]
        pids: list[int] = []

        def kill() -> None:
            pids.extend(_plug_ins([pid]))
            os.kill(pid, signal.SIGKILL)

        Timer(1.0, kill).start()
        report = api.run(tap, "target-jsonl", executor=executor, **options)
    _end_fork_server()
    assert (report.status, report.exit_code) == ("failed", 1)
    assert report.error is not None
    assert report.error.message == "a worker of the executor died"
    assert len(pids) == 2
    until(lambda: all(map(is_gone, pids)), "a plug-in lives")
