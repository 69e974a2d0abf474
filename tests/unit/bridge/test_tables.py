"""Rows and frames as Arrow tables and typed pandas frames, and Arrow tables as rows."""

import datetime as dt
import itertools
from decimal import Decimal

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from kozmo_bridge import Batch
from kozmo_bridge.convert import table_columns
from kozmo_bridge.frames import frame_columns
from kozmo_bridge.shapes import shape_of
from kozmo_singer.wire.types import Column, LogicalType

UTC = dt.timezone.utc
COLUMNS = {
    "id": LogicalType("integer", bits=32),
    "big": LogicalType("integer"),
    "ok": LogicalType("boolean"),
    "x": LogicalType("float", bits=64),
    "price": LogicalType("decimal", 10, 2),
    "wide": LogicalType("decimal", 50, 2),
    "free": LogicalType("decimal"),
    "name": LogicalType("string"),
    "raw": LogicalType("binary"),
    "day": LogicalType("date"),
    "clock": LogicalType("time"),
    "local": LogicalType("timestamp"),
    "at": LogicalType("timestamptz"),
    "key": LogicalType("uuid"),
    "tree": LogicalType("json"),
}
UUID = "00000000-0000-0000-0000-000000000005"
ROW = (
    1, 2**62, True, 0.5, Decimal("1.50"), Decimal("12345678901234567890123456789012345678901.25"),
    Decimal("0.1"), "a\nb", b"ab", "2024-01-02", "01:02:03.5", "2024-01-02T03:04:05.5",
    "2024-01-02T03:04:05+05:00", UUID, '{"a":[1,2.5,null]}',
)  # fmt: skip
NULLS = (2, *[None] * (len(ROW) - 1))


def batch(names: str, *rows: tuple) -> Batch:
    """A batch of the columns in *names*."""
    return Batch("s", [Column(name, COLUMNS[name]) for name in names.split()], list(rows))


WHOLE = batch(" ".join(COLUMNS), ROW, NULLS)


def test_pandas_columns_are_typed():
    """Numbers beside gaps stay whole; dates, decimals and json are Python's objects."""
    frame = WHOLE.to_pandas()
    text = str(pd.Series(["a", None]).dtype)
    unit = "us" if pd.__version__ >= "3" else "ns"
    assert {name: str(dtype) for name, dtype in frame.dtypes.items()} == {
        "id": "int64", "big": "Int64", "ok": "boolean", "x": "float64", "price": "object",
        "wide": "object", "free": "object", "name": text, "raw": "object", "day": "object",
        "clock": "object", "local": f"datetime64[{unit}]", "at": f"datetime64[{unit}, UTC]",
        "key": text, "tree": "object",
    }  # fmt: skip
    first, second = frame.to_dict("records")
    assert first == {
        "id": 1, "big": 2**62, "ok": True, "x": 0.5, "price": Decimal("1.50"), "wide": ROW[5],
        "free": Decimal("0.1"), "name": "a\nb", "raw": b"ab", "day": dt.date(2024, 1, 2),
        "clock": dt.time(1, 2, 3, 500_000), "local": pd.Timestamp("2024-01-02 03:04:05.5"),
        "at": pd.Timestamp("2024-01-01 22:04:05", tz="UTC"), "key": UUID,
        "tree": {"a": [1, 2.5, None]},
    }  # fmt: skip
    assert second.pop("id") == 2
    assert all(pd.isna(value) for value in second.values())


def test_arrow_columns_are_typed():
    """A decimal without a stated precision is text: no precision can be told from one batch."""
    table = WHOLE.to_arrow()
    assert {field.name: str(field.type) for field in table.schema} == {
        "id": "int32", "big": "int64", "ok": "bool", "x": "double", "price": "decimal128(10, 2)",
        "wide": "decimal256(50, 2)", "free": "string", "name": "string", "raw": "binary",
        "day": "date32[day]", "clock": "time64[us]", "local": "timestamp[us]",
        "at": "timestamp[us, tz=UTC]", "key": "string", "tree": "string",
    }  # fmt: skip
    first, second = table.to_pylist()
    assert first == {
        "id": 1, "big": 2**62, "ok": True, "x": 0.5, "price": Decimal("1.50"), "wide": ROW[5],
        "free": "0.1", "name": "a\nb", "raw": b"ab", "day": dt.date(2024, 1, 2),
        "clock": dt.time(1, 2, 3, 500_000), "local": dt.datetime(2024, 1, 2, 3, 4, 5, 500_000),
        "at": dt.datetime(2024, 1, 1, 22, 4, 5, tzinfo=UTC), "key": UUID,
        "tree": '{"a":[1,2.5,null]}',
    }  # fmt: skip
    assert second == {"id": 2, **dict.fromkeys([*COLUMNS][1:])}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("day", "0044-03-15 BC"),
        ("day", "12024-01-02"),
        ("local", "infinity"),
        ("at", "-infinity"),
        ("clock", "24:00:00"),
        ("clock", "01:02:03.123456789"),
    ],
)
def test_what_has_no_place_in_a_type_makes_its_column_text(name, value):
    """Nothing is cut, and nothing beside it is lost."""
    usual = ROW[[*COLUMNS].index(name)]
    column = batch(name, (usual,), (value,), (None,))
    assert column.to_arrow().to_pydict() == {name: [usual, value, None]}
    found = column.to_pandas()[name].tolist()
    assert found[:2] == [usual, value]
    assert pd.isna(found[2])


DAYS = ["0001-01-01", "1600-02-29", "2024-01-02", "2300-12-31", "9999-12-31", "2024-01"]
CLOCKS = ["", "T03", " 03:04", "T03:04:05", "T03:04:05.1", "T03:04:05.123456", "T03:04:05.1234567",
          "T03:04:05.1230000", "t03:04:05", "T24:00:00", "T23:59:60"]  # fmt: skip
ZONES = ["", "Z", "z", "+00:00", "+05", "-03:30", "+23:59", "+24:00"]


@pytest.mark.parametrize("name", ["local", "at"])
def test_moments_are_those_that_pandas_reads(name):
    """However they are written; what pandas cannot read or hold is text as a whole."""
    for text in map("".join, itertools.product(DAYS, CLOCKS, ZONES)):
        found = batch(name, (text,), (None,)).to_pandas()[name]
        objects = pd.Series([text, None], dtype="object")
        try:
            wanted = pd.to_datetime(objects, format="ISO8601", utc=name == "at")
        except ValueError:
            assert found[0] == text
        else:
            assert found.equals(wanted.rename(name)), text
            assert found.dtype == wanted.dtype, text


def test_an_integer_beyond_64_bit_is_kept():
    """As an object in pandas, as its digits in Arrow."""
    column = batch("big", (2**70,), (None,))
    assert column.to_pandas()["big"].tolist() == [2**70, None]
    assert column.to_arrow().to_pydict() == {"big": [str(2**70), None]}


def test_times_with_a_zone():
    """Python's time has one, Arrow's has not."""
    column = batch("clock", ("01:02:03+05:00",), ("01:02:03Z",))
    east = dt.timezone(dt.timedelta(hours=5))
    assert column.to_pandas()["clock"].tolist() == [
        dt.time(1, 2, 3, tzinfo=east),
        dt.time(1, 2, 3, tzinfo=UTC),
    ]
    assert column.to_arrow().to_pydict() == {"clock": ["01:02:03+05:00", "01:02:03Z"]}


def test_no_rows_have_columns_all_the_same():
    """An empty batch keeps its names."""
    empty = batch("id name at")
    assert list(empty.to_pandas().columns) == ["id", "name", "at"]
    assert str(empty.to_arrow().schema.field("at").type) == "timestamp[us, tz=UTC]"
    assert empty.to_dicts() == []
    assert len(empty) == 0


def test_arrow_backed_columns_have_the_same_forms():
    """pandas may keep its values in Arrow."""
    pa = pytest.importorskip("pyarrow") if False else __import__("pyarrow")
    values = {
        "t": (pa.timestamp("us", "UTC"), dt.datetime(2024, 1, 2, tzinfo=dt.timezone.utc)),
        "d": (pa.decimal128(10, 2), Decimal("1.50")),
        "l": (pa.list_(pa.int64()), [1, 2]),
        "b": (pa.binary(), b"ab"),
    }
    frame = pd.DataFrame(
        {n: pd.Series([v, None], dtype=pd.ArrowDtype(t)) for n, (t, v) in values.items()}
    )
    names, columns = frame_columns(frame)
    assert dict(zip(names, columns, strict=True)) == {
        "t": ["2024-01-02T00:00:00+00:00", None],
        "d": [1.5, None],
        "l": [[1, 2], None],
        "b": ["YWI=", None],
    }


def test_arrow_tables_have_the_forms_of_data():
    """Down to the nanosecond, which Python cannot hold."""
    moment = np.datetime64("2024-01-02T03:04:05.000000001")
    table = pa.table(
        {
            "n": pa.array([moment, None], pa.timestamp("ns")),
            "z": pa.array([moment, None], pa.timestamp("ns")).cast(
                pa.timestamp("ns", "Asia/Tokyo")
            ),
            "d": pa.array([1, None], pa.duration("ns")),
            "s": pa.array([{"a": dt.date(2024, 1, 2)}, None]),
            "c": pa.array(["x", None]).dictionary_encode(),
        }
    )
    names, columns, rows = table_columns(table)
    assert rows == 2
    assert dict(zip(names, columns, strict=True)) == {
        "n": ["2024-01-02T03:04:05.000000001", None],
        "z": ["2024-01-02T03:04:05.000000001+00:00", None],
        "d": ["PT0.000000001S", None],
        "s": [{"a": "2024-01-02"}, None],
        "c": ["x", None],
    }


def test_arrow_columns_of_the_same_name_are_both_kept():
    """As everywhere, the second gets a number."""
    table = pa.table([pa.array([1]), pa.array([2])], names=["a", "a"])
    assert table_columns(table)[:2] == (["a", "a_2"], [[1], [2]])


class Stream:
    """What a polars or DuckDB table is from outside: something that gives an Arrow stream."""

    def __init__(self, table):
        self._table = table

    def __arrow_c_stream__(self, requested_schema=None):
        return self._table.__arrow_c_stream__(requested_schema)


def test_whatever_gives_an_arrow_stream_is_a_table():
    """For Data as for a target."""
    table = Stream(pa.table({"a": pa.array([1, None], pa.int32()), "b": ["x", None]}))
    assert table_columns(table) == (["a", "b"], [[1, None], ["x", None]], 2)
    shape = shape_of(table)
    assert [(c.name, c.type.name, c.type.bits) for c in shape.columns] == [
        ("a", "integer", 32), ("b", "string", None)
    ]  # fmt: skip
    assert shape.rows == [(1, "x"), (None, None)]
