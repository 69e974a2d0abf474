"""Signals, kills and silence: what was received is durable, and the state says no more."""

from __future__ import annotations

import json
import os
import pwd
import select
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from commands import BIN, Run
from destinations import DESTINATIONS, Destination, canonical
from kozmo_singer.errors import KozmoError
from kozmo_targets.jsonl import TargetJSONL
from kozmo_targets.sql.sqlite import TargetSQLite
from kozmo_targets.target import Target
from messages import TEXT, full_table, lines, load, record, records, schema, state
from piping import config
from servers.postgres import Database

PROPERTIES = {"id": {"type": "integer"}, "name": TEXT}
KINDS = {"id": "integer", "name": "text"}
START = schema("t", PROPERTIES, ["id"])
ROWS = [{"id": i, "name": f"row {i}"} for i in range(6)]
NAMES = ["target-postgres", "target-sqlite", "target-jsonl"]


@pytest.fixture(params=NAMES)
def destination(request: pytest.FixtureRequest, tmp_path: Path, postgres: Database) -> Destination:
    """Each target in turn."""
    return DESTINATIONS[request.param](tmp_path, postgres)


class Running:
    """A target that reads what the test writes, and the states that it has told."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self.process = process
        self.states: list[Any] = []

    def send(self, *messages: Any) -> None:
        """Write messages."""
        assert self.process.stdin is not None
        self.process.stdin.write(lines(*messages))
        self.process.stdin.flush()

    def wait_for(self, value: Any) -> None:
        """Wait until the target tells the state *value*."""
        assert self.process.stdout is not None
        deadline = time.monotonic() + 20
        while value not in self.states:
            left = deadline - time.monotonic()
            assert left > 0, f"told {self.states}, not {value}"
            if select.select([self.process.stdout], [], [], left)[0]:
                line = self.process.stdout.readline()
                assert line, f"ended after {self.states}"
                self.states.append(json.loads(line))

    def end(self) -> tuple[int, str]:
        """Wait for the end of the process; return its exit code and what it said on stderr."""
        out, err = self.process.communicate(timeout=20)
        self.states += [json.loads(line) for line in out.split(b"\n") if line]
        return self.process.returncode, err.decode()


@contextmanager
def running(folder: Path, destination: Destination, **settings: Any) -> Iterator[Running]:
    """Run the target of *destination* for as long as the context lasts."""
    path = config(folder, "target", {**destination.config, **settings})
    process = subprocess.Popen(
        [BIN / destination.target, "--config", path],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        bufsize=0,
    )
    with process:
        try:
            yield Running(process)
        finally:
            process.kill()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_saves_what_was_received(
    tmp_path: Path, destination: Destination, number: signal.Signals
) -> None:
    """Rows and state are kept, the exit code says that it was interrupted, and it is quick."""
    with running(tmp_path, destination, batch_wait_seconds=60) as target:
        target.send(START, records("t", ROWS[:2]), state({"n": 1}), schema("e", PROPERTIES))
        target.wait_for({"n": 1})
        target.send(records("t", ROWS[2:]), state({"n": 2}))
        wait_until_read(target.process)
        target.process.send_signal(number)
        code, err = target.end()
    assert code == 130, err
    assert target.states[-1] == {"n": 2}
    assert canonical(destination.rows("t"), KINDS) == canonical(ROWS, KINDS)


def test_a_signal_swaps_nothing(tmp_path: Path, destination: Destination) -> None:
    """A table or file that is being overwritten stays as it was, and nothing is left beside it."""
    start = full_table("t", PROPERTIES)
    with running(tmp_path, destination) as target:
        target.send(start, records("t", ROWS[:2]))
        close_input(target.process)
        assert target.end()[0] == 0
    with running(tmp_path, destination, batch_size_rows=1) as target:
        target.send(start, records("t", ROWS[2:]), state({"n": 1}))
        wait_until_read(target.process)
        target.process.send_signal(signal.SIGTERM)
        assert target.end()[0] == 130
    assert target.states == []
    assert canonical(destination.rows("t"), KINDS) == canonical(ROWS[:2], KINDS)
    assert left_beside(tmp_path) == []


def test_a_signal_ends_a_target_that_waits_for_the_server(
    tmp_path: Path, postgres: Database
) -> None:
    """Within ten seconds, although another session has a lock for as long as it likes."""
    destination = DESTINATIONS["target-postgres"](tmp_path, postgres)
    postgres.execute("CREATE TABLE t (id bigint PRIMARY KEY, name text)")
    with postgres.connect(autocommit=False) as other:
        other.execute("LOCK TABLE t IN ACCESS EXCLUSIVE MODE")
        with running(tmp_path, destination, default_target_schema="public") as target:
            target.send(START, records("t", ROWS), state({"n": 1}))
            blocked = "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
            deadline = time.monotonic() + 20
            while not postgres.execute(blocked):
                assert time.monotonic() < deadline, target.process.poll()
            began = time.monotonic()
            target.process.send_signal(signal.SIGTERM)
            assert target.end()[0] == 130
            assert time.monotonic() - began < 10
    assert target.states == []
    assert postgres.execute("SELECT * FROM t") == []


def left_beside(folder: Path) -> list[str]:
    """Hidden files that a target has left."""
    return [str(path) for path in folder.rglob("*.part")]


def wait_until_read(process: subprocess.Popen[bytes]) -> None:
    """Wait until the process has taken everything out of its input and waits for more."""
    assert process.stdin is not None
    deadline = time.monotonic() + 20
    while unread(process.stdin.fileno()) or not waits(process.pid):
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.01)


def unread(fd: int) -> int:
    """Bytes in a pipe that nobody has read yet."""
    import array
    import fcntl
    import termios

    size = array.array("i", [0])
    fcntl.ioctl(fd, termios.FIONREAD, size)
    return size[0]


def waits(pid: int) -> bool:
    """Whether a process sleeps in the kernel until input comes."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "S"


def test_a_kill_loses_nothing_that_a_state_covers(tmp_path: Path, destination: Destination) -> None:
    """After kill -9 the rows of the told state are there; a run from it on completes them."""
    with running(tmp_path, destination, batch_size_rows=2) as target:
        target.send(START, records("t", ROWS[:2]), state({"n": 2}))
        target.wait_for({"n": 2})
        target.send(record("t", ROWS[2]))
        wait_until_read(target.process)
        target.process.kill()
        target.end()
    found = canonical(destination.rows("t"), KINDS)
    assert found[:2] == canonical(ROWS[:2], KINDS)
    with running(tmp_path, destination, batch_wait_seconds=0.1) as target:
        target.send(START, records("t", ROWS[2:]), state({"n": 6}))
        target.wait_for({"n": 6})
        target.process.kill()
        target.end()
    rows = canonical(destination.rows("t"), KINDS)
    unique = [row for i, row in enumerate(rows) if row not in rows[:i]]
    assert unique == canonical(ROWS, KINDS)
    assert destination.upserts is False or len(rows) == len(unique)


def test_a_kill_leaves_an_overwritten_table_as_it_was(
    tmp_path: Path, destination: Destination
) -> None:
    """What was being filled shows nowhere, and the next run is not in its way."""
    start = full_table("t", PROPERTIES)
    for rows, kill in ((ROWS[:2], False), (ROWS[2:], True), (ROWS[4:], False)):
        with running(tmp_path, destination, batch_size_rows=1) as target:
            target.send(start, records("t", rows))
            wait_until_read(target.process)
            if kill:
                target.process.kill()
            else:
                close_input(target.process)
            target.end()
        expected = ROWS[:2] if kill else rows
        assert canonical(destination.rows("t"), KINDS) == canonical(expected, KINDS)
    assert left_beside(tmp_path) == []


def close_input(process: subprocess.Popen[bytes]) -> None:
    """Let the process see the end of its input."""
    assert process.stdin is not None
    process.stdin.close()
    process.stdin = None


def test_rows_of_a_tap_that_falls_silent_become_durable(
    tmp_path: Path, destination: Destination
) -> None:
    """The batch is not full, but it has waited for long enough."""
    with running(tmp_path, destination, batch_wait_seconds=0.2) as target:
        target.send(START, records("t", ROWS[:2]), state({"n": 1}))
        target.wait_for({"n": 1})
        assert canonical(destination.rows("t"), KINDS) == canonical(ROWS[:2], KINDS)
        target.send(state({"n": 2}))
        target.wait_for({"n": 2})
        close_input(target.process)
        assert target.end()[0] == 0


def test_a_record_that_the_server_refuses(run: Run, tmp_path: Path, postgres: Database) -> None:
    """Batches before it are committed and their state told; six lines say which record it was."""
    properties = {"id": {"type": "integer"}, "day": {"type": "string", "format": "date"}}
    days = [{"id": i, "day": "2024-01-01"} for i in range(4)] + [{"id": 4, "day": "2024-02-31"}]
    messages = [schema("t", properties, ["id"])]
    for row in days:
        messages += [record("t", row), state({"n": row["id"]})]
    path = config(tmp_path, "target", {**postgres.config, "batch_size_rows": 2})
    done = run(["target-postgres", "--config", path], stdin=lines(messages))
    assert done.code == 1
    assert json.loads(done.out.splitlines()[-1]) == {"n": 3}
    assert 'line 10, $.day: date/time field value out of range: "2024-02-31"' in done.err
    assert len(done.err.splitlines()) <= 6
    assert len(postgres.execute("SELECT * FROM t")) == 4


def nowhere() -> int:
    """A port at which nothing listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


REFUSALS: list[tuple[Callable[[], dict[str, Any]], list[str]]] = [
    (lambda: {"password": "wrong-password"}, ["refused the login", "password"]),
    (lambda: {"port": nowhere()}, ["nothing answers at 127.0.0.1"]),
    (lambda: {"host": "no-such-host.invalid"}, ["no-such-host.invalid"]),
    (lambda: {"database": "no_such_database"}, ["has no database 'no_such_database'"]),
]


@pytest.mark.parametrize(("settings", "words"), REFUSALS, ids=range(len(REFUSALS)))
@pytest.mark.parametrize("check", [False, True])
def test_a_server_that_does_not_let_us_in(
    run: Run,
    tmp_path: Path,
    postgres: Database,
    settings: Callable[[], dict[str, Any]],
    words: list[str],
    check: bool,
) -> None:
    """The reason in at most six lines, without the password, and exit code 1."""
    path = config(tmp_path, "target", {**postgres.config, **settings(), "connect_timeout": 5})
    command = ["target-postgres", "--config", path, *(["--check"] if check else [])]
    done = run(command, stdin=lines(START, records("t", ROWS), state({"n": 1})))
    assert (done.code, done.out) == (1, b"")
    assert [word for word in words if word not in done.err] == [], done.err
    assert len(done.err.splitlines()) <= 6
    assert "wrong-password" not in done.err
    assert "Traceback" not in done.err


@pytest.mark.parametrize("kind", [TargetSQLite, TargetJSONL])
def test_a_folder_that_may_not_be_written_to(kind: type[Target]) -> None:
    """Asked about it or told to write there, the target says so in words."""
    with sealed_folder() as folder:
        path = folder if kind is TargetJSONL else folder / "x.db"
        target = kind({"path": str(path)})
        for act in (target.check, lambda: load(target, START, records("t", ROWS))):
            with pytest.raises(KozmoError) as caught:
                act()
            assert str(folder) in str(caught.value)
            assert "permission" in str(caught.value)
        assert list(folder.iterdir()) == []


@contextmanager
def sealed_folder() -> Iterator[Path]:
    """Give a folder that this process may not write to, root or not."""
    folder = Path(tempfile.mkdtemp(dir="/tmp"))
    folder.chmod(0o555)
    nobody = pwd.getpwnam("nobody").pw_uid
    root = os.getuid() == 0
    if root:
        os.setresuid(nobody, nobody, 0)
    try:
        yield folder
    finally:
        if root:
            os.setresuid(0, 0, 0)
        folder.chmod(0o755)
        folder.rmdir()
