"""The bridge with KozmoAI's own Data and DataFrame; runs inside the environment of KozmoAI.

test_inside.py starts it there, since KozmoAI and the tests cannot share an environment.
"""

import copy
import datetime as dt
import gc
import json
import sqlite3
import subprocess
import time
import uuid
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from sys import executable

import numpy as np
import pandas as pd
import pytest

import kozmo_bridge as kozmo
from kozmo_bridge._host import BREAKING_NAMES, host
from kozmo_singer.errors import ConfigError
from kozmo_singer.wire.types import Column, LogicalType

Data, DataFrame = host()[:2]
TRAPS = {
    "data": "d",
    "text_key": "k",
    "default_value": "v",
    "text": "t",
    "copy": 1,
    "model_dump": 2,
}
RECORD = {
    "id": 2**70, "name": "a\n\\n", "nan": float("nan"), "price": Decimal("19.99"),
    "long": Decimal("0.1234567890123456789"), "at": dt.datetime(2024, 1, 2, tzinfo=dt.timezone.utc),
    "np": np.datetime64("2024-01-02T03:04:05"), "raw": b"\x00\xff", "key": uuid.UUID(int=5),
    "tree": {"a": [np.int64(1), dt.date(2024, 1, 2), {"b": None}]}, "inf": float("inf"), **TRAPS,
}  # fmt: skip
ROW = {
    "id": 2**70, "name": "a\n\\n", "nan": None, "price": 19.99, "long": "0.1234567890123456789",
    "at": "2024-01-02T00:00:00+00:00", "np": "2024-01-02T03:04:05", "raw": "AP8=",
    "key": "00000000-0000-0000-0000-000000000005", "tree": {"a": [1, "2024-01-02", {"b": None}]},
    "inf": "Infinity", **TRAPS,
}  # fmt: skip


def frame() -> pd.DataFrame:
    """A frame of many dtypes, each with a gap."""
    return pd.DataFrame(
        {
            "n": pd.array([1, None], dtype="Int64"),
            "x": [0.5, np.nan],
            "ok": pd.array([True, None], dtype="boolean"),
            "t": pd.to_datetime(["2024-01-02 03:04:05", None]),
            "z": pd.to_datetime(["2024-01-02 03:04:05", None]).tz_localize("Asia/Tokyo"),
            "d": pd.to_timedelta(["1 days", None]),
            "c": pd.Categorical(["a", None]),
            "s": ["text", None],
            "o": pd.Series([[1, Decimal("0.5")], pd.NA], dtype="object"),
            **{name: [value, None] for name, value in TRAPS.items()},
        }
    )


FRAME_ROWS = [
    {
        "n": 1, "x": 0.5, "ok": True, "t": "2024-01-02T03:04:05", "z": "2024-01-01T18:04:05+00:00",
        "d": "P1D", "c": "a", "s": "text", "o": [1, 0.5], **TRAPS,
    },
    dict.fromkeys(["n", "x", "ok", "t", "z", "d", "c", "s", "o", *TRAPS]),
]  # fmt: skip


def shown_by_the_host(value):
    """The value after the host has made it ready for its canvas and database."""
    from kozmoai.serialization.serialization import serialize

    return json.loads(json.dumps(serialize(value), allow_nan=False))


def test_a_record_becomes_data():
    """The record itself, or the message around it; the caller's dict stays as it is."""
    before = copy.deepcopy(RECORD)
    made = kozmo.singer_record_to_kozmo_data(RECORD)
    assert type(made) is Data
    assert made.data == ROW
    assert list(made.data) == list(ROW)
    assert str(RECORD) == str(before)
    message = {"type": "RECORD", "stream": "s", "record": RECORD}
    assert kozmo.singer_record_to_kozmo_data(message) == made
    assert made.get_text() == "t"


def test_data_goes_through_the_host_unharmed():
    """Text form, canvas and copies, where other values are lost, changed or hang."""
    made = kozmo.singer_record_to_kozmo_data(RECORD)
    assert json.loads(str(made)) == ROW
    assert shown_by_the_host(made)["data"] == ROW
    assert copy.deepcopy(made) == made
    assert Data(**json.loads(json.dumps(made.model_dump(), allow_nan=False))) == made


def test_a_text_is_made_by_a_template():
    """It stands under the text's key, which the Data knows."""
    made = kozmo.singer_record_to_kozmo_data(
        {"name": "nut", "price": Decimal("0.50")}, text_template="{name}: {price}", text_key="say"
    )
    assert made.text_key == "say"
    assert made.get_text() == "nut: 0.5"
    assert made.data == {"say": "nut: 0.5", "name": "nut", "price": 0.5}
    with pytest.raises(ConfigError, match="names 'nme', which stream record does not have"):
        kozmo.singer_record_to_kozmo_data({"name": "x"}, text_template="{nme}")


def test_a_frame_becomes_data():
    """A Data a row; the frame stays as it is."""
    given = frame()
    before = given.copy(deep=True)
    made = kozmo.mage_df_to_kozmo_data(given, text_key="s")
    assert [type(item) for item in made] == [Data, Data]
    assert [item.data for item in made] == FRAME_ROWS
    assert [item.get_text() for item in made] == ["text", None]
    pd.testing.assert_frame_equal(given, before)
    assert [shown_by_the_host(item)["data"] for item in made] == FRAME_ROWS


def test_a_frame_becomes_the_hosts_own():
    """With values as in Data, and names that break nothing there."""
    from kozmoai.schema.schema import get_message, get_type

    made = kozmo.mage_df_to_kozmo_dataframe(frame())
    assert type(made) is DataFrame
    assert get_type(made) == "array"
    get_message(made)
    renamed = [{f"{n}_" if n in BREAKING_NAMES else n: v for n, v in r.items()} for r in FRAME_ROWS]
    assert [item.data for item in made.to_data_list()] == renamed
    assert {str(made[name].dtype) for name in ("n", "x", "ok")} == {"Int64", "Float64", "boolean"}
    for name in BREAKING_NAMES:
        with pytest.raises((TypeError, ValueError)):
            get_message(DataFrame({name: [1, 2]}))


def test_data_becomes_a_frame():
    """From a list, from one, from the host's own DataFrame."""
    rows = [Data(data={"n": 1, "s": "x"}), Data(data={"n": None, "m": [1]})]
    made = kozmo.kozmo_data_to_df(rows)
    assert type(made) is pd.DataFrame
    assert list(made.columns) == ["n", "s", "m"]
    assert str(made["n"].dtype) == "Int64"
    assert made["s"].tolist() == ["x", None]
    assert kozmo.kozmo_data_to_df(rows[0]).to_dict("records") == [{"n": 1, "s": "x"}]
    own = DataFrame([{"n": 1}])
    assert type(kozmo.kozmo_data_to_df(own)) is pd.DataFrame
    numbers = pd.DataFrame({"n": [1, 2], "x": [0.5, 1.5]})
    pd.testing.assert_frame_equal(
        kozmo.kozmo_data_to_df(kozmo.mage_df_to_kozmo_data(numbers)), numbers
    )


@pytest.fixture
def shop(tmp_path):
    """A SQLite file as the configuration of a tap."""
    path = tmp_path / "shop.db"
    with closing(sqlite3.connect(path)) as database, database:
        database.execute(
            "CREATE TABLE orders (id INTEGER PRIMARY KEY, data TEXT, price NUMERIC, raw BLOB)"
        )
        rows = [(1, "a\n\\n", 0.5, b"\x00\xff"), (2, None, None, None), (3, "é", 7, b"")]
        database.executemany("INSERT INTO orders VALUES (?, ?, ?, ?)", rows)
    return {"path": str(path)}


def test_a_tap_is_read_within_the_host(shop, monkeypatch, tmp_path):
    """The plug-in beside KozmoAI is started; rows come as Data and as a DataFrame."""
    monkeypatch.setenv("KOZMO_HOME", str(tmp_path / "kozmo"))
    (batch,) = kozmo.read("tap-sqlite", shop, state="orders")
    data = batch.to_data("{id}: {data}")
    assert [item.get_text() for item in data] == ["1: a\n\\n", "2: ", "3: é"]
    rows = [
        {"id": 1, "data": "a\n\\n", "price": 0.5, "raw": "AP8="},
        {"id": 2, "data": None, "price": None, "raw": None},
        {"id": 3, "data": "é", "price": 7, "raw": ""},
    ]
    assert [item.data for item in batch.to_data()] == rows
    own = batch.to_dataframe()
    assert type(own) is DataFrame
    assert list(own.columns) == ["id", "data_", "price", "raw"]


def test_the_lines_of_target_kozmo_are_these_data(shop, tmp_path):
    """Data(**line) is the Data that the bridge makes, with and without a template."""
    scripts = Path(executable).parent
    for options in ({}, {"text_template": "{id}: {data}", "text_key": "about"}):
        config = {"output": str(tmp_path / "out"), "load_method": "overwrite", **options}
        (tmp_path / "tap.json").write_text(json.dumps(shop))
        (tmp_path / "target.json").write_text(json.dumps(config))
        tap = subprocess.run(
            [scripts / "tap-sqlite", "--config", tmp_path / "tap.json"],
            check=True, capture_output=True,
        )  # fmt: skip
        subprocess.run(
            [scripts / "target-kozmo", "--config", tmp_path / "target.json"],
            input=tap.stdout, check=True, capture_output=True,
        )  # fmt: skip
        lines = (tmp_path / "out" / "orders.jsonl").read_text().splitlines()
        found = [Data(**json.loads(line)) for line in lines]
        (batch,) = kozmo.read("tap-sqlite", shop)
        made = batch.to_data(options.get("text_template"), text_key=options.get("text_key", "text"))
        assert found == made
        assert [item.model_dump() for item in found] == [item.model_dump() for item in made]
        assert [json.loads(line) for line in lines] == [item.model_dump() for item in made]


def test_data_is_written_by_a_target(tmp_path, monkeypatch):
    """A list of Data and the host's DataFrame, back through a database."""
    monkeypatch.setenv("KOZMO_HOME", str(tmp_path / "kozmo"))
    config = {"path": str(tmp_path / "copy.jsonl")}
    data = [Data(data={"id": 1, "s": "x"}), Data(data={"id": 2, "s": None})]
    for given in (data, DataFrame(data)):
        assert kozmo.write("target-jsonl", config, given, stream="rows") == 2
    lines = (tmp_path / "copy.jsonl" / "rows.jsonl").read_text().splitlines()
    assert [json.loads(line) for line in lines] == [item.data for item in data] * 2


def test_to_data_costs_little_more_than_the_constructor():
    """At most a fifth, on 100,000 rows of ten columns; measured in turns, the best of five."""
    kinds = ["integer", "string", "string", "float", "boolean", "string", "timestamptz", "integer",
             "decimal", "string"]  # fmt: skip
    columns = [Column(f"c{i}", LogicalType(kind)) for i, kind in enumerate(kinds)]
    rows = [
        (i, f"name {i}", f"some text {i}", i / 2, True, None, "2024-01-01T00:00:00Z", i % 7,
         Decimal(i) / 100, "Zürich")
        for i in range(100_000)
    ]  # fmt: skip
    batch = kozmo.Batch("s", columns, rows)
    dicts = batch.to_dicts()

    def seconds(work) -> float:
        gc.collect()
        start = time.process_time()
        work()
        return time.process_time() - start

    turns = [
        (seconds(lambda: [Data(data=row) for row in dicts]), seconds(batch.to_data))
        for _ in range(5)
    ]
    constructor, ours = (min(times) for times in zip(*turns, strict=True))
    assert ours <= 1.2 * constructor, f"{ours:.3f} s beside {constructor:.3f} s"
