"""Which plug-ins can run here, and what would have to be installed for the others."""

from __future__ import annotations

import re
from functools import cache
from importlib import metadata

from kozmo_runner.plugins import Kind

_EXTRA = re.compile(r"""extra\s*==\s*['"]([^'"]+)['"]""")
_NAME = re.compile(r"^([A-Za-z0-9][A-Za-z0-9._-]*)\s*(?:\[([^\]]*)\])?")


@cache
def missing(distribution: str, extra: str) -> tuple[str, ...]:
    """Return the packages that *extra* of *distribution* needs and that are not installed."""
    absent = []
    for name, extras in _requirements(distribution, extra):
        if _plain(name) != _plain(distribution) and not _is_installed(name):
            absent.append(name)
        for inner in extras:
            if _plain(name) == _plain(distribution) and inner != extra:
                absent += missing(distribution, inner)
    return tuple(dict.fromkeys(absent))


@cache
def homes(kind: Kind) -> dict[str, str]:
    """Return the distribution from which each registered plug-in comes."""
    found: dict[str, str] = {}
    for point in metadata.entry_points(group=f"kozmo.{kind}s"):
        owner = point.dist.name if point.dist is not None else "kozmo-singer"
        found.update(dict.fromkeys(point.load(), owner))
    return found


def extras(distribution: str) -> list[str]:
    """Return the extras that *distribution* offers."""
    try:
        return metadata.metadata(distribution).get_all("Provides-Extra") or []
    except metadata.PackageNotFoundError:
        return []


def version(distribution: str) -> str | None:
    """Return the installed version, None where it is not installed."""
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return None


def _requirements(distribution: str, extra: str) -> list[tuple[str, list[str]]]:
    try:
        lines = metadata.requires(distribution) or []
    except metadata.PackageNotFoundError:
        return []
    found = []
    for line in lines:
        requirement, _, marker = line.partition(";")
        name = _NAME.match(requirement.strip())
        if name and extra in _EXTRA.findall(marker):
            found.append((name[1], [e.strip() for e in (name[2] or "").split(",") if e.strip()]))
    return found


def _is_installed(name: str) -> bool:
    return version(name) is not None


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
