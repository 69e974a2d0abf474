"""Where things are: the project, our commands, the environments of the peers."""

from __future__ import annotations

import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
OURS = ROOT / ".venv" / "bin"
ENVS = Path(os.environ.get("KOZMO_ENVS", ROOT / ".envs")).resolve()
PROGRAMS = ROOT / "benchmarks" / "programs"
RESULTS = ROOT / "benchmarks" / "results"

# The server of the tests and the flights of the demo are the ones used here.
sys.path += [str(ROOT / "tests"), str(ROOT / "examples")]


def program(environment: str, name: str) -> str:
    """Return the path of a command in a peer's environment."""
    return str(ENVS / environment / "bin" / name)


def packages(environment: str) -> Path:
    """Return the folder into which a peer's packages were installed."""
    found = sorted((ENVS / environment / "lib").glob("python3*/site-packages"))
    return found[0] if found else ENVS / environment


def absent(environment: str) -> str | None:
    """Return why a peer's environment is not there, or None if it is."""
    if (ENVS / environment / ".installed").exists():
        return None
    log = ENVS / f"{environment}.log"
    said = log.read_text().strip().splitlines() if log.exists() else []
    why = next((line for line in said if "error" in line.lower()), "never installed")
    return f"{why} (make .envs/{environment}/.installed)"
