"""Ranges of a primary key: what is left of a full table, and where a large one can be cut.

A range is {"after": key, "until": key} and holds the rows with after < key <= until; null is no
bound. Ranges that were cut from one another hold each row exactly once, wherever the cuts are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import msgspec

from kozmo_taps.sql.relation import DbColumn, Relation

if TYPE_CHECKING:
    from kozmo_taps.sql.engine import Connection
    from kozmo_taps.sql.reading import Condition, Dialect

Range = dict[str, Any]
WHOLE: Range = {"after": None, "until": None}


def steady(relation: Relation, columns: Mapping[str, DbColumn]) -> list[DbColumn]:
    """Return the primary key, if rows can be read in its order and gone on from; else nothing."""
    keys = [columns.get(name) for name in relation.keys]
    found = [key for key in keys if key is not None and key.not_null and key.orders]
    return found if len(found) == len(keys) else []


def left(mark: Mapping[str, Any] | None, keys: Sequence[DbColumn]) -> list[Range]:
    """Return what the bookmark *mark* leaves of a table; all of it if it is of another key."""
    if not mark or not keys or mark.get("key") != [key.name for key in keys]:
        return [WHOLE]
    ranges = mark.get("ranges")
    if isinstance(ranges, list):
        return [{"after": each.get("after"), "until": each.get("until")} for each in ranges]
    return [{"after": mark.get("last") or None, "until": None}]


def marked(ranges: Sequence[Range], keys: Sequence[DbColumn]) -> dict[str, Any] | None:
    """Return the bookmark that leaves *ranges*; None where that is all of the table, or nothing."""
    if not ranges or list(ranges) == [WHOLE]:
        return None
    mark: dict[str, Any] = {"key": [key.name for key in keys]}
    if len(ranges) == 1 and ranges[0]["until"] is None:
        return {**mark, "last": ranges[0]["after"]}
    return {**mark, "ranges": list(ranges)}


def within(dialect: Dialect, keys: Sequence[DbColumn], span: Range) -> list[Condition]:
    """Return the conditions that leave the rows of *span*."""
    names = ", ".join(dialect.quote(key.name) for key in keys)
    values = ", ".join(key.parameter for key in keys)
    bounds = ((">", span["after"]), ("<=", span["until"]))
    return [(f"({names}) {sign} ({values})", bound) for sign, bound in bounds if bound]


def cut(
    connection: Connection,
    relation: Relation,
    keys: Sequence[DbColumn],
    mark: Mapping[str, Any] | None,
    parts: int,
) -> dict[str, Any]:
    """Return what *mark* leaves as about *parts* ranges of the same size, and its rows, about."""
    found = []
    for span in left(mark, keys):
        some, rows = connection.sample(relation, keys, within(connection, keys, span))
        found.append((span, [list(map(wire, key)) for key in some], rows))
    total = max(1, sum(rows for _, _, rows in found))
    ranges = [
        each
        for span, some, rows in found
        for each in _split(span, some, max(1, round(parts * rows / total)))
    ]
    return {"key": [key.name for key in keys], "rows": total, "ranges": ranges}


def _split(span: Range, some: Sequence[list[Any]], pieces: int) -> list[Range]:
    """Cut *span* into *pieces* at some of its keys, which come in order and hardly ever too few."""
    pieces = min(pieces, len(some) + 1)
    cuts = [some[number * len(some) // pieces] for number in range(1, pieces)]
    return [
        {"after": after, "until": until}
        for after, until in pairwise([span["after"], *cuts, span["until"]])
    ]


def wire(value: Any) -> Any:
    """Return *value* of a row as a state can keep it: a number, or text for all that is exact."""
    if isinstance(value, msgspec.Raw):
        return str(bytes(value), "utf-8")
    if isinstance(value, bool | int | float | str) or value is None:
        return value
    return msgspec.to_builtins(value)
