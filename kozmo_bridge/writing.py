"""Writing what Python has to a target, as Singer lines through a pipe."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Any, NamedTuple

from kozmo_bridge.batch import Batch
from kozmo_bridge.convert import is_data, is_table
from kozmo_bridge.shapes import Shape, shape_of
from kozmo_runner import api
from kozmo_runner.api import Cancel
from kozmo_singer.errors import ConfigError, WriteError
from kozmo_singer.settings import did_you_mean
from kozmo_singer.wire.encode import RecordEncoder, schema_line
from kozmo_singer.wire.types import Column, to_schema

CHUNK_ROWS = 5_000


class Written(NamedTuple):
    """How a load went: its rows, the last state that the target gave out, its last log lines."""

    rows: int
    state: Any
    said: list[str]


def write(
    target: str,
    config: api.Config = None,
    data: Any = (),
    *,
    stream: str = "data",
    key_properties: Sequence[str] = (),
    schema: Mapping[str, Any] | None = None,
    cancel: Cancel | None = None,
) -> int:
    """Load *data* as *stream* into *target* and return the number of rows, once they are durable.

    *data* is a list of Data objects or dicts, a pandas, KozmoAI or Arrow table, a Batch, or
    an iterable of batches, whose streams keep their names and keys. Types come from *schema*, a
    JSON Schema, where it has the column; else from the table or the values. WriteError says why
    the target failed.
    """
    options: dict[str, Any] = {"stream": stream, "key_properties": key_properties}
    return load(target, config, data, schema=schema, cancel=cancel, **options).rows


def load(
    target: str,
    config: api.Config = None,
    data: Any = (),
    *,
    stream: str = "data",
    key_properties: Sequence[str] = (),
    schema: Mapping[str, Any] | None = None,
    cancel: Cancel | None = None,
) -> Written:
    """As `write`; what the target said comes back as well."""
    with api.feed(target, config, cancel=cancel) as feed:
        rows = send(feed, data, stream, key_properties, schema)
        return Written(rows, feed.state, feed.tail)


def send(
    feed: api.TargetFeed,
    data: Any,
    stream: str,
    key_properties: Sequence[str] = (),
    schema: Mapping[str, Any] | None = None,
) -> int:
    """Load *data*, which may be a Shape too, into a running target, finish it, and count the rows.

    Otherwise as `write`.
    """
    rows = 0
    try:
        for lines, count in _lines(data, stream, key_properties, schema):
            _send(feed, lines)
            rows += count
    except BrokenPipeError:
        # The target has ended; why it did is what counts.
        feed.finish()
        raise WriteError(f"{feed.name} ended before it had read everything") from None
    feed.finish()
    return rows


def _lines(
    data: Any, stream: str, keys: Sequence[str], schema: Mapping[str, Any] | None
) -> Iterator[tuple[bytes, int]]:
    """Pieces of Singer lines, each with the number of its rows."""
    if isinstance(data, Shape):
        yield from stream_lines(stream, data, keys)
        return
    if isinstance(data, Batch):
        data = [data]
    batches, data = _batches(data)
    if batches is None:
        yield from stream_lines(stream, shape_of(data, schema), keys)
        return
    told: dict[str, bytes] = {}
    for batch in batches:
        if not isinstance(batch, Batch):
            raise ConfigError(f"expected batches only, got {type(batch).__name__} among them")
        yield from stream_lines(batch.stream, shape_of(batch), keys or batch.key_properties, told)


def _batches(data: Any) -> tuple[Iterable[Any] | None, Any]:
    """*data* as an iterable of batches if it begins with one, else as it is."""
    if is_table(data) or is_data(data) or isinstance(data, Mapping | str | bytes):
        return None, data
    if not isinstance(data, Iterable):
        return None, data
    rest = iter(data)
    first = next(rest, None)
    if isinstance(first, Batch):
        return chain([first], rest), None
    if isinstance(data, Sequence):
        return None, data
    return None, [] if first is None else [first, *rest]


def stream_lines(
    stream: str, shape: Shape, keys: Sequence[str], told: dict[str, bytes] | None = None
) -> Iterator[tuple[bytes, int]]:
    """Yield pieces of the Singer lines of *shape*, each with the number of its rows.

    The schema comes first, unless *told* has it for the stream, which notes it.
    """
    told = {} if told is None else told
    names = [column.name for column in shape.columns]
    for key in keys:
        if key not in names:
            raise ConfigError(
                f"key property '{key}' is not a column of stream {stream}",
                *did_you_mean(key, names),
            )
    head = schema_line(stream, _schema(shape.columns), keys)
    if told.get(stream) != head:
        told[stream] = head
        yield head, 0
    encoder = RecordEncoder(stream, shape.columns)
    for start in range(0, len(shape.rows), CHUNK_ROWS):
        rows = shape.rows[start : start + CHUNK_ROWS]
        yield encoder.encode(rows), len(rows)


def _schema(columns: Sequence[Column]) -> dict[str, Any]:
    properties = {column.name: to_schema(column.type, column.nullable) for column in columns}
    return {"type": "object", "properties": properties}


def _send(feed: api.TargetFeed, lines: bytes) -> None:
    rest = memoryview(lines)
    while rest:
        rest = rest[feed.stdin.write(rest) :]
