"""What tap-postgres finds, how it is described, and what is asked of the server for it."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

from conftest import Run
from servers.postgres import Database


def root_of(stream: dict[str, Any]) -> dict[str, Any]:
    """The metadata of the stream itself."""
    [root] = [m["metadata"] for m in stream["metadata"] if not m["breadcrumb"]]
    return root


def found(run: Run, folder: Path, config: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The catalog by stream."""
    path = folder / "config.json"
    path.write_text(json.dumps(config))
    done = run(["tap-postgres", "--config", path, "--discover"])
    assert done.code == 0, done.err
    return {s["tap_stream_id"]: s for s in json.loads(done.out)["streams"]}


def test_every_kind_of_table_of_every_schema_is_found(
    postgres: Database, run: Run, tmp_path: Path
) -> None:
    """Views, materialised views, partitioned and foreign tables; not their partitions."""
    for statement in (
        "CREATE SCHEMA sales",
        'CREATE TABLE sales.orders (b text, "Id-1" integer, a integer NOT NULL,'
        ' PRIMARY KEY (a, "Id-1"))',
        "INSERT INTO sales.orders SELECT i::text, i, i FROM generate_series(1, 500) i",
        "ANALYZE sales.orders",
        "CREATE VIEW public.big AS SELECT * FROM sales.orders",
        "CREATE MATERIALIZED VIEW public.kept AS SELECT a FROM sales.orders",
        "CREATE TABLE parted (id integer, day date) PARTITION BY RANGE (day)",
        "CREATE TABLE parted_2024 PARTITION OF parted FOR VALUES FROM ('2024-01-01')"
        " TO ('2025-01-01')",
        "CREATE EXTENSION file_fdw",
        "CREATE SERVER files FOREIGN DATA WRAPPER file_fdw",
        "CREATE FOREIGN TABLE far (line text) SERVER files OPTIONS (filename '/dev/null')",
        "CREATE TABLE nothing ()",
        "CREATE VIEW broken AS SELECT 1 / (a - a) AS x FROM sales.orders",
    ):
        postgres.execute(statement)
    streams = found(run, tmp_path, postgres.config)
    assert set(streams) == {
        "sales-orders", "public-big", "public-kept", "public-parted", "public-far",
        "public-broken",
    }  # fmt: skip
    orders = streams["sales-orders"]
    root = root_of(orders)
    assert (orders["key_properties"], orders["table_name"]) == (["a", "Id-1"], "orders")
    assert list(orders["schema"]["properties"]) == ["b", "Id-1", "a"]
    assert orders["schema"]["properties"]["b"]["type"] == ["string", "null"]
    assert orders["schema"]["properties"]["a"]["type"] == ["integer"]
    assert (orders["row_count"], root["row-count"]) == (500, 500)
    assert (root["schema-name"], root["table-name"]) == ("sales", "orders")
    assert root["database-name"] == postgres.name
    assert (orders["is_view"], streams["public-big"]["is_view"]) == (False, True)
    columns = {tuple(m["breadcrumb"]): m["metadata"] for m in orders["metadata"]}
    assert columns["properties", "a"]["inclusion"] == "automatic"
    assert columns["properties", "b"] == {
        "inclusion": "available", "selected-by-default": True, "sql-datatype": "text",
    }  # fmt: skip


def test_rows_are_estimated_once_the_server_knows_them(
    postgres: Database, run: Run, tmp_path: Path
) -> None:
    """Nothing is said of a table that was never analyzed; then the size is about right."""
    # Of its own accord the server analyzes large tables, once a minute.
    by_hand = "WITH (autovacuum_enabled = false)"
    for statement in (
        f"CREATE TABLE big {by_hand} AS SELECT n AS id FROM generate_series(1, 200000) n",
        "CREATE TABLE small AS SELECT 1 AS id",
        "CREATE TABLE empty (id integer)",
        "CREATE TABLE parted (id integer) PARTITION BY RANGE (id)",
        f"CREATE TABLE parted_1 PARTITION OF parted FOR VALUES FROM (1) TO (9999) {by_hand}",
        "INSERT INTO parted SELECT n FROM generate_series(1, 5000) n",
        "CREATE VIEW v AS SELECT id FROM big",
    ):
        postgres.execute(statement)
    before = found(run, tmp_path, postgres.config)
    assert all("row_count" not in s and "row-count" not in root_of(s) for s in before.values())
    postgres.execute("ANALYZE")
    after = {name: root_of(s).get("row-count") for name, s in
             found(run, tmp_path, postgres.config).items()}  # fmt: skip
    assert 180_000 < after.pop("public-big") < 220_000
    assert after == {
        "public-small": 1, "public-empty": 0, "public-parted": 5000, "public-v": None,
    }  # fmt: skip


def test_only_what_may_be_read_is_found(postgres: Database, run: Run, tmp_path: Path) -> None:
    """Tables without a grant are left out, columns without one are marked."""
    role = f"reader_{postgres.name}"
    postgres.execute("CREATE TABLE open (id integer, secret text)")
    postgres.execute("CREATE TABLE closed (id integer)")
    postgres.execute("INSERT INTO open VALUES (1, 'x')")
    postgres.execute(f"CREATE ROLE {role} LOGIN PASSWORD 'pw'")
    try:
        postgres.execute(f"GRANT SELECT (id) ON open TO {role}")
        config = {**postgres.config, "user": role, "password": "pw"}
        streams = found(run, tmp_path, config)
        assert set(streams) == {"public-open"}
        columns = {
            tuple(m["breadcrumb"]): m["metadata"] for m in streams["public-open"]["metadata"]
        }
        assert columns["properties", "secret"]["inclusion"] == "unsupported"
        done = run(["tap-postgres", "--config", tmp_path / "config.json"])
        assert done.code == 0, done.err
        assert b'"record":{"id":1}' in done.out
    finally:
        postgres.execute(f"DROP OWNED BY {role}")
        postgres.execute(f"DROP ROLE {role}")


def test_filter_schemas_leaves_the_others_out(postgres: Database, run: Run, tmp_path: Path) -> None:
    """By their names."""
    postgres.execute("CREATE SCHEMA a")
    postgres.execute("CREATE TABLE a.t (id integer)")
    postgres.execute("CREATE TABLE t (id integer)")
    assert set(found(run, tmp_path, {**postgres.config, "filter_schemas": ["a"]})) == {"a-t"}


def test_filter_tables_leaves_the_others_out(postgres: Database, run: Run, tmp_path: Path) -> None:
    """By the names of their streams as discovery lists them, dashes and all; or bare in public."""
    for schema in ("a", '"my-app"'):
        postgres.execute(f"CREATE SCHEMA {schema}")
    for name in ("a.t", "t", "u", '"my-app".t', '"my-app"."a-b"', '"c-d"'):
        postgres.execute(f"CREATE TABLE {name} (id integer)")
    wanted = ["my-app-t", "my-app-a-b", "public-c-d", "t"]
    config = {**postgres.config, "filter_tables": wanted}
    assert set(found(run, tmp_path, config)) == {*wanted[:3], "public-t"}
    config["filter_tables"] = ["a-t", "public-u"]
    assert set(found(run, tmp_path, config)) == {"a-t", "public-u"}
    path = tmp_path / "config.json"
    assert b"2 tables" in run(["tap-postgres", "--config", path, "--check"]).out


def test_both_filters_hold_together(postgres: Database, run: Run, tmp_path: Path) -> None:
    """No name of a table brings in a schema that is left out, and the warning tells what is in."""
    for statement in (
        "CREATE SCHEMA sales",
        "CREATE TABLE sales.orders (id integer)",
        "CREATE TABLE orders (id integer)",
    ):
        postgres.execute(statement)
    config = {**postgres.config, "filter_schemas": ["sales"], "filter_tables": ["sales-orders"]}
    assert set(found(run, tmp_path, config)) == {"sales-orders"}
    path = tmp_path / "config.json"
    for name in ("orders", "public-orders"):
        path.write_text(json.dumps({**config, "filter_tables": [name]}))
        done = run(["tap-postgres", "--config", path, "--discover"])
        assert (done.code, json.loads(done.out)["streams"]) == (0, [])
        assert f"filter_tables names '{name}'" in done.err
        assert "did you mean 'sales-orders'?" in done.err


def test_a_catalog_may_name_what_the_filters_leave_out(
    postgres: Database, run: Run, tmp_path: Path
) -> None:
    """They are for discovery: a catalog that was made before is read all the same."""
    postgres.execute("CREATE TABLE orders AS SELECT 7 AS id")
    catalog = tmp_path / "catalog.json"
    streams = [*found(run, tmp_path, postgres.config).values()]
    catalog.write_text(json.dumps({"streams": streams}))
    path = tmp_path / "config.json"
    path.write_text(json.dumps({**postgres.config, "filter_schemas": ["sales"]}))
    done = run(["tap-postgres", "--config", path, "--catalog", catalog])
    assert done.code == 0, done.err
    assert b'"record":{"id":7}' in done.out


def test_500_tables_take_seconds_and_no_more_queries_than_one(
    postgres: Database, run: Run, tmp_path: Path
) -> None:
    """One query a question: their number does not grow with the tables."""
    postgres.execute("CREATE TABLE t0 (id integer PRIMARY KEY, a text)")
    few = _statements(postgres, run, tmp_path)
    postgres.execute(
        "DO $$ BEGIN FOR i IN 1..499 LOOP EXECUTE "
        "format('CREATE TABLE t%s (id integer PRIMARY KEY, a text, b numeric(10,2))', i); "
        "END LOOP; END $$"
    )
    started = time.monotonic()
    many = _statements(postgres, run, tmp_path)
    assert found(run, tmp_path, postgres.config).keys() >= {f"public-t{i}" for i in range(500)}
    assert time.monotonic() - started < 30, "seconds, not minutes"
    assert many == few


def _statements(postgres: Database, run: Run, folder: Path) -> int:
    """How many statements the discovery sends, counted by the server."""
    postgres.execute("CREATE EXTENSION IF NOT EXISTS pg_stat_statements")
    postgres.execute("SELECT pg_stat_statements_reset()")
    found(run, folder, postgres.config)
    [(calls,)] = postgres.execute(
        "SELECT sum(calls)::int FROM pg_stat_statements s JOIN pg_database d ON d.oid = s.dbid "
        "WHERE datname = current_database() AND query NOT LIKE '%pg_stat_statements%'"
    )
    return int(calls)
