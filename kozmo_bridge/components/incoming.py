"""What an edge brings: Data objects, one of them, or a DataFrame; and the other form of each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from kozmo_bridge.components.arriving import arrived
from kozmo_bridge.components.base import KozmoComponent
from kozmo_bridge.components.canvas import DataFrame
from kozmo_bridge.convert import (
    columns_of,
    is_table,
    kozmo_dataframe,
    mage_df_to_kozmo_data,
    rows_of,
)
from kozmo_bridge.frames import series_list, typed_series
from kozmo_bridge.values import native_list, unique_names

_PLAIN = ("O", "i", "u", "b", "f")
"""Kinds of columns whose values the host passes on as they are."""


async def came_in(component: KozmoComponent, name: str) -> Any:
    """Return what came to an input: a DataFrame as it is, anything else as a list of rows.

    The rows of several edges follow each other. Where nothing came, it is an empty list.
    """
    value = component.given(name)
    if value is None or isinstance(value, str):
        return []
    return await arrived(component, name)


def empty(table: Any) -> bool:
    """Return whether what came in has neither rows nor columns."""
    return len(table) == 0 and not len(getattr(table, "columns", ()))


def as_data(table: Any) -> list[Any]:
    """Return the rows as Data; a list is the list itself."""
    return mage_df_to_kozmo_data(table) if is_table(table) else list(table)


def as_dataframe(table: Any) -> DataFrame:
    """Return the rows as the host's DataFrame; one that came in is itself."""
    if isinstance(table, DataFrame):
        return table
    if is_table(table):
        frame: DataFrame = DataFrame(table)
        return frame
    rows = rows_of(table)
    names, columns = columns_of(rows)
    native = [native_list(column) for column in columns]
    made: DataFrame = kozmo_dataframe(unique_names(names), native, len(rows))
    return made


def for_host(table: Any, changed: Sequence[str]) -> Any:
    """Return *table* with values that the host can hold in the columns that were *changed*.

    Data have them already. In frames, dates and spans of time would stop the canvas.
    """
    if not is_table(table):
        return table
    from kozmo_bridge.cleaner.labels import labels_of

    made = {}
    for place, label in enumerate(labels_of(table.columns)):
        series = table.iloc[:, place]
        kind = getattr(series.dtype, "kind", "O")
        if kind not in _PLAIN or (kind == "O" and label in changed):
            made[place] = typed_series(series_list(series)).set_axis(table.index)
    return with_columns(table, made)


def with_columns(table: Any, columns: Mapping[int, Any]) -> Any:
    """Return *table* with other *columns* at some places; names may repeat and be no texts."""
    if columns:
        table = table.copy(deep=False)
        for place, column in columns.items():
            table.isetitem(place, column)
    return table
