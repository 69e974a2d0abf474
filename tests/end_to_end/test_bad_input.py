"""Bad input of every kind: a short error, the right exit code, and what was good is kept."""

import json
import os
import signal
import stat
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from commands import BIN, Result, Run
from destinations import DESTINATIONS, FIXTURES, Destination, canonical
from piping import config, pipe
from servers.postgres import Database
from sources import DATABASES, SOURCES, Source

PYTHON = str(BIN / "python")
TAP_LINES = f"{PYTHON} {FIXTURES / 'tap_lines.py'}"
TAP_COUNTING = f"{PYTHON} {FIXTURES / 'tap_counting.py'}"
POWERLESS = [PYTHON, FIXTURES / "powerless.py"]
PASSWORD = "not-the-password-of-anybody"
KINDS = {"id": "integer", "note": "text"}
SCHEMA = {
    "type": "SCHEMA",
    "stream": "notes",
    "schema": {"properties": {"id": {"type": "integer"}, "note": {"type": ["null", "string"]}}},
    "key_properties": ["id"],
}


def note(id: Any, text: Any = None) -> dict[str, Any]:
    """Return a RECORD."""
    return {"type": "RECORD", "stream": "notes", "record": {"id": id, "note": text}}


GOOD = [SCHEMA, note(1, "a"), note(2, "b"), {"type": "STATE", "value": {"seen": 2}}, note(3, "c")]
DURABLE = [{"id": 1, "note": "a"}, {"id": 2, "note": "b"}, {"id": 3, "note": "c"}]
# What follows the five good lines, and what the error must say.
FAULTS = {
    "malformed": (b'{"type":"RECORD","stream":"notes","record":{"id":4,}}\n', ["line 6", "JSON"]),
    "no JSON at all": (b"Starting sync\n", ["line 6", "it reads: Starting sync"]),
    "truncated": (
        b'{"type":"RECORD","stream":"notes","record":{"id":4,"no',
        ["line 6", "the input ends within this line"],
    ),
    "before its schema": (
        b'{"type":"RECORD","stream":"other","record":{"id":1}}\n',
        ["stream other", "line 6", "before the SCHEMA"],
    ),
    "does not fit": (
        b'{"type":"RECORD","stream":"notes","record":{"id":"four","note":"d"}}\n',
        ["stream notes", "line 6", "$.id", "expected integer", '"four"'],
    ),
    "no key": (
        b'{"type":"RECORD","stream":"notes","record":{"note":"d"}}\n',
        ["stream notes", "line 6", "$.id"],
    ),
}


def lines(messages: list[Any]) -> bytes:
    """Return Singer lines."""
    return b"".join(json.dumps(message).encode() + b"\n" for message in messages)


def expect_error(done: Result, code: int, words: list[str]) -> None:
    """Check the exit code, and that the error says *words* in at most six lines."""
    assert done.code == code, done.err
    assert "Traceback (most" not in done.err
    assert PASSWORD not in done.err
    assert done.err.count("Error: ") == 1
    shown = done.err[done.err.index("Error: ") :]
    assert len(shown.splitlines()) <= 6, shown
    assert [word for word in words if word not in shown] == [], shown


@pytest.mark.parametrize(("fault", "words"), FAULTS.values(), ids=FAULTS)
def test_a_fault_in_the_stream_names_its_place(
    run: Run, tmp_path: Path, destination: Destination, fault: bytes, words: list[str]
) -> None:
    """Rows before the fault are kept, and the state that they are covered by is let out."""
    target = config(tmp_path, "target", destination.config)
    done = run([*destination.command, "--config", target], stdin=lines(GOOD) + fault)
    expect_error(done, 1, words)
    states = [json.loads(state) for state in done.out.splitlines()]
    assert states[-1:] == [{"seen": 2}]
    assert canonical(destination.rows("notes"), KINDS) == DURABLE


@pytest.mark.parametrize(("fault", "words"), FAULTS.values(), ids=FAULTS)
def test_the_runner_passes_on_where_the_fault_is(
    run: Run, tmp_path: Path, postgres: Database, fault: bytes, words: list[str]
) -> None:
    """The same words under the target's name, and the state is the one that the rows cover."""
    destination = DESTINATIONS["target-sqlite"](tmp_path, postgres)
    sent = tmp_path / "lines.jsonl"
    sent.write_bytes(lines(GOOD) + fault)
    command = ["kozmo", "run", TAP_LINES, destination.target, "--state-id", "notes"]
    target = config(tmp_path, "target", destination.config)
    done = run([*command, "--tap-config", f"path={sent}", "--target-config", target])
    expect_error(done, 1, ["target-sqlite failed", *words])
    assert json.loads(run(["kozmo", "state", "get", "notes"]).out) == {"seen": 2}
    assert canonical(destination.rows("notes"), KINDS) == DURABLE


@dataclass(frozen=True)
class Case:
    """A plug-in, what is wrong with it, and what it must say about that.

    *change* is laid over its configuration, or is the whole text of the configuration's file.
    """

    plugin: str
    change: Mapping[str, Any] | str
    words: list[str]
    code: int = 2

    @property
    def is_tap(self) -> bool:
        """Whether it reads."""
        return self.plugin.startswith("tap-")


REFUSED = ["refused the login of user 'kozmo'", "the password is wrong or missing"]
ABSENT = ["nothing answers at 127.0.0.1:1", "check the settings host and port"]
BELOW_A_FILE = f"{FIXTURES / 'powerless.py'}/below"
CASES = {
    "wrong password, read": Case("tap-postgres", {"password": PASSWORD}, REFUSED, 1),
    "wrong password, written": Case("target-postgres", {"password": PASSWORD}, REFUSED, 1),
    "unreachable, read": Case("tap-postgres", {"port": 1}, ABSENT, 1),
    "unreachable, written": Case("target-postgres", {"port": 1}, ABSENT, 1),
    "typo, read": Case(
        "tap-postgres", {"pasword": PASSWORD}, ["no setting 'pasword'", "did you mean 'password'?"]
    ),
    "typo, written": Case(
        "target-jsonl", {"pth": "x"}, ["no setting 'pth'", "did you mean 'path'?"]
    ),
    "no JSON, read": Case("tap-sqlite", "{'path': 'x'}", ["is not JSON", "line 1, column 2"]),
    "no JSON, written": Case("target-kozmo", "output: x\n", ["is not JSON", "line 1, column 1"]),
    "no object": Case("target-sqlite", "[]", ["must hold a JSON object, not an array"]),
    "no file": Case("tap-sqlite", {"path": "gone.db"}, ["no SQLite database gone.db"]),
    "no folder, files": Case(
        "target-jsonl", {"path": BELOW_A_FILE}, ["cannot create the folder", "setting path"]
    ),
    "no folder, Data": Case(
        "target-kozmo", {"output": BELOW_A_FILE}, ["cannot create the folder", "setting output"]
    ),
    "no folder, database": Case("target-sqlite", {"path": BELOW_A_FILE}, ["cannot open"], 1),
}


class Pipeline:
    """`kozmo run` with a state of its own, between a source and a destination that fit *case*."""

    def __init__(self, run: Run, folder: Path, database: Database, case: Case) -> None:
        self.run, self.folder = run, folder
        tap = case.plugin if case.is_tap else "tap-sqlite"
        target = "target-sqlite" if case.is_tap else case.plugin
        self.source: Source = SOURCES[tap](folder, database)
        self.destination: Destination = DESTINATIONS[target](folder, database)
        self.tap = config(folder, "tap", self.source.config)
        self.target = config(folder, "target", self.destination.config)

    def go(self, *options: Any, before: Any = ()) -> Result:
        """Run it, with *options* at the end and the command *before* in front."""
        command = [*before, "kozmo", "run", self.source.tap, self.destination.target]
        sides = ["--tap-config", self.tap, "--target-config", self.target]
        return self.run([*command, *sides, "--state-id", "orders", *options])

    def rows(self) -> list[Any]:
        """Return all rows of the destination; what target-kozmo makes of bytes is left out."""
        return self._canonical(self.destination.rows(self.source.stream))

    def expected(self) -> list[Any]:
        """Return all rows of the source in the same form."""
        return self._canonical(self.source.rows)

    def bookmarks(self) -> Any:
        """Return those of the state that is kept."""
        return json.loads(self.run(["kozmo", "state", "get", "orders"]).out)["bookmarks"]

    def expect_whole_again(self, before: Any) -> None:
        """After a failure all is as it was *before*, and the next run goes on from there."""
        assert (self.rows(), self.bookmarks()) == before
        self.source.insert([self.source.row(1000)])
        done = self.go()
        assert done.code == 0, done.err
        assert self.rows() == self.expected()

    def _canonical(self, rows: list[Any]) -> list[Any]:
        kinds = {name: kind for name, kind in self.source.kinds.items() if kind != "binary"}
        return canonical([{k: v for k, v in row.items() if k != "ticket"} for row in rows], kinds)


def spoil(path: Path, case: Case) -> str:
    """Put what is wrong into the configuration at *path*, and return what it held."""
    held = path.read_text()
    change = case.change
    path.write_text(
        change if isinstance(change, str) else json.dumps({**json.loads(held), **change})
    )
    return held


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_a_configuration_that_does_not_work_is_explained(
    run: Run, tmp_path: Path, postgres: Database, case: Case
) -> None:
    """The script itself says what is wrong; nothing is written and no state is let out."""
    pipeline = Pipeline(run, tmp_path, postgres, case)
    path = pipeline.tap if case.is_tap else pipeline.target
    spoil(path, case)
    done = run([case.plugin, "--config", path], stdin=b"" if case.is_tap else lines(GOOD))
    expect_error(done, case.code, [*case.words])
    assert done.out == b""
    assert pipeline.destination.rows("notes") == []


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_a_run_that_cannot_begin_loses_nothing(
    run: Run, tmp_path: Path, postgres: Database, case: Case
) -> None:
    """`kozmo run` passes the reason on; the state of the run before stays, and holds later."""
    pipeline = Pipeline(run, tmp_path, postgres, case)
    assert pipeline.go().code == 0
    before = pipeline.rows(), pipeline.bookmarks()
    assert before[0] == pipeline.expected()

    path = pipeline.tap if case.is_tap else pipeline.target
    held = spoil(path, case)
    expect_error(pipeline.go(), case.code, case.words)
    path.write_text(held)
    pipeline.expect_whole_again(before)


@pytest.mark.parametrize("tap", DATABASES)
def test_a_table_that_is_gone_is_named(
    run: Run, tmp_path: Path, postgres: Database, tap: str
) -> None:
    """By a catalog that is out of date or by its name: what is there now is proposed instead."""
    pipeline = Pipeline(run, tmp_path, postgres, Case(tap, {}, []))
    source = pipeline.source
    catalog = tmp_path / "catalog.json"
    catalog.write_bytes(run([tap, "--config", pipeline.tap, "--discover"]).out)
    assert pipeline.go().code == 0
    before = pipeline.rows(), pipeline.bookmarks()
    source.execute("ALTER TABLE orders RENAME TO order_s")

    said = [f"stream {source.stream}: there is no table", "did you mean", "order_s'?", "--discover"]
    expect_error(run([tap, "--config", pipeline.tap, "--catalog", catalog]), 1, said)
    expect_error(pipeline.go("--catalog", catalog), 1, [f"{tap} failed", *said])
    said = [f"no stream matches '{source.stream}'", "did you mean"]
    expect_error(pipeline.go("--streams", source.stream), 2, said)

    source.execute("ALTER TABLE order_s RENAME TO orders")
    pipeline.expect_whole_again(before)


@pytest.mark.parametrize("target", ["target-jsonl", "target-kozmo", "target-sqlite"])
def test_a_folder_that_became_read_only_is_named(
    run: Run, tmp_path: Path, postgres: Database, target: str
) -> None:
    """Even root is told, once it has no power over permissions; what lies there stays as it is."""
    pipeline = Pipeline(run, tmp_path, postgres, Case(target, {}, []))
    assert pipeline.go().code == 0
    before = pipeline.rows(), pipeline.bookmarks()
    pipeline.source.insert([pipeline.source.row(999)])
    places = [path for path in tmp_path.glob("destination*") for path in (*path.glob("*"), path)]
    modes = {path: stat.S_IMODE(path.stat().st_mode) for path in places}
    for path, mode in modes.items():
        path.chmod(mode & 0o555)
    try:
        done = run([*POWERLESS, target, "--config", pipeline.target], stdin=lines(GOOD))
        expect_error(done, done.code, ["permissions"])
        assert done.code in (1, 2)
        done = pipeline.go(before=POWERLESS)
        expect_error(done, done.code, [f"{target} failed", "permissions"])
        assert done.code in (1, 2)
    finally:
        for path, mode in modes.items():
            path.chmod(mode)
    pipeline.expect_whole_again(before)


def test_a_home_that_is_read_only_is_named(run: Run, tmp_path: Path, postgres: Database) -> None:
    """Without a place for the state nothing is read, so nothing can be forgotten."""
    pipeline = Pipeline(run, tmp_path, postgres, Case("target-jsonl", {}, []))
    folder = tmp_path / "locked"
    folder.mkdir(mode=0o500)
    store = folder / "state.db"
    done = pipeline.go("--state-store", store, before=POWERLESS)
    expect_error(done, 1, [f"cannot use the state store {store}", "--state-store"])
    done = pipeline.go(before=[*POWERLESS, "env", f"KOZMO_HOME={folder / 'home'}"])
    expect_error(done, 2, [f"cannot make the folder {folder / 'home'}", "set KOZMO_HOME"])
    assert pipeline.destination.rows("orders") == []


def test_a_tap_whose_target_dies_says_so(run: Run, tmp_path: Path, postgres: Database) -> None:
    """In a shell pipe the tap ends with one line, not with a broken pipe's traceback."""
    source = SOURCES["tap-sqlite"](tmp_path, postgres)
    source.insert([source.row(number) for number in range(1000, 5000)])
    tap = ["tap-sqlite", "--config", config(tmp_path, "tap", source.config)]
    done = pipe(run, tap, ["bash", "-c", "head -c 1000 >/dev/null; kill -9 $$"])
    assert done.codes == (1, 128 + signal.SIGKILL)
    expect_error(Result(1, b"", done.tap, 0), 1, ["tap-sqlite stopped: the program it writes to"])


def test_a_target_that_is_killed_is_blamed_and_loses_nothing(
    run: Run, tmp_path: Path, destination: Destination
) -> None:
    """The state that is kept covers only rows that are there; a second run brings the rest.

    Where rows have a key each is there once; files may hold again what no state covered.
    """
    ids = {"id": "integer"}
    settings = {**destination.config, "batch_wait_seconds": 0.05}
    command = ["kozmo", "run", TAP_COUNTING, destination.target, "--state-id", "numbers"]
    command += ["--target-config", config(tmp_path, "target", settings)]
    slow = [*command, "--tap-config", config(tmp_path, "slow", {"rows": 3000, "pause": 0.002})]

    done = run_and_kill(run, slow, destination)
    expect_error(done, 1, [f"{destination.target} failed (killed by SIGKILL", "kill -9"])
    kept = json.loads(run(["kozmo", "state", "get", "numbers"]).out)["bookmarks"]["numbers"]["id"]
    there = {row["id"] for row in canonical(destination.rows("numbers"), ids)}
    assert 0 < kept < 3000
    assert there >= set(range(1, kept + 1))

    fast = [*command, "--tap-config", config(tmp_path, "fast", {"rows": 3000})]
    assert run(fast).code == 0
    there = [row["id"] for row in canonical(destination.rows("numbers"), ids)]
    assert set(there) == set(range(1, 3001))
    assert not destination.upserts or len(there) == 3000


def run_and_kill(run: Run, command: list[Any], destination: Destination) -> Result:
    """Start *command*, kill its target once some rows stand in *destination*, and await the end."""
    process = subprocess.Popen(
        [str(part) for part in command],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=dict(run.env),
        cwd=run.folder,
    )
    deadline = time.monotonic() + 30
    while len(destination.rows("numbers")) < 200:
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.02)
    os.kill(child(process.pid, destination.target), signal.SIGKILL)
    out, err = process.communicate(timeout=30)
    return Result(process.returncode, out, err.decode(), 0)


def child(parent: int, name: str) -> int:
    """Return the id of the child of *parent* whose command line holds *name*."""
    listed = "".join(path.read_text() for path in Path(f"/proc/{parent}/task").glob("*/children"))
    (found,) = [pid for pid in listed.split() if name in Path(f"/proc/{pid}/cmdline").read_text()]
    return int(found)
