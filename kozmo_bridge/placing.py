"""Which table rows go to, by its exact name, and the types that they take of one that is there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from kozmo_bridge.exporting import with_moments
from kozmo_bridge.shapes import Shape, Values, as_text
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


def fitted(shape: Shape, there: Mapping[str, Any]) -> Shape:
    """Return *shape* with the types that its columns have in the JSON Schema of a table.

    So the table stays as it is, and rows that do not fit are the database's to refuse. Columns that
    it lacks keep their types; texts that are dates or moments get theirs.
    """
    types = {column.name: column.type for column in columns(there)}
    found: list[Column] = []
    turned: list[Values] = []
    values: list[Values] = list(zip(*shape.rows, strict=True)) or [()] * len(shape.columns)
    for column, cells in zip(shape.columns, values, strict=True):
        have = types.get(column.name)
        type, cells = (column.type, cells) if have is None else _taken(have, column.type, cells)
        found.append(Column(column.name, type))
        turned.append(cells)
    rows = list(zip(*turned, strict=True)) if found else shape.rows
    return with_moments(Shape(found, rows), types)


def _taken(have: LogicalType, want: LogicalType, cells: Values) -> tuple[LogicalType, Values]:
    """The type that cells of type *want* get in a column of type *have*, and the cells for it."""
    if have.name == "binary":
        # Of Data binary values are base64; bytes are written as their own type says.
        return (want, cells) if want.name == "binary" else (_BASE64, cells)
    if have.name != "string" or want.name == "string":
        return have, cells
    if have.length is None:
        # The target writes numbers, moments and nested values as text by itself.
        return want, cells
    return have, [None if cell is None else as_text(cell) for cell in cells]


_BASE64 = LogicalType("binary", encoding="base64")
