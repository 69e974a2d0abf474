"""Memory is bounded in bytes, however many rows there are and however large they are."""

from __future__ import annotations

import hashlib
import json
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from conftest import BIN
from servers.postgres import Database

ROWS, LETTERS = 48, 1 << 22
MOST_MEGABYTES = 140
"""All rows are 192 MB; a tap that reads nothing takes 40."""
# A process counts the memory of what it was forked from as its own, so a small one stands between.
MEASURE = """
import resource, subprocess, sys
code = subprocess.run(sys.argv[1:], stderr=subprocess.DEVNULL).returncode
print(code, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, file=sys.stderr)
"""


def in_postgres(_: Path, postgres: Database) -> tuple[str, dict[str, Any]]:
    """A table whose texts are stored out of line."""
    postgres.execute("CREATE TABLE docs (id integer PRIMARY KEY, doc text)")
    sql = f"INSERT INTO docs SELECT i, repeat(chr(64 + i), {LETTERS}) FROM generate_series(1, %s) i"
    postgres.execute(sql, [ROWS])
    return "tap-postgres", postgres.config


def in_sqlite(folder: Path, _: Database) -> tuple[str, dict[str, Any]]:
    """The same in a file."""
    with closing(sqlite3.connect(folder / "docs.db")) as database, database:
        database.execute("CREATE TABLE docs (id INTEGER PRIMARY KEY, doc TEXT)")
        rows = ((i, chr(64 + i) * LETTERS) for i in range(1, ROWS + 1))
        database.executemany("INSERT INTO docs VALUES (?, ?)", rows)
    return "tap-sqlite", {"path": str(folder / "docs.db")}


@pytest.mark.parametrize("make", [in_postgres, in_sqlite])
def test_large_rows_pass_a_few_at_a_time(make: Any, tmp_path: Path, postgres: Database) -> None:
    """Every letter of them arrives."""
    tap, config = make(tmp_path, postgres)
    path, out = tmp_path / "config.json", tmp_path / "out"
    path.write_text(json.dumps(config))
    command = [sys.executable, "-c", MEASURE, BIN / tap, "--config", path]
    with out.open("wb") as file:
        done = subprocess.run(command, stdout=file, stderr=subprocess.PIPE, check=False)
    code, kilobytes = map(int, done.stderr.split())
    assert code == 0
    found = {}
    with out.open("rb") as file:
        for line in file:
            if line.startswith(b'{"type":"RECORD"'):
                record = json.loads(line)["record"]
                found[record["id"]] = hashlib.sha256(record["doc"].encode()).digest()
    expected = {i: hashlib.sha256(chr(64 + i).encode() * LETTERS).digest()
                for i in range(1, ROWS + 1)}  # fmt: skip
    assert found == expected
    assert kilobytes / 1024 < MOST_MEGABYTES
