"""Data objects and frames: what the bridge adds to their constructors, and target-kozmo's rate.

    make .envs/kozmoai/.installed .envs/target-jsonl/.installed
    .venv/bin/python benchmarks/data_objects.py

Rows come from PostgreSQL. The bridge runs in KozmoAI's environment and, for frames, in ours too.
target-kozmo writes a folder and target-jsonl a file from the same lines; all rows of both are
compared.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from datasets import DATASETS
from measure import launched
from peers.entry import Task, Work
from peers.kozmo import TAP, pipe
from table import kept

from places import OURS, PROGRAMS, absent, program
from servers import postgres


def main() -> None:
    """Measure on each table, print the figures, keep them under benchmarks/results."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--data", default="narrow,flights", help="tables, with commas between")
    options = parser.parse_args()
    figures: dict[str, Any] = {}
    with (
        postgres.running() as server,
        postgres.database(server, "bench") as database,
        tempfile.TemporaryDirectory() as folder,
    ):
        for name in options.data.split(","):
            schema, rows = DATASETS[name].source(database, options.rows)
            task = Task(DATASETS[name], schema, rows, "read", database, Path(folder))
            figures[name] = {**bridges(task), "targets": targets(task, options.rounds)}
            shown(name, figures[name])
    print(f"figures: {kept('data-objects', figures)}")


def bridges(task: Task) -> dict[str, Any]:
    """Return what the bridge measures in KozmoAI's environment and in ours."""
    config = {**task.database.config, "filter_schemas": [task.source]}
    order = {"tap": TAP, "config": config, "rows": task.rows}
    path = task.written("order.json", order)
    found = {}
    for name, python in {"kozmoai": program("kozmoai", "python"), "ours": OURS / "python"}.items():
        if name != "ours" and (why := absent(name)):
            print(f"not there: {name}: {why}")
            continue
        command = [str(python), str(PROGRAMS / "bridge.py"), path]
        done = subprocess.run(command, stdout=subprocess.PIPE, check=True)
        found[name] = json.loads(done.stdout)
    return found


def targets(task: Task, rounds: int) -> dict[str, float]:
    """Return the median CPU seconds of both targets on the same lines, rows compared."""
    lines = task.folder / "lines.jsonl"
    with lines.open("wb") as file:
        subprocess.run(pipe(task).pipe[0], stdout=file, stderr=subprocess.DEVNULL, check=True)
    ours, theirs = task.folder / "ours", task.folder / "theirs"
    theirs.mkdir(exist_ok=True)
    commands = {
        "target-kozmo": [str(OURS / "target-kozmo"), "--config"],
        "target-jsonl": [program("target-jsonl", "target-jsonl"), "--config"],
    }
    commands["target-kozmo"].append(task.written("ours.json", {"output": str(ours)}))
    settings = {"destination_path": str(theirs), "do_timestamp_file": False}
    commands["target-jsonl"].append(task.written("theirs.json", settings))
    if why := absent("target-jsonl"):
        print(f"not there: target-jsonl: {why}")
        del commands["target-jsonl"]
    cpu: dict[str, list[float]] = {name: [] for name in commands}
    for _ in range(rounds):
        for name, command in commands.items():
            for old in [*ours.glob("*.jsonl"), *theirs.glob("*.jsonl")]:
                old.unlink()
            done = launched(Work([command], stdin=str(lines)), 600)
            cpu[name].append(done["costs"][0]["cpu"])
            check(name, ours if name == "target-kozmo" else theirs, lines)
    return {name: statistics.median(each) for name, each in cpu.items()}


def check(name: str, folder: Path, lines: Path) -> None:
    """End the benchmark if *folder* does not hold the records of *lines*, every one as it was."""
    with lines.open() as file:
        messages = map(json.loads, file)
        expected = [message["record"] for message in messages if message["type"] == "RECORD"]
    (written,) = folder.glob("*.jsonl")
    with written.open() as file:
        found = [json.loads(line) for line in file]
    if name == "target-kozmo":
        found = [data["data"] for data in found]
    if found != expected:
        sys.exit(f"{name}: the rows are not those of the input")


def shown(name: str, figures: dict[str, Any]) -> None:
    """Print the figures of one table, with their ratios."""
    for place in ("kozmoai", "ours"):
        found = figures.get(place, {})
        if "to_data" in found:
            ratio = found["to_data"] / found["Data()"]
            quiet = found["to_data"] / found["Data(), gc off"]
            print(
                f"{name}, {found['rows']:,} rows: to_data {found['to_data']:.3f} s,"
                f" Data() {found['Data()']:.3f} s ({ratio:.2f}),"
                f" without its collector {found['Data(), gc off']:.3f} s ({quiet:.2f})"
            )
        if "to_pandas" in found:
            plain, typed = found["DataFrame(dicts)"], found["dicts, DataFrame, types"]
            ours = found["to_pandas"]
            beside = "with pyarrow" if "to_arrow" in found else "without pyarrow"
            print(
                f"{name}, pandas {found['pandas']} {beside}: to_pandas {ours * 1e3:.1f} ms,"
                f" DataFrame(dicts) {plain * 1e3:.1f} ms ({plain / ours:.1f}),"
                f" dicts made, and types {typed * 1e3:.1f} ms ({typed / ours:.1f})"
            )
        if "arrow lane" in found:
            shown_lane(name, found)
    rows = figures["ours"]["rows"]
    for target, cpu in figures["targets"].items():
        print(f"{name}: {target} {cpu:.2f} s CPU, {rows / cpu:,.0f} rows/s")


def shown_lane(name: str, found: dict[str, Any]) -> None:
    """Print what the Arrow lane makes of to_pandas(), alone and with the reading."""
    lane, typed = found["arrow lane"], found["dicts, DataFrame, types"]
    alone, whole = lane["to_pandas"], lane["read, to_pandas"]
    bare = found["DataFrame(dicts)"]
    plain = lane["text: read, dicts, DataFrame, types"]
    print(
        f"{name}, Arrow lane: to_pandas {alone * 1e3:.1f} ms,"
        f" DataFrame(dicts) {bare * 1e3:.1f} ms ({bare / alone:.1f}),"
        f" dicts made, and types {typed * 1e3:.1f} ms ({typed / alone:.1f});"
        f" with the reading, tap included, {whole:.2f} s,"
        f" text lane and dicts {plain:.2f} s ({plain / whole:.1f}),"
        f" text lane and to_pandas {lane['text: read, to_pandas']:.2f} s"
    )


if __name__ == "__main__":
    main()
