"""No room for more: the target says so, the state is that of what fits, a rerun ends the work."""

from __future__ import annotations

import json
import resource
import sqlite3
import subprocess
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from commands import BIN
from messages import INTEGER, TEXT, lines, records, schema, state

ROWS = 20_000
ROOM = 1 << 20
"""Bytes that a file may have; all rows take three times as many."""


def _of_lines(folder: Path) -> list[int]:
    path = folder / "t.jsonl"
    found = path.read_text().splitlines() if path.exists() else []
    return [json.loads(line)["id"] for line in found]


def _of_data(folder: Path) -> list[int]:
    path = folder / "t.jsonl"
    found = path.read_text().splitlines() if path.exists() else []
    return [json.loads(line)["data"]["id"] for line in found]


def _of_database(folder: Path) -> list[int]:
    with closing(sqlite3.connect(folder / "t.db")) as connection:
        return [number for (number,) in connection.execute("SELECT id FROM t ORDER BY id")]


@pytest.mark.parametrize(
    ("target", "name", "read"),
    [
        ("target-jsonl", "", _of_lines),
        ("target-kozmo", "", _of_data),
        ("target-sqlite", "t.db", _of_database),
    ],
)
def test_a_full_disk(
    target: str,
    name: str,
    read: Callable[[Path], list[int]],
    tmp_path: Path,
    clean_env: dict[str, str],
) -> None:
    """What the states say is there, no line is half, and the error names the place."""
    folder = tmp_path / "out"
    folder.mkdir()
    setting = "output" if target == "target-kozmo" else "path"
    config: dict[str, Any] = {setting: str(folder / name), "batch_size_rows": 1_000}
    (tmp_path / "config.json").write_text(json.dumps(config))
    command = [BIN / target, "--config", tmp_path / "config.json"]

    def load(first: int, **options: Any) -> subprocess.CompletedProcess[bytes]:
        sent = _messages(first)
        return subprocess.run(
            command, input=sent, capture_output=True, env=clean_env, check=False, **options
        )

    full = load(0, preexec_fn=_little_room)
    assert full.returncode == 1, full.stderr
    said = [line for line in full.stderr.decode().splitlines() if "METRIC" not in line]
    assert len(said) <= 6
    assert str(folder / name) in said[0] or "stream t" in said[0], said
    told = [json.loads(line)["n"] for line in full.stdout.splitlines()]
    assert told, said
    assert set(range(told[-1])) <= set(read(folder))
    assert load(told[-1]).returncode == 0
    assert set(read(folder)) == set(range(ROWS))


def _messages(first: int) -> bytes:
    text = "x" * 150
    sent: list[Any] = [schema("t", {"id": INTEGER, "text": TEXT})]
    for start in range(first, ROWS, 1_000):
        rows = range(start, min(start + 1_000, ROWS))
        sent += [
            records("t", [{"id": each, "text": text} for each in rows]),
            state({"n": rows.stop}),
        ]
    return lines(*sent)


def _little_room() -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (ROOM, ROOM))
