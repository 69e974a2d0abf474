"""What a glance at files tells: their streams in words, and their columns with samples."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from kozmo_bridge.calls import aread
from kozmo_bridge.components.base import flag
from kozmo_bridge.components.stores import FORMATS
from kozmo_runner import api
from kozmo_singer.errors import ConfigError
from kozmo_singer.settings import did_you_mean
from kozmo_singer.wire.catalog import Catalog, Stream
from kozmo_singer.wire.types import LogicalType, columns

SAMPLE_ROWS = 200
SAMPLED_STREAMS = 20
"""Of more streams than that, the columns have no samples."""
MOST_COLUMNS = 2000
"""Of more columns than that, none is listed, and all are read."""
_SAMPLE_LETTERS = 60
_TOLD = 20
_LABELS = {each.word: each.label for each in FORMATS}


@dataclass
class Glance:
    """The streams that files make, and the first rows of each by its name."""

    catalog: Catalog
    samples: dict[str, list[dict[str, Any]]] = field(default_factory=dict)

    @property
    def names(self) -> list[str]:
        """The names of the streams."""
        return [stream.tap_stream_id for stream in self.catalog.streams]

    @property
    def formats(self) -> list[str]:
        """The formats of the files, by the tap's words."""
        return list(dict.fromkeys(_about(each, "format", "") for each in self.catalog.streams))

    def __str__(self) -> str:
        streams = self.catalog.streams
        if len(streams) == 1:
            return "\n".join(_facts(streams[0]))
        told = [f"{each.tap_stream_id}: {', '.join(_facts(each))}" for each in streams[:_TOLD]]
        more = len(streams) - len(told)
        kinds = ", ".join(dict.fromkeys(map(_format, streams)))
        head = f"{len(streams):,} streams of {kinds}"
        return "\n".join([head, *told, *([f"and {more:,} more"] if more else [])])


async def glance(tap: str, config: Mapping[str, Any], *, samples: bool = True) -> Glance:
    """Return what *tap* finds; with *samples* it reads the first rows, too."""
    found = Glance(await api.adiscover(tap, config))
    if samples and len(found.names) <= SAMPLED_STREAMS:
        reading = aread(
            tap,
            config,
            catalog=found.catalog.to_dict(),
            limit=SAMPLE_ROWS,
            batch_rows=SAMPLE_ROWS,
        )
        async with reading:
            async for batch in reading:
                found.samples.setdefault(batch.stream, []).extend(batch.to_dicts())
    return found


def column_rows(found: Glance, before: Sequence[Mapping[str, Any]] = ()) -> list[dict[str, Any]]:
    """Return a row for each column: whether it is read, its name, its type, a sample.

    What the user has set in the rows of *before* stays.
    """
    kept = {(row.get("stream"), row.get("column")): row for row in before}
    rows = []
    for stream in found.catalog.streams:
        sample = found.samples.get(stream.tap_stream_id, [])
        for column in columns(stream.schema):
            was = kept.get((stream.tap_stream_id, column.name), {})
            rows.append(
                {
                    "column": column.name,
                    "read": "yes" if flag(was.get("read", "yes")) else "no",
                    "type": _type(column.type),
                    "read_as": str(was.get("read_as") or ""),
                    "sample": _sample(column.name, sample),
                    "stream": stream.tap_stream_id,
                }
            )
    return rows


def selection(
    catalog: Catalog, streams: Sequence[str], rows: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    """Return *catalog* with only *streams* selected, all if none are named, without the columns
    that *rows* leave out.
    """
    known = [stream.tap_stream_id for stream in catalog.streams]
    for name in streams:
        if name not in known:
            raise ConfigError(
                f"there is no stream '{name}' in the files any more",
                *did_you_mean(name, known),
                "press Preview to see those that are there",
            )
    out = left_out(rows)
    for stream in catalog.streams:
        chosen = not streams or stream.tap_stream_id in streams
        stream.root()["selected"] = chosen
        for column in stream.schema.get("properties") or {}:
            taken = (stream.tap_stream_id, column) not in out
            stream.metadata.setdefault(("properties", column), {})["selected"] = taken
    return catalog.to_dict()


def left_out(rows: Sequence[Mapping[str, Any]]) -> set[tuple[str, str]]:
    """Return the columns that *rows* leave out, with their streams."""
    return {
        (str(row.get("stream")), str(row.get("column")))
        for row in rows
        if not flag(row.get("read", "yes"))
    }


def retyped(rows: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """Return the types that the user wants columns to have, by their names."""
    types = {str(row.get("column")): row.get("read_as") for row in rows}
    return {name: type.strip() for name, type in types.items() if isinstance(type, str) and type}


def _facts(stream: Stream) -> list[str]:
    """What there is to say of a stream, the chief things first."""
    kind, rows = _format(stream), stream.row_count
    count = [] if rows is None else [f"about {_counted(rows, 'row')}"]
    files = _counted(_about(stream, "files", 1), "file")
    how = _about(stream, "read-as", "").removeprefix(kind).lstrip(", ")
    return [
        ", ".join([kind, _counted(_width(stream), "column"), *count]),
        f"{files}, {_size(_about(stream, 'bytes', 0))}",
        *([f"read as {how}"] if how else []),
    ]


def _about(stream: Stream, name: str, default: Any) -> Any:
    return stream.root().get(name, default)


def _format(stream: Stream) -> str:
    word = str(_about(stream, "format", ""))
    return _LABELS.get(word, word)


def _width(stream: Stream) -> int:
    return len(stream.schema.get("properties") or {})


def _type(type: LogicalType) -> str:
    if type.precision is not None:
        return f"{type.name}({type.precision},{type.scale or 0})"
    return type.name


def _sample(column: str, rows: Sequence[Mapping[str, Any]]) -> str:
    for row in rows:
        value = row.get(column)
        if value not in (None, ""):
            text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
            return text if len(text) <= _SAMPLE_LETTERS else f"{text[: _SAMPLE_LETTERS - 1]}…"
    return ""


def _counted(number: int, what: str) -> str:
    return f"{number:,} {what}" + ("s" if number != 1 else "")


def _size(count: int) -> str:
    size = float(count)
    for unit in ("bytes", "kB", "MB", "GB"):
        if size < 1000:
            return f"{size:.3g} {unit}"
        size /= 1000
    return f"{size:.3g} TB"
