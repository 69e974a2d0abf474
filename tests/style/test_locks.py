"""The locks hold what pyproject.toml and requirements/*.in ask for, each file by its hash."""

import re
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from project import ROOT, pyproject

FOLDER = ROOT / "requirements"
PROJECT = pyproject()["project"]


def _pinned(name: str) -> dict[str, list[str]]:
    """Return the versions of a lock by package; a package may have one for each Python."""
    found: dict[str, list[str]] = {}
    text = (FOLDER / f"{name}.lock").read_text()
    for package, version in re.findall(r"^([a-z0-9-]+)(?:\[[^\]]*\])?==([^\s;]+)", text, re.M):
        found.setdefault(package, []).append(version)
    return found


def _asked(name: str) -> list[str]:
    """Return the direct requirements that a lock was made from."""
    asked: list[str] = []
    if name in ("dev", "kozmoai", "langflow"):
        asked += PROJECT["dependencies"]
    if name == "dev":
        asked += _of_extra("dev")
    source = FOLDER / f"{name}.in"
    if source.exists():
        asked += [line for line in source.read_text().splitlines() if not line.startswith("#")]
    return asked


def _of_extra(extra: str) -> list[str]:
    found: list[str] = []
    for text in PROJECT["optional-dependencies"][extra]:
        requirement = Requirement(text)
        if requirement.name == PROJECT["name"]:
            found += [each for inner in sorted(requirement.extras) for each in _of_extra(inner)]
        else:
            found.append(text)
    return found


LOCKS = sorted(path.stem for path in FOLDER.glob("*.lock"))


def test_every_list_of_requirements_has_its_lock() -> None:
    """And no lock is left over."""
    assert sorted([*(path.stem for path in FOLDER.glob("*.in")), "dev"]) == LOCKS


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_holds_what_was_asked_for(name: str) -> None:
    """After a change of requirements: make lock."""
    pinned = _pinned(name)
    stale = [
        text
        for text in _asked(name)
        for requirement in [Requirement(text)]
        if not any(
            requirement.specifier.contains(version)
            for version in pinned.get(requirement.name.lower().replace("_", "-"), [])
        )
    ]
    assert stale == []


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.lock")), ids=lambda path: path.stem)
def test_a_lock_pins_every_file_by_its_hash(path: Path) -> None:
    """Nothing is installed that is not exactly what was tested."""
    entries = re.findall(r"^[a-z0-9][^\n]*(?:\n    --hash=[^\n]*)*", path.read_text(), re.M)
    assert entries
    assert [e for e in entries if "==" not in e or "--hash=sha256:" not in e] == []
