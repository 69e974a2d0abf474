"""What a run leaves nowhere: its private folder, and a guard that outlives a killed runner."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from kozmo_runner.process import Child

_PREFIX = "kozmo-run-"
_SHELL = "/bin/sh"

# Reads "+GROUP" and "-GROUP" from the runner. When the runner dies without a "done", which nothing
# but a kill -9 makes it do, the groups are ended in the order in which they were started (the
# target first, lest it takes the end of a dead tap's data for a complete one), and the folder with
# the configuration goes. PR_SET_PDEATHSIG would not do: it goes off when the thread ends that
# started the child, it cannot follow up with a SIGKILL, and only Linux has it.
# Debian's sh knows "kill -s TERM -- -1", and no "kill -TERM -- -1".
_GUARD = """
trap '' INT TERM HUP QUIT PIPE
groups=
while read -r word; do
  case $word in
    +*) groups="$groups ${word#+}" ;;
    -*) left=; for g in $groups; do [ "$g" = "${word#-}" ] || left="$left $g"; done; groups=$left ;;
    done) exit 0 ;;
  esac
done
for g in $groups; do kill -s TERM -- "-$g"; done
n=0
for g in $groups; do
  while [ $n -lt 100 ] && kill -s 0 -- "-$g"; do sleep 0.1 || sleep 1; n=$((n+1)); done
  kill -s KILL -- "-$g"
done
rm -rf -- "$1"
"""


class Workspace:
    """A folder that only the user can read, and the processes that belong to one undertaking.

    Leaving it ends the processes, removes the folder and dismisses the guard; if this process is
    killed the guard does the same.
    """

    def __init__(self) -> None:
        sweep()
        self.folder = Path(tempfile.mkdtemp(prefix=folder_prefix()))
        self._children: list[Child] = []
        self._guard = _start_guard(self.folder)

    def __enter__(self) -> Workspace:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def write(self, name: str, value: Mapping[str, Any]) -> Path:
        """Write *value* as JSON into a file of mode 0600 and return its path."""
        path = self.folder / name
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(value, file)
        return path

    def spawn(self, argv: Sequence[str], **options: Any) -> Child:
        """Start a child (see Child for the options) that ends with this workspace."""
        child = Child(argv, **options)
        self._children.append(child)
        self._tell(f"+{child.pid}")
        return child

    def ended(self, child: Child) -> None:
        """Tell that *child* is gone, so that nothing kills a process that inherits its number."""
        self._tell(f"-{child.pid}")

    def close(self, grace: float = 2.0) -> None:
        """End what still runs, remove the folder, dismiss the guard."""
        for child in self._children:
            child.stop(grace)
            child.close()
        self._children.clear()
        shutil.rmtree(self.folder, ignore_errors=True)
        if self._guard is not None:
            self._tell("done")
            guard, self._guard = self._guard, None
            with suppress(OSError):
                guard.stdin.close()  # type: ignore[union-attr]  # always a pipe
            guard.wait()

    def _tell(self, word: str) -> None:
        if self._guard is not None and self._guard.stdin is not None:
            with suppress(OSError):
                self._guard.stdin.write(f"{word}\n".encode())


def _start_guard(folder: Path) -> subprocess.Popen[bytes] | None:
    if not os.path.exists(_SHELL):
        return None
    return subprocess.Popen(
        [_SHELL, "-c", _GUARD, "kozmo-guard", str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={"PATH": "/usr/bin:/bin"},
        cwd="/",
        start_new_session=True,
        bufsize=0,
    )


def folder_prefix() -> str:
    """Return how temporary folders begin that `sweep` removes once this process is dead."""
    return f"{_PREFIX}{os.getpid()}-{pid_namespace()}-"


def sweep(folders: Iterable[Path] | None = None) -> None:
    """Remove folders of runners that died together with their guard (a power cut, a container)."""
    found = Path(tempfile.gettempdir()).glob(f"{_PREFIX}*") if folders is None else folders
    for folder in found:
        pid, namespace, *_ = (*folder.name.removeprefix(_PREFIX).split("-"), "")
        with suppress(OSError):
            mine = folder.lstat().st_uid == os.getuid() and not folder.is_symlink()
            here = namespace == pid_namespace()
            if mine and here and pid.isdigit() and not alive(int(pid)):
                shutil.rmtree(folder, ignore_errors=True)


def pid_namespace() -> str:
    """Return what tells apart machines and containers that share a folder but not their pids."""
    try:
        return str(os.stat("/proc/self/ns/pid").st_ino)
    except OSError:
        return "0"


def alive(pid: int) -> bool:
    """Whether a process of this number lives on this machine."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
