"""What a Singer stream is made of, once read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from kozmo_singer.wire.rows import Rows
from kozmo_singer.wire.types import REPLICATION_METHOD, Column


class Schema(msgspec.Struct, frozen=True):
    """A stream's shape; holds for the records that follow. ``$ref`` is resolved.

    bookmark_properties is None where the tap did not say.
    """

    stream: str
    schema: dict[str, Any]
    key_properties: list[str]
    bookmark_properties: list[str] | None
    columns: Sequence[Column]
    line: int

    @property
    def replication_method(self) -> str | None:
        """FULL_TABLE or INCREMENTAL where the tap says so in its schema, else None."""
        method = self.schema.get(REPLICATION_METHOD)
        return method if isinstance(method, str) else None


class State(msgspec.Struct, frozen=True):
    """A bookmark that covers everything sent before it; *text* is its value as JSON."""

    text: bytes
    line: int

    @property
    def value(self) -> Any:
        """The state as Python objects."""
        return msgspec.json.decode(self.text)


class ActivateVersion(msgspec.Struct, frozen=True):
    """Records of *stream* with an older version are gone from the source."""

    stream: str
    version: int
    line: int


class Batch(msgspec.Struct, frozen=True):
    """Files that hold records of *stream*; *format* is jsonl, parquet or arrow.

    columns are those of the stream's schema; version and time_extracted hold for every record.
    """

    stream: str
    format: str
    compression: str | None
    manifest: list[str]
    columns: Sequence[Column]
    version: int | None
    time_extracted: str | None
    line: int


class Aborted(msgspec.Struct, frozen=True):
    """The runner's word, sent in the pipe, that the tap failed: the streams are incomplete."""

    reason: str


class Other(msgspec.Struct, frozen=True):
    """A message of a type that nobody here knows, as it came."""

    text: bytes


Message = Schema | State | ActivateVersion | Batch | Aborted | Other | Rows
