"""The Singer types that Python values and tables get, and the rows that go with them."""

import datetime as dt
import enum
import uuid
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest

from kozmo_bridge import Batch
from kozmo_bridge.shapes import shape_of
from kozmo_singer.errors import ConfigError
from kozmo_singer.wire.encode import RecordEncoder
from kozmo_singer.wire.types import Column, LogicalType

UTC = dt.timezone.utc
NOON = dt.datetime(2024, 1, 2, 12)


class Colour(enum.Enum):
    RED = "red"


INFERRED = [
    ([True, None], "boolean", [True, None]),
    ([1, 2**70], "integer", [1, 2**70]),
    ([np.int64(1), 2], "integer", [1, 2]),
    ([0.5, None], "float", [0.5, None]),
    ([float("nan"), 1.5], "float", [None, 1.5]),
    ([float("inf")], "float", [float("inf")]),
    ([1, 0.5], "float", [1.0, 0.5]),
    ([2**60 + 1, 0.5], "decimal", [Decimal(2**60 + 1), Decimal("0.5")]),
    ([Decimal("1.10"), 2, 0.1], "decimal", [Decimal("1.10"), Decimal(2), Decimal("0.1")]),
    (["a", None], "string", ["a", None]),
    ([Colour.RED], "string", ["red"]),
    ([b"ab", bytearray(b"c"), memoryview(b"d")], "binary", [b"ab", b"c", b"d"]),
    ([NOON], "timestamp", ["2024-01-02T12:00:00"]),
    ([pd.Timestamp(NOON), pd.NaT], "timestamp", ["2024-01-02T12:00:00", None]),
    ([NOON.replace(tzinfo=UTC)], "timestamptz", ["2024-01-02T12:00:00+00:00"]),
    (
        [NOON, NOON.replace(tzinfo=UTC)],
        "string",
        ["2024-01-02T12:00:00", "2024-01-02T12:00:00+00:00"],
    ),
    ([dt.date(2024, 1, 2)], "date", ["2024-01-02"]),
    ([dt.time(1, 2)], "time", ["01:02:00"]),
    ([dt.timedelta(hours=1)], "string", ["PT1H"]),
    ([uuid.UUID(int=5)], "uuid", ["00000000-0000-0000-0000-000000000005"]),
    ([{"a": Decimal("0.5")}, [1], None], "json", [{"a": 0.5}, [1], None]),
    ([np.array([1, 2])], "json", [[1, 2]]),
    ([(1, 2)], "json", [[1, 2]]),
    ([1, "a", True, NOON], "string", ["1", "a", "true", "2024-01-02T12:00:00"]),
    ([1, {"a": 1}], "json", [1, {"a": 1}]),
    ([None], "string", [None]),
]


@pytest.mark.parametrize(("values", "name", "written"), INFERRED, ids=lambda v: str(v)[:50])
def test_a_column_gets_the_narrowest_type_that_holds_all_of_it(values, name, written):
    """Whatever it is, no value is rounded or dropped."""
    shape = shape_of([{"c": value} for value in values])
    assert [column.type.name for column in shape.columns] == [name]
    assert shape.rows == [(value,) for value in written]
    assert [type(row[0]) for row in shape.rows] == list(map(type, written))


def test_a_frame_tells_its_types():
    """Also of columns that hold nothing."""
    frame = pd.DataFrame(
        {
            "small": pd.array([1], dtype="int16"),
            "n": pd.array([None], dtype="Int64"),
            "u": pd.array([2**64 - 1], dtype="uint64"),
            "u8": pd.array([255], dtype="uint8"),
            "x": [float("nan")],
            "f": pd.array([0.5], dtype="float32"),
            "ok": pd.array([None], dtype="boolean"),
            "t": pd.to_datetime([None]),
            "z": pd.to_datetime(["2024-01-02T03:04:05"]).tz_localize("Asia/Tokyo"),
            "d": pd.to_timedelta(["1 days"]),
            "c": pd.Categorical(["a"]),
            "o": pd.Series([Decimal("1.5")], dtype="object"),
        }
    )
    shape = shape_of(frame)
    assert [(c.name, c.type.name, c.type.bits) for c in shape.columns] == [
        ("small", "integer", 16), ("n", "integer", 64), ("u", "integer", None),
        ("u8", "integer", 16), ("x", "float", 64), ("f", "float", 32), ("ok", "boolean", None),
        ("t", "timestamp", None), ("z", "timestamptz", None), ("d", "string", None),
        ("c", "string", None), ("o", "decimal", None),
    ]  # fmt: skip
    assert shape.rows == [
        (1, None, 2**64 - 1, 255, None, 0.5, None, None, "2024-01-01T18:04:05+00:00", "P1D", "a",
         Decimal("1.5"))
    ]  # fmt: skip


def test_the_index_of_a_frame_is_data_where_it_has_a_name():
    """A name that is taken gets a number."""
    frame = pd.DataFrame({"k": [1], "n": [2]}).set_index("k", drop=False)
    shape = shape_of(frame)
    assert [column.name for column in shape.columns] == ["k", "k_2", "n"]
    assert shape.rows == [(1, 1, 2)]


def test_a_schema_wins_over_what_the_values_look_like():
    """For the columns that it has; a text may so become a moment again."""
    schema = {
        "properties": {
            "at": {"type": ["string", "null"], "format": "date-time"},
            "tags": {"type": ["array", "null"]},
        }
    }
    rows = [{"at": "2024-01-02T03:04:05Z", "tags": ("a",), "n": 1}, {"at": NOON, "n": None}]
    shape = shape_of(rows, schema)
    assert [(c.name, c.type.name) for c in shape.columns] == [
        ("at", "timestamptz"), ("tags", "json"), ("n", "integer")
    ]  # fmt: skip
    assert shape.rows[0] == ("2024-01-02T03:04:05Z", ["a"], 1)
    with pytest.raises(ConfigError, match=r"column 'att'.*\n.*did you mean 'at'"):
        shape_of(rows, {"properties": {"att": {"type": "string"}}})


def test_a_batch_keeps_its_columns():
    """What came from a tap goes on with the types that the tap gave it."""
    columns = (Column("a", LogicalType("decimal", 10, 2)), Column("j", LogicalType("json")))
    batch = Batch("s", columns, [(Decimal("1.50"), '{"a":1.10}'), (None, None)])
    shape = shape_of(batch)
    assert shape.columns == [*columns]
    assert RecordEncoder("s", shape.columns).encode(shape.rows).splitlines() == [
        b'{"type":"RECORD","stream":"s","record":{"a":1.50,"j":{"a":1.10}}}',
        b'{"type":"RECORD","stream":"s","record":{"a":null,"j":null}}',
    ]


def test_rows_without_columns():
    """Even so they are as many as they were."""
    assert shape_of([]) == ([], [])
    assert shape_of([{}, {}]) == ([], [(), ()])
