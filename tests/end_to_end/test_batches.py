"""Rows in files between any tap and any target of ours, and between ours and those of the SDK."""

from __future__ import annotations

import json
import stat
from collections.abc import Callable
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
