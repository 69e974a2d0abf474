"""Stream maps and flattening: the SDK's mapper, applied to Singer lines one by one.

This is the slow path of taps and targets alike. What it gives are Singer lines again, so that
everything behind it is the same as without it.
"""

from __future__ import annotations

import io
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

import msgspec

from kozmo_singer.errors import ConfigError, KozmoError, MissingDriver, RecordError
from kozmo_singer.wire.decode import Reader
from kozmo_singer.wire.encode import activate_version_line, dumps, schema_line
from kozmo_singer.wire.messages import Batch
from kozmo_singer.wire.rows import REFUSED, parse
from kozmo_singer.wire.types import REPLICATION_METHOD, columns, resolve_refs

Files = Callable[[Batch, str], Iterator[tuple[Sequence[int], list[bytes]]]]
_log = logging.getLogger("kozmo_singer")


class Mapper:
    """Turns one line into the lines that take its place.

    *files* gives the RECORD lines in a file of a BATCH, and their numbers; without it such messages
    stay as they are.
    """

    def __init__(self, plugin: str, config: Mapping[str, Any], files: Files | None = None) -> None:
        self._files = files
        self._floats: dict[str, list[str]] = {}
        self._schemas: dict[str, dict[str, Any]] = {}
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

        A line that no map changes is given back as it is; there is none for one that is left out.
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
            return change(self, message, line)
        except KozmoError:
            raise
        except Exception as error:
            raise RecordError(
                f"the stream map failed: {error}",
                stream=message["stream"],
                line=number,
                of_record=False,
            ) from error

    def _schema(self, message: dict[str, Any], line: bytes) -> bytes:
        stream, schema = message["stream"], message.get("schema")
        keys, bookmarks = message.get("key_properties"), message.get("bookmark_properties") or ()
        if not isinstance(schema, dict) or not isinstance(schema.get("properties"), dict):
            return line
        schema = resolve_refs(schema)
        self._schemas[stream] = schema
        self._floats[stream] = [c.name for c in columns(schema) if c.type.name == "float"]
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
        for name in self._floats[message["stream"]]:
            # Expressions such as ratio * 1.5 work on floats; all other numbers stay exact.
            if isinstance(record.get(name), Decimal):
                record[name] = float(record[name])
        spelt = _spelt(line)
        lines = []
        for each in self._maps(message["stream"]):
            new = each.transform(dict(record))
            if new is not None:
                kept = {
                    name: spelt[name] if name in spelt and value is record[name] else value
                    for name, value in new.items()
                }
                lines.append(
                    dumps({**message, "stream": each.stream_alias, "record": kept}) + b"\n"
                )
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
        if self._files is None or stream not in self._mapper.stream_maps:
            return line
        schema = schema_line(stream, self._schemas[stream], [])
        batches = [m for m in Reader(io.BytesIO(schema + line)) if isinstance(m, Batch)]
        return b"".join(
            self._record(parse(record, number, stream), record + b"\n")
            for batch in batches
            for url in batch.manifest
            for numbers, lines in self._files(batch, url)
            for number, record in zip(numbers, lines, strict=True)
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


class _Spelt(msgspec.Struct):
    record: dict[str, msgspec.Raw]


_SPELT = msgspec.json.Decoder(_Spelt)


def _spelt(line: bytes) -> dict[str, msgspec.Raw]:
    """The values of a record as the tap spelt them, for those that no map touches."""
    try:
        return _SPELT.decode(line).record
    except REFUSED:
        return {}
