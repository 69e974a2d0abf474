"""Taps that write their rows into files: which, when, and what their states cover."""

from __future__ import annotations

import io
import json
import random
import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from kozmo_singer.errors import ConfigError, ReadError, WriteError
from kozmo_singer.wire import Batch, Reader
from kozmo_taps import batches, output, tap
from kozmo_taps.batches import BatchLines, batch_config
from kozmo_taps.sql import sqlite
from kozmo_taps.sql.sqlite import TapSQLite
from kozmo_targets.batch import read, record_lines
from messages import TEXT, lines, record, schema

FORMATS = sorted(batches.COMPRESSIONS)
State = dict[str, Any]


def setting(root: Path | str, format: str = "jsonl", **more: Any) -> dict[str, Any]:
    """The setting batch_config."""
    address = root if isinstance(root, str) else root.as_uri()
    return {"encoding": {"format": format}, "storage": {"root": address}, **more}


def table(path: Path, rows: int, name: str = "t") -> None:
    """Make a table of *rows* numbered rows."""
    with closing(sqlite3.connect(path)) as database, database:
        database.execute(f'CREATE TABLE "{name}" (id INTEGER PRIMARY KEY, v TEXT)')
        values = [(number, f"v{number}") for number in range(rows)]
        database.executemany(f'INSERT INTO "{name}" VALUES (?, ?)', values)


def synced(source: TapSQLite, state: State | None = None, **options: Any) -> list[Any]:
    """The messages of a run."""
    out = io.BytesIO()
    source.sync(source.discover(), state or {}, out, **options)
    return [json.loads(line) for line in out.getvalue().splitlines()]


def rows_of(text: bytes) -> list[tuple[Any, ...]]:
    """The rows in the files that the messages in *text* name."""
    reader = Reader(io.BytesIO(text))
    found = [
        rows
        for message in reader
        if isinstance(message, Batch)
        for rows in read(message, reader.decoder(message.stream))
    ]
    return [row for rows in found for row in rows.tuples()]


@pytest.mark.parametrize("format", FORMATS)
def test_files_are_bounded(tmp_path: Path, format: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """In rows and in bytes, even where the source gives more at once; an empty table has none."""
    table(tmp_path / "s.db", 1234)
    table(tmp_path / "s.db", 0, "none")
    for size, most in ((500, 500), (7, 7), (5000, 300)):
        if most == 300:
            monkeypatch.setattr(batches, "FILE_BYTES", 20_000)
            monkeypatch.setattr(sqlite, "_MOST_ROWS", 100)
        folder = tmp_path / str(size)
        given = setting(folder, format, batch_size=size)
        source = TapSQLite({"path": str(tmp_path / "s.db"), "batch_config": given})
        out = io.BytesIO()
        source.sync(source.discover(), {}, out)
        found = rows_of(out.getvalue())
        assert found == [(number, f"v{number}") for number in range(1234)]
        messages = [m for m in Reader(io.BytesIO(out.getvalue())) if isinstance(m, Batch)]
        assert {message.stream for message in messages} == {"t"}
        lines = [[n for n, _ in record_lines(m, m.manifest[0])] for m in messages]
        assert max(sum(map(len, numbers)) for numbers in lines) <= most
        assert len(list(folder.iterdir())) == len(messages)


@pytest.mark.parametrize("name", ["../../out", "a/b", ".", "ü \n", "CON", "x" * 300, "%2e%2e%2f"])
def test_no_stream_leaves_the_folder(tmp_path: Path, name: str) -> None:
    """Whatever it is called; files of streams whose names look alike do not meet."""
    table(tmp_path / "s.db", 3, name)
    folder = tmp_path / "deep" / "down"
    given = setting(folder)
    given["storage"]["prefix"] = "sub/b-"
    source = TapSQLite({"path": str(tmp_path / "s.db"), "batch_config": given})
    (message,) = [m for m in synced(source) if m["type"] == "BATCH"]
    assert message["stream"] == name
    path = Path(urlsplit(message["manifest"][0]).path)
    assert path.parent == folder / "sub"
    assert path.name.startswith("b-")
    assert {p for p in tmp_path.rglob("*") if p.is_file()} == {path, tmp_path / "s.db"}


@pytest.mark.parametrize("seed", range(40))
def test_a_state_covers_no_row_that_still_waits(
    seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Going on from any state, after what stood before it, gives each row once."""
    chance = random.Random(seed)
    monkeypatch.setattr(sqlite, "_BLOCK_ROWS", chance.choice([1, 2, 3]))
    monkeypatch.setattr(sqlite, "_MOST_ROWS", chance.choice([2, 5]))
    monkeypatch.setattr(tap, "STATE_ROWS", chance.choice([1, 3, 10]))
    monkeypatch.setattr(tap, "STATE_SECONDS", chance.choice([0, 5]))
    rows = chance.randint(0, 60)
    table(tmp_path / "s.db", rows)
    size = chance.choice([1, 4, 7, 100])
    config = {
        "path": str(tmp_path / "s.db"),
        "batch_config": setting(tmp_path / "b", batch_size=size),
    }
    if chance.random() < 0.5:
        config["replication_key"] = "id"
    whole = synced(TapSQLite(config))
    expected = rows_of(lines(whole))
    assert len(expected) == rows
    states = [place for place, message in enumerate(whole, 1) if message["type"] == "STATE"]
    if "replication_key" not in config:
        # A full table that is complete is read again.
        states = states[:-1]
    for place in states:
        again = synced(TapSQLite(config), whole[place - 1]["value"])
        both = rows_of(lines(whole[:place])) + rows_of(lines(again))
        assert Counter(both) == Counter(expected)


def test_a_folder_that_is_gone_ends_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The last state covers what was told of before, and says what was being read."""
    monkeypatch.setattr(output, "PIECE_BYTES", 1)
    monkeypatch.setattr(sqlite, "_MOST_ROWS", 10)
    table(tmp_path / "s.db", 100)
    folder = tmp_path / "b"

    class Out(io.BytesIO):
        """Takes the folder away once it was told of a file."""

        def write(self, data: Any) -> int:
            if b'"BATCH"' in bytes(data) and folder.is_dir():
                folder.rename(tmp_path / "moved")
                folder.touch()
            return super().write(data)

    out = Out()
    source = TapSQLite(
        {"path": str(tmp_path / "s.db"), "batch_config": setting(folder, batch_size=10)}
    )
    with pytest.raises(WriteError, match="cannot write a batch of stream t"):
        source.sync(source.discover(), {}, out)
    folder.unlink()
    (tmp_path / "moved").rename(folder)
    ids = [id for id, _ in rows_of(out.getvalue())]
    state = json.loads(out.getvalue().splitlines()[-1])["value"]
    assert 0 < len(ids) < 100
    assert state["currently_syncing"] == "t"
    assert state["bookmarks"]["t"]["full_table"]["last"] == ids[-1:]


def test_versions_and_times_stand_in_the_message(tmp_path: Path) -> None:
    """As every record would have them."""
    table(tmp_path / "s.db", 3)
    given = {"batch_config": setting(tmp_path / "b"), "emit_activate_version_messages": True}
    _, sent, activate, _ = synced(TapSQLite({"path": str(tmp_path / "s.db"), **given}))
    assert sent["version"] == activate["version"]
    assert sent["time_extracted"].startswith("20")


def test_stream_maps_reach_the_files(tmp_path: Path) -> None:
    """One stream can become several, each with files of its own."""
    table(tmp_path / "s.db", 5)
    maps = {"t": {"w": "v + '!'", "__filter__": "id > 2"}, "u": {"__source__": "t", "id": "id"}}
    given = {"batch_config": setting(tmp_path / "b", "arrow"), "stream_maps": maps}
    source = TapSQLite({"path": str(tmp_path / "s.db"), **given})
    out = io.BytesIO()
    source.sync(source.discover(), {}, out)
    assert sorted(rows_of(out.getvalue())) == [
        (0, "v0"), (1, "v1"), (2, "v2"), (3, "v3"), (3, "v3", "v3!"), (4, "v4"), (4, "v4", "v4!")
    ]  # fmt: skip


class Halves:
    """A reading with half of a character, as stream maps of others could make one."""

    waiting = False

    def schema(self) -> bytes:
        return lines(schema("t", {"v": TEXT}))

    def records(self, rows: Any, extracted: Any) -> bytes:
        return lines(record("t", {"v": "\ud800"}))

    def flush(self) -> bytes:
        return b""

    def activate(self, version: int) -> bytes:
        return b""


@pytest.mark.parametrize("format", FORMATS)
def test_half_of_a_character_needs_json_lines(tmp_path: Path, format: str) -> None:
    """UTF-8 has no form for it; JSON has an escape."""
    written = BatchLines(Halves(), batch_config("tap-x", setting(tmp_path, format)))
    head = written.schema()
    if format == "jsonl":
        text = written.records([], None) + written.flush()
        assert rows_of(head + text) == [("\ud800",)]
    else:
        with pytest.raises(ReadError, match="the format jsonl can write it"):
            written.records([], None)


@pytest.fixture
def memory() -> Iterator[str]:
    """A folder of fsspec's own, in this process."""
    from fsspec.implementations.memory import MemoryFileSystem

    yield "memory://landing"
    MemoryFileSystem.store.clear()


@pytest.mark.parametrize("format", FORMATS)
def test_files_on_another_system(tmp_path: Path, memory: str, format: str) -> None:
    """Written and read by way of fsspec."""
    table(tmp_path / "s.db", 20)
    given = {"batch_config": setting(memory, format, batch_size=8)}
    source = TapSQLite({"path": str(tmp_path / "s.db"), **given})
    out = io.BytesIO()
    source.sync(source.discover(), {}, out)
    assert len(rows_of(out.getvalue())) == 20
    assert b'"memory://' in out.getvalue()


WRONG: list[tuple[dict[str, Any], str]] = [
    (
        {"encoding": {"format": "csv"}},
        "encoding.format must be one of arrow, jsonl, parquet; got 'csv'",
    ),
    ({"encoding": {}}, "encoding.format must be one of arrow, jsonl, parquet; got nothing"),
    ({"encoding": "arrow"}, "encoding must be an object, not a string"),
    (
        {"encoding": {"format": "jsonl", "compression": "zstd"}},
        "encoding.compression of jsonl must be one of gzip, none; got 'zstd'",
    ),
    (
        {"encoding": {"format": "arrow", "compression": "gzip"}},
        "encoding.compression of arrow must be one of none; got 'gzip'",
    ),
    ({"storage": {}}, "storage.root must say where files go"),
    ({"storage": {"root": "file://"}}, "storage.root must say where files go"),
    ({"storage": {"root": "file:///x", "prefix": "../y"}}, "storage.prefix must be the beginning"),
    ({"storage": {"rot": "file:///x"}}, "storage.rot is not known\n  did you mean 'root'"),
    ({"batch_size": -1}, "batch_size must be a number of rows"),
    ({"batchsize": 1}, "batchsize is not known"),
]


@pytest.mark.parametrize(("given", "said"), WRONG)
def test_what_is_wrong_with_the_setting_is_said(given: dict[str, Any], said: str) -> None:
    """Before anything is opened."""
    with pytest.raises(ConfigError) as caught:
        TapSQLite({"path": "none.db", "batch_config": {**setting("file:///x"), **given}})
    assert said in str(caught.value)


def test_keys_of_a_storage_are_secrets() -> None:
    """No log shows them."""
    given = setting("s3://x")
    given["storage"]["params"] = {"secret": "hidden-key"}
    assert "hidden-key" in TapSQLite({"path": "none.db", "batch_config": given}).secrets
