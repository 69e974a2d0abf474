"""Whatever a frame holds, it becomes a table, and the table becomes the frame again."""

import contextlib
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kozmo_bridge.cleaner.cells import text_of
from kozmo_bridge.cleaner.table import ROW, Table
from unusual_frames import ARROW, FRAMES, PANDAS


def assert_same(one: Any, other: Any) -> None:
    """Fail unless *other* is the same frame as *one*, of the same kind, down to the objects."""
    assert type(other) is type(one)
    if isinstance(one, pd.DataFrame):
        pd.testing.assert_frame_equal(one, other, check_exact=True, check_column_type=True)
        assert other.attrs == one.attrs
        for place, dtype in enumerate(one.dtypes):
            if dtype.kind == "O" and isinstance(dtype, np.dtype):
                pairs = zip(one.iloc[:, place], other.iloc[:, place], strict=True)
                assert all(a is b for a, b in pairs)
    elif isinstance(one, pl.LazyFrame):
        assert other.collect().equals(one.collect())
    elif isinstance(one, pl.DataFrame):
        assert other.schema == one.schema
        assert other.height == one.height
        assert [c.to_list() for c in other] == [c.to_list() for c in one] or other.equals(one)
    elif isinstance(one, pa.Table | pa.RecordBatch):
        assert other.schema.equals(one.schema, check_metadata=True)
        assert other.num_rows == one.num_rows
        assert other.equals(one) or str(other) == str(one)
    else:
        assert repr(other) == repr(one)


@pytest.mark.parametrize("name", FRAMES)
def test_any_frame_comes_in_and_goes_out_the_same(name: str) -> None:
    """No column is lost on the way in; unchanged, the result is the frame itself, exactly."""
    frame = FRAMES[name]()
    table = Table.of(frame)
    assert len(table.labels) == len(table.names)
    assert table.frame.dtypes.count(pl.Object()) == 0
    assert_same(frame, table.back(table.frame))
    assert_same(frame, table.back(table.frame.with_row_index(ROW)))


@pytest.mark.parametrize("name", FRAMES)
def test_labels_can_be_used_anywhere(name: str) -> None:
    """Labels are unique, can be written, and mean the column alone in an expression."""
    table = Table.of(FRAMES[name]())
    assert len(set(table.labels)) == len(table.labels)
    assert ROW not in table.labels
    for label in table.labels[:50]:
        label.encode()
        assert "\0" not in label
        assert table.frame.select(pl.col(label)).columns == [label]


@pytest.mark.parametrize("name", PANDAS)
def test_rows_of_any_pandas_frame_can_be_dropped_and_sorted(name: str) -> None:
    """The index and the cells follow the rows, in the dtypes that they had."""
    frame = PANDAS[name]()
    table = Table.of(frame)
    rows = np.arange(len(frame))[::-2]
    result = table.frame.with_row_index(ROW)[rows.tolist()]
    assert_same(frame.iloc[rows], table.back(result))


@pytest.mark.parametrize("name", ARROW)
def test_rows_of_any_arrow_table_can_be_dropped_and_sorted(name: str) -> None:
    """The cells follow the rows, in the types that they had."""
    frame = ARROW[name]()
    table = Table.of(frame)
    rows = list(range(frame.num_rows))[::-2]
    back = table.back(table.frame.with_row_index(ROW)[rows])
    assert back.schema.equals(frame.schema, check_metadata=True)
    assert back.num_rows == len(rows)
    for column in table.labels:
        taken = Table.of(back).frame.get_column(column)
        assert taken.equals(table.frame.get_column(column)[rows])


@pytest.mark.parametrize("name", FRAMES)
def test_every_column_of_any_frame_can_be_replaced(name: str) -> None:
    """Columns of another type and new names go out as they are, beside an untouched index."""
    table = Table.of(FRAMES[name]())
    texts = [
        pl.Series(label, [f"new {i}" for i in range(table.frame.height)], dtype=pl.String)
        for label in table.labels
    ]
    if not texts:
        return
    back = Table.of(table.back(pl.DataFrame({series.name: series for series in texts})))
    assert back.frame.height == table.frame.height
    for series, (place, old) in zip(texts, enumerate(table.labels), strict=True):
        if old in back.labels:
            assert back.frame.to_series(place).cast(pl.String).to_list() == series.to_list()


@pytest.mark.parametrize("name", FRAMES)
def test_the_first_cell_of_any_column_can_be_emptied(name: str) -> None:
    """One null in place of a value changes that cell alone."""
    table = Table.of(FRAMES[name]())
    if not table.frame.height or table.frame.width > 1000:
        return
    result = table.frame.select(
        pl.when(pl.int_range(pl.len()) > 0).then(pl.col(label)).alias(label)
        for label in table.labels
    )
    back = Table.of(table.back(result)).frame
    assert back.height == table.frame.height
    if back.columns == table.frame.columns:
        assert back.head(1).null_count().row(0) == (1,) * back.width


def test_5000_columns_come_in_within_two_seconds() -> None:
    """A column costs well below a millisecond."""
    frame = PANDAS["5,000 columns"]()
    started = time.process_time()
    table = Table.of(frame)
    table.back(table.frame)
    assert time.process_time() - started < 2
    assert table.frame.width == 5000


SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(st.characters(exclude_categories=[])),
    st.binary(),
    st.decimals(),
    st.dates(),
    st.datetimes(timezones=st.none() | st.timezones()),
    st.timedeltas(),
    st.times(),
    st.complex_numbers(),
    st.sampled_from([pd.NA, pd.NaT, np.nan, np.float32(1.5), np.datetime64("2024-01-01", "D")]),
)
CELLS = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(max_size=3) | st.integers(), inner, max_size=3)
        | st.tuples(inner)
        | st.sets(st.integers() | st.text(max_size=3), max_size=3)
    ),
    max_leaves=5,
)
KINDS = st.sampled_from(
    [
        st.integers(-(1 << 130), 1 << 130),
        st.text(st.characters(exclude_categories=[])),
        st.floats(),
        st.booleans(),
        st.decimals(),
        st.datetimes(),
        st.datetimes(timezones=st.timezones()),
        st.dates(),
        st.times(),
        st.timedeltas(),
        st.binary(),
        SCALARS,
        CELLS,
    ]
)
NAMES = st.one_of(
    st.text(st.characters(exclude_categories=[]), max_size=4),
    st.integers(),
    st.none(),
    st.tuples(st.text(max_size=2), st.integers()),
    st.sampled_from(["a", "a_2", "*", "\0row", "\u2400row", "column_0", float("nan")]),
)


@st.composite
def pandas_frames(draw: st.DrawFn) -> pd.DataFrame:
    """Frames with cells, dtypes, names and an index of any kind."""
    rows = draw(st.integers(0, 5))
    columns = []
    for _ in range(draw(st.integers(0, 4))):
        cells = draw(st.lists(draw(KINDS) | st.none(), min_size=rows, max_size=rows))
        array = np.empty(rows, dtype=object)
        for place, cell in enumerate(cells):
            array[place] = cell
        series = pd.Series(array, dtype=object)
        # pandas itself fails where it infers the type of halves of characters.
        halves = any(isinstance(cell, str) and text_of(cell) != cell for cell in cells)
        infer = draw(st.booleans()) and not halves
        columns.append(series.infer_objects() if infer else series)
    frame = pd.DataFrame(dict(enumerate(columns)), index=range(rows))
    names = draw(st.lists(NAMES, min_size=len(columns), max_size=len(columns)))
    frame.columns = pd.Index(names, dtype=object, tupleize_cols=False)
    if draw(st.booleans()):
        index = draw(
            st.lists(st.integers(0, 3) | st.text(max_size=2), min_size=rows, max_size=rows)
        )
        frame.index = pd.Index(index, dtype=object, name=draw(st.none() | st.text(max_size=2)))
    return frame


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(frame=pandas_frames(), data=st.data())
def test_any_pandas_frame_comes_back_as_it_was(frame: pd.DataFrame, data: st.DataObject) -> None:
    """Whole, and with its rows in any order."""
    table = Table.of(frame)
    assert table.faults == {}
    assert_same(frame, table.back(table.frame))
    rows = data.draw(st.lists(st.integers(0, len(frame) - 1)) if len(frame) else st.just([]))
    assert_same(frame.iloc[rows], table.back(table.frame.with_row_index(ROW)[rows]))


@settings(max_examples=100, deadline=None)
@given(rows=st.lists(st.dictionaries(NAMES, CELLS, max_size=3), max_size=4))
def test_any_rows_come_back_as_they_were(rows: list[dict[Any, Any]]) -> None:
    """With their keys in the order that they had, and those missing that were missing."""
    table = Table.of(rows)
    assert table.faults == {}
    back = table.back(table.frame)
    assert [list(row) for row in back] == [list(row) for row in rows]
    for row, other in zip(rows, back, strict=True):
        assert all(a is b for a, b in zip(row.values(), other.values(), strict=True))


@settings(max_examples=100, deadline=None)
@given(value=CELLS)
def test_any_value_has_a_text(value: Any) -> None:
    """A text that UTF-8 can write."""
    text_of(value).encode()


CHANGES: dict[str, Callable[[pl.DataFrame, str], pl.DataFrame]] = {
    "first cell emptied": lambda frame, label: frame.with_columns(
        pl.when(pl.int_range(pl.len()) != 0).then(pl.col(label)).alias(label)
    ),
    "as text": lambda frame, label: frame.with_columns(pl.col(label).cast(pl.String)),
    "upper case": lambda frame, label: frame.with_columns(pl.col(label).str.to_uppercase()),
    "turned round": lambda frame, label: frame.with_columns(pl.col(label).reverse()),
    "filled": lambda frame, label: frame.with_columns(pl.col(label).forward_fill()),
    "column dropped": lambda frame, label: frame.drop(label),
    "column renamed": lambda frame, label: frame.rename({label: f"{label} new"}),
    "columns moved": lambda frame, label: frame.select(*reversed(frame.columns)),
    "column added": lambda frame, label: frame.with_columns(new=pl.lit("x")),
    "rows dropped": lambda frame, label: frame[::-2],
    "row added": lambda frame, label: pl.concat(
        [frame, frame.head(1).with_columns(pl.lit(None, dtype=frame.schema[ROW]).alias(ROW))]
    ),
}
SMALL = [name for name in FRAMES if not any(word in name for word in ("5,000", "MB", "million"))]


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    frame=st.sampled_from(SMALL).map(lambda name: FRAMES[name]()) | pandas_frames(),
    changes=st.lists(st.tuples(st.sampled_from(sorted(CHANGES)), st.integers(0, 3)), max_size=4),
)
def test_any_change_of_any_frame_goes_out(frame: Any, changes: list[tuple[str, int]]) -> None:
    """The frame that goes out holds the values of the result, where it has types for them."""
    table = Table.of(frame)
    result = table.frame.with_row_index(ROW)
    for name, place in changes:
        labels = [label for label in result.columns if label != ROW]
        if labels:
            # Not every change is one for every type.
            with contextlib.suppress(pl.exceptions.PolarsError):
                result = CHANGES[name](result, labels[place % len(labels)])
    back = table.back(result)
    if isinstance(back, list | dict):
        return
    again, result = Table.of(back).frame, result.drop(ROW)
    assert again.shape == result.shape
    for series, other in zip(result.get_columns(), again.get_columns(), strict=True):
        if series.dtype == other.dtype and not series.dtype.is_float():
            assert other.equals(series, null_equal=True)
