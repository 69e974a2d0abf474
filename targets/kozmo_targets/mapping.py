"""Stream maps and flattening: the SDK's mapper, applied to the input line by line.

This is the slow path. What it gives back are Singer lines, so that everything behind it is the
same as for a tap that sends them like this.
"""

from __future__ import annotations

import io
import logging
import os
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any, BinaryIO

from kozmo_singer.errors import ConfigError, KozmoError, MissingDriver, RecordError
from kozmo_singer.wire.decode import Reader
from kozmo_singer.wire.encode import activate_version_line, dumps, schema_line
from kozmo_singer.wire.messages import Batch
from kozmo_singer.wire.rows import parse
from kozmo_singer.wire.types import REPLICATION_METHOD, resolve_refs
from kozmo_targets.batch import record_lines

_CHUNK = 1 << 18
_log = logging.getLogger("kozmo_targets")


@contextmanager
def mapped(
    plugin: str, config: Mapping[str, Any], source: int | BinaryIO
) -> Iterator[tuple[int, Callable[[], None]]]:
    """Give a file descriptor that reads the mapped lines of *source*.

    The function beside it raises, once the lines have ended, what went wrong on the way.
    """
    mapper = Mapper(plugin, config)
    reading, writing = os.pipe()
    faults: list[Exception] = []

    def pump() -> None:
        try:
            with os.fdopen(writing, "wb", _CHUNK) as pipe:
                for number, line in enumerate(_lines(source, pipe.flush), 1):
                    pipe.write(mapper.line(line, number))
        except BrokenPipeError:
            return
        except Exception as error:  # noqa: BLE001 - carried over to the thread that loads
            faults.append(error)

    def expect_end() -> None:
        # The thread has closed its end of the pipe and is about to be done.
        thread.join()
        for fault in faults:
            raise fault

    thread = threading.Thread(target=pump, name="stream-maps", daemon=True)
    thread.start()
    try:
        yield reading, expect_end
    finally:
        os.close(reading)


class Mapper:
    """Turns one line of input into the lines that take its place."""

    def __init__(self, plugin: str, config: Mapping[str, Any]) -> None:
        try:
            from singer_sdk.exceptions import ConfigValidationError, StreamMapConfigError
            from singer_sdk.mapper import PluginMapper
        except ImportError as error:
            raise MissingDriver(plugin, "singer-sdk", "sdk") from error
        known = {
            name: dict(value) if isinstance(value, dict) else value
            for name, value in config.items()
            if value is not None
        }
        try:
            self._mapper = PluginMapper(known, _log)
        except ConfigValidationError as error:
            raise ConfigError("flattening is not set up", *error.errors) from error
        except StreamMapConfigError as error:
            raise ConfigError("the setting stream_maps cannot be understood", str(error)) from error

    def line(self, line: bytes, number: int) -> bytes:
        """Return the lines for *line*, which is number *number* of the input.

        A line that no map changes is given back as it is; one that is left out becomes an empty
        one, so that numbers of lines stay right.
        """
        try:
            message = parse(line, number)
        except RecordError:
            # The reader of the result says it with the same words.
            return line
        kind = str(message.get("type")).upper()
        change = _CHANGES.get(kind)
        if change is None or not isinstance(message.get("stream"), str):
            return line
        try:
            return change(self, message, line) or b"\n"
        except KozmoError:
            raise
        except Exception as error:
            raise RecordError(
                f"the stream map failed: {error}", stream=message["stream"], line=number
            ) from error

    def _schema(self, message: dict[str, Any], line: bytes) -> bytes:
        stream, schema = message["stream"], message.get("schema")
        keys, bookmarks = message.get("key_properties"), message.get("bookmark_properties") or ()
        if not isinstance(schema, dict) or not isinstance(schema.get("properties"), dict):
            return line
        schema = resolve_refs(schema)
        self._mapper.register_raw_stream_schema(stream, schema, keys)
        lines = []
        for each in self._maps(stream):
            new = dict(each.transformed_schema)
            if REPLICATION_METHOD in schema:
                new[REPLICATION_METHOD] = schema[REPLICATION_METHOD]
            new_keys = list(each.transformed_key_properties or ())
            lines.append(schema_line(each.stream_alias, new, new_keys, bookmarks))
        return b"".join(lines)

    def _record(self, message: dict[str, Any], line: bytes) -> bytes:
        record = message.get("record")
        if message["stream"] not in self._mapper.stream_maps or not isinstance(record, dict):
            return line
        lines = []
        for each in self._maps(message["stream"]):
            new = each.transform(dict(record))
            if new is not None:
                lines.append(dumps({**message, "stream": each.stream_alias, "record": new}) + b"\n")
        return b"".join(lines)

    def _activate_version(self, message: dict[str, Any], line: bytes) -> bytes:
        version = message.get("version")
        if not isinstance(version, int) or message["stream"] not in self._mapper.stream_maps:
            return line
        aliases = [each.stream_alias for each in self._maps(message["stream"])]
        return b"".join(activate_version_line(alias, version) for alias in aliases)

    def _batch(self, message: dict[str, Any], line: bytes) -> bytes:
        """Put the records of the files in the place of the message."""
        stream = message["stream"]
        if stream not in self._mapper.stream_maps:
            return line
        schema = schema_line(stream, {"type": "object", "properties": {}}, [])
        batches = [m for m in Reader(io.BytesIO(schema + line)) if isinstance(m, Batch)]
        return b"".join(
            self._record(parse(record, number, stream), record + b"\n")
            for batch in batches
            for url in batch.manifest
            for lines in record_lines(batch, url)
            for number, record in enumerate(lines, 1)
        )

    def _maps(self, stream: str) -> list[Any]:
        from singer_sdk.mapper import RemoveRecordTransform

        maps = self._mapper.stream_maps[stream]
        return [each for each in maps if not isinstance(each, RemoveRecordTransform)]


_CHANGES: dict[str, Callable[[Mapper, dict[str, Any], bytes], bytes]] = {
    "SCHEMA": Mapper._schema,
    "RECORD": Mapper._record,
    "ACTIVATE_VERSION": Mapper._activate_version,
    "BATCH": Mapper._batch,
}


def _lines(source: int | BinaryIO, pause: Callable[[], None]) -> Iterator[bytes]:
    """Yield whole lines, and the rest without a newline; call *pause* before each read."""
    rest = b""
    while True:
        with suppress(BrokenPipeError):
            pause()
        chunk = os.read(source, _CHUNK) if isinstance(source, int) else source.read(_CHUNK)
        if not chunk:
            break
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            yield line + b"\n"
    if rest:
        yield rest
