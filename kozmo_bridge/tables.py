"""Rows as pandas frames and Arrow tables with typed columns.

A column of which some value has no place in its type (a date in year 10000 or BC, `infinity`, an
integer beyond 64 bit) comes as text or Python objects as a whole: nothing is cut or guessed.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import msgspec

from kozmo_bridge.values import building, iso_duration, trim_fraction
from kozmo_singer.errors import MissingDriver
from kozmo_singer.wire.arrow import Values, arrow_array, parse_date, parse_time, pyarrow

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

    from kozmo_singer.wire.types import Column, LogicalType


def pandas_frame(columns: Sequence[Column], rows: Sequence[tuple[Any, ...]]) -> pd.DataFrame:
    """Return *rows* as a frame.

    integer int64 or, beside gaps, Int64; boolean bool or boolean; float float64; timestamp
    datetime64, timestamptz datetime64 in UTC; decimal Decimal, date and time Python's, binary
    bytes, json Python objects, all else text. Moments are read by pyarrow where it is installed.
    """
    with building():
        made = (series(column.type, values) for column, values in _turned(columns, rows))
        return framed([column.name for column in columns], made, len(rows))


def framed(names: Sequence[str], columns: Iterable[Any], rows: int) -> pd.DataFrame:
    """Return a frame of *columns*, as `series` and `arrow_series` make them; names may repeat."""
    try:
        import pandas as pd
    except ModuleNotFoundError as error:
        raise MissingDriver("to_pandas()", "pandas", "pandas") from error
    frame = pd.DataFrame(dict(enumerate(columns)), index=range(rows))
    frame.columns = list(names)
    return frame


def series(type: LogicalType, values: Values) -> Any:
    """Return *values*, in the forms of Rows.tuples(), as a column of a frame."""
    return _SERIES.get(type.name, _text_series)(values)


def arrow_series(type: LogicalType, values: pa.ChunkedArray) -> Any:
    """Return *values*, which have the Arrow type of *type*, as the column that `series` makes.

    None where it has to be made from Python objects.
    """
    return _ARROW_SERIES.get(type.name, _arrow_texts)(values)


def arrow_table(columns: Sequence[Column], rows: Sequence[tuple[Any, ...]]) -> pa.Table:
    """Return *rows* as an Arrow table with the types of kozmo_singer.wire.arrow.

    Half of a character, which Arrow's text cannot hold, becomes U+FFFD.
    """
    pa = pyarrow("to_arrow()")
    with building():
        arrays = [_array(column.type, values) for column, values in _turned(columns, rows)]
    return pa.table(arrays, names=[column.name for column in columns])


def _array(type: LogicalType, values: Values) -> pa.Array:
    try:
        return arrow_array(type, values)
    except UnicodeEncodeError:
        from kozmo_singer.systems.kozmoai.forms import texts

        return arrow_array(type, texts(values))


def as_arrow(table: Any) -> pa.Table:
    """Return what gives Arrow streams (polars, DuckDB, pyarrow itself) as a pyarrow table."""
    pa = pyarrow("reading an Arrow stream")
    return table if isinstance(table, pa.Table) else pa.table(table)


def arrow_list(column: Any) -> list[Any]:
    """Values of an Arrow column; moments in nanoseconds, which Python lacks, as text."""
    kind = str(column.type)
    if kind.startswith("timestamp[ns"):
        import pyarrow as pa

        zone = column.type.tz
        plain = column.cast(pa.timestamp("ns", "UTC" if zone else None))
        values = plain.cast(pa.int64()).to_pylist()
        return [None if v is None else _nanosecond_text(v, bool(zone)) for v in values]
    if kind == "duration[ns]":
        values = column.cast("int64").to_pylist()
        return [None if v is None else iso_duration(v) for v in values]
    return list(column.to_pylist())


def _turned(
    columns: Sequence[Column], rows: Sequence[tuple[Any, ...]]
) -> list[tuple[Column, Values]]:
    turned: Sequence[Values] = list(zip(*rows, strict=True)) or [()] * len(columns)
    return list(zip(columns, turned, strict=True))


def _objects(values: Values) -> pd.Series[Any]:
    import pandas as pd

    return pd.Series(list(values), dtype="object")


def _text_series(values: Values) -> Any:
    """Text in the dtype that this pandas has for it: str from 3 on, object before."""
    import pandas as pd

    first = next((value for value in values if value is not None), None)
    dtype = pd.Series([first]).dtype
    if not isinstance(dtype, pd.StringDtype):
        return _objects(values)
    try:
        import pyarrow as pa

        return dtype.__from_arrow__(pa.array(values, pa.large_string()))
    except (ModuleNotFoundError, UnicodeEncodeError):
        return pd.Series(values)


def _integer_series(values: Values) -> Any:
    import numpy as np
    import pandas as pd

    whole = [0 if value is None else value for value in values] if None in values else values
    try:
        numbers = np.fromiter(whole, np.int64, len(values))
    except OverflowError:
        return _objects(values)
    return numbers if whole is values else pd.arrays.IntegerArray(numbers, _gaps(values))


def _boolean_series(values: Values) -> Any:
    import numpy as np
    import pandas as pd

    truths = np.fromiter(values, np.bool_, len(values))
    return pd.arrays.BooleanArray(truths, _gaps(values)) if None in values else truths


def _gaps(values: Values) -> Any:
    """Return where *values* are None, as numpy's booleans."""
    import numpy as np

    return np.fromiter(values, np.object_, len(values)) == None  # noqa: E711  # by element


def _float_series(values: Values) -> Any:
    import numpy as np

    return np.array(values, np.float64)


def _moment_series(utc: bool) -> Callable[[Values], Any]:
    def made(values: Values) -> Any:
        import pandas as pd

        if (read := _read_moments(values, utc)) is not None:
            return read
        try:
            series = pd.to_datetime(_objects(values), format="ISO8601", utc=utc)
        except ValueError:
            return _text_series(values)
        # Moments with and without a zone in one column give objects; the text is clearer.
        return series if series.dtype.kind == "M" else _text_series(values)

    return made


def _read_moments(values: Values, utc: bool) -> Any:
    """Return moments as pyarrow reads them, or None where it cannot, or is not installed.

    It reads fewer forms than pandas and is several times faster; what both read is the same.
    """
    try:
        import pyarrow as pa
    except ModuleNotFoundError:
        return None
    try:
        return _arrow_moments(
            pa.chunked_array([values], pa.string()).cast(pa.timestamp("us", "UTC" if utc else None))
        )
    except (pa.ArrowInvalid, UnicodeEncodeError):
        return None


def _arrow_moments(values: pa.ChunkedArray) -> Any:
    import pandas as pd
    import pyarrow as pa

    unit = "us" if pd.__version__ >= "3" else "ns"
    zone = values.type.tz
    try:
        # Straight from text to nanoseconds, Arrow would wrap years that those cannot hold.
        read = values.cast(pa.timestamp(unit, zone))
    except pa.ArrowInvalid:
        return None
    if read.null_count == len(read):
        return None
    return pd.DatetimeTZDtype(unit, zone).__from_arrow__(read) if zone else read.to_numpy()


def _arrow_texts(values: pa.ChunkedArray) -> Any:
    import pandas as pd
    import pyarrow as pa

    dtype = pd.Series([""]).dtype
    if values.null_count == len(values) or not isinstance(dtype, pd.StringDtype):
        return _objects(values.to_pylist())
    return dtype.__from_arrow__(values.cast(pa.large_string()))


def _arrow_integers(values: pa.ChunkedArray) -> Any:
    import pandas as pd

    whole = values.cast("int64")
    if not whole.null_count:
        return whole.to_numpy()
    return pd.arrays.IntegerArray(whole.fill_null(0).to_numpy(), whole.is_null().to_numpy())


def _arrow_booleans(values: pa.ChunkedArray) -> Any:
    import pandas as pd

    if not values.null_count:
        return values.to_numpy()
    return pd.arrays.BooleanArray(values.fill_null(False).to_numpy(), values.is_null().to_numpy())


def _arrow_objects(values: pa.ChunkedArray) -> Any:
    return values.to_pandas(date_as_object=True)


def _arrow_documents(values: pa.ChunkedArray) -> Any:
    return _parsed_series(_document)(values.to_pylist())


def _document(text: str) -> Any:
    try:
        return _DOCUMENT.decode(text)
    except (msgspec.MsgspecError, UnicodeEncodeError):
        # NaN, 1e400 and halves of characters; what both read is the same, at a quarter of the time.
        return json.loads(text)


def _parsed_series(parse: Callable[[str], Any]) -> Callable[[Values], pd.Series[Any]]:
    def made(values: Values) -> pd.Series[Any]:
        try:
            return _objects([None if value is None else parse(value) for value in values])
        except ValueError:
            return _text_series(values)

    return made


_DOCUMENT: msgspec.json.Decoder[Any] = msgspec.json.Decoder()
_SERIES: dict[str, Callable[[Values], Any]] = {
    "integer": _integer_series,
    "boolean": _boolean_series,
    "float": _float_series,
    "timestamp": _moment_series(utc=False),
    "timestamptz": _moment_series(utc=True),
    "date": _parsed_series(parse_date),
    "time": _parsed_series(parse_time),
    "decimal": _objects,
    "binary": _objects,
    "json": _parsed_series(_document),
}
_ARROW_SERIES: dict[str, Callable[[pa.ChunkedArray], Any]] = {
    "integer": _arrow_integers,
    "boolean": _arrow_booleans,
    "float": lambda values: values.to_numpy(),
    "timestamp": _arrow_moments,
    "timestamptz": _arrow_moments,
    "date": _arrow_objects,
    "time": _arrow_objects,
    "decimal": _arrow_objects,
    "binary": _arrow_objects,
    "json": _arrow_documents,
}


def _nanosecond_text(value: int, zoned: bool) -> str:
    seconds, fraction = divmod(value, 1_000_000_000)
    whole = (datetime(1970, 1, 1) + timedelta(seconds=seconds)).isoformat()
    return trim_fraction(f"{whole}.{fraction:09d}") + ("+00:00" if zoned else "")
