"""Rows that come in files: every format, compression and shape of the message."""

from __future__ import annotations

import gzip
import io
import json
from datetime import datetime, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet
import pytest

from kozmo_singer.errors import KozmoError, ReadError, RecordError
from kozmo_singer.wire import dumps
from kozmo_singer.wire.messages import Batch
from kozmo_singer.wire.types import Column, LogicalType
from kozmo_targets import batch as batches
from kozmo_targets.jsonl import TargetJSONL
from messages import TEXT, Message, lines, load, record, schema, state, told

PROPERTIES = {
    "id": {"type": "integer"},
    "name": TEXT,
    "amount": {"type": ["number", "null"], "precision": 20, "scale": 4},
    "at": {"type": ["string", "null"], "format": "date-time"},
    "raw": {"type": ["string", "null"], "contentEncoding": "base16"},
    "nested": {"type": ["object", "null"]},
}
ROWS = [
    {"id": 1, "name": "ü\n", "amount": Decimal("1234567890123456.7891"), "raw": "00ff"},
    {"id": 2**62 + 1, "name": None, "nested": {"a": [1]}, "at": "2024-01-02T03:04:05+00:00"},
]
WHOLE = [{**dict.fromkeys(PROPERTIES), **row} for row in ROWS]


def batch(*urls: str, format: str = "jsonl", compression: str | None = None) -> Message:
    """A BATCH message in the shape of Meltano's SDK."""
    encoding = {"format": format, "compression": compression}
    return {"type": "BATCH", "stream": "t", "encoding": encoding, "manifest": list(urls)}


def json_lines(rows: list[dict[str, Any]]) -> bytes:
    """Records as lines, numbers in all their digits."""
    return b"".join(dumps(row) + b"\n" for row in rows)


def loaded(folder: Path, *messages: Message, **settings: Any) -> list[Any]:
    """What a target holds after it has read the messages."""
    target = TargetJSONL({"path": str(folder / "out"), **settings})
    assert load(target, schema("t", PROPERTIES), *messages, state({"n": 1})) == [{"n": 1}]
    lines = (folder / "out" / "t.jsonl").read_bytes().split(b"\n")[:-1]
    return [json.loads(line, parse_float=Decimal) for line in lines]


@pytest.mark.parametrize("compression", ["gzip", "none", None])
@pytest.mark.parametrize("form", ["file://{}", "{}"])
def test_files_of_json_lines(tmp_path: Path, compression: str | None, form: str) -> None:
    """Rows of all files, in their order, between the records around them."""
    first, second = tmp_path / "a file.jsonl", tmp_path / "b.jsonl"
    pack = gzip.compress if compression == "gzip" else bytes
    first.write_bytes(pack(json_lines(ROWS[:1])))
    second.write_bytes(pack(b"\n" + json_lines(ROWS[1:]).rstrip()))
    urls = [
        form.format(str(p).replace(" ", "%20") if "file" in form else p) for p in (first, second)
    ]
    around = [record("t", {"id": 0}), record("t", {"id": 9})]
    found = loaded(tmp_path, around[0], batch(*urls, compression=compression), around[1])
    assert [row["id"] for row in found] == [0, 1, 2**62 + 1, 9]
    assert found[1:3] == WHOLE


def test_the_shape_of_pipelinewise(tmp_path: Path) -> None:
    """One file, named by filepath."""
    path = tmp_path / "x.jsonl"
    path.write_bytes(json_lines(ROWS))
    message = {"type": "BATCH", "stream": "t", "filepath": str(path), "format": "jsonl"}
    assert loaded(tmp_path, message) == WHOLE


@pytest.mark.parametrize("format", ["parquet", "arrow"])
def test_columnar_files(tmp_path: Path, format: str) -> None:
    """Values keep their types; what a file lacks is null."""
    table = pyarrow.table(
        {
            "id": pyarrow.array([1, 2**62 + 1]),
            "name": pyarrow.array(["ü\n", None]),
            "amount": pyarrow.array([Decimal("1234567890123456.7891"), None]),
            "at": pyarrow.array([None, datetime(2024, 1, 2, 3, 4, 5, tzinfo=timezone.utc)]),
            "raw": pyarrow.array([b"\x00\xff", None]),
            "nested": pyarrow.array([None, {"a": [1]}]),
        }
    )
    path = tmp_path / f"x.{format}"
    write(table, path, format)
    found = loaded(tmp_path, batch(f"file://{path}", format=format))
    assert found == [WHOLE[0], {**WHOLE[1], "at": "2024-01-02T03:04:05Z"}]


def test_stream_maps_reach_rows_in_files(tmp_path: Path) -> None:
    """A filter holds for them as for any record."""
    path = tmp_path / "x.jsonl"
    path.write_bytes(json_lines(ROWS))
    maps = {"t": {"__filter__": "id > 1"}}
    assert loaded(tmp_path, batch(f"file://{path}"), stream_maps=maps) == WHOLE[1:]


def test_a_stream_of_arrow_is_read_as_well_as_a_file(tmp_path: Path) -> None:
    """Its dictionaries may change on the way, which those of a file cannot."""
    path = tmp_path / "x.arrow"
    tables = [
        pyarrow.table({"id": [number], "name": pyarrow.array([str(number)]).dictionary_encode()})
        for number in range(3)
    ]
    with pyarrow.ipc.new_stream(path, tables[0].schema) as writer:
        for table in tables:
            writer.write_table(table)
    found = loaded(tmp_path, batch(str(path), format="arrow"))
    assert [(row["id"], row["name"]) for row in found] == [(0, "0"), (1, "1"), (2, "2")]


def test_files_hold_what_their_messages_do_not_say(tmp_path: Path) -> None:
    """The SDK compresses JSON Lines whatever it was told, and Parquet has its own compression."""
    lines, table = tmp_path / "a", tmp_path / "b"
    lines.write_bytes(gzip.compress(json_lines(ROWS[:1])))
    pyarrow.parquet.write_table(pyarrow.table({"id": [2]}), table, compression="gzip")
    packed = batch(str(table), format="parquet", compression="gzip")
    assert [row["id"] for row in loaded(tmp_path, batch(str(lines)), packed)] == [1, 2]


@pytest.mark.parametrize("format", ["parquet", "arrow"])
def test_wide_rows_are_read_a_few_at_a_time(
    tmp_path: Path, format: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many of them stand in one part of a file."""
    monkeypatch.setattr(batches, "SIZE", 10_000)
    path = tmp_path / "x"
    write(pyarrow.table({"id": range(100), "name": ["x" * 1000] * 100}), path, format)
    columns = [Column("id", LogicalType("integer")), Column("name", LogicalType("string"))]
    message = Batch("t", format, None, [str(path)], columns, 7, "2024-01-02", 1)
    pieces = list(batches.record_lines(message, str(path)))
    assert max(len(lines) for _, lines in pieces) <= 10
    assert [n for numbers, _ in pieces for n in numbers] == list(range(1, 101))
    first = json.loads(pieces[0][1][0])
    assert (first["version"], first["time_extracted"]) == (7, "2024-01-02")


def test_addresses_may_be_quoted_or_not(tmp_path: Path) -> None:
    """What is there under the very name is meant by it."""
    for name in ("a b", "a%20c", "ü?#", "d"):
        (tmp_path / name).write_bytes(json_lines(ROWS[:1]))
    named = ["a%20b", "a b", "a%20c", "ü?#", "%C3%BC%3F%23"]
    urls = [f"file://{tmp_path}/{name}" for name in named]
    assert len(loaded(tmp_path, batch(*urls, f"file://localhost{tmp_path}/d"))) == 6


def write(table: Any, path: Path, format: str) -> None:
    """Write *table* as a file of Parquet, or of Arrow in parts of two rows."""
    if format == "parquet":
        pyarrow.parquet.write_table(table, path)
        return
    make = pyarrow.ipc.new_stream if format == "stream" else pyarrow.ipc.new_file
    with make(path, table.schema) as writer:
        writer.write_table(table, max_chunksize=2)


@pytest.mark.parametrize("format", ["parquet", "arrow", "stream", "jsonl"])
def test_half_a_file_is_an_error(tmp_path: Path, format: str) -> None:
    """Wherever it was cut; rows before it are loaded, but no state that covers the file."""
    whole, half = tmp_path / "whole", tmp_path / "half"
    if format == "jsonl":
        whole.write_bytes(gzip.compress(json_lines(ROWS * 2)))
    else:
        write(pyarrow.table({"id": [1, 2, 3, 4]}), whole, format)
    data = whole.read_bytes()
    message = batch(str(half), format="arrow" if format == "stream" else format, compression="gzip")
    for cut in range(0, len(data), 8):
        half.write_bytes(data[:cut])
        folder = tmp_path / str(cut)
        target, out = TargetJSONL({"path": str(folder)}), io.BytesIO()
        rows = [schema("t", PROPERTIES), record("t", {"id": 0}), state(0), message, state(1)]
        with pytest.raises(ReadError, match=f"line 4: {half}"):
            target.run(io.BytesIO(lines(*rows)), out)
        assert told(out.getvalue()) == [0]
        assert (folder / "t.jsonl").read_bytes().startswith(b'{"id":0,')


@pytest.mark.parametrize("format", ["parquet", "arrow"])
def test_a_row_that_does_not_fit_is_named(tmp_path: Path, format: str) -> None:
    """With its file; the rows before it are loaded."""
    path = tmp_path / "x"
    marked = pyarrow.field(
        "nested", pyarrow.string(), metadata={"ARROW:extension:name": "arrow.json"}
    )
    number = pyarrow.field("id", pyarrow.int64())
    for columns, said in (
        ({"id": [1, 2, 3, None]}, r"line 4, \$.id: expected integer, got null"),
        (
            {"id": [1, 2, 3, 4], "nested": ["{}", None, "[]", "{"]},
            r"line 4, \$.nested: expected JSON",
        ),
    ):
        fields = pyarrow.schema([number, marked][: len(columns)])
        write(pyarrow.Table.from_pydict(columns, fields), path, format)
        with pytest.raises(RecordError, match=said) as caught:
            loaded(tmp_path / said[-4:], batch(str(path), format=format))
        assert f"in the file {path}" in str(caught.value)
        kept = (tmp_path / said[-4:] / "out" / "t.jsonl").read_bytes()
        assert [json.loads(line)["id"] for line in kept.splitlines()] == [1, 2, 3]


BAD: list[tuple[bytes, dict[str, Any], type[KozmoError], str]] = [
    (b'{"id":1}\n{"id":"x"}\n', {}, RecordError, "line 2, $.id: expected integer"),
    (b'{"id":1}\n{"id":', {}, RecordError, "line 2"),
    (b"not gzip", {"compression": "gzip"}, ReadError, "Not a gzipped file"),
    (b'{"id":1}\n\n\n{"id":"x"}\n', {}, RecordError, "line 4, $.id: expected integer"),
    (b"", {"compression": "zstd"}, ReadError, "compression 'zstd' is not gzip or none"),
    (b"", {"format": "csv"}, ReadError, "format 'csv' is not one of jsonl, parquet, arrow"),
]


@pytest.mark.parametrize(("data", "encoding", "kind", "said"), BAD)
def test_a_file_that_cannot_be_read(
    tmp_path: Path, data: bytes, encoding: dict[str, Any], kind: type[KozmoError], said: str
) -> None:
    """The message names the file, or the line of the input, and what is wrong."""
    path = tmp_path / "x.bin"
    path.write_bytes(data)
    with pytest.raises(kind) as caught:
        loaded(tmp_path, batch(f"file://{path}", **encoding))
    assert said in str(caught.value)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    """The message names it."""
    with pytest.raises(ReadError, match="/no/such/file: No such file"):
        loaded(tmp_path, batch("file:///no/such/file"))
