"""What the bridge offers, once for plain Python and once for event loops."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from kozmo_bridge.batch import Batch
from kozmo_bridge.reading import BATCH_ROWS, Reading, Request
from kozmo_bridge.writing import Written, load, write
from kozmo_runner import api
from kozmo_runner.api import Cancel, Interrupted
from kozmo_singer.wire.catalog import Catalog
from kozmo_singer.wire.messages import Schema

T = TypeVar("T")
PREVIEW_ROWS = 10


def read(
    tap: str,
    config: api.Config = None,
    streams: Sequence[str] | None = None,
    state: str | Mapping[str, Any] | None = None,
    limit: int | None = None,
    *,
    catalog: Catalog | Mapping[str, Any] | None = None,
    batch_rows: int = BATCH_ROWS,
    full_refresh: bool = False,
    store: str | None = None,
    lane: str = "auto",
    cancel: Cancel | None = None,
) -> Reading:
    """Return an iterator over the rows of *tap* as batches of one stream each.

    *streams* are rules as of `kozmo select` ("orders", "sales-*", "!orders.secret"); all without.
    *state* is a name under which the runner's state store (*store*, as in --state-store) keeps the
    bookmark, or a state itself; `full_refresh` reads everything again. *limit* is the most rows a
    stream. In the *lane* "arrow" rows come as Arrow, and to_pandas() and to_arrow() make no object
    of a value; "text" is for rows and Data; "auto" takes Arrow for large tables, where it is no
    slower for either. The tap starts with the first batch and ends with the iterator.
    """
    return Reading(
        Request(
            tap,
            config,
            tuple(streams or ()),
            catalog,
            state,
            store,
            full_refresh,
            limit,
            batch_rows,
            lane,
        ),
        cancel,
    )


def preview(
    tap: str,
    config: api.Config = None,
    streams: Sequence[str] | None = None,
    rows: int = PREVIEW_ROWS,
    *,
    catalog: Catalog | Mapping[str, Any] | None = None,
    cancel: Cancel | None = None,
) -> dict[str, Batch]:
    """Return the first *rows* rows of each stream as a batch, by the stream's name.

    A stream without rows has an empty batch, whose columns are known all the same.
    """
    found: dict[str, list[tuple[Any, ...]]] = {}
    options: dict[str, Any] = {"limit": rows, "batch_rows": rows, "catalog": catalog}
    with read(tap, config, streams, cancel=cancel, **options) as reading:
        for batch in reading:
            found.setdefault(batch.stream, []).extend(batch.rows)
        return {
            name: Batch(name, schema.columns, found.get(name, []), schema.key_properties)
            for name, schema in reading.schemas.items()
        }


class AsyncReading:
    """As Reading, for `async for`: the tap's output is read in a thread."""

    def __init__(self, request: Request) -> None:
        self._cancel = Cancel()
        self._reading = Reading(request, self._cancel)

    def __aiter__(self) -> AsyncReading:
        return self

    async def __anext__(self) -> Batch:
        batch = await in_thread(lambda: next(self._reading, None), self._cancel)
        if batch is None:
            raise StopAsyncIteration
        return batch

    async def __aenter__(self) -> AsyncReading:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    @property
    def state(self) -> Any:
        """As Reading.state."""
        return self._reading.state

    @property
    def schemas(self) -> Mapping[str, Schema]:
        """As Reading.schemas."""
        return self._reading.schemas

    async def commit(self) -> None:
        """As Reading.commit."""
        await asyncio.to_thread(self._reading.commit)

    async def aclose(self) -> None:
        """As Reading.close."""
        await asyncio.shield(asyncio.to_thread(self._reading.close))


def aread(
    tap: str,
    config: api.Config = None,
    streams: Sequence[str] | None = None,
    state: str | Mapping[str, Any] | None = None,
    limit: int | None = None,
    *,
    catalog: Catalog | Mapping[str, Any] | None = None,
    batch_rows: int = BATCH_ROWS,
    full_refresh: bool = False,
    store: str | None = None,
    lane: str = "auto",
    discovers: bool = True,
) -> AsyncReading:
    """As `read`, for `async for`; cancelling the task stops the tap and keeps the bookmark.

    A tap that *discovers* nothing, whatever its --help says, is run without a catalog of its own.
    """
    return AsyncReading(
        Request(
            tap,
            config,
            tuple(streams or ()),
            catalog,
            state,
            store,
            full_refresh,
            limit,
            batch_rows,
            lane,
            discovers,
        )
    )


async def apreview(tap: str, config: api.Config = None, **options: Any) -> dict[str, Batch]:
    """As `preview`, without holding up the event loop."""
    cancel = Cancel()
    return await in_thread(lambda: preview(tap, config, cancel=cancel, **options), cancel)


async def awrite(target: str, config: api.Config = None, data: Any = (), **options: Any) -> int:
    """As `write`, without holding up the event loop; cancelling it leaves the data incomplete."""
    cancel = Cancel()
    return await in_thread(lambda: write(target, config, data, cancel=cancel, **options), cancel)


async def aload(target: str, config: api.Config = None, data: Any = (), **options: Any) -> Written:
    """As `awrite`; what the target said comes back as well."""
    cancel = Cancel()
    return await in_thread(lambda: load(target, config, data, cancel=cancel, **options), cancel)


async def in_thread(work: Callable[[], T], cancel: Cancel) -> T:
    """Do *work* in a thread; when this task is cancelled, ask for its end and wait for it."""
    task = asyncio.ensure_future(asyncio.to_thread(work))
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        cancel.request("cancelled")
        await asyncio.wait([task])
        if not task.cancelled() and task.exception() is not None:
            _expected(task.exception())
        raise


def _expected(error: BaseException | None) -> None:
    """A cancelled plug-in fails; anything else that went wrong must not get lost."""
    if not isinstance(error, Interrupted):
        import logging

        logging.getLogger("kozmo_bridge").warning("while being cancelled: %s", error)
