"""Which stream each row is of, in rows of several."""

from __future__ import annotations

from typing import Any

from kozmo_bridge.frames import series_list
from kozmo_bridge.values import native

STREAM = "_stream"
"""The column that says which stream a row is of, where there are several."""
DEFAULT_STREAM = "data"
"""The stream of rows that do not say it."""


def stream_of(value: Any) -> str:
    """Return the stream that a cell of the column STREAM names."""
    return str(native(value) or DEFAULT_STREAM)


def streams_in(frame: Any) -> list[str]:
    """Return the stream of each row."""
    names = list(frame.columns)
    if STREAM not in names:
        return [DEFAULT_STREAM] * len(frame)
    return list(map(stream_of, series_list(frame.iloc[:, names.index(STREAM)])))
