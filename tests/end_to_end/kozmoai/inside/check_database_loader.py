"""The Database Loader within KozmoAI; test_database_loader.py starts it and tells of a server."""

import asyncio
import json
import math
import os
import sqlite3
import time
import uuid
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import quote, urlsplit

import psycopg
import pytest
from psycopg import sql

from kozmo_bridge import _host
from kozmo_bridge.components.base import Problem
from kozmo_bridge.components.canvas import Component, Data, HandleInput, Message, Output
from kozmo_bridge.components.database_loader import FULL, INCREMENTAL, DatabaseLoaderComponent
from servers import processes

HostComponent = _host.module("custom.custom_component.component").Component
Graph = _host.module("graph").Graph
build_custom_component_template = _host.module("custom.utils").build_custom_component_template
get_storage_service = _host.module("services.deps").get_storage_service
URL = os.environ["POSTGRES_URL"]
PARTS = urlsplit(URL)
FIELDS = {
    "database_type": "PostgreSQL",
    "host": PARTS.hostname,
    "port": PARTS.port,
    "username": PARTS.username,
    "password": PARTS.password,
    "database": PARTS.path[1:],
}
STUB = Path(__file__).parents[4] / "kozmo_bridge/components/path/data/database_loader.py"
STOP_SECONDS = 2.0


# The host keeps connections to its own database, each of which belongs to a loop.
LOOP = asyncio.new_event_loop()


def wait(work):
    """Return what *work* gives."""
    return LOOP.run_until_complete(work)


class SinkComponent(Component):
    """Takes what another node gives."""

    display_name = "Sink"
    name = "Sink"
    inputs = [HandleInput(name="given", input_types=["Data", "DataFrame", "Message"])]
    outputs = [Output(name="taken", display_name="Taken", method="take")]

    def take(self) -> Data:
        """Return what came, as rows."""
        rows = self.given
        if hasattr(rows, "to_dict"):
            rows = rows.to_dict("records")
        return Data(data={"rows": [getattr(row, "data", row) for row in rows]})


@pytest.fixture(autouse=True)
def home(monkeypatch, tmp_path):
    """A home for what the runner remembers, and no process left behind."""
    monkeypatch.setenv("KOZMO_HOME", str(tmp_path / "kozmo"))
    before = processes.children()
    yield
    processes.expect_gone(processes.children() - before)


@pytest.fixture
def execute():
    """Run statements in the database, and in the end drop what they made."""
    with psycopg.connect(URL, autocommit=True) as connection:
        yield connection.execute
        connection.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
        connection.execute("DROP SCHEMA IF EXISTS sales CASCADE")


@pytest.fixture
def orders(execute):
    """A table of three orders."""
    execute("CREATE TABLE orders (id int PRIMARY KEY, name text, secret text)")
    execute("INSERT INTO orders VALUES (1, 'Ann', 'a'), (2, 'Bob', 'b'), (3, NULL, NULL)")


@pytest.fixture
def shop(tmp_path):
    """The same orders in an SQLite file."""
    path = tmp_path / "shop \\new.db"
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("CREATE TABLE orders (id INTEGER PRIMARY KEY, name TEXT, secret TEXT)")
        database.execute("INSERT INTO orders VALUES (1, 'Ann', 'a'), (2, 'Bob', 'b'), (3, NULL, 0)")
    return str(path)


def loader(**inputs):
    """Return a node with *inputs*, those of the server among them."""
    return DatabaseLoaderComponent(_id=inputs.pop("_id", "loader"), **{**FIELDS, **inputs})


def rows(**inputs):
    """Return the rows that a node reads."""
    return [row.data for row in wait(loader(**inputs).as_data())]


def refused(**inputs):
    """Return what a node says that cannot read."""
    with pytest.raises(Problem) as refusal:
        wait(loader(**inputs).as_data())
    return str(refusal.value)


def run(output="as_data", flow=None, **inputs):
    """Return the rows that come out of a node in a graph of the host."""
    source = loader(**inputs)
    sink = SinkComponent(_id="sink").set(given=getattr(source, output))
    graph = Graph(source, sink, flow_id=flow)
    graph.prepare()

    async def steps():
        return [step async for step in graph.async_start()]

    wait(steps())
    return sink.get_output_by_method(sink.take).value.data["rows"]


class Form:
    """The node on the canvas: its template, which goes to the server and back."""

    def __init__(self, **inputs):
        self.fields = build_custom_component_template(HostComponent(_code=STUB.read_text()))[0][
            "template"
        ]
        for name, value in inputs.items():
            self.fields[name]["value"] = value

    def __getitem__(self, name):
        return self.fields[name]["value"]

    def change(self, name, value):
        """Change an input as the user does; return the verdict."""
        _, node = build_custom_component_template(HostComponent(_code=STUB.read_text()))
        told = {
            n: f["value"] for n, f in self.fields.items() if isinstance(f, dict) and n != "code"
        }
        node.set_attributes(told)
        self.fields = json.loads(json.dumps(self.fields))
        wait(node.update_build_config(self.fields, value, name))
        json.dumps(self.fields)
        return "; ".join(row["found"] for row in self["verdict"])

    def shown(self):
        """Return the names of the inputs on the node."""
        fields = {n: f for n, f in self.fields.items() if isinstance(f, dict) and n != "code"}
        return {n for n, f in fields.items() if f.get("show", True) and not f.get("advanced")}


# The component as the host sees it.


def test_the_host_builds_the_stub():
    """Inputs and outputs of the first integration's are there, and no name is a trap."""
    code = STUB.read_text()
    node, _ = build_custom_component_template(HostComponent(_code=code))
    template = node["template"]
    old = {"database_type", "connection_string", "query", "table_name", "limit"}
    assert old | {"test_connection_only"} <= set(template)
    databases = {"PostgreSQL", "MySQL", "BigQuery", "Snowflake", "Redshift", "SQLite"}
    assert databases == set(template["database_type"]["options"])
    assert template["database_type"]["options"][:2] == ["PostgreSQL", "SQLite"]
    assert template["limit"]["value"] == 10_000
    outputs = {output["name"]: output["types"] for output in node["outputs"]}
    assert outputs["data"] == ["Data"]
    assert outputs["dataframe"] == ["DataFrame"]
    inputs = [each.name for each in DatabaseLoaderComponent.inputs]
    assert not [name for name in inputs if name in dir(HostComponent) or "config" in name]
    assert len(Form().shown()) <= 9
    assert all(len(each.display_name) <= 28 for each in DatabaseLoaderComponent.inputs)


@pytest.mark.parametrize("by", ["fields", "string", "query"])
def test_every_output_of_every_way_to_connect(orders, by):
    """By fields, by a connection string alone as in old flows, and by a query."""
    told = {
        "fields": {**FIELDS, "table_name": "orders"},
        "string": {"connection_string": URL, "table_name": "orders", "database_type": "PostgreSQL"},
        "query": {**FIELDS, "query": "SELECT * FROM orders ORDER BY id;"},
    }[by]
    node = DatabaseLoaderComponent(_id="loader").set(**told)
    results, artifacts = wait(node.run())
    tool = results.pop("component_as_tool")
    assert [each.name for each in tool] == ["DatabaseLoader-as_data"]
    assert set(results) == {"data", "dataframe", "text", "state"}
    assert [row.data["id"] for row in results["data"]] == [1, 2, 3]
    assert results["dataframe"]["name"].tolist()[:2] == ["Ann", "Bob"]
    assert results["text"].text.startswith("| id | name | secret |")
    assert results["state"].data["rows"] == 3
    # All outputs of a run share one reading.
    assert sum("rows from tap-postgres" in str(logs) for logs in node._output_logs.values()) == 1


@pytest.mark.parametrize("output", ["as_data", "as_dataframe"])
@pytest.mark.parametrize("by", ["file", "string", "path"])
def test_sqlite(shop, output, by):
    """Through a graph; the path has a backslash and an n in it, which the host takes for a line."""
    told = {
        "file": {"database_file": shop},
        "string": {"connection_string": f"sqlite:///{shop}"},
        "path": {"connection_string": shop},
    }[by]
    node = DatabaseLoaderComponent(
        _id="loader", database_type="SQLite", table_name="orders", **told
    )
    sink = SinkComponent(_id="sink").set(given=getattr(node, output))
    graph = Graph(node, sink)
    graph.prepare()

    async def steps():
        return [step async for step in graph.async_start()]

    wait(steps())
    found = sink.get_output_by_method(sink.take).value.data["rows"]
    assert [row["name"] for row in found][:2] == ["Ann", "Bob"]


@pytest.mark.parametrize(
    "name", ["orders", "public.orders", "public-orders", '"public"."orders"', "ORDERS"]
)
def test_a_table_by_any_of_its_names(orders, name):
    """As of the first integration, of SQL, and of the taps."""
    assert [row["id"] for row in rows(table_name=name)] == [1, 2, 3]


def test_names_and_queries_come_from_other_nodes_too(orders):
    """As messages; of the table only in flows of the first integration."""
    assert len(rows(table_name=Message(text="orders"))) == 3
    assert rows(query=Message(text="SELECT 1 AS one")) == [{"one": 1}]


def test_a_table_of_another_schema(execute, orders):
    """Its schema stands in the name, or is chosen, or is the only one that has it."""
    execute("CREATE SCHEMA sales")
    execute("CREATE TABLE sales.orders AS SELECT 9 AS id")
    execute('CREATE TABLE sales."odd.name-of it" AS SELECT 8 AS id')
    assert rows(table_name="sales.orders") == [{"id": 9}]
    assert rows(table_name="orders", schema_name="sales") == [{"id": 9}]
    assert len(rows(table_name="orders", schema_name="All schemas")) == 3
    assert rows(table_name="odd.name-of it") == [{"id": 8}]
    assert "did you mean 'sales.orders'" in refused(table_name="sale.orders")


def test_what_is_not_there_is_told(orders):
    """A table, a column of the template, and nothing at all to read."""
    told = refused(table_name="order")
    assert told == "there is no table 'order' that this user may read\n\ndid you mean 'orders'?"
    told = refused(table_name="orders", text_template="{naem}")
    assert "did you mean 'name'?" in told
    assert "neither a table nor a query" in refused()
    assert "there is no tap-mysql here" in refused(database_type="MySQL", table_name="orders")
    assert "relation" in refused(query="SELECT * FROM nothing")


def test_a_text_template_makes_the_texts(orders):
    """Of Data, and of the text output."""
    made = wait(loader(table_name="orders", text_template="{id}: {name}").as_data())
    assert [row.get_text() for row in made] == ["1: Ann", "2: Bob", "3: "]
    made = wait(loader(table_name="orders", text_template="{id}: {name}").as_text())
    assert made.text == "1: Ann\n2: Bob\n3: "


def test_columns_that_are_not_wanted_are_not_read(orders):
    """But those of the key always are, and one that is gone since does not matter."""
    left_out = [{"column": name, "read": "no"} for name in ("id", "secret", "gone")]
    assert rows(table_name="orders", columns=left_out)[0] == {"id": 1, "name": "Ann"}


@pytest.mark.parametrize("limit", [0, None, 2, 10_000])
def test_the_row_limit(orders, limit):
    """Of a table and of a query; 0 is all."""
    for what in ({"table_name": "orders"}, {"query": "SELECT * FROM orders ORDER BY id"}):
        assert [row["id"] for row in rows(limit=limit, **what)] == [1, 2, 3][: limit or None]


def test_an_empty_table_has_its_columns(execute):
    """As a frame, and as an empty list of Data."""
    execute("CREATE TABLE empty (id int, name text)")
    assert rows(table_name="empty") == []
    frame = wait(loader(table_name="empty").as_dataframe())
    assert frame.columns.tolist() == ["id", "name"]


def test_values_are_those_of_json(execute):
    """Decimals, moments, bytes, JSON, arrays, NaN: nothing that the canvas cannot show."""
    execute(
        "CREATE TABLE kinds AS SELECT 1::bigint << 60 AS big, 12.50::numeric(9,2) AS price, "
        "'2024-01-02 03:04:05+05'::timestamptz AS at, '\\x00ff'::bytea AS raw, "
        "'{\"a\": [1, null]}'::jsonb AS doc, ARRAY[1, NULL, 3] AS list, "
        "'NaN'::float8 AS nan, 'infinity'::float8 AS inf, true AS yes, NULL::int AS gap, "
        "'2024-01-02'::date AS day, 'data'::text AS data"
    )
    [row] = rows(table_name="kinds")
    assert row == json.loads(json.dumps(row))
    assert row["big"] == 1 << 60
    assert float(row["price"]) == 12.5
    assert row["at"].startswith("2024-01-01T22:04:05")
    assert row["doc"] == {"a": [1, None]}
    assert row["list"] == [1, None, 3]
    assert row["nan"] is None or not math.isnan(row["nan"])
    assert (row["yes"], row["gap"], row["day"]) == (True, None, "2024-01-02")
    frame = wait(loader(table_name="kinds").as_dataframe())
    assert "data" not in frame.columns


def test_a_frame_of_many_batches_has_one_type_a_column(execute):
    """That of all its values, though the first batch has only NULL."""
    execute(
        "CREATE TABLE late AS SELECT i AS id, CASE WHEN i > 119000 THEN i END AS late "
        "FROM generate_series(1, 120000) AS i"
    )
    frame = wait(loader(table_name="late", limit=0).as_dataframe())
    assert len(frame) == 120_000
    assert str(frame["late"].dtype) == "Int64"
    assert int(frame["late"].sum()) == sum(range(119_001, 120_001))


# Logins.


@contextmanager
def role(execute, password):
    """A role that may read, with *password*."""
    name = sql.Identifier("reader")
    execute(sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(name, sql.Literal(password)))
    execute(sql.SQL("GRANT USAGE ON SCHEMA public TO {}").format(name))
    execute(sql.SQL("GRANT SELECT ON orders TO {}").format(name))
    try:
        yield "reader"
    finally:
        execute(sql.SQL("DROP OWNED BY {}").format(name))
        execute(sql.SQL("DROP ROLE {}").format(name))


@pytest.mark.parametrize("password", ["p@ss/word%40", "back\\new", "${HOME}", 'quo\'te "it"'])
def test_unusual_passwords(execute, orders, password):
    """As they are in the field, which the host changes; written with percent signs in a string."""
    with role(execute, password) as name:
        # As it comes from the canvas.
        mangled = password.replace("\\n", "\n")
        assert len(rows(username=name, password=mangled, table_name="orders")) == 3
        url = f"postgresql://{name}:{quote(password, safe='')}@{PARTS.netloc.rpartition('@')[2]}"
        assert len(rows(connection_string=url + PARTS.path, table_name="orders")) == 3


def test_a_wrong_password_is_told_without_it(orders):
    """By the outputs, by the verdict, and by the old test; with the remedy, on few lines."""
    secret = "not-the-password%40"
    wrong = URL.replace(PARTS.password, quote(secret))
    for told in (
        refused(password=secret, table_name="orders"),
        refused(connection_string=wrong, table_name="orders"),
        Form(**{**FIELDS, "password": secret}).change("test_connection", True),
        rows(password=secret, test_connection_only=True)[0]["message"],
    ):
        assert "refused the login of user" in told
        assert "check the settings user and password" in told
        assert secret not in told
        assert "not-the-password" not in told
        assert len([line for line in told.splitlines() if line]) <= 4


def test_only_the_connection_is_tested(orders):
    """As the first integration's toggle did, for all outputs; a fault is none here."""
    [row] = rows(test_connection_only=True, text_template="{name}", table_name="nowhere")
    assert row["status"] == "connected"
    assert row["message"].startswith("PostgreSQL ")
    assert "1 table, " in row["message"]
    [row] = rows(test_connection_only=True, database="no_such_database")
    assert row["status"] == "failed"
    assert "no_such_database" in row["message"]
    [row] = rows(test_connection_only=True, connection_string="mysql://me@here/shop")
    assert "is none of PostgreSQL" in row["message"]


# The form.


def test_the_form_leads_from_the_login_to_the_columns(execute, orders):
    """Test, choose a schema, a table; leave a column out; each answer is JSON."""
    execute("CREATE SCHEMA sales")
    execute("CREATE TABLE sales.items (sku text)")
    execute("ANALYZE orders")
    form = Form(**FIELDS)
    told = form.change("test_connection", True)
    assert told.startswith("PostgreSQL ")
    assert "2 tables" in told
    assert form["test_connection"] is False
    assert form.fields["schema_name"]["options"] == ["All schemas", "public", "sales"]
    assert form.fields["table_name"]["options"] == ["public.orders", "sales.items"]
    assert form.fields["table_name"]["options_metadata"][0]["records"] == "3"
    assert "schema_name" in form.shown()
    assert not {"columns", "sync_mode"} & form.shown()
    form.change("schema_name", "public")
    assert form.fields["table_name"]["options"] == ["orders"]
    assert form.change("table_name", "orders") == "public.orders: 3 columns, about 3 rows"
    assert form["columns"] == [
        {"column": "id", "read": "yes", "type": "integer", "key": "key", "sample": "1"},
        {"column": "name", "read": "yes", "type": "text", "key": "", "sample": "Ann"},
        {"column": "secret", "read": "yes", "type": "text", "key": "", "sample": "a"},
    ]
    assert form.fields["columns"]["trigger_text"] == "Columns: 3 of 3"
    assert {"columns", "sync_mode"} <= form.shown()
    assert form.fields["replication_key"]["options"] == ["id"]
    form.change("columns", [{**row, "read": "false"} for row in form["columns"]])
    assert [row["read"] for row in form["columns"]] == ["yes", "no", "no"]
    assert form.fields["columns"]["trigger_text"] == "Columns: 1 of 3"
    assert rows(table_name="orders", columns=form["columns"]) == [{"id": n} for n in (1, 2, 3)]
    # The button beside the table: what was left out stays out, and new tables are there.
    execute("CREATE TABLE more (id int)")
    form.change("table_name", "orders")
    assert [row["read"] for row in form["columns"]] == ["yes", "no", "no"]
    assert form.fields["table_name"]["options"] == ["more", "orders"]


def test_samples_are_short(execute):
    """Long values are cut, and a line break is none."""
    execute("CREATE TABLE long AS SELECT NULL::text AS a, repeat(E'word\\n', 100) AS b")
    execute("INSERT INTO long VALUES ('later', '')")
    form = Form(**FIELDS)
    form.change("table_name", "long")
    samples = {row["column"]: row["sample"] for row in form["columns"]}
    assert samples["a"] == "later"
    assert samples["b"] == "word word word word word word word word…"


def test_the_form_shows_the_fields_of_the_database():
    """And what to do where its plug-in is not here; old flows keep their connection string."""
    form = Form()
    assert {"host", "password", "connect_by"} <= form.shown()
    assert not {"connection_string", "database_file"} & form.shown()
    form.change("database_type", "SQLite")
    assert "database_file" in form.shown()
    assert not {"host", "password", "connect_by"} & form.shown()
    told = form.change("database_type", "Snowflake")
    assert told.startswith("there is no tap-snowflake here")
    assert "Singer Source" in told
    assert form["database_type"] == "Snowflake"
    old = Form(connection_string=URL)
    old.change("sync_mode", FULL)
    assert old["connect_by"] == "Connection string"
    assert "connection_string" in old.shown()
    assert "host" not in old.shown()
    old.change("connect_by", "Host and login")
    assert "connection_string" not in old.shown()
    assert "host" in old.shown()


def test_what_the_page_asks_by_itself_changes_nothing():
    """When a flow is opened it sends toggles that nobody has pressed."""
    form = Form(**{**FIELDS, "password": "wrong"})
    before = {name: form[name] for name in ("verdict", "reset_at", "table_name", "columns")}
    for name, value in (("test_connection", False), ("reset_bookmark", False), ("columns", [])):
        form.change(name, value)
    assert {name: form[name] for name in before} == before
    for name, field in form.fields.items():
        if isinstance(field, dict) and field.get("refresh_button"):
            assert field["options"], name


# As a tool.


def test_an_agent_asks_by_a_tool(orders):
    """Each call has the rows of its own query, those at the same time too; nothing is changed."""

    async def ask():
        [tool] = await loader(limit=2).to_toolkit()
        asked = ("SELECT id FROM orders ORDER BY 1", "SELECT 7 AS seven", "DELETE FROM orders")
        first = await tool.ainvoke({"query": asked[1]})
        return tool, first, await asyncio.gather(*(tool.ainvoke({"query": q}) for q in asked))

    tool, first, (found, seven, refusal) = wait(ask())
    assert list(tool.args) == ["query"]
    for word in ("PostgreSQL", PARTS.path[1:], "read-only", "information_schema", "2 rows"):
        assert word in tool.description
    assert [row.data for row in first] == [{"seven": 7}]
    assert [row.data for row in found] == [{"id": 1}, {"id": 2}]
    assert [row.data for row in seven] == [{"seven": 7}]
    assert "one SELECT" in str(refusal)
    assert len(rows(table_name="orders")) == 3


# New rows only.


def test_only_new_rows_are_read_the_second_time(execute, orders):
    """The bookmark is in the host's storage, of the flow and the node; a reset has all read."""
    flow = str(uuid.uuid4())
    told = {"flow": flow, "table_name": "orders", "sync_mode": INCREMENTAL, "replication_key": "id"}
    assert [row["id"] for row in run(**told)] == [1, 2, 3]
    files = wait(get_storage_service().list_files(flow))
    assert [name.startswith("kozmo-bookmark-loader") for name in files] == [True]
    execute("INSERT INTO orders VALUES (4, 'new', '')")
    again = [row["id"] for row in run(**told)]
    assert again[-1] == 4
    assert 1 not in again
    assert 1 in [row["id"] for row in run(**told, _id="another")]
    reset = {**told, "reset_at": "2026-01-01T00:00:00Z"}
    assert [row["id"] for row in run(**reset)] == [1, 2, 3, 4]
    assert 1 not in [row["id"] for row in run(**reset)]
    assert [row["id"] for row in run(**{**told, "sync_mode": FULL})] == [1, 2, 3, 4]


def test_another_source_does_not_go_on_from_the_bookmark(execute, orders, tmp_path):
    """Another database, and another query."""
    flow = str(uuid.uuid4())
    told = {"flow": flow, "sync_mode": INCREMENTAL, "replication_key": "id"}
    assert len(run(**told, query="SELECT * FROM orders")) == 3
    assert 1 not in [row["id"] for row in run(**told, query="SELECT * FROM orders")]
    assert len(run(**told, query="SELECT id FROM orders")) == 3
    assert len(run(**told, table_name="orders")) == 3
    path = tmp_path / "other.db"
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("CREATE TABLE orders (id INTEGER PRIMARY KEY)")
        database.execute("INSERT INTO orders VALUES (1)")
    other = {"database_type": "SQLite", "database_file": str(path), "table_name": "orders"}
    assert run(**told, **other) == [{"id": 1}]


def test_a_key_that_tells_nothing_is_refused(orders):
    """With the columns that do."""
    told = {"sync_mode": INCREMENTAL, "table_name": "orders"}
    assert "columns that can tell: id" in refused(**told)
    hint = "(test the connection first)"
    assert "no column is named" in refused(**told, replication_key=hint)
    assert "columns that can tell: id" in refused(**told, replication_key="name")
    lacking = {"sync_mode": INCREMENTAL, "query": "SELECT 1 AS id"}
    assert "no column is named" in refused(**lacking)
    assert "finds no column 'ID'" in refused(**lacking, replication_key="ID")


def test_the_form_says_what_the_next_run_reads(orders):
    """By the mode, the column, and after a reset."""
    form = Form(**FIELDS)
    form.change("table_name", "orders")
    assert "replication_key" not in form.shown()
    assert "Choose a column" in form.change("sync_mode", INCREMENTAL)
    assert {"replication_key", "reset_bookmark"} <= form.shown()
    assert form.change("replication_key", "id") == "Each run reads new rows by id"
    assert form.change("reset_bookmark", True) == "The next run reads everything"
    assert form["reset_bookmark"] is False
    assert form["reset_at"]
    assert form.change("sync_mode", FULL) == "Each run reads all rows"


# Stop.


@pytest.mark.parametrize(
    "what",
    [
        {"table_name": "huge", "limit": 0},
        {"query": "SELECT pg_sleep(120)::text AS slept"},
        {"query": "SELECT count(*) AS n FROM huge"},
    ],
    ids=["while rows come", "while the server sleeps", "while the server counts"],
)
def test_stop_ends_the_tap_at_once(execute, what):
    """The task is cancelled; the process is gone, and what the server did for it."""
    execute("CREATE VIEW huge AS SELECT generate_series(1, 500000000) AS id, 'text' AS note")
    before = processes.children()

    async def cancelled():
        task = asyncio.ensure_future(loader(**what).as_data())
        deadline = time.monotonic() + 30
        while not _at_work(execute):
            assert time.monotonic() < deadline
            assert not task.done()
            await asyncio.sleep(0.02)
        stopped = time.monotonic()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        while _at_work(execute) or processes.children() - before:
            assert time.monotonic() - stopped < STOP_SECONDS
            await asyncio.sleep(0.02)

    wait(cancelled())


def _at_work(execute):
    """Whether the server reads rows for a tap."""
    found = execute(
        "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'tap-postgres' "
        "AND datname = current_database() AND query ~ 'pg_sleep|huge' AND state = 'active'"
    )
    return found.fetchone()[0] > 0
