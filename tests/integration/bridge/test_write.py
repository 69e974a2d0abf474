"""kozmo_bridge.write: what Python has, in any target, all of it or nothing half."""

import datetime as dt
import sqlite3
from contextlib import closing
from decimal import Decimal

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

import kozmo_bridge as kozmo
from kozmo_singer.errors import ConfigError, WriteError
from kozmo_singer.wire.types import Column, LogicalType
from project import ROOT

FIXTURES = ROOT / "tests" / "fixtures"
ROWS = [
    {"id": 1, "name": "nut\n\\n é", "price": 0.5, "big": 2**70, "tags": ["a"], "ok": True},
    {"id": 2, "name": None, "price": None, "big": None, "tags": None, "ok": None},
]


class Data:
    """As KozmoAI's Data is seen from outside: a model whose field data is a row."""

    model_fields = ("data", "text_key", "default_value")

    def __init__(self, data):
        self.data = data


@pytest.fixture
def folder(tmp_path):
    """Where target-jsonl writes, with its configuration."""

    class Folder:
        config = {"path": str(tmp_path / "out")}

        def rows(self, stream):
            return read_lines(tmp_path / "out" / f"{stream}.jsonl")

    return Folder()


def read_lines(path):
    """The objects of a JSON Lines file."""
    import json

    return [json.loads(line) for line in path.read_text("utf-8").split("\n")[:-1]]


FRAME = pd.DataFrame(
    {
        "id": [1, 2],
        "name": ["nut\n\\n é", None],
        "price": [0.5, np.nan],
        "big": pd.Series([2**70, None], dtype="object"),
        "tags": pd.Series([["a"], None], dtype="object"),
        "ok": pd.array([True, None], dtype="boolean"),
    }
)
KINDS = {
    "dicts": ROWS,
    "Data": [Data(row) for row in ROWS],
    "a generator": (row for row in ROWS),
    "a frame": FRAME,
    "Arrow": pa.table(
        {
            "id": [1, 2],
            "name": ["nut\n\\n é", None],
            "price": [0.5, None],
            "big": pa.array([2**70, None], pa.decimal128(38, 0)),
            "tags": pa.array([["a"], None]),
            "ok": [True, None],
        }
    ),
    "a batch": kozmo.Batch(
        "rows",
        [
            Column("id", LogicalType("integer")),
            Column("name", LogicalType("string")),
            Column("price", LogicalType("float")),
            Column("big", LogicalType("integer")),
            Column("tags", LogicalType("json")),
            Column("ok", LogicalType("boolean")),
        ],
        [(1, "nut\n\\n é", 0.5, 2**70, '["a"]', True), (2, None, None, None, None, None)],
    ),
}


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_rows_arrives_the_same(folder, kind):
    """None where there is nothing, nested values nested, no digit lost."""
    assert kozmo.write("target-jsonl", folder.config, KINDS[kind], stream="rows") == 2
    assert folder.rows("rows") == ROWS


def test_types_reach_a_database(tmp_path):
    """Keys make an upsert; columns have the types of the values."""
    config = {"path": str(tmp_path / "shop.db")}
    first = [
        {"id": 1, "price": Decimal("1.10"), "at": dt.datetime(2024, 1, 2, tzinfo=dt.timezone.utc)},
        {"id": 2, "price": Decimal("2.20"), "at": None},
    ]
    kozmo.write("target-sqlite", config, first, stream="parts", key_properties=["id"])
    second = [{"id": 2, "price": Decimal("3.30"), "at": None}, {"id": 3, "price": None, "at": None}]
    kozmo.write("target-sqlite", config, second, stream="parts", key_properties=["id"])
    back = [row for b in kozmo.read("tap-sqlite", config, ["parts"]) for row in b.to_dicts()]
    assert [row["id"] for row in back] == [1, 2, 3]
    assert [row["price"] for row in back] == [1.1, 3.3, None]
    assert back[0]["at"].startswith("2024-01-02")
    with closing(sqlite3.connect(config["path"])) as database:
        columns = database.execute("SELECT name, pk FROM pragma_table_info('parts')").fetchall()
    assert columns == [("id", 1), ("price", 0), ("at", 0)]


def test_batches_go_from_a_tap_to_a_target_through_python(shop, tmp_path):
    """Streams keep their names, keys and types; what is not consumed is not sent."""
    config = {"path": str(tmp_path / "copy.db")}
    batches = kozmo.read("tap-sqlite", shop.config, ["orders"], batch_rows=700)
    assert kozmo.write("target-sqlite", config, batches) == 2500
    copy = [row for b in kozmo.read("tap-sqlite", config, ["orders"]) for row in b.to_dicts()]
    original = [
        row for b in kozmo.read("tap-sqlite", shop.config, ["orders"]) for row in b.to_dicts()
    ]
    assert sorted(copy, key=lambda row: row["id"]) == original


def test_a_schema_gives_text_its_type_back(folder):
    """Data holds moments as text; the schema says what they are."""
    schema = {"properties": {"at": {"type": ["string", "null"], "format": "date-time"}}}
    kozmo.write("target-jsonl", folder.config, [{"at": "2024-01-02T03:04:05Z"}], schema=schema)
    assert folder.rows("data") == [{"at": "2024-01-02T03:04:05Z"}]
    with pytest.raises(WriteError, match=r"stream data\n.*line 2, \$\.at: .*got \"soon\""):
        kozmo.write("target-jsonl", folder.config, [{"at": "soon"}], schema=schema)
    assert folder.rows("data") == [{"at": "2024-01-02T03:04:05Z"}]


def test_many_rows_go_in_pieces(folder):
    """The pipe is filled as the target empties it."""
    rows = [{"n": number, "text": "x" * 50} for number in range(30_000)]
    assert kozmo.write("target-jsonl", folder.config, rows) == 30_000
    assert folder.rows("data") == rows


def test_no_rows_are_no_error(folder):
    """Nothing is there to be written, and nothing is."""
    assert kozmo.write("target-jsonl", folder.config, []) == 0
    assert kozmo.write("target-jsonl", folder.config, iter([])) == 0


def test_rows_that_end_in_an_error_replace_nothing(folder):
    """The target is told that the data is incomplete: the old rows stay."""
    config = {**folder.config, "load_method": "overwrite"}
    kozmo.write("target-jsonl", config, ROWS, stream="rows")

    def failing():
        yield KINDS["a batch"]
        raise RuntimeError("the source is gone")

    with pytest.raises(RuntimeError, match="the source is gone"):
        kozmo.write("target-jsonl", config, failing())
    assert folder.rows("rows") == ROWS


def test_a_target_that_ends_early_says_why(tmp_path):
    """Its own words, not those of a broken pipe; however much is still to be sent."""
    target = str(FIXTURES / "target_lines.py")
    rows = [{"n": number, "text": "x" * 100} for number in range(60_000)]
    config = {"path": str(tmp_path / "got"), "die_at": 3}
    with pytest.raises(WriteError, match="target-lines failed\n.*the disk is full"):
        kozmo.write(target, config, rows)
    with pytest.raises(WriteError, match="target-lines ended before it had read everything"):
        kozmo.write(target, {"path": str(tmp_path / "got"), "quit_at": 3}, rows)


def test_what_cannot_be_written_is_said_before_anything_is(folder):
    """Keys that are no columns, things that are no rows, targets that are none."""
    with pytest.raises(ConfigError, match=r"'idd' is not a column of stream data\n.*mean 'id'"):
        kozmo.write("target-jsonl", folder.config, ROWS, key_properties=["idd"])
    with pytest.raises(ConfigError, match="expected Data objects, dicts or a table, got int"):
        kozmo.write("target-jsonl", folder.config, 5)
    with pytest.raises(ConfigError, match="expected batches only, got dict among them"):
        kozmo.write("target-jsonl", folder.config, [KINDS["a batch"], {"id": 1}])
    with pytest.raises(ConfigError, match="did you mean 'target-jsonl'"):
        kozmo.write("target-jsnl", folder.config, ROWS)
    with pytest.raises(ConfigError, match="did you mean 'path'"):
        kozmo.write("target-jsonl", {"pth": "x"}, ROWS)
