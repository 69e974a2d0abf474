"""Database Loader: rows of a table or a query, all of them or those that are new."""

from __future__ import annotations

import asyncio
import hashlib
from typing import Any, ClassVar

from kozmo_bridge.batch import Batch
from kozmo_bridge.calls import apreview
from kozmo_bridge.components import columns, logins, resetting, tables, verdicts
from kozmo_bridge.components import inputs as inputs_of
from kozmo_bridge.components.base import flag, literal
from kozmo_bridge.components.canvas import (
    DropdownInput,
    MultilineInput,
    TableInput,
)
from kozmo_bridge.components.databases import Database, database, query_config, query_stream
from kozmo_bridge.components.forms import Form
from kozmo_bridge.components.source import Extraction, SourceComponent, Wanted
from kozmo_bridge.components.steps import rows_in
from kozmo_runner import api
from kozmo_singer.errors import ConfigError, KozmoError
from kozmo_singer.wire.catalog import Catalog, Stream
from kozmo_singer.wire.types import Column, LogicalType

FULL, INCREMENTAL = "Full table", "Incremental"
LIMIT = 10_000
PREVIEWED = 5
_ALL_SCHEMAS = "All schemas"
# The page has a list without options filled by itself, whenever a flow is opened.
_HINT = "(test the connection first)"
_NO_TABLE = "(no tables)"
_NO_SCHEMAS = (_ALL_SCHEMAS, _HINT)
_SAMPLE_SECONDS = 10.0
_LINES = 4
_COLUMNS = "Columns: all"
_COLUMNS_INFO = "Write no under Read to leave a column out. Those of the key are always read."


class DatabaseLoaderComponent(SourceComponent):
    """Reads a table, or the query that a user or an Agent gives."""

    display_name = "Database Loader"
    # The sidebar looks at some twenty letters of it only.
    description = "PostgreSQL, SQLite: rows of a table or a query, all or those that are new."
    icon = "Database"
    name = "DatabaseLoader"
    secret_inputs = logins.SECRETS
    verdict = "verdict"
    buttons = ("test_connection", resetting.BUTTON)

    inputs: ClassVar[list[Any]] = [
        *logins.login_inputs("tap"),
        inputs_of.test_connection("Schemas and tables are listed then."),
        verdicts.verdict(),
        DropdownInput(
            name="schema_name",
            display_name="Schema",
            info="Which tables are offered, and where a table is whose name has no schema.",
            options=[_HINT],
            value="",
            combobox=True,
            advanced=True,
            real_time_refresh=True,
        ),
        DropdownInput(
            name="table_name",
            display_name="Table",
            info="A table or view: orders, or public.orders. Choose one, or type its name.",
            options=[_HINT],
            value="",
            combobox=True,
            real_time_refresh=True,
            refresh_button=True,
        ),
        TableInput(
            name="columns",
            display_name="Columns",
            info=_COLUMNS_INFO,
            table_schema=columns.TABLE_SCHEMA,
            table_options=columns.TABLE_OPTIONS,
            trigger_text=_COLUMNS,
            value=[],
            advanced=True,
            real_time_refresh=True,
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
            display_name="Read mode",
            info="The full table at each run, or only rows that are new since the last run.",
            options=[FULL, INCREMENTAL],
            value=FULL,
            advanced=True,
            real_time_refresh=True,
        ),
        DropdownInput(
            name="replication_key",
            display_name="New rows by",
            info="The column that grows with every change, such as updated_at (replication key).",
            options=[_HINT],
            value="",
            combobox=True,
            advanced=True,
            real_time_refresh=True,
        ),
        *resetting.inputs(),
        inputs_of.row_limit(LIMIT),
        inputs_of.text_template(),
        inputs_of.only_test("the database can be reached"),
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
        key = self._key() if self._incremental() else ""
        config = logins.settings(self) | literal(query_config(sql, key))
        if self._incremental() and not key:
            raise ConfigError(
                "new rows of the query cannot be told: no column is named",
                "name one in 'New rows by'",
            )
        # Another query goes on from no bookmark of this one.
        mark = hashlib.sha256(sql.encode()).hexdigest()[:16]
        return self._wanted(config, query_stream(key), mark)

    async def _wanted_table(self) -> Wanted:
        if not self._table_name():
            raise ConfigError(
                "there is nothing to read: neither a table nor a query is given",
                "choose a table, or write a query",
            )
        stream = columns.chosen(await self._table(), rows_in(self.given("columns")))
        if self._incremental():
            tables.incremental(stream, self._key())
        return self._wanted(logins.settings(self), stream, "")

    def _wanted(self, config: dict[str, Any], stream: Stream, mark: str) -> Wanted:
        return Wanted(
            self._chosen().plugin("tap"),
            config,
            catalog=Catalog([stream]).to_dict(),
            limit=self.number("limit"),
            incremental=self._incremental(),
            origin="-".join(filter(None, (api.origin(logins.login(self)), mark))),
            reset_at=self.text(resetting.STAMP),
        )

    def _incremental(self) -> bool:
        return self.text("sync_mode") == INCREMENTAL

    def _chosen(self) -> Database:
        return database(self.text("database_type"))

    async def _table(self, form: Form | None = None) -> Stream:
        """The table that is named; only if it is not where it should be, all are looked at."""
        name, schema = self._table_name(), self._schema()
        ids = tables.likely_ids(name, schema) if self._chosen().has_schemas else [name]
        found = await self._tables(form, filter_tables=ids)
        if not tables.has_table(found, name):
            found = await self._tables(form)
        return tables.find_table(found, name, schema)

    async def _tables(self, form: Form | None, **filters: list[str]) -> Catalog:
        config = logins.settings(self, form) | literal(filters)
        return await api.adiscover(self._chosen().plugin("tap"), config)

    async def _extract(self) -> Extraction:
        if flag(self.given("test_connection_only")):
            return await self._tested()
        found = await super()._extract()
        limit = self.number("limit")
        if limit is not None and found.rows >= limit:
            self.log(f"stopped at the row limit of {limit}: there may be more rows")
        return found

    async def _tested(self) -> Extraction:
        try:
            status, message = "connected", await self._reached()
        except KozmoError as error:
            status, message = "failed", str(self.problem(error))
        texts = [Column(name, LogicalType("string")) for name in ("status", "message")]
        self.log(message)
        return Extraction([Batch("connection", texts, [(status, message)])])

    async def _reached(self, form: Form | None = None) -> str:
        return await api.acheck(self._chosen().plugin("tap"), logins.settings(self, form))

    def template(self) -> str | None:
        """Return the template for the text of each row."""
        # What a test says has other columns.
        return None if flag(self.given("test_connection_only")) else super().template()

    def _words(self, error: BaseException) -> list[str]:
        return super()._words(error)[:_LINES]

    async def to_toolkit(self) -> list[Any]:
        """Return the tool for Agents, which says what it may be asked."""
        self.description = self._asked_for()
        return await super().to_toolkit()

    def _asked_for(self) -> str:
        chosen = self._chosen()
        limit = self.number("limit")
        most = f"at most {limit} rows" if limit else "all rows"
        return (
            f"Runs one SQL query, in the dialect of {chosen.label}, in the {chosen.label} database"
            f"{self._named()}, and returns {most} that it finds. It is read-only: one SELECT (or "
            f"WITH); nothing can be changed. Tables and columns are found by: {chosen.lookup}"
        )

    def _named(self) -> str:
        name = self.text("database") or self.text("database_file").rpartition("/")[2]
        return f" '{name}'" if name else ""

    # What the form shows.

    async def refresh(self, form: Form, changed: str) -> None:
        """Show the inputs that count; look at the database where the user asked for that."""
        chosen = self._chosen()
        logins.show_login(self, form, chosen, changed)
        if changed in ("database_type", "connect_by"):
            self.tell(form, "")
        if changed == "database_type":
            self._forget_tables(form)
        chosen.plugin("tap")
        await self._answer(form, changed)
        self._show_reading(form)

    def _show_reading(self, form: Form) -> None:
        """Show on the node what there is to choose; the rest is among the advanced inputs."""
        schemas = [name for name in form.options("schema_name") if name not in _NO_SCHEMAS]
        form.place("schema_name", self._chosen().has_schemas, rare=len(schemas) < 2)
        known = bool(form.value("columns"))
        form.place("columns", True, rare=not known)
        new_only = form.value("sync_mode") == INCREMENTAL
        form.place("sync_mode", True, rare=not (known or new_only))
        form.place("replication_key", True, rare=not new_only)
        form.place(resetting.BUTTON, True, rare=not new_only)

    async def _answer(self, form: Form, changed: str) -> None:
        if changed == "test_connection":
            self.tell(form, await self._reached_and_listed(form))
        elif changed == "schema_name":
            await self._choose_schema(form)
        elif changed == "table_name":
            await self._choose_table(form)
        elif changed == "columns":
            self._show_columns(form, columns.with_keys(rows_in(form.value("columns"))))
        elif changed == resetting.BUTTON:
            resetting.press(form)
            self.tell(form, "The next run reads everything")
        elif changed in ("sync_mode", "replication_key"):
            self.tell(form, self._outlook())

    async def _reached_and_listed(self, form: Form) -> str:
        reached = asyncio.ensure_future(self._reached(form))
        listed = asyncio.ensure_future(self._list_tables(form))
        try:
            await asyncio.gather(reached, listed)
        finally:
            # Where one fails, the other must not go on with a form that nobody sees any more.
            reached.cancel()
            listed.cancel()
            await asyncio.gather(reached, listed, return_exceptions=True)
        return reached.result()

    async def _list_tables(self, form: Form) -> None:
        schema = self._schema()
        filters = {"filter_schemas": [schema]} if schema else {}
        found = await self._tables(form, **filters)
        streams = found.streams
        titles = [tables.title(stream, schema) for stream in streams]
        form.offer("table_name", titles or [_NO_TABLE], tables.notes(streams))
        if not schema:
            form.offer("schema_name", [_ALL_SCHEMAS, *tables.schemas(found)])

    async def _choose_schema(self, form: Form) -> None:
        await self._list_tables(form)
        if self._table_name() not in form.options("table_name"):
            form.set("table_name", "")
            self._show_columns(form, [])

    async def _choose_table(self, form: Form) -> None:
        if not self._table_name():
            form.set("table_name", "")
            self._show_columns(form, [])
            await self._list_tables(form)
            return
        before = rows_in(form.value("columns"))
        stream = await self._table(form)
        info = f"{_COLUMNS_INFO} These are of {tables.title(stream)}."
        same = form.fields.get("columns", {}).get("info") == info
        if same:
            # It was chosen before, so the button beside it was pressed.
            await self._list_tables(form)
        form.note("columns", info=info)
        form.offer("replication_key", tables.valid_keys(stream))
        rows = columns.column_rows(stream, None, before if same else ())
        self._show_columns(form, rows)
        self.tell(form, tables.told(stream))
        samples = await self._sampled(form, stream)
        self._show_columns(form, columns.column_rows(stream, samples, rows))

    async def _sampled(self, form: Form, stream: Stream) -> Batch | None:
        catalog = Catalog([columns.chosen(stream, [])])
        config = logins.settings(self, form)
        looking = apreview(self._chosen().plugin("tap"), config, catalog=catalog, rows=PREVIEWED)
        try:
            # A view may take minutes to its first row.
            found = await asyncio.wait_for(looking, _SAMPLE_SECONDS)
        except asyncio.TimeoutError:
            return None
        return found.get(stream.stream)

    def _show_columns(self, form: Form, rows: list[dict[str, str]]) -> None:
        form.set("columns", rows)
        if not rows:
            form.note("columns", info=_COLUMNS_INFO)
        read = len(rows) - len(columns.unread(rows))
        form.note("columns", trigger_text=f"Columns: {read} of {len(rows)}" if rows else _COLUMNS)

    def _forget_tables(self, form: Form) -> None:
        for name in ("schema_name", "table_name", "replication_key"):
            form.offer(name, [_HINT])
            form.set(name, "")
        self._show_columns(form, [])

    def _outlook(self) -> str:
        key = self._key()
        if not self._incremental():
            return "Each run reads all rows"
        return f"Each run reads new rows by {key}" if key else "Choose a column in 'New rows by'"

    def _key(self) -> str:
        name = self.text("replication_key")
        return "" if name == _HINT else name

    def _schema(self) -> str:
        name = self.text("schema_name")
        return "" if name in _NO_SCHEMAS else name

    def _table_name(self) -> str:
        name = self.text("table_name")
        return "" if name in (_HINT, _NO_TABLE) else name
