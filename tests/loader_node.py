"""A Database Loader within KozmoAI, and databases for it: what its tests have in common.

The variable POSTGRES_URL tells of a server.
"""

import asyncio
import json
import os
import sqlite3
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest

from kozmo_bridge import _host
from kozmo_bridge.components.base import Problem
from kozmo_bridge.components.canvas import Component, Data, HandleInput, Output
from kozmo_bridge.components.database_loader import DatabaseLoaderComponent
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
STUB = Path(__file__).parents[1] / "kozmo_bridge/components/path/data/database_loader.py"


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
