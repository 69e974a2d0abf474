"""Frames of every dtype as columns in Data's forms, and back."""

import datetime as dt
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest

from kozmo_bridge.convert import columns_of, kozmo_data_to_df, rows_of, table_columns
from kozmo_bridge.frames import frame_columns, series_list, typed_series
from kozmo_bridge.values import native
from kozmo_singer.errors import ConfigError

NANOSECOND = np.array(["2024-01-02T03:04:05.000000001", "NaT"], dtype="datetime64[ns]")
SERIES = {
    "int64": (pd.Series([1, -2]), [1, -2]),
    "uint64": (pd.Series([2**64 - 1], dtype="uint64"), [2**64 - 1]),
    "bool": (pd.Series([True, False]), [True, False]),
    "float64": (pd.Series([1.5, np.nan, np.inf]), [1.5, None, "Infinity"]),
    "float32": (pd.Series([0.5, np.nan], dtype="float32"), [0.5, None]),
    "float16": (pd.Series([0.5, np.nan], dtype="float16"), [0.5, None]),
    "complex": (pd.Series([1 + 2j]), ["(1+2j)"]),
    "Int64": (pd.Series([1, None], dtype="Int64"), [1, None]),
    "Float64": (pd.Series([1.5, None], dtype="Float64"), [1.5, None]),
    "boolean": (pd.Series([True, None], dtype="boolean"), [True, None]),
    "string": (pd.Series(["a", None], dtype="string"), ["a", None]),
    "inferred text": (pd.Series(["a", None]), ["a", None]),
    "datetime64[s]": (
        pd.Series(np.array(["2024-01-02T03:04:05", "NaT"], dtype="datetime64[s]")),
        ["2024-01-02T03:04:05", None],
    ),
    "datetime64 with some fractions": (
        pd.Series(np.array(["2024-01-02T03:04:05", "2024-01-02T03:04:05.12"], "datetime64[ms]")),
        ["2024-01-02T03:04:05", "2024-01-02T03:04:05.120000"],
    ),
    "nanoseconds": (pd.Series(NANOSECOND), ["2024-01-02T03:04:05.000000001", None]),
    "zoned": (
        pd.Series(pd.to_datetime(["2024-01-02 03:04", None])).dt.tz_localize("Asia/Tokyo"),
        ["2024-01-01T18:04:00+00:00", None],
    ),
    "timedelta": (pd.Series(pd.to_timedelta(["1 days 00:00:01", None])), ["P1DT1S", None]),
    "category": (pd.Series(["b", None, "a", "b"], dtype="category"), ["b", None, "a", "b"]),
    "category of moments": (
        pd.Series(pd.to_datetime(["2024-01-02"])).astype("category"),
        ["2024-01-02T00:00:00"],
    ),
    "period": (pd.Series(pd.period_range("2024-01", periods=1, freq="M")), ["2024-01"]),
    "interval": (pd.Series(pd.interval_range(0, 1)), ["(0, 1]"]),
    "sparse": (pd.Series(pd.arrays.SparseArray([1.0, np.nan])), [1.0, None]),
    "mixed objects": (
        pd.Series(
            [1, "a", None, np.nan, pd.NaT, pd.NA, Decimal("1.5"), dt.date(2024, 1, 2), b"ab",
             [1, {"x": np.int64(2)}], np.array([1, 2]), 2**70],
            dtype="object",
        ),
        [1, "a", None, None, None, None, 1.5, "2024-01-02", "YWI=", [1, {"x": 2}], [1, 2], 2**70],
    ),
    "empty": (pd.Series([], dtype="object"), []),
}  # fmt: skip


@pytest.mark.parametrize("name", SERIES)
def test_every_dtype_has_its_stated_form(name):
    """And each value the one it would have alone."""
    series, forms = SERIES[name]
    found = series_list(series)
    assert found == forms
    assert list(map(type, found)) == list(map(type, forms))
    assert found == [native(value) for value in series]


def test_names_that_repeat_and_names_that_are_no_text():
    """No column is lost, and none takes another's name."""
    frame = pd.DataFrame([[1, 2, 3, 4]], columns=["a", "a", 0, ("x", "y")])
    assert frame_columns(frame) == (["a", "a_2", "0", "x.y"], [[1], [2], [3], [4]])


def test_an_index_comes_along_where_it_has_a_name():
    """After a groupby it is data; the default one is only a number."""
    frame = pd.DataFrame({"k": ["b", "a", "b"], "n": [1, 2, 3]})
    assert frame_columns(frame)[0] == ["k", "n"]
    grouped = frame.groupby("k").sum()
    assert frame_columns(grouped) == (["k", "n"], [["a", "b"], [2, 4]])
    assert frame_columns(grouped, index=False) == (["n"], [[2, 4]])
    assert frame_columns(frame, index=True)[0] == ["index", "k", "n"]
    both = frame.set_index(["k", "n"], drop=False)
    assert frame_columns(both)[0] == ["k", "n", "k_2", "n_2"]


def test_a_frame_stays_as_it_was():
    """Converting reads only."""
    frame = pd.DataFrame({"a": [[1], None], "b": [{"x": 1}, {"y": pd.NaT}]})
    before = frame.copy(deep=True)
    cells = [id(cell) for cell in frame["a"]]
    table_columns(frame)
    pd.testing.assert_frame_equal(frame, before)
    assert [id(cell) for cell in frame["a"]] == cells


@pytest.mark.parametrize(
    ("values", "dtype"),
    [
        ([1, 2], "int64"),
        ([1, None], "Int64"),
        ([2**62 + 1, None], "Int64"),
        ([2**70, 1], "object"),
        ([True, None], "boolean"),
        ([True, False], "bool"),
        ([1.5, None], "Float64"),
        ([1, 1.5], "float64"),
        ([2**60 + 1, 1.5], "object"),
        ([True, 1], "object"),
        (["a", None], "object"),
        ([[1], {"a": 1}], "object"),
        ([None, None], "object"),
    ],
)
def test_values_get_a_column_that_keeps_them_exactly(values, dtype):
    """Whole numbers stay whole beside gaps; what has no dtype is an object."""
    series = typed_series(values)
    assert str(series.dtype) == dtype
    assert [None if v is pd.NA else v for v in series] == values


def test_rows_that_differ_share_a_frame():
    """Columns in the order of their first occurrence; what a row lacks is missing."""
    rows = [{"b": 1}, {"a": "x", "b": 2**62 + 1}, {"c": None}]
    frame = kozmo_data_to_df(rows)
    assert list(frame.columns) == ["b", "a", "c"]
    assert str(frame["b"].dtype) == "Int64"
    assert frame.astype("object").where(frame.notna(), None).to_dict("records") == [
        {"b": 1, "a": None, "c": None},
        {"b": 2**62 + 1, "a": "x", "c": None},
        {"b": None, "a": None, "c": None},
    ]
    assert kozmo_data_to_df([]).shape == (0, 0)
    assert kozmo_data_to_df([{}, {}]).shape == (2, 0)


def test_a_frame_goes_through_rows_and_comes_back():
    """What JSON can tell, a frame keeps on the way to Data and back."""
    frame = pd.DataFrame({"n": [1, 2], "x": [0.5, 1.5], "ok": [True, False]})
    names, columns, _ = table_columns(frame)
    rows = [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]
    pd.testing.assert_frame_equal(kozmo_data_to_df(rows), frame)


def test_what_is_neither_row_nor_table_is_refused():
    """By a sentence that says what came."""
    with pytest.raises(ConfigError, match="got int"):
        rows_of(5)
    with pytest.raises(ConfigError, match="got str"):
        rows_of(["a"])
    with pytest.raises(ConfigError, match="expected a pandas or Arrow table, got list"):
        table_columns([])
    assert rows_of({"a": 1}) == [{"a": 1}]
    assert columns_of([]) == ([], [])
