"""A table from PostgreSQL to PostgreSQL: ours, its peers and the limit, on the same server.

    make bench                 all peers, all data sets
    make bench-quick           fewer rows, one round
    .venv/bin/python benchmarks/pipe.py --data narrow --mode upsert --peers kozmo,sling,limit

Each round runs every peer once, in turn, into an empty schema. CPU seconds are those that the
operating system booked for the processes; the server's are told apart. After each run the rows
of the destination are compared with the source, all of them.
"""

from __future__ import annotations

import argparse
import re
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from compare import difference
from datasets import DATASETS, Dataset
from measure import Failed, Late, measured
from peers import PEERS
from peers.entry import ALL_MODES, LANDED, Peer, Task
from table import Run, changes, kept, plain, shown

import places  # noqa: F401  # the server of the tests is found through it
from servers import postgres

LEAST = 20_000
"""Slow peers get fewer rows than the others, but never fewer than this."""
SMALLEST = 10
"""No table is scaled down to fewer rows."""


def main() -> None:
    """Run the rounds, print the tables, keep the figures under benchmarks/results."""
    options = arguments()
    found = {name: PEERS[name].missing() for name in options.peers}
    peers = [PEERS[name] for name, why in found.items() if why is None]
    absent = {name: why for name, why in found.items() if why is not None}
    runs: list[Run] = []
    failures: dict[str, str] = {}
    with postgres.running() as server, postgres.database(server, "bench") as database:
        for data in (DATASETS[name] for name in options.data):
            suite = Suite(database, data, options)
            runs += suite.rounds(peers)
            failures |= suite.failures
            print(f"\n{shown([run for run in runs if run.data == data.name])}\n", flush=True)
    for name, why in {**absent, **failures}.items():
        print(f"not there: {name}: {last_error(why)}")
    print("\n".join(changes(runs)))
    print(f"figures: {kept('pipe', {'runs': plain(runs), 'absent': {**absent, **failures}})}")


def last_error(words: str) -> str:
    """Return the last line that speaks of an error, and the last one."""
    lines = [line.strip()[:400] for line in words.splitlines()]
    speaking = [line for line in lines[:-1] if re.search(r"error|fatal|failed .*:", line, re.I)]
    return "; ".join([*speaking[-1:], *lines[-1:]])


class Suite:
    """The runs on one data set; what fails is in `failures` and is not tried again."""

    def __init__(self, database: postgres.Database, data: Dataset, options: argparse.Namespace):
        self.database = database
        self.data = data
        self.options = options
        self.rows = max(round(data.rows * options.scale), min(data.rows, SMALLEST))
        self.failures: dict[str, str] = {}

    def rounds(self, peers: list[Peer]) -> list[Run]:
        """Return the runs of all rounds, every peer in turn."""
        return [
            run for _ in range(self.options.rounds) for peer in peers for run in self.round(peer)
        ]

    def round(self, peer: Peer) -> Iterator[Run]:
        """Run one peer once in every mode; `again` follows on upsert, which fills its table."""
        asked = {*self.options.mode, *(["upsert"] if "again" in self.options.mode else [])}
        for mode in (each for each in ALL_MODES if each in asked and each in peer.modes):
            name = f"{peer.name}, {self.data.name}, {mode}"
            filled = f"{peer.name}, {self.data.name}, upsert" not in self.failures
            if name in self.failures or (mode == "again" and not filled):
                continue
            if mode != "again":
                self.database.execute(f"DROP SCHEMA IF EXISTS {LANDED} CASCADE")
                self.database.execute(f"CREATE SCHEMA {LANDED}")
            try:
                yield self.run(peer, mode)
            except Failed as error:
                if peer.exact:
                    raise
                self.failures[name] = str(error)
                if isinstance(error, Late):
                    return

    def run(self, peer: Peer, mode: str) -> Run:
        """Run one peer once, check what arrived, and return what it cost."""
        share = 1 if self.options.full else peer.share
        part = max(self.rows // share, min(self.rows, LEAST))
        schema, rows = self.data.source(self.database, part)
        with tempfile.TemporaryDirectory() as folder:
            task = Task(self.data, schema, rows, mode, self.database, Path(folder))
            work = peer.prepare(task)
            cost = measured(work, self.database, self.options.seconds, keep=mode != "read")
        if mode == "read":
            run = Run(self.data.name, mode, peer.name, rows, cost)
        else:
            found = difference(self.database, task.table, work.landed, self.data.key)
            if found.rows and peer.exact:
                sys.exit(
                    f"{peer.name}: {found.rows} rows of {task.table} differ in {found.columns}"
                )
            run = Run(self.data.name, mode, peer.name, rows, cost, found)
        print(
            f"  {peer.name} {self.data.name} {mode}: {rows:,} rows,"
            f" CPU {cost.client_cpu:.2f} + {cost.server_cpu:.2f} s, {cost.wall:.2f} s",
            file=sys.stderr,
        )
        return run


def arguments() -> argparse.Namespace:
    """Return the options; lists are comma-separated."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    default = "narrow,wide,flights,lineitem,tiny"
    _list(parser, "--data", tuple(DATASETS), default)
    _list(parser, "--mode", ALL_MODES, ",".join(ALL_MODES))
    _list(parser, "--peers", tuple(PEERS), ",".join(PEERS))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--scale", type=float, default=1.0, help="of the rows, for instance 0.1")
    parser.add_argument("--full", action="store_true", help="all rows, for the slow peers too")
    parser.add_argument("--seconds", type=int, default=600, help="after which a run is killed")
    return parser.parse_args()


def _list(parser: argparse.ArgumentParser, name: str, known: tuple[str, ...], default: str) -> None:
    def parsed(text: str) -> list[str]:
        unknown = [each for each in text.split(",") if each not in known]
        if unknown:
            raise argparse.ArgumentTypeError(f"{unknown[0]}: not one of {', '.join(known)}")
        return text.split(",")

    parser.add_argument(name, type=parsed, default=default.split(","), help=", ".join(known))


if __name__ == "__main__":
    main()
