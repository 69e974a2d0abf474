"""Reading streams of a tap as batches, with a bookmark that follows what was taken."""

from __future__ import annotations

import os
import select
from collections import deque
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import msgspec

from kozmo_bridge.batch import Batch
from kozmo_bridge.bookmark import Bookmark
from kozmo_runner import api
from kozmo_runner.api import Cancel
from kozmo_singer.errors import KozmoError, ReadError, RecordError
from kozmo_singer.wire import messages
from kozmo_singer.wire.catalog import Catalog
from kozmo_singer.wire.decode import Reader
from kozmo_singer.wire.rows import Rows

BATCH_ROWS = 10_000
BATCH_BYTES = 32 << 20
"""A batch is handed out when so many bytes of input are in it, however few its rows."""
IDLE_SECONDS = 0.5
"""A batch is handed out, however small, when the tap says nothing for so long."""


@dataclass(frozen=True)
class Request:
    """What is to be read, and how."""

    tap: str
    config: api.Config = None
    streams: Sequence[str] = ()
    catalog: Catalog | Mapping[str, Any] | None = None
    state: str | Mapping[str, Any] | None = None
    store: str | None = None
    full_refresh: bool = False
    limit: int | None = None
    batch_rows: int = BATCH_ROWS


class Reading:
    """Iterates over the batches of a running tap; also a context manager.

    A batch counts as taken once the next one is asked for, or `commit` is called. Only what was
    taken moves the bookmark, so a loop that fails or breaks off gets its last batch again.
    """

    def __init__(self, request: Request, cancel: Cancel | None = None) -> None:
        self._work = _Work(request, cancel or Cancel())
        self._batches = self._work.batches()

    def __iter__(self) -> Reading:
        return self

    def __next__(self) -> Batch:
        return next(self._batches)

    def __enter__(self) -> Reading:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def state(self) -> Any:
        """The newest state of the tap that covers nothing but batches taken, or None."""
        return self._work.state

    @property
    def schemas(self) -> Mapping[str, messages.Schema]:
        """What the tap has said so far of its streams, by their names."""
        return self._work.schemas

    def commit(self) -> None:
        """Count the batch handed out last as taken; for a loop that is about to break off."""
        self._work.take()

    def close(self) -> None:
        """Stop the tap, if it still runs, and keep the bookmark. Can be called again."""
        self._batches.close()


class _Work:
    """Holds no reference to its Reading, so that a forgotten one is closed at once."""

    def __init__(self, request: Request, cancel: Cancel) -> None:
        self.state: Any = None
        self._request, self._cancel = request, cancel
        self._bookmark: Bookmark | None = None
        self._states: deque[tuple[int, bytes]] = deque()
        self._received = self._handed_out = 0
        self.schemas: dict[str, messages.Schema] = {}
        self._delivered: dict[str, int] = {}
        self._cut = False
        self._stream, self._columns = "", ()  # type: tuple[str, tuple[Any, ...]]
        self._rows: list[tuple[Any, ...]] = []
        self._size = 0

    def batches(self) -> Generator[Batch, None, None]:
        """Yield the batches; the tap and the lock of the bookmark end with the generator."""
        status = "failed"
        with ExitStack() as stack:
            request = self._request
            if isinstance(request.state, str):
                self._bookmark = Bookmark(request.state, request.store)
                stack.callback(lambda: self._close_bookmark(status))
            tap = stack.enter_context(self._start())
            try:
                yield from self._read(tap)
                status = "done"
            except GeneratorExit:
                status = "interrupted"
                raise

    def _close_bookmark(self, status: str) -> None:
        bookmark, self._bookmark = self._bookmark, None
        if bookmark is not None:
            bookmark.close(status)

    def take(self) -> None:
        """Take all rows handed out for the consumer's own, and keep the state that covers them."""
        text = b""
        while self._states and self._states[0][0] <= self._handed_out:
            text = self._states.popleft()[1]
        if text:
            self.state = msgspec.json.decode(text)
            if self._bookmark is not None:
                self._bookmark.save(self.state)

    def _start(self) -> api.TapStream:
        request = self._request
        before = request.state if self._bookmark is None else self._bookmark.before
        return api.stream(
            request.tap,
            request.config,
            streams=request.streams,
            catalog=request.catalog,
            state=None if request.full_refresh or isinstance(before, str) else before,
            limit=request.limit,
            cancel=self._cancel,
        )

    def _read(self, tap: api.TapStream) -> Iterator[Batch]:
        reader = Reader(tap.stdout.fileno(), idle_seconds=IDLE_SECONDS)
        fault: RecordError | None = None
        try:
            for message in reader:
                yield from self._batches_after(message, tap)
                if self._cut and self._all_cut(tap):
                    tap.stop()
                    break
        except RecordError as error:
            fault = error
        yield from self._hand_out()
        if fault is not None:
            _blame(tap, fault)
        tap.wait()
        self.take()

    def _batches_after(self, message: Any, tap: api.TapStream) -> Iterator[Batch]:
        if isinstance(message, messages.State):
            # A state that comes after rows which were cut off covers them too.
            if not self._cut:
                self._states.append((self._received, message.text))
            return
        # A full batch has waited for the state that may come right after it.
        if len(self._rows) >= self._request.batch_rows or message is None:
            yield from self._hand_out()
        if isinstance(message, Rows):
            if message.stream != self._stream or message.columns != self._columns:
                yield from self._hand_out()
                self._stream, self._columns = message.stream, message.columns
            self._add(message, None if tap.limited else self._request.limit)
            yield from self._full_batches()
        elif isinstance(message, messages.Schema):
            if message.stream == self._stream:
                yield from self._hand_out()
            self.schemas[message.stream] = message
        elif isinstance(message, messages.Batch):
            raise ReadError(
                f"{tap.name} sends files of stream {message.stream} instead of records",
                "take batch_config out of its configuration",
            )

    def _add(self, rows: Rows, limit: int | None) -> None:
        values = rows.tuples()
        if limit is not None:
            left = limit - self._delivered.get(rows.stream, 0)
            self._cut = self._cut or len(values) > left
            values = values[:left]
            self._delivered[rows.stream] = limit - left + len(values)
        self._received += len(values)
        self._rows += values
        self._size += rows.size

    def _full_batches(self) -> Iterator[Batch]:
        most = self._request.batch_rows
        while len(self._rows) > most:
            part, self._rows = self._rows[:most], self._rows[most:]
            self._size = 0
            yield from self._hand_over(part)
        if self._size >= BATCH_BYTES:
            yield from self._hand_out()

    def _hand_out(self) -> Iterator[Batch]:
        part, self._rows, self._size = self._rows, [], 0
        if part:
            yield from self._hand_over(part)

    def _hand_over(self, rows: list[tuple[Any, ...]]) -> Iterator[Batch]:
        self._handed_out += len(rows)
        yield Batch(self._stream, self._columns, rows, self.schemas[self._stream].key_properties)
        self.take()

    def _all_cut(self, tap: api.TapStream) -> bool:
        """Whether a foreign tap, which knows no limit, has nothing more to say that counts."""
        if tap.catalog is None:
            return False
        limit = self._request.limit or 0
        return all(self._delivered.get(s.stream, 0) >= limit for s in tap.catalog.selected())


def _blame(tap: api.TapStream, fault: RecordError) -> None:
    """Raise what the tap died of, if the fault in its output is that it was cut off, or *fault*."""
    descriptor = tap.stdout.fileno()
    if select.select([descriptor], [], [], 1.0)[0] and not os.read(descriptor, 1):
        try:
            tap.wait()
        except KozmoError as error:
            raise error from fault
    raise fault
