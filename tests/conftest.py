"""What every test may ask for: our commands in a clean environment, servers, environments."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from commands import BIN, Run
from project import ROOT
from servers import postgres as postgresql
from servers import processes

SLOW = {"postgres_server", "store_servers", "environment"}


def pytest_addoption(parser: pytest.Parser) -> None:
    """Take how many runs are struck down in tests/crash, and whether to renew the docs' images."""
    parser.addoption("--crashes", type=int, default=20, help="runs that are struck down")
    parser.addoption(
        "--screenshots", action="store_true", help="keep pictures of the canvas in docs/images"
    )


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark as slow what needs a server or another environment: `make test-quick` leaves it out."""
    for item in items:
        if SLOW & set(getattr(item, "fixturenames", ())):
            item.add_marker("slow")


@pytest.fixture(autouse=True)
def no_leaked_process() -> Iterator[None]:
    """Fail a test that leaves a process behind, even one whose parent is gone."""
    before = processes.children()
    yield
    processes.expect_gone(processes.children() - before)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[postgresql.Server]:
    """A PostgreSQL server for the whole session."""
    with postgresql.running() as server:
        yield server


_names = (f"test_{number}" for number in itertools.count())


@pytest.fixture
def postgres(postgres_server: postgresql.Server) -> Iterator[postgresql.Database]:
    """A fresh, empty database: .config, .url, .connect(), .execute(statement)."""
    with postgresql.database(postgres_server, next(_names)) as database:
        yield database


@pytest.fixture
def clean_env(tmp_path: Path) -> dict[str, str]:
    """The environment of our commands: the scripts on PATH, a home that is empty, no settings."""
    home = tmp_path / "home"
    home.mkdir(exist_ok=True)
    return {
        "PATH": f"{BIN}:/usr/local/bin:/usr/bin:/bin",
        "HOME": str(home),
        "LANG": "C.UTF-8",
    }


@pytest.fixture
def run(tmp_path: Path, clean_env: dict[str, str]) -> Run:
    """Run a command to its end: run(argv, stdin=None, env=None, timeout=60, cwd=tmp_path).

    *env* is added to clean_env.
    """
    return Run(tmp_path, clean_env)


@pytest.fixture(scope="session")
def environment() -> Callable[[str], Path]:
    """Give the bin folder of another environment, one of ENVIRONMENTS in the Makefile."""

    def find(name: str) -> Path:
        folder = ROOT / ".envs" / name / "bin"
        if not (folder / "python").exists():
            pytest.fail(f"the environment '{name}' is missing; run: make envs")
        return folder

    return find
