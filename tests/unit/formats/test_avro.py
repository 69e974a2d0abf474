"""Avro: every type of the specification, in every codec, exactly."""

from __future__ import annotations

import io
from datetime import date, datetime, time, timezone
from decimal import Decimal
from typing import Any
from uuid import UUID

import fastavro
import pytest

from kozmo_singer.errors import ReadError
from reading import read


def of(kind: str, **more: Any) -> dict[str, Any]:
    """A type with attributes."""
    return {"type": kind, **more}


NOON = datetime(2024, 1, 1, 12, 0, 0, 123456)
MILLIS = NOON.replace(microsecond=123000)
DECIMAL = {"logicalType": "decimal", "precision": 10, "scale": 2}
CASES: list[tuple[str, Any, str, Any, Any]] = [
    ("whole", "int", "integer", 5, 5),
    ("long", ["null", "long"], "integer", 1 << 62, 1 << 62),
    ("float", "float", "float", 0.1, 0.1),
    ("double", "double", "float", 0.1, 0.1),
    ("flag", "boolean", "boolean", True, True),
    ("text", "string", "string", "00123", "00123"),
    ("bytes", "bytes", "binary", b"\x00\xff", "00ff"),
    ("fixed", of("fixed", name="three", size=3), "binary", b"abc", "616263"),
    ("again", ["null", "three"], "binary", None, None),
    ("kind", of("enum", name="kinds", symbols=["A", "B"]), "string", "B", "B"),
    ("money", of("bytes", **DECIMAL), "decimal", Decimal("12.30"), 12.3),
    ("coins", of("fixed", name="f8", size=8, **DECIMAL), "decimal", Decimal("-0.01"), -0.01),
    ("day", of("int", logicalType="date"), "date", date(2024, 2, 29), "2024-02-29"),
    ("millis", of("int", logicalType="time-millis"), "time", time(1, 2, 3), "01:02:03"),
    ("micros", of("long", logicalType="time-micros"), "time", time(1, 2, 3, 4), "01:02:03.000004"),
    (
        "at",
        of("long", logicalType="timestamp-micros"),
        "timestamptz",
        NOON.replace(tzinfo=timezone.utc),
        "2024-01-01T12:00:00.123456Z",
    ),
    (
        "coarse",
        of("long", logicalType="timestamp-millis"),
        "timestamptz",
        MILLIS.replace(tzinfo=timezone.utc),
        "2024-01-01T12:00:00.123000Z",
    ),
    (
        "local",
        of("long", logicalType="local-timestamp-micros"),
        "timestamp",
        NOON,
        "2024-01-01T12:00:00.123456Z",
    ),
    ("key", of("string", logicalType="uuid"), "uuid", UUID(int=5), str(UUID(int=5))),
    ("list", of("array", items="bytes"), "json", [b"a"], ["61"]),
    ("map", of("map", values=["null", "double"]), "json", {"k": 1.5}, {"k": 1.5}),
    (
        "inner",
        of("record", name="inner", fields=[{"name": "x", "type": "kinds"}]),
        "json",
        {"x": "A"},
        {"x": "A"},
    ),
    ("either", ["null", "int", "string"], "json", "x", "x"),
    ("number", ["int", "long", "null"], "integer", 1 << 40, 1 << 40),
]
SCHEMA = {
    "type": "record",
    "name": "row",
    "fields": [{"name": name, "type": type} for name, type, *_ in CASES],
}
ROW = {name: value for name, _, _, value, _ in CASES}


def made(rows: list[dict[str, Any]], codec: str = "null", schema: Any = SCHEMA) -> bytes:
    """A file of *rows*."""
    out = io.BytesIO()
    fastavro.writer(out, schema, rows, codec=codec, sync_interval=2000)
    return out.getvalue()


@pytest.mark.parametrize("codec", ["null", "deflate", "snappy", "zstandard", "bzip2", "xz"])
def test_every_type_in_every_codec(codec: str) -> None:
    """Is read as the type that it means, with its value."""
    found = read("avro", made([ROW, {**ROW, "either": 7, "long": None}], codec))
    assert found.types == {name: kind for name, _, kind, _, _ in CASES}
    assert found.records[0] == {name: value for name, *_, value in CASES}
    assert (found.records[1]["either"], found.records[1]["long"]) == (7, None)


def test_many_blocks() -> None:
    """Are read from any row on; those before it stay packed."""
    rows = [{"id": number, "word": "x" * 50} for number in range(3000)]
    fields = [{"name": "id", "type": "long"}, {"name": "word", "type": "string"}]
    schema = {"type": "record", "name": "r", "fields": fields}
    content = made(rows, "deflate", schema)
    assert read("avro", content).records == rows
    assert read("avro", content, skip=2990).records == rows[2990:]


WHOLE = made([ROW] * 20)
BROKEN = [
    b"",
    b"Obj\x01",
    b"Obj\x01" + b"\xff" * 100,
    b"id,word\n1,x\n",
    WHOLE[: len(WHOLE) // 2],
    WHOLE[:-3],
    WHOLE[::-1],
    made([1, 2], schema="int"),
]


@pytest.mark.parametrize("content", BROKEN, ids=range(len(BROKEN)))
def test_what_is_no_avro_is_told(content: bytes) -> None:
    """Whatever it is."""
    with pytest.raises(ReadError, match=r"cannot read t\.avro"):
        read("avro", content)


def test_a_moment_that_python_lacks() -> None:
    """Is an error, and not another moment."""
    schema = {"type": "record", "name": "r", "fields": [{"name": "at", "type": "long"}]}
    late = {"at": 1 << 60}
    content = made([late], schema=schema)
    fields = [{"name": "at", "type": of("long", logicalType="timestamp-micros")}]
    as_moment = made([], schema={"type": "record", "name": "r", "fields": fields})
    sync = as_moment[-16:]
    body = content[content.rindex(content[-16:], 0, len(content) - 16) + 16 : -16]
    with pytest.raises(ReadError, match="as Avro"):
        read("avro", as_moment + body + sync)
