"""The converters of the first data integration that need no host."""

import datetime as dt

import pandas as pd

from kozmo_bridge.adapters import clean_dataframe_types, data_list_to_dataframe


def test_a_frame_gets_values_that_json_can_hold():
    """Gaps are missing, moments ISO 8601; names, index and the frame itself stay."""
    frame = pd.DataFrame(
        {
            "n": [1.5, None],
            "at": pd.to_datetime(["2024-01-05 10:00", None]),
            "aware": pd.to_datetime(["2024-01-05T10:00+02:00", None], utc=True),
            7: pd.array([1, None], dtype="Int64"),
            "o": [dt.date(2024, 1, 5), {"k": float("nan")}],
        },
        index=["a", "b"],
    )
    before = frame.copy(deep=True)
    made = clean_dataframe_types(frame)
    assert made.columns.tolist() == ["n", "at", "aware", 7, "o"]
    assert made.index.tolist() == ["a", "b"]
    assert made["at"].tolist() == ["2024-01-05T10:00:00", None]
    assert made["aware"].tolist() == ["2024-01-05T08:00:00+00:00", None]
    assert made["o"].tolist() == ["2024-01-05", {"k": None}]
    assert made["n"].isna().tolist() == [False, True]
    assert str(made[7].dtype) == "Int64"
    pd.testing.assert_frame_equal(frame, before)
    assert clean_dataframe_types(None).empty
    assert clean_dataframe_types(frame[:0]).columns.tolist() == frame.columns.tolist()


def test_rows_become_a_frame():
    """None and no rows are an empty one; whole numbers stay whole beside gaps."""
    assert data_list_to_dataframe(None).empty
    assert data_list_to_dataframe([]).empty
    frame = data_list_to_dataframe([{"a": 1}, {"a": None, "b": "x"}])
    assert str(frame["a"].dtype) == "Int64"
    assert frame["b"].tolist() == [None, "x"]
