"""The engine of every tap: which streams are read, and the order of messages on the wire."""

from __future__ import annotations

import copy
import logging
import time
from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any, BinaryIO, Protocol

from kozmo_singer.errors import ConfigError
from kozmo_singer.metrics import Counter
from kozmo_singer.plugin import Plugin, asks_for_maps, stopping, without_cycles
from kozmo_singer.settings import MAPS, Setting, grouped
from kozmo_singer.wire import (
    Catalog,
    Column,
    RecordEncoder,
    Stream,
    activate_version_line,
    lane,
    schema_line,
    state_line,
)
from kozmo_singer.wire.cells import PackedRows
from kozmo_singer.wire.state import State, bookmark
from kozmo_taps.output import Output

if TYPE_CHECKING:
    from kozmo_taps.batches import BatchConfig

STATE_ROWS = 10_000
STATE_SECONDS = 5.0
"""A STATE follows after so many rows or seconds, whichever comes first."""

CAPABILITIES: tuple[str, ...] = (
    "catalog",
    "state",
    "discover",
    "about",
    "stream-maps",
    "schema-flattening",
    "activate-version",
    "batch",
    "test",
)

SETTINGS: tuple[Setting, ...] = (
    Setting(
        "start_date",
        "Where an incremental stream by date or timestamp starts when it has no bookmark, "
        "for example 2024-01-01 or 2024-01-01T00:00:00Z",
    ),
    Setting(
        "emit_activate_version_messages",
        "Number the versions of full tables, so that targets can remove rows that are gone",
        "boolean",
        default=False,
    ),
    Setting(
        "decimal_format",
        "How decimals are written: as JSON numbers, or as strings of format x-singer.decimal",
        default="number",
        choices=("number", "string"),
    ),
    Setting(
        "batch_config",
        "Write rows into files, and BATCH messages instead of records, as in Meltano's SDK: "
        "encoding (format arrow, jsonl or parquet; compression), storage (root, prefix), "
        "batch_size in rows",
        "object",
    ),
    *grouped(
        MAPS,
        Setting(
            "stream_maps", "Stream maps of the Singer SDK (rows are read more slowly)", "object"
        ),
        Setting("stream_map_config", "Values that expressions of stream_maps may use", "object"),
        Setting("faker_config", "Seed and locale of the faker in stream_maps", "object"),
        Setting(
            "flattening_enabled",
            "Flatten objects into columns (rows are read more slowly)",
            "boolean",
        ),
        Setting("flattening_max_depth", "Levels of objects to flatten", "integer", minimum=0),
        Setting("flattening_max_key_length", "Longest flattened name", "integer", minimum=1),
    ),
)
"""The settings that every tap has."""

_log = logging.getLogger("kozmo_taps")
Row = tuple[Any, ...]


class Stopped(KeyboardInterrupt):
    """The source was asked to end while it was busy; what was read so far stands."""


class Reading(Protocol):
    """A stream while it is read."""

    columns: list[Column]
    """What the values of a row are, in order."""
    schema: dict[str, Any]
    key_properties: list[str]
    bookmark_properties: list[str]
    version: int | None
    """The version of a full table, where versions are asked for."""
    complete: bool
    """Whether the source was read to its end."""

    def batches(self) -> Iterator[Sequence[Row]]:
        """Yield rows; after each batch `bookmark` says where a next run may go on.

        Stopped is raised where a signal came while the source was at work.
        """

    def bookmark(self) -> dict[str, Any]:
        """Return the bookmark that covers every row yielded so far."""


class Session(Protocol):
    """A source while it is open."""

    def open(self, stream: Stream, bookmark: Mapping[str, Any], limit: int | None) -> Reading:
        """Return the reading of *stream* from *bookmark* on; at most *limit* rows."""

    def count(self, stream: Stream) -> int:
        """Return how many rows *stream* has now."""


class Lines(Protocol):
    """How the rows of a reading become messages."""

    @property
    def waiting(self) -> bool:
        """Whether rows were taken of which no message tells yet."""

    def schema(self) -> bytes: ...
    def records(self, rows: Sequence[Row], extracted: str | None) -> bytes: ...
    def flush(self) -> bytes: ...
    def activate(self, version: int) -> bytes: ...


class Columnar(PackedRows):
    """Rows that can go through the pipe of the Arrow lane."""

    @abstractmethod
    def payload(self) -> memoryview:
        """Return the rows as an Arrow IPC stream."""


class Tap(Plugin):
    """A source of streams. A family says how to `discover` and how to open a `session`."""

    capabilities = CAPABILITIES

    def __init__(self, config: Mapping[str, Any]) -> None:
        super().__init__(config)
        self._batches: BatchConfig | None = None
        if given := self.config.get("batch_config"):
            from kozmo_taps.batches import batch_config

            self._batches = batch_config(self.name, given)

    @property
    def secrets(self) -> list[str]:
        """The values that no output may show; keys of the place where batches go are among them."""
        params = self._batches.params.values() if self._batches else ()
        return [*super().secrets, *(value for value in params if isinstance(value, str))]

    @property
    def arrow(self) -> bool:
        """Whether rows may go as Arrow: there is a pipe, and nothing else is asked for."""
        changed = asks_for_maps(self.config) or self._batches is not None
        return lane.descriptor() is not None and not changed

    @abstractmethod
    def discover(self) -> Catalog:
        """Return every stream that can be read."""

    @abstractmethod
    def session(self, streams: Sequence[Stream]) -> AbstractContextManager[Session]:
        """Open the source in order to read *streams*."""

    def sync(
        self, catalog: Catalog, state: State, out: BinaryIO, *, limit: int | None = None
    ) -> None:
        """Write the selected streams to *out* as Singer messages, going on from *state*.

        An error ends the run after a STATE for what was written. At most *limit* rows a stream.
        """
        chosen = self._chosen(catalog, state.get("currently_syncing"))
        if not chosen:
            return
        with (
            Output(out) as output,
            Counter() as counter,
            without_cycles(),
            self.session(chosen) as session,
        ):
            _Run(self, session, output, counter, copy.deepcopy(state), limit).streams(chosen)

    def count(self, catalog: Catalog) -> dict[str, int]:
        """Return the number of rows of each selected stream."""
        chosen = self._chosen(catalog, None)
        with self.session(chosen) as session:
            return {stream.tap_stream_id: session.count(stream) for stream in chosen}

    def test(self, mode: str) -> None:
        """Run the Singer SDK's own test of a tap: *mode* schema, or records for one row a stream.

        What the test writes goes to standard output.
        """
        from kozmo_taps.sdk import sdk_tap

        tap = sdk_tap(self.name)(config={k: v for k, v in self.config.items() if v is not None})
        if mode == "schema":
            tap.write_schemas()
        else:
            tap.run_connection_test()

    def lines(self, stream: Stream, reading: Reading) -> Lines:
        """Return what writes *reading*: as it is, or as stream maps change it, or into files."""
        plain = PlainLines(stream.stream, reading)
        lines: Lines = plain
        if asks_for_maps(self.config):
            from kozmo_taps.maps import MappedLines

            lines = MappedLines(self.name, self.config, plain)
        if self._batches:
            from kozmo_taps.batches import BatchLines

            lines = BatchLines(lines, self._batches)
        return lines

    def _chosen(self, catalog: Catalog, current: str | None) -> list[Stream]:
        if not catalog.streams:
            _log.warning("%s found no stream at all; nothing is read", self.name)
            return []
        chosen = catalog.selected()
        if not chosen:
            _log.warning(
                "no stream is selected in the catalog, so nothing is read; "
                'mark streams with "selected": true in their metadata'
            )
        # What a run that was interrupted was reading goes first.
        return sorted(chosen, key=lambda stream: stream.tap_stream_id != current)


class PlainLines:
    """The messages of a reading as it is."""

    waiting = False

    def __init__(self, stream: str, reading: Reading) -> None:
        self._stream, self._reading = stream, reading
        self._encoder = RecordEncoder(stream, reading.columns, version=reading.version)

    def schema(self) -> bytes:
        """Return the SCHEMA message."""
        reading = self._reading
        return schema_line(
            self._stream, reading.schema, reading.key_properties, reading.bookmark_properties
        )

    def records(self, rows: Sequence[Row], extracted: str | None) -> bytes:
        """Return the RECORD messages of *rows*."""
        return self._encoder.encode(rows, extracted)

    def flush(self) -> bytes:
        """Return nothing: no row waits."""
        return b""

    def activate(self, version: int) -> bytes:
        """Return the ACTIVATE_VERSION message."""
        return activate_version_line(self._stream, version)


class _Run:
    """One sync: the streams one after the other, and a STATE now and then."""

    def __init__(
        self,
        tap: Tap,
        session: Session,
        output: Output,
        counter: Counter,
        state: State,
        limit: int | None,
    ) -> None:
        self._tap, self._session, self._output, self._counter = tap, session, output, counter
        self._state, self._limit = state, limit
        self._last = state_line(state)
        # What a state has told of each stream; merging stores keep it until it is taken back.
        self._told = {n: set(b or ()) for n, b in self._bookmarks().items()}
        self._due = time.monotonic() + STATE_SECONDS
        self._rows = 0

    def streams(self, chosen: Sequence[Stream]) -> None:
        """Read one stream after the other; whatever happens, end with a STATE."""
        for stream in chosen:
            if stopping.requested:
                break
            self._emit_state()
            try:
                self._stream(stream)
            except Stopped:
                break
            except BrokenPipeError:
                raise
            except BaseException:
                # Even without a bookmark: it tells the target that the stream is not whole.
                self._bookmarks().setdefault(stream.tap_stream_id, {})
                self._emit_state()
                raise
        if not stopping.requested:
            self._state.pop("currently_syncing", None)
        self._last = b""
        self._emit_state()

    def _stream(self, stream: Stream) -> None:
        name = stream.tap_stream_id
        self._counter.start(name)
        self._state["currently_syncing"] = name
        reading = self._session.open(stream, bookmark(self._state, name), self._limit)
        lines = self._tap.lines(stream, reading)
        self._output.add(lines.schema())
        # The first row may be long in coming, and what was written so far should not wait for it.
        self._output.flush()
        for rows in reading.batches():
            late = time.monotonic() >= self._due
            size = self._send(stream.stream, rows, lines, reading, late or stopping.requested)
            self._counter.add(name, len(rows), size)
            self._rows += len(rows)
            if not lines.waiting:
                self._delivered(name, reading)
                if late or self._rows >= STATE_ROWS:
                    self._emit_state()
            if stopping.requested:
                return
        self._output.add(lines.flush())
        if reading.complete and reading.version is not None:
            self._output.add(lines.activate(reading.version))
        self._delivered(name, reading)

    def _send(
        self, stream: str, rows: Sequence[Row], lines: Lines, reading: Reading, flush: bool
    ) -> int:
        """Write *rows*, and with *flush* those that waited; return the bytes that this took."""
        now = datetime.now(timezone.utc).isoformat()
        if isinstance(rows, Columnar):
            payload, pipe = rows.payload(), lane.descriptor()
            assert pipe is not None, "only a tap with a pipe reads columns"
            self._output.add(lane.batch_line(stream, len(payload), now, reading.version))
            # The message that announces them goes first.
            self._output.flush()
            lane.send(pipe, payload)
            return len(payload)
        records = lines.records(rows, now)
        if flush:
            records += lines.flush()
        self._output.add(records)
        return len(records)

    def _delivered(self, name: str, reading: Reading) -> None:
        told = self._told.get(name, ())
        found = reading.bookmark().items()
        self._bookmarks()[name] = {k: v for k, v in found if v is not None or k in told}

    def _bookmarks(self) -> dict[str, Any]:
        if not isinstance(self._state.get("bookmarks"), dict):
            self._state["bookmarks"] = {}
        found: dict[str, Any] = self._state["bookmarks"]
        return found

    def _emit_state(self) -> None:
        """Add a STATE unless it says nothing new."""
        self._rows, self._due = 0, time.monotonic() + STATE_SECONDS
        line = state_line(self._state)
        if line == self._last or not self._bookmarks():
            return
        self._output.add(line)
        self._last = line
        name = str(self._state.get("currently_syncing"))
        self._told[name] = set(self._bookmarks().get(name, ()))


def replication(stream: Stream, config: Mapping[str, Any]) -> tuple[str, str | None]:
    """Return how *stream* is read, FULL_TABLE or INCREMENTAL, and by which replication key.

    The catalog decides; where it is silent the settings replication_method and replication_key.
    """
    key = stream.replication_key or config.get("replication_key")
    method = stream.replication_method or config.get("replication_method")
    if method is None:
        method = "INCREMENTAL" if stream.replication_key else "FULL_TABLE"
    if method not in ("FULL_TABLE", "INCREMENTAL"):
        raise ConfigError(
            f"stream {stream.tap_stream_id}: replication method '{method}' is not offered",
            "there are FULL_TABLE and INCREMENTAL",
        )
    if method == "INCREMENTAL" and not key:
        raise ConfigError(
            f"stream {stream.tap_stream_id} is INCREMENTAL but has no replication key",
            "name a column that grows with every change as replication-key in the catalog",
        )
    return method, key if method == "INCREMENTAL" else None
