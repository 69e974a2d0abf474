"""Reading streams of a tap as batches, with a bookmark that follows what was taken."""

from __future__ import annotations

import os
import select
from collections import deque
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from importlib.util import find_spec
from itertools import chain
from typing import Any

import msgspec

from kozmo_bridge.arrow_batch import ArrowBatch
from kozmo_bridge.batch import Batch
from kozmo_bridge.bookmark import Bookmark
from kozmo_runner import api
from kozmo_runner.api import Cancel
from kozmo_singer.errors import KozmoError, ReadError, RecordError
from kozmo_singer.wire import lane, messages
from kozmo_singer.wire.arrow import pyarrow
from kozmo_singer.wire.catalog import Catalog
from kozmo_singer.wire.decode import Reader
from kozmo_singer.wire.rows import Rows
from kozmo_singer.wire.types import Column

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
    lane: str = "auto"
    discovers: bool = True


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


class _Pile:
    """Rows that wait to be handed out, in pieces: lists of tuples, or Arrow's record batches.

    *told* are their stream, its columns and the kind of the pieces.
    """

    def __init__(self, told: tuple[str, tuple[Column, ...], type]) -> None:
        self.told = told
        self.rows = self.size = 0
        self._pieces: deque[Any] = deque()

    def add(self, piece: Any, size: int) -> None:
        """Take rows that are *size* bytes of input."""
        self._pieces.append(piece)
        self.rows += len(piece)
        self.size += size

    def batch(self, count: int, key_properties: Sequence[str]) -> Batch:
        """Return the first *count* rows, which stay here no longer."""
        self.rows -= count
        self.size = 0
        taken = []
        while count:
            piece = self._pieces.popleft()
            taken.append(piece[:count])
            if len(piece) > count:
                self._pieces.appendleft(piece[count:])
            count -= len(taken[-1])
        stream, columns, kind = self.told
        if kind is not list:
            return ArrowBatch(stream, columns, taken, key_properties)
        rows = taken[0] if len(taken) == 1 else [*chain.from_iterable(taken)]
        return Batch(stream, columns, rows, key_properties)


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
        self._pile = _Pile(("", (), list))

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
            lane=self._lane(),
            discovers=request.discovers,
            cancel=self._cancel,
        )

    def _lane(self) -> str:
        wanted = self._request.lane
        if wanted == "arrow":
            pyarrow("the Arrow lane")
        return "text" if wanted == "auto" and find_spec("pyarrow") is None else wanted

    def _read(self, tap: api.TapStream) -> Iterator[Batch]:
        reader = Reader(tap.stdout.fileno(), idle_seconds=IDLE_SECONDS)
        fault: KozmoError | None = None
        try:
            for message in reader:
                yield from self._batches_after(message, tap)
                if self._cut and self._all_cut(tap):
                    tap.stop()
                    break
        except (RecordError, ReadError) as error:
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
        if self._pile.rows >= self._request.batch_rows or message is None:
            yield from self._hand_out()
        if isinstance(message, Rows):
            yield from self._add(message, message.tuples(), message.size, tap)
        elif isinstance(message, messages.Schema):
            if message.stream == self._pile.told[0]:
                yield from self._hand_out()
            self.schemas[message.stream] = message
        elif isinstance(message, messages.Batch):
            size = lane.size_of(message.manifest[0]) if len(message.manifest) == 1 else None
            if size is None:
                raise ReadError(
                    f"{tap.name} sends files of stream {message.stream} instead of records",
                    "take batch_config out of its configuration",
                )
            for part in lane.received(tap.pipe, size, message.stream):
                yield from self._add(message, part, part.nbytes, tap)

    def _add(
        self, message: Rows | messages.Batch, piece: Any, size: int, tap: api.TapStream
    ) -> Iterator[Batch]:
        told = (message.stream, tuple(message.columns), type(piece))
        if told != self._pile.told:
            yield from self._hand_out()
            self._pile = _Pile(told)
        if self._request.limit is not None and not tap.limited:
            piece = self._within(self._request.limit, message.stream, piece)
        self._received += len(piece)
        self._pile.add(piece, size)
        while self._pile.rows > self._request.batch_rows:
            yield from self._hand_over(self._request.batch_rows)
        if self._pile.size >= BATCH_BYTES:
            yield from self._hand_out()

    def _within(self, limit: int, stream: str, piece: Any) -> Any:
        left = limit - self._delivered.get(stream, 0)
        self._cut = self._cut or len(piece) > left
        piece = piece[:left]
        self._delivered[stream] = limit - left + len(piece)
        return piece

    def _hand_out(self) -> Iterator[Batch]:
        if self._pile.rows:
            yield from self._hand_over(self._pile.rows)

    def _hand_over(self, count: int) -> Iterator[Batch]:
        keys = self.schemas[self._pile.told[0]].key_properties
        batch = self._pile.batch(count, keys)
        self._handed_out += count
        yield batch
        self.take()

    def _all_cut(self, tap: api.TapStream) -> bool:
        """Whether a foreign tap, which knows no limit, has nothing more to say that counts."""
        if tap.catalog is None:
            return False
        limit = self._request.limit or 0
        return all(self._delivered.get(s.stream, 0) >= limit for s in tap.catalog.selected())


def _blame(tap: api.TapStream, fault: KozmoError) -> None:
    """Raise what the tap died of, if the fault in its output is that it was cut off, or *fault*."""
    descriptor = tap.stdout.fileno()
    if select.select([descriptor], [], [], 1.0)[0] and not os.read(descriptor, 1):
        try:
            tap.wait()
        except KozmoError as error:
            raise error from fault
    raise fault
