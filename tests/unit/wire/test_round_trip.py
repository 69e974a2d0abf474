"""Any row of any schema survives encode -> decode, exactly."""

import datetime as dt
import io
import json
import math
from decimal import Decimal

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kozmo_singer.wire import (
    Column,
    LogicalType,
    Reader,
    RecordEncoder,
    Rows,
    Schema,
    dumps,
    schema_line,
    to_schema,
)

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=8,
)
TEXT = st.text(st.characters())  # lone surrogates included
TIMES = st.datetimes(dt.datetime(1000, 1, 1), dt.datetime(9999, 1, 1))
NON_FINITE = {
    "nan": "NaN", "NaN": "NaN", "-NaN": "NaN", "inf": "Infinity", "-inf": "-Infinity",
    "Infinity": "Infinity", "-Infinity": "-Infinity",
}  # fmt: skip
VALUES = {
    "boolean": st.booleans(),
    "integer": st.integers(),
    "float": st.floats(),
    "decimal": st.decimals(allow_nan=True, allow_infinity=True).filter(lambda d: not d.is_snan()),
    "string": TEXT,
    "binary": st.binary(),
    "date": st.dates(dt.date(1000, 1, 1)),
    "time": st.times(),
    "timestamp": TIMES,
    "timestamptz": TIMES.map(lambda value: value.replace(tzinfo=dt.timezone.utc)),
    "uuid": st.uuids(),
    "json": JSON,
}


@st.composite
def tables(draw):
    """Columns of any types under any names, and rows of them with nulls."""
    names = draw(st.lists(TEXT.filter(_is_utf8), unique=True, max_size=6))
    types = [LogicalType(draw(st.sampled_from(sorted(VALUES)))) for _ in names]
    found = [Column(name, type) for name, type in zip(names, types, strict=True)]
    row = st.tuples(*(st.none() | VALUES[type.name] for type in types))
    return found, draw(st.lists(row, max_size=6))


def _is_utf8(text):
    return not any("\ud800" <= c <= "\udfff" for c in text)


def sent(columns, rows, stream="s", **options):
    """The messages that arrive when *rows* are sent."""
    properties = {column.name: to_schema(column.type) for column in columns}
    lines = schema_line(stream, {"properties": properties}, [])
    lines += RecordEncoder(stream, columns, **options).encode(rows, "2024-01-01T00:00:00Z")
    return list(Reader(io.BytesIO(lines)))


def wire_form(value, type):
    """What must arrive for *value*: text for what is text in JSON, the value itself otherwise."""
    if value is None or type.name in ("boolean", "integer", "float", "decimal", "binary"):
        return value
    if type.name == "json":
        return value
    return msgspec.to_builtins(value)


@settings(max_examples=300, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(tables())
def test_rows_arrive_as_they_were_sent(table):
    columns, rows = table
    messages = sent(columns, rows)
    got = [row for message in messages if isinstance(message, Rows) for row in message.tuples()]
    assert len(got) == len(rows)
    for arrived, row in zip(got, rows, strict=True):
        for a, value, column in zip(arrived, row, columns, strict=True):
            if column.type.name == "json" and a is not None:
                a = json.loads(a)
            expected = wire_form(value, column.type)
            nan = isinstance(expected, float | Decimal) and math.isnan(expected)
            assert math.isnan(a) if nan else a == expected, (column, value, a)
            assert nan or type(a) is type(expected)


@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(tables())
def test_records_sent_on_are_the_same_rows(table):
    """What a target writes as JSON says the same as what it read."""
    columns, rows = table
    for message in sent(columns, rows):
        if not isinstance(message, Rows):
            continue
        again = [json.loads(record, parse_float=Decimal) for record in message.records()]
        assert [list(record) for record in again] == [[c.name for c in columns]] * len(message)
        for record, row in zip(again, message.tuples(), strict=True):
            for column, value in zip(columns, row, strict=True):
                if column.type.name in ("string", "integer", "boolean"):
                    assert record[column.name] == value
                if column.type.name in ("decimal", "float") and value is not None:
                    found = record[column.name]
                    if column.type.name == "float" and math.isfinite(value):
                        found = float(found)
                    assert found == (value if math.isfinite(value) else NON_FINITE[str(value)])


@given(st.lists(st.tuples(st.integers(), st.text()), min_size=1, max_size=50))
def test_every_line_is_one_json_object_of_the_strict_form(rows):
    columns = [Column("id", LogicalType("integer")), Column("t", LogicalType("string"))]
    lines = RecordEncoder("s", columns, version=7).encode(rows, "2024-01-01T00:00:00Z")
    assert lines.endswith(b"\n")
    parsed = [json.loads(line) for line in lines[:-1].split(b"\n")]
    assert [(p["record"]["id"], p["record"]["t"]) for p in parsed] == rows
    assert all(list(p) == ["type", "stream", "record", "version", "time_extracted"] for p in parsed)
    assert {p["type"] for p in parsed} == {"RECORD"}


def test_version_and_time_arrive():
    columns = [Column("id", LogicalType("integer"))]
    schema, rows = sent(columns, [(1,), (2,)], version=3)
    assert isinstance(schema, Schema)
    assert rows.versions == [3, 3]
    assert rows.extracted == ["2024-01-01T00:00:00Z"] * 2
    assert rows.lines == [2, 3]


def test_no_rows_are_no_lines():
    assert RecordEncoder("s", []).encode([]) == b""


def test_numbers_that_are_none_have_one_spelling_each():
    values = [Decimal("sNaN"), Decimal("-NaN"), Decimal("-Infinity"), float("nan"), float("inf")]
    assert dumps(values) == b'["NaN","NaN","-Infinity","NaN","Infinity"]'
    assert dumps([Decimal("-1e400"), Decimal("sNaN")]) == b'[-1E+400,"NaN"]'


def test_nested_numbers_without_a_json_form_are_not_lost():
    columns = [Column("j", LogicalType("json"))]
    *_, rows = sent(columns, [({"a": [float("nan"), Decimal("1.10"), 2**70]},)])
    assert rows.tuples() == [('{"a":["NaN",1.10,1180591620717411303424]}',)]
