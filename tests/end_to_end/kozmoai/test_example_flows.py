"""The example flows, imported and run in a real KozmoAI; models are replaced, since they cost."""

import csv
import json
import sqlite3
from contextlib import closing

import pytest

from flows import build
from project import ROOT

FLOWS = ROOT / "examples" / "flows"
MODEL = '''
from kozmoai.custom import Component
from kozmoai.io import MessageTextInput, Output
from kozmoai.schema.message import Message


class OpenAIModelComponent(Component):
    """Answers with what it was asked."""

    display_name = "Echo"
    name = "OpenAIModel"
    inputs = [MessageTextInput(name="input_value", display_name="Input")]
    outputs = [Output(display_name="Message", name="text_output", method="answer")]

    def answer(self) -> Message:
        return Message(text="I was asked: " + self.input_value)
'''
EMBEDDINGS = '''
from langchain_core.embeddings import DeterministicFakeEmbedding

from kozmoai.custom import Component
from kozmoai.field_typing import Embeddings
from kozmoai.io import Output


class OpenAIEmbeddingsComponent(Component):
    """Vectors made of a text's hash: equal texts have equal vectors."""

    display_name = "Hashes"
    name = "OpenAIEmbeddings"
    inputs = []
    outputs = [Output(display_name="Embeddings", name="embeddings", method="vectors")]

    def vectors(self) -> Embeddings:
        return DeterministicFakeEmbedding(size=32)
'''


@pytest.fixture
def imported(host):
    """Import an example, with other values in its nodes and other code for some; its id."""

    def make(name, values, replaced=None):
        flow = json.loads((FLOWS / f"{name}.json").read_text("utf-8"))
        nodes = {node["data"]["type"]: node["data"] for node in flow["data"]["nodes"]}
        for kind, code in (replaced or {}).items():
            nodes[kind]["node"] = host.component(code)
        for (kind, field), value in values.items():
            nodes[kind]["node"]["template"][field]["value"] = value
        return host.upload(flow)

    return make


@pytest.fixture
def orders():
    """The rows of orders.csv, by their number; two of them are there twice."""
    with (FLOWS / "orders.csv").open(encoding="utf-8", newline="") as file:
        return {int(row["order_id"]): row for row in csv.DictReader(file)}


@pytest.fixture
def shop(tmp_path, orders):
    """A SQLite file with these orders."""
    path = tmp_path / "shop.db"
    with closing(sqlite3.connect(path)) as database, database:
        database.execute(
            "CREATE TABLE orders (order_id INTEGER PRIMARY KEY, customer TEXT, city TEXT, "
            "product TEXT, quantity INTEGER, total REAL)"
        )
        names = ("order_id", "customer", "city", "product", "quantity", "total")
        rows = [[row[name] for name in names] for row in orders.values()]
        database.executemany("INSERT INTO orders VALUES (?, ?, ?, ?, ?, ?)", rows)
    return path


def test_the_flows_are_those_of_the_components_as_they_are(run, environment, tmp_path):
    """Else: .envs/kozmoai/bin/python examples/flows/make.py."""
    python = environment("kozmoai") / "python"
    done = run([python, "-W", "ignore", FLOWS / "make.py", tmp_path], cwd=ROOT)
    assert done.code == 0, done.err
    for path in FLOWS.glob("*.json"):
        assert (tmp_path / path.name).read_text("utf-8") == path.read_text("utf-8"), path.name


def test_files_to_a_database(host, imported, tmp_path, orders):
    """All rows, clean; run again nothing changes."""
    path = tmp_path / "new.db"
    flow = imported(
        "files-to-database",
        {
            ("FileLoader", "file_path"): str(FLOWS / "orders.csv"),
            ("DatabaseExporter", "database_file"): str(path),
        },
    )
    for inserted in (len(orders), 0):
        run = build(host, flow)
        assert run.ended and not run.error, run
        (result,) = run.nodes["DatabaseExporter-shop"].outputs["result"]
        assert result["data"]["inserted"] == inserted
        with closing(sqlite3.connect(path)) as database:
            found = database.execute(
                "SELECT order_id, customer, city, quantity, total FROM orders ORDER BY order_id"
            ).fetchall()
        assert found == [
            (
                id,
                row["customer"].strip(),
                row["city"] or None,
                int(row["quantity"]),
                float(row["total"]),
            )
            for id, row in sorted(orders.items())
        ]


def test_a_database_to_an_answer(host, imported, shop, orders):
    """The rows of the table are in what the model is asked."""
    flow = imported(
        "database-to-answer",
        {
            ("DatabaseLoader", "database_file"): str(shop),
            ("ChatInput", "input_value"): "Who bought most?",
        },
        {"OpenAIModel": MODEL},
    )
    run = build(host, flow)
    assert run.ended and not run.error, run
    text = json.dumps(run.nodes["ChatOutput-answer"].outputs, ensure_ascii=False)
    assert "Question: Who bought most?" in text
    for row in orders.values():
        assert f"{row['customer'].strip()}, {row['quantity']} x" in text


def test_any_tap_to_a_vector_store(host, imported, shop, orders, tmp_path):
    """The text of each row is found by itself."""
    source = json.loads((FLOWS / "tap-to-vectors.json").read_text("utf-8"))["data"]["nodes"][0]
    path = next(name for name in source["data"]["node"]["template"] if name.endswith("_path"))
    some = orders[7]
    wanted = f"{some['customer']} of {some['city']} ordered {some['quantity']} x {some['product']}"
    flow = imported(
        "tap-to-vectors",
        {
            ("SingerSource", path): str(shop),
            ("QdrantVectorStoreComponent", "path"): str(tmp_path / "vectors"),
            ("QdrantVectorStoreComponent", "search_query"): wanted,
        },
        {"OpenAIEmbeddings": EMBEDDINGS},
    )
    run = build(host, flow)
    assert run.ended and not run.error, run
    (found, *_) = run.nodes["QdrantVectorStoreComponent-orders"].outputs["search_results"]
    assert found["data"]["text"] == wanted
