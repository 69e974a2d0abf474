"""Run in KozmoAI's environment by test_inside: the cleaner's tables of real Data and DataFrames."""

import pandas as pd
import polars as pl
import pytest

from kozmo_bridge._host import host
from kozmo_bridge.cleaner.table import ROW, Table
from unusual_frames import PANDAS

DATA, FRAME = host()[:2]
HOSTED = [name for name in PANDAS if name != "names of the host"]
"""Frames that KozmoAI can hold: its own fails with columns called data."""


def test_data_come_back_as_they_were():
    """With their settings, as new objects."""
    given = [
        DATA(text_key="n", data={"n": "Ann ", "v": 1}, default_value="x"),
        DATA(data={"v": None}),
        DATA(data={}),
    ]
    table = Table.of(given)
    back = table.back(table.frame)
    assert back == given
    assert [row.text_key for row in back] == ["n", "text", "text"]
    assert back[0] is not given[0]
    assert back[0].data is not given[0].data
    result = table.frame.with_row_index(ROW)[[1, 0]]
    stripped = table.back(result.with_columns(pl.col("n").str.strip_chars()))
    assert [row.data for row in stripped] == [{"v": None}, {"n": "Ann", "v": 1}]
    assert [row.default_value for row in stripped] == ["", "x"]
    assert Table.of(given[0]).back(Table.of(given[0]).frame) == given[0]


@pytest.mark.parametrize("name", HOSTED)
def test_any_frame_comes_back_as_it_was(name):
    """As KozmoAI's DataFrame, whole and with its rows turned round."""
    frame = FRAME(pd.DataFrame(PANDAS[name]()))
    table = Table.of(frame)
    back = table.back(table.frame)
    assert type(back) is FRAME
    pd.testing.assert_frame_equal(back, frame, check_exact=True)
    turned = table.back(table.frame.with_row_index(ROW)[::-1])
    assert type(turned) is FRAME
    pd.testing.assert_frame_equal(turned, frame.iloc[::-1], check_exact=True)


def test_new_columns_have_no_name_that_breaks_the_host():
    """As those of mage_df_to_kozmo_dataframe()."""
    table = Table.of(FRAME(pd.DataFrame({"a": [1]})))
    back = table.back(table.frame.with_columns(data=pl.lit(2)))
    assert type(back) is FRAME
    assert back.columns.tolist() == ["a", "data_"]
