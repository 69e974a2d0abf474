"""Medians as a table in Markdown, and all figures as JSON."""

from __future__ import annotations

import datetime as dt
import json
import os
import platform
import statistics
from dataclasses import asdict, dataclass
from typing import Any

from compare import Difference
from measure import Cost

from places import RESULTS

HEAD = (
    "client CPU s",
    "server CPU s",
    "wall s",
    "peak RSS MB",
    "rows/s",
    "wall / limit",
    "CPU / ours",
    "rows that differ",
)
OURS, LIMIT = "kozmo", "limit"


@dataclass(frozen=True)
class Run:
    """One run of a peer: what it cost, and in what its rows are not the source's."""

    data: str
    mode: str
    peer: str
    rows: int
    cost: Cost
    difference: Difference = Difference(0)

    @property
    def cpu_a_row(self) -> float:
        """Client CPU seconds for one row."""
        return self.cost.client_cpu / self.rows

    @property
    def wall_a_row(self) -> float:
        """Seconds for one row."""
        return self.cost.wall / self.rows


def shown(runs: list[Run]) -> str:
    """Return a table for each data set and mode, medians over the rounds."""
    groups: dict[tuple[str, str], dict[str, list[Run]]] = {}
    for run in runs:
        groups.setdefault((run.data, run.mode), {}).setdefault(run.peer, []).append(run)
    return "\n\n".join(_group(data, mode, peers) for (data, mode), peers in groups.items())


def _group(data: str, mode: str, peers: dict[str, list[Run]]) -> str:
    ours = _median([run.cpu_a_row for run in peers.get(OURS, [])])
    limit = _median([run.wall_a_row for run in peers.get(LIMIT, [])])
    lines = [f"| {data}, {mode} | rows | " + " | ".join(HEAD) + " |", "|---" * 10 + "|"]
    for name, runs in peers.items():
        cells = [name, f"{runs[0].rows:,}", *_cells(runs, ours, limit)]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _cells(runs: list[Run], ours: float | None, limit: float | None) -> list[str]:
    costs = [run.cost for run in runs]
    wall = statistics.median(cost.wall for cost in costs)
    return [
        f"{statistics.median(cost.client_cpu for cost in costs):.2f}",
        f"{statistics.median(cost.server_cpu for cost in costs):.2f}",
        f"{wall:.2f}",
        f"{max(cost.rss for cost in costs):.0f}",
        f"{runs[0].rows / wall:,.0f}",
        _ratio(statistics.median(run.wall_a_row for run in runs), limit),
        _ratio(statistics.median(run.cpu_a_row for run in runs), ours),
        f"{max(run.difference.rows for run in runs):,}" if runs[0].mode != "read" else "",
    ]


def _median(values: list[float]) -> float | None:
    return statistics.median(values) if values else None


def _ratio(value: float, base: float | None) -> str:
    return f"{value / base:.2f}" if base else ""


def changes(runs: list[Run]) -> list[str]:
    """Return a line for each table that a peer changed: columns with other values, other types."""
    lines = []
    for run in runs:
        found = run.difference
        if found.columns:
            lines.append(f"{run.data}, {run.peer}: values differ in {', '.join(found.columns)}")
        if found.types:
            lines.append(f"{run.data}, {run.peer}: other types: {', '.join(found.types)}")
    return list(dict.fromkeys(lines))


def kept(name: str, figures: Any) -> str:
    """Write *figures* as JSON under benchmarks/results; return the path."""
    RESULTS.mkdir(parents=True, exist_ok=True)
    now = dt.datetime.now(dt.timezone.utc)
    report = {
        "date": now.isoformat(timespec="seconds"),
        "python": platform.python_version(),
        "machine": platform.machine(),
        "cpus": os.cpu_count(),
        "figures": figures,
    }
    path = RESULTS / f"{name}-{now:%Y%m%dT%H%M%SZ}.json"
    path.write_text(json.dumps(report, indent=2))
    return str(path)


def plain(runs: list[Run]) -> list[dict[str, Any]]:
    """Return the runs as JSON has them."""
    return [asdict(run) for run in runs]
