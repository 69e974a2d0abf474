"""What a plug-in's command line can do; asked once of a foreign one, by its --help, and kept."""

from __future__ import annotations

import hashlib
import json
import os
import re
from dataclasses import asdict, dataclass

from kozmo_runner.answers import ask
from kozmo_runner.environment import child_environment
from kozmo_runner.home import home, private_folder, write_private
from kozmo_runner.plugins import Plug
from kozmo_runner.process import Cancel, Interrupted
from kozmo_runner.workspace import Workspace
from kozmo_singer.errors import ConfigError, KozmoError

_HELP_SECONDS = 30.0


@dataclass(frozen=True)
class Abilities:
    """Which arguments a plug-in takes.

    *catalog* are the arguments that take the catalog's file: singer-python lists both its old and
    its new one and each tap reads only one of them, so both are given.
    """

    discover: bool = False
    catalog: tuple[str, ...] = ()
    state: bool = True
    about: bool = False
    environment: bool = False
    test: bool = False
    needs_config: bool = True


OURS = Abilities(True, ("--catalog",), True, True, True, True, needs_config=False)


def abilities(plug: Plug, workspace: Workspace, cancel: Cancel | None = None) -> Abilities:
    """Return what *plug* can do; a program that has no --help is taken for a bare Singer script."""
    if plug.ours:
        return OURS
    kept = _kept(plug)
    if kept is not None:
        return kept
    try:
        argv, env = [*plug.command, "--help"], child_environment(plug)
        answer = ask(argv, plug.name, workspace, _HELP_SECONDS, cancel, env=env)
    except Interrupted:
        raise
    except KozmoError:
        return Abilities()
    text = answer.out.decode("utf-8", "replace") + "\n".join(answer.tail)
    found = read_help(text) if answer.code == 0 else Abilities()
    _keep(plug, found)
    return found


def read_help(text: str) -> Abilities:
    """Return what a --help *text* promises; Singer messages instead of help promise nothing."""
    if re.search(r'^\s*\{.*"type"', text, re.MULTILINE):
        return Abilities()

    def has(option: str) -> bool:
        return re.search(rf"{option}\b(?!-)", text) is not None

    sdk = has("--about")
    catalogs = ("--catalog",) if sdk else ("--catalog", "--properties")
    return Abilities(
        discover=has("--discover"),
        catalog=tuple(option for option in catalogs if has(option)),
        state=has("--state"),
        about=sdk,
        environment=sdk and "ENV" in text,
        test=sdk and has("--test"),
        needs_config=not sdk,
    )


def _file(plug: Plug) -> str:
    path = os.path.realpath(plug.executable)
    status = os.stat(path)
    parts = (*plug.command, path, status.st_mtime_ns, status.st_size)
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:32] + ".json"


def _kept(plug: Plug) -> Abilities | None:
    try:
        value = json.loads((home() / "plugins" / _file(plug)).read_text())
        return Abilities(**{**value, "catalog": tuple(value["catalog"])})
    except (OSError, ValueError, TypeError, KeyError, ConfigError):
        return None


def _keep(plug: Plug, found: Abilities) -> None:
    try:
        folder = private_folder(home() / "plugins")
        write_private(folder / _file(plug), json.dumps(asdict(found)).encode())
    except (OSError, ConfigError):
        return  # asked again next time
