"""target-postgres: COPY into a new table, or into a stage that is merged with the rows there."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar, TypeVar

from kozmo_singer.errors import ReadError, WriteError
from kozmo_singer.settings import Setting
from kozmo_singer.systems.sql import postgres as system
from kozmo_singer.wire import lane
from kozmo_singer.wire.committed import TABLE, Committed
from kozmo_targets.load import Mark
from kozmo_targets.sql.ledger import Ledger, entries, query
from kozmo_targets.sql.names import Name, Naming
from kozmo_targets.sql.postgres_database import NAMING, PostgresDatabase
from kozmo_targets.sql.postgres_writer import PostgresWriter
from kozmo_targets.sql.target import SQL_SETTINGS, SqlTarget
from kozmo_targets.target import COMMON_SETTINGS, LoadMethod

if TYPE_CHECKING:
    from kozmo_targets.sql.planning import Noted
    from kozmo_targets.sql.postgres_planning import PostgresPlanned

T = TypeVar("T", bound=PostgresDatabase)
_LEDGERS = """
SELECT n.nspname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relname = %s AND c.relkind = 'r' AND 6 = (
        SELECT count(*) FROM pg_attribute a WHERE a.attrelid = c.oid AND NOT a.attisdropped
            AND a.attname IN ('state_id', 'run_id', 'state', 'shard', 'streams', 'rows'))
    AND has_schema_privilege(n.oid, 'USAGE')
    AND has_table_privilege(c.oid, 'SELECT')
ORDER BY 1
"""


class TargetPostgres(SqlTarget):
    """Loads streams into PostgreSQL 12 and later.

    Batches go through one connection and one transaction each. Streams that are overwritten go
    through another, whose only transaction ends with the input: nothing of it shows before, and
    nothing is left of it if the target dies. So do streams that are appended to where states are
    kept, and there each transaction ends with a state. With all_or_nothing there is but one
    connection, and one transaction of all rows.
    """

    name = "target-postgres"
    summary = "PostgreSQL tables"
    naming: ClassVar[Naming] = NAMING
    read_by = "tap-postgres"
    connection_settings = system.SETTINGS
    capabilities = (*SqlTarget.capabilities, "concurrent-streams", lane.CAPABILITY)
    needs: ClassVar[Mapping[str, tuple[str, ...]]] = {lane.CAPABILITY: ("pyarrow", "pgpq")}
    _overwrites = False
    _planned: PostgresPlanned | None = None
    settings = (
        *system.SETTINGS,
        Setting(
            "default_target_schema",
            "Schema for all streams. Without it: what the stream's name says before the first "
            "dash, else the first schema of the connection's search path",
        ),
        Setting(
            "nul_characters",
            "Text may hold U+0000, which PostgreSQL cannot store. fail: name the record and stop. "
            "replace: put U+FFFD in its place",
            default="fail",
            choices=("fail", "replace"),
        ),
        Setting(
            "fine_fractions",
            "A time may have a finer fraction of a second than the microseconds that PostgreSQL "
            "stores. fail: name the record and stop. round: let the server round it",
            default="fail",
            choices=("fail", "round"),
        ),
        *SQL_SETTINGS,
        *COMMON_SETTINGS,
    )
    examples = (
        "tap-sqlite --config shop.json | target-postgres --config warehouse.json",
        "target-postgres --config warehouse.json --check",
    )

    def check(self) -> str:
        """Connect; return version, schema and whether tables may be made there."""
        start = time.monotonic()
        with system.connect(self.config, self.name, autocommit=True) as connection:
            row = connection.execute(
                "SELECT current_setting('server_version'), coalesce(%(schema)s, current_schema()),"
                " CASE WHEN to_regnamespace(quote_ident(coalesce(%(schema)s, current_schema())))"
                " IS NULL THEN has_database_privilege(current_database(), 'CREATE') ELSE"
                " has_schema_privilege(coalesce(%(schema)s, current_schema()), 'CREATE') END",
                {"schema": self.config["default_target_schema"]},
            ).fetchone()
        taken = round((time.monotonic() - start) * 1000)
        version, schema, may_create = row or ("", None, None)
        if not may_create:
            raise WriteError(
                f"the user may not create tables in schema {schema}",
                "an administrator can allow it: GRANT CREATE ON SCHEMA ... TO ...",
            )
        return f"PostgreSQL {version.split()[0]}, may create tables in schema {schema}, {taken} ms"

    def expect_columns(self) -> None:
        """Load what decodes and encodes them."""
        import kozmo_targets.batch
        import kozmo_targets.sql.postgres_binary  # noqa: F401

    def placed(self, table: Name) -> Name:
        """Return *table* with the schema that it is in where nothing names one."""
        return table if table.schema else table._replace(schema=self._main.default_schema)

    def prepare(self, ledger: Ledger) -> None:
        """Make the table of *ledger*, and its schema, if they are not there."""
        where = ".".join(filter(None, ledger.table))
        doing = f"{self.name} could not use {where}, where states are kept"
        self._make_schema(ledger.table.schema)
        with system.translated(WriteError, doing):
            ledger.prepare(self._main, self.committed)
            self._main.commit()

    def committed(self, state_id: str) -> list[Committed]:
        """Return what was committed under *state_id*, in whichever schema."""
        doing = f"{self.name} could not look for states"
        with (
            system.connect(self.config, self.name, autocommit=True) as connection,
            system.translated(WriteError, doing),
        ):
            tables = connection.execute(_LEDGERS, [TABLE]).fetchall()
            found: list[Committed] = []
            for (schema,) in tables:
                name = system.qualified(schema, TABLE)
                text = f"{query(name)} %s".encode()
                found += entries(connection.execute(text, [state_id]).fetchall())
        return found

    @contextmanager
    def looking(self) -> Iterator[PostgresDatabase]:
        """Open a connection."""
        try:
            with system.translated(ReadError, f"{self.name} could not look at its tables"):
                yield self._main
        finally:
            self.close()

    @contextmanager
    def trying(self) -> Iterator[Noted]:
        """Open a connection whose only transaction is never committed."""
        from kozmo_targets.sql.postgres_planning import PostgresPlanned

        try:
            with system.translated(WriteError, f"{self.name} could not plan the load"):
                self._planned = self._main = self._held = self._connected(PostgresPlanned)
                yield self._planned
        finally:
            self.close()

    def table_writer(self, table: Name, method: LoadMethod) -> PostgresWriter:
        """Return a writer; the schema exists from now on."""
        self._make_schema(table.schema)
        if method == "overwrite":
            self._overwrites = True
            hidden = Name(table.schema, f"_kozmo_{os.urandom(8).hex()}")
            return PostgresWriter(self._held, self.config, table, hidden, method)
        apart = self.keeps_state and method == "append-only"
        database = self._held if apart else self._main
        return PostgresWriter(database, self.config, table, table, method)

    def _make_schema(self, schema: str | None) -> None:
        if schema and not self._main.has_schema(schema):
            # In a transaction of its own, for both connections to see.
            doing = f"{self.name} could not make schema {schema}"
            with self._apart() as database, system.translated(WriteError, doing):
                database.create_schema(schema)
                database.commit()

    @contextmanager
    def _apart(self) -> Iterator[PostgresDatabase]:
        if self._planned is not None:
            yield self._planned
        else:
            with system.connect(self.config, self.name, autocommit=True) as connection:
                yield PostgresDatabase(connection)

    def commit(self, mark: Mark | None = None) -> None:
        """Commit the batches of all streams that are not overwritten."""
        self._commit(mark, self.keeps_state and not self._overwrites)

    def commit_updates(self) -> None:
        """Commit the batches of streams that are updated by key."""
        self._commit(None, held=False)

    def complete(self, mark: Mark | None = None) -> None:
        """Commit, and show the tables that were overwritten."""
        self._commit(mark, held=True)

    def _commit(self, mark: Mark | None, held: bool) -> None:
        """Commit what is updated, then, if asked for, what is *held*; *mark* with the last."""
        names = ("_main", "_held")[: 1 + held]
        # They may be one and the same.
        opened = list(dict.fromkeys(self.__dict__[n] for n in names if n in self.__dict__))
        with system.translated(WriteError, f"{self.name} could not commit"):
            for database in opened:
                if self.ledger is not None and mark is not None and database is opened[-1]:
                    self.ledger.write(database, mark)
                database.commit()

    def close(self) -> None:
        """Close the connections; the server undoes what they did not commit."""
        self._open.close()

    @cached_property
    def _open(self) -> ExitStack:
        return ExitStack()

    @cached_property
    def _main(self) -> PostgresDatabase:
        return self._connected(PostgresDatabase)

    @cached_property
    def _held(self) -> PostgresDatabase:
        if self.config["all_or_nothing"]:
            return self._main
        return self._connected(PostgresDatabase)

    def _connected(self, kind: type[T]) -> T:
        connection = self._open.enter_context(
            system.connect(self.config, self.name, autocommit=True, prepare_threshold=None)
        )
        with system.translated(WriteError, f"{self.name} could not set up its connection"):
            connection.execute(
                "SET TIME ZONE 'UTC'; SET datestyle = 'ISO, YMD';"
                "SET standard_conforming_strings = on;"
                # A tap may be slow, and what is overwritten waits for it in a transaction.
                "SET idle_in_transaction_session_timeout = 0;"
                # Of a machine that is gone the server hears nothing: what it locked is free then.
                "SET tcp_keepalives_idle = 60; SET tcp_keepalives_interval = 10;"
                "SET tcp_keepalives_count = 6"
            )
        return kind(connection)
