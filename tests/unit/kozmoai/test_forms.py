"""Rows from the wire as the JSON that Data takes: the same whichever way is quicker."""

import io
import json
import math
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kozmo_singer.systems.kozmoai.flow import unescapable
from kozmo_singer.systems.kozmoai.forms import RecordWriter, row_columns
from kozmo_singer.systems.kozmoai.template import TextTemplate
from kozmo_singer.wire.decode import Reader
from kozmo_singer.wire.encode import RecordEncoder, dumps, schema_line
from kozmo_singer.wire.rows import Rows
from kozmo_singer.wire.types import Column, LogicalType, to_schema

COLUMNS = [
    Column("id", LogicalType("integer")),
    Column("name", LogicalType("string")),
    Column("x", LogicalType("float", bits=64)),
    Column("price", LogicalType("decimal", 12, 2)),
    Column("free", LogicalType("decimal")),
    Column("raw", LogicalType("binary")),
    Column("raw64", LogicalType("binary", encoding="base64")),
    Column("tree", LogicalType("json")),
    Column("at", LogicalType("timestamptz")),
    Column("ok", LogicalType("boolean")),
    Column("any", LogicalType("string", mixed=True)),
]
PLAIN = [c for c in COLUMNS if c.name not in ("raw", "any")]
NESTED = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=4) | st.floats(allow_nan=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=5,
)
VALUES = {
    "id": st.integers(-(2**70), 2**70),
    "name": st.text(max_size=8) | st.sampled_from(["NaN", "Infinity", "\\udead", '"', "\\n", "\n"]),
    "x": st.floats(),
    "price": st.decimals(-(10**9), 10**9, places=2),
    "free": st.sampled_from(["NaN", "Infinity", "-Infinity", "1E+30", "1E+999"]).map(Decimal)
    | st.decimals(allow_nan=False, allow_infinity=False)
    | st.integers(-(10**20), 10**20).map(Decimal),
    "raw": st.binary(max_size=5),
    "raw64": st.binary(max_size=5),
    "tree": NESTED,
    "at": st.just("2024-01-02T03:04:05+05:00"),
    "ok": st.booleans(),
    "any": st.text(max_size=5) | st.integers() | st.booleans(),
}


def sent(columns: list[Column], rows: list[tuple]) -> list[Rows]:
    """The rows as they come out of a pipe."""
    schema = {"properties": {c.name: to_schema(c.type) for c in columns}}
    lines = schema_line("s", schema, []) + RecordEncoder("s", columns).encode(rows)
    return [message for message in Reader(io.BytesIO(lines)) if isinstance(message, Rows)]


def rows_of(columns: list[Column]) -> st.SearchStrategy[list[tuple]]:
    """Any rows of *columns*, with gaps."""
    return st.lists(st.tuples(*(st.none() | VALUES[c.name] for c in columns)), max_size=5)


def _alike(one, other) -> bool:
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(_alike(one[k], other[k]) for k in one)
    if isinstance(one, list):
        return len(one) == len(other) and all(map(_alike, one, other))
    return one == other and isinstance(one, str) == isinstance(other, str)


@pytest.mark.parametrize("columns", [COLUMNS, PLAIN], ids=["respelt", "passed on"])
def test_lines_and_objects_have_the_same_forms(columns):
    """What target-kozmo writes is what Batch.to_data() holds, for any row."""

    @settings(max_examples=60)
    @given(rows_of(columns))
    def check(rows):
        names = [column.name for column in columns]
        for part in sent(columns, rows):
            written = [json.loads(record) for record in RecordWriter(columns).records(part)]
            forms = zip(*row_columns(columns, part.tuples()), strict=True)
            held = [dict(zip(names, row, strict=True)) for row in forms]
            assert _alike(written, held)
            json.dumps(held, allow_nan=False).encode()

    check()


@given(st.decimals(allow_nan=False, allow_infinity=False))
def test_a_decimal_loses_no_digit(value):
    """It is a number only where the float behind it has the same digits."""
    ((found,),) = row_columns([Column("d", LogicalType("decimal"))], [(value,)])
    if isinstance(found, float):
        assert Decimal(repr(found)) == value
    else:
        assert Decimal(found) == value


@given(st.decimals(-(10**12), 10**12, places=3))
def test_a_decimal_of_few_digits_is_always_a_number(value):
    """So that a column of prices has one type."""
    ((found,),) = row_columns([Column("d", LogicalType("decimal", 15, 3))], [(value,)])
    assert type(found) is float
    assert Decimal(repr(found)) == value


def test_a_column_of_one_type_without_gaps_is_passed_on():
    """Booleans, integers and text cost nothing."""
    columns = [Column("a", LogicalType("integer")), Column("b", LogicalType("string"))]
    assert row_columns(columns, [(1, "x"), (2, "y")]) == [(1, 2), ("x", "y")]
    assert row_columns(columns, []) == [(), ()]
    assert row_columns([Column("x", LogicalType("float"))], [(1e308,), (1e308,), (None,)]) == [
        (1e308, 1e308, None) if math.isfinite(2e308) else [1e308, 1e308, None]
    ]


def test_a_template_goes_in_front_of_each_record():
    """Under the text's key, also where the stream has no columns or odd names."""
    columns = [Column("a", LogicalType("string")), Column('q"\\', LogicalType("integer"))]
    (part,) = sent(columns, [("x\n", 1), (None, None)])
    writer = RecordWriter(columns, TextTemplate('{q"\\}: {a}'), 'te"xt')
    assert [json.loads(record) for record in writer.records(part)] == [
        {'te"xt': "1: x\n", "a": "x\n", 'q"\\': 1},
        {'te"xt': ": ", "a": None, 'q"\\': None},
    ]
    (bare,) = sent([], [(), ()])
    assert RecordWriter([], TextTemplate("hello")).records(bare) == [b'{"text":"hello"}'] * 2


@given(NESTED | st.text())
def test_json_for_the_host_has_no_backslash_before_an_n(value):
    """What the host does to a text value then changes nothing, and it reads as it did."""
    text = unescapable(dumps(value))
    assert rb"\n" not in text
    assert text.replace(rb"\n", b"\n") == text
    assert json.loads(text) == json.loads(dumps(value))
