"""JSON Schema to logical types and back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kozmo_singer.wire.types import (
    LogicalType,
    columns,
    from_schema,
    resolve_refs,
    to_schema,
)

PLAIN = ("boolean", "date", "time", "timestamp", "timestamptz", "uuid", "json")
LOGICAL_TYPES = st.one_of(
    st.sampled_from([LogicalType(name) for name in PLAIN]),
    st.sampled_from([LogicalType("integer", bits=bits) for bits in (None, 16, 32, 64)]),
    st.sampled_from([LogicalType("float", bits=bits) for bits in (32, 64)]),
    st.sampled_from([LogicalType("binary", encoding=name) for name in ("base16", "base64")]),
    st.builds(LogicalType, st.just("string"), length=st.none() | st.integers(1, 1 << 30)),
    st.just(LogicalType("string", mixed=True)),
    st.just(LogicalType("decimal")),
    st.integers(1, 1000).flatmap(
        lambda p: st.builds(LogicalType, st.just("decimal"), st.just(p), st.integers(0, p))
    ),
)


@given(LOGICAL_TYPES, st.booleans(), st.sampled_from(["number", "string"]))
def test_every_logical_type_survives_the_way_through_json_schema(type, nullable, decimal_format):
    schema = to_schema(type, nullable, decimal_format)
    assert from_schema(schema) == (type, nullable)


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        ({"type": ["null", "number"]}, LogicalType("decimal")),
        ({"type": "number", "multipleOf": 0.01}, LogicalType("decimal")),
        (
            {"type": "number", "multipleOf": 1e-06, "maximum": 10**12, "minimum": -(10**12)},
            LogicalType("decimal", 18, 6),
        ),
        (
            {"type": "number", "multipleOf": 0.01, "exclusiveMaximum": 10**8},
            LogicalType("decimal", 10, 2),
        ),
        ({"type": ["string"], "format": "singer.decimal"}, LogicalType("decimal")),
        (
            {"type": "string", "format": "x-singer.decimal", "precision": 38, "scale": 9},
            LogicalType("decimal", 38, 9),
        ),
        ({"type": "string", "format": "binary"}, LogicalType("binary")),
        ({"type": "string", "contentEncoding": "base64"}, LogicalType("binary", encoding="base64")),
        ({"type": "integer", "minimum": 0, "maximum": 255}, LogicalType("integer", bits=16)),
        ({"type": "integer", "minimum": 0, "maximum": 1 << 63}, LogicalType("integer")),
        ({"type": ["integer", "number"]}, LogicalType("decimal")),
        ({"type": ["string", "integer", "null"]}, LogicalType("string", mixed=True)),
        ({"type": ["object", "null"], "properties": {}}, LogicalType("json")),
        ({"type": ["array", "string"]}, LogicalType("json")),
        ({}, LogicalType("json")),
        (True, LogicalType("json")),
        ({"enum": ["a", "b", None]}, LogicalType("string")),
        ({"const": "a"}, LogicalType("string")),
        ({"anyOf": [{"type": "integer"}, {"type": "null"}]}, LogicalType("integer")),
        (
            {"anyOf": [{"type": "string", "format": "date-time"}, {"type": ["string", "null"]}]},
            LogicalType("string"),
        ),
        ({"oneOf": [{"type": "integer"}, {"type": "number"}]}, LogicalType("decimal")),
        ({"oneOf": [{"type": "integer"}, {"type": "object"}]}, LogicalType("json")),
        ({"allOf": [{"type": "string"}, {"format": "uuid"}]}, LogicalType("uuid")),
        ({"type": "no such type"}, LogicalType("json")),
    ],
)
def test_the_dialects_of_other_taps_are_understood(schema, expected):
    assert from_schema(schema)[0] == expected


def test_null_is_allowed_where_the_schema_says_so():
    assert from_schema({"type": ["string", "null"]})[1]
    assert from_schema({"anyOf": [{"type": "string"}, {"type": "null"}]})[1]
    assert not from_schema({"type": "string"})[1]


def test_references_are_replaced_by_what_they_name():
    schema = {
        "definitions": {"id": {"type": ["integer", "null"]}, "a/b": {"$ref": "#/definitions/id"}},
        "properties": {
            "id": {"$ref": "#/definitions/id"},
            "other": {"$ref": "#/definitions/a~1b", "description": "kept"},
            "lost": {"$ref": "#/definitions/none"},
            "remote": {"$ref": "other.json"},
        },
    }
    resolved = resolve_refs(schema)["properties"]
    assert resolved["id"] == {"type": ["integer", "null"]}
    assert resolved["other"] == {"type": ["integer", "null"], "description": "kept"}
    assert resolved["lost"] == resolved["remote"] == {}


def test_a_reference_into_itself_ends():
    schema = {
        "$defs": {"tree": {"type": "object", "properties": {"up": {"$ref": "#/$defs/tree"}}}},
        "properties": {"tree": {"$ref": "#/$defs/tree"}},
    }
    assert resolve_refs(schema)["properties"]["tree"]["properties"]["up"] == {}


def test_key_columns_are_required():
    found = columns({"properties": {"id": {"type": "integer"}, "x": {}}}, ["id"])
    assert [(column.name, column.required) for column in found] == [("id", True), ("x", False)]
