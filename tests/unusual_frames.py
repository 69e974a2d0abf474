"""Frames of which some column, name, index or size is out of the ordinary: name -> what makes it.

The cleaner takes every one of them; tests attack tables, profile() and clean() with them.
"""

from __future__ import annotations

import datetime as dt
import decimal
import enum
import pathlib
import uuid
from collections.abc import Callable
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa

MINUTE = dt.timezone(dt.timedelta(minutes=1))
BERLIN, TOKYO = ZoneInfo("Europe/Berlin"), ZoneInfo("Asia/Tokyo")
D = decimal.Decimal


class Broken:
    """A value that cannot even be shown."""

    def __str__(self) -> str:
        raise RuntimeError("no text")

    __repr__ = __str__


class Shy:
    """A value that breaks whoever asks what it is."""

    @property
    def __class__(self) -> Any:
        raise RuntimeError("no class")


class Bare:
    """A value whose text holds its address in memory."""


class Color(enum.Enum):
    """Names with values."""

    RED = 1


class Text(str):
    """A text of a class of its own."""

    __slots__ = ()


def objects(*values: Any) -> pd.DataFrame:
    """Return a pandas frame with one column of the dtype object that holds *values*."""
    cells = np.empty(len(values), dtype=object)
    for place, value in enumerate(values):
        cells[place] = value
    return pd.DataFrame({"a": pd.Series(cells, dtype=object)})


def column(values: Any, dtype: Any = None) -> pd.DataFrame:
    """Return a pandas frame with one column of the given dtype."""
    return pd.DataFrame({"a": pd.Series(values, dtype=dtype)})


def arrow(values: Any, dtype: Any) -> pa.Table:
    """Return an Arrow table with one column of the given type."""
    return pa.table({"a": pa.array(values, dtype)})


def plain(rows: int = 3) -> pd.DataFrame:
    """Return a frame with nothing unusual in its columns."""
    words = pd.Series([f"word {i}" for i in range(rows)], dtype=object)
    return pd.DataFrame({"n": np.arange(rows), "x": np.arange(rows) / 2, "w": words})


def named(*names: Any) -> pd.DataFrame:
    """Return a frame of two rows whose columns have those names, whatever they are."""
    frame = pd.DataFrame([range(len(names)), range(len(names))])
    frame.columns = pd.Index(list(names), dtype=object, tupleize_cols=False)
    return frame


def _cyclic() -> pd.DataFrame:
    cycle: list[Any] = [1]
    cycle.append(cycle)
    return objects(cycle, [2], None)


def _deep() -> pd.DataFrame:
    nested: list[Any] = []
    for _ in range(5000):
        nested = [nested]
    return objects(nested, [2], None)


def _attributes() -> pd.DataFrame:
    frame = plain()
    frame.attrs["source"] = "here"
    return frame


def _ree() -> pa.Table:
    ends = pa.array([2, 4], pa.int32())
    return pa.table({"a": pa.RunEndEncodedArray.from_arrays(ends, pa.array(["x", None]))})


def _union(dense: bool) -> pa.Table:
    kinds, numbers, words = (
        pa.array([0, 1, 0], pa.int8()),
        pa.array([1, 2, 3]),
        pa.array(list("abc")),
    )
    if dense:
        offsets = pa.array([0, 0, 1], pa.int32())
        return pa.table({"a": pa.UnionArray.from_dense(kinds, offsets, [numbers, words])})
    return pa.table({"a": pa.UnionArray.from_sparse(kinds, [numbers, words])})


def _bad_utf8() -> pa.Table:
    offsets, data = pa.py_buffer(np.array([0, 2, 4], np.int32)), pa.py_buffer(b"ab\xff\xfe")
    return pa.table({"a": pa.StringArray.from_buffers(2, offsets, data)})


def _chunked() -> pa.Table:
    return pa.table(
        {"a": pa.chunked_array([["x"], [], [None, "y"]]), "b": pa.chunked_array([[1, 2, 3]])}
    )


def _dictionary(values: Any, ordered: bool = False) -> pa.Table:
    indices = pa.array([0, None, 1], pa.int8())
    return pa.table({"a": pa.DictionaryArray.from_arrays(indices, values, ordered=ordered)})


def _metadata() -> pa.Table:
    field = pa.field("a", pa.int32(), nullable=False, metadata={"unit": "m"})
    return pa.table([pa.array([1, 2], pa.int32())], schema=pa.schema([field], metadata={"k": "v"}))


def _subclass() -> pd.DataFrame:
    class Special(pd.DataFrame):
        """A frame of a class of its own, as KozmoAI and geopandas have."""

        @property
        def _constructor(self) -> Any:
            return Special

    return Special(plain())


def _multi_rows() -> pd.DataFrame:
    index = pd.MultiIndex.from_product([["a", "b"], [1, 2]], names=["letter", None])
    return plain(4).set_index(index)


def _multi_columns() -> pd.DataFrame:
    columns = pd.MultiIndex.from_tuples([("x", 1), ("x", 2), ("", "z")], names=["top", None])
    return pd.DataFrame([[1, 2.5, "a"], [3, None, "b"]], columns=columns)


def _many_columns() -> pd.DataFrame:
    return pd.DataFrame({f"c{i}": [i, None] if i % 3 else [str(i), None] for i in range(5000)})


def _duplicate_columns() -> pd.DataFrame:
    frame = pd.DataFrame([[1, "x", 2.5, True]] * 3)
    frame.columns = ["a", "a", "b", "a"]
    return frame


def _duplicates_that_meet() -> pd.DataFrame:
    return named("a", "a", "a_2", "a_2", "a_3")


def _categorical_columns() -> pd.DataFrame:
    frame = plain()
    frame.columns = pd.CategoricalIndex(["n", "x", "w"], ordered=True)
    return frame


def _dated_columns() -> pd.DataFrame:
    frame = plain()
    frame.columns = pd.date_range("2024-01-01", periods=3, name="day")
    return frame


def _gaps_in_index() -> pd.DataFrame:
    return plain(4).set_index(pd.Index(["x", None, "x", np.nan], dtype=object, name="key"))


def _mixed_zones() -> pd.DataFrame:
    return objects(
        dt.datetime(2024, 1, 1, tzinfo=BERLIN), dt.datetime(2024, 7, 1, tzinfo=TOKYO), None, pd.NaT
    )


def _sparse() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "f": pd.arrays.SparseArray([0.0, 1.5, np.nan, 0.0], fill_value=0.0),
            "i": pd.arrays.SparseArray([0, 0, 7, 0], fill_value=0),
            "b": pd.arrays.SparseArray([True, False, False, False]),
            "n": pd.arrays.SparseArray([np.nan, 2.0, np.nan, np.nan]),
        }
    )


def _spans(unit: str) -> pd.DataFrame:
    return column(np.array([1, -5, "NaT"], f"timedelta64[{unit}]"))


def _moments(unit: str) -> pd.DataFrame:
    return column(np.array(["2024-01-01T10:00:01", "1969-12-31", "NaT"], f"datetime64[{unit}]"))


def _widths() -> pd.DataFrame:
    kinds = ["int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"]
    return pd.DataFrame({k: np.array([np.iinfo(k).min, 1, np.iinfo(k).max], k) for k in kinds})


def _nullable() -> pd.DataFrame:
    kinds = ["Int8", "Int32", "Int64", "UInt64", "Float32", "Float64", "boolean"]
    return pd.DataFrame({k: pd.array([1, None, 0], dtype=k) for k in kinds})


def _arrow_backed() -> pd.DataFrame:
    kinds: dict[str, tuple[Any, list[Any]]] = {
        "int": (pa.int64(), [1, None]),
        "string": (pa.string(), ["x", None]),
        "large": (pa.large_string(), ["x", None]),
        "bool": (pa.bool_(), [True, None]),
        "date": (pa.date32(), [dt.date(2024, 1, 1), None]),
        "time": (pa.time64("us"), [dt.time(1, 2), None]),
        "moment": (pa.timestamp("us", "Europe/Berlin"), [dt.datetime(2024, 1, 1), None]),
        "span": (pa.duration("s"), [dt.timedelta(1), None]),
        "decimal": (pa.decimal128(10, 2), [D("1.50"), None]),
        "list": (pa.list_(pa.int64()), [[1, 2], None]),
        "struct": (pa.struct({"k": pa.string()}), [{"k": "v"}, None]),
        "map": (pa.map_(pa.string(), pa.int64()), [[("k", 1)], None]),
        "dictionary": (pa.dictionary(pa.int8(), pa.string()), ["x", None]),
        "binary": (pa.binary(), [b"x", None]),
        "null": (pa.null(), [None, None]),
    }
    return pd.DataFrame(
        {
            name: pd.array(values, dtype=pd.ArrowDtype(kind))
            for name, (kind, values) in kinds.items()
        }
    )


def _polars_types() -> pl.DataFrame:
    kinds: list[tuple[str, Any, list[Any]]] = [
        ("categorical", pl.Categorical, ["x", None, "y"]),
        ("enum", pl.Enum(["y", "x"]), ["x", None, "y"]),
        (
            "struct",
            pl.Struct({"k": pl.Int8, "l": pl.List(pl.String)}),
            [{"k": 1, "l": ["a"]}, None, {"k": 2, "l": None}],
        ),
        ("list", pl.List(pl.Float64), [[1.5], None, []]),
        ("array", pl.Array(pl.Int8, 2), [[1, 2], None, [3, 4]]),
        ("decimal", pl.Decimal(20, 3), [D("1.234"), None, D("-5")]),
        ("time", pl.Time, [dt.time(1, 2, 3), None, dt.time(0)]),
        ("duration", pl.Duration("ns"), [dt.timedelta(days=1), None, dt.timedelta(-1)]),
        ("binary", pl.Binary, [b"\x00\xff", None, b""]),
        ("null", pl.Null, [None, None, None]),
        ("int128", pl.Int128, [1 << 100, None, -5]),
        ("uint64", pl.UInt64, [(1 << 64) - 1, None, 0]),
        ("float32", pl.Float32, [1.5, None, float("nan")]),
        (
            "moment",
            pl.Datetime("ms", "Asia/Tokyo"),
            [dt.datetime(2024, 1, 1, tzinfo=TOKYO), None, None],
        ),
    ]
    return pl.DataFrame([pl.Series(name, values, dtype=kind) for name, kind, values in kinds])


def _data_like_rows() -> list[dict[str, Any]]:
    return [
        {"id": 1, "name": "Ann", "tags": ["a"]},
        {"name": None, "id": "2"},
        {},
        {"extra": {"k": (1, 2)}, "id": 3.5},
    ]


PANDAS: dict[str, Callable[[], pd.DataFrame]] = {
    "plain": plain,
    "no rows": lambda: plain(0),
    "no columns": lambda: pd.DataFrame(index=range(3)),
    "nothing at all": pd.DataFrame,
    "no rows, no dtype": lambda: pd.DataFrame(columns=["a", "b"]),
    "one row": lambda: plain(1),
    "all null": lambda: objects(None, None, None),
    "all NaN": lambda: column([np.nan] * 3),
    "all NaT": lambda: column([pd.NaT] * 3),
    "all NA": lambda: column([pd.NA] * 3, "Int64"),
    "every kind of gap": lambda: objects(
        None, np.nan, pd.NaT, pd.NA, np.datetime64("NaT"), D("NaN")
    ),
    "texts beside every gap": lambda: objects("x", None, np.nan, pd.NaT, pd.NA),
    "all equal": lambda: column(["x"] * 5),
    "infinities": lambda: column([np.inf, -np.inf, np.nan, 0.0, -0.0]),
    "numbers of every width": _widths,
    "nullable": _nullable,
    "float16 and longdouble": lambda: pd.DataFrame(
        {"h": np.array([1.5, np.nan], np.float16), "l": np.array([1, 0.1], np.longdouble)}
    ),
    "complex": lambda: column([1 + 2j, complex("nan"), 0j]),
    "categories": lambda: column(pd.Categorical(["b", None, "a", "b"])),
    "ordered categories": lambda: column(
        pd.Categorical(["low", None, "high"], ["low", "mid", "high"], ordered=True)
    ),
    "categories of numbers": lambda: column(pd.Categorical([3, None, 1])),
    "categories of moments": lambda: column(pd.Categorical(pd.to_datetime(["2024-01-01", None]))),
    "categories of intervals": lambda: column(pd.cut([1, 5, np.nan], [0, 2, 6])),
    "mixed categories": lambda: column(pd.Categorical([1, "a", None, 2.5], [1, "a", 2.5])),
    "categories without any": lambda: column(pd.Categorical([None, None])),
    "categories with halves of characters": lambda: column(
        pd.Categorical(pd.Series(["\ud800", "a", None], dtype=object))
    ),
    "string of Python": lambda: column(["x", None, "é"], "string[python]"),
    "string of pyarrow": lambda: column(["x", None, "é"], "string[pyarrow]"),
    "backed by Arrow": _arrow_backed,
    "sparse": _sparse,
    "periods": lambda: column(pd.PeriodIndex(["2024-01", "NaT", "2023-12"], freq="M")),
    "intervals": lambda: column(pd.arrays.IntervalArray.from_tuples([(0, 1), (1, 2), None])),
    "spans in ns": lambda: _spans("ns"),
    "spans in s": lambda: _spans("s"),
    "moments in ns": lambda: _moments("ns"),
    "moments in s": lambda: _moments("s"),
    "moments outside of the calendar": lambda: column(
        np.array([9_000_000_000_000, -9_000_000_000_000, 0], "datetime64[s]")
    ),
    "moments at the ends": lambda: column([pd.Timestamp.min, pd.Timestamp.max, pd.NaT]),
    "moments with a zone": lambda: column(
        pd.date_range("2024-10-27", periods=4, freq="h", tz="Europe/Berlin")
    ),
    "moments with an offset": lambda: column(pd.date_range("2024-01-01", periods=2, tz=MINUTE)),
    "moments of mixed zones": _mixed_zones,
    "moments with and without a zone": lambda: objects(
        dt.datetime(2024, 1, 1), dt.datetime(2024, 1, 1, tzinfo=BERLIN)
    ),
    "moments of Python": lambda: objects(dt.datetime(1, 1, 1), dt.datetime(9999, 12, 31), None),
    "moments of Python in a zone": lambda: objects(dt.datetime(2024, 1, 1, tzinfo=BERLIN), None),
    "moments with nanoseconds as objects": lambda: objects(pd.Timestamp(1), None),
    "moments at the end of the calendar, in a zone": lambda: objects(
        dt.datetime(9999, 12, 31, 23, 59, tzinfo=dt.timezone(dt.timedelta(hours=-5)))
    ),
    "dates": lambda: objects(dt.date(2024, 1, 1), None, dt.date(1, 1, 1)),
    "dates and moments": lambda: objects(dt.date(2024, 1, 1), dt.datetime(2024, 1, 1)),
    "times": lambda: objects(dt.time(1, 2, 3, 4), None),
    "times in a zone": lambda: objects(dt.time(1, tzinfo=dt.timezone.utc), None),
    "spans of Python": lambda: objects(dt.timedelta(1), dt.timedelta.max, None),
    "decimals": lambda: objects(D("1.50"), D("2.123"), None),
    "decimals that are no numbers": lambda: objects(D("NaN"), D("sNaN"), D("Infinity"), D("1")),
    "decimals far apart": lambda: objects(D("1e30"), D("1e-30"), None),
    "decimals of 100 digits": lambda: objects(D("9" * 100), D("0.1")),
    "integers beyond 64 bit": lambda: objects(1 << 70, -5, None),
    "integers up to 64 bit without a sign": lambda: objects((1 << 64) - 1, 0, None),
    "integers beyond 128 bit": lambda: objects(1 << 200, 1),
    "integers of 5,000 digits": lambda: objects(10**5000, 1, [10**5000]),
    "integers as objects": lambda: objects(1, 2, None),
    "truths as objects": lambda: objects(True, False, None),
    "floats as objects": lambda: objects(1.5, np.nan, None),
    "integers and floats": lambda: objects(1, 2.5, None),
    "large integers and floats": lambda: objects((1 << 53) + 1, 2.5),
    "truths and numbers": lambda: objects(True, 1, 0, False),
    "scalars of numpy": lambda: objects(np.int8(1), np.float32(2.5), np.bool_(True), np.str_("x")),
    "integers of numpy": lambda: objects(np.int8(1), np.uint64((1 << 64) - 1), None),
    "texts of a class of their own": lambda: objects(Text("x"), "y", None),
    "mixed": lambda: objects(1, "1", 1.0, True, None, dt.date(2024, 1, 1), b"1", [1], D("1")),
    "numbers and texts": lambda: objects(1, "2", "three", np.nan),
    "dicts": lambda: objects({"k": 1}, {"k": {"l": [1, None]}, 3: "x"}, None, {}),
    "lists": lambda: objects([1, 2], [], None, ["a", None, 1.5]),
    "sets": lambda: objects({"b", "a"}, frozenset({1, "x"}), set(), None),
    "tuples": lambda: objects((1, 2), (), None),
    "bytes": lambda: objects(b"\x00\xff", b"", None),
    "bytes of all kinds": lambda: objects(b"x", bytearray(b"y"), memoryview(b"z")),
    "arrays": lambda: objects(np.array([1, 2]), np.array([[1.5]]), np.array([]), None),
    "frames in cells": lambda: objects(plain(), plain()["w"], None),
    "a list that holds itself": _cyclic,
    "a list 5,000 deep": _deep,
    "values that have no text": lambda: objects(Broken(), 1, None),
    "values that have no class": lambda: objects(Shy(), 1, None),
    "values whose text holds an address": lambda: objects(Bare(), Bare, print, lambda: 1),
    "uuids, paths and enums": lambda: objects(
        uuid.UUID(int=5), pathlib.PurePosixPath("/a"), Color.RED
    ),
    "halves of characters": lambda: objects("a\ud800", "\udfff", "é", None),
    "NUL and controls": lambda: objects("a\0b", "\x1b[31m", "\r\n", "\u202e", ""),
    "cells of 10 MB": lambda: objects("x" * 10_000_000, "y", None),
    "bytes of 10 MB": lambda: objects(b"x" * 10_000_000, b"y", None),
    "code": lambda: objects("__import__('os').system('true')", "=1+1", "{{7*7}}", "${x}"),
    "names that are numbers": lambda: named(0, 1, -1, 2.5),
    "names twice": _duplicate_columns,
    "names twice that meet others": _duplicates_that_meet,
    "5,000 names alike": lambda: named(*["a"] * 5000),
    "names of all types": lambda: named(
        None, np.nan, True, 1, "1", pd.NaT, pd.NA, (1, "a"), b"x", dt.date(2024, 1, 1)
    ),
    "empty names": lambda: named("", " ", "", "\t"),
    "names in other letters": lambda: named("größe", "价格", "🎈", "e\u0301", "é", "\u202e"),
    "names with halves of characters": lambda: named("\ud800", "\udfff"),
    "a name of 1,000 characters": lambda: named("x" * 1000, "x" * 1000 + "y"),
    "names with NUL": lambda: named("a\0b", "\0row", "\0", "\u2400row"),
    "names of the host": lambda: named(
        "data", "model_dump", "text", "index", "values", "value", "cells", "literal"
    ),
    "names like expressions": lambda: named("^a.*$", "*", "a", "ab"),
    "columns of several levels": _multi_columns,
    "columns of categories": _categorical_columns,
    "columns of dates": _dated_columns,
    "5,000 columns": _many_columns,
    "rows of several levels": _multi_rows,
    "a named index": lambda: plain().rename_axis(index="key", columns="head"),
    "an index of dates": lambda: plain().set_index(
        pd.date_range("2024-01-01", periods=3, freq="D")
    ),
    "an index with gaps and twice the same": _gaps_in_index,
    "an index that counts down": lambda: plain().set_index(pd.RangeIndex(10, 4, -2)),
    "a frame with attributes": _attributes,
    "a frame of a class of its own": _subclass,
    "a slice": lambda: plain(10).iloc[::3],
    "one million rows of nothing": lambda: objects(*[None] * 1_000_000),
}
ARROW: dict[str, Callable[[], Any]] = {
    "arrow: map": lambda: arrow([[("k", 1)], None], pa.map_(pa.string(), pa.int64())),
    "arrow: map, keys twice": lambda: arrow(
        [[("k", 1), ("k", 2)]], pa.map_(pa.string(), pa.int64())
    ),
    "arrow: decimal256": lambda: arrow([D(10) ** 60, None], pa.decimal256(76, 2)),
    "arrow: decimal256 that fits": lambda: arrow([D("1.5"), None], pa.decimal256(50, 2)),
    "arrow: decimal with a negative scale": lambda: arrow([D("1200"), None], pa.decimal128(5, -2)),
    "arrow: large string": lambda: arrow(["x", None], pa.large_string()),
    "arrow: string view": lambda: arrow(["x", None, "y" * 50], pa.string_view()),
    "arrow: binary view": lambda: arrow([b"\xff", None], pa.binary_view()),
    "arrow: fixed binary": lambda: arrow([b"ab", None], pa.binary(2)),
    "arrow: list view": lambda: arrow([[1, 2], None], pa.list_view(pa.int64())),
    "arrow: large list": lambda: arrow([[1, 2], None], pa.large_list(pa.int64())),
    "arrow: fixed list": lambda: arrow([[1, 2], None], pa.list_(pa.int64(), 2)),
    "arrow: list of maps": lambda: arrow(
        [[[("k", 1)]], None], pa.list_(pa.map_(pa.string(), pa.int8()))
    ),
    "arrow: dictionary": lambda: _dictionary(pa.array(["x", "y"])),
    "arrow: ordered dictionary": lambda: _dictionary(pa.array(["x", "y"]), ordered=True),
    "arrow: dictionary of numbers": lambda: _dictionary(pa.array([7, 8])),
    "arrow: dictionary with null": lambda: _dictionary(pa.array(["x", None])),
    "arrow: dictionary of lists": lambda: _dictionary(pa.array([[1], [2]])),
    "arrow: sparse union": lambda: _union(dense=False),
    "arrow: dense union": lambda: _union(dense=True),
    "arrow: run ends": _ree,
    "arrow: intervals": lambda: arrow(
        [pa.MonthDayNano([1, 2, 3]), None], pa.month_day_nano_interval()
    ),
    "arrow: half floats": lambda: arrow([1.5, None, float("nan")], pa.float16()),
    "arrow: NaN and null": lambda: arrow([1.5, None, float("nan")], pa.float64()),
    "arrow: null": lambda: pa.table({"a": pa.nulls(2)}),
    "arrow: seconds": lambda: arrow([1, None], pa.timestamp("s")),
    "arrow: seconds outside of the calendar": lambda: arrow([1 << 62, None], pa.timestamp("s")),
    "arrow: moments outside of the calendar": lambda: arrow([1 << 62, None], pa.timestamp("ms")),
    "arrow: nanoseconds": lambda: arrow([1, None], pa.timestamp("ns", "Europe/Berlin")),
    "arrow: an offset": lambda: arrow([1, None], pa.timestamp("us", "+05:30")),
    "arrow: an unknown zone": lambda: arrow([1, None], pa.timestamp("us", "Nowhere/Land")),
    "arrow: times and dates": lambda: pa.table(
        {"t": pa.array([1], pa.time32("s")), "d": pa.array([86_400_000], pa.date64())}
    ),
    "arrow: spans in s": lambda: arrow([1, None], pa.duration("s")),
    "arrow: long spans": lambda: arrow([1 << 62, None], pa.duration("s")),
    "arrow: uuid": lambda: arrow([b"0" * 16, None], pa.uuid()),
    "arrow: json": lambda: arrow(['{"k": 1}', None], pa.json_()),
    "arrow: opaque": lambda: pa.table(
        {"a": pa.ExtensionArray.from_storage(pa.opaque(pa.int64(), "x", "y"), pa.array([1, None]))}
    ),
    "arrow: struct": lambda: arrow([{"k": 1}, None], pa.struct({"k": pa.int64()})),
    "arrow: struct without fields": lambda: arrow([{}, None], pa.struct([])),
    "arrow: struct with names twice": lambda: pa.table(
        {"a": pa.StructArray.from_arrays([pa.array([1]), pa.array([2])], names=["k", "k"])}
    ),
    "arrow: names twice": lambda: pa.Table.from_arrays(
        [pa.array([1]), pa.array(["x"])], names=["a", "a"]
    ),
    "arrow: no rows": lambda: arrow([], pa.string()),
    "arrow: no columns": lambda: pa.table({"a": [1, 2]}).select([]),
    "arrow: in chunks": _chunked,
    "arrow: a batch": lambda: pa.record_batch({"a": ["x", None], "b": [1, 2]}),
    "arrow: texts that are not UTF-8": _bad_utf8,
    "arrow: metadata": _metadata,
}
POLARS: dict[str, Callable[[], Any]] = {
    "polars: every type": _polars_types,
    "polars: objects": lambda: pl.DataFrame({"a": pl.Series([{1}, None, "x"], dtype=pl.Object)}),
    "polars: lazy": lambda: pl.LazyFrame({"a": [1, None], "b": ["x", "y"]}),
    "polars: no rows": lambda: pl.DataFrame(schema={"a": pl.String, "b": pl.List(pl.Int8)}),
    "polars: no columns": lambda: pl.DataFrame(height=3),
    "polars: nothing at all": pl.DataFrame,
    "polars: names with NUL": lambda: pl.DataFrame({"a\0b": [1], "\0row": [2], "": [3]}),
    "polars: an extension": lambda: pl.DataFrame(ARROW["arrow: opaque"]()),
    "polars: structs without fields": lambda: pl.DataFrame(
        {"a": pl.Series([{}, None], dtype=pl.Struct([]))}
    ),
}
ROWS: dict[str, Callable[[], Any]] = {
    "rows: none": list,
    "rows: dicts": _data_like_rows,
    "rows: one dict": lambda: {"a": 1, "b": None},
    "rows: empty dicts": lambda: [{}, {}],
    "rows: keys of all types": lambda: [{1: "a", None: "b", (1, 2): "c", "": "d"}, {True: 5}],
    "rows: unusual values": lambda: [{"a": float("nan"), "b": b"x"}, {"a": float("inf"), "b": {1}}],
    "rows: names with NUL": lambda: [{"a\0b": 1, "\0row": 2, "\ud800": 3}],
}
FRAMES: dict[str, Callable[[], Any]] = {**PANDAS, **ARROW, **POLARS, **ROWS}
"""All of them, pandas, Arrow and polars frames and rows."""
