"""The project as it lies on disk: its root, its packages, its pyproject.toml, its scripts."""

from __future__ import annotations

import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = {
    "kozmo_singer": ROOT / "kozmo_singer",
    "kozmo_taps": ROOT / "taps" / "kozmo_taps",
    "kozmo_targets": ROOT / "targets" / "kozmo_targets",
    "kozmo_runner": ROOT / "runner" / "kozmo_runner",
    "kozmo_bridge": ROOT / "kozmo_bridge",
}


@cache
def pyproject() -> dict[str, Any]:
    """Return pyproject.toml."""
    return tomllib.loads((ROOT / "pyproject.toml").read_text())


def scripts() -> list[str]:
    """Return the names of the console scripts, `kozmo` among them."""
    return sorted(pyproject()["project"]["scripts"])


def modules(package: str) -> list[Path]:
    """Return every Python file of one of our packages."""
    return sorted(PACKAGES[package].rglob("*.py"))


def tracked() -> list[Path]:
    """Return the files that git tracks and that are there."""
    listed = subprocess.run(
        ["git", "-C", ROOT, "ls-files", "-z"], capture_output=True, text=True, check=True
    )
    return [path for name in listed.stdout.split("\0") if name and (path := ROOT / name).is_file()]
