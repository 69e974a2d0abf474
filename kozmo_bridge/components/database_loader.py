"""Database Loader: rows of a table or a query, all of them or those that are new."""

from __future__ import annotations

import asyncio
import hashlib
from typing import Any, ClassVar

from kozmo_bridge.batch import Batch
from kozmo_bridge.calls import apreview
from kozmo_bridge.components import logins, picking
from kozmo_bridge.components.base import Problem, flag
from kozmo_bridge.components.canvas import (
    BoolInput,
    DropdownInput,
    IntInput,
    MultilineInput,
    StrInput,
    TableInput,
)
from kozmo_bridge.components.databases import Database, database
from kozmo_bridge.components.forms import Form
from kozmo_bridge.components.source import Extraction, SourceComponent, Wanted
from kozmo_runner import api
from kozmo_runner.stores.base import now
from kozmo_singer.errors import ConfigError, KozmoError
from kozmo_singer.wire.catalog import Catalog, Stream
from kozmo_singer.wire.types import Column, LogicalType

FULL, INCREMENTAL = "Full table", "Incremental"
LIMIT = 10_000
PREVIEWED = 5
QUERY = "query"
"""The stream of what the query finds."""
_COLUMNS = ("column", "read", "type", "key", "sample")
_ALL_SCHEMAS = ""


def query_config(sql: str, key: str = "") -> dict[str, Any]:
    """Return the settings by which a tap reads *sql* alone, new rows by the column *key*."""
    query: dict[str, Any] = {"sql": sql} | ({"replication_key": key} if key else {})
    return {"queries": {QUERY: query}, "discover_tables": False}


class DatabaseLoaderComponent(SourceComponent):
    """Reads a table, or the query that a user or an Agent gives."""

    display_name = "Database Loader"
    description = "Rows of a table or of a query, all of them or those that are new."
    icon = "Database"
    name = "DatabaseLoader"
    secret_inputs = logins.SECRETS
    verdict = "verdict"

    inputs: ClassVar[list[Any]] = [
        *logins.login_inputs("tap"),
        BoolInput(
            name="test_connection",
            display_name="Test connection",
            info="Connects, says what is there, and fills the lists of schemas and tables.",
            value=False,
            real_time_refresh=True,
        ),
        StrInput(
            name="verdict",
            display_name="Status",
            info="What the last test or choice has shown.",
            value="",
            placeholder="not tested yet",
        ),
        DropdownInput(
            name="schema_name",
            display_name="Schema",
            info="Which tables are offered; all, if empty. Test the connection to fill the list.",
            options=[],
            value="",
            combobox=True,
            real_time_refresh=True,
        ),
        DropdownInput(
            name="table_name",
            display_name="Table",
            info="A table or view: orders, or public.orders. Choose one, or type its name.",
            options=[],
            value="",
            combobox=True,
            real_time_refresh=True,
            refresh_button=True,
        ),
        TableInput(
            name="columns",
            display_name="Columns",
            info="Which columns are read: yes or no. Those of the key always are.",
            table_schema=picking.table_schema(),
            table_options=picking.TABLE_OPTIONS,
            trigger_text="Columns: all",
            value=[],
        ),
        MultilineInput(
            name="query",
            display_name="Query",
            info="A SELECT instead of a table. It is run read-only, so it changes nothing.",
            value="",
            tool_mode=True,
        ),
        DropdownInput(
            name="sync_mode",
            display_name="Read",
            info="The full table at each run, or only rows that are new since the last run.",
            options=[FULL, INCREMENTAL],
            value=FULL,
            real_time_refresh=True,
        ),
        DropdownInput(
            name="replication_key",
            display_name="New rows by",
            info="A column that grows with every change, such as updated_at or id.",
            options=[],
            value="",
            combobox=True,
            advanced=True,
            real_time_refresh=True,
        ),
        BoolInput(
            name="reset_bookmark",
            display_name="Reset bookmark",
            info="Has the next run read everything again.",
            value=False,
            advanced=True,
            real_time_refresh=True,
        ),
        StrInput(
            name="reset_at",
            display_name="Bookmark reset at",
            info="When the bookmark was reset; each new time has the next run read everything.",
            value="",
            advanced=True,
        ),
        IntInput(
            name="limit",
            display_name="Row limit",
            info=f"The most rows that are read; {LIMIT} unless you say otherwise, 0 for all.",
            value=LIMIT,
        ),
        MultilineInput(
            name="text_template",
            display_name="Text template",
            info="Text of each row from its columns, such as {name}: {description}.",
            value="",
            advanced=True,
        ),
        BoolInput(
            name="test_connection_only",
            display_name="Only test connection",
            info="The outputs tell whether the database can be reached, and no rows are read.",
            value=False,
            advanced=True,
        ),
    ]
    outputs: ClassVar[list[Any]] = SourceComponent.source_outputs

    # What is read.

    async def wanted(self) -> Wanted:
        """Return the query, or the table with its columns."""
        query = self.sql()
        return await (self._wanted_query(query) if query else self._wanted_table())

    def sql(self) -> str:
        """Return the query, nothing where a table is to be read."""
        return str(self.given("query") or "").strip()

    async def _wanted_query(self, sql: str) -> Wanted:
        key = self.text("replication_key") if self._incremental() else ""
        config = logins.settings(self) | logins.literal(query_config(sql, key))
        if self._incremental() and not key:
            raise ConfigError(
                "new rows of the query cannot be told: no column is named",
                "name one in 'New rows by'",
            )
        # Another query goes on from no bookmark of this one.
        mark = hashlib.sha256(sql.encode()).hexdigest()[:16]
        return self._wanted(config, None, [QUERY], mark)

    async def _wanted_table(self) -> Wanted:
        if not self.text("table_name"):
            raise ConfigError(
                "there is nothing to read: neither a table nor a query is given",
                "choose a table, or write a query",
            )
        stream = picking.chosen(await self._table(), self.given("columns") or [])
        if self._incremental():
            picking.incremental(stream, self.text("replication_key"))
        return self._wanted(logins.settings(self), Catalog([stream]), [], "")

    def _wanted(
        self, config: dict[str, Any], catalog: Catalog | None, streams: list[str], mark: str
    ) -> Wanted:
        return Wanted(
            self._chosen().plugin("tap"),
            config,
            streams,
            catalog=None if catalog is None else catalog.to_dict(),
            limit=self.number("limit"),
            incremental=self._incremental(),
            origin="-".join(filter(None, (api.origin(logins.login(self)), mark))),
            reset_at=self.text("reset_at"),
        )

    def _incremental(self) -> bool:
        return self.text("sync_mode") == INCREMENTAL

    def _chosen(self) -> Database:
        return database(self.text("database_type"))

    async def _table(self, form: Form | None = None) -> Stream:
        """The table that is named; only its schema is looked at where its name tells it."""
        name, schema = self.text("table_name"), self.text("schema_name")
        likely = picking.schema_meant(name) or schema or picking.DEFAULT_SCHEMA
        if self._chosen().has_schemas:
            try:
                return picking.find_table(await self._tables(form, likely), name, schema)
            except ConfigError:
                # Its name may hold a dot, and it may be alone in another schema.
                pass
        return picking.find_table(await self._tables(form), name, schema)

    async def _tables(self, form: Form | None, schema: str = "") -> Catalog:
        chosen = self._chosen()
        config = logins.settings(self, form)
        if schema and chosen.has_schemas:
            config["filter_schemas"] = [logins.literal({"it": schema})["it"]]
        return await api.adiscover(chosen.plugin("tap"), config)
