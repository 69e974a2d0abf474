"""Rows that come in files: every format, compression and shape of the message."""

from __future__ import annotations

import gzip
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
from kozmo_targets.jsonl import TargetJSONL
from messages import TEXT, Message, load, record, schema, state

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
    if format == "parquet":
        pyarrow.parquet.write_table(table, path)
    else:
        with pyarrow.ipc.new_file(path, table.schema) as writer:
            writer.write_table(table)
    found = loaded(tmp_path, batch(f"file://{path}", format=format))
    assert found == [WHOLE[0], {**WHOLE[1], "at": "2024-01-02T03:04:05Z"}]


def test_stream_maps_reach_rows_in_files(tmp_path: Path) -> None:
    """A filter holds for them as for any record."""
    path = tmp_path / "x.jsonl"
    path.write_bytes(json_lines(ROWS))
    maps = {"t": {"__filter__": "id > 1"}}
    assert loaded(tmp_path, batch(f"file://{path}"), stream_maps=maps) == WHOLE[1:]


BAD: list[tuple[bytes, dict[str, Any], type[KozmoError], str]] = [
    (b'{"id":1}\n{"id":"x"}\n', {}, RecordError, "line 2, $.id: expected integer"),
    (b'{"id":1}\n{"id":', {}, RecordError, "line 2"),
    (b"not gzip", {"compression": "gzip"}, ReadError, "Not a gzipped file"),
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
