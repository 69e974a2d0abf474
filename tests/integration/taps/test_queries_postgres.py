"""Queries that only PostgreSQL understands: types, functions that write, names, sums."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from conftest import BIN, Run
from servers.postgres import Database

TYPES = """
SELECT 1::smallint AS a, 2::numeric(7,3) AS b, 'x'::varchar(5) AS c, 'y'::char(3) AS d,
  '2024-01-02 03:04:05.678'::timestamp(3) AS e, '2024-01-02 03:04:05+00'::timestamptz AS f,
  ARRAY[[1, 2], [3, 4]] AS g, '{"k": [1.10]}'::jsonb AS h, '\\x00ff'::bytea AS i, 5::share AS j,
  'low'::mood AS k, ROW(1, 'z')::pair AS l, '1 day'::interval AS m, '12.5'::money AS n,
  int4range(1, 5) AS o, 'infinity'::float8 AS p, NULL AS q, 1.5::real AS r, true AS s,
  ARRAY[5]::share[] AS t, '10.0.0.1'::inet AS u
"""


def only(postgres: Database, sql: Any, **settings: Any) -> dict[str, Any]:
    """The settings of a tap whose only stream is the query q."""
    return {**postgres.config, "queries": {"q": sql}, "discover_tables": False, **settings}


def test_every_type_is_that_of_a_view(postgres: Database, discover: Any, tap: Any) -> None:
    """The schema, the records and, but for domains, the names of the types."""
    for statement in (
        "CREATE DOMAIN share AS numeric(5,2)",
        "CREATE TYPE mood AS ENUM ('low', 'high')",
        "CREATE TYPE pair AS (a integer, b text)",
        f"CREATE VIEW v AS {TYPES}",
    ):
        postgres.execute(statement)
    config = {**only(postgres, TYPES), "discover_tables": True}
    streams = discover("tap-postgres", config)
    query, view = streams["q"], streams["public-v"]
    assert query["schema"] == view["schema"]
    types = [
        {m["breadcrumb"][1]: m["metadata"]["sql-datatype"] for m in s["metadata"][1:]}
        for s in (query, view)
    ]
    assert (types[0].pop("j"), types[1].pop("j")) == ("numeric(5,2)", "share")
    assert types[0] == types[1]
    said = tap("tap-postgres", config)
    assert said.code == 0, said.err
    first, second = said.records
    assert first == second


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT erase() AS x",
        "SELECT nextval('numbers') AS x",
        "SELECT id AS x FROM t FOR UPDATE",
        "SELECT lo_create(0) AS x",
        "SELECT set_config('transaction_read_only', 'off', true) AS x, erase() AS y",
    ],
)
def test_a_function_that_writes_is_refused_by_the_transaction(
    postgres: Database, tap: Any, sql: str
) -> None:
    """Reading and counting run in one that is READ ONLY and cannot be made another."""
    for statement in (
        "CREATE TABLE t (id integer)",
        "INSERT INTO t VALUES (1)",
        "CREATE SEQUENCE numbers",
        "CREATE FUNCTION erase() RETURNS integer LANGUAGE plpgsql AS "
        "$$ BEGIN DELETE FROM t; RETURN 1; END $$",
    ):
        postgres.execute(statement)
    for arguments in ((), ("--count",)):
        said = tap("tap-postgres", only(postgres, sql), *arguments)
        assert said.code == 1
        assert "read-only" in said.err or "must be set before any query" in said.err
    assert postgres.execute("SELECT id FROM t") == [(1,)]
    assert postgres.execute("SELECT is_called FROM numbers") == [(False,)]
    assert postgres.execute("SELECT count(*) FROM pg_largeobject_metadata") == [(0,)]


def test_discovery_runs_no_query(postgres: Database, discover: Any) -> None:
    """A statement that would take a minute is described at once."""
    stream = discover("tap-postgres", only(postgres, "SELECT 1 / 0 AS x, pg_sleep(60)::text AS y"))
    assert list(stream["q"]["schema"]["properties"]) == ["x", "y"]


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ("SELECT 1, 2", "two columns named '?column?'"),
        ("SELECT a.id, b.id FROM t a, t b", "two columns named 'id'"),
        ("SELECT $1::integer AS x", "a parameter such as $1"),
        ("SELECT * INTO other FROM t", "finds nothing to read"),
        ("SELECT", "finds nothing to read"),
        ("SHOW work_mem", "changes nothing"),
        ("SELECT 'a", "unterminated quoted string"),
        ("SELECT 1 /* a", "unterminated /* comment"),
        ("SELECT $x$ a", "unterminated dollar-quoted string"),
        ("SELECT nme FROM t", 'Perhaps you meant to reference the column "t.name"'),
    ],
)
def test_what_cannot_be_a_stream_is_told(postgres: Database, tap: Any, sql: str, said: str) -> None:
    """Columns of the same name need names of their own; the server's hints are shown."""
    postgres.execute("CREATE TABLE t (id integer, name text)")
    found = tap("tap-postgres", only(postgres, sql), "--discover")
    assert (found.code, said in found.err) == (2, True), found.err


def test_a_query_of_what_may_not_be_read_is_refused(postgres: Database, tap: Any) -> None:
    """The server says so when it begins to read."""
    role = f"reader_{postgres.name}"
    postgres.execute("CREATE TABLE closed (id integer)")
    postgres.execute(f"CREATE ROLE {role} LOGIN PASSWORD 'pw'")
    try:
        config = {**only(postgres, "SELECT id FROM closed"), "user": role, "password": "pw"}
        said = tap("tap-postgres", config)
        assert said.code == 1
        assert "permission denied for table closed" in said.err
    finally:
        postgres.execute(f"DROP ROLE {role}")


def test_the_server_adds_a_query_up(postgres: Database, run: Run, tmp_path: Path) -> None:
    """--digest gives what it gives for a view."""
    sql = "SELECT n AS id, n / 7.0 AS share, 'x%' || n AS name FROM generate_series(1, 100) n"
    postgres.execute(f"CREATE VIEW v AS {sql}")
    path = tmp_path / "config.json"
    path.write_text(json.dumps({**only(postgres, sql), "discover_tables": True}))
    done = run(["tap-postgres", "--config", path, "--digest"])
    assert done.code == 0, done.err
    sums = json.loads(done.out)
    assert sums["q"] is not None
    assert sums["q"] == sums["public-v"]
    assert sums["q"]["rows"] == 100


@pytest.mark.parametrize("lane", ["arrow", "text"])
def test_a_query_goes_through_both_lanes(
    postgres: Database, run: Run, tmp_path: Path, lane: str
) -> None:
    """Every row arrives, as rows of a table do."""
    sql = {
        "sql": "SELECT n AS id, 'name ' || n AS name FROM generate_series(1, 20000) n;",
        "key_properties": ["id"],
    }
    source, target = tmp_path / "source.json", tmp_path / "target.json"
    source.write_text(json.dumps(only(postgres, sql)))
    target.write_text(json.dumps({**postgres.config, "default_target_schema": "public"}))
    options = ["--tap-config", source, "--target-config", target, "--lane", lane]
    done = run([BIN / "kozmo", "run", "tap-postgres", "target-postgres", *options])
    assert done.code == 0, done.err
    rows = postgres.execute("SELECT id, name FROM q ORDER BY id")
    assert rows == [(n, f"name {n}") for n in range(1, 20_001)]


def test_5000_tables_cost_a_query_nothing(postgres: Database, run: Run, tmp_path: Path) -> None:
    """No table is looked at where they are left out: the statements are those of one table."""
    postgres.execute("CREATE EXTENSION pg_stat_statements")
    path = tmp_path / "config.json"
    path.write_text(json.dumps(only(postgres, "SELECT 1 AS id")))
    postgres.execute("SELECT pg_stat_statements_reset()")
    assert run(["tap-postgres", "--config", path, "--discover"]).code == 0
    found = postgres.execute(
        "SELECT count(*) FROM pg_stat_statements s JOIN pg_database d ON d.oid = s.dbid "
        "WHERE datname = current_database() AND query LIKE '%pg_class%'"
    )
    assert found == [(0,)]


def test_sqlite_names_columns_that_have_no_name_of_their_own(tmp_path: Path, tap: Any) -> None:
    """As it names those of a view; a query may be called as others are but for its capitals."""
    sqlite3.connect(tmp_path / "x.db").close()
    queries = {"q": "SELECT 1 AS id, 2 AS id, 3", "Q": "SELECT 'other' AS x"}
    said = tap("tap-sqlite", {"path": str(tmp_path / "x.db"), "queries": queries})
    assert said.records == [{"id": 1, "id:1": 2, "3": 3}, {"x": "other"}]
