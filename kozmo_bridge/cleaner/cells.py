"""Python objects, as the cells of a column hold them, as a polars column.

A column of objects is OPAQUE where its polars values only stand for them: period, dict, mixed
types. The objects themselves are kept by the table, which gives them back.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from types import NoneType
from typing import Any

import msgspec
import numpy as np
import polars as pl

from kozmo_bridge.values import native
from kozmo_singer.systems.kozmoai.forms import encodable, mended

INT64, UINT64 = range(-(1 << 63), 1 << 63), range(1 << 64)
INT128 = range(-(1 << 127), 1 << 127)
EXACT = range(-(1 << 53), (1 << 53) + 1)
"""Whole numbers that a float holds exactly."""
FAULTS = (Exception, pl.exceptions.PanicException)
"""What a library may raise of a column that it does not take; a panic is no Exception."""
_ADDRESS = re.compile(" at 0x[0-9A-Fa-f]+")
_COMMON = {str, int, float, NoneType}
_NESTED = (Mapping, list, tuple, set, frozenset)


@dataclass(frozen=True)
class Taken:
    """A column as it was taken in.

    opaque: the values stand for objects that they cannot be made into again. kept: changed
    columns keep the objects of the cells that were not changed. fault: why it is text.
    """

    series: pl.Series
    opaque: bool = False
    kept: bool = False
    fault: str | None = None


def of_objects(values: Sequence[Any]) -> Taken:
    """Return a column of objects with the polars type of its values, or their texts.

    None, NaN, NaT and NA are null. Texts are OPAQUE unless all values are texts.
    """
    if isinstance(values, np.ndarray):
        values = values.tolist()
    kinds = set(map(type, values))
    try:
        if kinds <= _COMMON and (quick := _quick(kinds, values)) is not None:
            return Taken(quick, kept=quick.dtype == pl.String)
        kinds = {kind for kind in kinds if not _is_gap(kind)}
        if any(issubclass(kind, float) for kind in kinds):
            kinds, values = _without_nan(kinds, values)
        if not kinds:
            return Taken(pl.Series([None] * len(values), dtype=pl.Null), kept=True)
        for bases, but, make in _MAKERS:
            if all(issubclass(kind, bases) and not issubclass(kind, but) for kind in kinds):
                made = make(values)
                break
        else:
            made = None
    except FAULTS as error:  # whatever a column holds is no reason to fail: it is said in `faults`
        return Taken(texts(values), True, True, said(error))
    return made or Taken(texts(values), opaque=True, kept=True)


def texts(values: Sequence[Any]) -> pl.Series:
    """Return *values* as texts: JSON for what holds others, str() for the rest; gaps are null."""
    return pl.Series([None if gap(value) else text_of(value) for value in values], dtype=pl.String)


def text_of(value: Any, missing: str = "") -> str:
    """Return *value* as text, the same in every run; never fails.

    Lists, dicts, sets and arrays are JSON. A value without a text of its own is its type's name.
    """
    if type(value) is str:
        return value if encodable(value) else mended(value)
    if gap(value):
        return missing
    try:
        if isinstance(value, _NESTED) or hasattr(value, "__array__") and hasattr(value, "__len__"):
            return _json(value)
        return mended(_ADDRESS.sub("", str(value)))
    except Exception:  # noqa: BLE001  # a value's own __str__ may raise anything
        return _last(value)


def gap(value: Any) -> bool:
    """Whether *value* stands for none: None, NA, NaT or a NaN of any type."""
    kind = type(value)
    if _is_gap(kind):
        return True
    # Not isinstance(), which asks the value itself what it is.
    if issubclass(kind, float | complex | np.number | np.datetime64 | np.timedelta64):
        return bool(value != value)
    return issubclass(kind, Decimal) and bool(value.is_nan())


def _is_gap(kind: type) -> bool:
    return kind is NoneType or (
        kind.__name__ in ("NaTType", "NAType") and kind.__module__.startswith("pandas")
    )


def said(error: BaseException) -> str:
    """Return the type and the first line of an error, as faults tell it."""
    lines = str(error).splitlines()
    return f"{type(error).__name__}: {lines[0][:200] if lines else ''}".rstrip(": ")


def _json(value: Any) -> str:
    try:
        plain = native(value)
        try:
            return msgspec.json.encode(plain).decode()
        except (OverflowError, UnicodeEncodeError):  # integers beyond 64 bit
            return mended(json.dumps(plain, ensure_ascii=False, separators=(",", ":")))
    except (RecursionError, ValueError, TypeError):
        # A list that holds itself, an integer of more than 4,300 digits.
        return mended(_ADDRESS.sub("", str(value)))


def _last(value: Any) -> str:
    if type(value) is int:
        return hex(value)
    return f"<{type(value).__module__}.{type(value).__qualname__}>"


def _quick(kinds: set[type], values: Sequence[Any]) -> pl.Series | None:
    """Return the column without a look at each value in Python, for the common types."""
    if str in kinds and kinds <= {str, float, NoneType}:
        return _quick_strings(values)
    if int in kinds and kinds <= {int, NoneType}:
        try:
            return pl.Series(values, dtype=pl.Int64)
        except (OverflowError, TypeError):
            return None
    if float in kinds and kinds <= {float, NoneType}:
        return pl.Series(values, dtype=pl.Float64).fill_nan(None)
    return None


def _quick_strings(values: Sequence[Any]) -> pl.Series | None:
    try:
        import pyarrow as pa

        # It takes NaN for null, and refuses any other float.
        return pl.Series(pa.array(values, pa.large_string(), from_pandas=True))
    except (ImportError, UnicodeEncodeError, ValueError, TypeError):
        return None


def _without_nan(kinds: set[type], values: Sequence[Any]) -> tuple[set[type], Sequence[Any]]:
    """Floats among other types that are all NaN are gaps, as in texts that pandas read."""
    others = {kind for kind in kinds if not issubclass(kind, float)}
    if not others or all(issubclass(kind, int | np.integer) for kind in others):
        return kinds, values
    if any(issubclass(type(value), float) and value == value for value in values):
        return kinds, values
    return others, [None if issubclass(type(value), float) else value for value in values]


def _present(values: Sequence[Any]) -> list[Any]:
    """Return *values* with whatever stands for none as None."""
    return [None if gap(value) else value for value in values]


def _strings(values: Sequence[Any]) -> Taken | None:
    plain = [value if type(value) is str else _plain_str(value) for value in values]
    try:
        return Taken(pl.Series(plain, dtype=pl.String), kept=True)
    except UnicodeEncodeError:
        return None


def _plain_str(value: Any) -> str | None:
    return str.__str__(value) if isinstance(value, str) else None


def _booleans(values: Sequence[Any]) -> Taken:
    plain = [None if _is_gap(type(value)) else bool(value) for value in values]
    return Taken(pl.Series(plain, dtype=pl.Boolean))


def _integers(values: Sequence[Any]) -> Taken | None:
    plain = [None if _is_gap(type(value)) else int(value) for value in values]
    numbers = [value for value in plain if value is not None]
    low, high = min(numbers), max(numbers)
    for span, dtype in ((INT64, pl.Int64), (UINT64, pl.UInt64), (INT128, pl.Int128)):
        if low in span and high in span:
            # Beyond 64 bit frames of other kinds have no type: there they stay objects.
            return Taken(pl.Series(plain, dtype=dtype), kept=dtype == pl.Int128)
    return None


def _floats(values: Sequence[Any]) -> Taken | None:
    whole = [v for v in values if isinstance(v, int | np.integer)]
    if whole and not (min(whole) in EXACT and max(whole) in EXACT):
        return None
    return Taken(pl.Series([None if gap(v) else float(v) for v in values], dtype=pl.Float64))


def _decimals(values: Sequence[Any]) -> Taken | None:
    import pyarrow as pa

    # polars makes null of digits that do not fit, without a word; pyarrow counts them.
    plain = _present(values)
    if not all(value is None or value.is_finite() for value in plain):
        return None
    try:
        array = pa.array(plain)
    except pa.ArrowInvalid:
        return None
    if not pa.types.is_decimal128(array.type):
        return None
    return Taken(pl.Series(array), kept=True)


def _moments(values: Sequence[Any]) -> Taken | None:
    plain = _present(values)
    moments = [value for value in plain if value is not None]
    if any(getattr(v, "nanosecond", 0) or not 1 <= v.year <= 9999 for v in moments):
        return None
    zones = {value.tzinfo for value in moments}
    if zones == {None}:
        return Taken(pl.Series([_naive(value) for value in plain], dtype=pl.Datetime("us")))
    if None in zones:
        return None
    try:
        moved = [None if v is None else _naive(v.astimezone(timezone.utc)) for v in plain]
    except (OverflowError, ValueError):
        return None
    utc = pl.Series(moved, dtype=pl.Datetime("us")).dt.replace_time_zone("UTC")
    if len({str(zone) for zone in zones}) > 1:
        return Taken(utc, opaque=True, kept=True)
    return Taken(in_zone(utc, str(next(iter(zones)))), kept=True)


def _naive(value: datetime | None) -> datetime | None:
    """Return a moment as it stands on its clock, as a plain datetime."""
    if value is None or (type(value) is datetime and value.tzinfo is None):
        return value
    return datetime(*value.timetuple()[:6], value.microsecond)


def in_zone(utc: pl.Series, zone: str) -> pl.Series:
    """Return moments in the clock of *zone*; as they are where polars does not know it."""
    try:
        return utc.dt.convert_time_zone(zone)
    except pl.exceptions.PolarsError:
        return utc


def _spans(values: Sequence[Any]) -> Taken | None:
    plain = _present(values)
    if any(getattr(value, "nanoseconds", 0) for value in plain):
        return None
    spans = [None if v is None else _microseconds(v) for v in plain]
    if any(span is not None and span not in INT64 for span in spans):
        return None
    return Taken(pl.Series(spans, dtype=pl.Int64).cast(pl.Duration("us")))


def _microseconds(value: timedelta) -> int:
    return (value.days * 86_400 + value.seconds) * 1_000_000 + value.microseconds


def _binaries(values: Sequence[Any]) -> Taken:
    plain = [None if value is None else bytes(value) for value in _present(values)]
    return Taken(pl.Series(plain, dtype=pl.Binary), kept=True)


def _typed(dtype: Any) -> Callable[[Sequence[Any]], Taken | None]:
    def made(values: Sequence[Any]) -> Taken | None:
        return Taken(pl.Series(_present(values), dtype=dtype), kept=True)

    return made


def _clocks(values: Sequence[Any]) -> Taken | None:
    if any(getattr(value, "tzinfo", None) for value in values):
        return None
    return _typed(pl.Time)(values)


_Bases = tuple[type, ...]
_MAKERS: tuple[tuple[_Bases, _Bases, Callable[[Sequence[Any]], Taken | None]], ...] = (
    ((str,), (), _strings),
    ((bool, np.bool_), (), _booleans),
    ((int, np.integer), (bool, np.timedelta64), _integers),
    ((float, int, np.floating, np.integer), (bool, np.timedelta64, np.longdouble), _floats),
    ((Decimal,), (), _decimals),
    ((datetime,), (), _moments),
    ((date,), (datetime,), _typed(pl.Date)),
    ((time,), (), _clocks),
    ((timedelta,), (), _spans),
    ((bytes, bytearray, memoryview), (), _binaries),
)
"""Types that go together, those of their subclasses that do not, and what makes a column."""
