"""One text for each value, and sums that see everything but the order."""

import json
import random
from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kozmo_singer.wire.sums import Summing, canonical, number
from kozmo_singer.wire.types import LogicalType

SAME = [
    ("integer", ["5", '"5"', "5.0", "5e0", "0.5e1"], "5"),
    ("integer", ["-0", "0", "0.0"], "0"),
    ("decimal", ["1.50", "1.5", '"1.500"', "15e-1"], "1.5"),
    ("decimal", ["98800", "9.88e4"], "98800"),
    ("decimal", ["0.00000012", "1.2E-7"], "0.00000012"),
    ("decimal", ["-1234.56"], "-1234.56"),
    ("float", ["1e308", "1e+308"], "1" + 308 * "0"),
    ("float", ['"NaN"', '"nan"'], "NaN"),
    ("float", ['"-Infinity"', '"-inf"'], "-Infinity"),
    ("decimal", ["1e999999999"], "1e999999999"),
    ("string", ['"a"', '"\\u0061"'], "a"),
    ("string", ["1.0", '"1.0"'], "1.0"),
    ("string", ["true", '"true"'], "true"),
    ("string", ['"\\ud800"'], "\ud800"),
    ("binary", ['"00FF"', '"00ff"'], "00ff"),
    ("boolean", ["true"], "true"),
    ("uuid", ['"8D1B1A3C-0D55-4C55-9C0E-000000000001"'], "8d1b1a3c-0d55-4c55-9c0e-000000000001"),
    ("date", ['"2024-02-29"', '"2024-02-29T00:00:00Z"'], "2024-02-29"),
    ("date", ['"0044-03-15 BC"'], "0044-03-15 BC"),
    ("date", ['"infinity"'], "infinity"),
    ("time", ['"23:59:59.500000"', '"23:59:59.5"'], "23:59:59.5"),
    ("time", ['"23:59:00.000"', '"23:59:00"'], "23:59:00"),
    (
        "timestamptz",
        [
            '"2024-02-29T07:04:56.789000Z"', '"2024-02-29 12:34:56.789+05:30"',
            '"2024-02-29T07:04:56.789"', '"2024-02-29 07:04:56.789+00"',
            '"2024-02-28T23:04:56.789-0800"',
        ],
        "2024-02-29 07:04:56.789+00",
    ),
    ("timestamp", ['"2024-02-29T00:00:00Z"', '"2024-02-29"'], "2024-02-29 00:00:00+00"),
    ("timestamp", ['"12024-01-01T00:00:00Z"'], "12024-01-01 00:00:00+00"),
    ("timestamp", ['"0044-03-15 01:02:03+00 BC"'], "0044-03-15 01:02:03+00 BC"),
    ("timestamptz", ['"0001-01-01T00:30:00+01:00"'], "0001-01-01T00:30:00+01:00"),
    ("timestamptz", ['"infinity"'], "infinity"),
    ("json", ['{"b":1.10,"a":[1,null]}', '{ "a": [1.0, null],\n "b": 1.1 }'], None),
    ("json", ['{"\\u0061":"\\u00e9"}', '{"a":"é"}'], '{"a":"é"}'),
]  # fmt: skip


DOCUMENTS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@pytest.mark.parametrize(("kind", "spellings", "expected"), SAME)
def test_each_value_has_one_text(kind, spellings, expected):
    """However it is spelt."""
    text = canonical(LogicalType(kind))
    found = {text(msgspec.Raw(each.encode())) for each in spellings}
    assert len(found) == 1
    assert expected in (None, *found)


def test_bytes_in_either_base():
    both = LogicalType("binary", encoding="base64"), LogicalType("binary")
    values = msgspec.Raw(b'"AP8="'), msgspec.Raw(b'"00ff"')
    assert [canonical(t)(v) for t, v in zip(both, values, strict=True)] == ["00ff", "00ff"]


@given(st.decimals(allow_nan=False, allow_infinity=False))
def test_a_number_keeps_its_value(value):
    """As a plain number that any database prints as well."""
    text = number(value)
    assert Decimal(text) == value
    assert not text.endswith("0") or "." not in text


@given(DOCUMENTS)
def test_json_keeps_its_value(value):
    text = canonical(LogicalType("json"))(msgspec.Raw(json.dumps(value, indent=1).encode()))
    assert json.loads(text) == value


ROWS = st.lists(st.tuples(st.none() | st.text(), st.none() | st.text()), max_size=8)


def _sum(rows):
    found = Summing()
    found.add(rows)
    return found.sum


@given(ROWS, st.randoms())
def test_the_order_does_not_matter(rows, chance: random.Random):
    assert _sum(chance.sample(rows, len(rows))) == _sum(rows)


@given(ROWS, ROWS)
def test_only_equal_rows_have_equal_sums(one, other):
    """A row twice, a text that moved to the next column, null and the empty text: all differ."""
    same = sorted(map(repr, one)) == sorted(map(repr, other))
    assert (_sum(one) == _sum(other)) == same


def test_a_row_that_is_there_twice_counts_twice():
    once, twice = _sum([("a", "b")]), _sum([("a", "b"), ("a", "b")])
    assert (once.rows, twice.rows) == (1, 2)
    assert once.hash != twice.hash
