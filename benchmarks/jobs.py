"""Parallel streams: `kozmo run --jobs 2` against `--jobs 1`, on many tables and on one large one.

    .venv/bin/python benchmarks/jobs.py
    .venv/bin/python benchmarks/jobs.py --rate 5      # a source that sends 5 MB a second

Runs are interleaved, each into an empty schema and without an earlier state. After each, all rows
of all tables are compared with the source.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path

from compare import difference
from datasets import DATASETS, NARROW
from measure import Cost, measured, medians
from peers.entry import LANDED, Task
from peers.kozmo import run
from slow import slowed
from table import kept

from places import OURS
from servers import postgres

MANY = "many"


def main() -> None:
    """Run the rounds, print the table, keep the figures under benchmarks/results."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--streams", type=int, default=8)
    parser.add_argument("--rows", type=int, default=100_000, help="of each stream")
    parser.add_argument("--one", type=int, default=1_000_000, help="rows of the one large table")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument(
        "--rate", type=float, help="MB a second that a connection to the source has"
    )
    options = parser.parse_args()
    shown = subprocess.run([OURS / "kozmo", "run", "--help"], capture_output=True, text=True)
    if "--jobs" not in shown.stdout:
        print("not there: `kozmo run` has no --jobs here")
        return
    costs: dict[str, dict[int, list[Cost]]] = {}
    with postgres.running() as server, postgres.database(server, "bench") as database:
        for schema, tables in made(database, options).items():
            for _ in range(options.rounds):
                for jobs in (1, options.jobs):
                    cost = once(database, schema, tables, jobs, options.rate)
                    costs.setdefault(schema, {}).setdefault(jobs, []).append(cost)
    show(costs)
    plain = {
        schema: {str(jobs): [asdict(cost) for cost in each] for jobs, each in by.items()}
        for schema, by in costs.items()
    }
    print(f"figures: {kept('jobs', plain)}")


def made(database: postgres.Database, options: argparse.Namespace) -> dict[str, list[str]]:
    """Make the tables; return their names by the schema that a run reads."""
    names = [f"narrow_{number}" for number in range(1, options.streams + 1)]
    database.execute(f"CREATE SCHEMA {MANY}")
    for name in names:
        table = f"{MANY}.{name}"
        database.execute(NARROW.format(table=table, rows=options.rows))
        database.execute(f"ALTER TABLE {table} ADD PRIMARY KEY (id)")
        database.execute(f"VACUUM ANALYZE {table}")
    large, _ = DATASETS["narrow"].source(database, options.one)
    return {MANY: names, large: ["narrow"]}


def once(
    database: postgres.Database, schema: str, tables: list[str], jobs: int, rate: float | None
) -> Cost:
    """Copy the tables of *schema* with so many jobs, compare all rows, return the cost."""
    database.execute(f"DROP SCHEMA IF EXISTS {LANDED} CASCADE")
    database.execute(f"CREATE SCHEMA {LANDED}")
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        port = None
        if rate is not None:
            port = stack.enter_context(slowed(database.server.port, rate * 1e6))
        task = Task(DATASETS["narrow"], schema, 0, "upsert", database, Path(folder), port)
        cost = measured(run(task, "--jobs", str(jobs)), database, seconds=1800)
    for name in tables:
        found = difference(database, f"{schema}.{name}", f"{LANDED}.{name}", ("id",))
        if found.rows:
            sys.exit(f"--jobs {jobs}: {found.rows} rows of {name} differ")
    print(f"  {schema}, {jobs} jobs: {cost.wall:.2f} s", file=sys.stderr)
    return cost


def show(costs: dict[str, dict[int, list[Cost]]]) -> None:
    """Print medians, and how many times faster more jobs are."""
    print("| tables | jobs | client CPU s | server CPU s | wall s | peak RSS MB | gain |")
    print("|---" * 7 + "|")
    for schema, by in costs.items():
        alone = medians(by[1]).wall
        for jobs, each in by.items():
            cost = medians(each)
            print(
                f"| {schema} | {jobs} | {cost.client_cpu:.2f} | {cost.server_cpu:.2f} "
                f"| {cost.wall:.2f} | {cost.rss:.0f} | {alone / cost.wall:.2f} |"
            )


if __name__ == "__main__":
    main()
