"""target-sqlite: rows by executemany into a file in WAL mode."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar

from kozmo_singer.errors import ReadError, WriteError
from kozmo_singer.systems.sql import sqlite as system
from kozmo_singer.wire.committed import TABLE, Committed
from kozmo_targets.load import Mark
from kozmo_targets.sql.ledger import Ledger, entries, query
from kozmo_targets.sql.names import Name, Naming
from kozmo_targets.sql.sqlite_database import NAMING, SqliteDatabase
from kozmo_targets.sql.sqlite_writer import SqliteWriter
from kozmo_targets.sql.target import SQL_SETTINGS, SqlTarget
from kozmo_targets.target import COMMON_SETTINGS, LoadMethod

if TYPE_CHECKING:
    from kozmo_targets.sql.planning import Noted


class TargetSQLite(SqlTarget):
    """Loads streams into tables of one SQLite file; schemas are not looked at."""

    name = "target-sqlite"
    summary = "SQLite database files"
    naming: ClassVar[Naming] = NAMING
    read_by = "tap-sqlite"
    connection_settings = system.SETTINGS
    settings = (*system.SETTINGS, *SQL_SETTINGS, *COMMON_SETTINGS)
    examples = (
        "tap-postgres --config shop.json | target-sqlite --config file.json",
        "target-sqlite --config file.json --check",
    )

    def check(self) -> str:
        """Open the file; return its tables and whether it may be written to."""
        start = time.monotonic()
        path = system.database_path(self.config)
        with (
            system.connect(self.config) as connection,
            system.translated(WriteError, f"{self.name} may not write to {path}"),
        ):
            connection.execute("BEGIN IMMEDIATE")
            (tables,) = connection.execute(
                "SELECT count(*) FROM sqlite_master WHERE type = 'table'"
            ).fetchone()
            connection.execute("ROLLBACK")
        taken = round((time.monotonic() - start) * 1000)
        counted = "1 table" if tables == 1 else f"{tables} tables"
        return f"SQLite {sqlite3.sqlite_version}, {counted} in {path}, {taken} ms"

    def placed(self, table: Name) -> Name:
        """Return *table* without a schema."""
        return table._replace(schema=None)

    @contextmanager
    def looking(self) -> Iterator[SqliteDatabase]:
        """Open the file read-only."""
        with (
            system.connect(self.config, read_only=True) as connection,
            system.translated(ReadError, f"{self.name} could not look at its tables"),
        ):
            yield SqliteDatabase(connection, self.config["busy_timeout"])

    @contextmanager
    def trying(self) -> Iterator[Noted]:
        """Copy the tables into memory, without their rows but for those of the ledger."""
        from kozmo_targets.sql.sqlite_planning import expect_folder, planned

        path = system.database_path(self.config)
        if path.exists():
            self.check()
        else:
            expect_folder(path)
        with (
            system.translated(WriteError, f"{self.name} could not plan the load"),
            planned(self.config, path) as database,
        ):
            self._database = database
            yield database

    def table_writer(self, table: Name, method: LoadMethod) -> SqliteWriter:
        """Return a writer; what overwrites a table waits in a temporary one until the end."""
        hidden = table._replace(schema="temp") if method == "overwrite" else table
        return SqliteWriter(self._database, self.config, table, hidden, method)

    def prepare(self, ledger: Ledger) -> None:
        """Make the table of *ledger* if it is not there."""
        path = system.database_path(self.config)
        with system.translated(WriteError, f"{self.name} could not note the run in {path}"):
            ledger.prepare(self._database, self.committed)
            self._database.commit()

    def committed(self, state_id: str) -> list[Committed]:
        """Return what was committed under *state_id*."""
        if not system.database_path(self.config).exists():
            return []
        with (
            system.connect(self.config) as connection,
            system.translated(WriteError, f"{self.name} could not look for states"),
        ):
            there = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?"
            if not connection.execute(there, [TABLE]).fetchall():
                return []
            text = f"{query(TABLE)} ?"
            return entries(connection.execute(text, [state_id]).fetchall())

    def commit(self, mark: Mark | None = None) -> None:
        """Commit what the writers did."""
        if "_database" not in self.__dict__:
            return
        path = system.database_path(self.config)
        with system.translated(WriteError, f"{self.name} could not commit to {path}"):
            if self.ledger is not None and mark is not None:
                self.ledger.write(self._database, mark)
            self._database.commit()

    def close(self) -> None:
        """Close the file; what was not committed is undone."""
        self._open.close()

    @cached_property
    def _open(self) -> ExitStack:
        return ExitStack()

    @cached_property
    def _database(self) -> SqliteDatabase:
        connection = self._open.enter_context(system.connect(self.config))
        with system.translated(
            WriteError, f"{self.name} may not write to {system.database_path(self.config)}"
        ):
            database = SqliteDatabase(connection, self.config["busy_timeout"])
            database.keep_log()
        return database
