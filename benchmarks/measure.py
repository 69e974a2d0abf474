"""What a run costs: CPU of client and server, wall time, memory."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from places import PROGRAMS

if TYPE_CHECKING:
    from peers.entry import Work

    from servers import postgres

TICKS = os.sysconf("SC_CLK_TCK")
LAST_WORDS = 12


class Failed(Exception):
    """A command of a run ended with another code than 0; its last words are the message."""


class Late(Failed):
    """A run was killed because it took too long."""


@dataclass(frozen=True)
class Cost:
    """Seconds, and the peak of the largest process in MB."""

    client_cpu: float
    server_cpu: float
    wall: float
    rss: float


def medians(costs: list[Cost]) -> Cost:
    """Return the medians of several runs, and the highest of their peaks."""
    return Cost(
        client_cpu=statistics.median(cost.client_cpu for cost in costs),
        server_cpu=statistics.median(cost.server_cpu for cost in costs),
        wall=statistics.median(cost.wall for cost in costs),
        rss=max(cost.rss for cost in costs),
    )


def measured(work: Work, database: postgres.Database, seconds: int, keep: bool = True) -> Cost:
    """Run *work* to its end and return what it cost; after *seconds* it is killed.

    What its last command says is thrown away unless it is to be kept for the case that it fails.
    """
    # Every run starts with nothing to be written back that another one left.
    database.execute("CHECKPOINT")
    postmaster = int(database.execute("SELECT pg_read_file('postmaster.pid')")[0][0].split()[0])
    before = server_cpu(postmaster)
    done = launched(work, seconds, keep)
    after = server_cpu(postmaster)
    costs = done["costs"]
    return Cost(
        client_cpu=sum(cost["cpu"] for cost in costs),
        server_cpu=after - before,
        wall=done["wall"],
        rss=max(cost["rss"] for cost in costs),
    )


def launched(work: Work, seconds: int, keep: bool = True) -> Any:
    """Return the launcher's report on *work*; raise Failed with the end of what it said."""
    with tempfile.TemporaryDirectory() as folder:
        log, order = Path(folder, "log"), Path(folder, "order.json")
        asked = {"pipe": work.pipe, "environment": work.environment, "stdin": work.stdin}
        order.write_text(json.dumps({**asked, "log": str(log), "keep": keep, "seconds": seconds}))
        launcher = [sys.executable, "-I", "-S", str(PROGRAMS / "launch.py"), str(order)]
        said = subprocess.run(launcher, stdout=subprocess.PIPE, cwd=folder, check=True).stdout
        done = json.loads(said)
        codes = [cost["code"] for cost in done["costs"]]
        if done["late"] or any(codes):
            words = log.read_text(errors="replace").strip().splitlines()
            kind, what = (Late, f"killed after {seconds} s") if done["late"] else (Failed, "failed")
            raise kind("\n".join([*words[-LAST_WORDS:], f"error: {what}, exit codes {codes}"]))
    return done


def server_cpu(postmaster: int) -> float:
    """Return the CPU seconds of a PostgreSQL server's processes, the ended ones too."""
    ticks = 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if postmaster in (int(stat.parent.name), int(fields[1])):
            # utime, stime and those of children that were waited for
            ticks += sum(map(int, fields[11:15]))
    return ticks / TICKS
