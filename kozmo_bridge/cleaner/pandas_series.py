"""polars columns as pandas columns: in pandas' own choice of dtype, or in a given one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from kozmo_bridge.cleaner.changes import python_values

if TYPE_CHECKING:
    import pandas as pd


def natural(series: pl.Series) -> pd.Series[Any]:
    """Return *series* in the dtype that this house gives its values, numbered from 0.

    Whole numbers int64 or, beside gaps, Int64 (of their width); booleans bool or boolean; floats
    float64 with NaN for null; text the text of this pandas, object before 3; moments datetime64
    in their unit and zone; spans timedelta64; categories category. Python's date, time, Decimal,
    bytes, lists and dicts are objects: a datetime64 would give a date a time that it never had.
    """
    import pandas as pd

    dtype = series.dtype
    if dtype.is_integer() and dtype not in (pl.Int128, pl.UInt128):
        return pd.Series(_masked(series, pd.arrays.IntegerArray, 0))
    if dtype == pl.Boolean:
        return pd.Series(_masked(series, pd.arrays.BooleanArray, False))
    if dtype.is_float():
        return pd.Series(series.to_numpy(writable=True))
    if dtype == pl.String:
        return pd.Series(series.to_list(), dtype=pd.Series([""]).dtype)
    if isinstance(dtype, pl.Datetime):
        return _moments(series, dtype)
    if isinstance(dtype, pl.Duration):
        return pd.Series(series.to_numpy(writable=True))
    if isinstance(dtype, pl.Categorical | pl.Enum):
        return _categories(series, dtype)
    return pd.Series(python_values(series), dtype=object)


def like(made: pd.Series[Any], dtype: Any, series: pl.Series) -> pd.Series[Any]:
    """Return *made*, which is *series*, in *dtype* if that holds every value, else as it is."""
    import pandas as pd

    if dtype in (made.dtype, np.dtype(object)):
        return made
    if isinstance(dtype, pd.CategoricalDtype):
        return _recategorised(made, dtype)
    try:
        if isinstance(dtype, pd.ArrowDtype):
            array = series.to_arrow().cast(dtype.pyarrow_dtype)
            return pd.Series(pd.arrays.ArrowExtensionArray(array))
        fitted = made.astype(dtype)
    except (ValueError, TypeError, NotImplementedError, OverflowError):
        # What pandas and pyarrow raise of values that a dtype does not hold.
        return made
    if fitted.dtype.kind in "mM" and not (fitted.dropna() == made.dropna()).all():
        return made
    return fitted


def _masked(series: pl.Series, array: Any, filler: Any) -> Any:
    if not series.null_count():
        return series.to_numpy(writable=True)
    mask = series.is_null().to_numpy(writable=True)
    return array(series.fill_null(filler).to_numpy(writable=True), mask)


def _moments(series: pl.Series, dtype: pl.Datetime) -> pd.Series[Any]:
    import pandas as pd

    if dtype.time_zone is None:
        return pd.Series(series.to_numpy(writable=True))
    utc = series.dt.convert_time_zone("UTC").dt.replace_time_zone(None)
    moments = pd.Series(utc.to_numpy(writable=True)).dt.tz_localize("UTC")
    try:
        return moments.dt.tz_convert(dtype.time_zone)
    except (KeyError, ValueError):  # a zone that this pandas does not know: pytz, zoneinfo
        return moments


def _categories(series: pl.Series, dtype: Any) -> pd.Series[Any]:
    import pandas as pd

    if isinstance(dtype, pl.Enum):
        categories = dtype.categories
        codes = series.to_physical().cast(pl.Int64).fill_null(-1).to_numpy()
    else:
        # In the order of the words, not of their numbers, which differ from run to run.
        words = series.cast(pl.String)
        categories = words.unique().drop_nulls().sort()
        codes = words.cast(pl.Enum(categories)).to_physical().cast(pl.Int64).fill_null(-1)
    made = pd.Categorical.from_codes(
        np.asarray(codes), categories.to_list(), ordered=isinstance(dtype, pl.Enum)
    )
    return pd.Series(made)


def _recategorised(made: pd.Series[Any], dtype: Any) -> pd.Series[Any]:
    """Categories of the original stay, new ones follow; the order is kept if there are none."""
    import pandas as pd

    values = made.astype(object).where(made.notna(), None)
    new = sorted(set(values.dropna()) - set(dtype.categories))
    categories = dtype.categories
    if new:
        categories = categories.append(pd.Index(new, dtype=None))
    ordered = bool(dtype.ordered) and not new
    return pd.Series(pd.Categorical(values, categories=categories, ordered=ordered))
