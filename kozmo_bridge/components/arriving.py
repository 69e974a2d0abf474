"""What comes to a node through its edges, and which nodes come after one of its outputs."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
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
    edges = _edges(component, name)
    if len(edges) > 1:
        values = [_brought(component, edge) for edge in edges]
    else:
        value = component.given(name)
        # The host makes None of an empty list.
        values = [[] if value is None and edges else value]
    if any(value is None or isinstance(value, str) for value in values):
        raise ConfigError("there are no rows to write", "connect Data or a DataFrame to the input")
    if all(isinstance(value, DataFrame) for value in values):
        return await asyncio.to_thread(joined, values)
    return await asyncio.to_thread(_rows, values)


def _rows(values: Sequence[Any]) -> list[Any]:
    rows: list[Any] = []
    for value in values:
        if isinstance(value, DataFrame):
            value = mage_df_to_kozmo_data(value)
        rows += value if isinstance(value, list) else [value]
    return rows


def _edges(component: KozmoComponent, name: str) -> list[Any]:
    edges = getattr(component._vertex, "incoming_edges", ())
    return [edge for edge in edges if edge.target_param == name]


def _brought(component: KozmoComponent, edge: Any) -> Any:
    """What came through *edge*; asked for it, the host would give us the first one of the node."""
    return component.graph.get_vertex(edge.source_id).results.get(edge.source_handle.name)


def only_after(component: KozmoComponent, output: str) -> bool:
    """Return whether *output* leads somewhere, and nothing else leads there."""
    edges = getattr(component._vertex, "outgoing_edges", ())
    named = {edge.target_id for edge in edges if edge.source_handle.name == output}
    mine = nodes_after(component.graph, named)
    into = [edge for edge in component.graph.edges if edge.target_id in mine] if mine else []
    own = {(component._id, output)}
    return bool(mine) and all(
        edge.source_id in mine or (edge.source_id, edge.source_handle.name) in own for edge in into
    )
