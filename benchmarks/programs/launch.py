"""Run commands joined by pipes and print what the kernel booked for each, as JSON.

A program of its own, in an interpreter without packages: the peak of memory that the kernel counts
for a child starts with its parent's, so the parent must be small.
"""

import json
import os
import signal
import sys
import time
from contextlib import suppress
from typing import Any


def main() -> None:
    """Read the order from the file that is named, run it, print the costs."""
    with open(sys.argv[1]) as file:
        order = json.load(file)
    environment = {**os.environ, **order["environment"]}
    started = time.monotonic()
    pids = spawned(order, environment)
    late = []
    signal.signal(signal.SIGALRM, lambda *_: (late.append(True), killed(pids)))
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: killed(pids))
    signal.alarm(order["seconds"])
    costs = {pid: os.wait4(pid, 0) for pid in pids}
    wall = time.monotonic() - started
    booked = [cost(*costs[pid][1:]) for pid in pids]
    print(json.dumps({"wall": wall, "late": bool(late), "costs": booked}))


def spawned(order: dict[str, Any], environment: dict[str, str]) -> list[int]:
    """Start the commands, each a process group, the first at the file that is to be read.

    Errors go to the log; so does what the last one says, if it is to be kept.
    """
    pipe = order["pipe"]
    pids = []
    stdin = os.open(order["stdin"], os.O_RDONLY)
    errors = os.open(order["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    said = errors if order["keep"] else os.open(os.devnull, os.O_WRONLY)
    for number, command in enumerate(pipe):
        last = number == len(pipe) - 1
        after, stdout = (stdin, said) if last else os.pipe()
        actions = [(os.POSIX_SPAWN_DUP2, fd, to) for to, fd in enumerate((stdin, stdout, errors))]
        pids.append(
            os.posix_spawnp(command[0], command, environment, file_actions=actions, setpgroup=0)
        )
        os.close(stdin)
        if not last:
            os.close(stdout)
        stdin = after
    return pids


def killed(pids: list[int]) -> None:
    """Kill the process groups; those that ended already are let alone."""
    for pid in pids:
        with suppress(ProcessLookupError):
            os.killpg(pid, signal.SIGKILL)


def cost(status: int, usage: Any) -> dict[str, float]:
    """Exit code, CPU seconds and peak memory in MB of a process and the children it waited for."""
    return {
        "code": os.waitstatus_to_exitcode(status),
        "cpu": usage.ru_utime + usage.ru_stime,
        "rss": usage.ru_maxrss / 1024,
    }


if __name__ == "__main__":
    main()
