"""Whatever ends a run, and whenever: going on from its state delivers each row once."""

from __future__ import annotations

import io
import json
import random
import sqlite3
from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from kozmo_singer.wire import Catalog
from kozmo_taps import tap
from kozmo_taps.sql import sqlite
from kozmo_taps.sql.sqlite import TapSQLite

KINDS = {
    "INTEGER": lambda n: n,
    "REAL": lambda n: n / 2,
    "TEXT": lambda n: f"{n:06d}",
    "TIMESTAMP": lambda n: f"2024-01-01 10:{n // 60:02d}:{n % 60:02d}",
}
State = dict[str, Any]


def ids_and_state(
    source: TapSQLite, catalog: Catalog, state: State, limit: int | None, killed_after: int | None
) -> tuple[list[int], State]:
    """Run the tap; what follows the first state after *killed_after* rows is lost."""
    out = io.BytesIO()
    source.sync(catalog, state, out, limit=limit)
    ids: list[int] = []
    for message in map(json.loads, out.getvalue().split(b"\n")[:-1]):
        if message["type"] == "RECORD":
            ids.append(message["record"]["id"])
        elif message["type"] == "STATE":
            state = message["value"]
            if killed_after is not None and len(ids) >= killed_after:
                break
    return ids, json.loads(json.dumps(state))


@pytest.mark.parametrize("seed", range(150))
def test_each_row_of_a_growing_table_comes_once(
    seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Keys that repeat, keys that are null, small batches, limits, kills, and rows in between."""
    chance = random.Random(seed)
    monkeypatch.setattr(sqlite, "_BLOCK_ROWS", chance.choice([1, 2, 3, 50]))
    monkeypatch.setattr(sqlite, "_MOST_ROWS", chance.choice([2, 5, 50]))
    monkeypatch.setattr(tap, "STATE_ROWS", chance.choice([1, 3, 10, 1000]))
    kind = chance.choice(list(KINDS))
    with closing(sqlite3.connect(tmp_path / "grows.db", isolation_level=None)) as database:
        database.execute(f"CREATE TABLE t (id INTEGER, k {kind}, v TEXT)")
        source = TapSQLite({"path": str(tmp_path / "grows.db"), "replication_key": "k"})
        catalog = source.discover()
        delivered: Counter[int] = Counter()
        state: State = {}
        number = moment = 0
        for _ in range(chance.randint(1, 12)):
            for _ in range(chance.randint(0, 8)):
                number, moment = number + 1, moment + chance.choice([0, 0, 1])
                key = None if chance.random() < 0.2 else KINDS[kind](moment)
                row = (number, key, chance.choice("ab"))
                database.execute("INSERT INTO t VALUES (?, ?, ?)", row)
            limit, killed = chance.choice([None, 1, 2, 5]), chance.choice([None, None, 3])
            ids, state = ids_and_state(source, catalog, state, limit, killed)
            delivered.update(ids)
        while (found := ids_and_state(source, catalog, state, 3, None))[0]:
            delivered.update(found[0])
            state = found[1]
    assert delivered == Counter(range(1, number + 1))


@pytest.mark.parametrize("seed", range(30))
def test_a_full_table_that_is_cut_again_and_again_comes_whole(
    seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By its key of two columns, under one version, activated at the end only."""
    chance = random.Random(seed)
    monkeypatch.setattr(sqlite, "_BLOCK_ROWS", chance.choice([1, 3]))
    with closing(sqlite3.connect(tmp_path / "whole.db", isolation_level=None)) as database:
        database.execute(
            "CREATE TABLE t (a TEXT, b INTEGER, c REAL, PRIMARY KEY (b, a)) WITHOUT ROWID"
        )
        rows = {(chance.choice("xyz'"), chance.randint(-9, 9), i / 3) for i in range(60)}
        database.executemany("INSERT OR IGNORE INTO t VALUES (?, ?, ?)", sorted(rows))
        [(count,)] = database.execute("SELECT count(*) FROM t").fetchall()
    config = {"path": str(tmp_path / "whole.db"), "emit_activate_version_messages": True}
    source = TapSQLite(config)
    catalog = source.discover()
    found: list[dict[str, Any]] = []
    state: State = {}
    while not any(message["type"] == "ACTIVATE_VERSION" for message in found):
        out = io.BytesIO()
        source.sync(catalog, state, out, limit=chance.randint(1, 25))
        found += map(json.loads, out.getvalue().split(b"\n")[:-1])
        state = found[-1]["value"]
    records = [m for m in found if m["type"] == "RECORD"]
    assert len({(m["record"]["a"], m["record"]["b"]) for m in records}) == len(records) == count
    [activated] = [m["version"] for m in found if m["type"] == "ACTIVATE_VERSION"]
    assert {m["version"] for m in records} == {activated}
