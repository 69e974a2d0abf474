"""Rows as text for prompts, and frames as one."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from kozmo_bridge.batch import Batch
from kozmo_bridge.components.canvas import DataFrame
from kozmo_bridge.components.streams import NOTE, STREAM, columns_by_stream
from kozmo_bridge.frames import typed_series
from kozmo_bridge.tables import framed
from kozmo_bridge.values import unique_names

_NULLABLE = {"i": "Int64", "u": "UInt64", "b": "boolean", "f": "Float64"}
"""What a column of numbers or truths is beside gaps, by the kind of its dtype."""


def text_of(batches: Sequence[Batch], template: str | None) -> str:
    """Return a line of *template* a row; without it a Markdown table for each stream."""
    if template:
        return "\n".join(row["text"] for batch in batches for row in batch.to_dicts(template))
    streams = dict.fromkeys(batch.stream for batch in batches)
    tables = []
    for stream in streams:
        parts = [batch for batch in batches if batch.stream == stream]
        head = f"### {stream}\n\n" if len(streams) > 1 else ""
        rows = [row for part in parts for row in part.to_dicts()]
        tables.append(head + markdown(rows, parts[0].names))
    return "\n\n".join(tables)


def markdown(rows: Sequence[dict[str, Any]], names: Sequence[str]) -> str:
    """Return *rows* as a Markdown table with the columns *names*."""
    lines = [_line(names), "|" + "---|" * len(names)]
    lines += [_line([row.get(name) for name in names]) for row in rows]
    return "\n".join(lines)


def joined(frames: Sequence[Any]) -> DataFrame:
    """Return *frames* one below the other; columns of the same name, as text, are one.

    What a frame lacks is missing, and beside it numbers are Int64 and Float64, truths boolean, as
    in our own frames: no digit is lost. The columns that each stream had are noted.
    """
    if len(frames) == 1:
        whole: DataFrame = frames[0]
        return whole
    if not frames:
        return DataFrame([])
    names: dict[str, Any] = {}
    parts: dict[str, list[tuple[int, Any]]] = {}
    own: dict[str, dict[str, None]] = {}
    rows = 0
    for frame in frames:
        for place, label in enumerate(unique_names(frame.columns)):
            names.setdefault(label, frame.columns[place])
            parts.setdefault(label, []).append((rows, frame.iloc[:, place]))
        for stream, labels in columns_by_stream(frame).items():
            own.setdefault(stream, {}).update(dict.fromkeys(labels))
        rows += len(frame)
    columns = (_column(found, rows) for found in parts.values())
    made = DataFrame(framed(list(names.values()), columns, rows))
    if STREAM in names:
        made.attrs[NOTE] = {stream: list(labels) for stream, labels in own.items()}
    return made


def _column(parts: Sequence[tuple[int, Any]], rows: int) -> Any:
    """Return a column of *rows* rows of *parts*, each with the row that it begins at."""
    import pandas as pd

    held = [series.set_axis(range(at, at + len(series))) for at, series in parts if len(series)]
    held = held or [parts[0][1]]
    kinds = [series.dtype.kind for series in held]
    numbers = not _NULLABLE.keys().isdisjoint(kinds)
    mixed = len({series.dtype for series in held}) > 1
    if numbers and mixed:
        held = [series.astype(object) for series in held]
    elif numbers and sum(map(len, held)) < rows:
        held = [series.astype(_NULLABLE[kinds[0]]) for series in held]
    whole = pd.concat(held).reindex(range(rows))
    if whole.dtype == object:
        whole = whole.where(whole.notna(), None)
    return typed_series(whole.tolist()) if numbers and mixed else whole


def _line(values: Sequence[Any]) -> str:
    return "| " + " | ".join(map(_cell, values)) + " |"


def _cell(value: Any) -> str:
    if value is None:
        return ""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text.replace("|", "\\|").replace("\r", "").replace("\n", "<br>")
