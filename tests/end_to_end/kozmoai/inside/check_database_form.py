"""The Database Loader's form, its tool for Agents, new rows alone, and Stop.

test_database_loader.py starts it within KozmoAI and tells of a server.
"""

import asyncio
import socket
import sqlite3
import threading
import time
import uuid
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from kozmo_bridge.components.database_loader import FULL, INCREMENTAL
from loader_node import (
    FIELDS,
    PARTS,
    URL,
    Form,
    get_storage_service,
    loader,
    refused,
    rows,
    run,
    wait,
)
from servers import processes

STOP_SECONDS = 2.0


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


def test_a_test_that_fails_leaves_nothing_at_work():
    """One of its two taps is refused while the other waits: that one has ended with the answer."""
    before = processes.children()
    with socket.create_server(("127.0.0.1", 0)) as server:
        answering = threading.Thread(target=refuse_one_of_two, args=(server,))
        answering.start()
        there = {"host": "127.0.0.1", "port": server.getsockname()[1]}
        told = Form(**{**FIELDS, **there}).change("test_connection", True)
        left = processes.children() - before
        answering.join()
    assert "the password is wrong" in told
    assert left == set()


def refuse_one_of_two(server):
    """Speak as PostgreSQL with two clients: one is refused, the other hears nothing more."""
    with ExitStack() as stack:
        clients = [stack.enter_context(server.accept()[0]) for _ in range(2)]
        for client in clients:
            # What asks for encryption has eight bytes, and gets no.
            while len(client.recv(4096)) == 8:
                client.sendall(b"N")
        fields = b'SFATAL\0VFATAL\0C28P01\0Mpassword authentication failed for user "x"\0\0'
        clients[0].sendall(b"E" + (len(fields) + 4).to_bytes(4, "big") + fields)
        # To its end.
        clients[1].recv(4096)


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


@pytest.mark.parametrize("node", ["a/b", "../../x", "x" * 300, "ä ☃"])
def test_a_node_may_be_called_anything(orders, node):
    """Its bookmark is kept all the same, in the folder of the flow."""
    flow = str(uuid.uuid4())
    told = {"flow": flow, "table_name": "orders", "sync_mode": INCREMENTAL, "replication_key": "id"}
    assert len(run(**told, _id=node)) == 3
    assert len(wait(get_storage_service().list_files(flow))) == 1
    assert 1 not in [row["id"] for row in run(**told, _id=node)]


def test_storage_that_fails_is_told_and_all_is_read_again(orders):
    """Where the folder of the flow should be, there is a file."""
    flow = str(uuid.uuid4())
    told = {"flow": flow, "table_name": "orders", "sync_mode": INCREMENTAL, "replication_key": "id"}
    folder = get_storage_service().build_full_path(flow, "x").rpartition("/")[0]
    Path(folder).parent.mkdir(exist_ok=True, parents=True)
    Path(folder).touch()
    with pytest.raises(Exception, match=r"the bookmark cannot be .* the host's storage: "):
        run(**told)
    Path(folder).unlink()
    assert len(run(**told)) == 3


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
