"""What the package installs and with whom it can live: asked of the installer itself."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from commands import BIN, Run
from project import ROOT, scripts

pytestmark = pytest.mark.slow

HOST = "kozmoai-base==0.1.8.post1"
LOGIN = {"host": "127.0.0.1", "user": "u", "password": "p", "database": "d"}
# Of the other plug-ins only stream maps and flattening need more than the base.
NEED_A_DRIVER = [
    ("tap-csv", "--discover", {"path": "empty.db"}, "pyarrow", "files"),
    ("tap-postgres", "--check", LOGIN, "psycopg", "postgres"),
    ("tap-sqlite", "--discover", {"path": "empty.db"}, "sqlalchemy", "sqlite"),
    (
        "target-kozmo",
        "--check",
        {"flow_url": "http://127.0.0.1:1/api/v1/run/x"},
        "tenacity",
        "kozmo",
    ),
    ("target-postgres", "--check", LOGIN, "psycopg", "postgres"),
]


def _uv(*arguments: str | Path, stdin: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["uv", *arguments],
        input=stdin,
        capture_output=True,
        text=True,
        env={**os.environ, "PATH": f"{BIN}:{os.environ['PATH']}"},
        cwd="/",
    )


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built as a release would be."""
    folder = tmp_path_factory.mktemp("dist")
    python = str(BIN / "python")
    built = _uv("build", "--wheel", "--no-build-isolation", "-p", python, "-o", folder, ROOT)
    assert built.returncode == 0, built.stderr
    (made,) = folder.glob("*.whl")
    return made


@pytest.fixture(scope="module")
def bare(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bin folder of an environment that holds the wheel without any extra."""
    folder = tmp_path_factory.mktemp("bare") / "venv"
    assert _uv("venv", "-p", str(BIN / "python"), folder).returncode == 0
    installed = _uv("pip", "install", "--compile-bytecode", "-p", folder, wheel)
    assert installed.returncode == 0, installed.stderr
    return folder / "bin"


@pytest.mark.parametrize("name", scripts())
def test_a_bare_install_runs_every_script(run: Run, bare: Path, name: str) -> None:
    """No extra is needed to ask for the version or for help."""
    for argument in ("--version", "--help"):
        done = run([bare / name, argument])
        assert (done.code, done.err) == (0, "")


@pytest.mark.parametrize(("name", "argument", "config", "package", "extra"), NEED_A_DRIVER)
def test_a_missing_driver_is_named_with_the_extra_that_brings_it(
    run: Run,
    bare: Path,
    tmp_path: Path,
    name: str,
    argument: str,
    config: Any,
    package: str,
    extra: str,
) -> None:
    """One line, exit code 1."""
    (tmp_path / "empty.db").touch()
    (tmp_path / "config.json").write_text(json.dumps(config))
    done = run([bare / name, "--config", "config.json", argument])
    assert (done.code, done.out) == (1, b"")
    assert (
        done.err == f"Error: {name} needs '{package}'; run: pip install 'kozmo-singer[{extra}]'\n"
    )


def test_the_host_and_we_resolve_in_one_environment() -> None:
    """KozmoAI pins pandas, orjson, pydantic, rich and sqlmodel; none of ours stands against it.

    What resolves with every driver resolves without them. From requirements/kozmoai.lock the tests
    of the bridge install the host with the same extra beside it.
    """
    done = _compile("--universal", "--extra", "data-integration", beside=HOST)
    assert done.returncode == 0, done.stderr
    assert {HOST, "pandas==2.2.2"} <= set(done.stdout.splitlines())
    assert f"{HOST} \\" in (ROOT / "requirements" / "kozmoai.lock").read_text().splitlines()


def test_the_base_brings_no_driver(bare: Path) -> None:
    """A light install: what the command lines and the wire need, and nothing of any system."""
    listed = _uv("pip", "list", "--format", "freeze", "-p", bare.parent)
    names = {line.partition("==")[0] for line in listed.stdout.splitlines()}
    assert "msgspec" in names
    assert names & {"singer-sdk", "sqlalchemy", "psycopg", "pandas", "pyarrow", "httpx"} == set()


def test_singer_python_and_the_sdk_cannot_share_an_environment() -> None:
    """The reason why singer-python is an extra of its own, and why the two are declared so."""
    done = _compile("--extra", "sdk", "--extra", "singer-python")
    assert done.returncode == 1
    assert "jsonschema" in done.stderr


def _compile(*options: str, beside: str = "") -> subprocess.CompletedProcess[str]:
    return _uv(
        *("pip", "compile", "--quiet", "--no-annotate", "--no-header", "--python-version", "3.10"),
        *(ROOT / "pyproject.toml", "-", *options),
        stdin=beside,
    )
