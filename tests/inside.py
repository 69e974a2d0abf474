"""Tests that run within the environment of KozmoAI or Langflow, by a pytest of its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from commands import Run
from project import ROOT

FOLDER = ROOT / "tests" / "end_to_end" / "kozmoai" / "inside"


def inside(
    run: Run,
    environment: Callable[[str], Path],
    tmp_path: Path,
    files: Sequence[Path],
    told: Mapping[str, str] | None = None,
    timeout: float = 180,
    host: str = "kozmoai",
) -> None:
    """Run the tests of *files* with the Python of the host; *told* are variables for them.

    They import what lies beside them, and what all tests do. What that pytest says is what this
    test says; the components are switched on.
    """
    python = environment(host) / "python"
    env = {
        f"{host.upper()}_CONFIG_DIR": str(tmp_path / "config"),
        f"{host.upper()}_DATABASE_URL": f"sqlite:///{tmp_path}/{host}.db",
        "KOZMO_HOME": str(tmp_path / "kozmo"),
        "DO_NOT_TRACK": "true",
        "ENABLE_MAGE_INTEGRATIONS": "true",
        "PYTHONPATH": f"{ROOT / 'tests'}:{FOLDER}",
        **(told or {}),
    }
    options = ["-q", "--noconftest", "-p", "no:cacheprovider", "--basetemp", tmp_path / "inner"]
    done = run([python, "-m", "pytest", *options, *files], env=env, timeout=timeout, cwd=ROOT)
    assert done.code == 0, done.out.decode()[-6000:] + done.err[-2000:]
    assert b" passed" in done.out
    assert b"skipped" not in done.out
