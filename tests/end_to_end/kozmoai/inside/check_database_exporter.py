"""Run in KozmoAI's environment by test_database_exporter: rows into PostgreSQL and SQLite."""

import asyncio
import datetime as dt
import json
import sqlite3
import time
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from uuid import uuid4

import pandas as pd
import pytest
from exported_places import (
    FRAME,
    ONE,
    POSTGRES,
    TWO,
    Graph,
    Postgres,
    Sqlite,
    all_of,
    data,
    export,
    exporter,
    flow,
    frame,
)
from rows_component import RowsComponent as Rows

from kozmo_bridge.components.base import KozmoComponent, Problem
from kozmo_bridge.components.canvas import Data, HandleInput, Output
from kozmo_bridge.components.database_loader import DatabaseLoaderComponent as Loader

GONE_SECONDS = 2.0


@pytest.fixture(params=["PostgreSQL", "SQLite"])
def place(request, tmp_path):
    """Each database in turn, empty."""
    return Postgres() if request.param == "PostgreSQL" else Sqlite(tmp_path)


@pytest.fixture
def postgres():
    """A PostgreSQL database, empty."""
    return Postgres()


@pytest.mark.parametrize("made", [data, frame])
@pytest.mark.parametrize("way", ["alone", "in a flow"])
def test_each_write_mode(place, made, way):
    """Append adds, Upsert changes and adds, Replace replaces, Fail if exists fails."""

    def write(rows, **inputs):
        if way == "alone":
            return export(place, made(rows), **inputs)
        source = Rows(_id="rows").set(rows_text=json.dumps(rows))
        output = source.as_data if made is data else source.as_frame
        node = exporter(place, output, **inputs)
        assert list(flow(source, node)) == ["rows", "exporter"]
        return None

    first = write(ONE)
    assert all_of(place) == [(1, "Ann"), (2, "Bob")]
    write(TWO, write_mode="Append")
    assert all_of(place) == [(1, "Ann"), (2, "Bea"), (2, "Bob"), (3, None)]
    write(TWO, write_mode="Replace", table_name="k", key_columns="id")
    assert all_of(place, "k") == [(2, "Bea"), (3, None)]
    upserted = write(ONE, write_mode="Upsert", table_name="k", key_columns="id")
    assert all_of(place, "k") == [(1, "Ann"), (2, "Bob"), (3, None)]
    write(ONE, write_mode="Fail if exists", table_name="new")
    assert all_of(place, "new") == [(1, "Ann"), (2, "Bob")]
    with pytest.raises(Exception, match="there already"):
        write(TWO, write_mode="Fail if exists", table_name="new")
    assert all_of(place, "new") == [(1, "Ann"), (2, "Bob")]
    write(TWO, write_mode="Replace")
    assert all_of(place) == [(2, "Bea"), (3, None)]
    if way == "alone":
        told, rejected = first
        assert told.pop("seconds") > 0
        assert told == {
            "status": "success", "table": "t", "schema": None, "mode": "Append",
            "rows_written": 2, "inserted": 2, "updated": 0, "rejected": 0,
        }  # fmt: skip
        assert rejected == []
        counts = [upserted[0][name] for name in ("rows_written", "inserted", "updated")]
        assert counts == [2, 1, 1]


def test_upsert_takes_the_primary_key_of_the_table_where_none_is_named(place):
    """Without either it says what the rows have; a name that they lack gets a proposal."""
    place.query("CREATE TABLE t (id integer PRIMARY KEY, name text)")
    for rows in (ONE, TWO):
        export(place, data(rows), write_mode="Upsert")
    assert all_of(place) == [(1, "Ann"), (2, "Bea"), (3, None)]
    with pytest.raises(Problem, match="(?s)Upsert needs key columns.*id, name"):
        export(place, data(ONE), write_mode="Upsert", table_name="new")
    with pytest.raises(Problem, match="did you mean 'name'"):
        export(place, data(ONE), write_mode="Upsert", key_columns="id, nam")
    assert [name for _, name in place.tables()] == ["t"]


def test_sqlite_knows_its_tables_and_columns_in_any_case(tmp_path):
    """As SQLite itself does: A to Z alone; so types and the primary key are those of the table."""
    place = Sqlite(tmp_path)
    place.query("CREATE TABLE orders (id integer PRIMARY KEY, qty integer)")
    place.query("INSERT INTO orders VALUES (1, 5)")
    for table, column in (("Orders", "qty"), ("orders", "QTY"), ("ORDERS", "Qty")):
        with pytest.raises(Problem, match=f"row 1: {column}: .*integer"):
            export(place, data([{"id": 2, column: "many"}]), table_name=table)
        rows = data([{"ID": 1, column: 6}, {"ID": 2, column: 7}])
        result, _ = export(place, rows, table_name=table, write_mode="Upsert")
        assert result["rows_written"] == 2
        assert all_of(place, "orders", "id, qty") == [(1, 6), (2, 7)]
        export(place, rows, table_name=table, write_mode="Upsert", key_columns="id")
        place.query("UPDATE orders SET qty = 5")
    with pytest.raises(Problem, match="there already"):
        export(place, data(ONE), table_name="Orders", write_mode="Fail if exists")
    assert place.tables() == [("public", "orders")]
    (made,) = place.query("SELECT sql FROM sqlite_master WHERE name = 'orders'")
    assert made == ("CREATE TABLE orders (id integer PRIMARY KEY, qty integer)",)
    place.query("CREATE TABLE größe (id integer)")
    export(place, data(ONE), table_name="GRÖSSE")
    assert len(place.tables()) == 3


def test_postgresql_tells_names_apart_by_their_case(postgres):
    """Another table, another column, and another key."""
    postgres.query("CREATE TABLE orders (id integer PRIMARY KEY, qty integer)")
    export(postgres, data([{"id": 1, "qty": "many"}]), table_name="Orders")
    assert postgres.tables() == [("public", "Orders"), ("public", "orders")]
    export(postgres, data([{"id": 1, "QTY": "many"}]), table_name="orders")
    assert postgres.query("SELECT * FROM orders") == [(1, None, "many")]
    with pytest.raises(Problem, match="the key column 'id' is not among"):
        export(postgres, data([{"ID": 1}]), table_name="orders", write_mode="Upsert")


@pytest.mark.parametrize(
    "table", ["Or ders", 'a"b', "a'b", "{table}", "a{b}-c", "a-b", "-", "naïve", "$HOME", "a.b"]
)
def test_a_table_is_called_as_the_user_spells_it(place, table):
    """Capitals, blanks, quotes, braces and dashes, with a schema and without."""
    export(place, data(ONE), table_name=table)
    export(place, data(TWO), table_name=table)
    assert place.tables() == [("public", table)]
    quoted = '"' + table.replace('"', '""') + '"'
    assert all_of(place, quoted) == [(1, "Ann"), (2, "Bea"), (2, "Bob"), (3, None)]
    if isinstance(place, Postgres):
        export(place, data(ONE), table_name=table, schema_name="My schema")
        assert place.tables() == [("My schema", table), ("public", table)]
        assert all_of(place, f'"My schema".{quoted}') == [(1, "Ann"), (2, "Bob")]


def test_types_come_from_the_values(postgres):
    """Nested values, mixed ones, none at all, decimals, and moments as they stand in Data."""
    rows = [
        {"n": 2**70, "d": Decimal("1.10"), "j": {"a": [1]}, "m": 1, "none": None, "day": None,
         "at": "2024-01-02T03:04:05+02:00", "naive": "2024-01-02 03:04:05", "no": "2024-02-30"},
        {"n": 1, "d": Decimal("2"), "j": [], "m": "x", "none": None, "day": "2024-01-31",
         "at": "2024-01-02T03:04:05.123456Z", "naive": None, "no": "2024-02-28"},
    ]  # fmt: skip
    export(postgres, data(rows))
    assert postgres.types("t") == {
        "n": "numeric", "d": "numeric", "j": "jsonb", "m": "text", "none": "text", "day": "date",
        "at": "timestamp with time zone", "naive": "timestamp without time zone", "no": "text",
    }  # fmt: skip
    utc = dt.timezone.utc
    assert postgres.query('SELECT n, d, j, m, none, day, at, naive, no FROM t ORDER BY n DESC') == [
        (2**70, Decimal("1.10"), {"a": [1]}, "1", None, None,
         dt.datetime(2024, 1, 2, 1, 4, 5, tzinfo=utc), dt.datetime(2024, 1, 2, 3, 4, 5),
         "2024-02-30"),
        (1, Decimal(2), [], "x", None, dt.date(2024, 1, 31),
         dt.datetime(2024, 1, 2, 3, 4, 5, 123456, tzinfo=utc), None, "2024-02-28"),
    ]  # fmt: skip


def test_columns_that_are_there_keep_their_types(postgres):
    """What fits goes in, from Data's forms too; with 'Widen columns' the table follows the rows."""
    postgres.query(
        "CREATE TABLE t (small smallint, price numeric(10, 2), code varchar(5), at timestamptz, "
        "day date, u uuid, j jsonb, flag boolean, raw bytea, free text, f real, gone integer)"
    )
    before = postgres.types("t")
    uuid = str(uuid4())
    row = {
        "small": 5.0, "price": 19.99, "code": 123, "at": "2024-01-02T03:04:05+00:00",
        "day": "2024-01-31", "u": uuid, "j": "text", "flag": None, "raw": "AP8=", "free": 7,
        "f": 1, "new": "2024-01-31",
    }  # fmt: skip
    told, _ = export(postgres, data([row]))
    assert told["rows_written"] == 1
    assert postgres.types("t") == {**before, "new": "date"}
    (found,) = postgres.query("SELECT * FROM t")
    assert [str(value) for value in found] == [
        "5", "19.99", "123", "2024-01-02 03:04:05+00:00", "2024-01-31", uuid, "text", "None",
        "b'\\x00\\xff'", "7", "1.0", "None", "2024-01-31",
    ]  # fmt: skip
    shifted = data([{"at": "2024-01-02", "day": "2024-01-02T00:00:00"}])
    export(postgres, shifted, max_rejected="1")
    wide = data([{"small": 100_000, "price": Decimal("0.001"), "code": "too long"}])
    with pytest.raises(Problem, match="row 1"):
        export(postgres, wide)
    export(postgres, wide, widen_columns=True)
    types = postgres.types("t")
    assert [types[name] for name in ("small", "code")] == ["bigint", "text"]
    assert (100_000, "too long") in postgres.query("SELECT small, code FROM t")


def test_dashes_part_no_schema_from_its_table(postgres):
    """Of tables whose streams would have one name, the one that is meant keeps its types."""
    postgres.query('CREATE SCHEMA "a-b"; CREATE SCHEMA a')
    postgres.query('CREATE TABLE "a-b".c (id text); CREATE TABLE a."b-c" (id integer)')
    export(postgres, data([{"id": 1}]), schema_name="a-b", table_name="c")
    export(postgres, data([{"id": 1}]), schema_name="a", table_name="b-c")
    assert postgres.query('SELECT * FROM "a-b".c') == [("1",)]
    assert postgres.query('SELECT * FROM a."b-c"') == [(1,)]


def test_types_can_be_said(postgres):
    """In a new table; a type or a column that is not known is told with what was meant."""
    rows = data([{"id": 1.0, "zip": 10115, "at": "2024-01-31"}])

    def said(**types):
        node = exporter(postgres, rows)
        table = [{"column": name, "type": type} for name, type in types.items()]
        # The host's set() takes lists apart.
        node._attributes["column_types"] = table
        return asyncio.run(node.export_data())

    said(id="Integer", zip="text", at="text")
    assert postgres.query("SELECT * FROM t") == [(1, "10115", "2024-01-31")]
    with pytest.raises(Problem, match="did you mean 'integer'"):
        said(id="integr")
    with pytest.raises(Problem, match="did you mean 'zip'"):
        said(zipp="text")


def test_the_table_of_the_usual_schema_of_the_login_is_meant(postgres):
    """Which need not be public, nor have a name without dashes; others of that name are not it."""
    postgres.query("CREATE TABLE t (id text)")
    postgres.query('CREATE SCHEMA "my-own" CREATE TABLE t (id smallint PRIMARY KEY, name text)')
    postgres.query(f'ALTER ROLE "{POSTGRES["user"]}" SET search_path = "my-own", public')
    try:
        for rows in (ONE, TWO):
            export(postgres, data(rows), write_mode="Upsert")
        assert all_of(postgres, '"my-own".t') == [(1, "Ann"), (2, "Bea"), (3, None)]
        assert postgres.types('"my-own".t') == {"id": "smallint", "name": "text"}
        assert postgres.query("SELECT id FROM public.t") == []
    finally:
        postgres.query(f'ALTER ROLE "{POSTGRES["user"]}" RESET search_path')


def test_rows_that_do_not_fit_are_rejected(place):
    """They are told with the reason, the others are written; beyond the limit none is."""
    place.query("CREATE TABLE t (id integer NOT NULL, name varchar(9), CHECK (id < 100))")
    rows = [
        {"id": 1, "name": "Ann"},
        {"id": "two", "name": "Bob"},
        {"id": 300, "name": "Cy"},
        {"id": None, "name": "Di"},
        {"id": 5, "name": "Ed"},
    ]
    with pytest.raises(Problem, match="(?s)refused 3 rows, and at most 1% may.*row 2.*'two'|two"):
        export(place, data(rows))
    assert all_of(place) == []
    for made in (data, frame):
        place.query("DELETE FROM t")
        told, rejected = export(place, made(rows), max_rejected="3")
        assert all_of(place) == [(1, "Ann"), (5, "Ed")]
        assert (told["rows_written"], told["inserted"], told["rejected"]) == (2, 2, 3)
        assert [row["name"] for row in rejected] == ["Bob", "Cy", "Di"]
        assert rejected[0] == {
            "_reason": 'expected integer, got "two"', "_column": "id", "id": "two", "name": "Bob"
        }  # fmt: skip
        assert all(row["_reason"] for row in rejected)


def rejecting(place, rows, second):
    """A flow whose rejected rows go to another table."""
    source = Rows(_id="rows").set(rows_text=json.dumps(rows))
    first = exporter(place, source.as_data, id="first", max_rejected="100%")
    last = exporter(place, first.rejected_rows, id="second", table_name=second)
    return flow(source, last)


def test_rejected_rows_go_on_to_the_next_node_if_there_are_any(place):
    """Without any that branch does not run."""
    place.query("CREATE TABLE t (id integer, name text)")
    assert list(rejecting(place, ONE, "bad")) == ["rows", "first"]
    assert [name for _, name in place.tables()] == ["t"]
    assert "second" in rejecting(place, [*TWO, {"id": "x", "name": "Zoe"}], "bad")
    assert all_of(place, "bad", "_column, id, name") == [("id", "x", "Zoe")]
    assert all_of(place) == [(1, "Ann"), (2, "Bea"), (2, "Bob"), (3, None)]


def quarantined(place, rows, *others):
    """A node that writes *rows*, whose rejected rows go to the one of *others*' as well."""
    first = exporter(place, rows.as_data, id=f"to {rows._id}", max_rejected="100%")
    last = exporter(place, first.rejected_rows, id="last", table_name="last")
    for other in others:
        last.set(input_data=other)
    return last


def test_rejected_rows_of_several_nodes_go_to_one(tmp_path):
    """A node whose rows were all taken does not switch off what another one has rows for."""
    place = Sqlite(tmp_path)
    place.query("CREATE TABLE t (id integer, name text)")
    bad = Rows(_id="bad").set(rows_text=json.dumps([*ONE, {"id": "x", "name": "Zoe"}]))
    second = exporter(place, bad.as_data, id="to bad", max_rejected="100%")
    good = Rows(_id="good").set(rows_text=json.dumps(TWO))
    assert "last" in flow(good, quarantined(place, good, second.rejected_rows))
    assert all_of(place, "last") == [("x", "Zoe")]
    good = Rows(_id="good").set(rows_text=json.dumps(TWO))
    assert "last" in flow(good, quarantined(place, good, good.as_data))
    assert len(all_of(place, "last")) == 3


def test_nothing_comes_of_no_rows(place):
    """Append and Upsert write nothing; Replace leaves the table unless it knows the columns."""
    export(place, data(ONE))
    for mode in ("Append", "Upsert", "Fail if exists", "Replace"):
        source = Rows(_id="rows").set(rows_text="[]")
        node = exporter(place, source.as_data, write_mode=mode, key_columns="id")
        (result,) = flow(source, node)["exporter"]["result"]
        assert (result.data["status"], result.data["rows_written"]) == ("empty", 0)
        assert ("left as it was" in result.data.get("note", "")) == (mode == "Replace")
    empty = FRAME(pd.DataFrame({"id": pd.Series(dtype="int64"), "name": pd.Series(dtype="str")}))
    (result,) = asyncio.run(exporter(place, empty).export_data())
    assert (result.data["status"], result.data["rows_written"]) == ("empty", 0)
    assert all_of(place) == [(1, "Ann"), (2, "Bob")]
    asyncio.run(exporter(place, empty, write_mode="Replace").export_data())
    assert all_of(place) == []
    with pytest.raises(Problem, match="there are no rows to write"):
        export(place, None)


def test_several_edges_are_written_one_after_the_other(place):
    """Of a new node, and of one saved by the first integration, whose input is a list."""
    for listed in (False, True):
        for output in ("as_data", "as_one", "as_frame"):
            one = Rows(_id="one").set(rows_text=json.dumps(ONE))
            two = Rows(_id="two").set(rows_text=json.dumps(TWO[:1]))
            node = exporter(place, one.as_data, write_mode="Replace")
            node.set(input_data=getattr(two, output))
            node._inputs["input_data"].is_list = listed
            assert set(flow(one, node)) == {"one", "two", "exporter"}
            assert all_of(place) == [(1, "Ann"), (2, "Bea"), (2, "Bob")]


def test_two_outputs_of_a_node_are_both_written(place):
    """Each by its own edge; the host would give us one of them twice."""
    rows = Rows(_id="rows").set(rows_text=json.dumps(ONE))
    node = exporter(place, rows.as_data)
    node.set(input_data=rows.as_one)
    flow(rows, node)
    assert all_of(place) == [(1, "Ann"), (1, "Ann"), (2, "Bob")]


def bookmarked(place, shop, flow_id, **inputs):
    """A flow that reads new rows of *shop* and writes them; return the rows that it had read."""
    loader = Loader(_id="loader").set(
        database_type="SQLite", database_file=str(shop), table_name="orders",
        sync_mode="Incremental", replication_key="id",
    )  # fmt: skip
    node = exporter(place, loader.as_data, **inputs)
    flow(loader, node, flow_id)


def test_what_was_read_counts_as_read_once_it_is_written(place, tmp_path):
    """A run whose exporter fails, or only tries, is read again; one that went well is not."""
    shop, flow_id = tmp_path / "shop.db", str(uuid4())
    with closing(sqlite3.connect(shop)) as source:
        source.execute("CREATE TABLE orders (id integer PRIMARY KEY, name text)")
        source.executemany("INSERT INTO orders VALUES (?, ?)", [(1, "Ann"), (2, "Bob")])
        source.commit()
        with pytest.raises(Exception, match="no write mode"):
            bookmarked(place, shop, flow_id, write_mode="Ship")
        bookmarked(place, shop, flow_id, dry_run=True)
        assert place.tables() == []
        bookmarked(place, shop, flow_id)
        assert all_of(place) == [(1, "Ann"), (2, "Bob")]
        source.execute("INSERT INTO orders VALUES (3, 'Cy')")
        source.commit()
        bookmarked(place, shop, flow_id)
        bookmarked(place, shop, flow_id)
    assert all_of(place) == [(1, "Ann"), (2, "Bob"), (3, "Cy")]


@pytest.fixture
def new_rows(tmp_path):
    """What makes an incremental node of one flow: each call is for another run of it."""
    shop, flow_id = tmp_path / "shop.db", str(uuid4())
    with closing(sqlite3.connect(shop)) as source:
        source.execute("CREATE TABLE orders (id integer PRIMARY KEY, name text)")
        source.executemany("INSERT INTO orders VALUES (?, ?)", [(1, "Ann"), (2, "Bob")])
        source.commit()

    def made():
        return Loader(_id="loader").set(
            database_type="SQLite", database_file=str(shop), table_name="orders",
            sync_mode="Incremental", replication_key="id",
        )  # fmt: skip

    return made, flow_id


async def walk(graph):
    """Run a graph that is prepared; return what ran."""
    return [step.vertex.id async for step in graph.async_start() if hasattr(step, "vertex")]


class RouterComponent(KozmoComponent):
    """Lets nothing through."""

    display_name = "Router"
    inputs = [HandleInput(name="input_data", display_name="Rows", input_types=["Data"])]
    outputs = [Output(name="rows", display_name="Rows", method="nothing")]

    async def nothing(self) -> list[Data]:
        """What comes after this does not run."""
        self.stop("rows")
        return []


def test_a_run_of_one_exporter_keeps_the_rows_for_the_other(tmp_path, new_rows):
    """And says so; a run of both brings them to both, and then there are no more."""
    place, (loader, flow_id) = Sqlite(tmp_path), new_rows
    told = "the bookmark is not kept, since Database Exporter does not run now"
    for stop, expected in (("one", ["loader", "one"]), (None, ["loader", "one", "two"])) * 2:
        source = loader()
        graph = Graph(
            source, exporter(place, source.as_data, id="one", table_name="one"), flow_id=flow_id
        )
        graph.add_component(exporter(place, id="two", table_name="two"))
        graph.add_component_edge("loader", ("data", "input_data"), "two")
        graph.prepare(stop)
        assert sorted(asyncio.run(walk(graph))) == expected
        said = [line.message for line in source._output_logs["data"]]
        assert (told in said) == bool(stop)
    assert all_of(place, "two") == [(1, "Ann"), (2, "Bob")]
    assert all_of(place, "one") == [(1, "Ann"), (1, "Ann"), (2, "Bob"), (2, "Bob")]


@pytest.mark.parametrize(("router", "times"), [("a router", 1), ("the router", 2)])
def test_an_exporter_that_is_switched_off(tmp_path, new_rows, router, times):
    """Is not waited for; but if that comes after the others, the rows come again, and that is said.

    The host takes nodes in the order of their ids.
    """
    place, (loader, flow_id) = Sqlite(tmp_path), new_rows
    told = "the bookmark is kept once Database Exporter has written the rows as well"
    for _ in range(2):
        source = loader()
        first = exporter(place, source.as_data, id="one")
        graph = Graph(source, first, flow_id=flow_id)
        graph.add_component(RouterComponent(_id=router))
        graph.add_component(exporter(place, id="two", table_name="two"))
        graph.add_component_edge("loader", ("data", "input_data"), router)
        graph.add_component_edge(router, ("rows", "input_data"), "two")
        graph.prepare()
        assert asyncio.run(walk(graph)) == ["loader", *sorted([router, "one"])]
        said = [line.message for line in first._output_logs["result"]]
        assert (told in said) == (times == 2)
    assert all_of(place) == [(1, "Ann")] * times + [(2, "Bob")] * times


def test_two_runs_at_once_are_told(tmp_path, new_rows):
    """The one that is done last says that it read the same rows; nothing is set back."""
    place, (loader, flow_id) = Sqlite(tmp_path), new_rows

    def prepared():
        source = loader()
        graph = Graph(source, exporter(place, source.as_data), flow_id=flow_id)
        graph.prepare()
        return graph

    async def both():
        return await asyncio.gather(*(walk(prepared()) for _ in "ab"), return_exceptions=True)

    done = asyncio.run(both())
    (fault,) = [each for each in done if isinstance(each, Exception)]
    assert "another run of this flow has read the same rows" in str(fault)
    rows = all_of(place)
    asyncio.run(walk(prepared()))
    assert all_of(place) == rows


def children():
    """The processes that this one has started and that still run."""
    found = []
    for task in Path("/proc/self/task").iterdir():
        found += (task / "children").read_text().split()
    return found


def until(true, seconds=60.0):
    """Wait until *true* says so; return how long that took."""
    start = time.monotonic()
    while not true():
        assert time.monotonic() - start < seconds
        time.sleep(0.01)
    return time.monotonic() - start


@pytest.mark.parametrize("mode", ["Append", "Upsert", "Replace"])
def test_stop_ends_the_target_and_writes_nothing(postgres, mode):
    """In the middle of the rows: the process and its session are gone, the table is as before."""
    postgres.query("CREATE TABLE t (id integer PRIMARY KEY, name text)")
    export(postgres, data(ONE))
    rows = frame({"id": range(10, 400_000), "name": "x" * 50})
    sessions = "SELECT 1 FROM pg_stat_activity WHERE application_name = 'target-postgres'"

    async def stopped():
        task = asyncio.ensure_future(exporter(postgres, rows, write_mode=mode).export_data())
        copying = f"{sessions} AND query LIKE 'COPY%'"
        await asyncio.to_thread(until, lambda: postgres.query(copying))
        task.cancel()
        gone = asyncio.to_thread(until, lambda: not children())
        with pytest.raises(asyncio.CancelledError):
            await task
        return await gone

    assert asyncio.run(stopped()) < GONE_SECONDS
    until(lambda: not postgres.query(sessions))
    assert all_of(postgres) == [(1, "Ann"), (2, "Bob")]


def test_a_dry_run_shows_what_would_happen_and_changes_nothing(place):
    """Columns with types and actions, statements, counts; and why it would fail."""
    place.query("CREATE TABLE t (id integer NOT NULL, name varchar(9))")
    place.query("INSERT INTO t VALUES (1, 'Ann')")
    rows = data([{"id": 2, "new": 1.5}, {"id": "x", "new": None}])
    strict, _ = export(place, rows, dry_run=True)
    assert strict["status"] == "would fail"
    with pytest.raises(Exception, match="at most 0 may be refused") as caught:
        export(place, rows)
    assert strict["error"] == str(caught.value).replace("\n\n", "; ")
    node = exporter(place, rows, dry_run=True, max_rejected="1")
    (result,) = asyncio.run(node.export_data())
    told = result.data
    assert told["status"] == "dry run"
    assert [told[name] for name in ("rows_written", "rows_to_write", "rows_to_reject")] == [0, 1, 1]
    assert (told["table_exists"], told["rows_there"]) == (True, 1)
    actions = {column["column"]: column["action"] for column in told["columns"]}
    assert actions == {"id": "keep", "new": "add", "name": "left alone"}
    assert [row.data for row in node.status] == told["columns"]
    assert any("ADD COLUMN" in statement for statement in told["statements"])
    assert place.query("SELECT * FROM t") == [(1, "Ann")]
    failing, _ = export(place, data(ONE), dry_run=True, write_mode="Fail if exists")
    assert failing["status"] == "would fail"
    assert "there already" in failing["error"]
    made, _ = export(
        place, data(ONE), dry_run=True, table_name="u", write_mode="Upsert", key_columns="id"
    )
    assert [column["action"] for column in made["columns"]] == ["create", "create"]
    assert made["statements"][0].startswith("CREATE TABLE")
    assert [name for _, name in place.tables()] == ["t"]
    assert place.query("SELECT * FROM t") == [(1, "Ann")]
