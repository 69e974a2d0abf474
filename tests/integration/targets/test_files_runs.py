"""Runs of targets that write files: what they are called, when they are seen, what stays."""

from __future__ import annotations

import csv as csv_reader
import io
import json
import os
import random
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from commands import BIN
from file_readers import READERS
from kozmo_singer.errors import ConfigError, KozmoError, RecordError, WriteError
from kozmo_targets.files import open_files
from kozmo_targets.files.engine import TargetFiles
from kozmo_targets.files.presets import TargetCsv, TargetExcel, TargetParquet, TargetXml
from messages import (
    INTEGER,
    TEXT,
    full_table,
    lines,
    load,
    load_bytes,
    record,
    records,
    schema,
    state,
)
from reading import read

FIELDS = {"id": INTEGER, "word": TEXT}
HEAD = schema("words", FIELDS)
WHOLE = full_table("words", FIELDS)
HOSTILE = (
    "../x", "/etc/x", "t" * 300, "t" * 301, "ümlaut ☃", "CON", "dots...", "T", "t", "_hidden",
    ".hidden", "a=b", "a/b", "%", "%2F", "nul\0", "*[x]?", "~", "a~000002", "a", "a-000002",
)  # fmt: skip


def row(id: int, word: str | None = "w") -> dict[str, Any]:
    """Return a row of words."""
    return {"id": id, "word": word}


def rows(*ids: int) -> list[Any]:
    """Return RECORD messages of words."""
    return records("words", [row(id) for id in ids])


def seen(folder: Path) -> list[str]:
    """Return the files below *folder* that are not hidden, by their paths in it."""
    found = (path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    return sorted(str(path) for path in found if not path.name.startswith("."))


def hidden(folder: Path) -> list[Path]:
    """Return what is left of files that are not whole."""
    return [path for path in folder.rglob(".*") if path.is_file()]


def ids(folder: Path, format: str = "parquet") -> list[int]:
    """Return the ids in all files below *folder*."""
    found = [r["id"] for name in seen(folder) for r in READERS[format](folder / name)]
    return sorted(found)


def parquet(folder: Path, **settings: Any) -> TargetParquet:
    """Return a target."""
    return TargetParquet({"path": str(folder), **settings})


def csv(folder: Path, *messages: Any, **settings: Any) -> bytes:
    """Return the one file that *messages* become."""
    load(TargetCsv({"path": str(folder), **settings}), *messages)
    (name,) = seen(folder)
    return (folder / name).read_bytes()


def test_a_second_run_adds_files(tmp_path: Path) -> None:
    """Even in the same second, and with a name that is always the same."""
    for name in ("{stream}/{timestamp}-{number}.{ext}", "{stream}.{ext}", "{number}_{stream}.x"):
        folder = tmp_path / name.replace("/", "")
        for i in range(3):
            load(parquet(folder, file_name=name), HEAD, rows(i))
        assert len(seen(folder)) == 3
        assert ids(folder) == [0, 1, 2]


@pytest.mark.parametrize("name", ["{stream}/{timestamp}-{number}.{ext}", "{stream}.{ext}"])
def test_a_full_table_replaces_what_was_there(tmp_path: Path, name: str) -> None:
    """Old files of the stream go, those of others and foreign ones stay."""
    others = [
        tmp_path / other for other in ("words/notes.txt", "words2.parquet", "words~2.parquet")
    ]
    (tmp_path / "words").mkdir()
    for other in others:
        other.write_text("mine")
    load(parquet(tmp_path, file_name=name, max_file_rows=2), WHOLE, rows(1, 2, 3, 4, 5))
    load(parquet(tmp_path, file_name=name, max_file_rows=2), WHOLE, rows(6, 7, 8))
    assert all(other.read_text() == "mine" for other in others)
    for other in others:
        other.unlink()
    assert ids(tmp_path) == [6, 7, 8]
    assert len(seen(tmp_path)) == 2


def test_an_empty_table_replaces_what_was_there(tmp_path: Path) -> None:
    """By a file that has its columns and no row."""
    load(parquet(tmp_path), WHOLE, rows(1, 2))
    load(parquet(tmp_path), WHOLE)
    (name,) = seen(tmp_path)
    assert pq.read_table(tmp_path / name).schema.names == ["id", "word"]
    assert ids(tmp_path) == []
    load(parquet(tmp_path / "appended"), HEAD)
    assert seen(tmp_path / "appended") == []


@pytest.mark.parametrize("most_hidden", [128, 1])
@pytest.mark.parametrize("name", ["{stream}/{number}.{ext}", "{stream}.{ext}"])
def test_a_full_table_that_fails_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, most_hidden: int, name: str
) -> None:
    """The old files stay as they are, and nothing else is left, even if some were shown early."""
    load(parquet(tmp_path, file_name=name), WHOLE, rows(1, 2))
    before = {name: (tmp_path / name).read_bytes() for name in seen(tmp_path)}
    monkeypatch.setattr(open_files, "MOST_HIDDEN", most_hidden)
    with pytest.raises(RecordError):
        load_bytes(
            parquet(tmp_path, file_name=name, max_file_rows=1),
            lines(WHOLE, rows(3, 4, 5, 6), state({"at": 1}), record("words", {"id": "x"})),
        )
    assert {name: (tmp_path / name).read_bytes() for name in seen(tmp_path)} == before
    assert hidden(tmp_path) == []


@pytest.mark.parametrize("name", ["{stream}/{number}.{ext}", "{stream}.{ext}"])
@pytest.mark.parametrize("fails", [1, 2, 3, 4])
def test_a_store_that_fails_at_the_end_loses_nothing(tmp_path: Path, name: str, fails: int) -> None:
    """Whichever of three files cannot be shown the old ones stay; and if an old one cannot be
    removed, the new ones stay too."""
    load(parquet(tmp_path, file_name=name, max_file_rows=1), WHOLE, rows(1, 2, 3, 4))
    target = parquet(tmp_path, file_name=name, max_file_rows=1)
    store = target._places.store
    create, commits = store.create, [0]

    class Failing:
        """An upload that at one time cannot be shown."""

        def __init__(self, path: str) -> None:
            self._upload = create(path)
            self.file, self.abort = self._upload.file, self._upload.abort

        def commit(self) -> None:
            commits[0] += 1
            if commits[0] == fails:
                raise OSError(5, "Input/output error")
            self._upload.commit()

    def refuse(path: str) -> None:
        raise OSError(13, "Permission denied")

    store.create = Failing  # type: ignore[assignment, method-assign]  # as a bad disk does
    if fails > 3:
        store.remove = refuse  # type: ignore[method-assign]  # the same
    with pytest.raises(WriteError):
        load(target, WHOLE, rows(5, 6, 7))
    found = set(ids(tmp_path))
    assert {1, 2, 3, 4} == found if fails <= 3 else {5, 6, 7} <= found
    assert hidden(tmp_path) == []


def test_a_state_is_told_once_its_rows_are_seen(tmp_path: Path) -> None:
    """And files are seen together with a state, not before."""
    told: list[tuple[bytes, list[int]]] = []

    class Out(io.BytesIO):
        def write(self, data: Any) -> int:
            told.append((bytes(data), ids(tmp_path)))
            return len(data)

    sent = [HEAD, *[m for i in range(40) for m in (*rows(i), state({"at": i}))]]
    target = parquet(tmp_path, batch_size_rows=10)
    target.run(io.BytesIO(lines(*sent)), Out())
    assert told
    for text, there in told:
        at = int(text.partition(b":")[2].strip(b"} \n"))
        assert there[: at + 1] == list(range(at + 1))
    assert ids(tmp_path) == list(range(40))


def test_what_came_before_a_fault_is_kept_where_rows_are_added(tmp_path: Path) -> None:
    """Rows before it are seen, their state is told, and no file is left that is not whole."""
    sent = lines(HEAD, rows(1, 2), state({"at": 2}))
    with pytest.raises(KozmoError):
        load_bytes(parquet(tmp_path), sent + b"no JSON\n")
    assert ids(tmp_path) == [1, 2]
    assert hidden(tmp_path) == []


@pytest.mark.parametrize("format", ["parquet", "csv"])
def test_names_of_streams_are_never_paths(tmp_path: Path, format: str) -> None:
    """Whatever a stream is called, its files are in the folder, and no other stream's."""
    for template in ("{stream}/{number}.{ext}", "{stream}.{ext}", "{number}{stream}.{ext}"):
        folder = tmp_path / template.replace("/", "") / "out"
        for _ in range(2):
            for place, name in enumerate(HOSTILE):
                target = TargetFiles({"path": str(folder), "format": format, "file_name": template})
                load(target, full_table(name, {"id": INTEGER}), record(name, {"id": place}))
        assert len(seen(folder)) == len(HOSTILE)
        assert seen(folder.parent) == [f"out/{name}" for name in seen(folder)]
        assert not any(part.startswith("_") for name in seen(folder) for part in name.split("/"))
        if format == "parquet":
            assert ids(folder) == list(range(len(HOSTILE)))


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("{strem}.csv", "did you mean 'stream'?"),
        ("{date}.csv", "must have {stream}"),
        ("{stream}/../x", "no part"),
        ("/{stream}", "no part"),
        ("{stream}//x", "no part"),
        ("_{stream}", "no part"),
        ("{stream}*", "letters"),
        ("{stream}{", "letters"),
        ("{stream!r}", "not known"),
    ],
)
def test_a_name_that_cannot_be_is_refused_at_once(tmp_path: Path, name: str, words: str) -> None:
    """In words, before anything is written."""
    with pytest.raises(ConfigError) as caught:
        parquet(tmp_path / "out", file_name=name)
    assert words in str(caught.value)
    assert not (tmp_path / "out").exists()


def test_files_are_of_a_number_of_rows(tmp_path: Path) -> None:
    """The rest of a batch goes into the next one, and each is numbered."""
    load(parquet(tmp_path, max_file_rows=3), HEAD, rows(*range(10)))
    counts = [pq.read_metadata(tmp_path / name).num_rows for name in seen(tmp_path)]
    assert counts == [3, 3, 3, 1]
    assert [name[-14:-8] for name in seen(tmp_path)] == ["000001", "000002", "000003", "000004"]
    assert ids(tmp_path) == list(range(10))


@pytest.mark.parametrize(
    ("format", "packed"), [("csv", "none"), ("csv", "gzip"), ("parquet", "none")]
)
def test_files_are_of_a_number_of_bytes(tmp_path: Path, format: str, packed: str) -> None:
    """About: what is known of a file's size before its end."""
    noise = random.Random(5)
    words = [noise.randbytes(500).hex() for _ in range(4000)]
    sent = [record("words", row(i, word)) for i, word in enumerate(words)]
    config = {"path": str(tmp_path), "format": format, "compression": packed}
    load(TargetFiles({**config, "max_file_bytes": 1 << 20}), HEAD, sent)
    sizes = [(tmp_path / name).stat().st_size for name in seen(tmp_path)]
    assert len(sizes) > 1
    assert all(size < 3 << 20 for size in sizes)


class TestPartitions:
    """Folders that say what the values of columns are."""

    VALUES = (
        "a", None, "", "__HIVE_DEFAULT_PARTITION__", "a/b", "..", "x=y", "100 %", "ü", "_", "\n",
        "C:\\", "nul\0", "a+b",
    )  # fmt: skip

    @pytest.mark.parametrize("format", ["parquet", "csv", "jsonl"])
    def test_a_folder_is_a_value(self, tmp_path: Path, run: Any, format: str) -> None:
        """tap-files makes the columns of the folders again, with the same values."""
        sent = [record("words", row(i, value)) for i, value in enumerate(self.VALUES)]
        config = {"path": str(tmp_path / "out"), "format": format, "partition_by": ["word"]}
        load(TargetFiles(config), HEAD, sent)
        assert len(seen(tmp_path / "out")) == len(self.VALUES)
        files = tmp_path / "files.json"
        files.write_text(json.dumps({"path": str(tmp_path / "out"), "format": format}))
        said = run(["tap-files", "--config", files]).out.splitlines()
        found = [json.loads(line) for line in said if line.startswith(b'{"type":"RECORD"')]
        assert {message["stream"] for message in found} == {"words"}
        got = {message["record"]["id"]: message["record"]["word"] for message in found}
        assert got == dict(enumerate(self.VALUES))

    def test_many_folders_at_once(self, tmp_path: Path) -> None:
        """Files are closed for others, so that no more are open than may be."""
        ids_of = list(range(1000))
        random.Random(3).shuffle(ids_of)
        sent = [record("words", row(i, str(i % 100))) for i in ids_of]
        target = parquet(tmp_path, partition_by=["word"])
        limits = len(os.listdir("/proc/self/fd")) + 300
        load(target, HEAD, sent)
        assert len(os.listdir("/proc/self/fd")) < limits
        assert ids(tmp_path) == list(range(1000))
        assert len({name.rpartition("/")[0] for name in seen(tmp_path)}) == 100

    def test_a_full_table_replaces_all_folders(self, tmp_path: Path) -> None:
        """A value that is gone takes its files with it."""
        for sent in ([row(1, "a"), row(2, "b")], [row(3, "b"), row(4, "c")]):
            load(parquet(tmp_path, partition_by=["word"]), WHOLE, records("words", sent))
        assert ids(tmp_path) == [3, 4]

    def test_a_value_too_long_is_refused(self, tmp_path: Path) -> None:
        """No folder can have its name."""
        with pytest.raises(RecordError, match="partition"):
            load(parquet(tmp_path, partition_by=["word"]), HEAD, record("words", row(1, "x" * 300)))

    def test_a_column_that_is_not_there_is_refused(self, tmp_path: Path) -> None:
        """With the name that was probably meant."""
        with pytest.raises(ConfigError, match="did you mean 'word'"):
            load(parquet(tmp_path, partition_by=["wort"]), HEAD, rows(1))


def test_a_column_becomes_wider_in_the_next_file(tmp_path: Path) -> None:
    """What a type cannot hold is neither cut nor refused, and later rows have the wider type."""
    number = {"type": ["number", "null"]}
    moment = {"type": ["string", "null"], "format": "date-time"}
    head = schema("t", {"id": INTEGER, "n": number, "m": moment})
    values = [
        (1, 1.5, "2024-01-01T00:00:00Z"),
        (1 << 70, 1.5, "2024-01-01T00:00:00Z"),
        (10**50, 10**25 + 1, "10000-01-01T00:00:00Z"),
        (10**90, 10**60, "2024-01-01T00:00:00+01:00"),
    ]
    for id, n, m in values:
        load(
            parquet(tmp_path, file_name="{stream}.{ext}"),
            head, record("t", {"id": 1, "n": None, "m": None}),
            record("t", {"id": id, "n": n, "m": m}),
        )  # fmt: skip
    found = [r for name in seen(tmp_path) for r in READERS["parquet"](tmp_path / name)]
    assert sorted(int(r["id"]) for r in found) == sorted([1, 1, 1, 1, *(v[0] for v in values)])


def test_a_schema_that_changes_begins_a_file(tmp_path: Path) -> None:
    """Rows before it have their columns, and rows after it theirs, also where all is one table."""
    for head, after in ((HEAD, schema), (WHOLE, full_table)):
        folder = tmp_path / after.__name__
        target = parquet(folder, file_name="{stream}.{ext}")
        load(target, head, rows(1), after("words", {"id": INTEGER}), record("words", {"id": 2}))
        assert ids(folder) == [1, 2]
        assert len(seen(folder)) == 2


class TestCsv:
    """What stands in the files."""

    def test_null_and_empty_are_told_apart(self, tmp_path: Path) -> None:
        """An empty text is in quotes; a text that is the word for null is too."""
        sent = [HEAD, *records("words", [row(1, None), row(2, ""), row(3, "NULL")])]
        assert csv(tmp_path / "a", *sent) == b'id,word\n1,\n2,""\n3,NULL\n'
        assert csv(tmp_path / "b", *sent, null_value="NULL") == (
            b'id,word\n1,NULL\n2,""\n3,"NULL"\n'
        )

    def test_cells_are_quoted_as_asked(self, tmp_path: Path) -> None:
        """Only where they need it, all texts, or all that is not null."""
        words = ["a", 'say "hi"', "a,b", "a;b", "a\nb", "a\rb", " a ", None]
        sent = [HEAD, *records("words", [row(i, w) for i, w in enumerate(words)])]
        assert csv(tmp_path / "needed", *sent).decode() == (
            'id,word\n0,a\n1,"say ""hi"""\n2,"a,b"\n3,a;b\n4,"a\nb"\n5,"a\rb"\n6, a \n7,\n'
        )
        assert b'"id","word"\n0,"a"\n' in csv(tmp_path / "text", *sent, quoting="text")
        assert b'\n"0","a"\n' in csv(tmp_path / "all", *sent, quoting="all")
        found = csv(tmp_path / "semicolon", *sent, delimiter=";", quote_char="'")
        assert b"2;a,b\n3;'a;b'\n" in found

    def test_formulas_are_escaped_if_asked(self, tmp_path: Path) -> None:
        """Else cells are what they were."""
        sent = [HEAD, *records("words", [row(-1, "=1+1"), row(2, "@x"), row(3, "a=b")])]
        assert csv(tmp_path / "a", *sent) == b"id,word\n-1,=1+1\n2,@x\n3,a=b\n"
        escaped = csv(tmp_path / "b", *sent, escape_formulas=True)
        assert escaped == b"id,word\n-1,'=1+1\n2,'@x\n3,a=b\n"

    def test_other_encodings(self, tmp_path: Path) -> None:
        """A letter that the encoding lacks is refused with its place."""
        sent = [HEAD, *records("words", [row(1, "ü")])]
        assert csv(tmp_path / "a", *sent, encoding="cp1252") == b"id,word\n1,\xfc\n"
        assert csv(tmp_path / "b", *sent, byte_order_mark=True)[:5] == b"\xef\xbb\xbfid"
        assert csv(tmp_path / "c", *sent, encoding="utf-16").decode("utf-16") == "id,word\n1,ü\n"
        with pytest.raises(RecordError, match="cannot write") as caught:
            csv(tmp_path / "d", HEAD, *records("words", [row(1), row(2, "☃")]), encoding="cp1252")
        assert caught.value.line == 3
        assert caught.value.path == "$.word"

    def test_a_null_alone_is_no_line(self, tmp_path: Path) -> None:
        """Readers skip empty lines, so it has to have a word."""
        head, nulls = schema("t", {"a": TEXT}), records("t", [{"a": "x"}, {"a": None}])
        with pytest.raises(RecordError, match="null_value"):
            csv(tmp_path / "a", head, *nulls)
        assert csv(tmp_path / "b", head, *nulls, null_value="-") == b"a\nx\n-\n"

    def test_no_header(self, tmp_path: Path) -> None:
        """Rows alone."""
        assert csv(tmp_path, HEAD, *rows(1), header=False) == b"1,w\n"


@pytest.mark.parametrize("target", [TargetXml, TargetExcel])
def test_control_characters_are_refused_or_replaced(tmp_path: Path, target: Any) -> None:
    """As XML, which Excel is made of, has no form for them."""
    sent = [HEAD, *records("words", [row(1), row(2, "a\x01b")])]
    with pytest.raises(RecordError, match="control character") as caught:
        load(target({"path": str(tmp_path / "a")}), *sent)
    assert caught.value.line == 3
    load(target({"path": str(tmp_path / "b"), "illegal_characters": "replace"}), *sent)
    (name,) = seen(tmp_path / "b")
    read = READERS["xml" if target is TargetXml else "excel"]
    assert [r["word"] for r in read(tmp_path / "b" / name)] == ["w", "a\ufffdb"]


def test_excel_never_calculates(tmp_path: Path) -> None:
    """Texts that look like formulas, numbers or links are texts."""
    words = ["=1+1", "1", "https://example.com", "{=1}", "x" * 32_767]
    sent = records("words", [row(i, word) for i, word in enumerate(words)])
    load(TargetExcel({"path": str(tmp_path)}), HEAD, sent)
    (name,) = seen(tmp_path)
    assert [r["word"] for r in READERS["excel"](tmp_path / name)] == words
    with pytest.raises(RecordError, match="longer than 32767"):
        load(TargetExcel({"path": str(tmp_path)}), HEAD, record("words", row(1, "x" * 32_768)))


def test_fixed_width(tmp_path: Path) -> None:
    """Cells that do not fit are refused, not cut."""
    config = {"path": str(tmp_path), "format": "fixed-width", "widths": {"id": 4, "word": 5}}
    load(TargetFiles(config), HEAD, *records("words", [row(1, "ab"), row(22, None)]))
    (name,) = seen(tmp_path)
    assert (tmp_path / name).read_bytes() == b"id  word \n1   ab   \n22       \n"
    back = read("fixed-width", (tmp_path / name).read_bytes(), widths=(4, 5), header=True)
    assert back.records == [{"id": 1, "word": "ab"}, {"id": 22, "word": None}]
    for bad in ("abcdef", " a", "a ", "", "a\nb", "a\t", "\u2028", "a\x85b"):
        with pytest.raises(RecordError):
            load(TargetFiles(config), HEAD, record("words", row(1, bad)))
    with pytest.raises(WriteError, match="no width for word"):
        load(TargetFiles({**config, "widths": {"id": 4}}), HEAD, rows(1))


@pytest.mark.parametrize("format", sorted(READERS))
def test_a_full_disk_is_told(tmp_path: Path, format: str) -> None:
    """With the path of the file, and without a trace of it."""
    target = TargetFiles({"path": str(tmp_path), "format": format})

    def full(path: str) -> Any:
        raise OSError(28, "No space left on device")

    store = target._places.store
    create = store.create

    class Full:
        """An upload that takes nothing."""

        def __init__(self, path: str) -> None:
            self._upload = create(path)
            self.file = self

        def write(self, data: Any) -> int:
            return full("")

        def commit(self) -> None:
            full("")

        def abort(self) -> None:
            self._upload.abort()

    store.create = Full  # type: ignore[assignment, method-assign]  # as a disk that is full does
    with pytest.raises(WriteError, match="No space left"):
        load(target, HEAD, rows(1))
    assert seen(tmp_path) == []
    assert hidden(tmp_path) == []


@pytest.fixture(autouse=True)
def no_file_stays_open() -> Iterator[None]:
    """Every test closes what it opened."""
    before = len(os.listdir("/proc/self/fd"))
    yield
    assert len(os.listdir("/proc/self/fd")) <= before + 2


def _cells(path: Path) -> list[dict[str, Any]]:
    csv_reader.field_size_limit(1 << 24)
    with path.open(newline="") as file:
        return [{"id": int(r["id"]), "word": r["word"]} for r in csv_reader.DictReader(file)]


OTHERS = {**READERS, "csv": _cells}
MEASURE = """
import resource, subprocess, sys
code = subprocess.run(sys.argv[1:], stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL).returncode
print(code, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, file=sys.stderr)
"""


@pytest.mark.parametrize("format", ["arrow", "avro", "csv", "json", "parquet"])
def test_memory_is_bounded(tmp_path: Path, format: str) -> None:
    """400 MB of rows of 2 MB go to ten folders at once."""
    noise = random.Random(1)
    words = [noise.randbytes(1 << 20).hex() for _ in range(10)]
    config, sent = tmp_path / "config.json", tmp_path / "sent"
    out = tmp_path / "out"
    config.write_text(json.dumps({"path": str(out), "format": format, "partition_by": ["part"]}))
    with sent.open("wb") as file:
        file.write(lines(schema("t", {**FIELDS, "part": INTEGER})))
        for i in range(200):
            file.write(lines(record("t", {**row(i, words[i % 7]), "part": i % 10})))
    command = [sys.executable, "-c", MEASURE, BIN / "target-files", "--config", config]
    with sent.open("rb") as file:
        done = subprocess.run(command, stdin=file, stderr=subprocess.PIPE, check=False)
    code, kilobytes = map(int, done.stderr.split())
    assert code == 0
    assert len(seen(out)) == 10
    found = [r for name in seen(out) for r in OTHERS[format](out / name)]
    assert {r["id"]: r["word"] for r in found} == {i: words[i % 7] for i in range(200)}
    assert kilobytes / 1024 < 300
