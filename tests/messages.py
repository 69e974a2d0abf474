"""Singer messages for tests, and a target's run in this process."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from kozmo_singer.wire import dumps
from kozmo_targets.target import Target

Message = dict[str, Any]
INTEGER = {"type": ["integer", "null"]}
TEXT = {"type": ["string", "null"]}
MOMENT = {"type": ["string", "null"], "format": "date-time"}
NUMBER = {"type": ["number", "null"]}


def schema(
    stream: str, properties: Mapping[str, Any], key: Sequence[str] = (), **root: Any
) -> Message:
    """Return a SCHEMA message; *root* goes to the root of the JSON Schema."""
    return {
        "type": "SCHEMA",
        "stream": stream,
        "schema": {"type": "object", "properties": dict(properties), **root},
        "key_properties": list(key),
    }


def full_table(stream: str, properties: Mapping[str, Any], key: Sequence[str] = ()) -> Message:
    """Return the SCHEMA message of a tap that reads whole tables."""
    return schema(stream, properties, key, **{"x-kozmo-replication-method": "FULL_TABLE"})


def record(stream: str, fields: Mapping[str, Any], version: int | None = None) -> Message:
    """Return a RECORD message."""
    message: Message = {"type": "RECORD", "stream": stream, "record": dict(fields)}
    return message if version is None else {**message, "version": version}


def records(
    stream: str, rows: Sequence[Mapping[str, Any]], version: int | None = None
) -> list[Message]:
    """Return a RECORD message for each row."""
    return [record(stream, row, version) for row in rows]


def state(value: Any) -> Message:
    """Return a STATE message."""
    return {"type": "STATE", "value": value}


def activate(stream: str, version: int) -> Message:
    """Return an ACTIVATE_VERSION message."""
    return {"type": "ACTIVATE_VERSION", "stream": stream, "version": version}


def lines(*messages: Message | Sequence[Message]) -> bytes:
    """Return messages, alone or in lists, as lines."""
    flat: list[Message] = []
    for message in messages:
        flat.extend([message] if isinstance(message, dict) else message)
    return b"".join(dumps(message) + b"\n" for message in flat)


def load(target: Target, *messages: Message | Sequence[Message]) -> list[Any]:
    """Run *target* on the messages and return the states that it told."""
    return load_bytes(target, lines(*messages))


def load_bytes(target: Target, data: bytes) -> list[Any]:
    """Run *target* on lines and return the states that it told."""
    out = io.BytesIO()
    target.run(io.BytesIO(data), out)
    return told(out.getvalue())


def told(out: bytes) -> list[Any]:
    """Return the states in what a target wrote."""
    return [json.loads(line, parse_float=Decimal) for line in out.split(b"\n") if line]
