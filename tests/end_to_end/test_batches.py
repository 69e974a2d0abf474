"""Rows in files between any tap and any target of ours, and between ours and those of the SDK."""

from __future__ import annotations

import json
import os
import sqlite3
import stat
import subprocess
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from commands import Run
from destinations import DESTINATIONS, PEERS, SCHEMA, canonical
from piping import config, pipe
from project import ROOT
from servers.postgres import Database
from sources import HARD, SOURCES

FORMATS = ["arrow", "parquet", "jsonl"]


def batches(folder: Path, format: str, **more: Any) -> dict[str, Any]:
    """The setting batch_config for files of *format* in *folder*."""
    return {"encoding": {"format": format}, "storage": {"root": folder.as_uri()}, **more}


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("target", ["target-postgres", "target-sqlite", "target-jsonl"])
@pytest.mark.parametrize("tap", SOURCES)
def test_rows_go_through_files(
    run: Run, tmp_path: Path, postgres: Database, tap: str, target: str, format: str
) -> None:
    """Every row arrives exactly, and nothing of it goes through the pipe itself."""
    source = SOURCES[tap](tmp_path, postgres)
    destination = DESTINATIONS[target](tmp_path, postgres)
    folder = tmp_path / "a folder"
    settings = {**source.config, "batch_config": batches(folder, format, batch_size=100)}
    read = [tap, "--config", config(tmp_path, "tap", settings)]
    write = [*destination.command, "--config", config(tmp_path, "target", destination.config)]

    state = pipe(run, read, write).state
    expected = canonical(source.rows, source.kinds)
    assert canonical(destination.rows(source.stream), source.kinds) == expected

    read += ["--state", config(tmp_path, "state", state)]
    source.insert([source.row(1000), source.row(1001)])
    messages = [json.loads(line) for line in run(read).out.splitlines()]
    assert [m["type"] for m in messages] == ["SCHEMA", "BATCH", "STATE"]
    path = Path(urlsplit(messages[1]["manifest"][0].replace("%20", " ")).path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert pipe(run, read, write).state == messages[2]["value"]
    expected = canonical(source.rows, source.kinds)
    assert canonical(destination.rows(source.stream), source.kinds) == expected


@pytest.mark.parametrize("format", FORMATS)
def test_values_at_their_limits_come_through_files(
    run: Run, tmp_path: Path, postgres: Database, format: str
) -> None:
    """PostgreSQL to PostgreSQL: each value prints as it did, in two files or in one a row."""
    postgres.execute(HARD)
    login = {**postgres.config, "filter_schemas": ["public"]}
    for size in (100, 1):
        settings = {**login, "batch_config": batches(tmp_path / "b", format, batch_size=size)}
        read = ["tap-postgres", "-c", config(tmp_path, "tap", settings)]
        schema = f"copy_{size}"
        settings = {**postgres.config, "default_target_schema": schema}
        assert pipe(run, read, ["target-postgres", "-c", config(tmp_path, "t", settings)]).state
        first, second = (
            postgres.execute(f"SELECT t::text FROM {where}.hard AS t ORDER BY id")
            for where in ("public", schema)
        )
        assert second == first


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("tap", SOURCES)
def test_a_target_of_the_next_sdk_reads_our_files(
    run: Run,
    tmp_path: Path,
    postgres: Database,
    environment: Callable[[str], Path],
    tap: str,
    format: str,
) -> None:
    """Its rows are those of records; documents in Parquet are their text."""
    source = SOURCES[tap](tmp_path, postgres)
    destination = PEERS["target-folder"](tmp_path, postgres)
    settings = {**source.config, "batch_config": batches(tmp_path / "a b", format, batch_size=100)}
    read = [tap, "--config", config(tmp_path, "tap", settings)]
    write = [environment("singer-sdk-beta") / "python", *destination.command[1:]]

    settings = config(tmp_path, "target", destination.config)
    assert pipe(run, read, [*write, "--config", settings]).state["bookmarks"]
    rows = destination.rows(source.stream)
    assert canonical(rows, source.kinds) == canonical(source.rows, source.kinds)
    if "extra" in source.kinds and format != "parquet":
        assert [row for row in rows if isinstance(row["extra"], str)] == []


KINDS = {
    "id": "integer",
    "big": "integer",
    "price": "decimal",
    "share": "decimal",
    "name": "text",
    "sold": "boolean",
    "made": "date",
    "opens": "fine time",
    "seen": "moment",
    "code": "uuid",
    "tags": "json",
    "maker": "json",
    "document": "json",
}


@pytest.mark.parametrize("target", ["target-postgres", "target-sqlite", "target-jsonl"])
def test_files_of_the_next_sdk_are_read(
    run: Run, tmp_path: Path, postgres: Database, environment: Callable[[str], Path], target: str
) -> None:
    """In every format, and natively from Arrow: the same rows as from its records."""
    python = environment("singer-sdk-beta") / "python"
    tap = [python, ROOT / "tests" / "fixtures" / "sdk" / "tap_tables.py", "--config"]
    found = []
    for format in (None, *FORMATS):
        folder = tmp_path / str(format)
        folder.mkdir()
        postgres.execute(f"DROP SCHEMA IF EXISTS {SCHEMA} CASCADE")
        destination = DESTINATIONS[target](folder, postgres)
        settings = {"batch_config": batches(folder, format, batch_size=700)} if format else {}
        write = [target, "--config", config(folder, "target", destination.config)]
        assert pipe(run, [*tap, config(folder, "tap", settings)], write).state
        found.append(canonical(destination.rows("kinds"), KINDS))
    assert len(found[0]) == 2500
    assert [rows == found[0] for rows in found] == [True] * 4


@pytest.mark.parametrize("format", FORMATS)
def test_a_tap_that_is_killed_between_two_files_goes_on(
    run: Run, tmp_path: Path, clean_env: dict[str, str], format: str
) -> None:
    """What it told of is loaded, and the state that comes out of it continues the table."""
    count = 60_000
    with closing(sqlite3.connect(tmp_path / "s.db")) as database, database:
        database.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT)")
        database.executemany("INSERT INTO t VALUES (?, ?)", ((n, f"v{n}") for n in range(count)))
    settings = {"path": "s.db", "batch_config": batches(tmp_path / "b", format, batch_size=50)}
    read = ["tap-sqlite", "-c", config(tmp_path, "tap", settings)]
    write = ["target-sqlite", "-c", config(tmp_path, "target", {"path": "d.db"})]

    with subprocess.Popen(
        [str(part) for part in read],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=clean_env,
        cwd=tmp_path,
    ) as tap:
        # There is more to tell than a pipe holds, so it cannot have come to its end.
        assert tap.stdout is not None
        said = b""
        while b'"BATCH"' not in said:
            piece = os.read(tap.stdout.fileno(), 1 << 15)
            assert piece, "it ended by itself"
            said += piece
        tap.kill()
        said += tap.stdout.read()
    assert 0 < said.count(b'"BATCH"') < count / 50
    done = run(write, said)
    states = [json.loads(line) for line in done.out.splitlines()]
    read += ["--state", config(tmp_path, "state", states[-1])]
    assert pipe(run, read, write).state
    with closing(sqlite3.connect(tmp_path / "d.db")) as database:
        found = database.execute("SELECT count(*), sum(id), count(DISTINCT v) FROM t").fetchone()
    assert found == (count, sum(range(count)), count)
