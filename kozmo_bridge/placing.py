"""Which table rows go to, by its exact name, and the types that they take of one that is there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from kozmo_bridge.exporting import with_moments
from kozmo_bridge.shapes import Shape, Values, as_text, check_names, typed
from kozmo_singer.wire.types import Column, LogicalType, columns

_STREAM = "{stream}"


class Place(NamedTuple):
    """The stream, and the settings of a SQL target by which it goes to the table that is meant."""

    stream: str
    settings: dict[str, Any]


def place(table: str, schema: str = "") -> Place:
    """Return how rows get to *table*, spelled as it is; without *schema* to the usual one."""
    settings = {"default_target_schema": schema} if schema else {}
    if schema or "-" not in table:
        return Place(table, {**settings, "table_name": _STREAM})
    # What a stream's name has before its first dash would be taken for a schema; and in the
    # setting braces cannot be written, but where the stream is called so.
    if "{" in table:
        return Place("{", {"table_name": table.replace("{", _STREAM)})
    return Place(table.replace("-", "_"), {"table_name": table})


def fitted(
    data: Any, there: Mapping[str, Any], said: Mapping[str, LogicalType] | None = None
) -> Shape:
    """Return *data* with the types that its columns have in *there*, a table's JSON Schema.

    So the table stays as it is, and rows that do not fit are the database's to refuse. Columns that
    it lacks get types by their values; texts that are dates or moments get theirs. The types that
    are *said* go before all that; ConfigError where *data* has no such column.
    """
    said = said or {}
    types = {column.name: column.type for column in columns(there)}
    firm = {
        name: Column(name, _BASE64 if type.name == "binary" else type)
        for name, type in types.items()
        if type.name not in (*_MOMENTS, "string")
    }
    firm |= {name: Column(name, type) for name, type in said.items()}
    texts = {name for name, type in {**types, **said}.items() if type.name == "string"}
    firm = {name: column for name, column in firm.items() if name not in texts}
    shape = typed(data, firm)
    check_names(said, [column.name for column in shape.columns])
    shape = with_moments(shape, {*firm, *texts})
    found: list[Column] = []
    turned: list[Values] = []
    values: list[Values] = list(zip(*shape.rows, strict=True)) or [()] * len(shape.columns)
    for column, cells in zip(shape.columns, values, strict=True):
        if column.name in said:
            type, cells = said[column.name], _as_said(said[column.name], column.type, cells)
        else:
            type, cells = _taken(types.get(column.name), column.type, cells)
        found.append(Column(column.name, type))
        turned.append(cells)
    return Shape(found, list(zip(*turned, strict=True)) if found else shape.rows)


def _taken(
    have: LogicalType | None, want: LogicalType, cells: Values
) -> tuple[LogicalType, Values]:
    """The type that cells of type *want* get in a column of type *have*, and the cells for it."""
    if have is None or have.name == want.name == "binary":
        return want, cells
    if have.name == "string" != want.name:
        if have.length is None:
            # The target writes numbers, moments and nested values as text by itself.
            return want, cells
        return have, _texts(cells)
    if have.name in _MOMENTS and want.name in _MOMENTS[: _MOMENTS.index(have.name)]:
        # The target reads what has no zone as UTC.
        return want, cells
    return have, cells


def _as_said(said: LogicalType, have: LogicalType, cells: Values) -> Values:
    return _texts(cells) if said.name == "string" != have.name else cells


def _texts(cells: Values) -> Values:
    return [None if cell is None else as_text(cell) for cell in cells]


_BASE64 = LogicalType("binary", encoding="base64")
"""Of Data binary values are base64."""
_MOMENTS = ("date", "timestamp", "timestamptz")
"""Each can be stored as those after it."""
