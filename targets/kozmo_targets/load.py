"""One run of a target: when rows are flushed, which state is safe, and how it all ends."""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple

from kozmo_singer.errors import KozmoError, RecordError
from kozmo_singer.metrics import Counter as Progress
from kozmo_singer.plugin import stopping
from kozmo_singer.wire import lane
from kozmo_singer.wire.decode import Reader
from kozmo_singer.wire.messages import Aborted, ActivateVersion, Batch, Message, Schema, State
from kozmo_singer.wire.rows import Rows
from kozmo_singer.wire.watermark import Watermark

if TYPE_CHECKING:
    import pyarrow as pa

    from kozmo_targets.target import Target, Writer

_log = logging.getLogger("kozmo_targets")


class Columns(NamedTuple):
    """Rows of the Arrow lane, and the message that announced them."""

    batch: Batch
    part: pa.RecordBatch


class Load:
    """Rows wait (taken, not flushed), are held (hidden until the end) or are durable."""

    def __init__(self, target: Target, out: BinaryIO) -> None:
        self.aborted: str | None = None
        self._target = target
        self._out = out
        self._writers: dict[str, Writer] = {}
        self._schemas: dict[str, Schema] = {}
        self._versions: dict[str, int] = {}
        self._newest: State | None = None
        self._watermark: Watermark[bytes] = Watermark()
        self._told = b""
        self._waiting: Counter[str] = Counter()
        self._progress = Progress()
        self._size = 0
        self._since = 0.0
        self._limits = (
            target.config["batch_size_bytes"],
            target.config["batch_size_rows"],
            target.config["batch_wait_seconds"],
        )
        self._take: dict[type, Callable[[Any], None]] = {
            Rows: self._rows,
            Columns: self._columns,
            Schema: self._schema,
            State: self._state,
            ActivateVersion: self._activate_version,
            Aborted: self._abort,
        }

    def consume(
        self, source: int | BinaryIO, idle_seconds: float, expect_end: Callable[[], None]
    ) -> bool:
        """Take messages until the input ends; tell whether it came to its end in good order.

        *expect_end* is called at the end, and raises what cut the input short, if anything did.
        """
        self._reader = Reader(source, idle_seconds=idle_seconds)
        for message in self._messages(expect_end):
            if message is not None:
                self._take[type(message)](message)
            elif not self._waiting:
                self.tell()
            self._flush_if_due()
            if stopping.requested or self.aborted is not None:
                return False
        if left := self._left_open():
            self.aborted = f"by its last STATE, stream {left} was still being read"
        return not stopping.requested and self.aborted is None

    def complete(self) -> None:
        """Every stream is whole: remove old versions, show what was hidden, tell the state."""
        self.drain()
        for stream, version in self._versions.items():
            self._writers[stream].activate_version(version)
        for writer in self._writers.values():
            writer.finish()
        self._target.complete()
        for stream in self._writers:
            self._watermark.durable(stream)
        self.tell()
        self._progress.close()

    def drain(self) -> None:
        """Make durable the rows taken so far and tell the newest state that they allow."""
        if self._waiting:
            self._flush()
        self.tell()

    def abort(self) -> None:
        """Leave nothing behind of what is not durable."""
        self._progress.close()
        for writer in self._writers.values():
            writer.abort()

    def tell(self) -> None:
        """Write the newest safe state, if there is one that was not written yet."""
        text = self._watermark.safe()
        if text is None or text == self._told:
            return
        self._told = text
        self._out.write(text + b"\n")
        self._out.flush()

    def _messages(self, expect_end: Callable[[], None]) -> Iterator[Message | Columns | None]:
        try:
            for message in self._reader:
                if isinstance(message, Batch):
                    yield from self._unpacked(message)
                else:
                    yield message
            expect_end()
        except (KozmoError, OSError):
            # What came before the fault is good and must not be lost with it.
            self.drain()
            raise

    def _unpacked(self, batch: Batch) -> Iterator[Rows | Columns]:
        from kozmo_targets.batch import read

        size = lane.size_of(batch.manifest[0]) if len(batch.manifest) == 1 else None
        if size is None:
            yield from read(batch, self._reader.decoder(batch.stream))
        else:
            for part in lane.received(lane.descriptor(), size, batch.stream):
                yield Columns(batch, part)

    def _columns(self, columns: Columns) -> None:
        batch, part = columns
        if self._writers[batch.stream].write_columns(part, batch):
            self._received(batch.stream, part.num_rows, part.nbytes)
            return
        from kozmo_targets.batch import rows_of

        for rows in rows_of(batch, part, self._reader.decoder(batch.stream)):
            self._rows(rows)

    def _rows(self, rows: Rows) -> None:
        self._received(rows.stream, len(rows), rows.size)
        self._writers[rows.stream].write(rows)

    def _received(self, stream: str, count: int, size: int) -> None:
        if not self._waiting:
            self._since = time.monotonic()
        self._watermark.received(stream)
        self._waiting[stream] += count
        self._size += size

    def _flush_if_due(self) -> None:
        if not self._waiting:
            return
        size, rows, seconds = self._limits
        if (
            self._size >= size
            or self._waiting.total() >= rows
            or time.monotonic() - self._since >= seconds
        ):
            self.drain()

    def _flush(self) -> None:
        waiting, self._waiting, self._size = self._waiting, Counter(), 0
        shown = [stream for stream in waiting if self._writers[stream].flush()]
        self._target.commit()
        for stream, rows in waiting.items():
            self._progress.add(stream, rows)
        for stream in shown:
            self._watermark.durable(stream)

    def _schema(self, schema: Schema) -> None:
        if not isinstance(schema.schema.get("properties"), dict):
            raise RecordError(
                "expected the schema to have properties",
                stream=schema.stream,
                line=schema.line,
                path="$.schema",
            )
        known = self._schemas.get(schema.stream)
        if known is not None and _same(known, schema):
            return
        # Tables are shaped apart from rows, so that no lock waits for the tap's next row.
        self.drain()
        if known is None:
            method = self._target.load_method(schema)
            _log.debug("stream %s: %s", schema.stream, method)
            self._writers[schema.stream] = self._target.writer(schema, method)
        self._schemas[schema.stream] = schema
        self._writers[schema.stream].open(schema)
        self._target.commit()

    def _left_open(self) -> str | None:
        """Return the full table that a tap of ours, which ended too early, was reading, if any."""
        value = self._newest.value if self._newest else None
        current = value.get("currently_syncing") if isinstance(value, dict) else None
        schema = self._schemas.get(current) if isinstance(current, str) else None
        return schema.stream if schema and schema.replication_method == "FULL_TABLE" else None

    def _state(self, state: State) -> None:
        self._newest = state
        # An empty state says nothing, and must not take the place of one that does.
        if state.text not in (b"{}", b"null"):
            self._watermark.state(state.text)

    def _activate_version(self, message: ActivateVersion) -> None:
        if not self._target.config.get("process_activate_version_messages", True):
            return
        if message.stream not in self._writers:
            _log.warning(
                "line %d: ACTIVATE_VERSION of stream %s came before its SCHEMA; skipped",
                message.line,
                message.stream,
            )
            return
        newest = self._versions.get(message.stream, message.version)
        self._versions[message.stream] = max(newest, message.version)

    def _abort(self, message: Aborted) -> None:
        self.aborted = message.reason


def _same(one: Schema, other: Schema) -> bool:
    return one.columns == other.columns and one.key_properties == other.key_properties
