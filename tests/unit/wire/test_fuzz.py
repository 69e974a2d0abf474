"""Lines of any kind: what is taken is what Python's json would take, and the rest is refused."""

from __future__ import annotations

import io
import json
import random
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kozmo_singer.errors import RecordError
from kozmo_singer.wire import Reader, Rows

SCHEMA = (
    b'{"type":"SCHEMA","stream":"t","key_properties":[],"schema":{"type":"object","properties":{'
    b'"i":{"type":["integer","null"]},"n":{"type":["number","null"]},"b":{"type":["boolean","null"]},'
    b'"s":{"type":["string","null"]},"j":{"type":["object","array","string","null"]}}}}'
)
NAMES = ("i", "n", "b", "s", "j")
PIECES = (
    b'{"type":"RECORD","stream":"t","record":', b'"i":', b'"n":', b'"b":', b'"s":', b'"j":', b"{",
    b"}", b"[", b"]", b",", b":", b'"', b"\\", b'\\"', b"\\u", b"\\ud800", b"\\udc00", b"\\u0000",
    b"\x00", b"\xff", b"\xc3\xa9", b"\xed\xa0\x80", b"\xf0\x9f\xa6\x80", b"null", b"true", b"false",
    b"0", b"-0", b"01", b"1", b"-", b"+", b".", b"e", b"E", b"1.50", b"1e400", b"1E-400",
    b"123456789012345678901234567890", b"NaN", b"Infinity", b"-Infinity", b" ", b"\t", b"\r",
    b"[" * 600, b"}}", b'"x"', b'"type":"STATE"', b'"stream":"u"', b'"record":{}', b"// no",
)  # fmt: skip
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters())
    | st.sampled_from(["", "2024-01-01", "1.50"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


def lines() -> st.SearchStrategy[bytes]:
    """Records that are whole, spelt in any way that JSON allows."""
    record = st.dictionaries(st.sampled_from([*NAMES, "extra"]), VALUES, max_size=6)
    return st.builds(_spelt, record, st.booleans(), st.sampled_from([None, (",", ":")]))


def _spelt(record: dict[str, Any], ascii: bool, separators: Any) -> bytes:
    message = {"type": "RECORD", "stream": "t", "record": record}
    text = json.dumps(message, ensure_ascii=ascii, separators=separators)
    return text.encode("utf-8", "surrogatepass")


def broken(line: bytes, seed: int) -> bytes:
    """Return *line* with some of its parts cut out, doubled or replaced."""
    dice = random.Random(seed)
    for _ in range(dice.randrange(4)):
        at, end = sorted(dice.choices(range(len(line) + 1), k=2))
        middle = dice.choice((b"", line[at:end] * 2, dice.choice(PIECES), dice.choice(PIECES)))
        if dice.random() < 0.5:
            end = at
        line = line[:at] + middle + line[end:]
    return line.replace(b"\n", b"")


@settings(max_examples=500, deadline=None)
@given(st.lists(st.tuples(lines(), st.integers(0, 1 << 32)), min_size=1, max_size=6))
def test_what_is_taken_is_what_json_says(drawn: list[tuple[bytes, int]]) -> None:
    """Line by line and in one block; a refusal is a RecordError that names the line."""
    sent = [broken(line, seed) for line, seed in drawn]
    for data in ([*sent], *([line] for line in sent)):
        rest = data
        while rest:
            taken, fault = _read(rest)
            for number, row in taken:
                _expect_same(rest[number - 2], row)
            rest = rest[fault - 1 :] if fault else []


@pytest.mark.parametrize("value", [b'"\x90"', b'{"\x90":1}', b'[{"a":"b\xff"}]'])
def test_json_that_is_no_utf8_is_refused(value: bytes) -> None:
    """Also where it stands in a column that is left as the JSON that it is."""
    taken, fault = _read([b'{"type":"RECORD","stream":"t","record":{"j":%b}}' % value])
    assert (taken, fault) == ([], 2)


@given(st.binary(max_size=300))
@settings(max_examples=500, deadline=None)
def test_bytes_without_sense_are_refused_or_passed_over(data: bytes) -> None:
    """Nothing but a RecordError ever comes of them."""
    taken, _ = _read([data.replace(b"\n", b"")])
    assert taken == []


@pytest.mark.parametrize("depth", [100, 100_000])
def test_nesting_does_not_end_the_process(depth: int) -> None:
    """Deep nesting is taken or refused, in a column and beside all of them."""
    for name in ("j", "extra"):
        deep = b'{"type":"RECORD","stream":"t","record":{"%b":' % name.encode()
        line = deep + b"[" * depth + b"]" * depth + b"}}"
        taken, fault = _read([line])
        assert bool(taken) != bool(fault)


def _read(sent: list[bytes]) -> tuple[list[tuple[int, tuple[Any, ...]]], int]:
    """Return the rows with the numbers of their lines, and of the line that was refused, or 0."""
    taken: list[tuple[int, tuple[Any, ...]]] = []
    try:
        for message in Reader(io.BytesIO(b"\n".join([SCHEMA, *sent]) + b"\n")):
            if isinstance(message, Rows) and message.stream == "t":
                taken += zip(message.lines, message.tuples(), strict=True)
    except RecordError as error:
        assert error.line is not None and error.line >= 2
        return taken, error.line
    return taken, 0


def _expect_same(line: bytes, row: tuple[Any, ...]) -> None:
    found = json.loads(line.decode("utf-8", "surrogatepass"), parse_float=Decimal)
    assert (found["type"].upper(), found["stream"]) == ("RECORD", "t")
    for name, cell in zip(NAMES, row, strict=True):
        value = cell
        wanted = found["record"].get(name)
        if name == "j" and cell is not None:
            value = json.loads(cell, parse_float=Decimal)
        if name == "n" and isinstance(wanted, str):
            wanted = Decimal(wanted)  # a number may come as text
        assert _same(wanted, value), (name, line, value)


def _same(wanted: Any, value: Any) -> bool:
    """Whether two values are one: NaN is NaN, and a number is what its digits say."""
    if isinstance(wanted, float) or isinstance(value, float):
        return str(wanted).lower() == str(value).lower() or wanted == value
    if isinstance(wanted, Decimal) and isinstance(value, Decimal) and wanted.is_nan():
        return value.is_nan()
    if isinstance(wanted, list) and isinstance(value, list):
        return len(wanted) == len(value) and all(map(_same, wanted, value))
    if isinstance(wanted, dict) and isinstance(value, dict):
        return wanted.keys() == value.keys() and all(_same(wanted[k], value[k]) for k in wanted)
    return (
        type(wanted) is type(value)
        and wanted == value
        or (
            isinstance(wanted, int | Decimal)
            and isinstance(value, int | Decimal)
            and wanted == value
        )
    )
