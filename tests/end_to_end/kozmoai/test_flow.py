"""tap-sqlite into a flow of a real KozmoAI, every row compared; also when it dies in between."""

import json
import sqlite3
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest

from piping import config, pipe
from servers import kozmoai

SINK = '''
import json
import os

from kozmoai.custom import Component
from kozmoai.io import DataInput, MessageTextInput, Output
from kozmoai.schema import Data


class RowsSinkComponent(Component):
    """Writes what it gets to a file, one payload a line, before it says so."""

    display_name = "Rows sink"
    name = "RowsSink"
    inputs = [
        DataInput(name="incoming", display_name="Incoming"),
        MessageTextInput(name="path", display_name="Path"),
    ]
    outputs = [Output(display_name="Count", name="count", method="store")]

    def store(self) -> Data:
        payload = self.incoming.data
        rows = [
            Data(text_key=payload["text_key"], data=row, default_value=payload["default_value"])
            for row in payload["records"]
        ]
        if any(row.data.get("name") == "refuse me" for row in rows):
            raise ValueError("the sink refuses this row")
        payload["texts"] = [row.get_text() for row in rows]
        with open(self.path, "a", encoding="utf-8") as out:
            out.write(json.dumps(payload) + chr(10))
            out.flush()
            os.fsync(out.fileno())
        return Data(data={"rows": len(rows)})
'''
TEXT_IN = '''
import json

from kozmoai.custom import Component
from kozmoai.io import MultilineInput, Output
from kozmoai.schema import Data


class RowsEntryComponent(Component):
    """Takes the rows as text in an input of its own."""

    display_name = "Rows entry"
    name = "RowsEntry"
    inputs = [MultilineInput(name="payload", display_name="Payload")]
    outputs = [Output(display_name="Data", name="output_data", method="parse")]

    def parse(self) -> Data:
        return Data(data=json.loads(self.payload))
'''
HARD = [
    "plain", "two\nlines", "\\n is no newline", "\\\\n neither", "C:\\new\\table", '"quoted" \\" ',
    "tab\t\r\x01", "\u2028 é \U0001f600", "", None, '{"json": ["\\n"]}', "ends with \\",
]  # fmt: skip


class Sink:
    """A flow that ends in a file."""

    def __init__(self, url, path):
        self.url, self.path = url, path

    @property
    def payloads(self):
        if not self.path.exists():
            return []
        return [json.loads(line) for line in self.path.read_text("utf-8").split("\n")[:-1]]

    @property
    def rows(self):
        return [row for payload in self.payloads for row in payload["records"]]


@pytest.fixture
def sink(host, tmp_path):
    """A flow: Webhook into a component that keeps what it gets."""
    return make_sink(host, tmp_path)


def make_sink(host, tmp_path):
    """Make that flow in *host*; each test has one of its own."""
    path = tmp_path / "sink.jsonl"
    node = host.component(SINK)
    node["template"]["path"]["value"] = str(path)
    nodes = {"Webhook-entry": host.built_in("data", "Webhook"), "RowsSink-end": node}
    edges = [("Webhook-entry", "output_data", "RowsSink-end", "incoming")]
    return Sink(host.flow(f"rows-{tmp_path.name.replace('_', '-')}", nodes, edges), path)


@pytest.fixture
def shop(tmp_path):
    """Make a SQLite file of *rows* orders, as a tap's configuration."""

    def make(rows):
        path = tmp_path / "shop.db"
        with closing(sqlite3.connect(path)) as database, database:
            database.execute(
                "CREATE TABLE orders (id INTEGER PRIMARY KEY, name TEXT, total REAL, big NUMERIC,"
                " raw BLOB)"
            )
            database.executemany("INSERT INTO orders VALUES (?, ?, ?, ?, ?)", rows)
        return {"path": str(path), "replication_method": "INCREMENTAL", "replication_key": "id"}

    return make


def order(number):
    """An order with one of the texts that the host is known to break."""
    name = HARD[number % len(HARD)]
    return (number, name, None if number % 7 == 0 else number / 4, 2**53 + number, b"\x00\xff")


def as_data(row):
    """The row as Data holds it."""
    return dict(zip(["id", "name", "total", "big", "raw"], [*row[:4], "AP8="], strict=True))


def commands(tmp_path, tap, target):
    """Both sides of the pipe."""
    return (
        ["tap-sqlite", "--config", config(tmp_path, "tap", tap)],
        ["target-kozmo", "--config", config(tmp_path, "target", target)],
    )


def test_every_value_arrives_as_it_is(run, host, tmp_path, sink, shop):
    """Newlines, backslashes, quotes; in runs of the asked size, with the text of the template."""
    orders = [order(number) for number in range(1, 101)]
    target = {
        "flow_url": sink.url, "api_key": host.key, "batch_size_rows": 30,
        "text_template": "{id}: {name}", "text_key": "about",
    }  # fmt: skip
    state = pipe(run, *commands(tmp_path, shop(orders), target)).state
    assert state["bookmarks"]["orders"]["replication_key_value"] == 100
    texts = [f"{row[0]}: {row[1] or ''}" for row in orders]
    assert sink.rows == [
        {"about": text, **as_data(row)} for text, row in zip(texts, orders, strict=True)
    ]
    assert [text for payload in sink.payloads for text in payload["texts"]] == texts
    assert [len(payload["records"]) for payload in sink.payloads] == [30, 30, 30, 10]
    assert {payload["stream"] for payload in sink.payloads} == {"orders"}


def test_a_named_input_of_another_component_can_take_the_rows(run, host, tmp_path, shop):
    """No Webhook is needed."""
    path = tmp_path / "sink.jsonl"
    end = host.component(SINK)
    end["template"]["path"]["value"] = str(path)
    nodes = {"RowsEntry-a": host.component(TEXT_IN), "RowsSink-b": end}
    url = host.flow(
        "rows-by-text", nodes, [("RowsEntry-a", "output_data", "RowsSink-b", "incoming")]
    )
    orders = [order(number) for number in range(1, 30)]
    target = {
        "flow_url": url, "api_key": host.key, "input_component": "Rows entry",
        "input_field": "payload",
    }  # fmt: skip
    assert pipe(run, *commands(tmp_path, shop(orders), target)).state
    assert Sink(url, path).rows == [as_data(row) for row in orders]


def test_what_is_reached_and_what_refuses(run, host, tmp_path, sink, shop):
    """--check finds the flow; a wrong key is named, nothing is acknowledged, nothing shown."""
    path = config(tmp_path, "good", {"flow_url": sink.url, "api_key": host.key})
    done = run(["target-kozmo", "--config", path, "--check"])
    assert done.code == 0, done.err
    assert done.out.decode().startswith("KozmoAI 0.1.8")
    assert done.out.decode().rstrip().endswith("rows go into Webhook-entry.data")
    target = {"flow_url": sink.url, "api_key": "sk-wrong-secret-key", "max_retries": 0}
    ended = pipe(run, *commands(tmp_path, shop([order(1)]), target))
    assert ended.codes[1] == 1
    assert f"Error: KozmoAI at {host.base} refuses the API key (403)" in ended.target
    assert "wrong-secret" not in ended.target
    assert ended.states == []
    assert sink.rows == []


def test_a_flow_that_fails_acknowledges_nothing_of_its_run(run, host, tmp_path, sink, shop):
    """Its own words are told; the runs before stand."""
    rows = [order(number) for number in range(1, 21)]
    rows[14] = (15, "refuse me", None, None, None)
    target = {
        "flow_url": sink.url, "api_key": host.key, "batch_size_rows": 10, "max_retries": 0
    }  # fmt: skip
    ended = pipe(run, *commands(tmp_path, shop(rows), target))
    assert ended.codes[1] == 1
    assert "failed (500)" in ended.target
    assert "the sink refuses this row" in ended.target
    assert ended.states == []
    assert sink.rows == [as_data(row) for row in rows[:10]]


def test_a_host_that_dies_in_between_loses_nothing(run, environment, tmp_path, shop):
    """The state covers only rows that the flow had; from there the rest arrives."""
    orders = [order(number) for number in range(1, 24_001)]
    with kozmoai.running(tmp_path / "mortal", environment("kozmoai") / "python") as host:
        sink = make_sink(host, tmp_path)
        target = {
            "flow_url": sink.url, "api_key": host.key, "batch_size_rows": 1500, "max_retries": 1
        }  # fmt: skip
        read, write = commands(tmp_path, shop(orders), target)
        with ThreadPoolExecutor() as pool:
            piping = pool.submit(pipe, run, read, write)
            end = time.monotonic() + 60
            while len(sink.rows) < 13_000 and not piping.done():
                assert time.monotonic() < end
                time.sleep(0.05)
            host.kill()
            ended = piping.result()
        assert ended.codes[1] == 1
        assert f"Error: cannot reach KozmoAI at {host.base}" in ended.target
        acknowledged = ended.states[-1]["bookmarks"]["orders"]["replication_key_value"]
        before = sink.rows
        assert 0 < acknowledged <= before[-1]["id"] < 24_000
        assert before[:acknowledged] == [as_data(row) for row in orders[:acknowledged]]

        host.start()
        again = [*read, "--state", config(tmp_path, "state", ended.states[-1])]
        state = pipe(run, again, write).state
    assert state["bookmarks"]["orders"]["replication_key_value"] == 24_000
    after = sink.rows[len(before) :]
    assert after == [as_data(row) for row in orders[acknowledged:]]
