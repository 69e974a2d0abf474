"""One run of a target: when rows are flushed, which state is safe, and how it all ends."""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple

from kozmo_singer.errors import KozmoError, RecordError, WriteError
from kozmo_singer.metrics import Counter as Progress
from kozmo_singer.plugin import stopping
from kozmo_singer.wire import lane
from kozmo_singer.wire.decode import Reader
from kozmo_singer.wire.messages import Aborted, ActivateVersion, Batch, Message, Schema, State
from kozmo_singer.wire.rows import Refuse, Rows
from kozmo_singer.wire.watermark import Watermark
from kozmo_targets.quarantine import sift

if TYPE_CHECKING:
    import pyarrow as pa

    from kozmo_targets.target import LoadMethod, Target, Writer

_log = logging.getLogger("kozmo_targets")


class Columns(NamedTuple):
    """Rows of the Arrow lane, and the message that announced them."""

    batch: Batch
    part: pa.RecordBatch


class Mark(NamedTuple):
    """A state to commit with the rows that it covers, and how many rows a stream loaded so far."""

    state: bytes
    rows: Mapping[str, int]


class Aside(NamedTuple):
    """What a writer does with a record that it took and then could not store.

    It gives the record to *refuse*; *rows_of* makes rows of a batch that came as columns.
    """

    refuse: Refuse
    rows_of: Callable[[Batch, pa.RecordBatch], Iterator[Rows]]


class Load:
    """Rows wait (taken, not flushed), are held (hidden until the end) or are durable.

    Where the target keeps states, rows of a stream that is appended to are committed together with
    a state that covers them and no sooner: a run that dies in between would double them.
    """

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
        self._quarantine = target.quarantine
        self._refuse = None if target.quarantine is None else self._set_aside
        self._lost: Counter[str] = Counter()
        self._waiting: Counter[str] = Counter()
        self._flushed: Counter[str] = Counter()
        self._loaded: Counter[str] = Counter()
        self._hidden: set[str] = set()
        self._exact = target.keeps_state
        self._whole = bool(target.config.get("all_or_nothing"))
        self._methods: dict[str, LoadMethod] = {}
        self._uncovered = False
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
        self._reader = Reader(source, idle_seconds=idle_seconds, refuse=self._refuse)
        for message in self._messages(expect_end):
            if message is not None:
                self._take[type(message)](message)
            elif not self._waiting:
                self.drain()
            self._flush_if_due()
            if self._quarantine is not None and self._quarantine.is_full:
                self.drain()
                raise self._too_many()
            if stopping.requested or self.aborted is not None:
                return False
        if left := self._left_open():
            self.aborted = f"by its last STATE, stream {left} was still being read"
        return not stopping.requested and self.aborted is None

    def complete(self) -> None:
        """Every stream is whole: remove old versions, show what was hidden, tell the state."""
        self.drain()
        if self._quarantine is not None and self._quarantine.is_full_at_end:
            raise self._too_many()
        for stream, version in self._versions.items():
            self._writers[stream].activate_version(version)
        for writer in self._writers.values():
            writer.finish()
        self._commit(complete=True)
        self._progress.close()

    def drain(self) -> None:
        """Make durable the rows taken so far, as far as may be, and tell the state that covers."""
        if self._waiting:
            self._flush()
        if self._whole:
            return
        if self._may_commit:
            self._commit()
        elif self._flushed:
            self._target.commit_updates()

    def abort(self) -> None:
        """Leave nothing behind of what is not durable."""
        self._progress.close()
        for writer in self._writers.values():
            writer.abort()

    def close(self) -> None:
        """Say what was set aside."""
        if self._quarantine is not None:
            self._quarantine.close()

    def tell(self) -> None:
        """Write the newest safe state, if there is one that was not written yet."""
        if self._quarantine is not None:
            self._quarantine.flush()
        self._write(self._watermark.safe())

    def _write(self, text: bytes | None) -> None:
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
            yield from read(batch, self._reader.decoder(batch.stream), self._refuse)
        else:
            for part in lane.received(lane.descriptor(), size, batch.stream):
                yield Columns(batch, part)

    def _columns(self, columns: Columns) -> None:
        batch, part = columns
        if self._writers[batch.stream].write_columns(part, batch):
            self._received(batch.stream, part.num_rows, part.nbytes)
            return
        for rows in self._rows_of(batch, part, self._refuse):
            self._rows(rows)

    def _rows_of(self, batch: Batch, part: pa.RecordBatch, refuse: Refuse | None) -> Iterator[Rows]:
        from kozmo_targets.batch import rows_of

        return rows_of(batch, part, self._reader.decoder(batch.stream), refuse)

    def _received_rows_of(self, batch: Batch, part: pa.RecordBatch) -> Iterator[Rows]:
        return self._rows_of(batch, part, self._give_up)

    def _rows(self, rows: Rows) -> None:
        self._received(rows.stream, len(rows), rows.size)
        writer = self._writers[rows.stream]
        if self._quarantine is None:
            writer.write(rows)
        else:
            sift(rows, writer.write, self._give_up)

    def _give_up(self, error: RecordError, line: bytes) -> None:
        """Set aside a record that was counted as received."""
        assert self._quarantine is not None
        self._quarantine.take(error, line)
        self._lost[error.stream or ""] += 1

    def _too_many(self) -> WriteError:
        assert self._quarantine is not None
        return self._quarantine.too_many("nothing is" if self._whole else "what came before is")

    def _set_aside(self, error: RecordError, line: bytes) -> None:
        """Set aside a record that could not even be read."""
        assert self._quarantine is not None
        self._quarantine.take(error, line)
        self._quarantine.seen += 1

    def _received(self, stream: str, count: int, size: int) -> None:
        if not self._waiting:
            self._since = time.monotonic()
        if self._quarantine is not None:
            self._quarantine.seen += count
        self._watermark.received(stream)
        if self._exact and self._methods[stream] == "append-only":
            self._uncovered = True
        self._waiting[stream] += count
        self._size += size

    def _flush_if_due(self) -> None:
        may_commit = self._exact and not self._whole and self._flushed and self._may_commit
        if self._waiting and self._is_due() or may_commit:
            self.drain()

    def _is_due(self) -> bool:
        size, rows, seconds = self._limits
        return bool(
            self._size >= size
            or self._waiting.total() >= rows
            or time.monotonic() - self._since >= seconds
        )

    def _flush(self) -> None:
        waiting, self._waiting, self._size = self._waiting, Counter(), 0
        self._hidden.update(stream for stream in waiting if not self._writers[stream].flush())
        self._flushed += waiting

    @property
    def _may_commit(self) -> bool:
        """Whether a state covers all rows that are appended, should there be any."""
        if not self._exact or not self._appended:
            return True
        return not self._uncovered and "overwrite" not in self._methods.values()

    @property
    def _appended(self) -> bool:
        pending = (*self._flushed, *self._waiting)
        return any(self._methods[stream] == "append-only" for stream in pending)

    def _commit(self, *, complete: bool = False) -> None:
        """Commit what was flushed and tell the state that this makes safe."""
        flushed, self._flushed = self._flushed, Counter()
        for stream in self._writers if complete else flushed.keys() - self._hidden:
            self._watermark.durable(stream)
        for stream in flushed:
            flushed[stream] -= self._lost.pop(stream, 0)
        self._loaded += flushed
        state = self._watermark.safe()
        if self._quarantine is not None:
            # No state may be told, or committed, before what it passes over is in its file.
            self._quarantine.flush()
        if complete or flushed or self._exact and state is not None:
            commit = self._target.complete if complete else self._target.commit
            commit(Mark(state, self._loaded) if self._exact and state is not None else None)
        for stream, writer in self._writers.items():
            if complete or stream not in self._hidden:
                counts = writer.counted()
                if counts is not None and (complete or any(counts)):
                    names = {"rows_inserted": counts.inserted, "rows_updated": counts.updated}
                    self._progress.count(stream, **names)
        for stream, rows in flushed.items():
            self._progress.add(stream, rows)
        self._write(state)

    def _schema(self, schema: Schema) -> None:
        expect_properties(schema)
        if self._quarantine is not None:
            self._quarantine.know(schema)
        known = self._schemas.get(schema.stream)
        if known is not None and _same(known, schema):
            return
        # Tables are shaped apart from rows, so that no lock waits for the tap's next row.
        self.drain()
        if known is None:
            method = self._target.load_method(schema)
            _log.debug("stream %s: %s", schema.stream, method)
            self._methods[schema.stream] = method
            self._writers[schema.stream] = self._target.writer(schema, method)
            if self._quarantine is not None:
                self._writers[schema.stream].aside = Aside(self._give_up, self._received_rows_of)
        self._schemas[schema.stream] = schema
        self._writers[schema.stream].open(schema)
        if self._whole:
            return
        if self._may_commit:
            self._target.commit()
        else:
            self._target.commit_updates()

    def _left_open(self) -> str | None:
        """Return the full table that a tap of ours, which ended too early, was reading, if any."""
        schema = self._being_read(self._newest.value) if self._newest else None
        return schema.stream if schema else None

    def _being_read(self, value: Any) -> Schema | None:
        """Return the full table that, by the state *value*, is not whole yet."""
        current = value.get("currently_syncing") if isinstance(value, dict) else None
        schema = self._schemas.get(current) if isinstance(current, str) else None
        return schema if schema and schema.replication_method == "FULL_TABLE" else None

    def _state(self, state: State) -> None:
        self._newest = state
        # An empty state says nothing, and must not take the place of one that does.
        if state.text in (b"{}", b"null") or self._uncovered and not self._covers(state.value):
            return
        self._uncovered = False
        self._watermark.state(state.text)

    def _covers(self, value: Any) -> bool:
        """Whether a run from *value* on would not read again what came before it.

        A table without a key is read anew, unless it was read to its end.
        """
        schema = self._being_read(value)
        if schema is None or self._methods[schema.stream] != "append-only":
            return True
        bookmarks = value.get("bookmarks")
        return bool(isinstance(bookmarks, dict) and bookmarks.get(schema.stream))

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


def expect_properties(schema: Schema) -> None:
    """Raise RecordError for a SCHEMA that tells of no fields."""
    if not isinstance(schema.schema.get("properties"), dict):
        raise RecordError(
            "expected the schema to have properties",
            stream=schema.stream,
            line=schema.line,
            path="$.schema",
            of_record=False,
        )


def _same(one: Schema, other: Schema) -> bool:
    return one.columns == other.columns and one.key_properties == other.key_properties
