"""Our taps as classes of Meltano's SDK: for its test suites, and for code that expects them.

The SDK brings the command line and the checks of the configuration; rows come from our engine.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, BinaryIO, cast

from kozmo_singer.settings import config_schema
from kozmo_singer.wire import Catalog, Stream
from kozmo_singer.wire.rows import parse
from kozmo_taps.registry import TAPS
from kozmo_taps.tap import PlainLines, Tap

if TYPE_CHECKING:
    import singer_sdk


def sdk_tap(name: str) -> type[singer_sdk.Tap]:
    """Return the tap *name* of our registry as a class of singer_sdk.Tap."""
    from singer_sdk import Stream as SdkStream
    from singer_sdk import Tap as SdkTap

    module, _, attribute = TAPS[name].target.partition(":")
    found: type[Tap] = getattr(importlib.import_module(module), attribute)

    class FacadeStream(SdkStream):
        """A stream that our engine reads."""

        def __init__(self, tap: Facade, ours: Stream) -> None:
            super().__init__(tap, schema=ours.schema, name=ours.tap_stream_id)
            self.facade, self.ours = tap, ours
            self.primary_keys = ours.key_properties
            self.replication_key = ours.replication_key

        def get_records(self, context: Any) -> Iterable[dict[str, Any]]:
            """Yield every record."""
            return _records(self.facade.engine, self.ours)

        def sync(self, context: Any = None) -> None:  # type: ignore[misc]  # final to others
            """Write the stream's messages to standard output."""
            limit = self.ABORT_AT_RECORD_COUNT
            self.facade.write_messages([self.ours], limit)

    class Facade(SdkTap):
        """Discovers and reads with our engine."""

        config_jsonschema = config_schema(found.settings)

        @property
        def engine(self) -> Tap:
            """Our tap with this configuration; the SDK adds settings that it does not know."""
            known = {s.name for s in found.settings}
            given = {k: v for k, v in self.config.items() if k in known and v is not None}
            return found(given)

        def discover_streams(self) -> list[SdkStream]:
            """Return what our engine discovers."""
            return [FacadeStream(self, ours) for ours in self.engine.discover().streams]

        def sync_all(self) -> None:  # type: ignore[misc]  # final to others
            """Write the messages of the selected streams to standard output."""
            given = self.input_catalog
            ours = Catalog.from_dict(given.to_dict()) if given else self.engine.discover()
            self.write_messages(ours.selected(), None)

        def write_messages(self, streams: list[Stream], limit: int | None) -> None:
            """Write the messages of *streams*, at most *limit* records each."""
            for stream in streams:
                stream.root()["selected"] = True
            out = cast("BinaryIO", _StandardOutput())
            self.engine.sync(Catalog(streams), dict(self.state), out, limit=limit)

    Facade.name = name
    Facade.__name__ = Facade.__qualname__ = found.__name__
    return Facade


def _records(engine: Tap, stream: Stream) -> Iterator[dict[str, Any]]:
    """Yield the records of *stream* as a reader of its lines would see them."""
    stream.root()["selected"] = True
    with engine.session([stream]) as session:
        reading = session.open(stream, {}, None)
        lines = PlainLines(stream.stream, reading)
        for rows in reading.batches():
            for line in lines.records(rows, None).split(b"\n")[:-1]:
                yield parse(line, 0)["record"]


class _StandardOutput:
    """Whatever sys.stdout is at the moment, for writers of bytes."""

    def write(self, piece: bytes) -> int:
        """Write *piece*."""
        sys.stdout.write(bytes(piece).decode())
        return len(piece)

    def flush(self) -> None:
        """Hand over what was written."""
        sys.stdout.flush()
