"""JSON documents: records at a path are cut out exactly, wherever the pieces of the file end."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kozmo_singer.errors import ReadError
from kozmo_singer.systems.formats.json_path import parsed_path
from kozmo_singer.systems.formats.json_scan import Scanner
from reading import read

LEAVES = st.none() | st.booleans() | st.integers() | st.text(st.sampled_from('a"\\{}[],:\né'))
VALUES = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from('ab"{]'), inner, max_size=3)
    ),
    max_leaves=8,
)
RECORDS = st.lists(st.dictionaries(st.sampled_from("abc"), VALUES, max_size=3), max_size=5)


def scanned(text: str, path: str, size: int) -> list[Any]:
    """The records at *path*, where the text comes in pieces of *size* bytes."""
    content = text.encode()
    pieces: Iterator[bytes] = iter(content[i : i + size] for i in range(0, len(content), size))
    found = Scanner(pieces, 1 << 20).records(parsed_path(path))
    records = [record for part in found for record in part]
    assert not any(b"\n" in record for record in records)
    return [json.loads(record) for record in records]


@settings(max_examples=200, deadline=None)
@given(RECORDS, VALUES, st.integers(1, 60), st.sampled_from([None, 1]))
def test_records_are_found(records: list[Any], other: Any, size: int, indent: int | None) -> None:
    """In an array, at a path, in several arrays, and one after the other."""
    for path, document in [
        ("", records),
        ("$[*].r", [{"r": [record], "o": other} for record in records]),
        ("data.items", {"a": other, "data": {"x": other, "items": records}, "z": other}),
        ("$['data'].items[*]", {"data": {"items": records}}),
        ("pages[*].r", {"pages": [{"r": records[:2]}, {"o": 1, "r": records[2:]}]}),
    ]:
        assert scanned(json.dumps(document, indent=indent), path, size) == records
    several = "\n".join(json.dumps(record, indent=indent) for record in records)
    assert scanned(several, "", size) == records


def test_types_and_digits() -> None:
    """Are those of JSON Lines: numbers exact, texts text, the rest JSON."""
    text = b'[{"i": 12345678901234567890123, "d": 1.50, "t": "2024-01-01"},\n {"d": 2, "j": [1]}]'
    found = read("json", text)
    assert found.types == {"i": "integer", "d": "decimal", "t": "string", "j": "json"}
    assert found.records == [
        {"i": 12345678901234567890123, "d": 1.5, "t": "2024-01-01", "j": None},
        {"i": None, "d": 2, "t": None, "j": [1]},
    ]
    assert found.look.rows == 2


def test_a_run_goes_on_behind_rows() -> None:
    """That it has read."""
    text = json.dumps([{"id": number} for number in range(100)]).encode()
    assert [r["id"] for r in read("json", text, skip=98).records] == [98, 99]


def test_one_object_is_a_row() -> None:
    """And null is no record."""
    assert read("json", b' {"a": 1} ').records == [{"a": 1}]
    assert read("json", b'{"data": null}', json_path=("data",)).records == []
    assert read("json", b'{"data": {"a": 1}}', json_path=("data",)).records == [{"a": 1}]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32"])
def test_marks_tell_encodings(encoding: str) -> None:
    """Of Unicode."""
    assert read("json", '[{"a": "ü"}]'.encode(encoding)).records == [{"a": "ü"}]


FAULTS = [
    ('[{"a":1},\n{"a":1', "line 2: the file ends within a value"),
    ('[{"a":1}', "expected a comma or ], the file ends"),
    ('[{"a":1},]', "a comma before ]"),
    ('[{"a":1} {"a":2}]', "expected a comma or ], got '{'"),
    ('[{"a":1},\n\n{"a":1 "b":2}]', "line 3: Expecting ',' delimiter"),
    ('[{"a":"x\ny"}]', "Invalid control character"),
    ("[1]", "expected an object"),
    ("nonsense", "line 1: Expecting value"),
    ('{"a":1}]', "expected a value, got ']'"),
    ('[{"a":' + "[" * 100_000 + "]" * 100_000 + "}]", "nested too deeply"),
    ("[" * 100_000, "the file ends within a value"),
    ('[{"a":' + "9" * 5000 + "}]", "digits"),
]


@pytest.mark.parametrize(("text", "words"), FAULTS, ids=[words for _, words in FAULTS])
def test_what_is_no_json_is_told(text: str, words: str) -> None:
    """With the line on which it is."""
    with pytest.raises(ReadError) as raised:
        read("json", text.encode())
    assert words in str(raised.value)


def test_a_path_that_is_not_there() -> None:
    """Is told with what is."""
    with pytest.raises(ReadError, match="no 'rows' in data; it has items, next"):
        read("json", b'{"data": {"items": [], "next": 1}}', json_path=("data", "rows"))
    with pytest.raises(ReadError, match="expected an array at data, got '{'"):
        read("json", b'{"data": {"items": []}}', json_path=("data", None))


def test_values_that_are_too_long() -> None:
    """Are refused; the whole document may be meant to be entered."""
    text = json.dumps({"data": [{"id": number} for number in range(1000)]}).encode()
    with pytest.raises(ReadError, match="longer than 1024 bytes; where records .*: json_path"):
        read("json", text * 300, row_bytes=1024)
    assert len(read("json", text, row_bytes=1024, json_path=("data",)).records) == 1000


@pytest.mark.parametrize("path", ["a..b", "a[0]", "a[", "$.", "[x]"])
def test_paths_that_are_none(path: str) -> None:
    """Are refused."""
    with pytest.raises(ValueError, match="json_path names members and arrays"):
        parsed_path(path)
