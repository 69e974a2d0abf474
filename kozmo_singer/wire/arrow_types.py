"""The logical types of Arrow's fields: the way back of `arrow.arrow_type`."""

from __future__ import annotations

from typing import Any

from kozmo_singer.wire.arrow import pyarrow
from kozmo_singer.wire.arrow_values import is_json
from kozmo_singer.wire.types import LogicalType

_BITS = {"int8": 16, "uint8": 16, "int16": 16, "uint16": 32, "int32": 32, "uint32": 64, "int64": 64}
_TESTS = (
    ("is_boolean", "boolean"),
    ("is_date", "date"),
    ("is_time", "time"),
    ("is_binary", "binary"),
    ("is_large_binary", "binary"),
    ("is_binary_view", "binary"),
    ("is_fixed_size_binary", "binary"),
    ("is_nested", "json"),
)


def logical_type(field: Any) -> LogicalType:
    """Return the type of the values that *field* holds; what has no type of ours is text."""
    pa = pyarrow("Arrow")
    if is_json(field):
        return LogicalType("json")
    return _logical(pa, field.type)


def _logical(pa: Any, type: Any) -> LogicalType:
    if isinstance(type, pa.BaseExtensionType):
        named = {"arrow.uuid": "uuid", "arrow.bool8": "boolean"}.get(type.extension_name)
        return LogicalType(named) if named else _logical(pa, type.storage_type)
    if pa.types.is_dictionary(type) or pa.types.is_run_end_encoded(type):
        return _logical(pa, type.value_type)
    if pa.types.is_integer(type):
        return LogicalType("integer", bits=_BITS.get(str(type)))
    if pa.types.is_floating(type):
        return LogicalType("float", bits=64 if type == pa.float64() else 32)
    if pa.types.is_decimal(type):
        whole = type.scale < 0 or type.scale > type.precision
        return (
            LogicalType("decimal") if whole else LogicalType("decimal", type.precision, type.scale)
        )
    if pa.types.is_timestamp(type):
        return LogicalType("timestamptz" if type.tz else "timestamp")
    for test, name in _TESTS:
        if getattr(pa.types, test)(type):
            return LogicalType(name)
    return LogicalType("string")
