"""Logical types as Arrow types, and rows as record batches."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest

from kozmo_singer.wire.arrow import arrow_array, arrow_schema, arrow_type, record_batch
from kozmo_singer.wire.types import Column, LogicalType

TYPES = [
    (LogicalType("boolean"), "bool"),
    (LogicalType("integer", bits=16), "int16"),
    (LogicalType("integer", bits=32), "int32"),
    (LogicalType("integer", bits=64), "int64"),
    (LogicalType("integer"), "int64"),
    (LogicalType("float", bits=32), "float"),
    (LogicalType("float"), "double"),
    (LogicalType("decimal", 38, 4), "decimal128(38, 4)"),
    (LogicalType("decimal", 39, 4), "decimal256(39, 4)"),
    (LogicalType("decimal", 77, 4), "string"),
    (LogicalType("decimal"), "string"),
    (LogicalType("string"), "string"),
    (LogicalType("string", mixed=True), "string"),
    (LogicalType("binary"), "binary"),
    (LogicalType("date"), "date32[day]"),
    (LogicalType("time"), "time64[us]"),
    (LogicalType("timestamp"), "timestamp[us]"),
    (LogicalType("timestamptz"), "timestamp[us, tz=UTC]"),
    (LogicalType("uuid"), "string"),
    (LogicalType("json"), "string"),
]


@pytest.mark.parametrize(("type", "name"), TYPES)
def test_every_logical_type_has_an_arrow_type(type: LogicalType, name: str) -> None:
    """And an empty column and one of nulls have that type too."""
    assert str(arrow_type(type)) == name
    assert str(arrow_array(type, []).type) == name
    assert arrow_array(type, [None]).to_pylist() == [None]
    column = Column("c", type)
    assert record_batch([column], []).schema.equals(arrow_schema([column]), check_metadata=True)


@pytest.mark.parametrize(
    ("type", "value"),
    [
        (LogicalType("integer", bits=16), 1 << 15),
        (LogicalType("integer"), 1 << 63),
        (LogicalType("float"), (1 << 60) + 1),
        (LogicalType("decimal", 4, 2), Decimal("1.234")),
        (LogicalType("decimal", 4, 2), Decimal("123")),
        (LogicalType("decimal", 4, 2), Decimal("NaN")),
        (LogicalType("date"), "infinity"),
        (LogicalType("date"), "0044-03-15 BC"),
        (LogicalType("time"), "24:00:00"),
        (LogicalType("time"), "01:02:03+01:00"),
        (LogicalType("timestamp"), "0000-12-31T00:00:00"),
        (LogicalType("timestamp"), "2024-01-02T03:04:05.1234567"),
        (LogicalType("timestamptz"), "12024-01-02T03:04:05Z"),
        (LogicalType("timestamptz"), "2024-01-02T03:04:05"),
    ],
)
def test_a_value_without_a_place_in_its_type_makes_its_column_text(
    type: LogicalType, value: Any
) -> None:
    """As a whole, with nothing cut or guessed."""
    array = arrow_array(type, [None, value])
    assert array.type == pa.string()
    assert array.to_pylist() == [None, str(value)]


def test_a_float_of_32_bit_that_is_none_comes_in_64() -> None:
    """The shortest name of a float is what tells it: 0.1 is in 32 bit what it was."""
    short = LogicalType("float", bits=32)
    assert arrow_array(short, [0.1, None, float("nan")]).type == pa.float32()
    assert arrow_array(short, [0.1, 0.123456789]).to_pylist() == [0.1, 0.123456789]
    assert arrow_array(short, [1e300]).to_pylist() == [1e300]


def test_json_text_is_told_from_strings() -> None:
    """By the mark of Arrow's own extension type."""
    schema = arrow_schema([Column("j", LogicalType("json")), Column("s", LogicalType("string"))])
    assert schema.field("j").metadata[b"ARROW:extension:name"] == b"arrow.json"
    assert schema.field("s").metadata is None


def test_half_of_a_character_is_refused() -> None:
    """UTF-8 has no form for it."""
    with pytest.raises(UnicodeEncodeError):
        record_batch([Column("s", LogicalType("string"))], [("\ud800",)])
