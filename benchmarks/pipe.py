"""Our pipe against its peers: the same rows, the same server, the same run.

    make bench                              100,000 rows for the peers, 1,000,000 for us
    .venv/bin/python benchmarks/pipe.py --rows 1000000 --peer-rows 1000000

Each round runs every pair once, in turn, into an empty schema. CPU seconds are those that the
operating system booked for the processes; the server's are told apart. The ratio compares
client CPU seconds per row. After each run the rows of the destination are compared with the
source, all of them.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests"))

from servers import postgres  # noqa: E402  # the path must be known first

TABLE = """
CREATE TABLE {table} AS SELECT
    i AS id,
    'customer ' || i AS name,
    (i * 7919) % 100000 AS amount,
    (i % 1000) / 8.0::float8 AS ratio,
    timestamptz '2024-01-01 00:00:00+00' + i * interval '37 seconds' AS updated_at,
    i % 3 = 0 AS active
FROM generate_series(1, {rows}::bigint) AS i
"""
SAME = """
SELECT count(*) FROM (
    (SELECT * FROM {a} EXCEPT ALL SELECT {columns} FROM {b}) UNION ALL
    (SELECT {columns} FROM {b} EXCEPT ALL SELECT * FROM {a})
) AS different
"""
COLUMNS = "id, name, amount, ratio, updated_at, active"


@dataclass
class Pair:
    """A tap and a target, the table that the tap reads and how many rows it has."""

    name: str
    tap: Path
    target: Path
    source: str
    rows: int


@dataclass
class Run:
    """What one run of a pair cost; memory is the larger peak of the two processes, in MB."""

    pair: str
    rows: int
    client_cpu: float
    server_cpu: float
    wall: float
    rss: float

    @property
    def per_million(self) -> float:
        """Client CPU seconds for a million rows."""
        return self.client_cpu * 1e6 / self.rows


def main() -> None:
    """Run the rounds, print the table, keep the figures under benchmarks/results."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--peer-rows", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    with postgres.running() as server, postgres.database(server, "bench") as database:
        pairs = prepare(database, options.rows, options.peer_rows)
        runs = [measure(pair, database) for _ in range(options.rounds) for pair in pairs]
    show(runs)
    keep(runs)


def prepare(database: postgres.Database, rows: int, peer_rows: int) -> list[Pair]:
    """Make the tables and return the pairs that are to run."""
    for schema, count in {"ours": rows, "peers": peer_rows}.items():
        database.execute(f"CREATE SCHEMA {schema}")
        database.execute(TABLE.format(table=f"{schema}.narrow", rows=count))
        database.execute(f"ALTER TABLE {schema}.narrow ADD PRIMARY KEY (id)")
        database.execute(f"VACUUM ANALYZE {schema}.narrow")
    ours, peers = ROOT / ".venv" / "bin", ROOT / ".envs"
    return [
        Pair("kozmo-singer", ours / "tap-postgres", ours / "target-postgres", "ours", rows),
        Pair(
            "meltanolabs",
            peers / "meltanolabs-tap" / "bin" / "tap-postgres",
            peers / "meltanolabs-target" / "bin" / "target-postgres",
            "peers",
            peer_rows,
        ),
    ]


def measure(pair: Pair, database: postgres.Database) -> Run:
    """Run *pair* once, check what arrived, and return what it cost."""
    database.execute("DROP SCHEMA IF EXISTS landed CASCADE")
    tap = {**database.config, "filter_schemas": [pair.source]}
    target = {**database.config, "default_target_schema": "landed"}
    with tempfile.TemporaryDirectory() as folder:
        source = ["--config", written(Path(folder, "tap.json"), tap)]
        found = json.loads(subprocess.check_output([pair.tap, *source, "--discover"]))
        source += ["--catalog", written(Path(folder, "catalog.json"), selected(found))]
        sink = ["--config", written(Path(folder, "target.json"), target)]
        before, started = server_cpu(), time.monotonic()
        costs = piped([pair.tap, *source], [pair.target, *sink])
        wall = time.monotonic() - started
    different = database.execute(
        SAME.format(a=f"{pair.source}.narrow", b="landed.narrow", columns=COLUMNS)
    )
    if different != [(0,)]:
        sys.exit(f"{pair.name}: {different[0][0]} rows differ from the source")
    cpu = sum(cost.ru_utime + cost.ru_stime for cost in costs)
    rss = max(cost.ru_maxrss for cost in costs) / 1024
    run = Run(pair.name, pair.rows, cpu, server_cpu() - before, wall, rss)
    print(f"  {run.pair}: {run.rows:,} rows, {cpu:.1f} s CPU, {wall:.1f} s", file=sys.stderr)
    return run


def written(path: Path, value: Any) -> Path:
    """Write *value* to *path* as JSON."""
    path.write_text(json.dumps(value))
    return path


def selected(catalog: dict[str, Any]) -> dict[str, Any]:
    """Return *catalog* with every stream selected."""
    for stream in catalog["streams"]:
        for entry in stream["metadata"]:
            if not entry["breadcrumb"]:
                entry["metadata"]["selected"] = True
    return catalog


def piped(tap: list[Any], target: list[Any]) -> list[resource.struct_rusage]:
    """Run tap | target to their end and return what the kernel booked for each."""
    quiet = subprocess.DEVNULL
    first = subprocess.Popen(tap, stdout=subprocess.PIPE, stderr=quiet)
    second = subprocess.Popen(target, stdin=first.stdout, stdout=quiet, stderr=quiet)
    assert first.stdout is not None
    first.stdout.close()
    costs = []
    for process in (first, second):
        _, status, cost = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            sys.exit(f"{process.args} ended with {process.returncode}")
        costs.append(cost)
    return costs


def server_cpu() -> float:
    """Return the CPU seconds of all PostgreSQL processes below this one, the ended ones too."""
    ticks = 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            name, _, rest = stat.read_text().partition("(")[2].rpartition(")")
        except (FileNotFoundError, ProcessLookupError):
            continue
        if name == "postgres":
            fields = rest.split()
            # utime, stime and those of children that were waited for
            ticks += sum(map(int, fields[11:15]))
    return ticks / os.sysconf("SC_CLK_TCK")


def show(runs: list[Run]) -> None:
    """Print medians a pair, and each pair's client CPU seconds per row over ours."""
    names = list(dict.fromkeys(run.pair for run in runs))
    ours = statistics.median(run.per_million for run in runs if run.pair == names[0])
    print("| pair | rows | client CPU s | server CPU s | wall s | peak RSS MB | rows/s | ratio |")
    print("|---|---|---|---|---|---|---|---|")
    for name in names:
        mine = [run for run in runs if run.pair == name]

        def median(field: str, mine: list[Run] = mine) -> float:
            return statistics.median(getattr(run, field) for run in mine)

        speed = mine[0].rows / median("wall")
        print(
            f"| {name} | {mine[0].rows:,} | {median('client_cpu'):.2f} | "
            f"{median('server_cpu'):.2f} | {median('wall'):.1f} | {median('rss'):.0f} | "
            f"{speed:,.0f} | {median('per_million') / ours:.1f} |"
        )


def keep(runs: list[Run]) -> None:
    """Write the figures of all runs as JSON."""
    folder = ROOT / "benchmarks" / "results"
    folder.mkdir(parents=True, exist_ok=True)
    now = dt.datetime.now(dt.timezone.utc)
    report = {
        "date": now.isoformat(timespec="seconds"),
        "python": platform.python_version(),
        "cpus": os.cpu_count(),
        "runs": [asdict(run) for run in runs],
    }
    (folder / f"pipe-{now:%Y%m%dT%H%M%SZ}.json").write_text(json.dumps(report, indent=2))


if __name__ == "__main__":
    main()
