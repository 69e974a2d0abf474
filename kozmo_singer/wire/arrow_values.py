"""Arrow arrays as the values of records: what the same rows would be as RECORD messages.

Dates and times become ISO text, so that a year or a nanosecond that Python lacks is kept; moments
with a zone are told in UTC. Decimals stay decimals, lists and structs become lists and dicts,
dictionaries and other encodings the values that they stand for.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import msgspec

from kozmo_singer.wire.arrow import JSON, pyarrow
from kozmo_singer.wire.rows import json_path
from kozmo_singer.wire.types import Column, LogicalType

_NUMBER = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?", re.ASCII)
_DOCUMENT: msgspec.json.Decoder[msgspec.Raw] = msgspec.json.Decoder(msgspec.Raw)
_EXTENSION = b"ARROW:extension:name"
_JSON = JSON[_EXTENSION.decode()]
_UNITS = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}
_YEAR_ONE, _YEAR_10000 = -719_162, 2_932_897
"""The days, counted from 1970, between which Arrow writes dates as ISO has them."""
_CYCLE = 146_097
"""The days of 400 years, after which the calendar repeats."""


class Misfit(ValueError):
    """A value that no record can hold, and the JSON path of its field."""

    path: str | None = None


def encoder_columns(schema: Any, types: dict[str, LogicalType]) -> list[Column]:
    """Return how a RecordEncoder has to see the columns of an Arrow *schema*.

    *types* are what the stream's schema says of them.
    """
    pa = pyarrow("Arrow")
    found = []
    for field in schema:
        type = types.get(field.name, LogicalType("string"))
        kind = "binary" if type.name == "binary" else "string"
        inner = _unwrapped(pa, field.type)
        if pa.types.is_floating(inner):
            kind = "float"
        elif pa.types.is_nested(inner):
            kind = "json"
        found.append(Column(field.name, LogicalType(kind, encoding=type.encoding)))
    return found


def record_values(batch: Any, types: dict[str, LogicalType]) -> list[tuple[Any, ...]]:
    """Return the rows of a record batch; Misfit says that one of them cannot be a record."""
    pairs = zip(batch.columns, batch.schema, strict=True)
    columns = [_column(array, field, types) for array, field in pairs]
    return list(zip(*columns, strict=True)) if columns else [()] * int(batch.num_rows)


def _column(array: Any, field: Any, types: dict[str, LogicalType]) -> list[Any]:
    try:
        return _typed(values(array, field), types.get(field.name, LogicalType("string")))
    except Misfit as error:
        error.path = json_path(field.name)
        raise


def values(array: Any, field: Any) -> list[Any]:
    """Return the values of *array*, which is the column, or part of one, that *field* describes."""
    pa = pyarrow("Arrow")
    if is_json(field):
        return _documents(getattr(array, "storage", array).to_pylist())
    type = array.type
    if isinstance(type, pa.BaseExtensionType):
        if type.extension_name in ("arrow.uuid", "arrow.bool8"):
            return list(array.to_pylist())
        return values(array.storage, pa.field("", type.storage_type))
    if pa.types.is_dictionary(type):
        return values(array.dictionary_decode(), pa.field("", type.value_type))
    if pa.types.is_run_end_encoded(type):
        import pyarrow.compute as pc

        return values(pc.run_end_decode(array), pa.field("", type.value_type))
    found = next((read for test, read in _READ if getattr(pa.types, test)(type)), None)
    return list(array.to_pylist()) if found is None else found(pa, array)


def _typed(found: list[Any], type: LogicalType) -> list[Any]:
    """Bring binary and text into the form that a column of *type* has in a record."""
    kinds = {value.__class__ for value in found}
    if bytes in kinds and type.name != "binary":
        return [_uuid_or_text(v, type) for v in found]
    if str in kinds and type.name in ("integer", "float"):
        # A column with a value too large for its Arrow type comes as digits.
        return [msgspec.Raw(v) if isinstance(v, str) and _NUMBER.fullmatch(v) else v for v in found]
    return found


def _uuid_or_text(value: Any, type: LogicalType) -> Any:
    if not isinstance(value, bytes):
        return value
    if type.name == "uuid" and len(value) == 16:
        return UUID(bytes=value)
    try:
        return value.decode()
    except UnicodeDecodeError as error:
        raise Misfit(f"expected text, got binary 0x{value.hex()[:40]}") from error


def is_json(field: Any) -> bool:
    """Return whether *field* holds documents of JSON."""
    named = (field.metadata or {}).get(_EXTENSION, b"").decode()
    return _JSON in (named, getattr(field.type, "extension_name", None))


def _unwrapped(pa: Any, type: Any) -> Any:
    """The type of the values that an encoding or an extension stands for."""
    if pa.types.is_dictionary(type) or pa.types.is_run_end_encoded(type):
        return _unwrapped(pa, type.value_type)
    if isinstance(type, pa.BaseExtensionType):
        return _unwrapped(pa, type.storage_type)
    return type


def _documents(texts: list[Any]) -> list[Any]:
    """JSON texts as they are, each of which has to be one document and nothing beside it."""
    return [None if text is None else _document(text) for text in texts]


def _document(text: str) -> msgspec.Raw:
    try:
        _DOCUMENT.decode(text)
    except msgspec.DecodeError as error:
        raise Misfit(f"expected JSON, got {text[:60]!r}") from error
    return msgspec.Raw(text.replace("\n", " "))


def _lists(pa: Any, array: Any) -> list[Any]:
    import pyarrow.compute as pc

    items = iter(_items(array.flatten(), array.type.value_field))
    return [
        None if length is None else [next(items) for _ in range(length)]
        for length in pc.list_value_length(array).to_pylist()
    ]


def _maps(pa: Any, array: Any) -> list[Any]:
    """Objects where all keys are text, as JSON wants; else lists of pairs."""
    offsets = array.offsets.to_pylist()
    start, end = offsets[0], offsets[-1]
    keys = _items(array.keys.slice(start, end - start), array.type.key_field)
    items = _items(array.items.slice(start, end - start), array.type.item_field)
    form: Callable[[Iterator[Any]], Any] = dict
    if not all(isinstance(key, str) for key in keys):
        form = list
    return [
        form(zip(keys[a - start : b - start], items[a - start : b - start], strict=True))
        if valid
        else None
        for a, b, valid in zip(offsets, offsets[1:], array.is_valid().to_pylist(), strict=False)
    ]


def _structs(pa: Any, array: Any) -> list[Any]:
    fields = [array.type.field(i) for i in range(array.type.num_fields)]
    parts = [_items(part, field) for part, field in zip(array.flatten(), fields, strict=True)]
    rows: Sequence[Any] = list(zip(*parts, strict=True)) or [()] * len(array)
    names = [field.name for field in fields]
    return [
        dict(zip(names, row, strict=True)) if valid else None
        for row, valid in zip(rows, array.is_valid().to_pylist(), strict=True)
    ]


def _items(array: Any, field: Any) -> list[Any]:
    """Values within others, where binary, which JSON lacks, is base16."""
    return [v.hex() if isinstance(v, bytes) else v for v in values(array, field)]


def _floats(pa: Any, array: Any) -> list[Any]:
    """A float of 32 bit is told by its shortest name: 0.1, not 0.10000000149011612."""
    if array.type == pa.float32():
        array = array.cast(pa.string())
        return [None if v is None else float(v) for v in array.to_pylist()]
    return list(array.cast(pa.float64()).to_pylist())


def _dates(pa: Any, array: Any) -> list[Any]:
    days = array.cast(pa.date32()).cast(pa.int32())
    if _between(days, _YEAR_ONE, _YEAR_10000):
        return list(array.cast(pa.date32()).cast(pa.string()).to_pylist())
    return [None if v is None else "".join(_day(v)) for v in days.to_pylist()]


def _times(pa: Any, array: Any) -> list[Any]:
    try:
        array = array.cast(pa.time64("us"))
    except pa.ArrowInvalid:
        # It has nanoseconds.
        return _without_zeros(array.cast(pa.string()))
    return _without_zeros(array.cast(pa.string()))


def _moments(pa: Any, array: Any) -> list[Any]:
    """ISO texts, in UTC and with a Z where the type has a zone."""
    zone = "UTC" if array.type.tz else None
    array = array.cast(pa.timestamp(array.type.unit, zone))
    with suppress(pa.ArrowInvalid):
        # Not where it has nanoseconds, or is further away than microseconds can tell.
        array = array.cast(pa.timestamp("us", zone))
    units = _UNITS[array.type.unit]
    whole = array.cast(pa.int64())
    if _between(whole, _YEAR_ONE * 86_400 * units, _YEAR_10000 * 86_400 * units):
        return [text and text.replace(" ", "T") for text in _without_zeros(array.cast(pa.string()))]
    mark = "Z" if zone else ""
    return [None if v is None else _moment(v, units, mark) for v in whole.to_pylist()]


def _durations(pa: Any, array: Any) -> list[Any]:
    return list(array.cast(pa.duration("us")).to_pylist())


def _without_zeros(texts: Any) -> list[Any]:
    """Fractions of a second where they are not zero, of six digits or, if need be, nine."""
    import pyarrow.compute as pc

    texts = pc.replace_substring_regex(texts, r"(\.\d{6})000(Z?)$", r"\1\2")
    return list(pc.replace_substring_regex(texts, r"\.0+(Z?)$", r"\1").to_pylist())


def _between(array: Any, low: int, high: int) -> bool:
    import pyarrow.compute as pc

    ends = pc.min_max(array).as_py()
    return ends["min"] is None or (low <= ends["min"] and ends["max"] < high)


def _moment(value: int, units: int, mark: str) -> str:
    seconds, part = divmod(value, units)
    days, second = divmod(seconds, 86_400)
    day, era = _day(days)
    clock = str(timedelta(seconds=second)).rjust(8, "0")
    fraction = f".{part * 10**6 // units:06d}" if part else ""
    return f"{day}T{clock}{fraction}{mark}{era}"


def _day(days: int) -> tuple[str, str]:
    """An ISO date of any year, counted from 1970, and its era where that is BC."""
    cycles, rest = divmod(days - _YEAR_ONE, _CYCLE)
    day = date.fromordinal(rest + 1)
    year = day.year + 400 * cycles
    era = " BC" if year < 1 else ""
    return f"{1 - year if era else year:04d}-{day.month:02d}-{day.day:02d}", era


_READ: tuple[tuple[str, Callable[[Any, Any], list[Any]]], ...] = (
    ("is_map", _maps),
    ("is_list", _lists),
    ("is_large_list", _lists),
    ("is_fixed_size_list", _lists),
    ("is_list_view", _lists),
    ("is_large_list_view", _lists),
    ("is_struct", _structs),
    ("is_floating", _floats),
    ("is_date", _dates),
    ("is_time", _times),
    ("is_timestamp", _moments),
    ("is_duration", _durations),
)
