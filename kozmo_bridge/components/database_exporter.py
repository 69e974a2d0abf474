"""Database Exporter: rows into a table."""

from __future__ import annotations

import asyncio
from typing import Any, ClassVar

from kozmo_bridge.calls import in_thread
from kozmo_bridge.components import bookmarks, verdicts
from kozmo_bridge.components import inputs as inputs_of
from kozmo_bridge.components.arriving import arrived, only_after
from kozmo_bridge.components.base import KozmoComponent, Stopwatch, flag, names_in, output
from kozmo_bridge.components.canvas import (
    DATA,
    BoolInput,
    Data,
    DropdownInput,
    Output,
    StrInput,
    TableInput,
)
from kozmo_bridge.components.databases import Database, database
from kozmo_bridge.components.existing import existing
from kozmo_bridge.components.exports import (
    APPEND,
    MODES,
    TYPE_WORDS,
    UPSERT,
    Job,
    Outcome,
    forecast,
    keys_of,
    mode_called,
    no_columns,
    outcome,
    refused,
    types_in,
)
from kozmo_bridge.components.forms import Form
from kozmo_bridge.components.logins import SECRETS, login_inputs, settings, show_login
from kozmo_bridge.components.steps import rows_in
from kozmo_bridge.components.tables import in_schema, notes, table_of
from kozmo_bridge.exporting import aexport, aforecast, counted
from kozmo_bridge.placing import fitted
from kozmo_runner import api
from kozmo_runner.api import Cancel
from kozmo_singer.errors import ConfigError
from kozmo_singer.wire.catalog import Stream
from kozmo_singer.wire.planned import StreamPlan

# The page has a list without options filled by itself, whenever a flow is opened.
HINT = "(press the arrows for a list)"


class DatabaseExporterComponent(KozmoComponent):
    """Writes rows into a table: all of them, or none."""

    display_name = "Database Exporter"
    # The sidebar looks at some twenty letters of it only.
    description = "PostgreSQL, SQLite: writes rows into a table, all of them or none."
    icon = "Database"
    name = "DatabaseExporter"
    commits_bookmarks = True
    secret_inputs = SECRETS
    verdict = "verdict"
    buttons = ("test_connection",)

    inputs: ClassVar[list[Any]] = [
        inputs_of.rows(),
        *login_inputs("target"),
        inputs_of.test_connection(),
        verdicts.verdict(),
        DropdownInput(
            name="table_name",
            display_name="Table",
            info="Choose a table that is there, or type the name of a new one. It is taken as it "
            "is spelled.",
            options=[HINT],
            value="",
            combobox=True,
            refresh_button=True,
        ),
        DropdownInput(
            name="write_mode",
            display_name="Write mode",
            info="Append adds rows. Upsert updates those with the same key and adds the others. "
            "Replace puts the rows in the place of all that are there. Fail if exists makes a new "
            "table, or writes nothing.",
            options=list(MODES),
            value="Append",
            real_time_refresh=True,
        ),
        StrInput(
            name="key_columns",
            display_name="Key columns",
            info="Columns that tell rows apart, with commas between them. If empty, Upsert takes "
            "the primary key of the table.",
            value="",
            advanced=True,
        ),
        BoolInput(
            name="dry_run",
            display_name="Dry run",
            info="Shows what would happen to the table, and writes nothing.",
            value=False,
        ),
        StrInput(
            name="schema_name",
            display_name="Schema",
            info="Schema of the table; the usual one of the login if empty. A new one is made.",
            value="",
            advanced=True,
        ),
        StrInput(
            name="max_rejected",
            display_name="Rejected rows allowed",
            info="How many rows the database may refuse before nothing is written: a number, or a "
            "share such as 1%. The output Rejected rows holds them.",
            value="0",
            advanced=True,
        ),
        BoolInput(
            name="widen_columns",
            display_name="Widen columns",
            info="Changes columns of the table so that all values fit. Otherwise they stay, and "
            "rows that do not fit are rejected.",
            value=False,
            advanced=True,
        ),
        TableInput(
            name="column_types",
            display_name="Column types",
            info="Types of columns where those of the table, or of the values, are not right: "
            f"{TYPE_WORDS}.",
            table_schema=[
                {"name": "column", "display_name": "Column", "type": "text", "edit_mode": "inline"},
                {"name": "type", "display_name": "Type", "type": "text", "edit_mode": "inline"},
            ],
            trigger_text="Column types",
            value=[],
            advanced=True,
        ),
    ]
    outputs: ClassVar[list[Any]] = [
        Output(name="result", display_name="Result", method="export_data", types=[DATA]),
        Output(name="rejected", display_name="Rejected rows", method="rejected_rows", types=[DATA]),
    ]

    async def refresh(self, form: Form, changed: str) -> None:
        """Show what the database and the mode need; test, or list tables, where asked to."""
        chosen = self._chosen()
        show_login(self, form, chosen, changed)
        form.place("schema_name", chosen.has_schemas, rare=True)
        form.place("key_columns", True, rare=form.value("write_mode") != UPSERT)
        if changed == "test_connection":
            told = await api.acheck(chosen.plugin("target"), settings(self, form))
            self.tell(form, told)
        if changed == "table_name":
            schema = self.text("schema_name") if form.shown("schema_name") else ""
            found = await api.adiscover(chosen.plugin("tap"), settings(self, form))
            tables = in_schema(found, schema)
            names = [table_of(each) for each in tables]
            form.offer("table_name", names or [HINT], notes(tables))
            self.tell(form, f"{len(tables)} table{'s' * (len(tables) != 1)} to choose from")

    @output
    async def export_data(self) -> list[Data]:
        """Return what was done: table, schema, mode, and how many rows were written."""
        done = await self._done()
        self.show([Data(data=row) for row in done.preview])
        return [Data(data=done.result)]

    @output
    async def rejected_rows(self) -> list[Data]:
        """Return the rows that were refused, each with the reason; without any, nothing goes on."""
        done = await self._done()
        rows = [Data(data=refused(each)) for each in done.rejected]
        self.show(rows)
        if not rows:
            await self._end_branch()
        return rows

    async def _done(self) -> Outcome:
        return await self.once("outcome", self._export)

    async def _export(self) -> Outcome:
        rows = await arrived(self, "input_data")
        job = self._job()
        done = None if len(rows) else no_columns(job, rows)
        if done is None:
            done = await self._write(job, rows)
        if not self._only_tries:
            await bookmarks.settle(self)
        return done

    @property
    def _only_tries(self) -> bool:
        return flag(self.given("dry_run"))

    async def _write(self, job: Job, rows: Any) -> Outcome:
        there = await self._there(job)
        known = there.schema if there is not None and not flag(self.given("widen_columns")) else {}
        said = types_in(rows_in(self.given("column_types")))
        fold = self._chosen().fold
        shape = await asyncio.to_thread(fitted, rows, known, said, fold)
        options: dict[str, Any] = {
            "stream": job.place.stream,
            "key_properties": keys_of(job, shape, there, fold),
            "most_rejected": job.most_rejected,
        }
        if self._only_tries:
            return self._tried(job, await aforecast(job.target, job.config, shape, **options))
        watch = Stopwatch()
        with job.in_words():
            written = await aexport(job.target, job.config, shape, **options)
        self.log(f"{counted(written.rows)} into {job.table} in {watch}")
        if written.rejected:
            self.log(f"{counted(len(written.rejected))} rejected")
        return outcome(job, written, watch.seconds)

    def _tried(self, job: Job, plan: StreamPlan) -> Outcome:
        for each in (*plan.statements, *plan.notes, *(plan.error or [])):
            self.log(each)
        return forecast(job, plan)

    def _job(self) -> Job:
        table = self.text("table_name")
        if table in ("", HINT):
            raise ConfigError("no table is named", "choose one, or type the name of a new one")
        return Job(
            self._chosen().plugin("target"),
            settings(self),
            table,
            self.text("schema_name"),
            mode_called(self.text("write_mode") or APPEND),
            names_in(self.text("key_columns")),
            self.text("max_rejected") or "0",
        )

    def _chosen(self) -> Database:
        return database(self.text("database_type"))

    async def _there(self, job: Job) -> Stream | None:
        """Return the table that rows are added to, None where there is none yet."""
        if job.mode not in (APPEND, UPSERT):
            return None
        cancel, chosen = Cancel(), self._chosen()
        where = (chosen, job.connection, job.table, job.schema, cancel)
        return await in_thread(lambda: existing(*where), cancel)

    async def _end_branch(self) -> None:
        """Have nothing run after Rejected rows, unless something else leads there as well."""
        if only_after(self, "rejected"):
            self.stop("rejected")
            if not self._only_tries:
                await bookmarks.settle(self)
