"""Messages for map-kozmo-clean, and what becomes of them."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from typing import Any

from kozmo_bridge.cleaner.pipe.mapper import MapKozmoClean

TRIM = {"action": "trim_whitespace"}
PROPERTIES: dict[str, Any] = {
    "id": {"type": "integer"},
    "name": {"type": ["string", "null"], "maxLength": 20},
    "price": {"type": ["number", "null"]},
    "at": {"type": ["string", "null"], "format": "date-time"},
    "doc": {"type": ["object", "null"]},
}


def schema(properties: Any = PROPERTIES, stream: str = "o", keys: Sequence[str] = ("id",)) -> str:
    message = {
        "type": "SCHEMA", "stream": stream, "schema": {"properties": properties},
        "key_properties": list(keys),
    }  # fmt: skip
    return json.dumps(message)


def record(text: str, stream: str = "o") -> str:
    return f'{{"type":"RECORD","stream":"{stream}","record":{text}}}'


def state(value: Any) -> str:
    return json.dumps({"type": "STATE", "value": value})


def through(config: Any, *lines: str, before: Any = None) -> list[str]:
    """Return the lines that come out."""
    out = io.BytesIO()
    given = "".join(line + "\n" for line in lines).encode()
    MapKozmoClean(config).run(io.BytesIO(given), out, before or {})
    return out.getvalue().decode().split("\n")[:-1]


def records(lines: Sequence[str], stream: str = "o") -> list[Any]:
    messages = [json.loads(line) for line in lines]
    return [m["record"] for m in messages if m["type"] == "RECORD" and m["stream"] == stream]


def properties(lines: Sequence[str]) -> Any:
    return json.loads(lines[0])["schema"]["properties"]
