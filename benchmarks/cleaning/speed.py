"""CPU seconds of a full analysis, ours beside peers; memory of a table that is read in batches."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from places import PROGRAMS, absent, program

Costs = list[dict[str, object]]
LARGE = 10_000_000
BATCH = 262_144
HEAD = (
    "| table | rows | what | CPU s | wall s | peak RSS MB | CPU / ours "
    "| CPU s, cold | / ours | notes |\n"
    "|---|---|---|---|---|---|---|---|---|---|"
)


@dataclass(frozen=True)
class Entry:
    """A library on a table; its ratio is to *against*, the entry of ours that does the same."""

    name: str
    table: str
    environment: str | None
    against: str


ENTRIES = (
    Entry("kozmo", "titanic", None, "kozmo"),
    Entry("mage", "titanic", "mage-cleaner", "kozmo"),
    Entry("kozmo-report", "wide", None, "kozmo-report"),
    Entry("skrub", "wide", "skrub", "kozmo-report"),
    Entry("ydata", "wide", "ydata-profiling", "kozmo-report"),
)


def measured(rows: int, rounds: int, large: int) -> tuple[str, dict[str, object]]:
    """Return a table in Markdown, and the figures: medians over *rounds*, entries in turn."""
    costs: dict[Entry, Costs] = {entry: [] for entry in ENTRIES}
    missing = []
    for entry in ENTRIES:
        why = absent(entry.environment) if entry.environment else None
        if why:
            missing.append(f"not there: {entry.name}: {why}")
            del costs[entry]
    for _ in range(rounds):
        for entry in costs:
            warm, cold = (_cost(entry, rows, mode) for mode in ("warm", "cold"))
            costs[entry].append({**warm, "cold": cold["cpu"]})
    ours = {entry.name: each for entry, each in costs.items() if not entry.environment}
    lines = [HEAD, *(_line(entry, rows, costs[entry], ours[entry.against]) for entry in costs)]
    figures: dict[str, object] = {entry.name: each for entry, each in costs.items()}
    if large:
        figures["large"] = cost = _large(large)
        lines.append(
            f"| large, from Parquet | {large:,} x 10 | kozmo | {cost['cpu']:.1f} | "
            f"{cost['wall']:.1f} | {cost['rss']:.0f} | | | | in batches of {BATCH:,} |"
        )
    return "\n".join([*lines, *missing]), figures


def _cost(entry: Entry, rows: int, mode: str) -> dict[str, object]:
    python = program(entry.environment, "python") if entry.environment else sys.executable
    command = [python, str(PROGRAMS / "analyse.py"), entry.name, entry.table, str(rows), mode]
    return _said(command)


def _said(command: list[str]) -> dict[str, object]:
    with tempfile.TemporaryDirectory() as home:
        environment = {**os.environ, "HOME": home}
        done = subprocess.run(
            command, capture_output=True, check=True, cwd=home, env=environment, text=True
        )
    said: dict[str, object] = json.loads(done.stdout.splitlines()[-1])
    return said


def _median(costs: Costs, name: str) -> float:
    return statistics.median(float(str(cost[name])) for cost in costs)


def _line(entry: Entry, rows: int, costs: Costs, ours: Costs) -> str:
    notes = costs[-1]["notes"]
    assert isinstance(notes, list)
    cpu, wall, cold = (_median(costs, name) for name in ("cpu", "wall", "cold"))
    peak = f"{max(float(str(cost['rss'])) for cost in costs):.0f}"
    ratios = [f"{each / _median(ours, name):.1f}" for name, each in (("cpu", cpu), ("cold", cold))]
    figures = [f"{cpu:.2f}", f"{wall:.2f}", peak, ratios[0], f"{cold:.2f}", ratios[1]]
    cells = [entry.table, f"{rows:,}", entry.name, *figures, "; ".join(notes)]
    return "| " + " | ".join(cells) + " |"


def _large(rows: int) -> dict[str, float]:
    """Return what it costs to profile a table that is written to a file before."""
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder, "large.parquet"))
        script = str(PROGRAMS / "large.py")
        subprocess.run([sys.executable, script, "write", path, str(rows)], check=True)
        said = _said([sys.executable, script, "profile", path, str(BATCH)])
    return {name: float(str(said[name])) for name in ("cpu", "wall", "rss")}
