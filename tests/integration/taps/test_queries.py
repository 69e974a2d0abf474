"""Queries of the user's as streams of both databases: found, read, refused."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
import pytest

from conftest import Run
from servers.postgres import Database

ORDERS = """
SELECT c.id, c.name AS "na%me", count(*) AS orders, max(o.day) AS last
FROM customer c JOIN orders o ON o.customer = c.id WHERE c.name LIKE '%a;%'
GROUP BY c.id, c.name
"""
TABLES = (
    "CREATE TABLE customer (id integer PRIMARY KEY, name varchar(40), born date)",
    "CREATE TABLE orders (id integer PRIMARY KEY, customer integer, day date, total decimal(8,2))",
    "INSERT INTO customer VALUES (1, 'Ana; x', '2001-02-03'), (2, 'Bo', NULL)",
    "INSERT INTO orders VALUES (1, 1, '2024-01-01', 2.5), (2, 1, '2024-01-02', 3.5),"
    " (3, 2, '2024-01-03', 4.5), (4, 2, '2024-01-04', 5.5)",
)


class Shop:
    """The same two tables in either database, and the tap that reads them."""

    def __init__(self, tap: str, folder: Path, postgres: Database) -> None:
        self.tap, self._postgres, self._path = tap, postgres, folder / "shop.db"
        self.prefix = "public-" if tap == "tap-postgres" else ""
        self._config = postgres.config if self.prefix else {"path": str(self._path)}
        for statement in TABLES:
            self.execute(statement)

    def execute(self, statement: str) -> list[tuple[Any, ...]]:
        """Run a statement that both databases understand."""
        if self.prefix:
            return self._postgres.execute(statement)
        with closing(sqlite3.connect(self._path)) as connection, connection:
            return connection.execute(statement).fetchall()

    def config(self, sql: Any, **settings: Any) -> dict[str, Any]:
        """The settings of a tap whose only stream is the query q."""
        return {**self._config, "queries": {"q": sql}, "discover_tables": False, **settings}

    def rows(self) -> tuple[int, int]:
        """How many customers and orders there are."""
        [customers], [orders] = (self.execute(f"SELECT count(*) FROM {t}")
                                 for t in ("customer", "orders"))  # fmt: skip
        return customers[0], orders[0]


@pytest.fixture(params=["tap-postgres", "tap-sqlite"])
def shop(request: pytest.FixtureRequest, tmp_path: Path, postgres: Database) -> Shop:
    """A shop in each database."""
    return Shop(request.param, tmp_path, postgres)


def test_a_query_is_a_stream_before_the_tables(shop: Shop, discover: Any) -> None:
    """In the order in which the setting has them; without tables it stands alone."""
    queries = {"z": "SELECT id FROM orders", "a": "SELECT id FROM customer"}
    both = discover(shop.tap, {**shop.config("x"), "queries": queries, "discover_tables": True})
    tables = [f"{shop.prefix}customer", f"{shop.prefix}orders"]
    assert list(both) == ["z", "a", *tables]
    alone = discover(shop.tap, {**shop.config("x"), "queries": queries})
    assert list(alone) == ["z", "a"]


def test_a_query_is_described_and_read_as_a_view_of_it(shop: Shop, discover: Any, tap: Any) -> None:
    """Columns, types, metadata and records are those of the view but for its name."""
    shop.execute(f"CREATE VIEW v AS {ORDERS}")
    config = shop.config(ORDERS, discover_tables=True)
    streams = discover(shop.tap, config)
    query, view = streams["q"], streams[f"{shop.prefix}v"]
    assert query["schema"] == view["schema"]
    assert query["metadata"][1:] == view["metadata"][1:]
    [root], [other] = ([m["metadata"] for m in s["metadata"] if not m["breadcrumb"]]
                       for s in (query, view))  # fmt: skip
    assert root.pop("table-kind") == "query"
    differ = ("table-kind", "table-name", "schema-name")
    assert {k: v for k, v in root.items() if k not in differ} == {
        k: v for k, v in other.items() if k not in differ
    }
    said = tap(shop.tap, config, catalog={"streams": [query, view]})
    assert said.code == 0, said.err
    first, second = (
        [m["record"] for m in said.of("RECORD") if m["stream"] == stream["stream"]]
        for stream in (query, view)
    )
    assert first == second == [{"id": 1, "na%me": "Ana; x", "orders": 2, "last": "2024-01-02"}]


def test_a_catalog_without_columns_wants_them_all(shop: Shop, tap: Any) -> None:
    """Of a query and of a table, without a discovery before."""
    config = {**shop.config("SELECT id, total FROM orders"), "filter_tables": ["orders"]}
    selected = [{"breadcrumb": [], "metadata": {"selected": True}}]
    streams = [
        {"tap_stream_id": name, "schema": {"type": "object"}, "metadata": selected}
        for name in ("q", f"{shop.prefix}orders")
    ]
    said = tap(shop.tap, config, catalog={"streams": streams})
    assert said.code == 0, said.err
    columns = [list(message["schema"]["properties"]) for message in said.of("SCHEMA")]
    assert columns == [["id", "total"], ["id", "customer", "day", "total"]]
    assert len(said.records) == 8


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT id FROM orders;",
        "SELECT id FROM orders ; -- all; of them",
        "-- of the year\nSELECT id FROM orders -- all of them",
        "SELECT id /* the; key */ FROM orders\n;\n/* the end; */ ",
        "WITH o AS (SELECT id FROM orders) SELECT id FROM o;",
        "SELECT id FROM orders WHERE ';' = ';' AND '--' <> '%s';",
    ],
)
def test_semicolons_and_comments_do_no_harm(shop: Shop, tap: Any, sql: str) -> None:
    """At the end of a query, in texts and in comments."""
    said = tap(shop.tap, shop.config(sql))
    assert said.code == 0, said.err
    assert [record["id"] for record in said.records] == [1, 2, 3, 4]


def test_limit_selection_and_count_are_those_of_a_table(
    shop: Shop, tap: Any, discover: Any, run: Run, tmp_path: Path
) -> None:
    """--limit, a column that is not selected, --count."""
    config = shop.config("SELECT id, day, total FROM orders ORDER BY id DESC")
    stream = discover(shop.tap, config)["q"]
    for entry in stream["metadata"]:
        if entry["breadcrumb"] == ["properties", "day"]:
            entry["metadata"]["selected"] = False
    said = tap(shop.tap, config, "--limit", "2", catalog={"streams": [stream]})
    assert said.records == [{"id": 4, "total": 5.5}, {"id": 3, "total": 4.5}]
    done = run([shop.tap, "--config", tmp_path / "config.json", "--count"])
    assert json.loads(done.out) == {"q": 4}


def test_a_query_is_read_from_its_bookmark_on(shop: Shop, tap: Any, discover: Any) -> None:
    """Its replication_key makes it incremental, and its key_properties are the stream's."""
    sql = "SELECT id AS number, day, total FROM orders"
    config = shop.config({"sql": sql, "key_properties": ["number"], "replication_key": "day"})
    stream = discover(shop.tap, config)["q"]
    assert stream["key_properties"] == ["number"]
    assert (stream["replication_method"], stream["replication_key"]) == ("INCREMENTAL", "day")
    first = tap(shop.tap, config, "--limit", "3")
    assert [record["number"] for record in first.records] == [1, 2, 3]
    assert first.of("SCHEMA")[0]["key_properties"] == ["number"]
    shop.execute("INSERT INTO orders VALUES (5, 1, '2024-01-03', 1.5), (0, 1, '2023-12-31', 1)")
    second = tap(shop.tap, config, state=first.state)
    assert sorted(record["number"] for record in second.records) == [4, 5]
    assert tap(shop.tap, config, state=second.state).records == []


def test_the_setting_replication_key_counts_for_queries_that_have_the_column(
    shop: Shop, discover: Any
) -> None:
    """As it does for tables."""
    stream = discover(shop.tap, shop.config("SELECT day FROM orders", replication_key="day"))["q"]
    assert stream["replication_method"] == "INCREMENTAL"


@pytest.mark.parametrize(
    "sql",
    [
        "DELETE FROM orders",
        "DELETE FROM orders RETURNING id",
        "DELETE FROM orders RETURNING id; -- x",
        "INSERT INTO customer VALUES (9, 'x', NULL) RETURNING id",
        "WITH gone AS (DELETE FROM orders RETURNING id) SELECT id FROM gone",
        "CREATE TABLE other (id integer)",
        "CREATE TABLE other AS SELECT 1 AS id",
        "DROP TABLE orders",
        "SELECT id FROM orders; DROP TABLE orders",
        "SELECT 1 AS id) ; DROP TABLE orders",
        "SELECT 1 AS id) AS q; DROP TABLE orders; --",
        "SELECT 1 AS id) AS q) TO STDOUT; COMMIT; DROP TABLE orders; --",
        "SELECT 1 AS id) AS q) TO STDOUT; COMMIT; DELETE FROM orders; BEGIN; /*",
        "SELECT 1 AS id) AS q UNION ALL SELECT * FROM (SELECT 2 AS id",
        "COMMIT; DROP TABLE orders",
        "COMMIT",
    ],
)
def test_what_is_no_single_select_is_refused_and_changes_nothing(
    shop: Shop, tap: Any, run: Run, tmp_path: Path, sql: str
) -> None:
    """By discovery and by reading with a catalog of another query's; the exit code is 2."""
    harmless = shop.config("SELECT 1 AS id")
    path = tmp_path / "harmless.json"
    path.write_text(json.dumps(harmless))
    catalog = run([shop.tap, "--config", path, "--discover"]).out.decode()
    for said in (
        tap(shop.tap, shop.config(sql), "--check"),
        tap(shop.tap, shop.config(sql), "--discover"),
        tap(shop.tap, shop.config(sql), catalog=catalog),
        tap(shop.tap, shop.config(sql), "--count", catalog=catalog),
    ):
        assert said.code == 2, said.err
        assert "query 'q'" in said.err
        assert "Traceback" not in said.err
        assert not said.records
    assert shop.rows() == (2, 4)
    with pytest.raises((psycopg.Error, sqlite3.Error), match="other"):
        shop.execute("SELECT * FROM other")


@pytest.mark.parametrize("sql", ["SELEC id FROM orders", "SELECT idd FROM orders",
                                 "SELECT id FROM nowhere"])  # fmt: skip
def test_a_wrong_query_is_named_in_the_words_of_the_database(
    shop: Shop, tap: Any, sql: str
) -> None:
    """Which query, what is wrong with it, and for PostgreSQL where."""
    said = tap(shop.tap, shop.config(f"\n  {sql}"), "--discover")
    assert said.code == 2
    wrong = next(word for word in ("SELEC ", "idd", "nowhere") if word in sql).strip()
    assert "refuses query 'q'" in said.err
    assert wrong in said.err
    if shop.prefix:
        assert f"line 2, column {3 + sql.index(wrong)}: {wrong}" in said.err


def test_a_fault_that_shows_while_reading_names_the_query(shop: Shop, tap: Any) -> None:
    """It is an error of the data, so the exit code is 1."""
    sql = (
        "SELECT 1 / (id - 3) AS x FROM orders"
        if shop.prefix
        else "SELECT abs(-9223372036854775807 - 1) AS x"
    )
    said = tap(shop.tap, shop.config(sql))
    assert said.code == 1
    assert "could not read query q" in said.err


def test_a_key_that_is_no_column_is_refused(shop: Shop, tap: Any) -> None:
    """With what there is."""
    said = tap(shop.tap, shop.config({"sql": "SELECT id FROM orders", "replication_key": "day"}))
    assert said.code == 2
    assert "query 'q' finds no column 'day'" in said.err


def test_a_key_without_an_order_is_refused_before_a_run(shop: Shop, tap: Any) -> None:
    """By discovery: SQLite declares no type of an expression, and JSON has no order."""
    sql, kind = "SELECT to_json(id) AS m FROM orders", "json"
    if not shop.prefix:
        sql = "SELECT customer, max(total) AS m FROM orders GROUP BY customer"
        kind = "an expression or column without a declared type"
    said = tap(shop.tap, shop.config({"sql": sql, "replication_key": "m"}), "--discover")
    assert said.code == 2, said.err
    assert f"query 'q': 'm' cannot be a replication key, because {kind} has no order" in said.err
    assert "name a column that a table declares as numbers" in said.err


def test_a_filter_that_matches_no_table_is_a_warning(shop: Shop, run: Run, tmp_path: Path) -> None:
    """With the name that was probably meant; those that match are found without a word."""
    path = tmp_path / "config.json"
    for wrong, options in (("ordes", ["--discover"]), ("ORDERS", ["--check"])):
        names = [f"{shop.prefix}{name}" for name in ("customer", wrong)]
        tables = {"discover_tables": True, "filter_tables": names}
        path.write_text(json.dumps(shop.config("SELECT 1 AS id", **tables)))
        done = run([shop.tap, "--config", path, *options])
        assert done.code == 0, done.err
        assert f"filter_tables names '{names[1]}', which is no table" in done.err
        assert f"did you mean '{shop.prefix}orders'?" in done.err
        assert names[0] not in done.err


def test_a_name_that_a_table_has_is_refused_unless_tables_are_left_out(
    shop: Shop, tap: Any
) -> None:
    """No stream stands for two things."""
    name = f"{shop.prefix}orders"
    config = {**shop.config("x"), "queries": {name: "SELECT id FROM customer"}}
    said = tap(shop.tap, {**config, "discover_tables": True})
    assert said.code == 2
    assert f"a query and a table would both be stream {name}" in said.err
    alone = tap(shop.tap, config)
    assert alone.records == [{"id": 1}, {"id": 2}]


def test_a_catalog_with_a_query_that_is_gone_is_an_error(
    shop: Shop, tap: Any, discover: Any
) -> None:
    """It names the stream and the setting."""
    stream = discover(shop.tap, shop.config("SELECT id FROM orders"))["q"]
    config = {**shop.config("x"), "queries": {"q2": "SELECT id FROM orders"}}
    said = tap(shop.tap, config, catalog={"streams": [stream]})
    assert said.code == 2
    assert "stream q: the setting 'queries' has no query of that name" in said.err
    assert "did you mean 'q2'?" in said.err


def test_a_check_looks_at_the_queries(shop: Shop, run: Run, tmp_path: Path) -> None:
    """And says how many there are."""
    path = tmp_path / "config.json"

    def words(config: dict[str, Any]) -> str:
        path.write_text(json.dumps(config))
        return run([shop.tap, "--config", path, "--check"]).out.decode()

    assert ", 1 query, " in words(shop.config("SELECT 1 AS id"))
    both = shop.config("SELECT 1 AS id", discover_tables=True)
    assert ", 1 query, 2 tables, " in words(both)
