"""Where an incremental node stopped: kept in the host's storage, under its flow and its own id.

A bookmark is committed once the node's outputs are made. Where exporters of ours come after the
node, it is committed when the last of them has written its rows: what failed on the way there is
read again.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Collection, Iterable, Mapping
from typing import Any

import msgspec

from kozmo_bridge import _host
from kozmo_bridge.components.canvas import Component
from kozmo_runner.stores.base import now
from kozmo_singer.errors import ReadError, WriteError

EXPORTERS = {"DatabaseExporter", "SingerTarget"}
"""The names of the components that commit what the nodes before them have read."""
_PENDING = "kozmo-bookmarks"
_SLOTS = (1, 2)
_PLAIN = re.compile(r"[\w @-]{1,100}", re.ASCII)


class Bookmark(msgspec.Struct, frozen=True):
    """The state of a tap; *origin* marks the source that it was read from.

    *serial* grows with each save. *reset_at* is the last reset that it knows of.
    """

    state: dict[str, Any]
    origin: str = ""
    saved_at: str = ""
    serial: int = 0
    reset_at: str = ""


class Pending(msgspec.Struct):
    """A bookmark that waits for exporters."""

    node: str
    bookmark: Bookmark
    exporters: set[str]


async def load(component: Component, origin: str = "", reset_at: str = "") -> Bookmark | None:
    """Return where *component* stopped, None if it never did or read another source then.

    Each new *reset_at* has a bookmark from before it not used.
    """
    found = [kept for slot in _SLOTS if (kept := await _read(component, slot)) is not None]
    if not found:
        return None
    newest = max(found, key=lambda kept: kept.serial)
    if origin and newest.origin and newest.origin != origin:
        component.log("the source is another one than last time: everything is read")
        return None
    # Not by time: clocks differ, and a second is long.
    if reset_at and newest.reset_at != reset_at:
        component.log("the bookmark was reset: everything is read")
        return None
    return newest


async def commit(
    component: Component, state: Mapping[str, Any], origin: str = "", reset_at: str = ""
) -> None:
    """Keep *state*, now or when the exporters after *component* have written their rows."""
    bookmark = Bookmark(dict(state), origin, reset_at=reset_at)
    exporters = _exporters_after(component)
    if not exporters:
        await _save(component, component._id, bookmark)
        return
    waiting = component.graph.context.setdefault(_PENDING, {})
    waiting[component._id] = Pending(component._id, bookmark, exporters)


async def settle(exporter: Component, left_out: Collection[str] = ()) -> None:
    """Commit the bookmarks that waited for *exporter* only, which has written all its rows.

    The nodes *left_out* will not run after it, so nothing waits for them either.
    """
    waiting = getattr(exporter.graph, "context", {}).get(_PENDING, {})
    for pending in list(waiting.values()):
        pending.exporters -= {exporter._id, *left_out}
        if not pending.exporters:
            await _save(exporter, pending.node, pending.bookmark)
            del waiting[pending.node]


def nodes_after(graph: Any, nodes: Iterable[str]) -> set[str]:
    """Return *nodes* and all that come after them in the graph of a run."""
    successors = getattr(graph, "successor_map", {})
    found: set[str] = set()
    rest = list(nodes)
    while rest:
        node = rest.pop()
        if node not in found:
            found.add(node)
            rest += successors.get(node, ())
    return found


def _exporters_after(component: Component) -> set[str]:
    after = nodes_after(component.graph, [component._id]) - {component._id}
    return {node for node in after if _host.kind(component.graph, node) in EXPORTERS}


async def _save(component: Component, node: str, bookmark: Bookmark) -> None:
    flow = getattr(component.graph, "flow_id", None)
    if not flow:
        component.log("this flow is not saved, so its bookmark is not kept")
        return
    found = [kept for slot in _SLOTS if (kept := await _read(component, slot, node)) is not None]
    serial = max((kept.serial for kept in found), default=0) + 1
    kept = msgspec.structs.replace(bookmark, saved_at=now(), serial=serial)
    # The host writes a file in place: with two in turn one is whole, whenever it is struck down.
    name = _file_name(node, serial % len(_SLOTS) + 1)
    text = json.dumps(msgspec.to_builtins(kept)).encode()
    try:
        await _storage().save_file(str(flow), name, text)
    except OSError as error:
        raise WriteError(
            f"the bookmark cannot be kept in the host's storage: {error.strerror or error}",
            "what was read now is read again by the next run",
        ) from error


async def _read(component: Component, slot: int, node: str | None = None) -> Bookmark | None:
    flow = getattr(component.graph, "flow_id", None)
    if not flow:
        return None
    name = _file_name(node or component._id, slot)
    try:
        text = await _storage().get_file(str(flow), name)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ReadError(
            f"the bookmark cannot be read from the host's storage: {error.strerror or error}",
            "make it readable for the host, or choose to read all rows",
        ) from error
    try:
        return msgspec.convert(json.loads(text), Bookmark)
    except (ValueError, msgspec.ValidationError):
        return None


def _file_name(node: str, slot: int) -> str:
    # In Langflow an id is such as ext:data:SingerSource@extra-aaaaa; and flows come from anybody.
    name = node.replace(":", "-")
    if not _PLAIN.fullmatch(name):
        name = f"={hashlib.sha256(node.encode(errors='replace')).hexdigest()[:32]}"
    return f"kozmo-bookmark-{name}.{slot}.json"


def _storage() -> Any:
    service = _host.module("services.deps").get_storage_service()
    if service is None:
        raise ReadError("the host has no storage, where bookmarks would be kept")
    return service
