"""What the runner offers to Python: the bridge and other hosts use this module and no other.

Plug-ins are commands: a name of ours (`tap-postgres`), any Singer executable on PATH, or a path.
A configuration is a mapping, the path of a JSON file, the word "ENV" (variables such as
TAP_POSTGRES_HOST), "NAME=VALUE", or a list of these, later ones winning; it reaches the plug-in in
a file of mode 0600 that is removed again, never on its command line.

Every function comes twice: `discover` and, for event loops, `adiscover`. The second kind does its
work in a thread; when it is cancelled it stops the plug-in's process (SIGTERM, then SIGKILL) and
then raises CancelledError. No process outlives the call or the `with` block that started it, nor
the death of this process.

Failures are kozmo_singer.errors: ConfigError (the plug-in is unknown, a setting is wrong),
ConnectError, DiscoverError, ReadError, WriteError, each saying in its details what the plug-in
said last, with secrets masked.

    catalog = discover("tap-sqlite", {"path": "shop.db"})
    with stream("tap-sqlite", {"path": "shop.db"}, streams=["orders"], limit=10) as tap:
        for message in kozmo_singer.wire.decode.Reader(tap.stdout):
            ...
        tap.wait()
    report = run("tap-sqlite", "target-jsonl", tap_config={"path": "shop.db"})
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from kozmo_runner.asking import about, check, count, discover
from kozmo_runner.comparing import compare
from kozmo_runner.configs import Config, origin
from kozmo_runner.feeding import TargetFeed, feed
from kozmo_runner.job import run
from kozmo_runner.process import Cancel, Interrupted
from kozmo_runner.report import Report, StreamComparison
from kozmo_runner.tapping import TapStream, stream
from kozmo_singer.errors import KozmoError
from kozmo_singer.wire.catalog import Catalog

__all__ = [
    "Cancel",
    "Config",
    "Interrupted",
    "KozmoError",
    "Report",
    "StreamComparison",
    "TapStream",
    "TargetFeed",
    "aabout",
    "about",
    "acheck",
    "acompare",
    "acount",
    "adiscover",
    "afeed",
    "arun",
    "astream",
    "check",
    "compare",
    "count",
    "discover",
    "feed",
    "origin",
    "run",
    "stream",
]

T = TypeVar("T")


async def adiscover(tap: str, config: Config = None, **options: Any) -> Catalog:
    """As `discover`, without holding up the event loop."""
    return await _in_thread(lambda cancel: discover(tap, config, cancel=cancel, **options))


async def acheck(plugin: str, config: Config = None, **options: Any) -> str:
    """As `check`, without holding up the event loop."""
    return await _in_thread(lambda cancel: check(plugin, config, cancel=cancel, **options))


async def acount(tap: str, config: Config = None, **options: Any) -> dict[str, int]:
    """As `count`, without holding up the event loop."""
    return await _in_thread(lambda cancel: count(tap, config, cancel=cancel, **options))


async def acompare(tap: str, target: str, **options: Any) -> list[StreamComparison]:
    """As `compare`, without holding up the event loop."""
    return await _in_thread(lambda cancel: compare(tap, target, cancel=cancel, **options))


async def aabout(plugin: str) -> dict[str, Any]:
    """As `about`, without holding up the event loop."""
    return await _in_thread(lambda cancel: about(plugin, cancel=cancel))


async def arun(tap: str, target: str, **options: Any) -> Report:
    """As `run`, without holding up the event loop; cancelling it is a clean stop with state."""
    return await _in_thread(lambda cancel: run(tap, target, cancel=cancel, **options))


@asynccontextmanager
async def astream(
    tap: str, config: Config = None, *, streams: Sequence[str] = (), **options: Any
) -> AsyncIterator[TapStream]:
    """As `stream`; read its `stdout` in a thread of your own (it ends when the block is left)."""
    opened = await _in_thread(
        lambda cancel: stream(tap, config, streams=streams, cancel=cancel, **options).open()
    )
    try:
        yield opened
    finally:
        await _finish(opened.close)


@asynccontextmanager
async def afeed(target: str, config: Config = None, **options: Any) -> AsyncIterator[TargetFeed]:
    """As `feed`; write to its `stdin` in a thread of your own."""
    opened = await _in_thread(lambda cancel: feed(target, config, cancel=cancel, **options).open())
    try:
        yield opened
    except BaseException:
        await _finish(lambda: opened.abort("the writer gave up"))
        raise
    finally:
        await _finish(opened.close)


async def _in_thread(work: Callable[[Cancel], T]) -> T:
    cancel = Cancel()
    task = asyncio.ensure_future(asyncio.to_thread(work, cancel))
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        cancel.request("cancelled")
        await asyncio.wait([task])
        _close_late(task)
        raise


def _close_late(task: asyncio.Future[Any]) -> None:
    """Close what *task* had opened before it learned that nobody waits for it any more."""
    if task.cancelled() or task.exception() is not None:
        return
    close = getattr(task.result(), "close", None)
    if callable(close):
        close()


async def _finish(work: Callable[[], Any]) -> None:
    """Do *work* in a thread to its end, even while this task is being cancelled."""
    await asyncio.shield(asyncio.to_thread(work))
