"""What map-kozmo-clean costs in a plain pipe: rows a CPU second, by what the rules are for."""

from __future__ import annotations

import json
import os
import random
import statistics
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from places import OURS

SEED = 7
TEXTS = ("name", "city", "note", "code")
CONFIGS: dict[str, dict[str, Any]] = {
    "no rule": {},
    "two columns trimmed": {"rules": [{"action": "trim_whitespace", "columns": ["name", "city"]}]},
    "all texts trimmed": {"rules": [{"action": "trim_whitespace"}]},
    "rules learned": {"auto": True},
}
HEAD = "| map-kozmo-clean | CPU s | rows a CPU s | / no rule |\n|---|---|---|---|"


def measured(rows: int, rounds: int) -> tuple[str, dict[str, object]]:
    """Return a table in Markdown, and the CPU seconds: medians over *rounds*, entries in turn."""
    with tempfile.TemporaryDirectory() as folder:
        lines = Path(folder, "lines.jsonl")
        _write(lines, rows)
        costs: dict[str, list[float]] = {name: [] for name in CONFIGS}
        for _ in range(rounds):
            for name, config in CONFIGS.items():
                costs[name].append(_cost(lines, Path(folder, "config.json"), config))
    seconds = {name: statistics.median(each) for name, each in costs.items()}
    table = [
        f"| {name} | {cpu:.2f} | {rows / cpu:,.0f} | {cpu / seconds['no rule']:.2f} |"
        for name, cpu in seconds.items()
    ]
    return "\n".join([HEAD, *table]), dict(costs)


def _write(path: Path, rows: int) -> None:
    """Write *rows* records of ten columns; amounts are texts that can be read as numbers."""
    draw = random.Random(SEED)
    properties: dict[str, Any] = dict.fromkeys((*TEXTS, "amount"), {"type": "string"})
    properties |= dict.fromkeys(("id", "count"), {"type": "integer"})
    properties |= {"score": {"type": "number"}, "paid": {"type": "boolean"}}
    properties |= {"day": {"type": "string", "format": "date"}}
    schema = {"properties": properties}
    head = {"type": "SCHEMA", "stream": "orders", "schema": schema, "key_properties": ["id"]}
    with path.open("w") as out:
        out.write(json.dumps(head) + "\n")
        for i in range(rows):
            blank = "  " if i % 7 == 0 else ""
            record = {
                "id": i,
                "name": f"{blank}Customer {draw.randrange(rows)}",
                "city": f"Town {draw.randrange(400)}{blank}",
                "note": f"sent late, order {draw.randrange(rows)}, then came back",
                "code": f"{draw.randrange(10**6):06}",
                "amount": f"{draw.randrange(10**6) / 100:.2f}".replace(".", ","),
                "count": draw.randrange(1000),
                "score": draw.random(),
                "paid": i % 3 == 0,
                "day": f"2024-{i % 12 + 1:02}-{i % 28 + 1:02}",
            }
            message = {"type": "RECORD", "stream": "orders", "record": record}
            out.write(json.dumps(message) + "\n")


def _cost(lines: Path, config: Path, settings: dict[str, Any]) -> float:
    config.write_text(json.dumps(settings))
    with lines.open("rb") as source:
        command = [str(OURS / "map-kozmo-clean"), "--config", str(config)]
        process = subprocess.Popen(command, stdin=source, stdout=subprocess.DEVNULL)
        _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"map-kozmo-clean ended with {process.returncode}")
    return used.ru_utime + used.ru_stime
