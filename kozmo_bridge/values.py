"""Any value as JSON's own types, the only ones that KozmoAI shows, stores and sends unharmed.

docs/data-objects.md has the table of forms; this module is where it is kept.
"""

from __future__ import annotations

import base64
import dataclasses
import gc
import json
import math
import sys
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from enum import Enum
from pathlib import PurePath
from typing import Any

from kozmo_singer.systems.kozmoai.forms import (
    DECIMALS,
    Decimals,
    encodable,
    finite,
    floats,
    mended,
)

PLAIN = frozenset({str, int, bool, type(None)})


def native(value: Any, decimals: Decimals = "exact") -> Any:
    """Return *value* as None, bool, int, float, str, list or dict; the argument stays as it is.

    NaN, NaT and NA become None, infinities the words Infinity and -Infinity, moments with a zone
    ISO 8601 in UTC and without one ISO 8601 as they are, durations ISO 8601, bytes base64,
    what is not known its str().
    """
    kind = type(value)
    if kind is str:
        return value if encodable(value) else mended(value)
    if kind in PLAIN:
        return value
    if kind is Decimal:
        return DECIMALS[decimals](value)
    convert = _BY_TYPE.get(kind)
    if convert is not None:
        return convert(value)
    if isinstance(value, Mapping):
        return _object(value, decimals)
    if isinstance(value, list | tuple):
        return [native(item, decimals) for item in value]
    if isinstance(value, set | frozenset):
        return [native(item, decimals) for item in sorted(value, key=_rank)]
    return _other(value, decimals)


def native_list(values: Sequence[Any], decimals: Decimals = "exact") -> list[Any]:
    """Return each of *values* as native() would, at the cost of one pass for the common types."""
    kinds = set(map(type, values))
    if kinds <= PLAIN:
        words = values if kinds == {str} else [v for v in values if type(v) is str]
        if str in kinds and not encodable("".join(words)):
            return [native(value) for value in values]
        return list(values)
    kinds.discard(type(None))
    if kinds == {float}:
        return list(floats(values))
    if kinds == {Decimal}:
        convert = DECIMALS[decimals]
        return [None if value is None else convert(value) for value in values]
    if len(kinds) == 1 and (single := _BY_TYPE.get(next(iter(kinds)))) is not None:
        return [None if value is None else single(value) for value in values]
    return [native(value, decimals) for value in values]


def unique_names(names: Iterable[Any]) -> list[str]:
    """Return *names* as text; the second `a` is named `a_2`, or the next number that is free."""
    texts = [_name(name) for name in names]
    if len(set(texts)) == len(texts):
        return texts
    taken, found = set(texts), []
    seen: set[str] = set()
    for text in texts:
        unique, number = text, 2
        while unique in seen or (unique != text and unique in taken):
            unique, number = f"{text}_{number}", number + 1
        seen.add(unique)
        found.append(unique)
    return found


@contextmanager
def building() -> Iterator[None]:
    """Hold Python's cycle collector off while many objects are made that all stay.

    It would walk through every one of them again and again: two thirds of the time of 100,000
    Data objects.
    """
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def moment(value: datetime) -> str:
    """Return a moment as ISO 8601: in UTC where it knows its zone, else as it stands."""
    if value.tzinfo is None:
        return value.isoformat()
    try:
        return value.astimezone(timezone.utc).isoformat()
    except (OverflowError, ValueError):
        # Within a day of year 1 or 9999 UTC may lie outside the calendar.
        return value.isoformat()


def duration(value: timedelta) -> str:
    """Return a duration as ISO 8601 in days, hours, minutes and seconds, such as -P1DT2H0.5S."""
    nanoseconds = (value.days * 86_400 + value.seconds) * 1_000_000_000
    nanoseconds += value.microseconds * 1000 + int(getattr(value, "nanoseconds", 0))
    return iso_duration(nanoseconds)


def iso_duration(nanoseconds: int) -> str:
    """Return that many nanoseconds as an ISO 8601 duration."""
    seconds, fraction = divmod(abs(nanoseconds), 1_000_000_000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    exact = f"{seconds}.{fraction:09d}".rstrip("0").rstrip(".") if fraction else str(seconds)
    clock = "".join(
        part
        for part, there in (
            (f"{hours}H", hours),
            (f"{minutes}M", minutes),
            (f"{exact}S", exact != "0"),
        )
        if there
    )
    text = (f"{days}D" if days else "") + (f"T{clock}" if clock else "")
    return ("-P" if nanoseconds < 0 else "P") + (text or "T0S")


def _bytes(value: Any) -> str:
    return base64.b64encode(value).decode()


def _object(value: Mapping[Any, Any], decimals: Decimals) -> dict[str, Any]:
    names = unique_names(value)
    return {name: native(item, decimals) for name, item in zip(names, value.values(), strict=True)}


def _name(name: Any) -> str:
    if type(name) is str:
        return name if encodable(name) else mended(name)
    if isinstance(name, tuple):
        return ".".join(_name(part) for part in name if part != "")
    value = native(name)
    return value if isinstance(value, str) else json.dumps(value)


def _rank(value: Any) -> tuple[str, Any]:
    """Orders a set, whose own order differs from run to run."""
    if isinstance(value, int | float):
        return "number", value if value == value else math.inf
    return type(value).__name__, value if isinstance(value, str) else repr(value)


def _other(value: Any, decimals: Decimals) -> Any:
    """Values of the types that are rarer, foreign, or derived from the known ones."""
    module = type(value).__module__.partition(".")[0]
    if module in ("numpy", "pandas"):
        return _foreign(value, decimals)
    if isinstance(value, Enum):
        return native(value.value, decimals)
    for base, convert in _BY_BASE:
        if isinstance(value, base):
            return convert(value)
    if isinstance(value, Decimal):
        return DECIMALS[decimals](Decimal(value))
    dump = getattr(type(value), "model_dump", None)
    if callable(dump):
        return native(dump(value), decimals)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return native(dataclasses.asdict(value), decimals)
    if hasattr(type(value), "tolist"):
        return native(value.tolist(), decimals)
    return native(str(value))


def _foreign(value: Any, decimals: Decimals) -> Any:
    """A value of numpy's or pandas', which therefore is imported already."""
    name = type(value).__name__
    if name in ("NaTType", "NAType", "MaskedConstant"):
        return None
    if isinstance(value, datetime):
        return moment(value)
    if isinstance(value, timedelta):
        return duration(value)
    if name == "datetime64":
        return _datetime64(value)
    if name == "timedelta64":
        return _timedelta64(value)
    if name == "longdouble":
        return _longdouble(value)
    if name == "DataFrame":
        return [native(row, decimals) for row in value.to_dict(orient="records")]
    if getattr(getattr(value, "dtype", None), "kind", "") in ("M", "m") and hasattr(
        value, "__len__"
    ):
        # Their tolist() gives bare numbers where the unit is finer than Python's.
        return [native(item, decimals) for item in value]
    if hasattr(value, "tolist"):
        plain = value.tolist()
        return str(value) if type(plain) is type(value) else native(plain, decimals)
    return str(value)


def _longdouble(value: Any) -> Any:
    near = float(value)
    return finite(near) if near == value or value != value else str(value)


def _datetime64(value: Any) -> str | None:
    numpy = sys.modules["numpy"]
    if numpy.isnat(value):
        return None
    unit = numpy.datetime_data(value.dtype)[0]
    if unit in ("Y", "M", "W", "D"):
        return str(value.astype("datetime64[D]"))
    if unit in ("h", "m"):
        value = value.astype("datetime64[s]")
    return trim_fraction(str(value))


def _timedelta64(value: Any) -> str | None:
    numpy = sys.modules["numpy"]
    if numpy.isnat(value):
        return None
    unit, count = numpy.datetime_data(value.dtype)
    scale = {"W": 604_800, "D": 86_400, "h": 3600, "m": 60, "s": 1}
    fine = {"ms": 10**6, "us": 1000, "ns": 1}
    if unit in scale:
        return iso_duration(int(value.astype("int64")) * count * scale[unit] * 10**9)
    if unit in fine:
        return iso_duration(int(value.astype("int64")) * count * fine[unit])
    return str(value)


def trim_fraction(text: str) -> str:
    """Return a timestamp with no fraction where it is zero, and else with six or nine digits."""
    whole, dot, fraction = text.partition(".")
    digits = fraction.rstrip("0")
    if not digits:
        return whole
    return f"{whole}{dot}{digits.ljust(6 if len(digits) <= 6 else 9, '0')}"


_BY_TYPE: dict[type, Callable[[Any], Any]] = {
    float: finite,
    datetime: moment,
    date: date.isoformat,
    time: time.isoformat,
    timedelta: duration,
    bytes: _bytes,
    bytearray: _bytes,
    memoryview: _bytes,
    uuid.UUID: str,
}
_BY_BASE: tuple[tuple[type, Callable[[Any], Any]], ...] = (
    (int, int),
    (float, lambda value: finite(float(value))),
    (str, lambda value: native(str.__str__(value))),
    (datetime, moment),
    (date, date.isoformat),
    (time, time.isoformat),
    (timedelta, duration),
    (bytes, _bytes),
    (bytearray, _bytes),
    (uuid.UUID, str),
    (PurePath, str),
)
