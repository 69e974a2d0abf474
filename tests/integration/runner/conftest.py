"""Toy plug-ins, a home of the runner's own, and runs that are watched from outside."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from project import ROOT
from servers import processes

FIXTURES = ROOT / "tests" / "fixtures"
PATIENCE = 20.0


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home for the runner and its temporary files, which must all be gone after the test."""
    folder = tmp_path / "kozmo"
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    monkeypatch.setenv("KOZMO_HOME", str(folder))
    monkeypatch.setenv("TMPDIR", str(temporary))
    monkeypatch.setattr("tempfile.tempdir", str(temporary))
    return folder


@pytest.fixture(autouse=True)
def no_files_left(home: Path, tmp_path: Path) -> Iterator[None]:
    """Fail a test after which configuration files are still there."""
    yield
    wait_until(lambda: not list((tmp_path / "tmp").glob("kozmo-run-*")), "a run's folder is left")


@pytest.fixture
def tap() -> str:
    """The tap that counts, see its file for what it can be told."""
    return str(FIXTURES / "tap_counting.py")


@pytest.fixture
def bare_tap() -> str:
    """The tap that knows no arguments."""
    return str(FIXTURES / "tap_bare.py")


@pytest.fixture
def target() -> str:
    """The target that appends lines to a file."""
    return str(FIXTURES / "target_lines.py")


class Landed:
    """The file into which the toy target writes."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.config: dict[str, Any] = {"path": str(path)}

    @property
    def ids(self) -> list[int]:
        """What arrived, in its order; a line that is still being written is left out."""
        if not self.path.exists():
            return []
        lines = self.path.read_text().split("\n")[:-1]
        return [json.loads(line)["id"] for line in lines]


@pytest.fixture
def landed(tmp_path: Path) -> Landed:
    """Where the rows are written."""
    return Landed(tmp_path / "landed.jsonl")


class Watched:
    """A `kozmo` that runs in the background, in a process group of its own."""

    def __init__(self, arguments: list[str], folder: Path) -> None:
        self._out, self._err = folder / "kozmo.out", folder / "kozmo.err"
        with self._out.open("w") as out, self._err.open("w") as err:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "kozmo_runner", *arguments],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                start_new_session=True,
            )

    @property
    def err(self) -> str:
        """What it has said on stderr so far."""
        return self._err.read_text()

    def send(self, number: signal.Signals) -> None:
        """Send a signal to the runner alone."""
        self.process.send_signal(number)

    def children(self) -> dict[str, int]:
        """Return the running plug-ins: tap, target -> process id."""
        running = processes.plugins(self.process.pid)
        return {name.partition("-")[0]: pid for pid, name in running.items()}

    def end(self) -> tuple[int, str, str]:
        """Wait for the end and return exit code, stdout and stderr."""
        code = self.process.wait(timeout=PATIENCE)
        return code, self._out.read_text(), self.err


@pytest.fixture
def background(tmp_path: Path) -> Iterator[Callable[..., Watched]]:
    """Start `kozmo` with arguments; what still runs at the end of the test is killed."""
    started: list[Watched] = []

    def start(*arguments: str) -> Watched:
        started.append(Watched(list(arguments), tmp_path))
        return started[-1]

    yield start
    for watched in started:
        if watched.process.poll() is None:
            os.killpg(watched.process.pid, signal.SIGKILL)
        watched.process.wait(timeout=PATIENCE)


def wait_until(true: Callable[[], Any], otherwise: str) -> Any:
    """Return what *true* gives once it gives something; fail after a while."""
    deadline = time.monotonic() + PATIENCE
    while not (value := true()):
        if time.monotonic() > deadline:
            pytest.fail(otherwise)
        time.sleep(0.01)
    return value


@pytest.fixture
def until() -> Callable[[Callable[[], Any], str], Any]:
    """`wait_until`, for tests."""
    return wait_until
