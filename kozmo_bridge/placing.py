"""Which table rows go to, by its exact name, and the types that they take of one that is there."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
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
    data: Any,
    there: Mapping[str, Any],
    said: Mapping[str, LogicalType] | None = None,
    fold: Callable[[str], str] = str,
) -> Shape:
    """Return *data* with the types that its columns have in *there*, a table's JSON Schema.

    So the table stays as it is, and rows that do not fit are the database's to refuse. Columns that
    it lacks get types by their values; texts that are dates or moments get theirs. The types that
    are *said* go before all that; ConfigError where *data* has no such column. A column of *data*
    is that of *there* where *fold* makes the same of their names.
    """
    said = said or {}
    types = {fold(column.name): column.type for column in columns(there)}

    def firm(name: str) -> Column | None:
        if name in said:
            return None if said[name].name == "string" else Column(name, said[name])
        type = types.get(fold(name))
        if type is None or type.name in (*_MOMENTS, "string"):
            return None
        return Column(name, _BASE64 if type.name == "binary" else type)

    shape = typed(data, firm)
    names = [column.name for column in shape.columns]
    check_names(said, names)
    lasting = {name for name, type in types.items() if type.name not in _MOMENTS}
    shape = with_moments(shape, {n for n in names if n in said or fold(n) in lasting})
    found: list[Column] = []
    turned: list[Values] = []
    values: list[Values] = list(zip(*shape.rows, strict=True)) or [()] * len(shape.columns)
    for column, cells in zip(shape.columns, values, strict=True):
        if column.name in said:
            type, cells = said[column.name], _as_said(said[column.name], column.type, cells)
        else:
            type, cells = _taken(types.get(fold(column.name)), column.type, cells)
        found.append(Column(column.name, type))
        turned.append(cells)
    return Shape(found, list(zip(*turned, strict=True)) if found else shape.rows)


def spelled(names: Iterable[str], shape: Shape, fold: Callable[[str], str] = str) -> list[str]:
    """Return *names* as the columns of *shape* spell them; what is none of them stays."""
    known = {fold(column.name): column.name for column in shape.columns}
    return [known.get(fold(name), name) for name in names]


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
