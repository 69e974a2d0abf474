"""Arrow arrays of every type as the values of records, and rows through Arrow and back."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import msgspec
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kozmo_singer.wire.arrow import record_batch
from kozmo_singer.wire.arrow_values import Misfit, encoder_columns, record_values
from kozmo_singer.wire.encode import RecordEncoder
from kozmo_singer.wire.rows import Rows, StreamDecoder
from kozmo_singer.wire.types import Column, LogicalType

UUID = "8d1b1a3c-0d55-4c55-9c0e-0c0f0f0f0f0f"
JSON_FIELD = {"ARROW:extension:name": "arrow.json"}


def decoded(batch: pa.RecordBatch, type: LogicalType) -> Rows:
    """The rows of a batch whose columns are of *type*, by way of their RECORD messages."""
    columns = [Column(name, type) for name in batch.schema.names]
    types = {column.name: type for column in columns}
    encoder = RecordEncoder("s", encoder_columns(batch.schema, types))
    lines = encoder.encode(record_values(batch, types)).split(b"\n")[:-1]
    return StreamDecoder("s", columns, pytest.fail).decode(lines, range(1, len(lines) + 1))


def through(array: Any, type: LogicalType, metadata: Any = None) -> list[Any]:
    """What a target gets of *array*, of which two nulls are the ends and are cut off again."""
    ends = pa.nulls(1, array.type)
    whole = pa.concat_arrays([ends, array, ends])
    schema = pa.schema([pa.field("c", array.type, metadata=metadata)])
    rows = decoded(pa.RecordBatch.from_arrays([whole], schema=schema).slice(1), type).tuples()
    assert rows[-1] == (None,)
    return [value for (value,) in rows[:-1]]


def stamps(unit: str, zone: str | None, *values: int) -> pa.Array:
    return pa.array(values, pa.timestamp(unit, zone))


def whole(type: Any, *values: int) -> pa.Array:
    """An array of a type that is an integer beneath."""
    return pa.array(values, pa.int32() if type.bit_width == 32 else pa.int64()).cast(type)


MOMENTS = [
    (stamps("s", None, 0), ["1970-01-01T00:00:00"]),
    (stamps("ms", None, 1), ["1970-01-01T00:00:00.001000"]),
    (stamps("us", None, -1, 10), ["1969-12-31T23:59:59.999999", "1970-01-01T00:00:00.000010"]),
    (stamps("ns", None, 1000), ["1970-01-01T00:00:00.000001"]),
    (stamps("ns", None, 1001), ["1970-01-01T00:00:00.000001001"]),
    (stamps("ns", None, 10**9, 1), ["1970-01-01T00:00:01", "1970-01-01T00:00:00.000000001"]),
    (stamps("s", None, 253402300800), ["10000-01-01T00:00:00"]),
    (stamps("us", None, -62135596800000001), ["0001-12-31T23:59:59.999999 BC"]),
    (stamps("s", None, -62135596800 - 86400 * 366), ["0001-01-01T00:00:00 BC"]),
    (stamps("s", None, 9223372036854), ["294247-01-10T04:00:54"]),
    (stamps("s", None, 9999 * 86400 * 365), ["11962-05-13T00:00:00"]),
    (stamps("ms", None, -(10**15)), ["29720-04-05T22:13:20 BC"]),
]


@pytest.mark.parametrize(("array", "texts"), MOMENTS)
@pytest.mark.parametrize("zone", [None, "UTC", "Europe/Berlin", "+05:30"])
def test_moments(array: Any, texts: list[str], zone: str | None) -> None:
    """Of any unit and any year; those with a zone are told in UTC."""
    type = LogicalType("timestamptz" if zone else "timestamp")
    zoned = array.cast(pa.int64()).cast(pa.timestamp(array.type.unit, zone))
    expected = [t.replace(" BC", "Z BC") if " BC" in t else f"{t}Z" for t in texts]
    assert through(zoned, type) == (expected if zone else texts)


STRUCT = pa.struct([("a", pa.int8()), ("when", pa.timestamp("ns")), ("raw", pa.binary())])
ARRAYS: list[tuple[str, Any, list[Any]]] = [
    ("integer", pa.array([255], pa.uint8()), [255]),
    ("integer", pa.array([2**64 - 1], pa.uint64()), [2**64 - 1]),
    ("integer", pa.array([-5], pa.int8()), [-5]),
    ("integer", pa.array(["1180591620717411303424"]), [2**70]),
    ("integer", pa.array([5, 7]).dictionary_encode(), [5, 7]),
    ("integer", pa.RunEndEncodedArray.from_arrays([2, 3], [5, 7]), [5, 5, 7]),
    ("float", pa.array([0.1], pa.float32()), [0.1]),
    ("float", pa.array([0.5], pa.float16()), [0.5]),
    ("float", pa.array([math.inf, 0.1]), [math.inf, 0.1]),
    ("float", pa.array(["1152921504606846977"]), [float(2**60)]),
    ("decimal", pa.array([0.1]), [Decimal("0.1")]),
    ("decimal", pa.array([Decimal("1.50")], pa.decimal128(38, 2)), [Decimal("1.50")]),
    ("decimal", pa.array([Decimal(10**70)], pa.decimal256(76, 2)), [Decimal(10**70)]),
    ("decimal", pa.array(["1E-30"]), [Decimal("1E-30")]),
    ("boolean", pa.array([True, False]), [True, False]),
    ("boolean", pa.array([1], pa.int8()).cast(pa.bool8()), [True]),
    ("string", pa.array(["ü\n"], pa.large_string()), ["ü\n"]),
    ("string", pa.array(["a"], pa.string_view()), ["a"]),
    ("string", pa.array(["a", "b", "a"]).dictionary_encode(), ["a", "b", "a"]),
    ("string", pa.array(["ü".encode()]), ["ü"]),
    ("binary", pa.array([b"\x00\xff"]), [b"\x00\xff"]),
    ("binary", pa.array([b"\x00"], pa.large_binary()), [b"\x00"]),
    ("binary", pa.array([b"\x00"], pa.binary_view()), [b"\x00"]),
    ("binary", pa.array([b"ab"], pa.binary(2)), [b"ab"]),
    ("binary", pa.array(["00ff"]), [b"\x00\xff"]),
    ("uuid", pa.array([bytes.fromhex(UUID.replace("-", ""))], pa.binary(16)), [UUID]),
    ("uuid", pa.array([bytes.fromhex(UUID.replace("-", ""))], pa.uuid()), [UUID]),
    ("uuid", pa.array([UUID]), [UUID]),
    ("date", whole(pa.date32(), 0, 2932897), ["1970-01-01", "10000-01-01"]),
    ("date", whole(pa.date32(), -719163), ["0001-12-31 BC"]),
    ("date", whole(pa.date64(), 86_400_000), ["1970-01-02"]),
    ("date", stamps("us", None, 0), ["1970-01-01T00:00:00"]),
    ("time", whole(pa.time32("s"), 5), ["00:00:05"]),
    ("time", whole(pa.time32("ms"), 5), ["00:00:00.005000"]),
    ("time", whole(pa.time64("us"), 5), ["00:00:00.000005"]),
    ("time", whole(pa.time64("ns"), 5000, 5), ["00:00:00.000005", "00:00:00.000000005"]),
    ("string", whole(pa.duration("s"), 90), ["PT90S"]),
    ("json", pa.array([[1, None], []]), ["[1,null]", "[]"]),
    ("json", pa.array([[math.nan, 0.5]]), ['["NaN",0.5]']),
    ("json", pa.array([[1], [2, 3]], pa.large_list(pa.int8())), ["[1]", "[2,3]"]),
    ("json", pa.array([[1, 2], [3, 4]], pa.list_(pa.int8(), 2)), ["[1,2]", "[3,4]"]),
    ("json", pa.array([[1], [2, 3]], pa.list_view(pa.int8())), ["[1]", "[2,3]"]),
    ("json", pa.array([{"a": [{"b": "x"}]}]), ['{"a":[{"b":"x"}]}']),
    (
        "json",
        pa.array([{"a": 1, "when": 1, "raw": b"\x01"}, {"a": None}], STRUCT),
        [
            '{"a":1,"when":"1970-01-01T00:00:00.000000001","raw":"01"}',
            '{"a":null,"when":null,"raw":null}',
        ],
    ),
    ("json", pa.array([[("k", 1)], []], pa.map_(pa.string(), pa.int8())), ['{"k":1}', "{}"]),
    ("json", pa.array([[(1, "v")]], pa.map_(pa.int8(), pa.string())), ['[[1,"v"]]']),
    ("json", pa.array([Decimal("1.50"), None]), ["1.50", None]),
    ("json", pa.array(["text"]), ['"text"']),
    ("json", pa.array(["[1, 2]", '"x"'], pa.json_()), ["[1, 2]", '"x"']),
    ("json", pa.nulls(2), [None, None]),
]


@pytest.mark.parametrize(
    ("name", "array", "expected"), ARRAYS, ids=lambda v: str(getattr(v, "type", ""))
)
def test_every_arrow_type_has_its_form_in_a_record(
    name: str, array: Any, expected: list[Any]
) -> None:
    """With nulls around it, and as part of a longer array."""
    assert through(array, LogicalType(name)) == expected


def test_not_a_number_is_kept() -> None:
    """JSON has no form for it, so it travels as a word."""
    for array in (pa.array([math.nan]), pa.array([math.nan]).dictionary_encode()):
        assert math.isnan(through(array, LogicalType("float"))[0])


def test_json_text_is_known_by_its_mark() -> None:
    """Even where pyarrow does not know the extension; text within it stays on one line."""
    assert through(pa.array(['{"a":\n1}']), LogicalType("json"), JSON_FIELD) == ['{"a": 1}']


@pytest.mark.parametrize("text", ["{", '1,"id":2', "", "1 2"])
def test_what_is_no_json_is_refused(text: str) -> None:
    """It could end up as other fields of the record."""
    with pytest.raises(Misfit, match="expected JSON") as caught:
        through(pa.array(["{}", text]), LogicalType("json"), JSON_FIELD)
    assert caught.value.path == "$.c"


def test_binary_that_is_no_text_is_refused_in_a_column_of_text() -> None:
    """Its bytes are shown."""
    with pytest.raises(Misfit, match="expected text, got binary 0xff00"):
        through(pa.array([b"\xff\x00"]), LogicalType("string"))


def iso(moments: st.SearchStrategy[Any], *odd: str) -> st.SearchStrategy[str]:
    """Texts of moments, and now and then one that Python does not have."""
    return st.one_of(moments.map(lambda m: m.isoformat()), st.sampled_from(odd))


ZONES = st.sampled_from([dt.timezone(dt.timedelta(minutes=m)) for m in (0, 330, -660)])
TEXT = st.text(st.characters(exclude_categories=["Cs"]))
LATER = dt.datetime(1, 1, 3)
VALUES: dict[LogicalType, st.SearchStrategy[Any]] = {
    LogicalType("boolean"): st.booleans(),
    LogicalType("integer", bits=16): st.integers(-(1 << 15), (1 << 15) - 1),
    LogicalType("integer"): st.integers(),
    LogicalType("float", bits=32): st.floats(width=32) | st.sampled_from([0.1, 1e300]),
    LogicalType("float"): st.floats(),
    LogicalType("decimal", 10, 2): st.decimals(-99999999, 99999999, places=2, allow_nan=False),
    LogicalType("decimal", 60, 30): st.decimals(-(10**28), 10**28, places=20, allow_nan=False),
    LogicalType("decimal"): st.decimals(allow_nan=False, allow_infinity=False),
    LogicalType("string"): TEXT,
    LogicalType("binary"): st.binary(),
    LogicalType("binary", encoding="base64"): st.binary(),
    LogicalType("date"): iso(st.dates(), "infinity", "0044-03-15 BC", "12024-01-02"),
    LogicalType("time"): iso(st.times(), "24:00:00", "01:02:03+01:00", "01:02:03.123456789"),
    LogicalType("timestamp"): iso(st.datetimes(), "infinity", "12024-01-02T03:04:05"),
    LogicalType("timestamptz"): iso(
        st.datetimes(LATER, timezones=ZONES), "-infinity", "0044-03-15T00:00:00Z BC"
    ),
    LogicalType("uuid"): st.uuids().map(str),
    LogicalType("json"): st.recursive(
        st.none() | st.booleans() | st.integers(-(1 << 63), (1 << 63) - 1) | TEXT,
        lambda inner: st.lists(inner) | st.dictionaries(TEXT, inner),
        max_leaves=5,
    ).map(lambda value: msgspec.json.encode(value).decode()),
}
PARSERS: dict[str, Callable[[str], Any]] = {
    "time": dt.time.fromisoformat,
    "timestamp": dt.datetime.fromisoformat,
    "timestamptz": lambda text: dt.datetime.fromisoformat(text.replace("Z", "+00:00")),
}


def meant(type: LogicalType, value: Any) -> Any:
    """What is told by a value, in whatever spelling."""
    if isinstance(value, float):
        return repr(value)
    try:
        return PARSERS[type.name](value) if value is not None else None
    except (KeyError, ValueError):
        return value


@pytest.mark.parametrize(
    "type", VALUES, ids=lambda type: f"{type.name}-{type.bits or type.precision}"
)
@given(data=st.data())
def test_rows_come_back_from_arrow_as_they_were(type: LogicalType, data: st.DataObject) -> None:
    """Any values of a type, with nulls between them, those without a place in it included."""
    values = data.draw(st.lists(st.none() | VALUES[type], max_size=8))
    batch = record_batch([Column("c", type)], [(value,) for value in values])
    found = [value for (value,) in decoded(batch, type).tuples()] if values else []
    if type.name == "json":
        # A JSON null is a null.
        values = [None if value == "null" else value for value in values]
    assert [meant(type, v) for v in found] == [meant(type, v) for v in values]
