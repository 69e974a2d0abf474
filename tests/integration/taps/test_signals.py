"""A tap that is asked to end does so soon, even while its source is busy, and says its state."""

from __future__ import annotations

import json
import os
import select
import signal
import sqlite3
import subprocess
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from conftest import BIN
from kozmo_singer.wire import lane
from servers.postgres import Database

SECONDS = 20
"""The sources are busy for longer than this."""


def interrupted(
    folder: Path, tap: str, config: dict[str, Any], stream: str, number: signal.Signals
) -> tuple[int, str, list[dict[str, Any]]]:
    """Send a signal once *stream* has begun; return exit code, standard error and messages."""
    path = folder / "config.json"
    path.write_text(json.dumps(config))
    process = subprocess.Popen(
        [BIN / tap, "--config", path], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdout is not None
    lines = []
    try:
        for line in process.stdout:
            lines.append(json.loads(line))
            if lines[-1]["type"] == "SCHEMA" and lines[-1]["stream"] == stream:
                break
        process.send_signal(number)
        started = time.monotonic()
        out, err = process.communicate(timeout=SECONDS)
        assert time.monotonic() - started < SECONDS / 2
    finally:
        process.kill()
    lines += [json.loads(line) for line in out.splitlines()]
    return process.returncode, err.decode(), lines


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_statement_that_runs_is_cancelled(
    postgres: Database, tmp_path: Path, number: signal.Signals
) -> None:
    """The server is told, what was read before is covered by a state, and the exit code is 130."""
    postgres.execute("CREATE TABLE a (id integer PRIMARY KEY)")
    postgres.execute("INSERT INTO a VALUES (1), (2)")
    postgres.execute(f"CREATE VIEW b AS SELECT length(pg_sleep({3 * SECONDS})::text) AS n")
    config = {**postgres.config, "replication_key": "id"}
    code, err, messages = interrupted(tmp_path, "tap-postgres", config, "public-b", number)
    assert code == 130, err
    assert "Error" not in err
    assert messages[-1]["type"] == "STATE"
    state = messages[-1]["value"]
    assert state["bookmarks"]["public-a"]["replication_key_value"] == 2
    assert state["currently_syncing"] == "public-b"
    busy = postgres.execute("SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'FETCH%'")
    assert busy == [(0,)]


def test_sqlite_stops_in_the_middle_of_its_work(tmp_path: Path) -> None:
    """It asks now and then whether to go on."""
    endless = (
        "CREATE VIEW b AS WITH RECURSIVE r (n) AS "
        "(SELECT 1 UNION ALL SELECT n + 1 FROM r) SELECT count(*) AS n FROM r"
    )
    with closing(sqlite3.connect(tmp_path / "busy.db")) as database, database:
        database.execute("CREATE TABLE a (id INTEGER PRIMARY KEY)")
        database.execute("INSERT INTO a VALUES (1), (2)")
        database.execute(endless)
    config = {"path": str(tmp_path / "busy.db"), "replication_key": "id"}
    code, err, messages = interrupted(tmp_path, "tap-sqlite", config, "b", signal.SIGTERM)
    assert code == 130, err
    assert messages[-1]["value"]["bookmarks"]["a"]["replication_key_value"] == 2


SOON = 2
"""Within so many seconds a tap is gone that waits for a database."""
_BUSY = (
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
    "AND application_name = 'tap-postgres' AND wait_event IN ('PgSleep', 'ClientWrite')"
)
_ACTIVE = (
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
    "AND application_name = 'tap-postgres' AND state = 'active'"
)


def _until(found: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + SECONDS
    while not found():
        assert time.monotonic() < deadline, what
        select.select([], [], [], 0.02)


def _ended(
    command: list[str], begun: Callable[[subprocess.Popen[bytes]], bool], **options: Any
) -> str:
    """Send SIGTERM once *begun*; the process ends soon, by itself, with 130: what it said."""
    options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options}
    with subprocess.Popen(command, **options) as process:
        try:
            _until(lambda: begun(process), "the tap did not begin")
            process.send_signal(signal.SIGTERM)
            started = time.monotonic()
            _, err = process.communicate(timeout=SECONDS)
            took = time.monotonic() - started
        finally:
            process.kill()
    assert (process.returncode, "Error" in err.decode()) == (130, False), err
    assert took < SOON, f"{took} s"
    return err.decode()


SLOW = "SELECT length(pg_sleep(60)::text) AS n"
HUGE = (
    "SELECT n, length(pg_sleep(0.001 * (n > 1000)::int)::text) FROM generate_series(1, 1000000) n"
)


@pytest.mark.parametrize("option", ["", "--count", "--digest"])
@pytest.mark.parametrize("source", ["query", "view", "rows"])
def test_a_statement_is_cancelled_at_the_server_soon(
    postgres: Database, tmp_path: Path, source: str, option: str
) -> None:
    """Of a query, of a view, and in the middle of a long result; whatever the tap was to do."""
    config: dict[str, Any] = dict(postgres.config)
    if source == "query":
        config |= {"queries": {"q": SLOW}, "discover_tables": False}
    else:
        postgres.execute(f"CREATE VIEW v (n) AS {SLOW if source == 'view' else HUGE}")
    path = tmp_path / "config.json"
    path.write_text(json.dumps(config))
    command = [str(BIN / "tap-postgres"), "--config", str(path), *([option] if option else [])]
    _ended(command, lambda _: postgres.execute(_BUSY) == [(1,)])
    _until(lambda: postgres.execute(_BUSY) == [(0,)], "the server goes on")


def test_a_result_that_nobody_takes_is_given_up_soon(postgres: Database, tmp_path: Path) -> None:
    """The server sends more than the pipe holds; what was begun is written to its end."""
    postgres.execute("CREATE VIEW v (n) AS SELECT generate_series(1, 1000000000)")
    path = tmp_path / "config.json"
    path.write_text(json.dumps(postgres.config))
    command = [str(BIN / "tap-postgres"), "--config", str(path)]
    _ended(command, lambda _: postgres.execute(_BUSY) == [(1,)])
    _until(lambda: postgres.execute(_BUSY) == [(0,)], "the server goes on")


TRICKLE = """
CREATE FUNCTION slow(n integer) RETURNS text LANGUAGE plpgsql AS $$ BEGIN
  IF n <= 3000 THEN RETURN repeat('x', 1000); END IF;
  PERFORM pg_sleep(0.1);
  RAISE WARNING 'row %', n;
  RETURN 'y';
END $$
"""


@pytest.mark.parametrize("way", ["text", "arrow"])
def test_rows_that_trickle_hold_up_no_signal(postgres: Database, tmp_path: Path, way: str) -> None:
    """The server says something all the time, and no block is full; the state covers the rows."""
    postgres.execute(TRICKLE)
    postgres.execute(
        "CREATE VIEW v AS SELECT id, slow(id) AS t FROM generate_series(1, 100000) id ORDER BY id"
    )
    config, said, rows = (tmp_path / name for name in ("config.json", "said", "rows"))
    config.write_text(json.dumps({**postgres.config, "replication_key": "id"}))
    command = [str(BIN / "tap-postgres"), "--config", str(config)]

    def begun(_: Any) -> bool:
        wrote = rows.stat().st_size or b'"RECORD"' in said.read_bytes()
        return bool(wrote) and postgres.execute(_BUSY) == [(1,)]

    with said.open("wb") as out, rows.open("wb") as pipe:
        number = pipe.fileno()
        env = {**os.environ, lane.VARIABLE: str(number) if way == "arrow" else ""}
        _ended(command, begun, stdout=out, env=env, pass_fds=[number])
    _until(lambda: postgres.execute(_ACTIVE) == [(0,)], "the server goes on")
    messages = [json.loads(line) for line in said.read_bytes().splitlines()]
    found = _ids(messages, rows)
    assert found == list(range(1, len(found) + 1))
    state = messages[-1]["value"]["bookmarks"]["public-v"]
    assert state["replication_key_value"] == found[-1]


def _ids(messages: list[dict[str, Any]], rows: Path) -> list[int]:
    """The ids of all records, or of the batches that went into the file *rows*."""
    sizes = [lane.size_of(m["manifest"][0]) for m in messages if m["type"] == "BATCH"]
    with rows.open("rb", buffering=0) as pipe:
        batches = [lane.received(pipe.fileno(), size or 0, "v") for size in sizes]
    columns = [batch.column(0).to_pylist() for each in batches for batch in each]
    return [m["record"]["id"] for m in messages if m["type"] == "RECORD"] + sum(columns, [])


@pytest.mark.parametrize("option", ["--discover", "--check", ""])
def test_a_tap_that_waits_for_a_lock_of_another_is_gone_soon(
    postgres: Database, tmp_path: Path, option: str
) -> None:
    """Be it to describe a query, or to read a table."""
    postgres.execute("CREATE TABLE t (id integer)")
    config = {**postgres.config, "queries": {"q": "SELECT id FROM t"}}
    path = tmp_path / "config.json"
    path.write_text(json.dumps(config if option else postgres.config))
    command = [str(BIN / "tap-postgres"), "--config", str(path), *([option] if option else [])]
    waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted AND database = " + (
        "(SELECT oid FROM pg_database WHERE datname = current_database())"
    )
    holder = postgres.connect(autocommit=False)
    holder.execute("LOCK TABLE t IN ACCESS EXCLUSIVE MODE")
    _ended(command, lambda _: postgres.execute(waiting) == [(1,)])
    _until(lambda: postgres.execute(waiting) == [(0,)], "the server waits on")


ENDLESS = (
    "WITH RECURSIVE r (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r) SELECT count(*) AS n FROM r"
)


@pytest.mark.parametrize("option", ["", "--count"])
@pytest.mark.parametrize("source", ["query", "view"])
def test_sqlite_is_gone_soon(tmp_path: Path, source: str, option: str) -> None:
    """In the middle of a recursion without an end."""
    with closing(sqlite3.connect(tmp_path / "busy.db")) as database, database:
        database.execute("CREATE TABLE a (id INTEGER PRIMARY KEY)")
        database.execute("INSERT INTO a VALUES (1), (2)")
        if source == "view":
            database.execute(f"CREATE VIEW q AS {ENDLESS}")
    config: dict[str, Any] = {"path": str(tmp_path / "busy.db")}
    if source == "query":
        config |= {"queries": {"q": ENDLESS}, "discover_tables": False}
    path = tmp_path / "config.json"
    path.write_text(json.dumps(config))
    command = [str(BIN / "tap-sqlite"), "--config", str(path), *([option] if option else [])]
    _ended(command, lambda process: _cpu_seconds(process.pid) > 1)


def _cpu_seconds(pid: int) -> float:
    """The time that a process has worked: longer than a tap takes to start."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
