"""A tap that is asked to end does so soon, even while its source is busy, and says its state."""

from __future__ import annotations

import json
import signal
import sqlite3
import subprocess
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from conftest import BIN
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
