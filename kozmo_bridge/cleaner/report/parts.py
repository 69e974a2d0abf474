"""What the page shows beside the columns: insights, relations, suggestions, the sample."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from kozmo_bridge.cleaner.model import Insight, Profile, Relations, Suggestion
from kozmo_bridge.cleaner.report import charts, visible
from kozmo_bridge.cleaner.report.notes import severity
from kozmo_bridge.cleaner.report.visible import Html
from kozmo_runner import words

CORRELATED = 24
"""Columns in the heat map; where there are more, those that go together most."""
PAIRS = 8
LISTED = 40
"""Keys, dependencies and rows of the missing matrix that are shown."""
SAMPLED_ROWS, SAMPLED_COLUMNS = 20, 200
EXAMPLES = 4
LONGEST_RULE = 10_000
"""Characters of a rule that is shown."""
Link = tuple[str, str]
"""The address of a column in the page, and its name; the address is empty where it has none."""


@dataclass(frozen=True)
class Links:
    """Finds a column in the page by its label."""

    places: dict[str, str]

    @classmethod
    def of(cls, profile: Profile) -> Links:
        """Return the links to all columns of *profile*."""
        return cls({column.label: f"c{column.position}" for column in profile.columns})

    def to(self, labels: Sequence[str], limit: int = 8) -> list[Link]:
        """Return links to *labels*, at most *limit*."""
        return [(self.places.get(label, ""), visible.line(label, 40)) for label in labels[:limit]]


def overview(profile: Profile) -> list[tuple[str, str, str]]:
    """Return the figures of the table: a name, a figure, a remark."""
    cells = sum(column.statistics.cells for column in profile.columns)
    missing = sum(column.statistics.missing for column in profile.columns)
    disguised = sum(sum(column.statistics.disguised.values()) for column in profile.columns)
    made = [
        ("Rows", f"{profile.rows:,}", ""),
        ("Columns", f"{len(profile.columns):,}", ""),
        ("Missing", visible.share(missing, cells), f"{disguised:,} disguised" if disguised else ""),
        ("Duplicate rows", *_duplicates(profile)),
    ]
    faults = sum(column.fault is not None for column in profile.columns)
    if profile.memory:
        made.append(("Memory", words.size(profile.memory), ""))
    if faults:
        made.append(("Faults", f"{faults:,}", "seen in part"))
    return made


def _duplicates(profile: Profile) -> tuple[str, str]:
    amount = profile.relations.duplicate_rows
    if amount is None:
        return "–", "too many rows to tell"
    return f"{amount:,}", visible.share(amount, profile.rows) if amount else ""


def kinds(profile: Profile) -> list[tuple[str, str, int]]:
    """Return the kinds that occur, the most frequent first: name, words, columns."""
    counts = Counter(column.kind for column in profile.columns)
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0].value))
    return [(kind.value, visible.kind(kind), count) for kind, count in ordered]


def insights(profile: Profile, links: Links) -> list[dict[str, Any]]:
    """Return the insights, what matters most first."""

    def shown(insight: Insight) -> dict[str, Any]:
        return {
            "text": visible.sentence(insight.text),
            "level": severity(insight.weight),
            "columns": links.to(insight.columns, 6),
            "more": max(0, len(insight.columns) - 6),
        }

    return [shown(i) for i in sorted(profile.insights, key=lambda i: -i.weight)]


def missing(profile: Profile, links: Links) -> dict[str, Any]:
    """Return the rows of the missing matrix: the columns that lack values, in their order."""
    lacking = [c for c in profile.columns if c.statistics.nulls]
    shown = sorted(lacking, key=lambda c: -c.statistics.nulls)[:LISTED]
    rows = [
        {
            "link": links.to([column.label])[0],
            "strip": charts.strip(column) if column.gap_pattern else "",
            "share": visible.share(column.statistics.nulls, column.statistics.cells),
            "cells": f"{column.statistics.nulls:,}",
        }
        for column in sorted(shown, key=lambda c: c.position)
    ]
    return {
        "rows": rows,
        "more": len(lacking) - len(rows),
        "complete": len(profile.columns) - len(lacking),
    }


def correlation(relations: Relations) -> dict[str, Any]:
    """Return the heat map and the pairs that go together most; no labels where there is none."""
    table, labels = relations.correlation, relations.correlated
    everyone = range(len(labels))
    strength = {i: max((abs(table[i][j] or 0) for j in everyone if j != i), default=0.0)
                for i in everyone}  # fmt: skip
    kept = sorted(sorted(everyone, key=lambda i: (-strength[i], i))[:CORRELATED])
    pairs = [(table[i][j] or 0.0, i, j) for i, j in combinations(everyone, 2)]
    strong = sorted((p for p in pairs if abs(p[0]) >= 0.3), key=lambda p: (-abs(p[0]), p[1:]))
    return {
        "labels": [visible.line(labels[i], 32) for i in kept],
        "rows": [
            (visible.line(labels[i], 32), [_shade(table[i][j], i == j) for j in kept]) for i in kept
        ],
        "pairs": [
            (
                f"{r:+.2f}".replace("-", "−"),
                visible.line(labels[i], 40),
                visible.line(labels[j], 40),
            )
            for r, i, j in strong[:PAIRS]
        ],
        "left_out": len(labels) - len(kept),
    }


def _shade(value: float | None, same: bool) -> tuple[str, str]:
    """Return the class and the text of a cell of the heat map: ten shades to each side."""
    if same:
        return "same", ""
    if value is None or value != value:
        return "none", "–"
    step = min(10, round(abs(value) * 10))
    text = f"{value:.2f}".replace("0.", ".", 1).replace("-", "−").removesuffix(".00")
    return (f"{'p' if value > 0 else 'n'}{step}" if step else "zero"), text or "0"


def suggestion(each: Suggestion, number: int, links: Links) -> dict[str, Any]:
    """Return a suggestion as the template takes it."""
    about = "" if each.exact else "about "
    rows, cells = visible.counted(each.rows, "row"), visible.counted(each.cells, "cell")
    return {
        "number": number,
        "title": _capital(visible.action(each.rule.action)),
        "risk": each.risk,
        "columns": links.to(each.rule.columns, 6),
        "more": max(0, len(each.rule.columns) - 6),
        "changes": f"{about}{cells} in {rows}" if each.cells else f"{about}{rows}",
        "why": visible.sentence(each.why),
        "confidence": visible.share(each.confidence),
        "loses": visible.sentence(each.loses) if each.loses else "",
        "examples": [tuple(map(visible.marked, pair)) for pair in each.examples[:EXAMPLES]],
        "json": _json(each),
    }


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _json(each: Suggestion) -> str:
    """Return the rule to copy; nothing where it is too long for a page, since a part is no rule."""
    written = visible.rule_json(each.rule.to_dict())
    return written if len(written) <= LONGEST_RULE else ""


def rules_json(suggestions: Sequence[Suggestion]) -> str:
    """Return the safe ones of *suggestions* as a list of rules, without those that are too long."""
    safe = list(filter(None, (_json(each) for each in suggestions if each.risk == "safe")))
    return "[\n  " + ",\n  ".join(safe) + "\n]" if safe else "[]"


def sample(profile: Profile) -> dict[str, Any]:
    """Return the first rows and the names above them."""
    columns = profile.columns[:SAMPLED_COLUMNS]
    return {
        "labels": [visible.marked(column.label, 40) for column in columns],
        "rows": [
            [_cell(value) for value in row[:SAMPLED_COLUMNS]]
            for row in profile.sample[:SAMPLED_ROWS]
        ],
        "left_out": len(profile.columns) - len(columns),
    }


def _cell(value: str | None) -> Html:
    return visible.marked(value, 60)
