"""A shop to read from, toy plug-ins, and the servers that target-kozmo talks to."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from project import ROOT
from servers import kozmoai_loopback

FIXTURES = ROOT / "tests" / "fixtures"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home for the states, and a folder for temporary files."""
    folder = tmp_path / "kozmo"
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    monkeypatch.setenv("KOZMO_HOME", str(folder))
    monkeypatch.setattr("tempfile.tempdir", str(temporary))
    return folder


@pytest.fixture
def kozmoai() -> Iterator[kozmoai_loopback.Loopback]:
    """A server that answers as KozmoAI's API does, and fails as it is told."""
    with kozmoai_loopback.running() as server:
        yield server


@pytest.fixture
def counting() -> str:
    """A tap that counts and gives a state after every ten rows; see its file."""
    return str(FIXTURES / "tap_counting.py")


@pytest.fixture
def told(tmp_path: Path):
    """A tap that writes the given lines, as its name and configuration."""

    def make(lines: bytes) -> tuple[str, dict[str, str]]:
        path = tmp_path / "told.jsonl"
        path.write_bytes(lines)
        return str(FIXTURES / "tap_lines.py"), {"path": str(path)}

    return make


class Shop:
    """A SQLite file with orders, of which some values are missing, and an empty table."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.config = {"path": str(path)}
        self.rows: list[tuple[Any, ...]] = []
        with closing(sqlite3.connect(path)) as database, database:
            database.execute(
                "CREATE TABLE orders (id INTEGER PRIMARY KEY, name TEXT, total REAL,"
                " paid BOOLEAN, at TIMESTAMP, raw BLOB)"
            )
            database.execute("CREATE TABLE returns (id INTEGER PRIMARY KEY, why TEXT)")
        self.add(1, 2500)

    def add(self, first: int, last: int) -> None:
        """Insert orders with the ids *first* to *last*."""
        rows = [
            (
                i,
                None if i % 5 == 0 else f"order {i}\né",
                None if i % 7 == 0 else i / 4,
                i % 2,
                f"2024-01-01 {i // 60 % 24:02}:{i % 60:02}:00",
                None if i % 3 == 0 else bytes([i % 256]),
            )
            for i in range(first, last + 1)
        ]
        self.rows += rows
        with closing(sqlite3.connect(self.path)) as database, database:
            database.executemany("INSERT INTO orders VALUES (?, ?, ?, ?, ?, ?)", rows)


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    """A shop with 2,500 orders."""
    return Shop(tmp_path / "shop.db")


def read_lines(path: Path) -> list[dict[str, Any]]:
    """Return the objects of a JSON Lines file."""
    return [json.loads(line) for line in path.read_text("utf-8").split("\n")[:-1]]
