"""What every SQL target is: the settings, and which table a stream goes to."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar

from kozmo_singer.settings import Setting
from kozmo_singer.wire.messages import Schema
from kozmo_targets.sql import names
from kozmo_targets.sql.table import Places
from kozmo_targets.target import CAPABILITIES, LoadMethod, Target, Writer, load_method_setting

SQL_SETTINGS = (
    load_method_setting("append-only", "upsert", "overwrite"),
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
)


class SqlTarget(Target):
    """A target that loads each stream into a table."""

    load_methods = ("append-only", "upsert", "overwrite")
    capabilities: ClassVar[tuple[str, ...]] = (
        *CAPABILITIES,
        "activate-version",
        "soft-delete",
        "hard-delete",
        "target-schema",
    )
    naming: ClassVar[names.Naming]

    def __init__(self, config: Mapping[str, Any]) -> None:
        super().__init__(config)
        names.check_settings(self.config)
        self._places = Places(self.naming)

    def writer(self, schema: Schema, method: LoadMethod) -> Writer:
        """Return the writer of a stream; two streams must not share a table."""
        beside, self.beside = self.beside, ()
        for stream in (*beside, schema.stream):
            table = self.placed(names.table_of(stream, self.config, self.naming))
            self._places.take(table, stream)
        return self.table_writer(table, method)

    def placed(self, table: names.Name) -> names.Name:
        """Return *table* as this database knows it, for example in its default schema."""
        return table

    @abstractmethod
    def table_writer(self, table: names.Name, method: LoadMethod) -> Writer:
        """Return a writer for *table*."""
