"""What the Database Loader reads, by all the ways to tell it.

test_database_loader.py starts it within KozmoAI and tells of a server.
"""

import json
import math
from contextlib import contextmanager
from urllib.parse import quote

import pytest
from psycopg import sql

from kozmo_bridge.components.canvas import Message
from kozmo_bridge.components.database_loader import DatabaseLoaderComponent
from loader_node import (
    FIELDS,
    PARTS,
    STUB,
    URL,
    Form,
    Graph,
    HostComponent,
    SinkComponent,
    build_custom_component_template,
    loader,
    refused,
    rows,
    wait,
)

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
    assert [row.data["rows"] for row in results["state"]] == [3]
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


def test_numbers_that_are_none_are_told(orders):
    """Less than none is no limit."""
    assert "limit is to be a whole number" in refused(table_name="orders", limit="many")
    assert "port is to be a whole number" in refused(table_name="orders", port="x")
    assert len(rows(table_name="orders", limit=-1)) == 3


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


@pytest.mark.parametrize(
    "password", ["p@ss/word%40", "back\\new", "${HOME}", " a b ", "keyring:a/b", 'quo\'te "it"']
)
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
