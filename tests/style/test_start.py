"""What it costs to ask a script for its version or for help, and what that loads."""

import re
import statistics
from pathlib import Path

import pytest

from commands import BIN, Run
from project import scripts

TIMES = 7
VERSION_SECONDS, HELP_SECONDS, IMPORT_SECONDS = 0.150, 0.250, 0.100
HEAVY = {
    "singer_sdk",
    "sqlalchemy",
    "psycopg",
    "pandas",
    "pyarrow",
    "paramiko",
    "httpx",
    "boto3",
    "botocore",
    "google",
    "azure",
    "fsspec",
    "kozmoai",
    "polars",
    "numpy",
    "msgspec",
    "click",
}
# Help is made from the settings by click; nothing that reads or writes data is needed for it.
HELPERS = {"click", "msgspec"}


def _cpu(run: Run, argv: list[str | Path]) -> float:
    """Return the median of the CPU seconds, once the bytecode is there."""
    assert run(argv).code == 0
    return statistics.median(run(argv).cpu for _ in range(TIMES))


def _loaded(run: Run, name: str, argument: str) -> set[str]:
    """Return the top-level modules that the script loads."""
    done = run([BIN / "python", "-X", "importtime", BIN / name, argument])
    return {
        line.split("|")[2].strip().split(".")[0] for line in done.err.splitlines() if "|" in line
    }


@pytest.mark.parametrize("name", scripts())
def test_version_is_printed(run: Run, name: str) -> None:
    """Name and version on one line, nothing on standard error."""
    done = run([name, "--version"])
    assert re.fullmatch(rf"{name} \d+\.\d+\.\d+\S*\n", done.out.decode())
    assert (done.code, done.err) == (0, "")


@pytest.mark.parametrize("name", scripts())
def test_version_takes_less_than_150_ms_of_cpu(run: Run, name: str) -> None:
    """The median of several runs, as the operating system counts it."""
    assert _cpu(run, [name, "--version"]) < VERSION_SECONDS


@pytest.mark.parametrize("name", scripts())
def test_help_takes_less_than_250_ms_of_cpu(run: Run, name: str) -> None:
    """The median of several runs, as the operating system counts it."""
    assert _cpu(run, [name, "--help"]) < HELP_SECONDS


@pytest.mark.parametrize("name", scripts())
def test_version_loads_no_driver(run: Run, name: str) -> None:
    """Not even the command line parser."""
    assert _loaded(run, name, "--version") & HEAVY == set()


@pytest.mark.parametrize("name", scripts())
def test_help_loads_no_driver(run: Run, name: str) -> None:
    """No SDK, no SQLAlchemy, no driver."""
    assert _loaded(run, name, "--help") & HEAVY - HELPERS == set()


@pytest.mark.parametrize(
    "module", ["kozmo_bridge", "kozmo_bridge.components", "kozmo_bridge.availability"]
)
def test_importing_the_bridge_takes_less_than_100_ms_of_cpu(run: Run, module: str) -> None:
    """Beyond what Python itself takes: a host that starts imports them whether used or not."""
    bare = _cpu(run, [BIN / "python", "-c", "pass"])
    assert _cpu(run, [BIN / "python", "-c", f"import {module}"]) - bare < IMPORT_SECONDS


def test_files_of_this_machine_need_no_library_of_a_store(run: Run, tmp_path: Path) -> None:
    """Neither a vendor's nor fsspec."""
    (tmp_path / "a.csv").write_text("id\n1\n")
    (tmp_path / "c.json").write_text('{"path": "a.csv"}')
    argv = [BIN / "python", "-X", "importtime", BIN / "tap-files", "--config", "c.json"]
    done = run(argv)
    assert (done.code, b'{"id":1}' in done.out) == (0, True)
    modules = re.findall(r"\| +(\w+)", done.err)
    assert "pyarrow" in modules
    assert {"fsspec", "boto3", "google", "azure", "httpx", "paramiko"} & {*modules} == set()
