"""Rows as text for prompts, and frames as one."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from kozmo_bridge.batch import Batch
from kozmo_bridge.components.canvas import DataFrame


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
    """Return *frames* one below the other."""
    if len(frames) == 1:
        whole: DataFrame = frames[0]
        return whole
    if not frames:
        return DataFrame([])
    import pandas as pd

    return DataFrame(pd.concat(frames, ignore_index=True))


def _line(values: Sequence[Any]) -> str:
    return "| " + " | ".join(map(_cell, values)) + " |"


def _cell(value: Any) -> str:
    if value is None:
        return ""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text.replace("|", "\\|").replace("\r", "").replace("\n", "<br>")
