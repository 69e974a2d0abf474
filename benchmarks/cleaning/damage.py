"""What is found of seeded damage, what `auto` undoes, and what is said of clean tables."""

from __future__ import annotations

from collections import Counter

import polars as pl

from kozmo_bridge.cleaner.cleaning import clean
from labels.clean import clean_tables
from labels.curing import Outcome, alarms, judged
from labels.damage import damaged
from places import packages

HEAD = (
    "| damage | cases | found | by a safe rule | restored by auto | missed first |\n"
    "|---|---|---|---|---|---|"
)


def measured(share: int, only: str | None) -> tuple[str, dict[str, object]]:
    """Return the tables in Markdown, and the figures, of every *share*-th case."""
    tables = clean_tables(packages("datasets"))
    cases = [case for case in damaged(tables) if only in (None, case.kind)]
    outcomes: dict[str, list[Outcome]] = {}
    for case in cases[::share]:
        outcomes.setdefault(case.kind, []).append(judged(case))
    lines = [HEAD, *(_line(kind, each) for kind, each in outcomes.items())]
    figures: dict[str, object] = {kind: _figures(each) for kind, each in outcomes.items()}
    return "\n".join([*lines, "", *_clean(tables)]), figures


def _figures(outcomes: list[Outcome]) -> dict[str, int]:
    return {
        "cases": len(outcomes),
        "found": sum(each.found for each in outcomes),
        "safe": sum(each.risk == "safe" for each in outcomes),
        "tried": sum(each.restored is not None for each in outcomes),
        "restored": sum(each.restored is True for each in outcomes),
    }


def _line(kind: str, outcomes: list[Outcome]) -> str:
    made = _figures(outcomes)
    missed = next((f"{o.case.table}.{o.case.column}" for o in outcomes if not o.found), "")
    found = f"{made['found']} = {made['found'] / made['cases']:.0%}"
    restored = f"{made['restored']} of {made['tried']}" if made["tried"] else "-"
    cells = (kind, made["cases"], found, made["safe"], restored, missed)
    return "| " + " | ".join(map(str, cells)) + " |"


def _clean(tables: dict[str, pl.DataFrame]) -> list[str]:
    """Say how many suggestions are made for clean columns, and which tables `auto` changes."""
    columns = sum(table.width for table in tables.values())
    counted: Counter[str] = Counter(alarms(tables))
    changed = [name for name, table in tables.items() if not _untouched(table)]
    lines = [f"{columns} columns of {len(tables)} tables in which nothing is wrong:", ""]
    lines += ["| suggestions | number | for each 100 columns |", "|---|---|---|"]
    for risk in ("safe", "lossy", "destructive"):
        lines.append(f"| {risk} | {counted[risk]} | {100 * counted[risk] / columns:.1f} |")
    return [*lines, "", f"changed by auto: {', '.join(changed) or 'none'}"]


def _untouched(table: pl.DataFrame) -> bool:
    after: pl.DataFrame = clean(table, "auto").frame
    return after.schema == table.schema and after.equals(table)
