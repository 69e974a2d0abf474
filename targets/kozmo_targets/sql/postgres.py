"""target-postgres: COPY into a new table, or into a stage that is merged with the rows there."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import cached_property
from typing import ClassVar

from kozmo_singer.errors import ReadError, WriteError
from kozmo_singer.settings import Setting
from kozmo_singer.systems.sql import postgres as system
from kozmo_singer.wire import lane
from kozmo_targets.sql.names import Name, Naming
from kozmo_targets.sql.postgres_database import NAMING, PostgresDatabase
from kozmo_targets.sql.postgres_writer import PostgresWriter
from kozmo_targets.sql.target import SQL_SETTINGS, SqlTarget
from kozmo_targets.target import COMMON_SETTINGS, LoadMethod


class TargetPostgres(SqlTarget):
    """Loads streams into PostgreSQL 12 and later.

    Batches go through one connection and one transaction each. Streams that are overwritten go
    through another, whose only transaction ends with the input: nothing of it shows before, and
    nothing is left of it if the target dies.
    """

    name = "target-postgres"
    summary = "PostgreSQL tables"
    naming: ClassVar[Naming] = NAMING
    read_by = "tap-postgres"
    connection_settings = system.SETTINGS
    capabilities = (*SqlTarget.capabilities, "concurrent-streams", lane.CAPABILITY)
    needs: ClassVar[Mapping[str, tuple[str, ...]]] = {lane.CAPABILITY: ("pyarrow", "pgpq")}
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

    @contextmanager
    def looking(self) -> Iterator[PostgresDatabase]:
        """Open a connection."""
        try:
            with system.translated(ReadError, f"{self.name} could not look at its tables"):
                yield self._main
        finally:
            self.close()

    def table_writer(self, table: Name, method: LoadMethod) -> PostgresWriter:
        """Return a writer; the schema exists from now on."""
        main = self._main
        if table.schema and not main.has_schema(table.schema):
            # In a transaction of its own, for both connections to see.
            with system.connect(self.config, self.name, autocommit=True) as connection:
                PostgresDatabase(connection).create_schema(table.schema)
        if method != "overwrite":
            return PostgresWriter(main, self.config, table, table, method)
        hidden = Name(table.schema, f"_kozmo_{os.urandom(8).hex()}")
        return PostgresWriter(self._held, self.config, table, hidden, method)

    def commit(self) -> None:
        """Commit the batches of all streams that are not overwritten."""
        if "_main" in self.__dict__:
            with system.translated(WriteError, f"{self.name} could not commit"):
                self._main.commit()

    def complete(self) -> None:
        """Commit, and show the tables that were overwritten."""
        self.commit()
        if "_held" in self.__dict__:
            with system.translated(WriteError, f"{self.name} could not commit"):
                self._held.commit()

    def close(self) -> None:
        """Close the connections; the server undoes what they did not commit."""
        self._open.close()

    @cached_property
    def _open(self) -> ExitStack:
        return ExitStack()

    @cached_property
    def _main(self) -> PostgresDatabase:
        return self._connected()

    @cached_property
    def _held(self) -> PostgresDatabase:
        return self._connected()

    def _connected(self) -> PostgresDatabase:
        connection = self._open.enter_context(
            system.connect(self.config, self.name, autocommit=True, prepare_threshold=None)
        )
        with system.translated(WriteError, f"{self.name} could not set up its connection"):
            connection.execute(
                "SET TIME ZONE 'UTC'; SET datestyle = 'ISO, YMD';"
                # A tap may be slow, and what is overwritten waits for it in a transaction.
                "SET idle_in_transaction_session_timeout = 0"
            )
        return PostgresDatabase(connection)
