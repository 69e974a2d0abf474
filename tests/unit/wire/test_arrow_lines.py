"""Lines by columns of Arrow say what lines by rows say, for every type and any value."""

from __future__ import annotations

import math
from decimal import Decimal
from typing import Any

import msgspec
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kozmo_singer.wire import Column, LogicalType, RecordEncoder
from kozmo_singer.wire.arrow_lines import (
    SPELT,
    ArrowLines,
    Token,
    arrow_lines,
    data_of,
    literal,
    number,
    texts,
)
from kozmo_singer.wire.arrow_types import logical_type
from kozmo_singer.wire.arrow_values import Misfit, encoder_columns, record_values
from kozmo_singer.wire.rows import StreamDecoder

JSON_FIELD = {"ARROW:extension:name": "arrow.json"}
WORDS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
WHOLE = st.integers(-(2**31), 2**31 - 1)
FAR = st.integers(-(2**62), 2**62)
CLOCK = st.integers(0, 86_399_999_999)
FLOATS = st.floats(width=64)
UUIDS = st.binary(min_size=16, max_size=16)
DECIMALS = st.decimals(-(10**12), 10**12, places=4)


def of(type: Any) -> Any:
    """Make an array of *type*, by way of the integers beneath where it is a moment."""
    if pa.types.is_temporal(type):
        beneath = pa.int32() if type.bit_width == 32 else pa.int64()
        return lambda values: pa.array(values, beneath).cast(type)
    return lambda values: pa.array(values, type)


KINDS: dict[str, tuple[Any, Any]] = {
    "int8": (of(pa.int8()), st.integers(-128, 127)),
    "int64": (of(pa.int64()), FAR),
    "uint64": (of(pa.uint64()), st.integers(0, 2**64 - 1)),
    "bool": (of(pa.bool_()), st.booleans()),
    "float": (of(pa.float64()), FLOATS),
    "float32": (of(pa.float32()), st.floats(width=32)),
    "float16": (of(pa.float16()), st.floats(width=16)),
    "decimal": (of(pa.decimal128(20, 4)), DECIMALS),
    "decimal256": (of(pa.decimal256(60, 4)), DECIMALS),
    "string": (of(pa.string()), WORDS),
    "large_string": (of(pa.large_string()), WORDS),
    "binary": (of(pa.binary()), st.binary(max_size=9)),
    "fixed": (of(pa.binary(4)), st.binary(min_size=4, max_size=4)),
    "uuid": (of(pa.uuid()), UUIDS),
    "date32": (of(pa.date32()), st.integers(-800_000, 3_000_000)),
    "date64": (lambda v: pa.array(v, pa.int32()).cast(pa.date32()).cast(pa.date64()), WHOLE),
    "time_s": (of(pa.time32("s")), st.integers(0, 86_399)),
    "time_us": (of(pa.time64("us")), CLOCK),
    "time_ns": (of(pa.time64("ns")), CLOCK),
    "moment_s": (of(pa.timestamp("s")), WHOLE),
    "moment_ms": (of(pa.timestamp("ms")), st.integers(-(10**15), 10**15)),
    "moment_us": (of(pa.timestamp("us", "Europe/Berlin")), FAR),
    "moment_ns": (of(pa.timestamp("ns", "UTC")), FAR),
    "duration": (of(pa.duration("us")), WHOLE),
    "dictionary": (lambda v: pa.array(v, pa.string()).dictionary_encode(), WORDS),
    "list": (of(pa.list_(pa.int32())), st.lists(WHOLE, max_size=3)),
    "struct": (
        of(pa.struct([("a", pa.string()), ("b", pa.float64())])),
        st.fixed_dictionaries({"a": WORDS, "b": FLOATS}),
    ),
    "map": (of(pa.map_(pa.string(), pa.int8())), st.just([("k", 1), ("l", 2)])),
    "null": (of(pa.null()), st.none()),
}


def both(array: Any, type: LogicalType, metadata: Any = None) -> tuple[list[Any], list[Any]]:
    """What a reader gets of *array* by columns, and by rows."""
    schema = pa.schema([pa.field("c\"'", array.type, metadata=metadata), pa.field("n", pa.int8())])
    batch = pa.RecordBatch.from_arrays([array, pa.nulls(len(array), pa.int8())], schema=schema)
    columns = [Column("c\"'", type), Column("n", LogicalType("integer"))]
    types = {column.name: column.type for column in columns}
    rows = RecordEncoder("s", encoder_columns(schema, types)).encode(record_values(batch, types))
    lines = RecordEncoder("s", columns).encode(arrow_lines(batch, columns))
    return decoded(lines, columns), decoded(rows, columns)


def decoded(lines: bytes, columns: list[Column]) -> list[Any]:
    """The rows of lines; floats that are none can be compared."""
    split = lines.split(b"\n")[:-1]
    rows = StreamDecoder("s", columns, pytest.fail).decode(split, range(1, len(split) + 1))
    return [tuple(repr(v) if v != v else v for v in row) for row in rows.tuples()]


@settings(max_examples=60, deadline=None)
@given(st.data())
@pytest.mark.parametrize("kind", KINDS)
def test_every_type(kind: str, data: st.DataObject) -> None:
    """With nulls, cut out of a longer array, whatever the values are."""
    make, values = KINDS[kind]
    array = make(data.draw(st.lists(st.none() | values, min_size=1, max_size=12)))
    start = data.draw(st.integers(0, len(array) - 1))
    part = array.slice(start)
    type = logical_type(pa.field("c", array.type))
    by_columns, by_rows = both(part, type)
    assert by_columns == by_rows
    assert len(by_columns) == len(part)


MORE = [
    (pa.array(["12", None, "x"]), LogicalType("integer", mixed=False), None),
    (pa.array(["a", "b"], pa.string_view()), LogicalType("string"), None),
    (pa.array([b"\x00\xff", None]), LogicalType("binary", encoding="base64"), None),
    (pa.array([b"ab", b"c"]), LogicalType("string"), None),
    (pa.array([b"0123456789abcdef"], pa.binary(16)), LogicalType("uuid"), None),
    (pa.array(['{"a": [1.50, "\\n"]}', None, "7"]), LogicalType("json"), JSON_FIELD),
    (pa.array([1, None], pa.int8()).cast(pa.bool8()), LogicalType("boolean"), None),
    (pa.RunEndEncodedArray.from_arrays([2, 3], [5, 7]), LogicalType("integer"), None),
    (pa.array([math.inf, -math.inf, math.nan]), LogicalType("float"), None),
    (pa.array([1e22, 1e-7, -0.0, 1.0]), LogicalType("float"), None),
    (pa.array([], pa.string()), LogicalType("string"), None),
]


@pytest.mark.parametrize(("array", "type", "metadata"), MORE)
def test_other_pairs_of_types(array: Any, type: LogicalType, metadata: Any) -> None:
    """Encodings of Arrow, binary in two spellings, digits that came as text, documents."""
    if type.name == "integer" and pa.types.is_string(array.type):
        array = array.slice(0, 2)
    by_columns, by_rows = both(array, type, metadata)
    assert by_columns == by_rows


@pytest.mark.parametrize(
    ("array", "type", "metadata"),
    [
        (pa.array([b"\xff"]), LogicalType("string"), None),
        (pa.array(["{"]), LogicalType("json"), JSON_FIELD),
    ],
)
def test_a_value_that_no_record_can_hold(array: Any, type: LogicalType, metadata: Any) -> None:
    """Is said with the path of its field, either way."""
    with pytest.raises(Misfit) as raised:
        both(array, type, metadata)
    assert raised.value.path == '$["c\\"\'"]'


def test_digits_that_are_marked_stay_as_they_are() -> None:
    """1.50 keeps its zero, and an integer of any size its digits."""
    field = pa.field("n", pa.string(), metadata=SPELT)
    values = ["1.50", None, "123456789012345678901234567890", "true"]
    batch = pa.RecordBatch.from_arrays([pa.array(values)], schema=pa.schema([field]))
    lines = RecordEncoder("s", [COLUMN]).encode(arrow_lines(batch, [COLUMN]))
    records = [line.partition(b'"record":')[2] for line in lines.split(b"\n")[:-1]]
    assert records == [b'{"n":%s}}' % (v or "null").encode() for v in values]


COLUMN = Column("n", LogicalType("decimal"))


def test_rows_can_be_looked_at_and_cut() -> None:
    """A row is a tuple; a part has its own lines; a constant column costs nothing."""
    columns = [COLUMN, Column("s", LogicalType("string")), Column("k", LogicalType("string"))]
    tokens = [
        Token(texts(["1", None, "3"])),
        Token(texts(["a", "b", "\\n"]), quoted=True),
        Token(None, constant=b'"x"'),
    ]
    rows = ArrowLines(tokens, 3, columns)
    found = [(n if n is None else Decimal(bytes(n).decode()), s, k) for n, s, k in rows]
    assert found == [(Decimal(1), "a", "x"), (None, "b", "x"), (Decimal(3), "\n", "x")]
    part = RecordEncoder("s", columns).encode(rows[1:3]).split(b"\n")[:-1]
    assert [msgspec.json.decode(line)["record"] for line in part] == [
        {"n": None, "s": "b", "k": "x"},
        {"n": 3, "s": "\n", "k": "x"},
    ]
    assert RecordEncoder("s", columns[2:]).encode(ArrowLines(tokens[2:], 2, columns[2:])) == (
        b'{"type":"RECORD","stream":"s","record":{"k":"x"}}\n' * 2
    )


def test_arrays_made_without_pyarrows_own_conversions() -> None:
    """They are what pa.array makes, nulls and all."""
    values = ["a", None, "", "ü", None, *"defghijk"]
    made = texts(values)
    made.validate(full=True)
    assert made.to_pylist() == values
    assert texts([]).to_pylist() == []
    assert (literal("x").as_py(), number(-3).as_py()) == ("x", -3)
    assert data_of(made.slice(2, 2)) == "ü".encode()
