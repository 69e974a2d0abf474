"""What comes to a node through its edges, and which nodes come after one of its outputs."""

from __future__ import annotations

from typing import Any

from kozmo_bridge.components.base import KozmoComponent
from kozmo_bridge.components.bookmarks import nodes_after
from kozmo_bridge.components.canvas import DataFrame
from kozmo_bridge.components.texts import joined
from kozmo_bridge.convert import mage_df_to_kozmo_data
from kozmo_singer.errors import ConfigError


async def arrived(component: KozmoComponent, name: str) -> Any:
    """Return the rows that came to the input *name*: a list of Data, or a DataFrame.

    ConfigError where nothing is connected. The rows of several edges follow each other: of an input
    that is no list the host would give us those of the last edge alone.
    """
    values = await _several(component, name)
    if not values:
        value = component.given(name)
        # The host makes None of an empty list.
        values = [[] if value is None and _edges(component, name) else value]
    if any(value is None or isinstance(value, str) for value in values):
        raise ConfigError("there are no rows to write", "connect Data or a DataFrame to the input")
    if all(isinstance(value, DataFrame) for value in values):
        return joined(values)
    rows: list[Any] = []
    for value in values:
        if isinstance(value, DataFrame):
            value = mage_df_to_kozmo_data(value)
        rows += value if isinstance(value, list) else [value]
    return rows


def _edges(component: KozmoComponent, name: str) -> list[Any]:
    edges = getattr(component._vertex, "incoming_edges", ())
    return [edge for edge in edges if edge.target_param == name]


async def _several(component: KozmoComponent, name: str) -> list[Any]:
    """What came through each of several edges, where the host does not put that into one list."""
    vertex, edges = component._vertex, _edges(component, name)
    if len(edges) < 2 or vertex.data["node"]["template"].get(name, {}).get("list"):
        return []
    sources = [vertex.graph.get_vertex(edge.source_id) for edge in edges]
    return [await source.get_result(vertex, name) for source in sources]


def only_after(component: KozmoComponent, output: str) -> set[str] | None:
    """Return the nodes that *output* alone leads to; None where another output leads there too."""
    vertex = component._vertex
    edges = [e for e in getattr(vertex, "edges", ()) if e.source_id == component._id]
    named = {e.target_id for e in edges if e.source_handle.name == output}
    others = {e.target_id for e in edges if e.source_handle.name != output}
    graph = vertex.graph if edges else None
    mine, theirs = nodes_after(graph, named), nodes_after(graph, others)
    return None if mine & theirs else mine
