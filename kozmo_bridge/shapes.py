"""The Singer shape of what Python has: columns with logical types, and rows for the encoder."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from typing import Any, NamedTuple
from uuid import UUID

import msgspec

from kozmo_bridge.batch import Batch
from kozmo_bridge.convert import columns_of, is_table, rows_of
from kozmo_bridge.values import duration, moment, native, unique_names
from kozmo_singer.errors import ConfigError
from kozmo_singer.settings import did_you_mean
from kozmo_singer.wire.encode import dumps
from kozmo_singer.wire.types import Column, LogicalType, columns

Values = Sequence[Any]
Typed = tuple[Values, LogicalType | None]
"""Values with None for what is missing, and their type where a table tells it."""

DOUBLE = LogicalType("float", bits=64)


class Shape(NamedTuple):
    """Rows of one stream, as a RecordEncoder takes them."""

    columns: list[Column]
    rows: list[tuple[Any, ...]]


def shape_of(data: Any, schema: Mapping[str, Any] | None = None) -> Shape:
    """Return *data* (Data objects, dicts, a Batch, a pandas or Arrow table) as a Shape.

    The types are those of *schema*, a JSON Schema, for the columns that it has; else the table's;
    else the narrowest that hold all values: whole and other numbers together are numbers, text and
    anything else text, nested values json.
    """
    if isinstance(data, Batch):
        return Shape(list(data.columns), _with_json(data))
    said = {column.name: column for column in columns(schema or {})}
    made = typed(data, said.get)
    check_names(said, [column.name for column in made.columns])
    return made


def typed(data: Any, said: Callable[[str], Column | None]) -> Shape:
    """Return *data* as `shape_of` does; *said* tells the column of a name, None if it is open."""
    names, given, rows = _columns(data)
    found, turned = [], []
    for name, (values, type) in zip(names, given, strict=True):
        column = said(name)
        if column is not None:
            found.append(column)
            turned.append(_written_as(column.type, values))
        else:
            type, values = (type, values) if type is not None else inferred(values)
            found.append(Column(name, type))
            turned.append(values)
    return Shape(found, list(zip(*turned, strict=True)) if turned else [()] * rows)


def _with_json(batch: Batch) -> list[tuple[Any, ...]]:
    """The rows of *batch* with their JSON texts marked as such for the encoder."""
    places = [i for i, column in enumerate(batch.columns) if column.type.name == "json"]
    if not places or not batch.rows:
        return list(batch.rows)
    turned: list[Values] = list(zip(*batch.rows, strict=True))
    for i in places:
        turned[i] = _each(msgspec.Raw, turned[i])
    return list(zip(*turned, strict=True))


def inferred(values: Values) -> tuple[LogicalType, Values]:
    """Return the narrowest type that holds all *values*, and the values as the wire takes them."""
    kinds = set(map(type, values))
    if not kinds <= _PLAIN:
        values = [_plain(value) for value in values]
        kinds = set(map(type, values))
    kinds.discard(type(None))
    if not kinds:
        return LogicalType("string"), values
    if len(kinds) == 1 and (known := _SINGLE.get(next(iter(kinds)))) is not None:
        return known(values)
    if kinds == {int, float} and all(abs(v) <= 1 << 53 for v in values if type(v) is int):
        return DOUBLE, _each(float, values)
    if kinds <= {int, float, Decimal}:
        return LogicalType("decimal"), _each(_decimal, values)
    if kinds & {dict, list}:
        return LogicalType("json"), _each(native, values)
    return LogicalType("string"), _each(as_text, values)


def _columns(data: Any) -> tuple[list[str], list[Typed], int]:
    if not is_table(data):
        rows = rows_of(data)
        names, values = columns_of(rows)
        return unique_names(names), [([_present(v) for v in c], None) for c in values], len(rows)
    if hasattr(data, "iloc"):
        return _pandas(data)
    from kozmo_bridge.tables import arrow_list, as_arrow

    data = as_arrow(data)
    typed = [_arrow(arrow_list(column), str(column.type)) for column in data.columns]
    return unique_names(data.column_names), typed, int(data.num_rows)


def _pandas(frame: Any) -> tuple[list[str], list[Typed], int]:
    if any(name is not None for name in frame.index.names):
        frame = frame.reset_index(allow_duplicates=True)
    typed = [_series(frame.iloc[:, i]) for i in range(frame.shape[1])]
    return unique_names(frame.columns), typed, len(frame)


def _series(series: Any) -> Typed:
    from kozmo_bridge.frames import series_list

    dtype = series.dtype
    name, kind = str(dtype), str(getattr(dtype, "kind", "O"))
    if name.startswith("datetime64"):
        zone = name.endswith("]") and "," in name
        return series_list(series), LogicalType("timestamptz" if zone else "timestamp")
    if kind == "m":
        return series_list(series), LogicalType("string")
    gaps = series.isna()
    values = list(series.tolist())
    if gaps.any():
        values = [None if gap else v for v, gap in zip(values, gaps, strict=True)]
    if kind == "i" or (kind == "u" and dtype.itemsize < 8):
        return values, LogicalType(
            "integer", bits=max(16, dtype.itemsize * (8 if kind == "i" else 16))
        )
    if kind == "f" and dtype.itemsize <= 8:
        return values, LogicalType("float", bits=64 if dtype.itemsize == 8 else 32)
    return values, LogicalType("boolean") if kind == "b" else None


def _arrow(values: Values, kind: str) -> Typed:
    integers = {"int8": 16, "int16": 16, "uint8": 16, "int32": 32, "uint16": 32, "int64": 64,
                "uint32": 64}  # fmt: skip
    if kind in integers:
        return values, LogicalType("integer", bits=integers[kind])
    if kind in ("float", "double"):
        values = [_present(value) for value in values]
        return values, LogicalType("float", bits=32 if kind == "float" else 64)
    if kind.startswith("timestamp"):
        name = "timestamptz" if "tz=" in kind else "timestamp"
        return [moment(v) if isinstance(v, datetime) else v for v in values], LogicalType(name)
    if kind.startswith("decimal"):
        precision, scale = map(int, kind.partition("(")[2].rstrip(")").split(","))
        if 0 <= scale <= precision:
            return values, LogicalType("decimal", precision, scale)
    known = {"bool": "boolean", "date32[day]": "date", "date64[ms]": "date", "string": "string",
             "large_string": "string", "binary": "binary", "large_binary": "binary"}  # fmt: skip
    return values, LogicalType(known[kind]) if kind in known else None


def check_names(said: Iterable[str], names: Sequence[str]) -> None:
    """Raise ConfigError for a name that is *said* and is none of the *names* of columns."""
    for name in said:
        if name not in names:
            raise ConfigError(
                f"the schema has a column '{name}', which the data lacks",
                *did_you_mean(name, names),
            )


def _present(value: Any) -> Any:
    """NaN, NaT and NA count as missing, as they do in Data."""
    if isinstance(value, Decimal):
        return None if value.is_nan() else value
    if isinstance(value, float):
        return None if math.isnan(value) else value
    return None if type(value).__name__ in ("NaTType", "NAType") else value


def _plain(value: Any) -> Any:
    """A value of a derived or foreign type as one of the plain types, or in the form of Data."""
    if type(value) in _PLAIN:
        return value
    if isinstance(value, Enum):
        return _plain(value.value)
    if isinstance(value, datetime):
        # pandas' Timestamp, which may count nanoseconds.
        exact = not getattr(value, "nanosecond", 0)
        return datetime.fromisoformat(value.isoformat()) if exact else moment(value)
    if isinstance(value, bytearray | memoryview):
        return bytes(value)
    for base in (int, float, Decimal, str):
        if isinstance(value, base):
            return base(value)
    plain = value.item() if hasattr(value, "item") and not getattr(value, "shape", (1,)) else None
    return plain if type(plain) in (bool, int, float, str, bytes) else native(value)


def _decimal(value: Any) -> Decimal:
    return Decimal(repr(value)) if isinstance(value, float) else Decimal(value)


def as_text(value: Any) -> str:
    """Return a value as the text that it is in a column of texts."""
    formed = native(value, "string")
    return formed if isinstance(formed, str) else dumps(formed).decode()


def _each(convert: Callable[[Any], Any], values: Values) -> Values:
    return [None if value is None else convert(value) for value in values]


def _moments(values: Values) -> tuple[LogicalType, Values]:
    zones = {value.tzinfo is not None for value in values if value is not None}
    names = {frozenset({True}): "timestamptz", frozenset({False}): "timestamp"}
    return LogicalType(names.get(frozenset(zones), "string")), _each(moment, values)


def _written_as(type: LogicalType, values: Values) -> Values:
    """Values for a column whose type was given; the target judges whether they fit."""
    if type.name == "json":
        return _each(native, values)
    return [duration(v) if isinstance(v, timedelta) else _plain(v) for v in values]


def _single(name: str, convert: Callable[[Any], Any] | None = None, **more: Any) -> Any:
    def made(values: Values) -> tuple[LogicalType, Values]:
        return LogicalType(name, **more), values if convert is None else _each(convert, values)

    return made


_SINGLE: dict[type, Callable[[Values], tuple[LogicalType, Values]]] = {
    bool: _single("boolean"),
    int: _single("integer"),
    float: _single("float", bits=64),
    Decimal: _single("decimal"),
    str: _single("string"),
    bytes: _single("binary"),
    datetime: _moments,
    date: _single("date", date.isoformat),
    time: _single("time", time.isoformat),
    timedelta: _single("string", duration),
    UUID: _single("uuid", str),
    dict: _single("json", native),
    list: _single("json", native),
}
_PLAIN = frozenset({*_SINGLE, type(None)})
