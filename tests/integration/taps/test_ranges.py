"""Full tables read in ranges of their key: every row in exactly one, in whatever run."""

from __future__ import annotations

import io
import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from kozmo_singer.wire.catalog import Catalog, select
from kozmo_taps.sql.engine import SqlTap
from kozmo_taps.sql.postgres import TapPostgres
from kozmo_taps.sql.sqlite import TapSQLite
from servers.postgres import Database

State = dict[str, Any]
COUNT = 3000

POSTGRES = {
    "integer": ("id integer PRIMARY KEY", "i - 700"),
    "text": ('id text COLLATE "C" PRIMARY KEY', "repeat('ß''\"\\', i % 4) || i"),
    "uuid": ("id uuid PRIMARY KEY", "md5(i::text)::uuid"),
    "moment": ("id timestamptz PRIMARY KEY", "to_timestamp(1e9 + i / 1e6)"),
    "decimal": ("id numeric PRIMARY KEY", "i * 1e17 + 0.1"),
    "binary": ("id bytea PRIMARY KEY", "decode(md5(i::text), 'hex')"),
    "two": ("id integer, part text, PRIMARY KEY (part, id)", "i / 7, (i % 7)::text"),
    "percent": ('"100%" integer PRIMARY KEY', "i"),
    "partitions": (
        "id integer PRIMARY KEY) PARTITION BY RANGE (id); "
        "CREATE TABLE p1 PARTITION OF t FOR VALUES FROM (0) TO (900); "
        "CREATE TABLE p2 PARTITION OF t FOR VALUES FROM (900) TO (9000",
        "i",
    ),
}  # fmt: skip


def _read(tap: SqlTap, catalog: Catalog, state: State) -> tuple[list[str], State]:
    out = io.BytesIO()
    tap.sync(catalog, state, out)
    messages = [json.loads(line) for line in out.getvalue().splitlines()]
    rows = [json.dumps(m["record"]) for m in messages if m["type"] == "RECORD"]
    states = [m["value"] for m in messages if m["type"] == "STATE"]
    return rows, states[-1] if states else {}


def _mark(name: str, cuts: dict[str, Any], ranges: list[Any]) -> State:
    return {"bookmarks": {name: {"full_table": {"key": cuts["key"], "ranges": ranges}}}}


def _expect_each_row_once(tap: SqlTap, parts: int) -> list[int]:
    """Read the only table of *tap* in ranges, each by itself and all in one run; return sizes."""
    catalog = select(tap.discover(), ["*"])
    name = catalog.streams[0].tap_stream_id
    whole, _ = _read(tap, catalog, {})
    assert len(whole) == COUNT
    cuts = tap.ranges(catalog, {}, parts)[name]
    states = [_mark(name, cuts, [each]) for each in cuts["ranges"]]
    read = [_read(tap, catalog, state) for state in states]
    assert [row for rows, _ in read for row in rows] == whole
    assert all(state == {"bookmarks": {name: {"full_table": None}}} for _, state in read)
    rows, state = _read(tap, catalog, _mark(name, cuts, cuts["ranges"][1:]))
    assert rows == whole[len(read[0][0]) :]
    assert state == {"bookmarks": {name: {"full_table": None}}}
    again = tap.ranges(catalog, _mark(name, cuts, cuts["ranges"][2:]), parts)[name]
    assert again["ranges"][0]["after"] == cuts["ranges"][1]["until"]
    assert again["ranges"][-1]["until"] is None
    return [len(rows) for rows, _ in read]


@pytest.mark.parametrize("kind", POSTGRES)
def test_ranges_of_postgres(postgres: Database, kind: str) -> None:
    """Of keys of every kind that has an order, with ranges of about the same size."""
    columns, values = POSTGRES[kind]
    postgres.execute(f"CREATE TABLE t ({columns})")
    postgres.execute(f"INSERT INTO t SELECT {values} FROM generate_series(1, {COUNT}) i")
    sizes = _expect_each_row_once(TapPostgres(postgres.config), 5)
    assert len(sizes) == 5
    assert max(sizes) - min(sizes) < 10


def test_a_large_table_is_sampled(postgres: Database) -> None:
    """Some pages are read, and the ranges are still about the same; nothing need be analyzed."""
    postgres.execute("CREATE TABLE t (id integer PRIMARY KEY, filler text)")
    postgres.execute(
        "INSERT INTO t SELECT i * i / 1000, repeat('x', 500) FROM generate_series(1000, 30000) i"
    )
    tap = TapPostgres(postgres.config)
    catalog = select(tap.discover(), ["*"])
    cuts = tap.ranges(catalog, {}, 4)["public-t"]
    assert 20_000 < cuts["rows"] < 40_000
    bounds = [each["until"][0] for each in cuts["ranges"][:-1]]
    sizes = [postgres.execute(f"SELECT count(*) FROM t WHERE id <= {b}")[0][0] for b in bounds]
    assert all(abs(size - 7250 * n) < 2500 for n, size in enumerate(sizes, start=1))


def _sqlite(path: Path, columns: str, value: Callable[[int], int]) -> TapSQLite:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(f"CREATE TABLE t (id {columns}, word TEXT)")
        rows = [(value(i), str(i)) for i in range(COUNT)]
        connection.executemany("INSERT INTO t VALUES (?, ?)", rows)
    return TapSQLite({"path": str(path)})


@pytest.mark.parametrize("columns", ["INTEGER PRIMARY KEY", "INTEGER NOT NULL PRIMARY KEY DESC"])
def test_ranges_of_sqlite(tmp_path: Path, columns: str) -> None:
    """Of whole numbers, at even distances."""
    sizes = _expect_each_row_once(_sqlite(tmp_path / "a.db", columns, lambda i: i - 50), 4)
    assert sizes == [750, 750, 750, 750]
    assert len(_expect_each_row_once(_sqlite(tmp_path / "b.db", columns, lambda i: i * i), 4)) == 4


def test_keys_of_sqlite_that_are_no_numbers_are_not_cut(tmp_path: Path) -> None:
    """There is no cheap way to find where."""
    with closing(sqlite3.connect(tmp_path / "a.db")) as connection, connection:
        connection.execute("CREATE TABLE t (id TEXT NOT NULL PRIMARY KEY)")
        connection.executemany("INSERT INTO t VALUES (?)", [(str(i),) for i in range(COUNT)])
    assert _expect_not_cut(TapSQLite({"path": str(tmp_path / "a.db")})) == {
        "after": None,
        "until": None,
    }


def _expect_not_cut(tap: SqlTap) -> Any:
    catalog = select(tap.discover(), ["*"])
    [cuts] = tap.ranges(catalog, {}, 4).values()
    [only] = cuts["ranges"]
    return only


def test_what_has_to_be_read_in_one_go_is_left_out(postgres: Database) -> None:
    """Tables without a key, with versions, by a bookmark, or told apart by another key."""
    postgres.execute("CREATE TABLE a (id integer)")
    postgres.execute("CREATE TABLE b (id integer PRIMARY KEY, changed timestamptz)")
    postgres.execute("CREATE VIEW c AS SELECT * FROM b")

    def cut(rekeyed: bool = False, **more: Any) -> list[str]:
        tap = TapPostgres({**postgres.config, **more})
        catalog = select(tap.discover(), ["*"])
        if rekeyed:
            catalog.get("public-b").key_properties = ["changed"]
        return list(tap.ranges(catalog, {}, 4))

    assert cut() == ["public-b"]
    assert cut(emit_activate_version_messages=True) == []
    assert cut(replication_key="changed") == []
    assert cut(rekeyed=True) == []


def test_a_limit_within_ranges_leaves_the_rest(tmp_path: Path) -> None:
    """And the next run takes just that."""
    tap = _sqlite(tmp_path / "a.db", "INTEGER PRIMARY KEY", lambda i: i)
    catalog = select(tap.discover(), ["*"])
    cuts = tap.ranges(catalog, {}, 3)["t"]
    out = io.BytesIO()
    tap.sync(catalog, _mark("t", cuts, cuts["ranges"]), out, limit=1500)
    state = json.loads(out.getvalue().splitlines()[-1])["value"]
    assert state["bookmarks"]["t"]["full_table"] == {
        "key": ["id"],
        "ranges": [{"after": [1499], "until": [1997]}, {"after": [1997], "until": None}],
    }
    rows, state = _read(tap, catalog, state)
    assert [json.loads(row)["id"] for row in rows] == list(range(1500, COUNT))
    assert state == {"bookmarks": {"t": {"full_table": None}}}


def test_a_mark_of_another_key_counts_for_nothing(tmp_path: Path) -> None:
    """The table was made anew; all of it is read."""
    tap = _sqlite(tmp_path / "a.db", "INTEGER PRIMARY KEY", lambda i: i)
    mark = _mark("t", {"key": ["number"]}, [{"after": [5], "until": [9]}])
    rows, _ = _read(tap, select(tap.discover(), ["*"]), mark)
    assert len(rows) == COUNT
