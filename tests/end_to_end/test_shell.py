"""Plain shell pipes: any tap of ours into any target, ours or others'."""

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from commands import Run
from destinations import DESTINATIONS, PEERS, Destination, canonical
from piping import config, pipe
from servers.postgres import Database
from sources import HARD, SOURCES

SQL = ["target-postgres", "target-sqlite"]
TARGETS = {**DESTINATIONS, **PEERS}


@pytest.mark.parametrize("target", [*SQL, *PEERS])
@pytest.mark.parametrize("tap", SOURCES)
def test_rows_go_through_a_shell_pipe(
    run: Run,
    tmp_path: Path,
    postgres: Database,
    environment: Callable[[str], Path],
    tap: str,
    target: str,
) -> None:
    """Every row arrives exactly; with the state that came out, only new rows are sent.

    The peers only append, so a row that was sent twice would be seen.
    """
    environment("singer-python")
    source = SOURCES[tap](tmp_path, postgres)
    destination = TARGETS[target](tmp_path, postgres)
    read = [tap, "--config", config(tmp_path, "tap", source.config)]
    write = [*destination.command, "--config", config(tmp_path, "target", destination.config)]

    state = pipe(run, read, write).state
    expected = canonical(source.rows, source.kinds)
    assert canonical(destination.rows(source.stream), source.kinds) == expected

    read += ["--state", config(tmp_path, "state", state)]
    source.insert([source.row(1000), source.row(1001)])
    assert pipe(run, read, write).state != state
    expected = canonical(source.rows, source.kinds)
    assert canonical(destination.rows(source.stream), source.kinds) == expected


@pytest.mark.parametrize("tap", SOURCES)
def test_nothing_is_sent_where_nothing_is_new(
    run: Run, tmp_path: Path, postgres: Database, tap: str
) -> None:
    """A second run over an unchanged table writes no record and the same state."""
    source = SOURCES[tap](tmp_path, postgres)
    command = [tap, "--config", config(tmp_path, "tap", source.config)]
    first = [json.loads(line) for line in run(command).out.splitlines()]
    assert len([m for m in first if m["type"] == "RECORD"]) == len(source.rows)
    state = first[-1]["value"]
    done = run([*command, "--state", config(tmp_path, "state", state)])
    again = [json.loads(line) for line in done.out.splitlines()]
    assert [m["type"] for m in again] == ["SCHEMA", "STATE"]
    assert again[-1]["value"] == state


def test_a_tap_that_fails_within_a_full_table_replaces_nothing(
    run: Run, tmp_path: Path, destination: Destination
) -> None:
    """Without a runner in between, too: the target keeps what it had and exits with 1."""
    source = tmp_path / "source.db"
    read = ["tap-sqlite", "-c", config(tmp_path, "tap", {"path": str(source)})]
    write = [*destination.command, "-c", config(tmp_path, "target", destination.config)]
    kinds = {"number": "integer"}
    with closing(sqlite3.connect(source)) as connection, connection:
        connection.execute("CREATE TABLE numbers (number INTEGER)")
        connection.execute("INSERT INTO numbers VALUES (1), (2)")
    assert pipe(run, read, write).state

    for first in (3000, 0):
        # Something that cannot be read, behind many good rows and at the very beginning.
        with closing(sqlite3.connect(source)) as connection, connection:
            rows = [(n if n != first else "none",) for n in range(5000)]
            connection.execute("DELETE FROM numbers")
            connection.executemany("INSERT INTO numbers VALUES (?)", rows)
        failed = pipe(run, read, write)
        assert failed.codes == (1, 1)
        assert "stream numbers was still being read" in failed.target
        assert canonical(destination.rows("numbers"), kinds) == [{"number": 1}, {"number": 2}]


def test_values_at_their_limits_come_back_from_sqlite(
    run: Run, tmp_path: Path, postgres: Database
) -> None:
    """PostgreSQL to SQLite and back: each value prints as it did."""
    postgres.execute(HARD)
    login = {**postgres.config, "filter_schemas": ["public"]}
    source = config(tmp_path, "source", login)
    middle = config(tmp_path, "middle", {"path": "middle.db"})
    back = config(tmp_path, "back", {**postgres.config, "default_target_schema": "back"})
    there = pipe(run, ["tap-postgres", "-c", source], ["target-sqlite", "-c", middle])
    assert there.codes == (0, 0), there
    again = pipe(run, ["tap-sqlite", "-c", middle], ["target-postgres", "-c", back])
    assert again.codes == (0, 0), again
    first, second = (
        postgres.execute(f"SELECT t::text FROM {schema}.hard AS t ORDER BY id")
        for schema in ("public", "back")
    )
    assert second == first
