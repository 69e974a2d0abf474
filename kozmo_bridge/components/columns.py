"""Columns to choose from: the rows of a table input, and what they leave out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from kozmo_bridge.batch import Batch
from kozmo_bridge.components.base import flag
from kozmo_bridge.components.tables import title
from kozmo_singer.errors import ConfigError
from kozmo_singer.wire import types
from kozmo_singer.wire.catalog import Stream

SAMPLE_CHARACTERS = 40
TABLE_SCHEMA = [
    {"name": "column", "display_name": "Column", "type": "text", "disable_edit": True},
    {"name": "read", "display_name": "Read", "type": "text", "edit_mode": "inline"},
    {"name": "type", "display_name": "Type", "type": "text", "disable_edit": True},
    {"name": "key", "display_name": "Key", "type": "text", "disable_edit": True},
    {"name": "sample", "display_name": "Sample", "type": "text", "disable_edit": True},
]
TABLE_OPTIONS = {
    "block_add": True,
    "block_delete": True,
    "description": "Write no under Read to leave a column out; those of the key are always read.",
}
"""How the host shows the rows of `column_rows`."""


def column_rows(
    stream: Stream, batch: Batch | None, before: Sequence[Mapping[str, Any]] = ()
) -> list[dict[str, str]]:
    """Return a row for each column of a table: whether it is read, name, type, key, sample.

    Those that are not read in *before* stay so; a column of the key is always read.
    """
    left_out = set(unread(before))
    samples = _samples(batch)
    found = []
    for name in stream.schema.get("properties") or {}:
        told = stream.metadata.get(("properties", name), {})
        key = name in stream.key_properties
        readable = told.get("inclusion") != "unsupported"
        found.append(
            {
                "column": name,
                "read": "yes" if key or (readable and name not in left_out) else "no",
                "type": str(told.get("sql-datatype") or _type(stream, name)),
                "key": "key" if key else "",
                "sample": samples.get(name, "") if readable else "(may not be read)",
            }
        )
    return found


def unread(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the columns that a table of columns leaves out."""
    return [str(row.get("column")) for row in rows if not flag(row.get("read", "yes"))]


def with_keys(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, str]]:
    """Return *rows* with the columns of the key read, and answers as words."""
    return [
        {**row, "read": "yes" if row.get("key") or flag(row.get("read", "yes")) else "no"}
        for row in rows
    ]


def chosen(stream: Stream, rows: Sequence[Mapping[str, Any]]) -> Stream:
    """Select *stream* in place, without the columns that *rows* leave out, and return it.

    Columns of the key stay, and so do those of which *rows* know nothing.
    """
    stream.root()["selected"] = True
    for name in unread(rows):
        if name in (stream.schema.get("properties") or {}) and name not in stream.key_properties:
            stream.metadata.setdefault(("properties", name), {})["selected"] = False
    if not stream.selected_columns():
        raise ConfigError(f"no column of {title(stream)} is to be read", "set one to 'yes'")
    return stream


def _type(stream: Stream, name: str) -> str:
    return next((c.type.name for c in types.columns(stream.schema) if c.name == name), "")


def _samples(batch: Batch | None) -> dict[str, str]:
    """The first value of each column that is one."""
    found: dict[str, str] = {}
    for row in batch.to_dicts() if batch is not None else ():
        for name, value in row.items():
            if value is not None and name not in found:
                found[name] = _cut(value if isinstance(value, str) else str(value))
    return found


def _cut(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= SAMPLE_CHARACTERS else line[: SAMPLE_CHARACTERS - 1] + "…"
