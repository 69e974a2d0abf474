"""How the rows of one stream get into a table, whatever the database."""

from __future__ import annotations

import logging
import time
from abc import abstractmethod
from collections.abc import Sequence
from datetime import datetime, timezone
from itertools import repeat
from typing import TYPE_CHECKING, Any

from kozmo_singer.errors import WriteError
from kozmo_singer.wire.types import Column, LogicalType
from kozmo_targets.sql.fit import Fit
from kozmo_targets.sql.names import Name, column_names
from kozmo_targets.sql.table import Database, Found, TableColumn
from kozmo_targets.target import Counts, LoadMethod, Writer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kozmo_singer.wire.messages import Schema
    from kozmo_singer.wire.rows import Rows
    from kozmo_targets.sql.ledger import Ledger

Row = tuple[Any, ...]
_log = logging.getLogger("kozmo_targets")
_TIME = LogicalType("timestamptz")
_NUMBER = LogicalType("integer", bits=64)
METADATA = {
    "_sdc_extracted_at": _TIME,
    "_sdc_received_at": _TIME,
    "_sdc_batched_at": _TIME,
    "_sdc_deleted_at": _TIME,
    "_sdc_sequence": _NUMBER,
    "_sdc_table_version": _NUMBER,
}
VERSION, DELETED = "_sdc_table_version", "_sdc_deleted_at"
NOT_DATA = {"_sdc_extracted_at", "_sdc_received_at", "_sdc_batched_at", "_sdc_sequence"}
"""A row that differs in these alone is left as it is."""


class SqlWriter(Writer):
    """Shapes the table, adds metadata and versions to rows, and removes old versions.

    A subclass takes rows (load), hands them over (flush) and, for overwrite, has a hidden table
    (destination) whose rows it shows in finish. *microseconds* says that a finer fraction of a
    second is refused.
    """

    microseconds = False
    goes_on = False
    """Whether rows that earlier runs have loaded will not come again."""
    creates = False
    """Whether the table must not be there yet, unless runs of the same state made it."""
    ledger: Ledger | None = None

    def __init__(
        self,
        database: Database,
        config: Mapping[str, Any],
        table: Name,
        destination: Name,
        method: LoadMethod,
    ) -> None:
        self.database = database
        self.config = config
        self.table = table
        self.destination = destination
        self.method = method
        self.columns: list[TableColumn] = []
        self.key: list[str] = []
        self.found: Found
        self.fit: Fit
        self._schema: Schema
        self.versioned = False
        """Whether rows come with versions, for which `open` then makes columns."""
        self._metadata: list[str] = []
        self._counts: Counts | None = Counts()

    @property
    def stream(self) -> str:
        """The stream's name."""
        return self._schema.stream

    def open(self, schema: Schema) -> None:
        """Shape the table for *schema*."""
        if self.columns and self.method != "append-only":
            self._expect_same_key(schema)
        if self.goes_on and not self.columns and self.database.find(self.table) is None:
            _log.warning(
                "table %s was not there and is made anew, while stream %s goes on from its last "
                "state: what earlier runs loaded is not in it; to load all of it: --full-refresh",
                self.table.table, schema.stream,
            )  # fmt: skip
        if self.creates and not self.columns:
            self._expect_new(schema.stream)
        self._schema = schema
        self.fit = Fit(
            schema.stream, schema.columns, schema.key_properties, microseconds=self.microseconds
        )
        self._shape()

    def write(self, rows: Rows) -> None:
        """Check the rows and load them."""
        if not self.versioned and self._expects_versions and any(rows.versions):
            self.versioned = True
            self.flush()
            self._shape()
        self.fit.check(rows)
        if self.key:
            self.fit.check_keys(rows)
        values = self.values(rows)
        if self._metadata:
            values = self._with_metadata(values, rows)
        self.load(values, rows)

    def values(self, rows: Rows) -> list[Row]:
        """Return *rows* as `load` wants their values."""
        return rows.tuples()

    @abstractmethod
    def load(self, values: Sequence[Row], rows: Rows) -> None:
        """Take the values of *rows*, in the order of self.columns."""

    def opened(self) -> None:
        """The table has its shape, for the first time or anew."""
        return

    def counted(self) -> Counts | None:
        counts = self._counts
        self._counts = counts and Counts()
        # In a table that is overwritten each row is new.
        return Counts(counts.inserted) if counts and self.method == "overwrite" else counts

    def count(self, inserted: int | None, updated: int = 0) -> None:
        """Add to what became of the rows; None: it is not known, nor will it be in this run."""
        if inserted is None or self._counts is None:
            self._counts = None
        else:
            self._counts = Counts(self._counts.inserted + inserted, self._counts.updated + updated)

    @property
    def has_unique_key(self) -> bool:
        """Whether the database itself sees to it that no two rows have the same key."""
        return frozenset(self.key) in self.found.unique

    @property
    def advice(self) -> str | None:
        """What would make the load quicker, None where nothing would."""
        if not self.key or self.has_unique_key:
            return None
        names = ", ".join(self.key)
        return (
            f"table {self.table.table} has no unique index on {names}: updates compare every row; "
            f"to have one: {self.database.unique_index(self.table, self.key)}"
        )

    def activate_version(self, version: int) -> None:
        """Remove rows whose version is older; rows that have none are not touched."""
        known = {self.database.naming.fold(name) for name in self.found.columns}
        if VERSION not in known:
            return
        table, column = self.database.text(self.destination), self.database.quote(VERSION)
        if self.config["hard_delete"]:
            self.database.execute(f"DELETE FROM {table} WHERE {column} < {version:d}")
        else:
            deleted = self.database.quote(DELETED)
            self.database.execute(
                f"UPDATE {table} SET {deleted} = '{_now()}' "
                f"WHERE {column} < {version:d} AND {deleted} IS NULL"
            )

    @property
    def removes_deleted(self) -> bool:
        """Whether records that the tap marks as deleted are removed from the table."""
        own = {column.name for column in self._schema.columns}
        return bool(self.key and self.config["hard_delete"] and DELETED in own)

    def property_of(self, column: str | None) -> str | None:
        """Return the field of the stream that *column* holds."""
        names = {c.name: p.name for c, p in zip(self.columns, self._schema.columns, strict=False)}
        return names.get(column) if column else None

    @property
    def _expects_versions(self) -> bool:
        return bool(self.config["process_activate_version_messages"])

    def _shape(self) -> None:
        own = [c.name for c in self._schema.columns]
        self._metadata = self._metadata_of(own)
        if not own:
            raise WriteError(
                f"cannot write stream {self.stream}",
                "its SCHEMA names no field, and a table needs a column",
                "leave the stream out, or correct what sends it",
            )
        names = column_names(self.stream, [*own, *self._metadata], self.database.naming)
        types: list[Column] = [
            *self._schema.columns,
            *(Column(name, METADATA[name]) for name in self._metadata),
        ]
        self.columns = [TableColumn(names[c.name], c.type) for c in types]
        keyed = self._schema.key_properties if self.method != "append-only" else []
        self.key = [names[name] for name in keyed]
        self.found = self.database.shape(self.destination, self.columns, self.key)
        self._take_spelling()
        if self.advice:
            _log.warning("%s", self.advice)
        self.opened()

    def _expect_new(self, stream: str) -> None:
        """Raise WriteError where the table is there; note that it is ours where it is not."""
        # Under the lock that whoever makes it takes.
        self.database.hold(self.database.text(self.destination))
        there = self.database.find(self.table) is not None
        ours = there and self.ledger and self.ledger.has_made(self.database, stream, self.table)
        if there and not ours:
            raise WriteError(
                f"cannot write stream {stream}",
                f"table {'.'.join(filter(None, self.table))} is there already, and load_method "
                "'create' makes new ones",
                "it was not changed; drop it, give another name with table_name, or take "
                "load_method 'append-only', 'upsert' or 'overwrite'",
            )
        if not there and self.ledger:
            self.ledger.note_made(self.database, stream, self.table)

    def _take_spelling(self) -> None:
        """Where the table spells a column in another case, so do we."""
        fold = self.database.naming.fold
        spelt = {fold(name): name for name in self.found.columns}
        self.columns = [c._replace(name=spelt.get(fold(c.name), c.name)) for c in self.columns]
        self.key = [spelt.get(fold(name), name) for name in self.key]

    def _metadata_of(self, own: Sequence[str]) -> list[str]:
        wanted: list[str] = []
        if self.config["add_record_metadata"]:
            wanted = list(METADATA)
        elif self.versioned:
            wanted = [VERSION] if self.config["hard_delete"] else [DELETED, VERSION]
        return [name for name in wanted if name not in own]

    def _with_metadata(self, values: Sequence[Row], rows: Rows) -> list[Row]:
        now, count = _now(), len(values)
        found: dict[str, Any] = {
            "_sdc_extracted_at": rows.extracted,
            "_sdc_received_at": repeat(now, count),
            "_sdc_batched_at": repeat(now, count),
            "_sdc_deleted_at": repeat(None, count),
            "_sdc_sequence": repeat(time.time_ns() // 1_000_000, count),
            "_sdc_table_version": rows.versions,
        }
        added = zip(*(found[name] for name in self._metadata), strict=True)
        return [row + more for row, more in zip(values, added, strict=True)]

    def _expect_same_key(self, schema: Schema) -> None:
        if schema.key_properties != self._schema.key_properties:
            raise WriteError(
                f"cannot write stream {schema.stream}",
                f"line {schema.line}: its key changes from {self._schema.key_properties} "
                f"to {schema.key_properties} within the stream",
            )


def _now() -> str:
    return datetime.now(timezone.utc).isoformat(timespec="microseconds")


def upsert(
    database: Database,
    table: str,
    columns: Sequence[str],
    key: Sequence[str],
    source: str,
    differs: str,
) -> str:
    """Return the INSERT of *source* that updates a row of the same key where *differs* holds."""
    quoted = ", ".join(map(database.quote, columns))
    keys = ", ".join(map(database.quote, key))
    rest = [database.quote(name) for name in columns if name not in key]
    insert = f"INSERT INTO {table} AS t ({quoted}) {source} ON CONFLICT ({keys})"
    if not rest:
        return f"{insert} DO NOTHING"
    changes = ", ".join(f"{name} = excluded.{name}" for name in rest)
    return f"{insert} DO UPDATE SET {changes} WHERE {differs}"
