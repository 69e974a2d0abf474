"""What the cleaner found and did, as rows and lines for the canvas."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from kozmo_bridge.components.steps import written

if TYPE_CHECKING:
    from kozmo_bridge.cleaner.cleaning import CleanResult
    from kozmo_bridge.cleaner.logbook import Fault, LogEntry
    from kozmo_bridge.cleaner.model import ColumnProfile, Profile, Suggestion

_TYPES = (
    (r"Datetime\(.*?\)", "datetime"),
    (r"Duration\(.*?\)", "duration"),
    (r"Decimal\(precision=(\d+), scale=(\d+)\)", r"decimal(\1,\2)"),
    (r"U?Int\d+", "integer"),
    (r"Float\d+", "number"),
    (r"\bString\b", "text"),
    (r"\bBoolean\b", "boolean"),
    (r"\bDate\b", "date"),
    (r"\bNull\b", "nothing"),
)
"""The cleaner's types, and what they are called on the canvas."""
_LINES = 40
_SHOWN = 3


def report_of(profile: Profile) -> list[dict[str, Any]]:
    """Return a row for the table and one for each column, with what there is to say in words."""
    said: dict[str, list[str]] = {}
    general = []
    for insight in profile.insights:
        if len(insight.columns) == 1:
            said.setdefault(insight.columns[0], []).append(insight.text)
        else:
            general.append(insight.text)
    head = {
        "column": "(all)", "kind": "table", "type": "", "rows": profile.rows, "nulls_percent": None,
        "distinct": None, "min": None, "max": None, "faults": _doubled(profile),
        "insights": " ".join(general),
    }  # fmt: skip
    return [head, *(_column(each, said.get(each.label, [])) for each in profile.columns)]


def suggested(suggestion: Suggestion) -> dict[str, Any]:
    """Return a suggestion as a row of the table of steps, with why, the risk and examples."""
    from kozmo_bridge.cleaner.plain import plain

    return {
        **written(suggestion.rule),
        "risk": suggestion.risk,
        "why": suggestion.why,
        "loses": suggestion.loses or "",
        "rows": suggestion.rows,
        "cells": suggestion.cells,
        "examples": plain(suggestion.examples[:_SHOWN]),
    }


def count(number: int, thing: str) -> str:
    """Return *number* with the name of what is counted: 1 row, 1,000 rows."""
    return f"{number:,} {thing}" if number == 1 else f"{number:,} {thing}s"


def in_words(types: str) -> str:
    """Return *types* with the names that the Type Converter has for them."""
    for pattern, name in _TYPES:
        types = re.sub(pattern, name, types)
    return types


def done(result: CleanResult, before: int, after: int, names: Sequence[str]) -> list[str]:
    """Return lines that tell what was done to how many rows and cells; the first is the sum.

    *names* are what the rules are called on the canvas.
    """
    cells = sum(entry.cells for entry in result.log)
    rows = count(before, "row") + ("" if before == after else f" in, {after:,} out")
    lines = [f"{rows}, {count(cells, 'cell')} changed"]
    lines += map(_entry, result.log)
    lines += (_fault(fault, names) for fault in result.faults)
    left = len(lines) - _LINES
    return lines if left <= 0 else [*lines[:_LINES], f"... and {left} more"]


def told(entry: LogEntry) -> str:
    """Return what an entry of the log says of a column, or of the rows."""
    if entry.column is None:
        return f"{entry.rows:,} {entry.note}" if entry.rows else entry.note
    cells = [f"{count(entry.cells, 'cell')} changed"] if entry.cells else []
    return ", ".join([*cells, *([in_words(entry.note)] if entry.note else [])])


def _entry(entry: LogEntry) -> str:
    column = f", {entry.column}" if entry.column else ""
    return f"{entry.action}{column}: {told(entry)}"


def _fault(fault: Fault, names: Sequence[str]) -> str:
    where = f"{fault.column} stays as it was" if fault.column else "nothing was done"
    who = names[fault.step - 1] if 0 < fault.step <= len(names) else "reading it"
    action = f" ({fault.action})" if fault.action and "(" not in who else ""
    return f"{where} in {who}{action}: {fault.why}"


def _column(column: ColumnProfile, insights: Sequence[str]) -> dict[str, Any]:
    from kozmo_bridge.cleaner.plain import plain

    figures, guess = column.statistics, column.guess
    kind = column.kind.value + (f" ({guess.unit or guess.format})" if _said(column) else "")
    share = 100 * figures.nulls / figures.cells if figures.cells else 0.0
    return {
        "column": column.label,
        "kind": kind,
        "type": in_words(column.dtype),
        "rows": figures.cells,
        "nulls_percent": round(share, 2),
        "distinct": figures.distinct,
        "min": _text(plain(figures.minimum)),
        "max": _text(plain(figures.maximum)),
        "faults": "; ".join(_faults(column)),
        "insights": " ".join(insights),
    }


def _said(column: ColumnProfile) -> bool:
    return bool(column.guess.unit or column.guess.format)


def _faults(column: ColumnProfile) -> list[str]:
    figures = column.statistics
    found = [column.fault] if column.fault else []
    if figures.disguised:
        words = ", ".join(f"'{word}'" for word in list(figures.disguised)[:_SHOWN])
        found.append(f"{sum(figures.disguised.values()):,} hidden gaps: {words}")
    if figures.empty:
        found.append(f"{figures.empty:,} blank")
    if figures.invalid:
        words = ", ".join(f"'{text[:40]}'" for text in column.guess.counter_examples[:_SHOWN])
        found.append(f"{figures.invalid:,} unfit{': ' if words else ''}{words}")
    if figures.outliers is not None and figures.outliers.cells:
        found.append(f"{figures.outliers.cells:,} outliers")
    if column.spellings:
        found.append(f"{len(column.spellings):,} spelt in several ways")
    return found


def _doubled(profile: Profile) -> str:
    rows = profile.relations.duplicate_rows
    return f"{count(rows, 'row')} as before" if rows else ""


def _text(value: Any) -> str | None:
    """Return a figure as text: numbers and dates stand in one column."""
    return None if value is None else str(value)[:80]
