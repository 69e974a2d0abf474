"""on_bad_record: quarantine: what is bad is set aside whole, and its neighbours are loaded once."""

from __future__ import annotations

import base64
import json
import stat
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from destinations import DESTINATIONS, Destination
from kozmo_singer.errors import ConfigError, RecordError, WriteError
from kozmo_targets.jsonl import TargetJSONL
from kozmo_targets.registry import TARGETS
from kozmo_targets.target import Target
from messages import INTEGER, TEXT, full_table, lines, load, load_bytes, record, schema, state
from servers.postgres import Database

from .conftest import Place, Postgres

PROPERTIES = {"id": {"type": "integer"}, "name": TEXT}
START = schema("t", PROPERTIES, ["id"])


def entries(folder: Path, name: str = "t") -> list[dict[str, Any]]:
    """Return what was set aside in the file *name*, without the SCHEMA messages in it."""
    path = folder / f"{name}.jsonl"
    found = [json.loads(line) for line in path.read_bytes().splitlines()] if path.exists() else []
    return [entry for entry in found if entry.get("type") != "SCHEMA"]


Make = Callable[..., Target]


@pytest.fixture(params=DESTINATIONS)
def destination(request: pytest.FixtureRequest, tmp_path: Path, postgres: Database) -> Destination:
    """Each of our targets in turn."""
    return DESTINATIONS[request.param](tmp_path, postgres)


def made(destination: Destination, folder: Path, **settings: Any) -> Target:
    """Return the target of *destination*, which sets bad records aside in *folder*."""
    module, _, name = TARGETS[destination.target].target.partition(":")
    kind = getattr(sys.modules.get(module) or __import__(module, fromlist=[name]), name)
    settings = {"on_bad_record": "quarantine", "quarantine_path": str(folder), **settings}
    return kind({**destination.config, **settings})


def ids(destination: Destination, stream: str = "t") -> list[int]:
    """Return the ids that are there, sorted; one that is there twice comes twice."""
    return sorted(int(row["id"]) for row in destination.rows(stream))


@pytest.mark.parametrize("size", [1, 3, 100_000])
def test_bad_records_are_set_aside_and_their_neighbours_loaded(
    destination: Destination, tmp_path: Path, size: int
) -> None:
    """Lines that are no JSON, records that do not fit, and those of a stream without SCHEMA."""
    good = [record("t", {"id": i, "name": f"n{i}"}) for i in range(8)]
    data = lines(START, good[:3])
    data += b'{"type":"RECORD","stream":"t","record":{"id":"four","name":"d"}}\n'
    data += lines(good[3:5]) + b"Starting sync \xff\n" + lines(state({"n": 1}))
    data += lines(record("other", {"id": 1}), good[5:]) + b'{"type":"RECORD","stream":"t","rec\n'
    data += lines(record("t", {"name": "no id"}), state({"n": 2}))
    folder = tmp_path / "aside"
    told = load_bytes(made(destination, folder, batch_size_rows=size), data)
    assert told[-1] == {"n": 2}
    assert ids(destination) == list(range(8))

    four, none = entries(folder)
    assert four.pop("time")
    assert four == {
        "stream": "t",
        "line": 5,
        "path": "$.id",
        "expected": "integer",
        "got": '"four"',
        "reason": 'expected integer, got "four"',
        "raw": '{"type":"RECORD","stream":"t","record":{"id":"four","name":"d"}}',
    }
    assert (none["line"], none["path"], none["got"]) == (15, "$.id", "nothing")
    (other,) = entries(folder, "other")
    assert (other["stream"], other["line"]) == ("other", 10)
    assert "before the SCHEMA" in other["reason"]
    sync, cut = entries(folder, "unknown")
    assert base64.b64decode(sync["raw_base64"]) == b"Starting sync \xff"
    assert (sync["stream"], sync["line"]) == (None, 8)
    assert (cut["raw"], cut["line"]) == ('{"type":"RECORD","stream":"t","rec', 14)
    for path in folder.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    head = json.loads((folder / "t.jsonl").read_bytes().splitlines()[0])
    assert (head["type"], head["schema"]["properties"]) == ("SCHEMA", PROPERTIES)


def test_what_a_writer_refuses_is_set_aside(place: Place, tmp_path: Path) -> None:
    """Values that no column holds, found before they are sent, among many that are good."""
    properties = {**PROPERTIES, "name": {"type": ["string", "null"], "maxLength": 3}}
    bad = {7, 8, 500, 1999}
    rows = [{"id": i, "name": "long!" if i in bad else f"{i % 9}\n"} for i in range(2000)]
    folder = tmp_path / "aside"
    target = place.target(on_bad_record="quarantine", quarantine_path=str(folder))
    data = lines(schema("t", properties, ["id"]), [record("t", row) for row in rows], state(1))
    assert load_bytes(target, data) == [1]
    found = place.query("SELECT id, name FROM t ORDER BY id")
    assert found == [(row["id"], row["name"]) for row in rows if row["id"] not in bad]
    aside = entries(folder)
    assert [entry["line"] for entry in aside] == [i + 2 for i in sorted(bad)]
    assert [json.loads(entry["raw"])["record"] for entry in aside] == [rows[i] for i in sorted(bad)]
    assert {entry["path"] for entry in aside} == {"$.name"}


@pytest.mark.parametrize("filled", [False, True])
@pytest.mark.parametrize("keyed", [False, True])
def test_what_the_database_refuses_is_set_aside(
    place: Place, tmp_path: Path, keyed: bool, filled: bool
) -> None:
    """A table with rules of its own: rows that break them are found, whatever the way in."""
    load(place.target(), schema("other", PROPERTIES))
    key = "PRIMARY KEY" if keyed else ""
    place.query(
        f"CREATE TABLE t (id integer {key}, name text CHECK (name <> 'bad'), UNIQUE (name))"
    )
    if filled:
        place.query("INSERT INTO t VALUES (-1, 'n5')")
    rows = [{"id": i, "name": "bad" if i % 50 == 7 else f"n{i}"} for i in range(300)]
    rows[200]["name"] = "n3"
    bad = [i for i, row in enumerate(rows) if row["name"] == "bad" or i == 200]
    bad = sorted([*bad, 5]) if filled else bad
    folder = tmp_path / "aside"
    target = place.target(on_bad_record="quarantine", quarantine_path=str(folder))
    start = schema("t", PROPERTIES, ["id"] if keyed else [])
    data = lines(start, [record("t", row) for row in rows], state(1))
    assert load_bytes(target, data) == [1]
    found = place.query("SELECT id, name FROM t WHERE id >= 0 ORDER BY id")
    assert found == [(row["id"], row["name"]) for i, row in enumerate(rows) if i not in bad]
    aside = entries(folder)
    assert sorted(entry["line"] for entry in aside) == [i + 2 for i in bad]
    for entry in aside:
        assert json.loads(entry["raw"])["record"] == rows[entry["line"] - 2]


def test_a_foreign_key_is_checked_by_halves(postgres: Database, tmp_path: Path) -> None:
    """PostgreSQL says nothing of the line then."""
    postgres.execute("CREATE TABLE parents (id integer PRIMARY KEY)")
    postgres.execute("INSERT INTO parents SELECT generate_series(0, 99)")
    postgres.execute("CREATE TABLE t (id integer REFERENCES parents, name text)")
    place, folder = Postgres(postgres), tmp_path / "aside"
    rows = [{"id": i % 101, "name": f"{i}\r\n"} for i in range(1000)]
    target = place.target(on_bad_record="quarantine", quarantine_path=str(folder))
    load(target, schema("t", PROPERTIES), [record("t", row) for row in rows])
    found = place.query("SELECT id, name FROM t ORDER BY name")
    assert found == sorted(
        ((row["id"], row["name"]) for row in rows if row["id"] != 100), key=lambda pair: pair[1]
    )
    assert [json.loads(entry["raw"])["record"]["id"] for entry in entries(folder)] == [100] * 9


def test_many_bad_rows_in_batches_of_any_size(postgres: Database, tmp_path: Path) -> None:
    """Refused by COPY into an empty table, into a stage, and by the merge, all at once."""
    postgres.execute("CREATE TABLE t (id integer PRIMARY KEY, day date, name text UNIQUE)")
    properties = {"id": {"type": "integer"}, "day": {**TEXT, "format": "date"}, "name": TEXT}
    place = Postgres(postgres)
    for size in (100, 700, 100_000):
        folder = tmp_path / str(size)
        rows = [
            {
                "id": i,
                "day": "2024-02-30" if i % 7 == size % 7 else "2024-02-28",
                "name": f"{size} {i - i % 9 if i % 11 == 0 else i}",
            }
            for i in range(3000)
        ]
        target = place.target(
            on_bad_record="quarantine", quarantine_path=str(folder), batch_size_rows=size
        )
        load(target, schema("t", properties, ["id"]), [record("t", row) for row in rows], state(1))
        taken: dict[str, int] = {}
        bad = []
        for row in rows:
            refused = row["day"] == "2024-02-30" or str(row["name"]) in taken
            bad += [row["id"]] if refused else []
            if not refused:
                taken[str(row["name"])] = int(str(row["id"]))
        aside = [json.loads(entry["raw"])["record"]["id"] for entry in entries(folder)]
        assert sorted(aside) == bad
        here = place.query(f"SELECT name, id FROM t WHERE name LIKE '{size} %'")
        assert dict(here) == taken


def test_streams_that_interleave_lose_nothing(place: Place, tmp_path: Path) -> None:
    """The COPY of one stream fails while a row of another is written."""
    load(place.target(), schema("other", PROPERTIES))
    for name in ("a", "b"):
        place.query(f"CREATE TABLE {name} (id integer, name text CHECK (name <> 'bad'))")
    rows = [
        record(stream, {"id": i, "name": "bad" if i % 10 == 3 else "x" * 40_000})
        for i in range(60)
        for stream in ("a", "b")
    ]
    folder = tmp_path / "aside"
    target = place.target(on_bad_record="quarantine", quarantine_path=str(folder))
    start = [schema(name, PROPERTIES) for name in ("a", "b")]
    assert load(target, start, rows, state(1)) == [1]
    for name in ("a", "b"):
        wanted = [(i,) for i in range(60) if i % 10 != 3]
        assert place.query(f"SELECT id FROM {name} ORDER BY id") == wanted
        assert [json.loads(e["raw"])["record"]["id"] for e in entries(folder, name)] == [
            i for i in range(60) if i % 10 == 3
        ]


def test_an_overwrite_goes_on_without_the_bad(place: Place, tmp_path: Path) -> None:
    """The new rows take the place of the old ones at the end."""
    target = place.target(on_bad_record="quarantine", quarantine_path=str(tmp_path / "aside"))
    limited = {**PROPERTIES, "id": {"type": "integer", "minimum": 0, "maximum": (1 << 63) - 1}}
    rows = [record("t", {"id": i, "name": "x"}) for i in (1, "two", 3, 1 << 63, 5)]
    load(target, full_table("t", limited), rows)
    assert place.query("SELECT id FROM t ORDER BY id") == [(1,), (3,), (5,)]
    assert [entry["line"] for entry in entries(tmp_path / "aside")] == [3, 5]


@pytest.mark.parametrize(
    ("most", "fails"), [("2", True), ("3", False), ("29%", True), ("30%", False)]
)
def test_too_many_bad_records_end_the_run(
    destination: Destination, tmp_path: Path, most: str, fails: bool
) -> None:
    """What came before is loaded and its state told; a share is judged at the end."""
    messages: list[Any] = [START]
    for i in range(10):
        messages += [record("t", {"id": "bad" if i in (2, 5, 8) else i}), state({"n": i})]
    target = made(destination, tmp_path / "aside", max_bad_records=most, batch_size_rows=1)
    if not fails:
        assert load(target, *messages)[-1] == {"n": 9}
        assert ids(destination) == [0, 1, 3, 4, 6, 7, 9]
        return
    with pytest.raises(WriteError) as caught:
        load(target, *messages)
    assert f"max_bad_records is {most}" in str(caught.value)
    assert len(str(caught.value).splitlines()) <= 6
    there = ids(destination)
    assert there == [0, 1, 3, 4, 6, 7, 9][: len(there)]
    assert len(there) >= 6


def test_a_tap_that_died_within_a_line_is_no_bad_record(
    destination: Destination, tmp_path: Path
) -> None:
    """Its streams are incomplete, so that nothing may be replaced."""
    data = lines(START, record("t", {"id": 1}), state(1), record("t", {"id": 2}))
    with pytest.raises(RecordError, match="died while writing"):
        load_bytes(made(destination, tmp_path / "aside"), data[:-9])
    assert ids(destination) == [1]
    assert load_bytes(made(destination, tmp_path / "aside"), data[:-1]) == [1]
    assert 2 in ids(destination)


@pytest.mark.parametrize(
    "line",
    [
        b'{"type":"SCHEMA","stream":"t","schema":{"prop\n',
        b'{"type":"SCHEMA","stream":"t","schema":{}}\n',
        b'{"type":"SCHEMA","stream":"t","schema":{"properties":{}},"key_properties":["x"]}\n',
        b'{"type":"STATE"}\n',
        b'{"type":"BATCH","stream":"u","encoding":{},"manifest":[]}\n',
        b'{"type":"ACTIVATE_VERSION","stream":"t","version":"x"}\n',
    ],
)
def test_what_is_no_record_is_never_set_aside(tmp_path: Path, line: bytes) -> None:
    """It stands for more than one row."""
    target = TargetJSONL(
        {
            "path": str(tmp_path / "out"),
            "on_bad_record": "quarantine",
            "quarantine_path": str(tmp_path / "aside"),
        }
    )
    with pytest.raises(RecordError) as caught:
        load_bytes(target, lines(START, record("t", {"id": 1})) + line)
    assert "on_bad_record" not in str(caught.value)
    assert not (tmp_path / "aside").exists()


def test_without_quarantine_the_error_says_that_there_is_one(
    destination: Destination, tmp_path: Path
) -> None:
    """In its last line."""
    target = made(destination, tmp_path / "aside", on_bad_record="fail")
    with pytest.raises(RecordError) as caught:
        load(target, START, record("t", {"id": "x"}))
    assert str(caught.value).endswith("on_bad_record: quarantine")
    assert not (tmp_path / "aside").exists()


def test_entries_are_durable_before_the_state_that_covers_them(tmp_path: Path) -> None:
    """Each state that is told finds the entries before it in the file."""
    folder = tmp_path / "aside"
    seen: list[int] = []

    class Out:
        def write(self, text: bytes) -> None:
            seen.append(len(entries(folder)) - json.loads(text))

        def flush(self) -> None:
            return

    target = TargetJSONL(
        {
            "path": str(tmp_path / "out"),
            "on_bad_record": "quarantine",
            "quarantine_path": str(folder),
            "batch_size_rows": 1,
        }
    )
    messages: list[Any] = [START]
    for i in range(1, 6):
        bad = record("t", {"id": "bad"})
        messages += [bad, state(i), record("t", {"id": i})]
    source = tmp_path / "in.jsonl"
    source.write_bytes(lines(*messages, state(5)))
    with source.open("rb") as file:
        target.run(file, Out())  # type: ignore[arg-type]  # what it is asked for
    assert seen
    assert all(difference >= 0 for difference in seen)


@pytest.mark.parametrize("most", ["", "1.5", "many", "-1", "%"])
def test_a_limit_that_is_none_is_refused(tmp_path: Path, most: str) -> None:
    """Whether or not records are set aside."""
    with pytest.raises(ConfigError, match="max_bad_records"):
        TargetJSONL({"path": str(tmp_path), "max_bad_records": most})


def test_a_folder_that_cannot_be_made_ends_the_run(tmp_path: Path) -> None:
    """Bad records must not get lost: no state after them is told."""
    (tmp_path / "file").write_text("")
    target = TargetJSONL(
        {
            "path": str(tmp_path / "out"),
            "on_bad_record": "quarantine",
            "quarantine_path": str(tmp_path / "file" / "below"),
        }
    )
    with pytest.raises(ConfigError, match="quarantine_path"):
        load(target, START, record("t", {"id": "x"}), state(1))


def test_any_stream_has_a_file_in_the_folder(tmp_path: Path) -> None:
    """No name leads out of it, and none follows a link that somebody laid there."""
    folder = tmp_path / "aside"
    target = TargetJSONL(
        {
            "path": str(tmp_path / "out"),
            "on_bad_record": "quarantine",
            "quarantine_path": str(folder),
        }
    )
    names = ["../x", ".hidden", "a/b", "unknown"]
    for name in names:
        load(target, schema(name, {"id": INTEGER}), record(name, {"id": "x"}))
    found = {path.name for path in folder.iterdir()}
    assert found == {"%2E.%2Fx.jsonl", "%2Ehidden.jsonl", "a%2Fb.jsonl", "unknown.jsonl"}
    (folder / "link.jsonl").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(WriteError, match="cannot set bad records aside"):
        load(target, schema("link", {"id": INTEGER}), record("link", {"id": "x"}))
    assert not (tmp_path / "elsewhere").exists()
