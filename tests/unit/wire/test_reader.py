"""What the reader takes, and how it refuses the rest."""

import io
import json
import os
from decimal import Decimal

import pytest

from kozmo_singer.errors import RecordError
from kozmo_singer.wire import (
    Aborted,
    ActivateVersion,
    Batch,
    Reader,
    Rows,
    Schema,
    State,
    abort_line,
)

SCHEMA = (
    b'{"type":"SCHEMA","stream":"s","key_properties":["id"],"schema":{"properties":'
    b'{"id":{"type":"integer"},"n":{"type":["number","null"],"precision":18,"scale":4},'
    b'"at":{"type":["string","null"],"format":"date-time"},"x":{"type":["string","null"]}}}}\n'
)


def read(data: bytes):
    return list(Reader(io.BytesIO(data)))


def rows_of(data: bytes):
    return [row for m in read(SCHEMA + data) if isinstance(m, Rows) for row in m.tuples()]


def refused(data: bytes) -> RecordError:
    with pytest.raises(RecordError) as caught:
        read(SCHEMA + data)
    return caught.value


def record(text: bytes) -> bytes:
    return b'{"type":"RECORD","stream":"s","record":' + text + b"}\n"


@pytest.mark.parametrize(
    "line",
    [
        record(b'{"id":1,"x":"a"}'),
        b'{"record":{"x":"a","id":1},"stream":"s","type":"RECORD"}\n',
        b'{"type":"record","stream":"s","record":{"id":1,"x":"a"}}\n',
        b'  {"type" : "Record", "stream":"s", "record": {"id": 1, "x": "a"}}\r\n',
        b'\n\n{"type":"RECORD","stream":"s","record":{"id":1.0,"x":"a"},"who":"knows"}\n\n',
        b'{"type":"RECORD","stream":"s","record":{"id":1,"x":"a"}}',
        b'{"type":"METRIC","stream":"s"}\n' + record(b'{"id":1,"x":"a"}'),
    ],
    ids=["plain", "key order", "lower case", "spaces", "blank lines", "no newline", "unknown type"],
)
def test_readers_are_liberal(line):
    assert rows_of(line) == [(1, None, None, "a")]


def test_a_byte_order_mark_is_passed_over():
    assert isinstance(read(b"\xef\xbb\xbf" + SCHEMA)[0], Schema)


def test_lines_are_split_at_newlines_only():
    text = "a\u2028b\u0085c\x0b"
    line = record(json.dumps({"id": 1, "x": text}, ensure_ascii=False).encode())
    assert rows_of(line)[0][3] == text


def test_numbers_are_exact():
    line = record(b'{"id":123456789012345678901234567890,"n":0.12345678901234567890123456789}')
    assert rows_of(line) == [
        (123456789012345678901234567890, Decimal("0.12345678901234567890123456789"), None, None)
    ]


def test_what_msgspec_refuses_goes_through_the_json_module():
    lines = record(b'{"id":1,"n":NaN,"x":"\\ud800"}') + record(b'{"id":2,"n":"Infinity"}')
    (first, second) = rows_of(lines)
    assert first[1].is_nan()
    assert first[3] == "\ud800"
    assert second[1] == Decimal("Infinity")


def test_an_unknown_type_is_warned_of_once(caplog):
    read(b'{"type":"FOO"}\n' * 3)
    assert [r.getMessage() for r in caplog.records] == ["line 1: messages of type FOO are skipped"]


def test_an_unknown_field_is_warned_of_once_and_left_out(caplog):
    assert rows_of(record(b'{"id":1,"zz":5}') * 3) == [(1, None, None, None)] * 3
    assert len(caplog.records) == 1
    assert "'zz'" in caplog.text


def test_streams_may_interleave():
    other = SCHEMA.replace(b'"stream":"s"', b'"stream":"t"')
    b = record(b'{"id":2}').replace(b'"stream":"s"', b'"stream":"t"')
    messages = read(SCHEMA + other + (record(b'{"id":1}') + b) * 3)
    assert [m.stream for m in messages if isinstance(m, Rows)] == ["s", "t"] * 3


def test_a_schema_that_changes_holds_for_the_records_after_it():
    wider = SCHEMA.replace(b'"x":', b'"y":{"type":"string"},"x":')
    messages = read(
        SCHEMA + record(b'{"id":1,"x":"a"}') + wider + record(b'{"id":2,"x":"b","y":"c"}')
    )
    got = [m.tuples() for m in messages if isinstance(m, Rows)]
    assert got == [[(1, None, None, "a")], [(2, None, None, "c", "b")]]


def test_the_other_messages():
    messages = read(
        SCHEMA + b'{"type":"STATE","value":{"n":1.10}}\n'
        b'{"type":"ACTIVATE_VERSION","stream":"s","version":5}\n'
        b'{"type":"BATCH","stream":"s","encoding":{"format":"jsonl","compression":"gzip"},'
        b'"manifest":["file:///a"],"version":7,"time_extracted":"2024-01-02"}\n'
        b'{"type":"BATCH","stream":"s","filepath":"/b","format":"jsonl","compression":"none"}\n'
        + abort_line("exit 3")
    )
    columns = messages[0].columns
    assert messages[1:] == [
        State(b'{"n":1.10}', 2),
        ActivateVersion("s", 5, 3),
        Batch("s", "jsonl", "gzip", ["file:///a"], columns, 7, "2024-01-02", 4),
        Batch("s", "jsonl", None, ["/b"], columns, None, None, 5),
        Aborted("exit 3"),
    ]


@pytest.mark.parametrize(
    ("line", "path", "reason"),
    [
        (record(b'{"id":1,"n":"abc"}'), "$.n", 'expected decimal(18,4), got "abc"'),
        (record(b'{"id":"1"}'), "$.id", 'expected integer, got "1"'),
        (record(b'{"id":1.5}'), "$.id", "expected integer, got 1.5"),
        (record(b'{"id":true}'), "$.id", "expected integer, got true"),
        (record(b'{"id":null}'), "$.id", "expected integer, got null"),
        (record(b"{}"), "$.id", "expected integer, got nothing"),
        (record(b'{"id":1,"at":"now"}'), "$.at", 'expected a date-time, got "now"'),
        (record(b'{"id":1,"at":"01/02/2024"}'), "$.at", 'expected a date-time, got "01/02/2024"'),
        (record(b'{"id":1,"x":{"a":1}}'), "$.x", 'expected string, got {"a":1}'),
        (record(b"[1]"), "$.record", "expected an object, got [1]"),
        (b'{"type":"STATE"}\n', "$.value", "expected a value"),
        (b'{"stream":"s"}\n', "$.type", "the message has no type"),
        (b"[1,2]\n", None, "expected a JSON object, got [1,2]"),
        (b'{"type":"SCHEMA","stream":"t","schema":5}\n', "$.schema", "expected an object"),
        (b'{"type":"ACTIVATE_VERSION","stream":"s"}\n', "$.version", "expected an integer"),
    ],
)
def test_a_fault_names_line_path_expected_and_got(line, path, reason):
    error = refused(record(b'{"id":1}') + line)
    assert (error.line, error.path, error.reason) == (3, path, reason)


@pytest.mark.parametrize("fault", [record(b'{"id":"x"}'), b"no JSON\n", b'{"stream":"s"}\n'])
def test_rows_before_a_fault_are_delivered(fault):
    reader = iter(Reader(io.BytesIO(SCHEMA + record(b'{"id":1}') * 5 + fault)))
    next(reader)
    assert len(next(reader)) == 5
    with pytest.raises(RecordError):
        next(reader)


def test_what_cannot_be_taken_is_given_away_where_that_is_wanted():
    """Each with its line as it came; what follows in the same piece of input is read."""
    bad = [b"no JSON \xff", record(b'{"id":"x"}')[:-1], b'{"stream":"s"}', b"[1]"]
    orphan = record(b'{"id":1}').replace(b'"s"', b'"other"')[:-1]
    good = [record(b'{"id":%d}' % i) for i in range(6)]
    parts = [part for pair in zip(good, [*bad, orphan, b""], strict=True) for part in pair]
    data = SCHEMA + b"".join(part if part.endswith(b"\n") else part + b"\n" for part in parts)
    given = []
    messages = list(Reader(io.BytesIO(data), refuse=lambda *refused: given.append(refused)))
    assert [line for _, line in given] == [*bad, orphan]
    assert [error.line for error, _ in given] == [3, 5, 7, 9, 11]
    ids = [row[0] for m in messages if isinstance(m, Rows) for row in m.tuples()]
    assert ids == list(range(6))
    assert messages[-1] is None


@pytest.mark.parametrize(
    "line",
    [b'{"type":"STATE"}\n', b'{"type":"SCHEMA","stream":"s","sch\n', b'{"type":"RECORD","stream'],
)
def test_what_is_no_whole_record_is_never_given_away(line):
    with pytest.raises(RecordError) as caught:
        list(Reader(io.BytesIO(SCHEMA + line), refuse=pytest.fail))
    assert not caught.value.of_record


def test_blank_lines_do_not_shift_the_numbers_of_others():
    data = SCHEMA + record(b'{"id":1}') + record(b'{"id":2}') + b"\n" + record(b'{"id":3}')
    rows = [m for m in Reader(io.BytesIO(data * 2)) if isinstance(m, Rows)]
    assert [line for each in rows for line in each.lines] == [2, 3, 5, 7, 8, 10]
    halves = [each.part(at, at + 1) for each in rows for at in range(len(each))]
    assert [(each.lines[0], each.block + b"\n") for each in halves[:3]] == [
        (2, record(b'{"id":1}')), (3, record(b'{"id":2}')), (5, record(b'{"id":3}'))
    ]  # fmt: skip


def test_garbage_is_shown():
    error = refused(b"Traceback (most recent call last):\n")
    assert "it reads: Traceback (most recent call last):" in str(error)


def test_half_a_line_says_that_the_tap_died():
    error = refused(record(b'{"id":1}') + b'{"type":"RECORD","stream":"s","rec')
    assert error.line == 3
    assert "the tap probably died" in str(error)


def test_a_record_before_its_schema_is_refused():
    with pytest.raises(RecordError, match="before the SCHEMA") as caught:
        read(record(b'{"id":1}'))
    assert (caught.value.line, caught.value.stream) == (1, "s")


def test_nesting_without_end_is_refused():
    error = refused(record(b'{"id":1,"x":' + b"[" * 100_000 + b"]" * 100_000 + b"}"))
    assert error.line == 2


def test_a_pipe_that_rests_yields_none():
    reading, writing = os.pipe()
    try:
        os.write(writing, SCHEMA)
        messages = iter(Reader(reading, idle_seconds=0.01))
        assert isinstance(next(messages), Schema)
        assert next(messages) is None
        os.write(writing, record(b'{"id":1}'))
        assert len(next(m for m in messages if m is not None)) == 1
    finally:
        os.close(reading)
        os.close(writing)


@pytest.mark.parametrize("size", [1, 2, 7, 64, 1000])
def test_lines_may_be_cut_anywhere_by_the_pipe(size):
    class Slow(io.BytesIO):
        def read(self, _=-1):
            return super().read(size)

    data = SCHEMA + record(b'{"id":1,"x":"\xc3\xbc"}') * 20 + b'{"type":"STATE","value":1}\n'
    messages = list(Reader(Slow(data)))
    assert sum(len(m) for m in messages if isinstance(m, Rows)) == 20
    assert messages[-1] == State(b"1", 22)


@pytest.mark.parametrize(
    ("sent", "taken"),
    [
        ("2024-01-01T00:00:00Z", "2024-01-01T00:00:00"),
        ("2024-01-01T00:00:00.5+00:00", "2024-01-01T00:00:00.5"),
        ("0044-03-15 00:00:00+00 BC", "0044-03-15 00:00:00 BC"),
        ("12024-01-01 00:00:00+00", "12024-01-01 00:00:00"),
        ("2024-01-01 00:00:00", "2024-01-01 00:00:00"),
        ("2024-01-01T00:00:00+02:00", "2024-01-01T00:00:00+02:00"),
        ("infinity", "infinity"),
    ],
)
def test_a_timestamp_without_zone_loses_the_zone_that_the_format_wants(sent, taken):
    schema = SCHEMA.replace(b'"date-time"', b'"date-time","x-kozmo-type":"timestamp"')
    line = record(json.dumps({"id": 1, "at": sent}).encode())
    [_, rows] = read(schema + line)
    assert rows.tuples()[0][2] == taken
    assert json.loads(rows.records()[0])["at"] == taken
