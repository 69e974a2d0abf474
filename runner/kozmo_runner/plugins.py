"""From what the user calls a plug-in to the command that runs it."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

from kozmo_singer.errors import ConfigError
from kozmo_singer.scripts import Entry
from kozmo_singer.settings import did_you_mean

Kind = Literal["tap", "mapper", "target"]
KINDS: tuple[Kind, ...] = ("tap", "mapper", "target")
_MAPPER = re.compile(r"^(?:map|mapper)-|-(?:mapper|map-transformer)$")
ORDER = "the tap comes first: kozmo run TAP TARGET, with the mappers between them"


@dataclass(frozen=True)
class Plug:
    """A tap, a mapper or a target as a command.

    *ours* says that it speaks kozmo-singer's command line beyond the Singer one: --check, --count,
    --limit, --config ENV, and ABORT in the pipe.
    """

    name: str
    kind: Kind
    command: tuple[str, ...]
    ours: bool

    @property
    def prefix(self) -> str:
        """What its environment variables begin with: TAP_POSTGRES_."""
        return "".join(c if c.isalnum() else "_" for c in self.name).upper() + "_"

    def has_command(self, setting: str) -> bool:
        """Whether SETTING_command is ours to run; of a foreign plug-in it is a setting."""
        return self.ours

    @property
    def executable(self) -> Path:
        """The file that makes the plug-in what it is: the program, or the script it is given."""
        files = [Path(part) for part in self.command if os.path.isfile(part)]
        return files[-1] if files else Path(self.command[0])


@cache
def registered(kind: Kind) -> Mapping[str, Entry]:
    """Return the plug-ins that installed packages declare, by name; imports none of them."""
    from importlib.metadata import entry_points

    found: dict[str, Entry] = {}
    for point in entry_points(group=f"kozmo.{kind}s"):
        found.update(point.load())
    return dict(sorted(found.items()))


def find(name: str, kind: Kind | None = None) -> Plug:
    """Return the plug-in that *name* means: one of ours, a program on PATH, a path, a command line.

    ConfigError tells what was probably meant, or how to get it.
    """
    words = _words(name)
    if not words:
        raise ConfigError(f"the name of the {kind or 'plug-in'} is empty")
    label = _label(words)
    kind = _checked_kind(label, kind)
    if len(words) == 1 and os.sep not in name and label in registered(kind):
        return Plug(label, kind, (_script(label),), ours=True)
    command = _command(words)
    if command is None:
        raise _unknown(name, kind)
    ours = len(command) == 1 and label in registered(kind) and _same(command[0], _script(label))
    return Plug(label, kind, command, ours)


def on_path() -> dict[str, str]:
    """Return the programs on PATH that are called like plug-ins: name -> path."""
    found: dict[str, str] = {}
    for folder in os.environ.get("PATH", os.defpath).split(os.pathsep):
        try:
            names = sorted(os.listdir(folder or "."))
        except OSError:
            continue
        for name in names:
            path = os.path.join(folder, name)
            named = name.startswith(("tap-", "target-", "map-", "mapper-"))
            if named and name not in found and os.access(path, os.X_OK):
                found[name] = path
    return dict(sorted(found.items()))


def _words(name: str) -> list[str]:
    if os.path.exists(name):
        return [name]
    try:
        return shlex.split(name)
    except ValueError as error:
        raise ConfigError(f"cannot read the command line {name!r}: {error}") from error


def _label(words: list[str]) -> str:
    """The last word called like a plug-in, else the program, without folder and suffix."""
    stems = [Path(word).name.removesuffix(".py").replace("_", "-") for word in words]
    named = [stem for stem in stems if _said_kind(stem) is not None]
    return named[-1] if named else stems[0]


def _said_kind(label: str) -> Kind | None:
    """What a program calls itself: meltano-map-transformer is a mapper, too."""
    if label.startswith("tap"):
        return "tap"
    if label.startswith("target"):
        return "target"
    return "mapper" if _MAPPER.search(label) else None


def _checked_kind(label: str, kind: Kind | None) -> Kind:
    said = _said_kind(label)
    if kind is not None and said is not None and said != kind:
        raise ConfigError(f"{label} is a {said}, and a {kind} is needed here", ORDER)
    return kind or said or "tap"


def _command(words: list[str]) -> tuple[str, ...] | None:
    first = words[0]
    path = os.path.expanduser(first) if os.sep in first else shutil.which(first)
    if path is None and os.path.isfile(first):
        path = first
    if path is None or not os.path.isfile(path):
        return None
    path = os.path.abspath(path)
    if os.access(path, os.X_OK):
        return (path, *words[1:])
    return (sys.executable, path, *words[1:]) if path.endswith(".py") else None


def _script(name: str) -> str:
    """The console script in this interpreter's own folder, wherever PATH points to."""
    beside = Path(sys.executable).parent / name
    return str(beside) if beside.exists() else shutil.which(name) or name


def _same(one: str, other: str) -> bool:
    return os.path.realpath(one) == os.path.realpath(other)


def _unknown(name: str, kind: Kind) -> ConfigError:
    if os.sep in name:
        if os.path.exists(name):
            return ConfigError(f"{name} is not a program", f"try: chmod +x {name}")
        return ConfigError(f"there is no file {name}")
    known = [*registered(kind), *(n for n in on_path() if _said_kind(n) == kind)]
    return ConfigError(
        f"there is no {kind} called '{name}'",
        *did_you_mean(name, known),
        "what there is: kozmo systems; any Singer program works once it is on PATH, or by its path",
    )
