"""What the commands print: progress, suggestions, and what was changed."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from kozmo_runner.commands.options import print_table
from kozmo_runner.words import cell, number

if TYPE_CHECKING:
    from kozmo_bridge.cleaner.model import Suggestion


@contextmanager
def progress(title: str) -> Iterator[Callable[[int], None]]:
    """Give what is told how many rows were read; shown on a terminal, and nowhere else."""
    if not sys.stderr.isatty():
        yield lambda rows: None
        return
    from rich.console import Console

    console = Console(stderr=True, highlight=False)
    with console.status(title) as status:
        yield lambda rows: status.update(f"{title}: {number(rows)} rows")


def suggestions(found: Sequence[Suggestion]) -> None:
    """Print what could be done: to what, to how much, at which risk, and why."""
    rows = []
    for place, each in enumerate(found, 1):
        about = "" if each.exact else "~"
        changed = each.cells or each.rows
        example = "; ".join(f"{_shown(a)} -> {_shown(b)}" for a, b in each.examples[:2])
        rows.append(
            [
                str(place),
                each.risk,
                each.rule.action,
                cell(", ".join(each.rule.columns), 30),
                f"{about}{number(changed)}",
                example or cell(each.why, 60),
            ]
        )
    print_table(["", "risk", "action", "columns", "changes", "for example"], rows, [0, 4])


def changes(log: Sequence[Mapping[str, Any]]) -> None:
    """Print what was changed, a line to a rule and column."""
    rows = []
    for each in log:
        was = [f"{_shown(a)} -> {_shown(b)}" for a, b, _ in each["was"][:2]]
        what = each.get("note") or ""
        amount = each["cells"] or each["rows"]
        rows.append(
            [
                str(each["step"]),
                each["action"],
                cell(each["column"] or "all rows", 30),
                number(amount),
                cell("; ".join([*([what] if what else []), *was]), 70),
            ]
        )
    if rows:
        print_table(["", "action", "column", "changes", "what"], rows, [0, 3])


def _shown(value: Any) -> str:
    return "null" if value is None else cell(repr(value) if isinstance(value, str) else value, 24)
