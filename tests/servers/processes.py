"""Which processes descend from the tests, and what they cost."""

from __future__ import annotations

import ctypes
import os
import resource
import time
from contextlib import suppress
from pathlib import Path

PR_SET_CHILD_SUBREAPER = 36
GONE_SECONDS = 5

# A process whose parent died becomes our child, so that none can slip away unseen (Linux).
ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def children() -> set[int]:
    """Return the ids of the children of this process, adopted ones included."""
    listed = "".join(path.read_text() for path in Path("/proc/self/task").glob("*/children"))
    return set(map(int, listed.split()))


def plugins(runner: int) -> dict[int, str]:
    """Return the running plug-ins of a *runner*: process id -> name, such as tap-postgres."""
    found: dict[int, str] = {}
    with suppress(OSError):  # it is gone
        listed = "".join(p.read_text() for p in Path(f"/proc/{runner}/task").glob("*/children"))
        for pid in listed.split():
            words = _command(int(pid)).split(" ")
            for name in (Path(word).name.replace("_", "-") for word in words[:2]):
                if name.startswith(("tap-", "map-", "target-")):
                    found[int(pid)] = name
    return found


def is_gone(pid: int) -> bool:
    """Tell whether *pid* has ended; one that we adopted is reaped on the way."""
    try:
        ended = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True
    return ended and not _alive(pid)


def expect_gone(pids: set[int]) -> None:
    """Wait until none of *pids* lives; past a few seconds kill them and raise AssertionError."""
    deadline = time.monotonic() + GONE_SECONDS
    while living := {pid: _command(pid) for pid in pids if _alive(pid)}:
        if time.monotonic() > deadline:
            for pid in living:
                os.kill(pid, 9)
                os.waitpid(pid, 0)
            raise AssertionError(f"processes still running after the test: {living}")
        time.sleep(0.01)


def cpu_of_children() -> float:
    """Return the CPU seconds of all children that have ended and were waited for."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def _alive(pid: int) -> bool:
    """Tell whether *pid* runs; one that has ended is reaped on the way."""
    try:
        done, _ = os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        return False
    return done == 0


def _command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ").strip()
    except OSError:
        return "?"
