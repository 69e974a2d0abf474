"""Cells of SQLite as wire values, and what is done where a cell does not fit its declared type.

SQLite lets any cell hold any value. What a column declares decides its schema; a cell that does
not fit it (text in an INTEGER column, a date that is none) is an error by default. With
``mistyped: widen`` such columns are found beforehand and become text (type string, with numbers
allowed), in which a blob, and text that is not UTF-8, is written as SQL writes it: ``x'00ff'``.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from kozmo_singer.wire import LogicalType
from kozmo_singer.wire.checks import well_formed
from kozmo_taps.sql.relation import DbColumn

Cells = Sequence[Any]
_DIGITS = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?", re.ASCII)
_WORDS = {"NaN", "Infinity", "-Infinity"}
_JSON = msgspec.json.Decoder(msgspec.Raw)
NONE = type(None)


class Misfit(Exception):
    """A cell that its column's type cannot hold."""

    def __init__(self, cell: Any) -> None:
        super().__init__(cell)
        self.cell = cell


def converter(column: DbColumn) -> Callable[[Cells], Cells]:
    """Return what turns the cells of *column* into wire values, or raises Misfit."""
    if column.as_text:
        return _as_text
    if column.type.mixed:
        return _mixed
    return _CONVERT.get(column.type.name, _well_formed(column.type.name))


MIXED = LogicalType("string", mixed=True)


def _only(cells: Cells, *types: type) -> None:
    if not {*map(type, cells)} <= {*types, NONE}:
        raise Misfit(next(c for c in cells if c is not None and type(c) not in types))


def _integer(cells: Cells) -> Cells:
    _only(cells, int)
    return cells


def _float(cells: Cells) -> Cells:
    """Numbers, and the word NaN: target-sqlite keeps it as text, because SQLite has NULL for it."""
    _only([c for c in cells if c != "NaN"] if "NaN" in cells else cells, float, int)
    return cells


def _boolean(cells: Cells) -> Cells:
    _only(cells, int)
    odd = {*cells} - {0, 1, None}
    if odd:
        raise Misfit(min(odd))
    return [None if c is None else c == 1 for c in cells]


def _decimal(cells: Cells) -> Cells:
    """Digits kept as text, which is how target-sqlite stores them, or numbers as they are."""
    _only(cells, str, int, float)
    if str in {*map(type, cells)}:
        cells = [_digits(c) if isinstance(c, str) else c for c in cells]
    return _finite(cells)


def _digits(cell: str) -> Any:
    if _DIGITS.fullmatch(cell):
        return msgspec.Raw(cell)
    if cell in _WORDS:
        return cell
    raise Misfit(cell)


def _text(cells: Cells) -> Cells:
    _only(cells, str)
    return cells


def _binary(cells: Cells) -> Cells:
    _only(cells, bytes)
    return [None if c is None else c.hex() for c in cells]


def _json(cells: Cells) -> Cells:
    _only(cells, str, int, float)
    return _finite([_document(c) if isinstance(c, str) else c for c in cells])


def _document(cell: str) -> msgspec.Raw:
    try:
        _JSON.decode(cell)
    except (msgspec.DecodeError, UnicodeEncodeError):
        raise Misfit(cell) from None
    return msgspec.Raw(cell.replace("\n", " "))


def _well_formed(name: str) -> Callable[[Cells], Cells]:
    def check(cells: Cells) -> Cells:
        _only(cells, str)
        if not well_formed(name, list(filter(None, cells))) or "" in cells:
            raise Misfit(next(c for c in cells if c is not None and not well_formed(name, [c])))
        return cells

    return check


def _mixed(cells: Cells) -> Cells:
    """Text and numbers as they are; a blob as the SQL literal that it is."""
    types = {*map(type, cells)}
    if float not in types and bytes not in types:
        return cells
    return [_literal(c) if isinstance(c, float | bytes) else c for c in cells]


def _literal(cell: float | bytes) -> Any:
    if isinstance(cell, bytes):
        return f"x'{cell.hex()}'"
    return cell if math.isfinite(cell) else _non_finite(cell)


def _as_text(cells: Cells) -> Cells:
    """Text of everything, for a column that the catalog calls a string."""
    return [_spelt(c) if isinstance(c, int | float | bytes) else c for c in cells]


def _spelt(cell: int | float | bytes) -> str:
    if isinstance(cell, int):
        return str(cell)
    return str(_literal(cell))


def _finite(cells: Cells) -> Cells:
    if all(map(math.isfinite, (c for c in cells if type(c) is float))):
        return cells
    return [_literal(c) if isinstance(c, float) else c for c in cells]


def _non_finite(cell: float) -> str:
    return "Infinity" if cell > 0 else "-Infinity"


_CONVERT: dict[str, Callable[[Cells], Cells]] = {
    "boolean": _boolean,
    "integer": _integer,
    "float": _float,
    "decimal": _decimal,
    "string": _text,
    "binary": _binary,
    "json": _json,
}
