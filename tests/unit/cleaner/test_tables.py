"""What a result changed is given back in natural types; what it did not, as it was."""

import datetime as dt
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.compute
import pytest

from kozmo_bridge.cleaner.batches import batches, slices
from kozmo_bridge.cleaner.table import ROW, Table
from kozmo_singer.errors import ConfigError
from unusual_frames import ARROW, Shy, objects, plain

TEXT = pd.Series([""]).dtype
"""What this pandas has for texts: object before 3."""


def changed(frame: Any, **columns: Any) -> Any:
    """Return *frame* with the columns that expressions or values make."""
    table = Table.of(frame)
    return table.back(table.frame.with_row_index(ROW).with_columns(**columns))


def cells(series: pd.Series, dtype: Any) -> list[Any]:
    """Return the values of a column that has to have *dtype*."""
    assert series.dtype == dtype
    return series.tolist()


def test_labels_are_unique_texts() -> None:
    """A second name gets the next number that is free; levels are joined; None is null."""
    frame = pd.DataFrame([range(6)])
    frame.columns = pd.Index(["a", "a", "a_2", 3, None, ("x", 1)], tupleize_cols=False)
    table = Table.of(frame)
    assert table.labels == ["a", "a_3", "a_2", "3", "null", "x / 1"]
    assert table.names == tuple(frame.columns)


def test_labels_never_hold_nul_nor_are_patterns() -> None:
    """Arrow's names end at NUL, and polars takes `*` and `^…$` for many columns."""
    table = Table.of(pl.DataFrame({"a\0b": [1], "*": [2], "^a.*$": [3], "": [4]}))
    assert table.labels == ["a\u2400b", "*_", "^a.*$_", ""]
    assert table.back(table.frame).columns == ["a\0b", "*", "^a.*$", ""]


def test_what_is_no_table_is_refused() -> None:
    """With the type that came."""
    with pytest.raises(ConfigError, match="got int"):
        Table.of(5)
    with pytest.raises(ConfigError, match="got int"):
        Table.of([1, 2])
    for given in (pd.Series([1]), pl.Series([1]), pa.array([1]), pa.chunked_array([[1]]), "a"):
        with pytest.raises(ConfigError, match="expected"):
            Table.of(given)


def test_opaque_columns_are_told() -> None:
    """Their texts stand for objects; dicts and lists are JSON, sets in an order of their own."""
    frame = objects(
        {"k": (1, None)}, ["é"], {"b", "a"}, None, np.array([1.5]), pd.Period("2024-01")
    )
    table = Table.of(frame)
    assert table.opaque == {"a"}
    assert table.frame["a"].to_list() == [
        '{"k":[1,null]}',
        '["é"]',
        '["a","b"]',
        None,
        "[1.5]",
        "2024-01",
    ]


def test_objects_stay_in_cells_that_are_not_changed() -> None:
    """The new text stands beside the old objects."""
    first, second = {"k": 1}, {"k": 2}
    back = changed(objects(first, second, None), a=pl.col("a").str.replace("2", "3"))
    assert back["a"][0] is first
    assert back["a"].tolist() == [first, '{"k":3}', None]


def test_gaps_stay_what_they_were_beside_changed_texts() -> None:
    """None, NaN and NA are one null for the cleaner, and themselves again afterwards."""
    back = changed(objects(" x", None, np.nan, pd.NA), a=pl.col("a").str.strip_chars())
    values = back["a"].tolist()
    assert values[:2] == ["x", None]
    assert values[2] is np.nan
    assert values[3] is pd.NA


def test_changed_numbers_are_natural() -> None:
    """Whole numbers beside gaps are Int64, else int64; booleans alike; floats have NaN."""
    frame = pd.DataFrame({"n": [1, 2], "x": [1.5, np.nan], "b": [True, False]})
    back = changed(
        frame, n=pl.Series([None, 2]), x=pl.Series([2.5, None]), b=pl.Series([None, True])
    )
    assert cells(back["n"], "Int64")[1] == 2
    assert back["n"].isna().tolist() == [True, False]
    assert cells(back["x"], "float64")[0] == 2.5
    assert cells(back["b"], "boolean")[1] is True
    back = changed(frame, n=pl.col("n") + 1, x=pl.Series([7, 8]), b=~pl.col("b"))
    assert cells(back["n"], "int64") == [2, 3]
    assert cells(back["x"], "int64") == [7, 8]
    assert cells(back["b"], "bool") == [False, True]


@pytest.mark.parametrize("dtype", ["Int32", "Float64", "boolean", "int8", "float32", "uint64"])
def test_changed_numbers_keep_their_dtype(dtype: str) -> None:
    """If it holds the new values."""
    back = changed(pd.DataFrame({"a": pd.Series([1, 0], dtype=dtype)}), a=pl.col("a").reverse())
    assert cells(back["a"], dtype) == [0, 1]


@pytest.mark.parametrize("dtype", ["object", "string[python]", "string[pyarrow]", TEXT])
def test_changed_texts_keep_their_dtype(dtype: Any) -> None:
    """Object too: to strip a text is no reason for another dtype."""
    frame = pd.DataFrame({"a": pd.Series(["x ", None, "y"], dtype=dtype)})
    back = changed(frame, a=pl.col("a").str.strip_chars())
    assert back["a"].dtype == frame["a"].dtype
    assert back["a"].tolist()[::2] == ["x", "y"]
    assert back["a"].isna().tolist() == [False, True, False]


def test_new_columns_are_natural() -> None:
    """Each in the dtype that pandas itself, or this house, has for it; dates are Python's."""
    back = changed(
        plain(2),
        text=pl.Series(["x", None]),
        moment=pl.Series([dt.datetime(2024, 1, 1), None], dtype=pl.Datetime("ms")),
        zoned=pl.Series([dt.datetime(2024, 1, 1), None]).dt.replace_time_zone("Asia/Tokyo"),
        date=pl.Series([dt.date(2024, 1, 1), None]),
        span=pl.Series([dt.timedelta(1), None]),
        amount=pl.Series([Decimal("1.50"), None]),
        items=pl.Series([[1], None]),
        kind=pl.Series(["x", None], dtype=pl.Categorical),
        big=pl.Series([1 << 100, None], dtype=pl.Int128),
    )
    assert {name: str(dtype) for name, dtype in back.dtypes.items()} == {
        "n": "int64",
        "x": "float64",
        "w": "object",
        "text": str(TEXT),
        "moment": "datetime64[ms]",
        "zoned": "datetime64[us, Asia/Tokyo]",
        "date": "object",
        "span": "timedelta64[us]",
        "amount": "object",
        "items": "object",
        "kind": "category",
        "big": "object",
    }
    assert back["date"].tolist() == [dt.date(2024, 1, 1), None]
    assert back["zoned"][0] == pd.Timestamp("2024-01-01", tz="Asia/Tokyo")
    assert back["big"][0] == 1 << 100


def test_a_moment_keeps_unit_and_zone() -> None:
    """A change of a moment leaves the dtype, also where polars has another unit."""
    for unit in ("s", "ms", "ns"):
        frame = pd.DataFrame({"a": np.array(["2024-01-01", "NaT"], f"datetime64[{unit}]")})
        back = changed(frame, a=pl.col("a").dt.offset_by("1d"))
        assert cells(back["a"], frame["a"].dtype)[0] == pd.Timestamp("2024-01-02")
    minute = dt.timezone(dt.timedelta(minutes=1))
    frame = pd.DataFrame({"a": pd.date_range("2024-01-01", periods=2, tz=minute)})
    back = changed(frame, a=pl.col("a").dt.offset_by("1d"))
    assert cells(back["a"], frame["a"].dtype)[1] == pd.Timestamp("2024-01-03", tz=minute)


def test_categories_stay_and_new_ones_follow() -> None:
    """An order is kept as long as all categories are known."""
    words = pd.Categorical(["b", None, "a"], ["b", "a", "c"])
    back = changed(pd.DataFrame({"a": words}), a=pl.col("a").cast(pl.String).str.to_uppercase())
    assert back["a"].tolist()[::2] == ["B", "A"]
    recast = pl.col("a").cast(pl.String).str.replace("a", "d").cast(pl.Categorical)
    back = changed(pd.DataFrame({"a": words}), a=recast)
    assert back["a"].cat.categories.tolist() == ["b", "a", "c", "d"]
    assert back["a"].tolist()[::2] == ["b", "d"]
    ordered = pd.Categorical(["low", "high"], ["low", "high"], ordered=True)
    back = changed(pd.DataFrame({"a": ordered}), a=pl.col("a").reverse())
    assert back["a"].dtype == ordered.dtype
    assert back["a"].tolist() == ["high", "low"]


def test_arrow_backed_columns_keep_their_type() -> None:
    """Changed or not."""
    dtype = pd.ArrowDtype(pa.int16())
    frame = pd.DataFrame({"a": pd.array([1, None], dtype=dtype)})
    assert cells(changed(frame, a=pl.col("a") + 1)["a"], dtype)[0] == 2


def test_columns_can_be_dropped_moved_renamed_and_added() -> None:
    """Untouched ones keep their names, whatever those are, and their cells."""
    frame = plain()
    frame.columns = pd.Index([3, ("a", 1), None], tupleize_cols=False)
    table = Table.of(frame)
    assert table.labels == ["3", "a / 1", "null"]
    result = table.frame.select(pl.col("null").alias("w"), "3", new=pl.lit(5))
    back = table.back(result, renamed={"null": "w"})
    assert back.columns.tolist() == ["w", 3, "new"]
    assert [a is b for a, b in zip(back["w"], frame[None], strict=True)] == [True] * 3
    assert back[3].tolist() == [0, 1, 2]


def test_a_column_under_a_new_name_is_known_by_what_it_holds() -> None:
    """So that its objects are not lost where nobody says that it was renamed."""
    cell = {"k": 1}
    table = Table.of(objects(cell, None))
    back = table.back(table.frame.rename({"a": "b"}))
    assert back["b"][0] is cell


def test_names_can_be_swapped() -> None:
    """Where it is said; the columns are told apart by that alone."""
    frame = pd.DataFrame({"a": [1, 2], "b": ["x", "y"]})
    table = Table.of(frame)
    back = table.back(table.frame.rename({"a": "b", "b": "a"}), renamed={"a": "b", "b": "a"})
    pd.testing.assert_frame_equal(back, frame.rename(columns={"a": "b", "b": "a"}))


def test_new_columns_beside_several_levels() -> None:
    """The new name stands on the first level."""
    columns = pd.MultiIndex.from_tuples([("x", 1), ("x", 2)], names=["top", None])
    back = changed(pd.DataFrame([[1, 2]], columns=columns), new=pl.lit(3))
    assert back.columns.tolist() == [("x", 1), ("x", 2), ("new", "")]
    assert back.columns.names == ["top", None]


def test_new_rows_are_rows_without_a_number() -> None:
    """They follow in a plain index, have no label in another, and are null where not given."""
    table = Table.of(pd.DataFrame({"a": [1, 2], "w": pd.Series(["x", "y"], dtype=object)}))
    result = table.frame.with_row_index(ROW)
    new = pl.DataFrame({"a": [7]}, schema={"a": pl.Int64})
    back = table.back(pl.concat([result, new], how="diagonal"))
    assert back.index.tolist() == [0, 1, 2]
    assert cells(back["a"], "int64") == [1, 2, 7]
    assert back["w"].tolist() == ["x", "y", None]
    table = Table.of(table.original.set_index(pd.MultiIndex.from_tuples([("p", 1), ("q", 2)])))
    back = table.back(pl.concat([result, new], how="diagonal"))
    assert back.index[0] == ("p", 1)
    assert back.index.nlevels == 2


def test_rows_without_numbers_are_new_unless_as_many() -> None:
    """As after grouping: the index begins anew."""
    frame = plain(4).set_index(pd.Index(list("abcd")))
    table = Table.of(frame)
    back = table.back(table.frame.head(2))
    assert back.index.tolist() == [0, 1]
    assert back["w"].tolist() == ["word 0", "word 1"]
    assert table.back(table.frame.select("w")).index.tolist() == list("abcd")


def test_rows_stay_where_all_columns_go() -> None:
    """Their number and their index."""
    frame = plain().set_index(pd.Index(list("abc")))
    table = Table.of(frame)
    assert table.back(table.frame.select([])).index.tolist() == list("abc")
    some = table.frame.with_row_index(ROW).filter(pl.col("n") > 0).select(ROW)
    assert table.back(some).index.tolist() == ["b", "c"]


def test_rows_can_be_doubled_even_where_labels_must_not_come_twice() -> None:
    """The frame then allows it; otherwise it keeps its flag."""
    frame = plain().set_flags(allows_duplicate_labels=False)
    table = Table.of(frame)
    result = table.frame.with_row_index(ROW)
    assert not table.back(result[[2, 0]]).flags.allows_duplicate_labels
    assert table.back(result[[0, 0]]).index.tolist() == [0, 0]


def test_a_table_can_be_made_of_its_parts() -> None:
    """The original is then looked at again when the result goes out."""
    frame = plain()
    known = Table.of(frame)
    back = Table(known.frame, frame, known.names).back(known.frame.with_columns(pl.col("n") + 1))
    assert back["n"].tolist() == [1, 2, 3]
    assert back["w"][0] is frame["w"][0]


def test_the_frame_that_came_in_stays_as_it_is() -> None:
    """The result can be changed without it."""
    frame = plain()
    table = Table.of(frame)
    back = table.back(table.frame)
    back.loc[0, "w"] = "changed"
    back.loc[0, "n"] = 99
    assert frame["w"][0] == "word 0"
    assert frame["n"][0] == 0
    rows = [{"a": 1}]
    made = changed(rows)
    made[0]["a"] = 2
    assert rows == [{"a": 1}]


def test_changed_values_of_rows_have_the_forms_of_data() -> None:
    """The others are the objects that they were, and missing keys stay missing."""
    tags = ["a"]
    rows = [{"b": " x", "tags": tags}, {"a": 1}, {"tags": None, "b": "y"}]
    back = changed(rows, b=pl.col("b").str.strip_chars(), day=pl.lit(dt.date(2024, 1, 1)))
    assert [list(row) for row in back] == [["b", "tags", "day"], ["a", "day"], ["tags", "b", "day"]]
    assert back[0] == {"b": "x", "tags": ["a"], "day": "2024-01-01"}
    assert back[0]["tags"] is tags


def test_a_key_that_a_row_lacked_comes_when_it_is_filled() -> None:
    """At the end of the row."""
    back = changed([{"a": 1, "b": 2}, {"b": 3}], a=pl.col("a").fill_null(0))
    assert back == [{"a": 1, "b": 2}, {"b": 3, "a": 0}]
    assert list(back[1]) == ["b", "a"]


def test_keys_can_be_renamed_moved_and_dropped() -> None:
    """In place; columns in another order are keys in that order."""
    rows = [{"a": 1, "b": 2, "c": 3}]
    table = Table.of(rows)
    back = table.back(table.frame.rename({"a": "x"}), renamed={"a": "x"})
    assert list(back[0]) == ["x", "b", "c"]
    assert list(table.back(table.frame.select("c", "a"))[0]) == ["c", "a"]


def test_one_dict_is_one_dict_again() -> None:
    """And an empty list if its row is dropped."""
    assert changed({"a": " x"}, a=pl.col("a").str.strip_chars()) == {"a": "x"}
    table = Table.of({"a": 1})
    assert table.back(table.frame.with_row_index(ROW).clear()) == []


def test_arrow_columns_keep_their_types() -> None:
    """The narrow types of texts and numbers, fields and their metadata."""
    field = pa.field("a", pa.string(), metadata={"k": "v"})
    table = pa.table([pa.array(["x ", None])], schema=pa.schema([field], metadata={"m": "n"}))
    back = changed(table, a=pl.col("a").str.strip_chars(), b=pl.lit(1))
    assert back.schema.field("a").equals(field, check_metadata=True)
    assert back.schema.metadata == {b"m": b"n"}
    assert back.to_pydict() == {"a": ["x", None], "b": [1, 1]}


def test_arrow_cells_that_are_text_for_the_cleaner_stay_where_they_can() -> None:
    """New texts are read in the old type; where one cannot be, the column becomes text."""
    table = pa.table({"a": pa.array([Decimal(10) ** 50, Decimal(5)], pa.decimal256(76, 0))})
    fits = changed(table, a=pl.Series([str(10**50), "6"]))
    assert fits["a"].type == pa.decimal256(76, 0)
    assert fits["a"].to_pylist() == [Decimal(10) ** 50, Decimal(6)]
    text = changed(table, a=pl.Series([str(10**50), "six"]))
    assert text["a"].to_pylist() == [str(10**50), "six"]


@pytest.mark.parametrize(
    "dtype",
    [
        pa.large_string(),
        pa.string_view(),
        pa.dictionary(pa.int8(), pa.string()),
        pa.json_(),
        pa.run_end_encoded(pa.int32(), pa.string()),
    ],
)
def test_texts_of_arrow_keep_their_type(dtype: Any) -> None:
    """Whatever it is called."""
    texts = pa.array(["1 ", None, "2"])
    if pa.types.is_run_end_encoded(dtype):
        array = pa.compute.run_end_encode(texts)
    elif isinstance(dtype, pa.BaseExtensionType):
        array = pa.ExtensionArray.from_storage(dtype, texts)
    else:
        array = texts.cast(dtype)
    new = (
        pl.col("a")
        .cast(pl.String)
        .str.strip_chars()
        .cast(Table.of(pa.table({"a": array})).frame["a"].dtype)
    )
    back = changed(pa.table({"a": array}), a=new)["a"]
    assert back.type == array.type
    assert back.to_pylist() == ["1", None, "2"]


def test_texts_of_arrow_that_are_not_utf8_are_a_fault() -> None:
    """What cannot be read is replaced; the bytes themselves stay where nothing is changed."""
    frame = ARROW["arrow: texts that are not UTF-8"]()
    table = Table.of(frame)
    assert table.frame["a"].to_list() == ["ab", "\ufffd\ufffd"]
    assert "Invalid UTF8" in table.faults["a"]


def test_polars_frames_come_back_as_polars() -> None:
    """Lazy ones lazy; Python's objects beside the new values."""
    cell = {1}
    frame = pl.DataFrame({"a": pl.Series([cell, "x "], dtype=pl.Object), "b": [1, 2]})
    back = changed(frame, a=pl.col("a").str.strip_chars())
    assert back.schema == frame.schema
    assert back["a"][0] is cell
    assert back["a"][1] == "x"
    lazy = changed(frame.select("b").lazy(), b=pl.col("b") * 2)
    assert isinstance(lazy, pl.LazyFrame)
    assert lazy.collect()["b"].to_list() == [2, 4]


class Odd(int):
    """A number that is none when it is asked."""

    def __int__(self) -> int:
        raise RuntimeError("no number")


def test_a_fault_in_a_column_stays_in_that_column() -> None:
    """It comes in as text, with the reason; the others as ever."""
    frame = pd.DataFrame({"a": pd.Series([Odd(7), 1], dtype=object), "b": [1, 2]})
    table = Table.of(frame)
    assert table.faults == {"a": "RuntimeError: no number"}
    assert table.frame["a"].to_list() == ["7", "1"]
    assert table.frame["b"].to_list() == [1, 2]
    assert table.back(table.frame)["a"][0] is frame["a"][0]


def test_a_value_that_breaks_whoever_looks_at_it_has_the_name_of_its_type() -> None:
    """And nothing else of the column is lost."""
    table = Table.of(objects(Shy(), 1))
    assert table.frame["a"].to_list() == ["<unusual_frames.Shy>", "1"]


def frames() -> Iterator[Any]:
    """Three batches of three kinds."""
    yield pd.DataFrame({"a": [1], "b": ["x"]})
    yield pa.record_batch({"b": pa.nulls(1), "a": [2]})
    yield [{"a": 3, "c": True}]


def test_batches_have_the_same_labels() -> None:
    """What a batch lacks is null there, what comes later is added at the end."""
    found = list(batches(frames()))
    assert [frame.columns for frame in found] == [["a", "b"], ["a", "b"], ["a", "b", "c"]]
    assert [frame["b"].dtype for frame in found] == [pl.String] * 3
    assert [frame["a"].to_list() for frame in found] == [[1], [2], [3]]


@pytest.mark.parametrize(
    "make",
    [
        lambda frame: frame,
        lambda frame: frame.lazy(),
        lambda frame: frame.to_arrow(),
        lambda frame: pa.RecordBatchReader.from_stream(frame),
        lambda frame: iter(frame.iter_slices(3)),
        lambda frame: frame.rows(named=True),
        lambda frame: iter(frame.rows(named=True)),
        lambda frame: pd.DataFrame(frame.to_dict(as_series=False)),
    ],
)
def test_batches_of_any_source_are_its_rows(make: Any) -> None:
    """In their order."""
    frame = pl.DataFrame({"a": range(10), "b": [str(i) for i in range(10)]})
    found = list(batches(make(frame), rows=4))
    assert pl.concat(found).equals(frame)
    assert list(batches(make(frame.clear()), rows=4)) != [] or not hasattr(make(frame), "columns")


def test_slices_are_views_of_at_most_so_many_rows() -> None:
    """One without rows for a frame without any."""
    frame = pl.DataFrame({"a": range(10)})
    assert [piece.height for piece in slices(frame, 4)] == [4, 4, 2]
    assert [piece.columns for piece in slices(frame.clear(), 4)] == [["a"]]
