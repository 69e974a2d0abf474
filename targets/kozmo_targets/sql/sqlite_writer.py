"""One stream's way into SQLite."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from kozmo_singer.errors import RecordError, WriteError
from kozmo_singer.systems.sql import sqlite as system
from kozmo_singer.wire.types import LogicalType
from kozmo_targets.sql.table import Change
from kozmo_targets.sql.writer import DELETED, NOT_DATA, Row, SqlWriter, upsert
from kozmo_targets.target import Counts

if TYPE_CHECKING:
    from kozmo_singer.wire.messages import Schema
    from kozmo_singer.wire.rows import Rows
    from kozmo_targets.sql.sqlite_database import SqliteDatabase

_BIGGEST = 1 << 63
_REFUSALS = (sqlite3.IntegrityError, sqlite3.DataError, UnicodeEncodeError)


class SqliteWriter(SqlWriter):
    """Inserts or updates row by row, in the transaction that the next commit ends."""

    database: SqliteDatabase

    def open(self, schema: Schema) -> None:
        with self._errors(schema.stream):
            super().open(schema)

    def opened(self) -> None:
        self._spell = {
            i: spell
            for i, column in enumerate(self.columns)
            if (spell := _spelling(column.type, self.found.columns.get(column.name)))
        }
        table, quote = self.database.text(self.destination), self.database.quote
        names = [c.name for c in self.columns]
        marks = ", ".join("?" * len(names))
        self._by_update = bool(self.key) and not self.has_unique_key
        compared = [n for n in names if n not in self.key and n not in NOT_DATA]
        if self._by_update:
            self._change, self._order = self._changing(names, compared)
        if self.key and not self._by_update:
            differs = " OR ".join(f"t.{quote(n)} IS NOT excluded.{quote(n)}" for n in compared)
            if_differs = f"CASE WHEN {differs} THEN kozmo_updated() END" if differs else "false"
            self._insert = upsert(
                self.database, table, names, self.key, f"VALUES ({marks})", if_differs
            )
        else:
            columns = ", ".join(map(quote, names))
            self._insert = f"INSERT INTO {table} ({columns}) VALUES ({marks})"

    def write(self, rows: Rows) -> None:
        with self._errors(self.stream):
            super().write(rows)

    def load(self, values: Sequence[Row], rows: Rows) -> None:
        try:
            with self._all_or_none():
                counts = self._put(self._spelt(values))
        except OverflowError:
            self._widen(values, rows.lines)
            self.load(values, rows)
            return
        except _REFUSALS as error:
            with self._all_or_none():
                raise self._culprit(values, rows.lines, error) from error
        self.count(*counts)
        if self.removes_deleted:
            self.database.execute(
                f"DELETE FROM {self.database.text(self.destination)} "
                f"WHERE {self.database.quote(DELETED)} IS NOT NULL"
            )

    def flush(self) -> bool:
        return self.method != "overwrite"

    def activate_version(self, version: int) -> None:
        with self._errors(self.stream):
            super().activate_version(version)

    def finish(self) -> None:
        if self.method == "overwrite":
            with self._errors(self.stream):
                self.database.replace(self.table, self.destination, self.key)

    @contextmanager
    def _all_or_none(self) -> Iterator[None]:
        """Undo what the block did, should a row be refused."""
        self.database.execute("SAVEPOINT kozmo_rows")
        try:
            yield
        except (*_REFUSALS, OverflowError, RecordError):
            self.database.execute("ROLLBACK TO kozmo_rows")
            self.database.execute("RELEASE kozmo_rows")
            raise
        self.database.execute("RELEASE kozmo_rows")

    def _put(self, rows: Sequence[Row]) -> Counts:
        if not self._by_update:
            before = self.database.next_update()
            done = self.database.connection.executemany(self._insert, rows)
            updated = self.database.next_update() - before - 1
            return Counts(max(done.rowcount, 0) - updated, updated)
        inserted = updated = 0
        for row in rows:
            changed = self._update(row)
            if changed is None:
                self.database.connection.execute(self._insert, row)
                inserted += 1
            else:
                updated += changed
        return Counts(inserted, updated)

    def _update(self, row: Row) -> bool | None:
        """Update the row of the same key in a table where the key is not unique.

        False if it is as it should be, None if there is none.
        """
        before = self.database.next_update()
        done = self.database.connection.execute(self._change, [row[i] for i in self._order])
        if done.rowcount > 0:
            return True
        return False if self.database.next_update() > before + 1 else None

    def _changing(self, names: list[str], compared: list[str]) -> tuple[str, list[int]]:
        """Return the UPDATE of a row that differs, and which of its values it takes.

        It looks at each row of the table once: `kozmo_updated` is called for those of the key.
        """
        quote = self.database.quote
        set_to = [name for name in names if name not in self.key] or self.key
        same = " AND ".join(f"{quote(name)} = ?" for name in self.key)
        differs = " OR ".join(f"{quote(name)} IS NOT ?" for name in compared) or "false"
        changes = ", ".join(f"{quote(name)} = ?" for name in set_to)
        # An index is used for the key alone; only a CASE says what is evaluated first.
        text = (
            f"UPDATE {self.database.text(self.destination)} SET {changes} WHERE {same} "
            f"AND CASE WHEN {same} THEN CASE WHEN kozmo_updated() THEN {differs} END END"
        )
        taken = (*set_to, *self.key, *self.key, *compared)
        return text, [names.index(name) for name in taken]

    def _spelt(self, rows: Sequence[Row]) -> Sequence[Row]:
        if not self._spell or not rows:
            return rows
        columns = list(zip(*rows, strict=True))
        for i, spell in self._spell.items():
            columns[i] = tuple([None if value is None else spell(value) for value in columns[i]])
        return list(zip(*columns, strict=True))

    def _widen(self, rows: Sequence[Row], lines: Sequence[int]) -> None:
        """An integer beyond 64 bits came: its column becomes one of decimals kept as text."""
        for i, column in enumerate(self.columns):
            values = [row[i] for row in rows]
            big = [
                at
                for at, v in enumerate(values)
                if isinstance(v, int) and not -_BIGGEST <= v < _BIGGEST
            ]
            if not big:
                continue
            if column.type.bits is not None or column.name in self.key:
                raise self.fit.error(
                    f"integer beyond 64 bits: {values[big[0]]}",
                    lines[big[0]],
                    self.property_of(column.name),
                )
            want = LogicalType("decimal")
            change = Change(column.name, LogicalType("integer", bits=64), want)
            self.database.change_types(self.destination, [change])
            self.columns[i] = column._replace(type=want)
            self.found = self.found._replace(columns={**self.found.columns, column.name: want})
        self.opened()

    def _culprit(
        self, rows: Sequence[Row], lines: Sequence[int], error: Exception
    ) -> RecordError | WriteError:
        """Find the row that SQLite refuses by giving it one at a time."""
        for row, line in zip(rows, lines, strict=True):
            said = self._refusal(row)
            if said is not None:
                return self.fit.error(said, line, self._unencodable(row))
        return WriteError(f"target-sqlite could not write stream {self.stream}", str(error))

    def _refusal(self, row: Row) -> str | None:
        try:
            self._put(self._spelt([row]))
        except UnicodeEncodeError:
            return "text holds half a surrogate pair, which no UTF-8 can carry"
        except sqlite3.Error as error:
            return str(error)
        return None

    def _unencodable(self, row: Row) -> str | None:
        """Return the field with text that UTF-8 cannot carry, None if there is none."""
        for column, value in zip(self.columns, row, strict=True):
            if isinstance(value, str) and value.encode(errors="replace").decode() != value:
                return self.property_of(column.name)
        return None

    @contextmanager
    def _errors(self, stream: str) -> Iterator[None]:
        with system.translated(WriteError, f"target-sqlite could not write stream {stream}"):
            yield


def _spelling(type: LogicalType, have: LogicalType | None) -> Callable[[Any], Any] | None:
    """Return how values must be written for SQLite to keep them, or None: as they are."""
    if type.name == "decimal":
        return str
    if type.name == "float":
        # SQLite turns NaN into NULL.
        return lambda value: value if value == value else "NaN"
    if type.name == "boolean" and have is not None and have.name != "boolean":
        return lambda value: "true" if value else "false"
    if have is not None and have.name == "decimal" and type.name == "integer":
        return str
    return None
