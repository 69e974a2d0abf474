"""Reading one table: whole, going on by its key, or from a bookmark on."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from decimal import Decimal, InvalidOperation
from typing import Any, Protocol

from kozmo_singer.wire import Column, LogicalType, Stream, to_schema
from kozmo_singer.wire.types import REPLICATION_METHOD
from kozmo_taps.sql.ranges import WHOLE, left, marked, steady, wire, within
from kozmo_taps.sql.relation import DbColumn, Relation
from kozmo_taps.sql.seen import Group, Row, Seen

_PLAIN = LogicalType("string")
Condition = tuple[str, list[Any]]
WHERE_NULL = "where-null"
"""Metadata of a stream: only rows are read in which this column is null."""


class Dialect(Protocol):
    """How a system spells SQL, and runs it. Values are bound as `DbColumn.parameter` says."""

    def quote(self, identifier: str) -> str: ...
    def qualified(self, relation: Relation) -> str: ...
    def since(self, column: DbColumn, start_date: str) -> Condition: ...
    def snapshot(self) -> AbstractContextManager[None]: ...
    def settle(self, relation: Relation, shape: list[DbColumn]) -> list[DbColumn]: ...
    def select(
        self,
        sql: str,
        parameters: Sequence[Any],
        relation: Relation,
        shape: Sequence[DbColumn],
        *,
        arrow: bool = False,
    ) -> Iterator[Sequence[Row]]: ...


class SqlReading(ABC):
    """What full tables and incremental streams have in common; *shape* are the columns read."""

    method: str
    version: int | None = None
    arrow = False
    """Whether rows may come as Arrow batches, which are sequences of rows too."""

    def __init__(
        self,
        dialect: Dialect,
        relation: Relation,
        stream: Stream,
        shape: Sequence[DbColumn],
        limit: int | None,
    ) -> None:
        self.dialect, self.relation, self._limit = dialect, relation, limit
        self.shape = dialect.settle(relation, list(shape))
        self._names = [column.name for column in self.shape]
        self.name = stream.tap_stream_id
        self.schema = self._emitted(stream)
        # Values come as they are to be written; the encoder has nothing to spell.
        spelt = dict.fromkeys(("binary", "json", "timestamp"), _PLAIN)
        self.columns = [Column(c.name, spelt.get(c.type.name, c.type)) for c in self.shape]
        self.key_properties = list(stream.key_properties)
        self.bookmark_properties: list[str] = []
        self.complete = False
        # Of rows that a target has marked as deleted, when it is read back.
        unset = stream.metadata.get((), {}).get(WHERE_NULL)
        self._always: list[Condition] = []
        if unset:
            self._always = [(f"{dialect.quote(unset)} IS NULL", [])]

    @abstractmethod
    def batches(self) -> Iterator[Sequence[Row]]:
        """Yield rows; after each batch `bookmark` covers it."""

    def first_run(self) -> list[Condition]:
        """Return the conditions that leave what a run without a bookmark delivers."""
        return self._always

    @property
    def table(self) -> str:
        """The quoted name of the table."""
        return self.dialect.qualified(self.relation)

    @abstractmethod
    def bookmark(self) -> dict[str, Any]:
        """Return where a next run goes on."""

    def _emitted(self, stream: Stream) -> dict[str, Any]:
        """The catalog's schema of what is read, with the types that settling changed."""
        schema = stream.masked_schema()
        told = stream.schema.get("properties") or {}
        properties = {}
        for column in self.shape:
            said = told.get(column.name)
            if said is None or column.settled:
                said = to_schema(column.type, not column.not_null)
            properties[column.name] = said
        return {**schema, "properties": properties, REPLICATION_METHOD: self.method}

    def _query(
        self, conditions: Sequence[Condition], order: Sequence[str], limit: int | None
    ) -> tuple[str, list[Any]]:
        columns = ", ".join(column.select for column in self.shape)
        sql = f"SELECT {columns} FROM {self.table}"
        parameters: list[Any] = []
        conditions = [*self._always, *conditions]
        if conditions:
            sql += " WHERE " + " AND ".join(f"({text})" for text, _ in conditions)
            parameters = [value for _, values in conditions for value in values]
        if order:
            sql += " ORDER BY " + ", ".join(map(self.dialect.quote, order))
        if limit is not None:
            sql += f" LIMIT {limit}"
        return sql, parameters

    def _rows(
        self,
        conditions: Sequence[Condition] = (),
        order: Sequence[str] = (),
        limit: int | None = None,
    ) -> Iterator[Sequence[Row]]:
        sql, parameters = self._query(conditions, order, limit)
        return self.dialect.select(sql, parameters, self.relation, self.shape, arrow=self.arrow)


class FullTable(SqlReading):
    """All rows, in the order of the primary key where there is one that can be gone on from.

    *marker* is what an earlier run that was interrupted left; *versioned* asks for versions.
    """

    method = "FULL_TABLE"

    def __init__(self, *args: Any, marker: Mapping[str, Any] | None, versioned: bool) -> None:
        super().__init__(*args)
        self._keys = steady(self.relation, {column.name: column for column in self.shape})
        self._places = [self._names.index(key.name) for key in self._keys]
        self._marked = bool(marker)
        self._left = left(marker, self._keys)
        if versioned:
            told = marker.get("version") if marker and self._left != [WHOLE] else None
            self.version = told if isinstance(told, int) else time.time_ns() // 1_000_000

    def batches(self) -> Iterator[Sequence[Row]]:
        """Yield every row that was not delivered before, range by range."""
        room = self._limit
        order = [key.name for key in self._keys]
        with self.dialect.snapshot():
            while self._left and room != 0:
                span = self._left[0]
                for rows in self._rows(within(self.dialect, self._keys, span), order, room):
                    room = None if room is None else room - len(rows)
                    if self._keys:
                        last = [wire(rows[-1][place]) for place in self._places]
                        self._left[0] = {**span, "after": last}
                    yield rows
                if room != 0:
                    del self._left[0]
        self.complete = not self._left

    def bookmark(self) -> dict[str, Any]:
        """Return what is left to be read while the table is incomplete."""
        mark = marked(self._left, self._keys)
        if mark is None:
            # Said aloud, because stores of state that merge would keep the old mark.
            return {"full_table": None} if self._marked else {}
        self._marked = True
        return {"full_table": mark if self.version is None else {**mark, "version": self.version}}


class Incremental(SqlReading):
    """Rows whose replication key is the bookmark or above, in order; the bookmark's only if new.

    Rows whose key is null, or a value that no bookmark can stand for, are read in every run and
    delivered if they are new.
    """

    method = "INCREMENTAL"

    def __init__(
        self, *args: Any, key: str, mark: Mapping[str, Any], start_date: str | None
    ) -> None:
        super().__init__(*args)
        self._place = self._names.index(key)
        self._key = self.shape[self._place]
        self.bookmark_properties = [key]
        self._start_date = start_date
        self._value = _marked_value(mark, key)
        seen = mark.get("replication_key_seen") if mark.get("replication_key") == key else None
        self._seen = Seen(seen if isinstance(seen, dict) else None)
        self._at_edge = self._value is not None
        self._left = self._limit

    def batches(self) -> Iterator[Sequence[Row]]:
        """Yield the rows that have no place in the order, then the others."""
        with self.dialect.snapshot():
            yield from self._apart()
            if self._left != 0:
                yield from self._ordered()
        self.complete = self._left is None or self._left > 0
        if self.complete:
            self._seen.finish()

    def bookmark(self) -> dict[str, Any]:
        """Return the highest value delivered, and the digests of the rows that have it."""
        found: dict[str, Any] = {"replication_key": self._key.name}
        if self._value is not None:
            found["replication_key_value"] = self._value
        counts = self._seen.counts()
        return {**found, "replication_key_seen": counts} if counts else found

    def first_run(self) -> list[Condition]:
        """Return the conditions of all streams, and what start_date leaves."""
        apart = " OR ".join(self._out_of_order())
        ordered = self._from()
        text = " AND ".join(f"({text})" for text, _ in ordered) or "true"
        parameters = [value for _, values in ordered for value in values]
        return [*self._always, (f"{apart} OR ({text})" if apart else text, parameters)]

    def _out_of_order(self) -> list[str]:
        name = self.dialect.quote(self._key.name)
        parts = [] if self._key.not_null else [f"{name} IS NULL"]
        return parts + ([self._key.apart] if self._key.apart else [])

    def _apart(self) -> Iterator[Sequence[Row]]:
        parts = self._out_of_order()
        if not parts:
            return
        for rows in self._rows([(" OR ".join(parts), [])]):
            fresh = self._fresh(rows, self._seen.apart)
            if fresh:
                yield fresh
            if self._left == 0:
                return

    def _ordered(self) -> Iterator[Sequence[Row]]:
        # Of rows at the edge nobody knows how many were delivered.
        limit = None if self._at_edge else self._left
        for rows in self._rows(self._from(), [self._key.name], limit):
            if self._at_edge:
                above = self._above(rows)
                fresh = self._fresh(rows[:above], self._seen.edge)
                if fresh:
                    yield fresh
                self._at_edge = above == len(rows)
                rows = rows[above:]
            if self._left is not None:
                rows = rows[: self._left]
                self._left -= len(rows)
            if rows:
                self._advance(rows)
                yield rows
            if self._left == 0:
                return

    def _from(self) -> list[Condition]:
        name = self.dialect.quote(self._key.name)
        found: list[Condition] = [] if self._key.not_null else [(f"{name} IS NOT NULL", [])]
        if self._key.apart:
            found.append((f"NOT ({self._key.apart})", []))
        if self._value is not None:
            found.append((f"{name} >= {self._key.parameter}", [self._value]))
        elif self._start_date and self._key.type.name in ("date", "timestamp", "timestamptz"):
            found.append(self.dialect.since(self._key, self._start_date))
        return found

    def _fresh(self, rows: Sequence[Row], group: Group) -> list[Row]:
        """The rows that no earlier run delivered, of which no more than the limit leaves."""
        if self._left is None:
            return self._seen.fresh(rows, group)
        found: list[Row] = []
        while rows and self._left:
            fresh = self._seen.fresh(rows[: self._left], group)
            rows = rows[self._left :]
            self._left -= len(fresh)
            found += fresh
        return found

    def _above(self, rows: Sequence[Row]) -> int:
        """The place of the first row whose key is no longer the bookmark."""
        edge = self._comparable(self._value)
        for place, row in enumerate(rows):
            if self._comparable(row[self._place]) != edge:
                return place
        return len(rows)

    def _advance(self, rows: Sequence[Row]) -> None:
        """Move the bookmark to the last of *rows*, and remember those that share its value."""
        last = self._comparable(rows[-1][self._place])
        start = len(rows) - 1
        while start > 0 and self._comparable(rows[start - 1][self._place]) == last:
            start -= 1
        if self._value is None or last != self._comparable(self._value):
            self._seen.move()
            self._value = wire(rows[-1][self._place])
        self._seen.note(rows[start:])

    def _comparable(self, value: Any) -> Any:
        """Equal where the database calls two keys equal: 1.0 and 1.00."""
        told = wire(value)
        if self._key.type.name == "decimal" and isinstance(told, str):
            try:
                return Decimal(told)
            except InvalidOperation:
                return told
        return told


def _marked_value(mark: Mapping[str, Any], key: str) -> Any:
    """The bookmark's value in the manner of the SDK, or of singer-python: under the key's name."""
    if mark.get("replication_key") in (key, None) and "replication_key_value" in mark:
        return mark["replication_key_value"]
    return mark.get(key)
