"""What a target has made of streams, told to whoever wants to compare.

A target with files of its own (capability read-back) writes Singer messages again. One whose system
a tap of ours reads (read-back-by-tap) names that tap, the settings that are the same for it, and
where each stream and column is to be found.
"""

from __future__ import annotations

import gzip
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

import msgspec

from kozmo_singer.errors import ReadError
from kozmo_singer.plugin import stopping
from kozmo_singer.wire.catalog import Stream
from kozmo_singer.wire.encode import dumps, schema_line
from kozmo_singer.wire.rows import REFUSED

CAPABILITY, BY_TAP = "read-back", "read-back-by-tap"
_PIECE = 1 << 20


class _Data(msgspec.Struct):
    data: msgspec.Raw


_DATA = msgspec.json.Decoder(_Data)


def write_lines(out: BinaryIO, stream: Stream, path: Path) -> None:
    """Write the records that are the lines of *path*, which may be absent, or gzipped as .gz."""
    _write(out, stream, stream.schema, lambda line: line, path)


def write_data(out: BinaryIO, stream: Stream, path: Path) -> None:
    """Write the records in the Data objects that are the lines of *path*."""
    properties = {
        name: {**schema, "contentEncoding": "base64"} if "contentEncoding" in schema else schema
        for name, schema in (stream.schema.get("properties") or {}).items()
    }
    schema = {**stream.schema, "properties": properties}
    _write(out, stream, schema, lambda line: bytes(_DATA.decode(line).data), path)


def _write(
    out: BinaryIO,
    stream: Stream,
    schema: dict[str, Any],
    record: Callable[[bytes], bytes],
    path: Path,
) -> None:
    out.write(schema_line(stream.stream, schema, []))
    head = b'{"type":"RECORD","stream":' + dumps(stream.stream) + b',"record":'
    try:
        for lines in _lines(path):
            out.write(b"".join([head + record(line) + b"}\n" for line in lines]))
            if stopping.requested:
                return
    except (OSError, EOFError, *REFUSED) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise ReadError(f"cannot read {path} back", why) from error


def _lines(path: Path) -> Iterator[list[bytes]]:
    if not path.exists():
        return
    with gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb") as file:
        while lines := file.readlines(_PIECE):
            yield [line.strip() for line in lines if line.strip()]
