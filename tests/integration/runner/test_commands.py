"""The commands of `kozmo` beside `run`, as a user types them."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Kozmo = Callable[..., Any]


@pytest.fixture
def kozmo(run: Any, home: Path) -> Kozmo:
    """Run `kozmo` with arguments, with a home of its own."""

    def call(*arguments: object, stdin: bytes | None = None, **env: str) -> Any:
        return run(["kozmo", *arguments], stdin, {"KOZMO_HOME": str(home), **env})

    return call


@pytest.fixture
def ran(kozmo: Kozmo, tap: str, target: str, landed: Any) -> str:
    """A run that has left a state; its id."""
    done = kozmo("run", tap, target, "--tap-config", "rows=5", "--target-config",
                 f"path={landed.path}")  # fmt: skip
    assert done.code == 0
    return "tap-counting-to-target-lines"


def test_help_teaches(kozmo: Kozmo) -> None:
    """With commands to try, on every level."""
    assert "kozmo run tap-sqlite target-jsonl" in kozmo("--help").out.decode()
    for name in ("run", "discover", "select", "preview", "check", "count", "state"):
        done = kozmo(name, "--help")
        assert done.code == 0
        assert f"kozmo {name} " in done.out.decode()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["rnu"], ["there is no command 'rnu'", "did you mean 'run'?"]),
        (["run"], ["Missing argument", "see: kozmo run --help"]),
        (["run", "tap-sqlite"], ["a run needs a tap and a target"]),
        (["run", "tap-sqlite", "target-jsonl", "--timeout", "soon"], ["'soon' is no time span"]),
        (["run", "tap-sqlite", "target-jsonl", "--tap-config", "x.json"], ["cannot read config"]),
        (["run", "tap-sqlite", "target-jsonl", "--ful-refresh"], ["--full-refresh"]),
        (["preview", "tap-nowhere"], ["there is no tap called 'tap-nowhere'"]),
        (["state", "get", "x"], ["there is no state 'x'"]),
        (["state", "clear", "x"], ["there is no state 'x'"]),
        (["run", "nowhere.yml"], ["cannot read nowhere.yml"]),
    ],
)
def test_usage_errors_exit_with_2(kozmo: Kozmo, arguments: list[str], words: list[str]) -> None:
    """On at most six lines, with what to do."""
    done = kozmo(*arguments)
    assert (done.code, done.out) == (2, b"")
    assert len(done.err.splitlines()) <= 6
    for word in words:
        assert word in done.err


def test_discover_prints_a_catalog_or_a_table(kozmo: Kozmo, tap: str) -> None:
    """JSON for programs, columns for people."""
    catalog = json.loads(kozmo("discover", tap, "-c", 'streams:=["a", "b"]').out)
    assert [stream["tap_stream_id"] for stream in catalog["streams"]] == ["a", "b"]
    listed = kozmo("discover", tap, "--list").out.decode().splitlines()
    assert listed[0].split() == ["stream", "columns", "key", "replication", "rows"]
    assert listed[2].split() == ["numbers", "1", "id", "-"]


def test_select_changes_a_catalog(kozmo: Kozmo, tap: str, tmp_path: Path) -> None:
    """Printed, or in place; a rule for nothing is an error and changes nothing."""
    file = tmp_path / "catalog.json"
    printed = kozmo("select", tap, "-c", 'streams:=["a", "b"]', "a").out
    file.write_bytes(printed)
    assert _selected(printed) == [True, False]
    assert _selected(kozmo("select", file, "!a").out) == [False, False]
    done = kozmo("select", file, "*", "--in-place")
    assert _selected(file.read_bytes()) == [True, True]
    assert done.out.decode().splitlines()[2].split() == ["x", "a", "1", "of", "1", "id", "-"]
    before = file.read_bytes()
    wrong = kozmo("select", file, "c", "--in-place")
    assert wrong.code == 2
    assert "no stream matches 'c'" in wrong.err
    assert file.read_bytes() == before


def _selected(text: bytes) -> list[bool]:
    return [
        item["metadata"]["selected"]
        for stream in json.loads(text)["streams"]
        for item in stream["metadata"]
        if item["breadcrumb"] == []
    ]


def test_preview_shows_the_first_rows_and_stops_the_tap(kozmo: Kozmo, tap: str) -> None:
    """A table, or whole records; a tap that would go on for an hour ends at once."""
    config = ["-c", "rows=100000", "-c", "pause:=0.05", "-c", 'streams:=["a", "b"]']
    done = kozmo("preview", tap, "-n", 3, *config)
    assert done.out.decode().splitlines() == ["id", "--", " 1", " 2", " 3"]
    assert done.err == "stream a; others: b\n"
    records = kozmo("preview", tap, "b", "-n", 2, "--json", *config)
    assert (records.code, records.err) == (0, "")
    assert [json.loads(line) for line in records.out.splitlines()] == [{"id": 1}, {"id": 2}]


def test_preview_of_nothing(kozmo: Kozmo, tap: str) -> None:
    """Is no error; a tap that fails is one."""
    empty = kozmo("preview", tap, "-c", "rows=0")
    assert (empty.code, empty.out, "has no rows" in empty.err) == (0, b"", True)
    failed = kozmo("preview", tap, "-c", "die_at=2", "-c", "rows=5")
    assert failed.code == 1
    assert failed.err.splitlines() == [
        "Error: tap-counting failed",
        "  RuntimeError: the source is on fire",
    ]


def test_check_says_in_words_what_works(kozmo: Kozmo, tap: str, target: str, landed: Any) -> None:
    """A foreign tap by its discovery, a foreign target by an empty input."""
    assert kozmo("check", tap).out == b"ok: discovery answers: 1 streams\n"
    refused = kozmo("check", tap, "-c", "refuse=true", "-c", "password=geheim123")
    assert refused.code == 1
    assert refused.err.splitlines() == [
        "Error: tap-counting could not discover its streams",
        "  ConnectionError: login refused for password ****",
    ]
    assert kozmo("check", target, "-c", f"path={landed.path}").code == 0
    nowhere = kozmo("check", target, "-c", "path=/nowhere/at/all")
    assert nowhere.code == 1
    assert nowhere.err.startswith("Error: target-lines is not ready\n  FileNotFoundError")


def test_check_of_ours_tells_a_wrong_setting(kozmo: Kozmo) -> None:
    """As usage, with what was meant."""
    done = kozmo("check", "target-jsonl", "-c", "paht=x")
    assert done.code == 2
    assert "did you mean 'path'?" in done.err


def test_count_counts(kozmo: Kozmo, tap: str) -> None:
    """Every selected stream, also the empty one."""
    config = ["-c", "rows=12", "-c", 'streams:=["a", "b"]']
    assert json.loads(kozmo("count", tap, "--json", *config).out) == {"a": 12, "b": 12}
    assert json.loads(kozmo("count", tap, "--json", "--streams", "b", *config).out) == {"b": 12}
    table = kozmo("count", tap, *config).out.decode().splitlines()
    assert table[-1].split() == ["total", "24"]


def test_state_is_shown_and_changed(kozmo: Kozmo, ran: str, tmp_path: Path) -> None:
    """list, get, set from a file or stdin, merge, history, clear."""
    assert json.loads(kozmo("state", "get", ran).out) == {"bookmarks": {"numbers": {"id": 5}}}
    file = tmp_path / "state.json"
    file.write_text('{"bookmarks": {"numbers": {"id": 3}}}')
    assert kozmo("state", "set", ran, file).code == 0
    merged = kozmo("state", "set", ran, "--merge", stdin=b'{"bookmarks": {"b": {"id": 1}}}')
    assert merged.code == 0
    expected = {"bookmarks": {"numbers": {"id": 3}, "b": {"id": 1}}}
    assert json.loads(kozmo("state", "get", ran).out) == expected
    history = json.loads(kozmo("state", "history", ran, "--json").out)
    assert [entry["status"] for entry in history] == ["set", "set", "done"]
    first = kozmo("state", "get", ran, "--run", history[-1]["run_id"])
    assert json.loads(first.out) == {"bookmarks": {"numbers": {"id": 5}}}
    listed = json.loads(kozmo("state", "list", "--json").out)
    assert [(entry["state"], entry["status"]) for entry in listed] == [(ran, "set")]
    assert kozmo("state", "clear", ran).code == 0
    assert json.loads(kozmo("state", "get", ran).out) == {}
    history = json.loads(kozmo("state", "history", ran, "--json").out)
    assert [entry["status"] for entry in history] == ["cleared"]


@pytest.mark.parametrize(
    ("text", "words"),
    [(b"{", "is not JSON"), (b"[]", "a state is a JSON object, not an array")],
)
def test_a_state_must_be_an_object(kozmo: Kozmo, text: bytes, words: str) -> None:
    """Nothing is changed otherwise."""
    done = kozmo("state", "set", "x", stdin=text)
    assert done.code == 2
    assert words in done.err
    assert kozmo("state", "list").out == b""


def test_the_store_can_be_chosen_for_good(
    kozmo: Kozmo, tap: str, target: str, landed: Any, tmp_path: Path
) -> None:
    """By KOZMO_STATE_STORE; all commands look there."""
    store = {"KOZMO_STATE_STORE": str(tmp_path / "states")}
    kozmo("run", tap, target, "--target-config", f"path={landed.path}", **store)
    assert [entry["state"] for entry in json.loads(kozmo("state", "list", "--json", **store).out)]
    assert kozmo("state", "list").out == b""


def test_systems_lists_what_there_is(
    kozmo: Kozmo, tmp_path: Path, clean_env: dict[str, str]
) -> None:
    """Ours with what is missing for them, and others on PATH."""
    other = tmp_path / "bin" / "tap-other"
    other.parent.mkdir()
    other.write_text("#!/bin/sh\n")
    other.chmod(0o755)
    path = f"{clean_env['PATH']}:{other.parent}"
    rows = json.loads(kozmo("systems", "--json", PATH=path).out)
    found = {row["name"]: (row["what"], row["installed"]) for row in rows}
    assert found["tap-sqlite"] == ("SQLite database files", "yes")
    assert found["tap-other"] == (str(other), "on PATH")
    assert "tap-sqlite  " in kozmo("systems").out.decode()


def test_doctor_looks_and_judges(kozmo: Kozmo, tmp_path: Path) -> None:
    """All well with exit code 0; a store that cannot be written is a fault with 1."""
    well = kozmo("doctor", "--json")
    assert well.code == 0
    assert not any(finding["fault"] for finding in json.loads(well.out))
    file = tmp_path / "file"
    file.write_text("")
    ill = kozmo("doctor", "--state-store", file / "state.db")
    assert ill.code == 1
    assert "!!" in ill.out.decode()
    assert "cannot make the folder" in ill.out.decode()


def test_a_reader_that_ends_early_is_no_traceback(kozmo: Kozmo, run: Any, tap: str) -> None:
    """`kozmo discover | head -1`."""
    config = "streams:=" + json.dumps([f"stream-{n}" for n in range(3000)])
    done = run(["sh", "-c", 'kozmo discover "$0" -c "$1" | head -1', tap, config])
    assert (done.out, done.err) == (b"{\n", "")
