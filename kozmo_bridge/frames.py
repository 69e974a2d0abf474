"""pandas frames as columns of native values, and native values as typed pandas columns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from kozmo_bridge.values import duration, native_list, trim_fraction, unique_names
from kozmo_singer.systems.kozmoai.forms import Decimals, floats

if TYPE_CHECKING:
    import pandas as pd

INT64 = range(-(1 << 63), 1 << 63)


def frame_columns(
    frame: pd.DataFrame, *, index: bool | None = None, decimals: Decimals = "exact"
) -> tuple[list[str], list[list[Any]]]:
    """Return the names and the columns of *frame* as lists of native values.

    The index comes first where it has a name; *index* True or False decides otherwise.
    A name that occurs again gets a number: `a`, `a_2`.
    """
    keep = any(name is not None for name in frame.index.names) if index is None else index
    names: list[Any] = list(frame.columns)
    columns = [series_list(frame.iloc[:, i], decimals) for i in range(len(names))]
    if keep:
        levels = [frame.index.get_level_values(i) for i in range(frame.index.nlevels)]
        heads = ["index" if name is None else name for name in frame.index.names]
        names = [*heads, *names]
        columns = [*(series_list(level.to_series(), decimals) for level in levels), *columns]
    return unique_names(names), columns


def series_list(series: pd.Series[Any], decimals: Decimals = "exact") -> list[Any]:
    """Return the values of *series* as native values, column-wise where its dtype allows."""
    dtype: Any = series.dtype
    name = type(dtype).__name__
    if name == "CategoricalDtype":
        return _categories(series, decimals)
    if name == "DatetimeTZDtype":
        naive = series.dt.tz_convert("UTC").dt.tz_localize(None)
        return [None if text is None else text + "+00:00" for text in _moments(naive)]
    kind = "O" if hasattr(dtype, "construct_array_type") else str(dtype.kind)
    if kind in "iub":
        return list(series.tolist())
    if kind == "f" and dtype.itemsize <= 8:
        return list(floats(series.tolist()))
    if kind == "M":
        return _moments(series)
    if kind == "m":
        return [None if gap else duration(v) for v, gap in zip(series, series.isna(), strict=True)]
    return _objects(series, decimals)


def typed_series(values: Sequence[Any]) -> pd.Series[Any]:
    """Return native *values* as a column that keeps them exactly; None is pandas' missing value.

    Whole numbers beside None are Int64, true and false beside None boolean, numbers Float64;
    integers beyond 64 bit, text and nested or mixed values are objects.
    """
    import pandas as pd

    kinds = set(map(type, values))
    gaps = type(None) in kinds
    kinds.discard(type(None))
    if kinds == {bool}:
        return pd.Series(values, dtype="boolean" if gaps else "bool")
    if kinds == {int} and _fits(values):
        return pd.Series(values, dtype="Int64" if gaps else "int64")
    if kinds == {float} or (kinds == {int, float} and _exact_floats(values)):
        return pd.Series(values, dtype="Float64" if gaps else "float64")
    return pd.Series(values, dtype="object")


def typed_frame(names: Sequence[str], columns: Sequence[Sequence[Any]], rows: int) -> pd.DataFrame:
    """Return a frame of native columns, typed by typed_series; names may repeat."""
    import pandas as pd

    frame = pd.DataFrame(
        {i: typed_series(column) for i, column in enumerate(columns)}, index=range(rows)
    )
    frame.columns = list(names)
    return frame


def _categories(series: pd.Series[Any], decimals: Decimals) -> list[Any]:
    import pandas as pd

    values = series.array
    assert isinstance(values, pd.Categorical)
    words = [*series_list(values.categories.to_series(), decimals), None]
    return [words[code] for code in values.codes]


def _moments(series: pd.Series[Any]) -> list[Any]:
    """Moments without a zone, with as many digits as datetime.isoformat() gives them."""
    import numpy as np

    values = series.to_numpy()
    missing = np.isnat(values)
    unit = "s"
    for unit in ("s", "us", "ns"):
        coarse = values.astype(f"datetime64[{unit}]")
        if ((coarse == values) | missing).all():
            break
    texts: list[Any] = np.datetime_as_string(coarse).tolist()
    if unit != "s":
        texts = [trim_fraction(text) for text in texts]
    if not missing.any():
        return texts
    return [None if gap else text for text, gap in zip(texts, missing, strict=True)]


def _objects(series: pd.Series[Any], decimals: Decimals) -> list[Any]:
    """Object columns and pandas' own arrays: strings, masked numbers, Arrow, sparse, periods."""
    missing = series.isna()
    values = list(series.tolist())
    if missing.any():
        # An array or a list in a cell is never missing: isna() looks at the cell as a whole.
        values = [None if gap else v for v, gap in zip(values, missing, strict=True)]
    return native_list(values, decimals)


def _fits(values: Sequence[Any]) -> bool:
    present = [value for value in values if value is not None]
    return min(present) in INT64 and max(present) in INT64


def _exact_floats(values: Sequence[Any]) -> bool:
    return all(abs(value) <= 1 << 53 for value in values if type(value) is int)
