"""target-jsonl: a file a stream, whole lines only, and nothing outside its folder."""

from __future__ import annotations

import gzip
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from kozmo_singer.errors import KozmoError
from kozmo_targets.files.lines import GZIP_HEAD
from kozmo_targets.jsonl import TargetJSONL
from messages import TEXT, full_table, lines, load, load_bytes, record, records, schema, state

PROPERTIES = {"id": {"type": "integer"}, "name": TEXT}
ROWS = [{"id": 1, "name": "a"}, {"id": 2, "name": None}]


def target(folder: Path, **settings: Any) -> TargetJSONL:
    """The target for *folder*."""
    return TargetJSONL({"path": str(folder), **settings})


def rows(path: Path) -> list[Any]:
    """The records in a file."""
    data = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    assert data == b"" or data.endswith(b"\n")
    return [json.loads(line, parse_float=Decimal) for line in data.split(b"\n")[:-1]]


def test_records_are_appended_as_the_tap_wrote_them(tmp_path: Path) -> None:
    """Every digit of a number and every character of a text."""
    fields = {"id": {"type": "integer"}, "d": {"type": "number"}, "t": TEXT, "o": {}}
    row = {
        "id": 2**80,
        "d": Decimal("0.12345678901234567890"),
        "t": "ü\u2028\n\0\ud800",
        "o": {"k": [Decimal("1.10")]},
    }
    for _ in range(2):
        told = load(target(tmp_path / "a" / "b"), schema("t", fields), record("t", row), state(1))
        assert told == [1]
    assert rows(tmp_path / "a" / "b" / "t.jsonl") == [row, row]


@pytest.mark.parametrize("compression", ["none", "gzip"])
def test_a_full_table_replaces_its_file_when_it_is_whole(tmp_path: Path, compression: str) -> None:
    """Until then, and if the tap fails, the old file stays; nothing is left beside it."""
    path = tmp_path / ("t.jsonl.gz" if compression == "gzip" else "t.jsonl")
    start = full_table("t", PROPERTIES, ["id"])
    load(target(tmp_path, compression=compression), start, records("t", ROWS))
    load(target(tmp_path, compression=compression), start, records("t", ROWS))
    assert rows(path) == ROWS
    data = lines(start, record("t", {"id": 3, "name": "c"}), state({"n": 1}))
    for end in (b'{"type":"ABORT"}\n', b'{"half'):
        with pytest.raises(KozmoError):
            load_bytes(target(tmp_path, compression=compression, batch_size_rows=1), data + end)
        assert rows(path) == ROWS
    assert [each.name for each in tmp_path.iterdir()] == [path.name]


NAMES = ["../up", "/abs", "a/b", ".", "..", ".hidden", "a%2Fb", "A", "a\\b", "x" * 300, "x" * 301,
         "name with spaces", "ünï", "a\0b", "con:aux", "t.jsonl", "-dash", "new\nline"]  # fmt: skip


def test_any_name_of_a_stream_is_a_file_of_its_own_in_the_folder(tmp_path: Path) -> None:
    """Two names never meet, and none leads out of the folder."""
    folder = tmp_path / "deep" / "folder"
    for i, name in enumerate(NAMES):
        load(target(folder), schema(name, PROPERTIES), record(name, {"id": i, "name": name}))
    assert [each.name for each in tmp_path.rglob("*") if each.is_file()] == [
        each.name for each in folder.iterdir()
    ]
    found = sorted((rows(path)[0]["id"], rows(path)[0]["name"]) for path in folder.iterdir())
    assert found == list(enumerate(NAMES))


def test_files_in_gzip_grow_by_members(tmp_path: Path) -> None:
    """Each batch is one, so that what is durable can always be unpacked."""
    for _ in range(2):
        settings = {"compression": "gzip", "batch_size_rows": 1}
        messages: list[Any] = [schema("t", PROPERTIES)]
        for row in ROWS:
            messages += [record("t", row), state(row)]
        load(target(tmp_path, **settings), *messages)
    assert rows(tmp_path / "t.jsonl.gz") == ROWS * 2


def test_half_a_line_of_a_killed_run_is_cut_off(tmp_path: Path) -> None:
    """It was never covered by a state; the file is whole lines again."""
    path = tmp_path / "t.jsonl"
    path.write_bytes(b'{"id":7,"name":"whole"}\n{"id":8,"na')
    load(target(tmp_path), schema("t", PROPERTIES), records("t", ROWS))
    assert rows(path) == [{"id": 7, "name": "whole"}, *ROWS]


def test_a_last_line_without_newline_is_kept_if_it_is_whole(tmp_path: Path) -> None:
    """Somebody else may have written it so."""
    path = tmp_path / "t.jsonl"
    path.write_bytes(b'{"id":7,"name":"whole"}')
    load(target(tmp_path), schema("t", PROPERTIES), records("t", ROWS))
    assert rows(path) == [{"id": 7, "name": "whole"}, *ROWS]


@pytest.mark.parametrize("keep", [3, GZIP_HEAD.size - 1, GZIP_HEAD.size + 5, -1])
def test_half_a_gzip_member_of_a_killed_run_is_cut_off(tmp_path: Path, keep: int) -> None:
    """Members before it stay."""
    path = tmp_path / "t.jsonl.gz"
    load(target(tmp_path, compression="gzip"), schema("t", PROPERTIES), records("t", ROWS))
    whole = path.read_bytes()
    path.write_bytes(whole + whole[:keep])
    load(target(tmp_path, compression="gzip"), schema("t", PROPERTIES), records("t", ROWS))
    assert rows(path) == ROWS * 2


def test_a_gzip_file_of_somebody_else_is_appended_to(tmp_path: Path) -> None:
    """Its members have no length in their heads, and are left alone."""
    path = tmp_path / "t.jsonl.gz"
    path.write_bytes(gzip.compress(b'{"id":7,"name":"theirs"}\n'))
    load(target(tmp_path, compression="gzip"), schema("t", PROPERTIES), records("t", ROWS))
    assert rows(path) == [{"id": 7, "name": "theirs"}, *ROWS]


def test_two_names_for_one_file_are_refused(tmp_path: Path) -> None:
    """As on a file system that does not tell upper case from lower."""
    (tmp_path / "a.jsonl").touch()
    (tmp_path / "A.jsonl").symlink_to("a.jsonl")
    with pytest.raises(KozmoError, match="streams a and A would share the file"):
        load(target(tmp_path), schema("a", PROPERTIES), schema("A", PROPERTIES))


def test_a_fault_takes_back_lines_that_are_not_durable(tmp_path: Path) -> None:
    """Rows before the fault are flushed with their state; no half of anything stays."""
    data = lines(schema("t", PROPERTIES), records("t", ROWS), state({"n": 2}))
    with pytest.raises(KozmoError):
        load_bytes(target(tmp_path), data + b'{"type":"RECORD","stream":"t","record":{"id":"x"}}\n')
    assert rows(tmp_path / "t.jsonl") == ROWS


def test_a_folder_that_is_a_file_is_refused(tmp_path: Path) -> None:
    """The message names the path and the setting."""
    (tmp_path / "file").touch()
    with pytest.raises(KozmoError, match="cannot create the folder"):
        load(target(tmp_path / "file"), schema("t", PROPERTIES))
