"""What every SQL target is: the settings, and which table a stream goes to."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from contextlib import AbstractContextManager
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any, BinaryIO, ClassVar

from kozmo_singer.errors import WriteError
from kozmo_singer.settings import Setting
from kozmo_singer.wire.catalog import Catalog, Stream
from kozmo_singer.wire.committed import CAPABILITY, TABLE, RunNote
from kozmo_singer.wire.encode import dumps
from kozmo_singer.wire.messages import Schema
from kozmo_singer.wire.planned import CAPABILITY as PLAN
from kozmo_singer.wire.planned import Plan
from kozmo_targets import quarantine, readback
from kozmo_targets.sql import names
from kozmo_targets.sql.ledger import Ledger
from kozmo_targets.sql.table import Database, Places
from kozmo_targets.sql.writer import DELETED, SqlWriter
from kozmo_targets.target import CAPABILITIES, LoadMethod, Target, load_method_setting

if TYPE_CHECKING:
    from kozmo_targets.sql.planning import Noted

SQL_SETTINGS = (
    load_method_setting("append-only", "upsert", "overwrite", "create"),
    *names.SETTINGS,
    Setting(
        "add_record_metadata",
        "Add the columns _sdc_extracted_at, _sdc_received_at, _sdc_batched_at, _sdc_deleted_at, "
        "_sdc_sequence and _sdc_table_version",
        kind="boolean",
        default=False,
    ),
    Setting(
        "hard_delete",
        "Remove rows that the tap says are gone; else their _sdc_deleted_at is set",
        kind="boolean",
        default=False,
    ),
    Setting(
        "process_activate_version_messages",
        "Look at ACTIVATE_VERSION: once the input is complete, rows of older versions go",
        kind="boolean",
        default=True,
    ),
    Setting(
        "all_or_nothing",
        "Commit once, when the input is complete: one that ends early, or in an error, leaves no "
        "row behind",
        kind="boolean",
        default=False,
    ),
    Setting(
        "state_id",
        "Commit the state of the run together with its rows, in the table _kozmo_state, under this "
        "name; --committed-state NAME prints it. kozmo run sees to this by itself",
    ),
)


class SqlTarget(Target):
    """A target that loads each stream into a table."""

    load_methods = ("append-only", "upsert", "overwrite", "create")
    capabilities: ClassVar[tuple[str, ...]] = (
        *CAPABILITIES,
        "activate-version",
        "soft-delete",
        "hard-delete",
        "target-schema",
        CAPABILITY,
        readback.BY_TAP,
        PLAN,
    )
    naming: ClassVar[names.Naming]
    read_by: ClassVar[str]
    """The tap that reads this system."""
    connection_settings: ClassVar[tuple[Setting, ...]]
    """The settings that this target and that tap have in common."""

    def __init__(self, config: Mapping[str, Any]) -> None:
        super().__init__(config)
        names.check_settings(self.config)
        self._places = Places(self.naming)
        self._begun = False
        self.ledger: Ledger | None = None

    @property
    def keeps_state(self) -> bool:
        """Whether states are committed with the rows."""
        return bool(self.note.state_id or self.config["state_id"])

    def load_method(self, schema: Schema) -> LoadMethod:
        """Return how rows are added; to a table that the run creates by key where there is one."""
        method = super().load_method(schema)
        if method != "create":
            return method
        return "upsert" if schema.key_properties else "append-only"

    def writer(self, schema: Schema, method: LoadMethod) -> SqlWriter:
        """Return the writer of a stream; two streams must not share a table."""
        beside, self._begun = () if self._begun else self.note.beside, True
        for stream in (*beside, schema.stream):
            table = self.placed(names.table_of(stream, self.config, self.naming))
            if self.naming.fold(table.table) == TABLE:
                raise WriteError(
                    f"stream {stream} cannot be loaded into table {table.table}",
                    "that is where the states of runs are kept",
                    "give it another name with table_name or table_prefix",
                )
            self._places.take(table, stream)
        if self.keeps_state and self.ledger is None:
            self.ledger = Ledger(table._replace(table=TABLE), self._noted)
            self.prepare(self.ledger)
        writer = self.table_writer(table, method)
        writer.goes_on = method != "overwrite" and schema.stream in self.note.going_on
        writer.creates = self.config["load_method"] == "create"
        writer.ledger = self.ledger
        return writer

    @property
    def _noted(self) -> RunNote:
        if self.note.state_id:
            return self.note
        now = datetime.now(timezone.utc).strftime("%Y%m%dT%H%M%S.%fZ")
        return RunNote(self.config["state_id"], now)

    def placed(self, table: names.Name) -> names.Name:
        """Return *table* as this database knows it, for example in its default schema."""
        return table

    @abstractmethod
    def prepare(self, ledger: Ledger) -> None:
        """Make the table of *ledger*, and its schema, if they are not there."""

    @abstractmethod
    def looking(self) -> AbstractContextManager[Database]:
        """Open the database to look at its tables."""

    def plan(self, source: int | BinaryIO) -> Plan:
        """Return what a load of *source* would do, without doing any of it.

        Faults of a stream are in its plan; those of the connection or the input are raised.
        """
        from kozmo_targets.sql.planning import Shown, plan_of

        shown = Shown(quarantine.chosen(self.name, self.config))
        with self._input(source) as (prepared, expect_end):
            shown.read(prepared, expect_end)
        with self.trying() as database:
            return plan_of(self, database, shown)

    @abstractmethod
    def trying(self) -> AbstractContextManager[Noted]:
        """Let the writers work on a database where nothing lasts, which is given."""

    def read_back(self, catalog: Catalog, out: BinaryIO) -> None:
        """Write which tap reads the tables, its settings, and the table of each stream.

        A table is its schema and name, the columns (property -> column, null where there is none)
        and deleted, the column that is set in rows which do not count; null for no table.
        """
        with self.looking() as database:
            streams = {s.stream: self._where(database, s) for s in catalog.selected()}
        settings = [setting.name for setting in self.connection_settings]
        out.write(dumps({"tap": self.read_by, "settings": settings, "streams": streams}))

    def _where(self, database: Database, stream: Stream) -> dict[str, Any] | None:
        table = self.placed(names.table_of(stream.stream, self.config, self.naming))
        found = database.find(table)
        if found is None:
            return None
        fold = self.naming.fold
        spelt = {fold(name): name for name in found.columns}
        own = names.column_names(stream.stream, stream.selected_columns(), self.naming)
        columns = {name: spelt.get(fold(column)) for name, column in own.items()}
        deleted = None if DELETED in own else spelt.get(fold(DELETED))
        return {**database.spelt(table)._asdict(), "columns": columns, "deleted": deleted}

    @abstractmethod
    def table_writer(self, table: names.Name, method: LoadMethod) -> SqlWriter:
        """Return a writer for *table*."""
