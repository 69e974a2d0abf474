"""A batch that came as Arrow gives what a batch of the same rows gives."""

from __future__ import annotations

import datetime as dt
import sys
from decimal import Decimal
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest

from kozmo_bridge import Batch
from kozmo_bridge.arrow_batch import ArrowBatch
from kozmo_singer.wire.arrow import record_batch
from kozmo_singer.wire.types import Column, LogicalType

# What the values of a column may be, in the forms of Batch.rows; the last has no place in its type.
VALUES: list[tuple[LogicalType, list[Any]]] = [
    (LogicalType("integer", bits=16), [1, -(2**15), 2**15]),
    (LogicalType("integer", bits=32), [1, 2**31 - 1, 2**31]),
    (LogicalType("integer"), [0, -(2**63), 2**64]),
    (LogicalType("boolean"), [True, False]),
    (LogicalType("float", bits=32), [0.5, 0.1, 1e300]),
    (LogicalType("float"), [0.1, float("-inf"), 1e-300]),
    (LogicalType("decimal", 10, 2), [Decimal("1.50"), Decimal("-0.01"), Decimal("NaN")]),
    (
        LogicalType("decimal", 50, 2),
        [Decimal("9" * 45 + ".25"), Decimal("0.00"), Decimal("Infinity")],
    ),
    (LogicalType("decimal", 3, -2), [Decimal(98800), Decimal(100)]),
    (LogicalType("decimal"), [Decimal("1.10"), Decimal("0.000000001"), Decimal("NaN")]),
    (LogicalType("string"), ["a\nb", "é😀", ""]),
    (LogicalType("uuid"), ["00000000-0000-0000-0000-000000000005"] * 2),
    (LogicalType("binary"), [b"", b"\x00\xff"]),
    (LogicalType("date"), ["2024-02-29", "0001-01-01", "0044-03-15 BC"]),
    (LogicalType("time"), ["23:59:59", "00:00:00.5", "24:00:00"]),
    (LogicalType("timestamp"), ["2024-01-02T03:04:05", "1969-12-31T23:59:59.123456", "infinity"]),
    (LogicalType("timestamptz"), ["2024-01-02T03:04:50Z", "2262-04-12T00:00:00.1Z", "-infinity"]),
    (LogicalType("json"), ['{"a": [1, 2.5, null]}', '"x\\ny"', "[1e400]"]),
]
COLUMNS = [Column(f"c{i}", type) for i, (type, _) in enumerate(VALUES)]


def same(rows: list[tuple[Any, ...]], sizes: list[int], columns: list[Column] = COLUMNS) -> None:
    """Check all that a batch can give, with the rows in parts of the given *sizes*."""
    text = Batch("s", columns, rows, ["c0"])
    parts, start = [], 0
    for size in sizes:
        parts.append(record_batch(columns, rows[start : start + size]))
        start += size
    arrow = ArrowBatch("s", columns, parts, ["c0"])
    assert len(arrow) == len(text) == start
    assert (arrow.stream, arrow.names, arrow.key_properties) == ("s", text.names, ("c0",))
    for exact in (arrow.rows, list(arrow)):
        assert repr(exact) == repr(rows)
    assert repr(arrow.to_dicts()) == repr(text.to_dicts())
    assert repr(arrow.to_dicts("{c0}")) == repr(text.to_dicts("{c0}"))
    assert arrow.to_dicts(decimals="string") == text.to_dicts(decimals="string")
    assert arrow.to_arrow().schema.equals(text.to_arrow().schema, check_metadata=True)
    assert repr(arrow.to_arrow().to_pylist()) == repr(text.to_arrow().to_pylist())
    pd.testing.assert_frame_equal(arrow.to_pandas(), text.to_pandas())
    for name in text.names:
        ours, theirs = arrow.to_pandas()[name], text.to_pandas()[name]
        assert repr(ours.tolist()) == repr(theirs.tolist())


def row(number: int) -> tuple[Any, ...]:
    """The values that stand at *number*, or the last, in each column."""
    return tuple(values[min(number, len(values) - 1)] for _, values in VALUES)


NULLS = (None,) * len(VALUES)


@pytest.mark.parametrize("sizes", [[2], [1, 1], [0, 2]])
def test_values_that_have_their_types(sizes: list[int]) -> None:
    """In one part or several."""
    same([row(0), row(1)], sizes)


@pytest.mark.parametrize("sizes", [[4], [1, 2, 1], [3, 1]])
def test_nulls_beside_values(sizes: list[int]) -> None:
    """Also where a part has nothing else."""
    same([row(0), NULLS, row(1), NULLS], sizes)


def test_nulls_alone() -> None:
    """Have the types that a frame gives such columns."""
    same([NULLS, NULLS], [1, 1])


@pytest.mark.parametrize("sizes", [[4], [2, 2], [1, 1, 1, 1], [3, 1]])
def test_values_that_have_no_place_in_their_type(sizes: list[int]) -> None:
    """Make their column text as a whole, though other parts have it typed."""
    same([row(0), row(1), NULLS, row(2)], sizes)


def test_columns_stand_where_the_schema_says() -> None:
    """Whatever their order is in a part."""
    columns = [Column("a", LogicalType("integer")), Column("b", LogicalType("string"))]
    part = pa.record_batch({"b": ["x"], "a": pa.array([1], pa.int64())})
    batch = ArrowBatch("s", columns, [part])
    assert batch.rows == [(1, "x")]
    assert batch.to_arrow().to_pylist() == batch.to_pandas().to_dict("records")


def test_rows_without_columns() -> None:
    """Are still as many."""
    part = pa.RecordBatch.from_struct_array(pa.array([{}, {}], pa.struct([])))
    assert ArrowBatch("s", [], [part]).rows == [(), ()]
    assert len(ArrowBatch("s", [], [part]).to_pandas()) == 2


def test_parts_of_a_larger_batch() -> None:
    """Begin where they begin."""
    whole = record_batch(COLUMNS, [row(0), NULLS, row(1), row(0)])
    cut = ArrowBatch("s", COLUMNS, [whole[1:3], whole[3:]])
    assert repr(cut.rows) == repr([NULLS, row(1), row(0)])
    text = Batch("s", COLUMNS, [NULLS, row(1), row(0)])
    pd.testing.assert_frame_equal(cut.to_pandas(), text.to_pandas())
    assert cut.to_arrow().equals(text.to_arrow())


def test_a_frame_can_be_changed() -> None:
    """Its values are its own, and the batch stays as it is."""
    batch = ArrowBatch("s", COLUMNS, [record_batch(COLUMNS, [row(0), row(0), NULLS])])
    whole = ArrowBatch("s", COLUMNS, [record_batch(COLUMNS, [row(0), row(0)])])
    for each in (batch, whole):
        before = repr(each.rows)
        frame = each.to_pandas()
        for name in frame.columns:
            value = frame[name][1]
            frame.loc[0, name] = None if isinstance(value, dict) else value
        frame.loc[0, "c0"] = 7
        assert frame["c0"][0] == 7
        assert repr(each.rows) == before
        assert each.to_pandas()["c0"][0] == 1


def test_moments_are_spelt_once_for_all() -> None:
    """With a fraction only where there is one, in whatever unit they come."""
    moment = dt.datetime(2024, 1, 2, 3, 4, 50)
    for unit in ("s", "ms", "us"):
        part = pa.record_batch({"t": pa.array([moment, None], pa.timestamp(unit, "Asia/Tokyo"))})
        batch = ArrowBatch("s", [Column("t", LogicalType("timestamptz"))], [part])
        assert batch.rows == [("2024-01-02T03:04:50Z",), (None,)]


def test_a_reader_without_pyarrow(run: Any) -> None:
    """Takes text by itself, and says what to install where Arrow is asked for."""
    program = """
import sys
sys.modules["pyarrow"] = None
import kozmo_bridge as kozmo
from kozmo_singer.errors import MissingDriver
try:
    next(kozmo.read("tap-sqlite", {"path": "none.db"}, lane="arrow"))
except MissingDriver as error:
    print(error)
"""
    result = run([sys.executable, "-c", program])
    assert result.code == 0, result.err
    assert result.out.decode().splitlines() == [
        "the Arrow lane needs 'pyarrow'; run: pip install 'kozmo-singer[arrow]'"
    ]


def test_batches_are_cut_and_put_together():
    """As Arrow, where all came so; with rows among them as rows."""
    columns = [Column("a", LogicalType("integer"))]
    rows = [(n,) for n in range(5)]
    parts = [record_batch(columns, rows[:2]), record_batch(columns, rows[2:])]
    arrow = ArrowBatch("s", columns, parts, ["a"])
    for count in (0, 1, 2, 3, 9):
        head = arrow.head(count)
        assert isinstance(head, ArrowBatch)
        assert list(head) == rows[:count]
        assert head.key_properties == ("a",)
    whole = arrow.joined([arrow.head(3)])
    assert isinstance(whole, ArrowBatch)
    assert list(whole) == rows + rows[:3]
    mixed = arrow.joined([Batch("s", columns, [(7,)])])
    assert list(mixed) == [*rows, (7,)]
    assert len(arrow) == 5
