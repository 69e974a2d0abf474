"""Rows as KozmoAI Data objects or dicts: a list of them, or one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kozmo_bridge.cleaner.cells import Taken, of_objects
from kozmo_bridge.cleaner.changes import Column, Rows, python_values
from kozmo_bridge.convert import is_data, rows_of
from kozmo_bridge.values import native_list


class RowHome:
    """Data objects and dicts; keys that a row lacks are null, and stay missing."""

    def __init__(self, given: Any) -> None:
        self.single = isinstance(given, Mapping) or is_data(given)
        listed = isinstance(given, Iterable) and not isinstance(given, str | bytes | Mapping)
        self.items = list(given) if listed and not self.single else [given]
        self.dicts = rows_of(self.items if listed else given)
        self.names = tuple(dict.fromkeys(name for row in self.dicts for name in row))
        self.rows = len(self.items)

    def take(self) -> list[Taken]:
        """Return the columns; see Home."""
        return [of_objects([row.get(name) for row in self.dicts]) for name in self.names]

    def back(self, columns: Sequence[Column], rows: Rows) -> Any:
        """Return a list of new rows, or one where one came in; see Home.

        Values that are not changed are the same objects, in the order of the keys of their row;
        changed ones have the forms of docs/data-objects.md. New rows are of the first row's kind.
        """
        cells = [_Cells.of(column, self._name(column), self.names) for column in columns]
        places = [cell.place for cell in cells if cell.place is not None]
        reordered = places != sorted(places)
        whole = all(cell.same for cell in cells) and places == [*range(len(self.names))]
        names = {cell.key: cell.name for cell in cells if cell.place is not None}
        made = []
        for i, place in enumerate(rows.places):
            old = self.dicts[place] if place >= 0 else None
            if old is None:
                row = {cell.name: cell.values[i] for cell in cells}
            elif whole:
                row = dict(old)
            else:
                row = _row(old, cells, i)
                row = row if reordered else _ordered(row, old, names)
            made.append(self._like(place, row))
        return made[0] if self.single and len(made) == 1 else made

    def _name(self, column: Column) -> Any:
        if column.place is None or column.renamed:
            return column.label
        return self.names[column.place]

    def _like(self, place: int, row: dict[Any, Any]) -> Any:
        """Return a row as the kind of row that the one at *place* is."""
        item: Any = self.items[max(place, 0)] if self.items else {}
        if not is_data(item):
            return row
        settings = {name: getattr(item, name) for name in type(item).model_fields if name != "data"}
        return type(item)(**settings, data=row)


@dataclass(frozen=True)
class _Cells:
    """A column of the result as rows need it: its key before and now, and its new values."""

    name: Any
    place: int | None
    key: Any
    values: Sequence[Any]
    changed: Sequence[bool] | None

    @classmethod
    def of(cls, column: Column, name: Any, names: Sequence[Any]) -> _Cells:
        key = None if column.place is None else names[column.place]
        if column.same:
            return cls(name, column.place, key, (), None)
        values = native_list(python_values(column.series))
        changed = None if column.changed is None else column.changed.to_list()
        return cls(name, column.place, key, values, changed)

    @property
    def same(self) -> bool:
        return self.changed is None and self.name is self.key


def _row(old: Mapping[Any, Any], cells: Sequence[_Cells], i: int) -> dict[Any, Any]:
    """Return row *i* of the result, which was *old*: keys that it lacked come when they change."""
    found = {}
    for cell in cells:
        if cell.place is None or (cell.changed is not None and cell.changed[i]):
            found[cell.name] = cell.values[i]
        elif cell.key in old:
            found[cell.name] = old[cell.key]
    return found


def _ordered(row: dict[Any, Any], old: Mapping[Any, Any], names: Mapping[Any, Any]) -> Any:
    """Return *row* with the keys that *old* had in its order, and then the others."""
    first = {names[key]: row[names[key]] for key in old if key in names}
    return {**first, **row}
