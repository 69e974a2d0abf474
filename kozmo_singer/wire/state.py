"""The value of STATE messages: bookmarks by stream, in the shape that taps of all kinds share."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

State = dict[str, Any]


def bookmark(state: Mapping[str, Any], stream: str) -> dict[str, Any]:
    """Return a copy of where *stream* stopped last time; empty if it never ran."""
    found = (state.get("bookmarks") or {}).get(stream)
    return copy.deepcopy(found) if isinstance(found, dict) else {}


def carried(before: Mapping[str, Any], after: Mapping[str, Any]) -> State:
    """Return *after* with the bookmarks of *before* whose streams it does not speak of.

    A stream's own bookmark is replaced as a whole: what a tap took out of it, such as the place in
    an interrupted full table, must not come back. `currently_syncing` belongs to one run.
    """
    joined = {name: value for name, value in before.items() if name != "currently_syncing"}
    joined |= after
    for name in ("bookmarks", "versions", "activate_versions"):
        older, newer = before.get(name), after.get(name)
        if isinstance(older, Mapping) and isinstance(newer, Mapping):
            joined[name] = {**older, **newer}
    return joined


def merge(older: Any, newer: Any) -> Any:
    """Return *newer* laid over *older*: maps merge key by key, partitions by their context.

    Any other value of *newer* replaces the older one.
    """
    if not isinstance(older, dict) or not isinstance(newer, dict):
        return copy.deepcopy(newer)
    merged = copy.deepcopy(older)
    for key, value in newer.items():
        if key == "partitions" and isinstance(value, list) and isinstance(older.get(key), list):
            merged[key] = _merge_partitions(older[key], value)
        else:
            merged[key] = merge(older.get(key), value)
    return merged


def _merge_partitions(older: list[Any], newer: list[Any]) -> list[Any]:
    merged = copy.deepcopy(older)
    for partition in newer:
        context = partition.get("context") if isinstance(partition, dict) else None
        places = [i for i, old in enumerate(merged) if context and old.get("context") == context]
        if places:
            merged[places[0]] = copy.deepcopy(partition)
        else:
            merged.append(copy.deepcopy(partition))
    return merged
