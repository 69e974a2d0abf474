"""Which stream each row is of, in rows of several."""

from __future__ import annotations

from itertools import chain
from typing import Any

from kozmo_bridge.frames import series_list
from kozmo_bridge.values import native, unique_names

STREAM = "_stream"
"""The column that says which stream a row is of, where there are several."""
DEFAULT_STREAM = "data"
"""The stream of rows that do not say it."""
NOTE = "kozmo_columns"
"""Where the attrs of a frame have the columns of each stream, which pandas and the cleaner keep."""


def stream_of(value: Any) -> str:
    """Return the stream that a cell of the column STREAM names."""
    return str(native(value) or DEFAULT_STREAM)


def streams_in(frame: Any) -> list[str]:
    """Return the stream of each row."""
    names = list(frame.columns)
    if STREAM not in names:
        return [DEFAULT_STREAM] * len(frame)
    return list(map(stream_of, series_list(frame.iloc[:, names.index(STREAM)])))


def columns_by_stream(frame: Any) -> dict[str, list[str]]:
    """Return the names, as unique texts, of the columns that each stream has.

    That is what the frame has noted; a stream without a note may have every column, and all of
    them have a column that no note names. Then nothing is taken for another stream's.
    """
    noted: dict[str, list[str]] = frame.attrs.get(NOTE, {})
    known = set(chain.from_iterable(noted.values()))
    names = unique_names(frame.columns)
    # The columns of an empty frame are those of no stream that has rows.
    streams = dict.fromkeys([*noted, *streams_in(frame)]) or [""]
    return {
        stream: [name for name in names if name not in known or name in noted.get(stream, names)]
        for stream in streams
    }


def by_stream(frame: Any) -> list[tuple[str, Any]]:
    """Return the rows of each stream, without STREAM and the empty columns of other streams."""
    rows: dict[str, list[int]] = {}
    for row, stream in enumerate(streams_in(frame)):
        rows.setdefault(stream, []).append(row)
    own, labels = columns_by_stream(frame), unique_names(frame.columns)
    parts = []
    for stream, taken in rows.items():
        part = frame.iloc[taken]
        kept = [
            place
            for place, (name, label) in enumerate(zip(frame.columns, labels, strict=True))
            if name != STREAM and (label in own[stream] or part.iloc[:, place].notna().any())
        ]
        parts.append((stream, part.iloc[:, kept]))
    return parts
