"""Logical types and Arrow: the one table of types, and rows as record batches.

A column of which some value has no place in its type (a date in year 10000 or BC, `infinity`, an
integer beyond 64 bit) comes as text as a whole: nothing is cut or guessed.
"""

from __future__ import annotations

import re
from array import array as c_array
from collections.abc import Callable, Sequence
from datetime import date, time
from typing import TYPE_CHECKING, Any

from kozmo_singer.errors import MissingDriver
from kozmo_singer.wire.types import Column, LogicalType

if TYPE_CHECKING:
    import pyarrow as pa

Values = Sequence[Any]
JSON = {"ARROW:extension:name": "arrow.json", "ARROW:extension:metadata": ""}
"""Marks a field of JSON text, https://arrow.apache.org/docs/format/CanonicalExtensions.html#json"""
_CLOCK = re.compile(r"([^.Zz+-]*)\.?(\d*)(.*)", re.DOTALL)
_YEAR_ONE = -62_135_596_800_000_000
"""The first moment that a date of four digits and no BC can name, in microseconds."""


def pyarrow(purpose: str) -> Any:
    """Return the module pyarrow; MissingDriver says that *purpose* needs it."""
    try:
        import pyarrow
    except ModuleNotFoundError as error:
        raise MissingDriver(purpose, "pyarrow", "arrow") from error
    return pyarrow


def arrow_type(type: LogicalType) -> pa.DataType:
    """Return the Arrow type of *type*.

    integer int16, int32 or int64; float float or double; decimal(p,s) decimal128 or decimal256,
    without a stated precision text; timestamp timestamp[us], timestamptz in UTC; date date32,
    time time64[us]; string, uuid and json text.
    """
    pa = pyarrow("Arrow")
    if type.name == "integer":
        return {16: pa.int16(), 32: pa.int32()}.get(type.bits or 64, pa.int64())
    if type.name == "float":
        return pa.float32() if type.bits == 32 else pa.float64()
    if type.name == "decimal":
        if type.precision is None or type.precision > 76:
            return pa.string()
        wide = pa.decimal128 if type.precision <= 38 else pa.decimal256
        return wide(type.precision, type.scale or 0)
    return {
        "boolean": pa.bool_(),
        "binary": pa.binary(),
        "date": pa.date32(),
        "time": pa.time64("us"),
        "timestamp": pa.timestamp("us"),
        "timestamptz": pa.timestamp("us", "UTC"),
    }.get(type.name, pa.string())


def arrow_schema(columns: Sequence[Column]) -> pa.Schema:
    """Return the Arrow schema of *columns*; json is marked as the extension type arrow.json."""
    return pyarrow("Arrow").schema([field(column, arrow_type(column.type)) for column in columns])


def record_batch(columns: Sequence[Column], rows: Sequence[tuple[Any, ...]]) -> pa.RecordBatch:
    """Return *rows*, tuples in the forms of Rows.tuples(), as a record batch.

    Its schema is arrow_schema(columns), but for columns that come as text, see above.
    UnicodeEncodeError where text holds half of a character, which no UTF-8 can carry.
    """
    pa = pyarrow("Arrow")
    turned: Sequence[Values] = list(zip(*rows, strict=True)) or [()] * len(columns)
    pairs = zip(columns, turned, strict=True)
    arrays = [arrow_array(column.type, values) for column, values in pairs]
    fields = [field(column, array.type) for column, array in zip(columns, arrays, strict=True)]
    return pa.RecordBatch.from_arrays(arrays, schema=pa.schema(fields))


def arrow_array(type: LogicalType, values: Values) -> pa.Array:
    """Return *values*, in the forms of Rows.tuples(), as an array of *type* or of text."""
    pa = pyarrow("Arrow")
    wanted = arrow_type(type)
    try:
        if wanted == pa.string():
            return _texts(pa, values)
        return _ARRAYS.get(type.name, _plain_array)(pa, values, wanted)
    except UnicodeEncodeError:
        raise
    except (pa.ArrowException, OverflowError, ValueError):
        return _texts(pa, values)


def unhexed(text: pa.Array) -> pa.Array:
    """Return *text* in base16 as binary; ValueError where it is something else."""
    valid, places, data = _parts(text)
    whole = bytes.fromhex(str(data, "ascii"))
    return _binary(text, valid, [place // 2 for place in places], whole)


def uuid_bytes(text: pa.Array) -> pa.Array:
    """Return uuids in their usual spelling as their 16 bytes; ValueError for any other spelling."""
    valid, places, data = _parts(text)
    digits = data.replace(b"-", b"")
    count = len(text) - text.null_count
    if len(data) != count * 36 or len(digits) != count * 32:
        raise ValueError("a uuid that is not written with dashes")
    whole = bytes.fromhex(str(digits, "ascii"))
    return _binary(text, valid, [place // 36 * 16 for place in places], whole)


def _parts(text: pa.Array) -> tuple[pa.Buffer | None, list[int], bytes]:
    """The validity of a string array, where each value begins and the last ends, all the text."""
    if text.offset:
        pa = pyarrow("Arrow")
        text = pa.concat_arrays([text])
    valid, offsets, data = text.buffers()
    places = memoryview(offsets).cast("i")[: len(text) + 1].tolist()
    return valid, places, bytes(memoryview(data or b"")[: places[-1]])


def _binary(text: pa.Array, valid: pa.Buffer | None, places: list[int], whole: bytes) -> pa.Array:
    pa = pyarrow("Arrow")
    buffers = [valid, pa.py_buffer(c_array("i", places)), pa.py_buffer(whole)]
    return pa.Array.from_buffers(pa.binary(), len(text), buffers, text.null_count)


def field(column: Column, type: pa.DataType) -> pa.Field:
    """Return the field of *column* as *type*, marked where it holds JSON."""
    import pyarrow as pa

    return pa.field(column.name, type, metadata=JSON if column.type.name == "json" else None)


def _texts(pa: Any, values: Values) -> pa.Array:
    texts = [v if v is None or isinstance(v, str) else str(v) for v in values]
    return pa.array(texts, pa.string())


def _plain_array(pa: Any, values: Values, wanted: Any) -> pa.Array:
    return pa.array(values, wanted)


def _float_array(pa: Any, values: Values, wanted: Any) -> pa.Array:
    """Numbers in 64 bit where 32 do not tell them: 0.1 is the shortest name of its float."""
    array = pa.array(values, pa.float64())
    return array if wanted == pa.float64() else narrowed(array)


def narrowed(array: pa.Array) -> pa.Array:
    """Return floats in 32 bit where that is what their shortest names say, else as they are."""
    pa = pyarrow("Arrow")
    narrow = array.cast(pa.float32())
    named = narrow.cast(pa.string()).cast(pa.float64())
    return narrow if named.equals(array) or _same(named, array) else array


def _same(one: Any, other: Any) -> bool:
    """Whether two arrays of floats are equal, and NaN where the other is."""
    pairs = zip(one.to_pylist(), other.to_pylist(), strict=True)
    return all(a == b or (a != a and b != b) for a, b in pairs)


def _moment_array(pa: Any, values: Values, wanted: Any) -> pa.Array:
    import pyarrow.compute as pc

    array = pa.array(values, pa.string()).cast(wanted)
    # Arrow counts a year 0; the text would not come back as it was.
    earliest = pc.min(array.cast(pa.int64())).as_py()
    if earliest is not None and earliest < _YEAR_ONE:
        raise ValueError("before year 1")
    return array


def _parsed_array(parse: Callable[[str], Any]) -> Callable[[Any, Values, Any], pa.Array]:
    def made(pa: Any, values: Values, wanted: Any) -> pa.Array:
        return pa.array([None if v is None else parse(v) for v in values], wanted)

    return made


def parse_date(text: str) -> date:
    """The date of an ISO text, which may go on with the midnight that it begins with."""
    return date.fromisoformat(text[:10] if text[10:11] in ("T", "t") else text)


def parse_time(text: str) -> time:
    """The time of an ISO text with any number of digits, as long as Python can hold them."""
    head, fraction, zone = _CLOCK.fullmatch(text).groups()  # type: ignore[union-attr]  # matches all
    if len(fraction.rstrip("0")) > 6:
        raise ValueError(text)
    digits = "." + fraction[:6].ljust(6, "0") if fraction else ""
    return time.fromisoformat(head + digits + zone.upper().replace("Z", "+00:00"))


def _clock_time(text: str) -> time:
    """As parse_time; Arrow's times have no zone."""
    value = parse_time(text)
    if value.tzinfo is not None:
        raise ValueError(text)
    return value


_ARRAYS: dict[str, Callable[[Any, Values, Any], Any]] = {
    "float": _float_array,
    "date": _parsed_array(parse_date),
    "time": _parsed_array(_clock_time),
    "timestamp": _moment_array,
    "timestamptz": _moment_array,
}
