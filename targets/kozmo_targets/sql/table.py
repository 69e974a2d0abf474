"""The table that a stream is loaded into: what it must look like, and how it gets there."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from kozmo_singer.errors import WriteError
from kozmo_singer.wire.types import LogicalType
from kozmo_targets.sql.names import Name, Naming
from kozmo_targets.sql.widen import widened


class TableColumn(NamedTuple):
    """A column of a table of ours."""

    name: str
    type: LogicalType


class Found(NamedTuple):
    """A table that is there: its columns, the sets of columns that are unique, whether it is empty.

    The type of a column is None where it is of a kind of its own (an enum, a range), which stays.
    """

    columns: Mapping[str, LogicalType | None]
    unique: Sequence[frozenset[str]]
    empty: bool


class Change(NamedTuple):
    """A column whose type changes."""

    name: str
    have: LogicalType
    want: LogicalType


class Database(ABC):
    """What the SQL engine asks of a database: its names and its tables."""

    naming: Naming

    @abstractmethod
    def text(self, name: Name) -> str:
        """Return the quoted name of a table."""

    @abstractmethod
    def quote(self, column: str) -> str:
        """Return the quoted name of a column."""

    @abstractmethod
    def ddl(self, type: LogicalType) -> str:
        """Return the column type for *type*; types with the same text are the same."""

    @abstractmethod
    def find(self, table: Name) -> Found | None:
        """Return what is known of *table*, or None if there is none."""

    @abstractmethod
    def formatted(self, table: Name) -> dict[str, str]:
        """Return the types of the columns of *table* as the database writes them."""

    def unique_index(self, table: Name, key: Sequence[str]) -> str:
        """Return the statement that makes *key* unique, for the user to run."""
        name = self.naming.fitted("_".join((table.table, *key, "key")))
        keys = ", ".join(map(self.quote, key))
        return f"CREATE UNIQUE INDEX {self.quote(name)} ON {self.text(table)} ({keys})"

    def spelt(self, table: Name) -> Name:
        """Return *table*, which is there, as it calls itself."""
        return table

    @abstractmethod
    def create(self, table: Name, columns: Sequence[TableColumn], key: Sequence[str]) -> None:
        """Create *table* (and its schema) with *key* as its primary key, if there is any."""

    @abstractmethod
    def add_columns(self, table: Name, columns: Sequence[TableColumn]) -> None:
        """Add columns that are null in the rows that are there."""

    @abstractmethod
    def change_types(self, table: Name, changes: Sequence[Change]) -> None:
        """Change the types of columns; every value keeps its meaning."""

    @abstractmethod
    def execute(self, statement: str) -> int:
        """Run a statement in the transaction under way; return the number of rows it changed."""

    @abstractmethod
    def rows(self, query: str, *parameters: Any) -> list[tuple[Any, ...]]:
        """Return what *query* finds in the transaction under way."""

    def hold(self, name: str, *, shared: bool = False) -> None:
        """Keep others from what *name* names, or with *shared* from having it for themselves.

        To the end of the transaction. Nothing to do where transactions exclude each other anyway.
        """
        return

    def columns(self, table: Name) -> list[TableColumn]:
        """Return the columns of a table that we made."""
        found = self.find(table)
        types = found.columns if found is not None else {}
        return [TableColumn(name, type) for name, type in types.items() if type is not None]

    def shape(self, table: Name, columns: Sequence[TableColumn], key: Sequence[str]) -> Found:
        """Create *table*, or give it the columns that it lacks and the types that it needs."""
        found = self.find(table)
        if found is None:
            self.create(table, columns, key)
            unique = [frozenset(key)] if key else []
            return Found({c.name: c.type for c in columns}, unique, empty=True)
        known = {self.naming.fold(name): name for name in found.columns}
        missing = [c for c in columns if self.naming.fold(c.name) not in known]
        if missing:
            self.add_columns(table, missing)
        changes = []
        for column in columns:
            name = known.get(self.naming.fold(column.name))
            have = found.columns[name] if name is not None else None
            if name is None or have is None:
                continue
            want = widened(have, column.type)
            if self.ddl(want) != self.ddl(have):
                changes.append(Change(name, have, want))
        if changes:
            self.change_types(table, changes)
        types = {**found.columns, **{c.name: c.type for c in missing}}
        types |= {change.name: change.want for change in changes}
        return found._replace(columns=types)


class Places:
    """Which stream writes to which table; no two may share one."""

    def __init__(self, naming: Naming) -> None:
        self._fold = naming.fold
        self._taken: dict[tuple[str, str], str] = {}

    def take(self, table: Name, stream: str) -> None:
        """Note that *stream* writes to *table*; WriteError if another stream does."""
        key = (self._fold(table.schema or ""), self._fold(table.table))
        rival = self._taken.setdefault(key, stream)
        if rival != stream:
            raise WriteError(
                f"streams {rival} and {stream} would both be loaded into table {table.table}",
                "tell them apart: table_name = '{schema}_{table}', or default_target_schema unset",
            )
