"""A large table by several pairs: cut by key, and gone on with by any later run."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from kozmo_runner import api
from kozmo_runner.stores import open_store
from servers.postgres import Database
from servers.processes import is_gone

NAME = "tap-postgres-to-target-postgres"
ROWS = 240_000
STREAMS = ["public-big", "public-small"]
SLOW = (
    "CREATE SCHEMA copy",
    "CREATE TABLE copy.big (LIKE public.big INCLUDING ALL)",
    "CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS"
    " 'BEGIN PERFORM pg_sleep(0.015); RETURN NEW; END'",
    "CREATE TRIGGER slow BEFORE INSERT ON copy.big FOR EACH ROW WHEN (NEW.id % 500 = 0)"
    " EXECUTE FUNCTION slow()",
)
"""Makes the table take some seconds, so that a run can be hit in its middle."""


@pytest.fixture
def options(postgres: Database) -> dict[str, Any]:
    """A table of 240,000 rows and a small one, copied within a database."""
    postgres.execute("CREATE TABLE small AS SELECT i AS id FROM generate_series(1, 10) i")
    postgres.execute("ALTER TABLE small ADD PRIMARY KEY (id)")
    postgres.execute(
        "CREATE TABLE big AS SELECT i / 3 AS id, (i % 3)::text AS part, md5(i::text) AS word "
        f"FROM generate_series(1, {ROWS}) i"
    )
    postgres.execute("ALTER TABLE big ADD PRIMARY KEY (id, part)")
    return {
        "tap_config": postgres.config,
        "target_config": {
            **postgres.config, "default_target_schema": "copy", "batch_size_rows": 20_000,
        },
        "streams": STREAMS,
        "jobs": 3,
    }  # fmt: skip


def _run(options: dict[str, Any], **more: Any) -> api.Report:
    return api.run("tap-postgres", "target-postgres", **{**options, **more})


def _expect_all(postgres: Database) -> None:
    for table in ("big", "small"):
        for one, other in (("public", "copy"), ("copy", "public")):
            query = f"(TABLE {one}.{table} EXCEPT ALL TABLE {other}.{table}) LIMIT 5"
            assert postgres.execute(query) == []


def _mark() -> dict[str, Any]:
    saved = open_store().get(NAME)
    found = saved.state["bookmarks"].get("public-big", {}) if saved is not None else {}
    return found.get("full_table") or {}


def _left(postgres: Database) -> int:
    """How many rows of the large table the saved state leaves to be read."""
    mark = _mark()
    ranges = mark.get("ranges", [{"after": mark.get("last"), "until": None}])
    rows = 0
    for each in ranges:
        conditions = [
            f"(id, part) {sign} ({bound[0]}, '{bound[1]}')"
            for sign, bound in ((">", each["after"]), ("<=", each["until"]))
            if bound
        ]
        where = " AND ".join(conditions) or "true"
        rows += postgres.execute(f"SELECT count(*) FROM big WHERE {where}")[0][0]
    return rows


def _read(report: api.Report) -> int:
    [rows] = [stream.rows_read for stream in report.streams if stream.name == "public-big"]
    return rows or 0


def test_a_large_table_is_cut_and_each_row_moved_once(
    postgres: Database, options: dict[str, Any]
) -> None:
    """Into a table that is not there yet; the report says which shards there were."""
    report = _run(options)
    report.raise_for_failure()
    _expect_all(postgres)
    assert [(s.name, s.rows_read, s.rows_written) for s in report.streams] == [
        ("public-big", ROWS, ROWS),
        ("public-small", 10, 10),
    ]
    shares = [shard.rows_read or 0 for shard in report.shards]
    assert len(shares) == 3
    assert max(shares) < 2 * min(shares)
    assert report.state_after == {
        "bookmarks": {"public-big": {"full_table": None}, "public-small": {}}
    }


def _plug_ins(parent: int, name: str) -> list[int]:
    found = []
    for listed in Path(f"/proc/{parent}/task").glob("*/children"):
        for pid in map(int, listed.read_text().split()):
            words = Path(f"/proc/{pid}/cmdline").read_text().split("\0")
            if any(Path(word).name == name for word in words[:2]):
                found.append(pid)
    return found


@pytest.fixture
def interrupted(
    background: Callable[..., Any],
    until: Callable[..., Any],
    postgres: Database,
    options: dict[str, Any],
) -> Callable[[int, str], Any]:
    """Start a run of so many jobs, and hit it once a part of the large table is there."""

    def run(jobs: int, how: str) -> Any:
        for statement in SLOW:
            postgres.execute(statement)
        config = [f"{name}={value}" for name, value in options["target_config"].items()]
        given = [["--tap-config", f"{name}={value}"] for name, value in postgres.config.items()]
        running = background(
            "run", "tap-postgres", "target-postgres", "--jobs", str(jobs),
            *(word for pair in given for word in pair),
            *(word for each in config for word in ("--target-config", each)),
            *(word for stream in STREAMS for word in ("--streams", stream)),
        )  # fmt: skip
        until(lambda: _mark() and _left(postgres) < ROWS, "no state was saved")
        pid = running.process.pid
        taps, targets = _plug_ins(pid, "tap-postgres"), _plug_ins(pid, "target-postgres")
        if how == "interrupt":
            running.send(signal.SIGINT)
        else:
            os.kill(taps[0] if how == "kill a tap" else pid, signal.SIGKILL)
        code = running.end()[0]
        until(lambda: all(map(is_gone, [*taps, *targets])), "a plug-in lives")
        postgres.execute("DROP TRIGGER slow ON copy.big")
        return code

    return run


@pytest.mark.parametrize(
    ("jobs", "how", "then"),
    [
        (3, "kill the runner", 1),
        (2, "kill a tap", 3),
        (2, "interrupt", 1),
        (1, "interrupt", 2),
    ],
)
def test_what_is_left_is_moved_by_the_next_run(
    postgres: Database,
    options: dict[str, Any],
    interrupted: Callable[[int, str], Any],
    jobs: int,
    how: str,
    then: int,
) -> None:
    """Of however many jobs the one and the other are: just those rows, and then all are there."""
    code = interrupted(jobs, how)
    assert code == {"kill the runner": -9, "kill a tap": 1, "interrupt": 130}[how]
    left = _left(postgres)
    assert 0 < left < ROWS
    report = _run(options, jobs=then)
    report.raise_for_failure()
    assert _read(report) == left
    _expect_all(postgres)
    assert _mark() == {}


@pytest.mark.parametrize(
    ("side", "setting"),
    [
        ("tap_config", {"emit_activate_version_messages": True}),
        ("tap_config", {"stream_maps": {"public-small": {"id": "id"}}}),
        ("target_config", {"load_method": "overwrite"}),
    ],
)
def test_what_must_not_be_cut_is_moved_whole(
    postgres: Database, options: dict[str, Any], side: str, setting: dict[str, Any]
) -> None:
    """Versions and tables that are replaced belong to one process."""
    report = _run({**options, side: {**options[side], **setting}})
    report.raise_for_failure()
    assert sorted(shard.streams for shard in report.shards) == [[name] for name in STREAMS]
    assert _read(report) == ROWS


def test_a_target_that_writes_files_gets_whole_streams(
    options: dict[str, Any], tmp_path: Path
) -> None:
    """Two processes could not append to one file."""
    config = {"path": str(tmp_path / "out")}
    report = api.run("tap-postgres", "target-jsonl", **{**options, "target_config": config})
    report.raise_for_failure()
    assert sorted(shard.streams for shard in report.shards) == [[name] for name in STREAMS]
    assert (tmp_path / "out" / "public-big.jsonl").read_bytes().count(b"\n") == ROWS
