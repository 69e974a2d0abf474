"""Tables of SQLite: finding, making, changing and replacing them, and the transaction."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Sequence
from itertools import count
from typing import Any

from kozmo_singer.errors import WriteError
from kozmo_singer.systems.sql import sqlite as system
from kozmo_singer.systems.sql.quoting import quote
from kozmo_singer.wire.types import LogicalType
from kozmo_targets.sql.names import Name, Naming
from kozmo_targets.sql.table import Change, Database, Found, TableColumn


def _fold(name: str) -> str:
    """SQLite compares names without regard to the case of A to Z, and of no other letter."""
    return name.encode("utf-8", "surrogatepass").lower().decode("utf-8", "surrogatepass")


NAMING = Naming(limit=None, fold=_fold, empty=True)
_LOOK_SECONDS = 0.002


class SqliteDatabase(Database):
    """A connection, its transaction, and the tables that are seen through it."""

    naming = NAMING

    def __init__(self, connection: sqlite3.Connection, patience: int) -> None:
        self.connection = connection
        self._patience = patience
        connection.create_function("kozmo_text", 2, _as_text, deterministic=True)
        # Called for each row that is updated: `changes()` cannot tell those from new ones.
        self.next_update = count(1).__next__
        connection.create_function("kozmo_updated", 0, self.next_update)

    def text(self, name: Name) -> str:
        return f"{self.quote(name.schema or 'main')}.{self.quote(name.table)}"

    def quote(self, column: str) -> str:
        return quote(column)

    def ddl(self, type: LogicalType) -> str:
        return system.ddl(type)

    def begin(self) -> None:
        """Begin a transaction unless one is under way."""
        if not self.connection.in_transaction:
            self._patiently("BEGIN IMMEDIATE")

    def keep_log(self) -> None:
        """Let readers go on while rows are written, and let no power cut take what is committed."""
        self._patiently("PRAGMA journal_mode = WAL")
        self.connection.execute("PRAGMA synchronous = FULL")

    def hold(self, name: str, *, shared: bool = False) -> None:
        # Transactions that write exclude each other.
        self.begin()

    def shape(self, table: Name, columns: Sequence[TableColumn], key: Sequence[str]) -> Found:
        # What was found must still be so when the table is made or changed.
        self.begin()
        return super().shape(table, columns, key)

    def _patiently(self, statement: str) -> None:
        """Run *statement* once no other process writes.

        SQLite itself looks ten times a second at most, and never meets a writer that begins again
        within milliseconds; and it does not wait at all to change the journal's mode.
        """
        deadline = time.monotonic() + self._patience
        self.connection.execute("PRAGMA busy_timeout = 0")
        try:
            while not self._done(statement, time.monotonic() > deadline):
                time.sleep(_LOOK_SECONDS)
        finally:
            self.connection.execute(f"PRAGMA busy_timeout = {1000 * self._patience}")

    def _done(self, statement: str, last: bool) -> bool:
        try:
            self.connection.execute(statement)
        except sqlite3.OperationalError as error:
            if last or "locked" not in str(error):
                raise
            return False
        return True

    def commit(self) -> None:
        """Commit the transaction under way, if any."""
        if self.connection.in_transaction:
            self.connection.execute("COMMIT")

    def execute(self, statement: str) -> int:
        self.begin()
        return self.connection.execute(statement).rowcount

    def find(self, table: Name) -> Found | None:
        schema = table.schema or "main"
        columns = self.rows(
            "SELECT name, type, pk FROM pragma_table_xinfo(?, ?)", table.table, schema
        )
        if not columns:
            return None
        key = frozenset(name for name, _, pk in columns if pk)
        indexes = self.rows(
            'SELECT name FROM pragma_index_list(?, ?) WHERE "unique" AND NOT partial',
            table.table,
            schema,
        )
        unique = [frozenset(self._columns_of(index, schema)) for (index,) in indexes]
        empty = not self.rows(f"SELECT 1 FROM {self.text(table)} LIMIT 1")
        types = {name: system.logical(declared) for name, declared, _ in columns}
        return Found(types, [key, *unique] if key else unique, empty)

    def formatted(self, table: Name) -> dict[str, str]:
        query = "SELECT name, type FROM pragma_table_xinfo(?, ?)"
        return dict(self.rows(query, table.table, table.schema or "main"))

    def unique_index(self, table: Name, key: Sequence[str]) -> str:
        # The schema belongs to the index's name here.
        return super().unique_index(table, key).replace(self.text(table), self.quote(table.table))

    def spelt(self, table: Name) -> Name:
        query = "SELECT name FROM sqlite_master WHERE name = ? COLLATE NOCASE AND tbl_name = name"
        return table._replace(table=self.rows(query, table.table)[0][0])

    def create(self, table: Name, columns: Sequence[TableColumn], key: Sequence[str]) -> None:
        parts = []
        for column in columns:
            # A primary key of SQLite may hold NULL unless it is told not to.
            note = " NOT NULL" if column.name in key else ""
            parts.append(f"{self.quote(column.name)} {self.ddl(column.type)}{note}")
        if key:
            parts.append(f"PRIMARY KEY ({', '.join(map(self.quote, key))})")
        self.execute(f"CREATE TABLE {self.text(table)} ({', '.join(parts)})")

    def add_columns(self, table: Name, columns: Sequence[TableColumn]) -> None:
        for column in columns:
            self.execute(
                f"ALTER TABLE {self.text(table)} "
                f"ADD COLUMN {self.quote(column.name)} {self.ddl(column.type)}"
            )

    def change_types(self, table: Name, changes: Sequence[Change]) -> None:
        """SQLite cannot change a type: a new column takes the values and then the name."""
        for change in changes:
            self._change_type(table, change)

    def _change_type(self, table: Name, change: Change) -> None:
        name, want = self.text(table), self.ddl(change.want)
        old, new = self.quote(change.name), self.quote(f"{change.name} _kozmo_new")
        try:
            self.execute(f"ALTER TABLE {name} ADD COLUMN {new} {want}")
            self.execute(f"UPDATE {name} SET {new} = kozmo_text({old}, '{change.have.name}')")
            self.execute(f"ALTER TABLE {name} DROP COLUMN {old}")
            self.execute(f"ALTER TABLE {name} RENAME COLUMN {new} TO {old}")
        except sqlite3.OperationalError as error:
            raise WriteError(
                f"column {change.name} of table {table.table} is {self.ddl(change.have)} and "
                f"cannot become {want}",
                str(error),
                "SQLite changes no column that a key, index, view or trigger uses",
                "load the stream into another table: table_name, table_prefix",
            ) from error

    def replace(self, table: Name, hidden: Name, key: Sequence[str]) -> None:
        """Put the rows of *hidden* in the place of those of *table*, which keeps its indexes,
        triggers and whatever else it has.
        """
        columns = self.columns(hidden)
        self.shape(table, columns, key)
        names = ", ".join(self.quote(c.name) for c in columns)
        self.execute(f"DELETE FROM {self.text(table)}")
        self.execute(
            f"INSERT INTO {self.text(table)} ({names}) SELECT {names} FROM {self.text(hidden)}"
        )
        self.execute(f"DROP TABLE {self.text(hidden)}")

    def _columns_of(self, index: str, schema: str) -> list[str]:
        found = self.rows("SELECT name FROM pragma_index_info(?, ?)", index, schema)
        # A part of an index that is an expression has no name.
        return [name if name is not None else "\0" for (name,) in found]

    def rows(self, query: str, *parameters: Any) -> list[tuple[Any, ...]]:
        return self.connection.execute(query, parameters).fetchall()


def _as_text(value: Any, kind: str) -> Any:
    """Return a cell in the form that loses nothing whatever the affinity of its new column."""
    if kind == "boolean" and isinstance(value, int):
        return "true" if value else "false"
    if isinstance(value, float):
        return repr(value)
    return str(value) if isinstance(value, int) else value
