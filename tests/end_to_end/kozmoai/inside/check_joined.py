"""Run in KozmoAI's environment: frames of several streams or edges as one."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from kozmo_bridge import _host
from kozmo_bridge.batch import Batch
from kozmo_bridge.components.source import Extraction, frame_of
from kozmo_bridge.components.texts import joined
from kozmo_bridge.frames import series_list
from kozmo_singer.wire.types import Column, LogicalType

FRAME = _host.host().DataFrame
BIG = (1 << 53) + 1
UTC = dt.timezone.utc


def columns(frame):
    """Return names, dtypes and values of the columns, by their places."""
    return [
        (name, str(frame.iloc[:, place].dtype), frame.iloc[:, place].tolist())
        for place, name in enumerate(frame.columns)
    ]


def test_streams_keep_their_types_beside_each_other():
    """What a stream has no column for leaves the digits of another alone."""
    kinds = {"id": "integer", "paid": "boolean", "sum": "float", "note": "string"}
    orders = [Column(name, LogicalType(kind)) for name, kind in kinds.items()]
    people = [Column("name", LogicalType("string"))]
    batches = [
        Batch("orders", orders, [(BIG, True, 0.5, "x"), (2, False, 1.0, None)]),
        Batch("people", people, [("Ann",)]),
        Batch("none", [Column("id", LogicalType("integer"))], []),
    ]
    made = frame_of(Extraction(batches))
    assert type(made) is FRAME
    assert columns(made) == [
        ("id", "Int64", [BIG, 2, pd.NA]),
        ("paid", "boolean", [True, False, pd.NA]),
        ("sum", "Float64", [0.5, 1.0, pd.NA]),
        ("note", "object", ["x", None, None]),
        ("_stream", "object", ["orders", "orders", "people"]),
        ("name", "object", [None, None, "Ann"]),
    ]


@pytest.mark.parametrize(
    ("one", "other", "dtype", "values"),
    [
        (pd.Series([BIG]), pd.Series([BIG, None], dtype="Int64"), "Int64", [BIG, BIG, None]),
        (pd.Series([BIG]), pd.Series([None], dtype=object), "Int64", [BIG, None]),
        (pd.Series([BIG]), pd.Series(["x"]), "object", [BIG, "x"]),
        (pd.Series([BIG]), pd.Series([0.5, np.nan]), "object", [BIG, 0.5, None]),
        (pd.Series([1]), pd.Series([0.5, np.nan]), "Float64", [1.0, 0.5, None]),
        (pd.Series([BIG]), pd.Series([1 << 63], dtype="uint64"), "object", [BIG, 1 << 63]),
        (pd.Series([BIG]), pd.Series([np.nan]), "Int64", [BIG, None]),
        (pd.Series([BIG]), pd.Series([], dtype=object), "int64", [BIG]),
        (pd.Series([True]), pd.Series([1, None], dtype="Int64"), "object", [True, 1, None]),
        (pd.Series([True]), pd.Series([None], dtype="boolean"), "boolean", [True, None]),
        (pd.Series([None, "x"], dtype="string"), pd.Series(["y"]), "object", [None, "x", "y"]),
        (pd.Series(["x"], dtype="category"), pd.Series([np.nan]), "object", ["x", None]),
        (pd.Series([], dtype="int64"), pd.Series([], dtype="float64"), "int64", []),
    ],
)
def test_columns_of_two_types_hold_the_values_of_both(one, other, dtype, values):
    """As one where that is exact, else as objects, in which nothing is NaN or NA."""
    made = joined([FRAME({"v": one}), FRAME({"v": other})])["v"]
    assert str(made.dtype) == dtype
    assert series_list(made) == values
    if dtype == "object":
        assert list(map(type, made)) == list(map(type, values))


def test_moments_beside_gaps_stay_moments():
    """Spans, and what else pandas has a dtype for, too."""
    kinds = {
        "datetime64[ns, UTC]": [dt.datetime(2024, 1, 2, tzinfo=UTC)],
        "timedelta64[ns]": [dt.timedelta(1)],
        "string": ["x"],
        "category": ["x"],
        "period[D]": [pd.Period("2024-01-02", "D")],
        "Sparse[int64, 0]": [0],
    }
    frame = FRAME({kind: pd.Series(values, dtype=kind) for kind, values in kinds.items()})
    made = joined([frame, FRAME({"id": [1]})])
    held = {kind: kind for kind in kinds} | {"Sparse[int64, 0]": "Int64"}
    assert {name: str(made[name].dtype) for name in kinds} == held
    assert all(made[name].isna().tolist() == [False, True] for name in kinds)


def test_names_may_repeat_and_be_anything():
    """The second x belongs to a second x; a number is the column that its digits name."""
    one = FRAME(pd.DataFrame([[1, 2, 3]], columns=["x", "x", 0]))
    other = FRAME(pd.DataFrame([["a", 4, 5, 6]], columns=["y", "x", "x", "0"]))
    assert columns(joined([one, other])) == [
        ("x", "int64", [1, 4]),
        ("x", "int64", [2, 5]),
        (0, "int64", [3, 6]),
        ("y", "object", [None, "a"]),
    ]
    assert columns(joined([one, one]))[1] == ("x", "int64", [2, 2])
    levels = FRAME(pd.DataFrame([[1]], columns=pd.MultiIndex.from_tuples([("a", "b")])))
    assert joined([levels, one]).iloc[:, 0].tolist() == [1, pd.NA]


def test_frames_without_rows_or_columns():
    """Take no room and change no type."""
    none, nothing = FRAME({"id": []}), FRAME([])
    made = joined([none, nothing, FRAME({"id": [BIG]})])
    assert columns(made) == [("id", "int64", [BIG])]
    assert columns(joined([none, FRAME({"n": [1]})])) == [
        ("id", "Float64", [pd.NA]), ("n", "int64", [1])
    ]  # fmt: skip
    assert joined([nothing, nothing]).shape == (0, 0)
    assert joined([]).shape == (0, 0)
