"""`kozmo doctor`: is this installation in order?"""

from __future__ import annotations

import os
import platform
import shutil
import sys
import tempfile
from collections.abc import Iterator
from importlib import metadata
from typing import Any, NamedTuple

import click

from kozmo_runner.commands import options as shared

_HELP = """Look at this installation: Python, versions, extras, programs on PATH, and whether
state can be kept. Exit code 1 if something has to be put right."""
GROUP = "kozmo.doctors"
"""Entry points of packages that have more to look at: each is an option of its name."""
_PACKAGES = ("click", "msgspec", "rich", "platformdirs", "pyyaml", "singer-sdk", "sqlalchemy",
             "psycopg", "fsspec", "pandas", "pyarrow", "kozmoai-base")  # fmt: skip
_OLDEST, _NEWEST = (3, 10), (3, 13)


class Finding(NamedTuple):
    """One thing looked at; *fault* says that it has to be put right."""

    what: str
    found: str
    fault: bool = False


def _specialists(command: Any) -> Any:
    for point in sorted(metadata.entry_points(group=GROUP), reverse=True):
        help = f"Look at {point.name} as well, and at what we have for it."
        command = click.option(f"--{point.name}", "asked", flag_value=point.name, help=help)(
            command
        )
    return command


@click.command("doctor", help=_HELP)
@shared.state_store
@_specialists
@click.option("--json", "as_json", is_flag=True, help="A JSON list instead of a table.")
def command(state_store: str | None, as_json: bool, asked: str | None = None) -> int:
    """Print the findings."""
    findings = list(examine(state_store))
    for point in metadata.entry_points(group=GROUP, name=asked) if asked else ():
        findings += [Finding(*found) for found in point.load()()]
    if as_json:
        shared.print_json([finding._asdict() for finding in findings])
    else:
        rows = [["!!" if f.fault else "ok", f.what, f.found] for f in findings]
        shared.print_table(["", "what", "found"], rows)
    return 1 if any(finding.fault for finding in findings) else 0


def examine(state_store: str | None = None) -> Iterator[Finding]:
    """Yield what there is to say about this installation."""
    supported = _OLDEST <= sys.version_info[:2] <= _NEWEST
    yield Finding("python", f"{platform.python_version()} at {sys.executable}", not supported)
    yield from _versions()
    yield from _extras()
    yield from _programs()
    yield _state(state_store)
    yield _temporary()
    yield Finding("/bin/sh, ends plug-ins if the runner is killed", *_shell())


def _versions() -> Iterator[Finding]:
    from kozmo_runner.installed import version

    own = version("kozmo-singer")
    yield Finding("kozmo-singer", own or "not installed as a package", own is None)
    found = {name: version(name) for name in _PACKAGES}
    yield Finding("packages", ", ".join(f"{n} {v}" for n, v in found.items() if v is not None))
    if version("singer-python") is not None:
        yield Finding(
            "singer-python",
            "in this environment it replaces the log's handlers; give it one of its own",
            fault=version("singer-sdk") is not None,
        )


def _extras() -> Iterator[Finding]:
    from kozmo_runner.installed import extras, missing

    offered = extras("kozmo-singer")
    whole = [extra for extra in offered if not missing("kozmo-singer", extra)]
    yield Finding("extras installed", ", ".join(whole) or "none")
    partly = [extra for extra in offered if extra not in whole]
    if partly:
        yield Finding("extras not installed", ", ".join(partly))


def _programs() -> Iterator[Finding]:
    from kozmo_runner.plugins import KINDS, find, on_path, registered

    absent = [
        name
        for kind in KINDS
        for name in registered(kind)
        if shutil.which(find(name).command[0]) is None
    ]
    if absent:
        yield Finding("programs", f"missing: {', '.join(absent)}; reinstall kozmo-singer", True)
    yield Finding("plug-ins on PATH", ", ".join(on_path()) or "none; they are found all the same")


def _state(state_store: str | None) -> Finding:
    from kozmo_runner.job import locked, new_run_id
    from kozmo_runner.stores import Saved, open_store
    from kozmo_runner.stores.base import Owner, now
    from kozmo_singer.errors import KozmoError

    try:
        store = open_store(state_store)
        run_id = new_run_id()
        trial = "kozmo-doctor"
        with locked(store, trial, Owner.me(run_id)):
            store.save(trial, Saved(run_id, now(), "set", {}))
            store.clear(trial)
    except KozmoError as error:
        return Finding("state store", error.message, True)
    return Finding("state store", f"{store.where} can be written")


def _temporary() -> Finding:
    folder = tempfile.gettempdir()
    writable = os.access(folder, os.W_OK | os.X_OK)
    return Finding("temporary folder", folder if writable else f"{folder} cannot be written",
                   not writable)  # fmt: skip


def _shell() -> tuple[str, bool]:
    there = os.access("/bin/sh", os.X_OK)
    return ("there" if there else "missing", not there)
