"""pandas frames, KozmoAI's among them: any dtype in, and the same dtype, index and objects out."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from kozmo_bridge._host import BREAKING_NAMES, HOSTS
from kozmo_bridge.cleaner.cells import FAULTS, Taken, in_zone, of_objects, said, texts
from kozmo_bridge.cleaner.changes import Column, Rows, merged
from kozmo_bridge.cleaner.pandas_series import like, natural

if TYPE_CHECKING:
    import pandas as pd

YEARS = {
    unit: (np.datetime64("0001-01-01", unit), np.datetime64("9999-12-31T23:59:59", unit))
    for unit in ("s", "ms", "us")
}
"""What calendars hold; moments outside, which coarse units allow, are text."""


class PandasHome:
    """A pandas DataFrame or one of a subclass."""

    def __init__(self, given: Any) -> None:
        import pandas as pd

        self.given = given
        # The methods of a subclass may do as they like; plain frames keep to pandas' word.
        self.frame = pd.DataFrame(given)
        self.names: tuple[Any, ...] = tuple(given.columns)
        self.rows = len(given)
        self.taken: list[Taken] = []

    def take(self) -> list[Taken]:
        """Return the columns; see Home."""
        self.taken = [taken(self.frame.iloc[:, place]) for place in range(len(self.names))]
        return self.taken

    def back(self, columns: Sequence[Column], rows: Rows) -> Any:
        """Return a frame of the given class, its index with the rows; see Home.

        New rows get the numbers that follow where the index is a plain range, else no label; a
        result without any old row is numbered.
        """
        import pandas as pd

        places = [column.place for column in columns]
        same = all(column.same and not column.renamed for column in columns)
        if same and rows.same and places == [*range(len(self.names))]:
            return self.given.copy()
        made = {i: self._series(column, rows) for i, column in enumerate(columns)}
        frame = pd.DataFrame(made, index=pd.RangeIndex(rows.count))
        frame.index = self._index(rows)
        frame.columns = self._names(columns)
        return self._finished(frame)

    def _series(self, column: Column, rows: Rows) -> pd.Series[Any]:
        """Return a column: the original's own, its objects with changes, or a new one."""
        import pandas as pd

        if column.place is None:
            return natural(column.series)
        base = self.frame.iloc[:, column.place]
        if column.same:
            return (base if rows.taken is None else base.iloc[rows.taken]).reset_index(drop=True)
        if column.retyped:
            return natural(column.series)
        if self.taken[column.place].kept or self.taken[column.place].opaque:
            return pd.Series(merged(objects_of(base), column, rows), dtype=object)
        return like(natural(column.series), base.dtype, column.series)

    def _index(self, rows: Rows) -> Any:
        import pandas as pd

        index = self.frame.index
        if rows.taken is None:
            return index
        if not rows.new:
            return index.take(rows.taken)
        if all(row < 0 for row in rows.places):
            return pd.RangeIndex(rows.count)
        if isinstance(index, pd.RangeIndex):
            fresh = itertools.count(index.stop, index.step)
            labels = [index[row] if row >= 0 else next(fresh) for row in rows.places]
            return pd.Index(labels, name=index.name)
        if isinstance(index, pd.MultiIndex):
            tuples = [index[r] if r >= 0 else (None,) * index.nlevels for r in rows.places]
            return pd.MultiIndex.from_tuples(tuples, names=index.names)
        labels = [index[row] if row >= 0 else None for row in rows.places]
        return _index_of(labels, index, infer=not pd.api.types.is_integer_dtype(index.dtype))

    def _names(self, columns: Sequence[Column]) -> Any:
        """Return the names: those of the original as they were, new ones in their form."""
        import pandas as pd

        index = self.frame.columns
        places = [None if column.renamed else column.place for column in columns]
        if None not in places:
            return index if places == [*range(len(index))] else index.take(places)
        names = [
            self._safe(column.label) if place is None else index[place]
            for column, place in zip(columns, places, strict=True)
        ]
        if isinstance(index, pd.MultiIndex):
            rest = ("",) * (index.nlevels - 1)
            tuples = [(n, *rest) if p is None else n for n, p in zip(names, places, strict=True)]
            return pd.MultiIndex.from_tuples(tuples, names=index.names)
        return _index_of(names, index, infer=all(isinstance(name, str) for name in names))

    def _safe(self, label: str) -> str:
        """Return a new name, not one that breaks KozmoAI's frames; see docs/data-objects.md."""
        host = type(self.given).__module__.partition(".")[0] in HOSTS
        return f"{label}_" if host and label in BREAKING_NAMES else label

    def _finished(self, frame: Any) -> Any:
        import pandas as pd

        if type(self.given) is not pd.DataFrame:
            frame = type(self.given)(frame)
        try:
            return frame.__finalize__(self.given)
        except pd.errors.DuplicateLabelError:
            # The frame forbids labels that come twice, and rows were doubled on purpose.
            return frame.__finalize__(self.given.set_flags(allows_duplicate_labels=True))


def _index_of(labels: list[Any], like: Any, infer: bool) -> Any:
    """Return *labels* as an index: of objects, unless pandas may *infer* another dtype.

    Inferred, whole numbers beside a gap would become floats.
    """
    import pandas as pd

    if infer and like.dtype != np.dtype(object):
        return pd.Index(labels, name=like.name, tupleize_cols=False)
    return pd.Index(labels, name=like.name, tupleize_cols=False, dtype=object)


def taken(series: pd.Series[Any]) -> Taken:
    """Return a column with a polars type; as text, with the fault, where that fails."""
    try:
        found = _typed(series)
        if found is not None:
            return found
        return _objects(series)
    except FAULTS as error:  # a fault in a column stays in that column
        return Taken(_last_texts(series), True, True, said(error))


def objects_of(series: pd.Series[Any]) -> Any:
    """Return the values as Python objects in a numpy array."""
    import pandas as pd

    if not isinstance(series.dtype, pd.CategoricalDtype):
        return series.to_numpy(dtype=object)
    # pandas makes floats of the integers in intervals here, if there is a gap.
    categories: Any = series.cat.categories
    words = np.full(len(categories) + 1, np.nan, dtype=object)
    words[:-1] = list(categories)
    return words[np.asarray(series.cat.codes)]


def _last_texts(series: pd.Series[Any]) -> pl.Series:
    try:
        return texts(list(series))
    except FAULTS:  # not even its values can be had: it is there, and empty
        return pl.Series([None] * len(series), dtype=pl.String)


def _objects(series: pd.Series[Any]) -> Taken:
    found = of_objects(objects_of(series))
    if series.dtype == object:
        return found
    return Taken(found.series, opaque=True, kept=True, fault=found.fault)


def _typed(series: pd.Series[Any]) -> Taken | None:
    """Return a column whose dtype says what it is; None where its values have to."""
    import pandas as pd

    dtype: Any = series.dtype
    if isinstance(dtype, np.dtype):
        return _of_numpy(series.to_numpy()) if dtype.kind != "O" else None
    if isinstance(dtype, pd.CategoricalDtype):
        return _of_categories(series, dtype)
    if isinstance(dtype, pd.DatetimeTZDtype):
        naive = _of_numpy(series.dt.tz_convert("UTC").dt.tz_localize(None).to_numpy())
        if naive is None:
            return None
        return Taken(in_zone(naive.series.dt.replace_time_zone("UTC"), str(dtype.tz)))
    if isinstance(dtype, pd.SparseDtype):
        return _of_numpy(np.asarray(series)) if dtype.subtype.kind != "O" else None
    if isinstance(dtype, pd.ArrowDtype):
        import pyarrow as pa

        from kozmo_bridge.cleaner.arrow_tables import taken as taken_arrow

        return taken_arrow(pa.chunked_array([pa.array(series.array)]))
    if isinstance(dtype, pd.StringDtype):
        return _of_strings(series)
    if dtype.kind in "iufb" and hasattr(dtype, "numpy_dtype"):
        import pyarrow as pa

        return Taken(pl.Series(pa.array(series.array)))
    return None


def _of_strings(series: pd.Series[Any]) -> Taken | None:
    import pyarrow as pa

    try:
        array = pa.array(series.array, from_pandas=True)
        return Taken(pl.Series(array.cast(pa.large_string())))
    except (UnicodeEncodeError, pa.ArrowInvalid):
        return None


def _of_numpy(values: Any) -> Taken | None:
    kind = values.dtype.kind
    if kind in "biu":
        return Taken(pl.Series(np.ascontiguousarray(values)))
    if kind == "f" and values.dtype.itemsize <= 8:
        return Taken(pl.Series(np.ascontiguousarray(values), nan_to_null=True))
    if kind in "mM":
        return _of_times(values)
    return None


def _of_times(values: Any) -> Taken | None:
    unit, count = np.datetime_data(values.dtype)
    if count != 1 or unit not in ("s", "ms", "us", "ns"):
        return None
    scale: Any = "ms" if unit == "s" else unit
    there = values[~np.isnat(values)]
    if values.dtype.kind == "M":
        if unit in YEARS and len(there):
            low, high = YEARS[unit]
            if there.min() < low or there.max() > high:
                return None
        dtype: Any = pl.Datetime(scale)
    else:
        if unit == "s" and len(there) and np.abs(there.astype(np.int64)).max() > 1 << 50:
            return None
        dtype = pl.Duration(scale)
    if unit == "s":
        values = values.astype(f"{values.dtype.kind}8[ms]")
    numbers = pl.Series(np.ascontiguousarray(values).view(np.int64))
    if len(there) < len(values):
        numbers = numbers.set(pl.Series(np.isnat(values)), None)
    return Taken(numbers.cast(dtype))


def _of_categories(series: pd.Series[Any], dtype: Any) -> Taken | None:
    """Categories that are texts stay categories, those in an order an Enum; others are values."""
    import pandas as pd

    codes = pl.Series(np.asarray(series.cat.codes, dtype=np.int64))
    codes = codes.set(codes < 0, None)
    values = taken(pd.Series(dtype.categories, dtype=dtype.categories.dtype))
    if values.series.dtype == pl.Null:
        return Taken(pl.Series([None] * len(series), dtype=pl.String), kept=True)
    if values.opaque:
        return Taken(values.series.gather(codes), opaque=True, kept=True)
    if values.series.dtype != pl.String:
        return Taken(values.series.gather(codes))
    if dtype.ordered:
        return Taken(values.series.gather(codes).cast(pl.Enum(values.series)))
    return Taken(values.series.cast(pl.Categorical).gather(codes))
