"""Where an incremental node stopped: kept in the host's storage, under its flow and its own id.

A bookmark is committed once the node's outputs are made. Where exporters of ours come after the
node, it is committed when the last of them has written its rows: what failed on the way there is
read again.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from kozmo_bridge import _host
from kozmo_bridge.components.canvas import Component
from kozmo_runner.stores.base import now
from kozmo_singer.errors import ReadError, WriteError

_PENDING = "kozmo-bookmarks"
_SLOTS = (1, 2)
_PLAIN = re.compile(r"[\w @-]{1,100}", re.ASCII)


class Bookmark(msgspec.Struct, frozen=True):
    """The state of a tap; *origin* marks the source that it was read from.

    *serial* grows with each save from 1 on. *reset_at* is the last reset that it knows of.
    """

    state: dict[str, Any]
    origin: str = ""
    saved_at: str = ""
    serial: int = 0
    reset_at: str = ""


class Pending(msgspec.Struct):
    """A bookmark that waits for exporters."""

    bookmark: Bookmark
    exporters: set[str]


async def load(component: Component, origin: str = "", reset_at: str = "") -> Bookmark:
    """Return where *component* stopped; without a state if it never did or read another source.

    Each new *reset_at* has a state from before it not used. Words about it go to the log.
    """
    newest = await _newest(component, component._id)
    if not _flow(component):
        component.log("this flow is not saved, so its bookmark is not kept")
    held = [node for node in _exporters_after(component) if not _asked(component, node)]
    if held:
        component.log(f"the bookmark is not kept, since {_names(component, held)} does not run now")
    if newest.state and origin and newest.origin and newest.origin != origin:
        component.log("the source is another one than last time: everything is read")
        return Bookmark({}, serial=newest.serial)
    # Not by time: clocks differ, and a second is long.
    if newest.state and reset_at and newest.reset_at != reset_at:
        component.log("the bookmark was reset: everything is read")
        return Bookmark({}, serial=newest.serial)
    return newest


async def commit(component: Component, bookmark: Bookmark) -> None:
    """Keep *bookmark*, now or when the exporters after *component* have written their rows.

    Its serial is to be one more than that of what was loaded. ReadError where another run of the
    flow has kept one meanwhile.
    """
    exporters = _exporters_after(component)
    if not exporters:
        await _save(component, component._id, bookmark)
        return
    waiting = component.graph.context.setdefault(_PENDING, {})
    waiting[component._id] = Pending(bookmark, exporters)


async def settle(exporter: Component) -> None:
    """Commit the bookmarks that waited for *exporter* only, which has written all its rows."""
    waiting = getattr(exporter.graph, "context", {}).get(_PENDING, {})
    for node, pending in list(waiting.items()):
        pending.exporters.discard(exporter._id)
        pending.exporters = {one for one in pending.exporters if _is_to_come(exporter, one)}
        if not pending.exporters:
            del waiting[node]
            await _save(exporter, node, pending.bookmark)
        else:
            names = _names(exporter, pending.exporters)
            exporter.log(f"the bookmark is kept once {names} has written the rows as well")


def nodes_after(graph: Any, nodes: Iterable[str]) -> set[str]:
    """Return *nodes* and all that come after them in the graph of a run."""
    return _along(getattr(graph, "successor_map", {}), nodes)


def _along(edges: Mapping[str, Iterable[str]], nodes: Iterable[str]) -> set[str]:
    found: set[str] = set()
    rest = list(nodes)
    while rest:
        node = rest.pop()
        if node not in found:
            found.add(node)
            rest += edges.get(node, ())
    return found


def _exporters_after(component: Component) -> set[str]:
    """The nodes after *component* whose components commit what it has read.

    Those with code of the first integration do not: they are as any other node.
    """
    graph = component.graph
    after = nodes_after(graph, [component._id]) - {component._id}
    instances = {node: graph.get_vertex(node).custom_component for node in after}
    return {node for node, made in instances.items() if getattr(made, "commits_bookmarks", False)}


def _names(component: Component, nodes: Iterable[str]) -> str:
    return " and ".join(
        str(component.graph.get_vertex(node).display_name) for node in sorted(nodes)
    )


def _asked(component: Component, node: str) -> bool:
    """Whether this run is to include *node*: one that ends at another node leaves some out."""
    return node in component.graph.vertices_to_run


def _is_to_come(component: Component, node: str) -> bool:
    """Whether the rows for *node* are still to be written, by this run or by one that includes it.

    What a router has switched off, and what is frozen, does not come.
    """
    graph = component.graph
    if not _asked(component, node):
        return True
    vertex = graph.get_vertex(node)
    before, running = _along(graph.predecessor_map, [node]), graph.run_manager.vertices_being_run
    return vertex.is_active() and not vertex.built and bool(before & running)


def _flow(component: Component) -> str:
    return str(getattr(component.graph, "flow_id", None) or "")


async def _save(component: Component, node: str, bookmark: Bookmark) -> None:
    flow = _flow(component)
    if not flow:
        return
    if (await _newest(component, node)).serial >= bookmark.serial:
        raise ReadError(
            "another run of this flow has read the same rows at the same time",
            "look whether they came twice, and run the flow once at a time",
        )
    kept = msgspec.structs.replace(bookmark, saved_at=now())
    # The host writes a file in place: with two in turn one is whole, whenever it is struck down.
    name = _file_name(node, kept.serial % len(_SLOTS) + 1)
    text = json.dumps(msgspec.to_builtins(kept)).encode()
    try:
        await _storage().save_file(flow, name, text)
    except OSError as error:
        raise WriteError(
            f"the bookmark cannot be kept in the host's storage: {error.strerror or error}",
            "what was read now is read again by the next run",
        ) from error


async def _newest(component: Component, node: str) -> Bookmark:
    found = [kept for slot in _SLOTS if (kept := await _read(component, slot, node)) is not None]
    return max(found, key=lambda kept: kept.serial, default=Bookmark({}))


async def _read(component: Component, slot: int, node: str) -> Bookmark | None:
    flow = _flow(component)
    if not flow:
        return None
    try:
        text = await _storage().get_file(flow, _file_name(node, slot))
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
