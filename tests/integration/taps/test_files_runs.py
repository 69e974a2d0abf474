"""Runs over files: which are read, where a run goes on, what becomes of those that are bad."""

from __future__ import annotations

import gzip
import json
import os
import random
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from commands import BIN
from destinations import DESTINATIONS, FIXTURES, canonical
from kozmo_runner import api
from kozmo_singer.errors import ReadError
from kozmo_singer.wire import lane
from kozmo_taps.files.engine import TapFiles
from kozmo_taps.files.presets import TapCsv
from servers.postgres import Database
from sources import SOURCES, Files

POWERLESS = [sys.executable, FIXTURES / "powerless.py"]
Tap = Callable[..., Any]
MANY = 200_000


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder for files."""
    made = tmp_path / "data"
    made.mkdir()
    return made


def put(folder: Path, name: str, *rows: Any) -> Path:
    """Make a CSV file with the columns id and word."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("id,word\n" + "".join(f"{row},w{row}\n" for row in rows))
    return path


def ids(said: Any) -> list[int]:
    """What was read."""
    return [record["id"] for record in said.records]


def test_a_stream_for_each_name_of_a_file(tap: Tap, folder: Path) -> None:
    """Names with spaces, brackets and other letters; a stream's name may be given instead."""
    for name in ("plain.csv", "with space.csv", "ümlaut [1].csv", "under/plain.tsv", "_no.csv"):
        put(folder, name, 1)
    (folder / "under" / "plain.tsv").write_text("id\tword\n2\tw2\n")
    (folder / "readme.txt").write_text("no table")
    said = tap("tap-files", {"path": str(folder)})
    assert said.code == 0, said.err
    assert "readme.txt is left out: its name tells no format" in said.err
    found = [(m["stream"], m["record"]["id"]) for m in said.of("RECORD")]
    assert found == [("plain", 1), ("plain", 2), ("with space", 1), ("ümlaut [1]", 1)]
    one = tap("tap-csv", {"path": f"{folder}/*.csv", "stream": "all"})
    assert {m["stream"] for m in one.of("RECORD")} == {"all"}
    exact = tap("tap-csv", {"path": str(folder / "ümlaut [1].csv")})
    assert exact.records == [{"id": 1, "word": "w1"}]
    around = tap("tap-csv", {"path": f"{folder}/under/../plain.csv"})
    assert ids(around) == [1]


def test_a_file_that_is_meant_itself_needs_no_ending(tap: Tap, folder: Path) -> None:
    """It is CSV, and its stream is named without the ending that it has."""
    said = tap("tap-files", {"path": str(put(folder, "export.txt", 1))})
    assert [(m["stream"], m["record"]["id"]) for m in said.of("RECORD")] == [("export", 1)]


def test_files_of_a_target_are_streams_again(tap: Tap, folder: Path) -> None:
    """Whatever run wrote them, they are called after the folder, and not after the run."""
    for stream in ("orders", "people"):
        (folder / stream).mkdir()
        put(folder / stream, "20240501T101500Z-000001.csv", 1)
    put(folder / "orders", "20240502T101500Z-000002.csv", 2)
    put(folder, "bills.csv", 1)
    put(folder, "bills~000002.csv", 2)
    said = tap("tap-csv", {"path": str(folder)})
    assert said.code == 0, said.err
    assert [(m["stream"], m["record"]["id"]) for m in said.of("RECORD")] == [
        ("bills", 1), ("bills", 2), ("orders", 1), ("orders", 2), ("people", 1),
    ]  # fmt: skip


def test_several_streams_with_settings_of_their_own(tap: Tap, folder: Path) -> None:
    """What an object in files says goes before what is said for all."""
    put(folder, "a.csv", 1)
    (folder / "b.txt").write_text("1;x\n2;y\n")
    files = [
        {"path": f"{folder}/a.csv", "key_properties": ["id"]},
        {"path": f"{folder}/b.txt", "stream": "bees", "column_names": ["n", "w"]},
    ]
    said = tap("tap-csv", {"files": files})
    assert said.code == 0, said.err
    assert [s["key_properties"] for s in said.of("SCHEMA")] == [["id"], []]
    assert said.records == [{"id": 1, "word": "w1"}, {"n": 1, "w": "x"}, {"n": 2, "w": "y"}]


WRONG = [
    ({}, "needs either the setting 'path' or the setting 'files'"),
    ({"path": "nowhere/*.csv"}, "found no file at nowhere/*.csv"),
    ({"path": "hdfs://b/x.csv"}, "there is no store for hdfs://"),
    ({"files": [{"stream": "x"}]}, "needs a path"),
    ({"files": [{"path": "x", "delimeter": ";"}]}, "did you mean 'delimiter'?"),
    ({"path": "x", "delimiter": ";;"}, "delimiter must be one letter"),
    ({"path": "x", "columns": {"a": "intger"}}, "did you mean 'integer'?"),
    ({"path": "x", "columns": {"a": "string(3)"}}, "'a' has no type that is known"),
    ({"path": "x", "encoding": "utf-9"}, "no encoding 'utf-9'"),
    ({"path": "x", "metadata_columns": ["_line"]}, "no column '_line' for metadata_columns"),
]


@pytest.mark.parametrize(("config", "words"), WRONG, ids=[w for _, w in WRONG])
def test_settings_that_do_not_work(tap: Tap, config: dict[str, Any], words: str) -> None:
    """Are explained."""
    said = tap("tap-csv", config)
    assert said.code == 2
    assert words in said.err


def test_columns_that_are_not_there(tap: Tap, folder: Path) -> None:
    """A key, or a type, of a column that no file has is a mistake."""
    put(folder, "a.csv", 1)
    for more in ({"key_properties": ["idd"]}, {"columns": {"idd": "string"}}):
        for arguments in ([], ["--check"]):
            said = tap("tap-csv", {"path": str(folder), **more}, *arguments)
            assert (said.code, "did you mean 'id'?" in said.err) == (2, True)


def test_a_stream_whose_files_are_gone(tap: Tap, folder: Path) -> None:
    """Is named, with the stream that may be meant."""
    put(folder, "orders.csv", 1)
    root = {"breadcrumb": [], "metadata": {"selected": True}}
    schema = {"type": "object", "properties": {"id": {"type": "integer"}}}
    stream = {"tap_stream_id": "order", "stream": "order", "schema": schema, "metadata": [root]}
    said = tap("tap-csv", {"path": str(folder)}, catalog={"streams": [stream]})
    assert (said.code, said.records) == (1, [])
    assert "stream order: there are no files of it" in said.err
    assert "did you mean 'orders'?" in said.err


def test_partitions_and_metadata_are_columns(tap: Tap, folder: Path) -> None:
    """Folders as year=2024 tell columns with types; rows say where they come from."""
    first = put(folder, "sales/year=2024/month=01/a.csv", 1, 2)
    put(folder, "sales/year=2025/month=__HIVE_DEFAULT_PARTITION__/a%20b.csv", 3)
    os.utime(first, ns=(0, 1_700_000_000_123_456_789))
    config = {"path": str(folder), "metadata_columns": ["_file", "_row", "_modified"]}
    said = tap("tap-csv", config)
    assert said.code == 0, said.err
    assert {m["stream"] for m in said.of("RECORD")} == {"sales"}
    assert said.records[1] == {
        "id": 2, "word": "w2", "year": 2024, "month": "01", "_file": str(first), "_row": 2,
        "_modified": "2023-11-14T22:13:20.123456Z",
    }  # fmt: skip
    assert (said.records[2]["year"], said.records[2]["month"]) == (2025, None)


@pytest.mark.parametrize("year", ["007", "0x1F", "abc", '5,"id":99'])
def test_a_folder_that_is_no_value_of_its_column(
    tap: Tap, folder: Path, monkeypatch: pytest.MonkeyPatch, year: str
) -> None:
    """What a later folder is called never stands in a record as it is; both lanes refuse it."""
    put(folder, "sales/year=2024/a.csv", 1)
    config = {"path": str(folder)}
    catalog = TapCsv(config).discover()
    put(folder, f"sales/year={year}/b.csv", 2)
    said = tap("tap-csv", config, catalog=catalog.to_dict())
    assert said.code == 1
    assert f"its folder says that year is {year!r}, which is no integer" in said.err
    assert said.records in ([], [{"id": 1, "word": "w1", "year": 2024}])
    monkeypatch.setenv(lane.VARIABLE, "1")
    found = TapCsv(config)
    with (
        found.session(catalog.streams) as session,
        pytest.raises(ReadError, match="its folder says that year is"),
    ):
        list(session.open(catalog.streams[0], {}, None).batches())
    monkeypatch.delenv(lane.VARIABLE)
    as_text = tap("tap-csv", {**config, "columns": {"year": "string"}})
    assert {record["year"] for record in as_text.records} == {"2024", year}


@pytest.mark.parametrize("kind", ["csv", "jsonl"])
def test_a_file_may_have_columns_that_are_called_as_metadata(
    tap: Tap, folder: Path, kind: str
) -> None:
    """They are its own unless metadata_columns asks for them, and then it is said."""
    text = "_row,_file\nx,y\n" if kind == "csv" else '{"_row":"x","_file":"y"}\n'
    (folder / f"t.{kind}").write_text(text)
    config = {"path": str(folder)}
    assert tap("tap-files", config).records == [{"_row": "x", "_file": "y"}]
    said = tap("tap-files", {**config, "metadata_columns": ["_row"]})
    assert said.code != 0
    assert "have a column '_row' of their own" in said.err


def test_files_of_one_stream_may_differ_in_columns(tap: Tap, folder: Path) -> None:
    """The stream has all of them, with types that hold all values; what a file lacks is null."""
    (folder / "a.csv").write_text("id,n,only_a\n1,5,x\n")
    (folder / "b.csv").write_text("n,id,day\n2.5,2,2024-01-01\n")
    (folder / "c.csv").write_text("n,id,day\n,3,\n")
    (folder / "d.csv").write_text("")
    said = tap("tap-csv", {"path": str(folder), "stream": "s"})
    assert said.code == 0, said.err
    assert said.records == [
        {"id": 1, "n": 5, "only_a": "x", "day": None},
        {"id": 2, "n": 2.5, "only_a": None, "day": "2024-01-01"},
        {"id": 3, "n": None, "only_a": None, "day": None},
    ]


@pytest.mark.parametrize("kind", ["csv", "jsonl", "parquet"])
def test_a_column_that_the_catalog_lacks_is_told(tap: Tap, folder: Path, kind: str) -> None:
    """Once, where a file has it; columns that are not selected are no surprise."""
    write(folder / f"a.{kind}", ["x"] * 3)
    config = {"path": str(folder), "stream": "s"}
    catalog = TapFiles(config).discover().to_dict()
    [stream] = catalog["streams"]
    del stream["schema"]["properties"]["word"]
    stream["metadata"] = [m for m in stream["metadata"] if m["breadcrumb"][1:] != ["word"]]
    write(folder / f"b.{kind}", ["y"] * 3)
    said = tap("tap-files", config, catalog=catalog)
    assert said.code == 0, said.err
    assert said.err.count("has a column 'word' that the catalog lacks; it is left out") == 1
    assert said.records == [{"id": i} for i in (0, 1, 2)] * 2


def test_half_of_a_character_has_no_form_in_arrow(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Lines can hold it; the Arrow lane says that it cannot."""
    (folder / "a.jsonl").write_text('{"id":1,"word":"\\ud83d"}\n')
    found = TapFiles({"path": str(folder)})
    with found.session([]) as session:
        reading = session.open(found.discover().streams[0], {}, None)
        assert [len(rows) for rows in reading.batches()] == [1]
        monkeypatch.setenv(lane.VARIABLE, "1")
        reading = session.open(found.discover().streams[0], {}, None)
        with pytest.raises(ReadError, match="lines 1 to 1: a text holds half of a character"):
            list(reading.batches())


def test_an_incremental_run_reads_what_is_new_or_changed(tap: Tap, folder: Path) -> None:
    """And nothing else; the state forgets files that are gone."""
    config = {"path": str(folder), "stream": "s", "replication_method": "INCREMENTAL"}
    put(folder, "a.csv", 1)
    gone = put(folder, "b.csv", 2)
    first = tap("tap-csv", config, state={})
    assert ids(first) == [1, 2]
    again = tap("tap-csv", config, state=first.state)
    assert (again.code, ids(again), again.state) == (0, [], first.state)
    put(folder, "c.csv", 3)
    put(folder, "a.csv", 1, 4)
    gone.unlink()
    third = tap("tap-csv", config, state=again.state)
    assert ids(third) == [1, 4, 3]
    assert len(third.state["bookmarks"]["s"]["files"]) == 2
    assert ids(tap("tap-csv", config, state=third.state)) == []
    # The same size and content, but written anew.
    os.utime(folder / "c.csv", ns=(0, 5))
    assert ids(tap("tap-csv", config, state=third.state)) == [3]


def test_a_full_table_is_read_whole_each_time(tap: Tap, folder: Path) -> None:
    """With versions, if they are asked for, which are told once all files were read."""
    put(folder, "a.csv", 1)
    config = {"path": str(folder), "emit_activate_version_messages": True}
    first = tap("tap-csv", config, state={})
    assert [m["type"] for m in first.messages][-2:] == ["ACTIVATE_VERSION", "STATE"]
    second = tap("tap-csv", config, state=first.state)
    assert (ids(second), second.state) == ([1], first.state)


@pytest.mark.parametrize("method", ["FULL_TABLE", "INCREMENTAL"])
@pytest.mark.parametrize("kind", ["csv", "csv.gz", "jsonl", "parquet"])
def test_a_run_that_was_killed_goes_on_within_the_file(
    tap: Tap, folder: Path, tmp_path: Path, kind: str, method: str
) -> None:
    """From the last state on no row lacks and none comes twice."""
    words = [f"w{i}" + '"\n' * (i % 5 == 0) for i in range(MANY)]
    for name in ("a", "b"):
        write(folder / f"{name}.{kind}", words)
    config = {"path": str(folder), "stream": "s", "replication_method": method}
    before, state = killed(tmp_path, config, MANY + random.randint(1000, MANY - 60_000))
    rest = tap("tap-files", config, state=state)
    assert rest.code == 0, rest.err
    assert 0 < len(rest.records) < 2 * MANY
    assert [r["word"] for r in before + rest.records] == words * 2
    assert [r["id"] for r in before + rest.records] == [*range(MANY)] * 2


def write(path: Path, words: list[str]) -> None:
    """Make a file of numbered words in the format that its name tells."""
    if path.suffix == ".parquet":
        table = pa.table({"id": list(range(len(words))), "word": words})
        pq.write_table(table, path, row_group_size=30_000)
    elif path.suffix == ".jsonl":
        lines = [json.dumps({"id": i, "word": word}) for i, word in enumerate(words)]
        path.write_text("\n".join([*lines, ""]))
    else:
        cells = ['"' + word.replace('"', '""') + '"' for word in words]
        text = "id,word\n" + "".join(f"{i},{cell}\n" for i, cell in enumerate(cells))
        packed = path.suffix == ".gz"
        path.write_bytes(gzip.compress(text.encode(), 1) if packed else text.encode())


def killed(folder: Path, config: dict[str, Any], after: int) -> tuple[list[Any], Any]:
    """Kill a tap once it wrote *after* records; return those that its last state covers."""
    path = folder / "killed.json"
    path.write_text(json.dumps(config))
    process = subprocess.Popen(
        [BIN / "tap-files", "--config", path], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    assert process.stdout is not None
    records: list[Any] = []
    covered, state = 0, None
    for line in process.stdout:
        if line.startswith(b'{"type":"RECORD"'):
            records.append(json.loads(line)["record"])
            if len(records) == after:
                process.send_signal(signal.SIGKILL)
                break
        elif line.startswith(b'{"type":"STATE"'):
            covered, state = len(records), json.loads(line)["value"]
    process.stdout.close()
    process.wait()
    return records[:covered], state


def test_a_file_that_changes_while_it_is_read(folder: Path) -> None:
    """Fails a full table, and is read again by the next incremental run."""
    path = folder / "a.csv"
    for method in ("FULL_TABLE", "INCREMENTAL"):
        put(folder, "a.csv", *range(1000))
        found = TapCsv({"path": str(folder), "replication_method": method})
        catalog = found.discover()
        with found.session(catalog.streams) as session:
            reading = session.open(catalog.streams[0], {}, None)
            rows = reading.batches()
            next(rows)
            path.write_text("id,word\n1,other\n")
            if method == "INCREMENTAL":
                assert list(rows) == []
                assert reading.complete
                mark = reading.bookmark()
            else:
                with pytest.raises(Exception, match="cannot read .*a.csv as a whole"):
                    list(rows)
                assert not reading.complete
    again = TapCsv({"path": str(folder), "replication_method": "INCREMENTAL"})
    with again.session([]) as session:
        later = session.open(again.discover().streams[0], mark, None)
        assert [len(rows) for rows in later.batches()] == [1]


def test_a_file_that_vanishes_before_it_is_read(folder: Path) -> None:
    """Is named; with skip the others are read, and the run fails at the end."""
    put(folder, "a.csv", 1)
    path = put(folder, "b.csv", 2)
    put(folder, "c.csv", 3)
    for policy, read in (("fail", [1]), ("skip", [1, 3])):
        put(folder, "b.csv", 2)
        found = TapCsv({"path": str(folder), "stream": "s", "on_bad_file": policy})
        [stream] = found.discover().streams
        stream.root()["selected"] = True
        path.unlink()
        seen: list[Any] = []
        with (
            pytest.raises(Exception, match="b.csv\\n  the file is gone|could not read 1 of"),
            found.session([stream]) as session,
        ):
            reading = session.open(stream, {}, None)
            for rows in reading.batches():
                seen += [row[0] for row in rows]
        assert (seen, reading.complete) == (read, False)


def test_bad_files_are_set_aside(tap: Tap, folder: Path) -> None:
    """All others are read, each bad one is told with its reason, and the exit code is 1."""
    put(folder, "a.csv", 1)
    (folder / "b.csv").write_text("id,word\n2,w2\n3\n")
    (folder / "c.csv.gz").write_bytes(gzip.compress(b"id,word\n" + b"4,w4\n" * 99)[:-20])
    put(folder, "d.csv", 5)
    config = {
        "path": str(folder), "stream": "s", "on_bad_file": "skip",
        "replication_method": "INCREMENTAL",
    }  # fmt: skip
    said = tap("tap-csv", config, state={})
    assert said.code == 1
    assert ids(said) == [1, 5]
    assert "could not read 2 of the files; the others were read" in said.err
    assert "b.csv: line 3: expected 2 cells, got 1" in said.err
    assert "c.csv.gz: as gzip" in said.err
    put(folder, "b.csv", 2, 3)
    (folder / "c.csv.gz").write_bytes(gzip.compress(b"id,word\n4,w4\n"))
    again = tap("tap-csv", config, state=said.state)
    assert (again.code, ids(again)) == (0, [2, 3, 4])


def test_a_parquet_file_that_was_cut(tap: Tap, folder: Path) -> None:
    """Is named."""
    path = folder / "a.parquet"
    pq.write_table(pa.table({"id": list(range(10_000))}), path)
    path.write_bytes(path.read_bytes()[:10_000])
    said = tap("tap-parquet", {"path": str(folder)})
    assert said.code == 1
    assert f"cannot read {path}" in said.err


def test_a_file_without_permission(run: Any, folder: Path, tmp_path: Path) -> None:
    """Is named, to root too, once it has no power over permissions."""
    put(folder, "a.csv", 1).chmod(0)
    (tmp_path / "c.json").write_text('{"path": "data"}')
    done = run([*POWERLESS, "tap-csv", "--config", "c.json"])
    assert (done.code, "permission denied" in done.err) == (1, True), done.err


BAD_LINES = [
    ('{"a":1}\n{"a":"x"}\n', 'line 2, $.a: expected integer, got "x"'),
    ('{"a":1}\n{"a":1\n', "line 2: "),
    ('{"a":1}\n{"a":1},"b":{}\n', "line 2: "),
    ('{"a":1}\n[1]\n', "line 2: expected an object"),
]


@pytest.mark.parametrize(("content", "words"), BAD_LINES)
def test_lines_that_do_not_fit(tap: Tap, folder: Path, content: str, words: str) -> None:
    """Are told with file, line and field, though the sample did not show them."""
    filler = '{"a":1}\n' * 500_000
    path = folder / "a.jsonl"
    path.write_text(filler + content + filler)
    said = tap("tap-jsonl", {"path": str(folder)})
    assert said.code == 1
    assert words.replace("line 2", "line 500002") in said.err
    assert str(path) in said.err


def test_lines_of_json_stay_what_they_are(run: Any, folder: Path, tmp_path: Path) -> None:
    """Digits, nested values, missing fields; a mixed column holds texts and numbers."""
    lines = [
        '{"id":1,"n":1.50,"doc":{"b":[1, {"c":null}]},"mixed":1}',
        '{"id":123456789012345678901234567890,"mixed":"x","n":2}',
        "",
        '\t{"id":3,"n":null,"text":"a\\n\\u2028\\ud83d\\ude00"}\r',
    ]
    (folder / "a.jsonl").write_bytes(b"\xef\xbb\xbf" + "\n".join(lines).encode())
    (tmp_path / "c.json").write_text('{"path": "data", "metadata_columns": ["_row"]}')
    done = run(["tap-jsonl", "--config", "c.json"])
    assert done.code == 0, done.err
    records = [line for line in done.out.split(b"\n") if b'"RECORD"' in line]
    assert b'"n":1.50' in records[0]
    assert b'{"b":[1, {"c":null}]}' in records[0]
    found = [json.loads(line)["record"] for line in records]
    assert [r["id"] for r in found] == [1, 123456789012345678901234567890, 3]
    assert [r["mixed"] for r in found] == [1, "x", None]
    assert [r["text"] for r in found] == [None, None, "a\n\u2028😀"]
    assert [r["_row"] for r in found] == [1, 2, 3]


def test_a_line_of_json_that_is_too_long(tap: Tap, folder: Path) -> None:
    """Is an error above the limit, and read below it."""
    word = "x" * 3_000_000
    (folder / "a.jsonl").write_text(f'{{"w":"a"}}\n{{"w":"{word}"}}\n')
    said = tap("tap-jsonl", {"path": str(folder), "max_row_bytes": 1_000_000})
    assert (said.code, "line 2 is longer than 1000000 bytes" in said.err) == (1, True)
    read = tap("tap-jsonl", {"path": str(folder)})
    assert [r["w"] for r in read.records] == ["a", word]


def test_other_types_in_another_file_are_told(tap: Tap, folder: Path) -> None:
    """Where the catalog has a type that cannot hold them."""
    pq.write_table(pa.table({"id": [1, 2]}), folder / "a.parquet")
    catalog = TapFiles({"path": str(folder), "stream": "s"}).discover().to_dict()
    pq.write_table(pa.table({"id": ["x"]}), folder / "b.parquet")
    catalog["streams"][0]["metadata"][0]["metadata"]["selected"] = True
    said = tap("tap-parquet", {"path": str(folder), "stream": "s"}, catalog=catalog)
    assert said.code == 1
    assert "column id is string here, but integer in the stream" in said.err


@pytest.mark.parametrize("target", ["target-sqlite", "target-jsonl"])
@pytest.mark.parametrize("kind", ["csv", "jsonl", "parquet"])
def test_targets_get_every_row(folder: Path, tmp_path: Path, kind: str, target: str) -> None:
    """By `kozmo run`, and a second run finds nothing."""
    words = [f'"w\n{i}' for i in range(3000)]
    write(folder / f"a.{kind}", words)
    out = tmp_path / ("out.db" if target == "target-sqlite" else "out")
    config = {"path": str(folder), "replication_method": "INCREMENTAL"}
    for expected in (3000, 0):
        report = api.run("tap-files", target, tap_config=config, target_config={"path": str(out)})
        report.raise_for_failure()
        assert report.rows_read == expected
    if target == "target-jsonl":
        rows = [json.loads(line) for line in (out / "a.jsonl").read_text().split("\n")[:-1]]
        assert rows == [{"id": i, "word": word} for i, word in enumerate(words)]


@pytest.mark.parametrize("tap", [n for n, kind in SOURCES.items() if issubclass(kind, Files)])
def test_the_arrow_lane_brings_what_the_text_lane_brings(
    tmp_path: Path, postgres: Database, tap: str
) -> None:
    """Every value of every row, and the same state."""
    source = SOURCES[tap](tmp_path, postgres)
    source.insert([source.row(number) for number in range(1000, 5000)])
    config = {**source.config, "metadata_columns": ["_file", "_row", "_modified"]}
    landed, states = [], []
    for way in ("text", "arrow"):
        destination = DESTINATIONS["target-postgres"](tmp_path, postgres)
        settings = {**destination.config, "default_target_schema": f"by_{way}"}
        report = api.run(
            tap, "target-postgres", tap_config=config, target_config=settings, lane=way,
            state_suffix=way,
        )  # fmt: skip
        report.raise_for_failure()
        assert (report.lane, report.rows_read) == (way, len(source.rows))
        states.append(report.state_after)
        query = f"SELECT {{}} FROM by_{way}.orders ORDER BY id"
        landed.append(postgres.execute(query.format("*")))
        rows = postgres.execute(query.format(", ".join(source.kinds)))
        made = [dict(zip(source.kinds, row, strict=True)) for row in rows]
        assert canonical(made, source.kinds) == canonical(source.rows, source.kinds)
    assert landed[0] == landed[1]
    assert states[0] == states[1]


def test_memory_is_bounded(tmp_path: Path) -> None:
    """A file that unpacks to a thousand times its size takes no more than a small one."""
    path = tmp_path / "bomb.csv.gz"
    with gzip.open(path, "wb", 9) as file:
        file.write(b"a,b\n")
        for _ in range(40):
            file.write(b"0,\n" * (1 << 20))
        file.write(b"1," + b"x" * (200 << 20))
    (tmp_path / "c.json").write_text(json.dumps({"path": str(path)}))
    command = [sys.executable, "-c", MEASURE, BIN / "tap-csv", "--config", tmp_path / "c.json"]
    done = subprocess.run(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, check=False, text=True
    )
    *said, last = done.stderr.splitlines()
    code, kilobytes = map(int, last.split())
    assert code == 1
    assert any("the row is longer than 16777216 bytes" in line for line in said)
    assert kilobytes / 1024 < MOST_MEGABYTES


MOST_MEGABYTES = 300
# A process counts the memory of what it was forked from as its own, so a small one stands between.
MEASURE = """
import resource, subprocess, sys
code = subprocess.run(sys.argv[1:]).returncode
print(code, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, file=sys.stderr)
"""
