"""The engine of the SQL taps: discovery by reflection, and sessions that read tables."""

from __future__ import annotations

import logging
import re
from abc import abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any, ClassVar, Protocol

from kozmo_singer.errors import ConfigError, ReadError
from kozmo_singer.settings import Setting, did_you_mean
from kozmo_singer.wire import Catalog, Stream, lane
from kozmo_singer.wire.state import State, bookmark
from kozmo_taps import tap
from kozmo_taps.sql.queries import QUERY, Query, keyed, queries
from kozmo_taps.sql.ranges import cut, steady
from kozmo_taps.sql.reading import Condition, Dialect, FullTable, Incremental, SqlReading
from kozmo_taps.sql.relation import DbColumn, Name, Relation, Relations, counted
from kozmo_taps.sql.seen import Row
from kozmo_taps.sql.shape import shape
from kozmo_taps.tap import Tap, replication

SETTINGS: tuple[Setting, ...] = (
    Setting(
        "queries",
        'SELECT statements to read as streams, by name: {"recent": "SELECT ..."}; instead of the '
        "SQL an object of sql, key_properties and replication_key",
        "object",
    ),
    Setting(
        "discover_tables",
        "Whether tables and views are streams too; false leaves the queries alone, and takes no "
        "time over a large database",
        "boolean",
        default=True,
    ),
    Setting(
        "filter_tables",
        "Tables to look at, by the names of their streams; default: all. It takes no time over a "
        "large database",
        "array",
    ),
    Setting(
        "replication_method",
        "How tables are read whose catalog entry does not say: FULL_TABLE, or INCREMENTAL by "
        "replication_key where the table has that column",
        choices=("FULL_TABLE", "INCREMENTAL"),
    ),
    Setting(
        "replication_key",
        "Column that grows with every change, for example updated_at; tables that have it are "
        "INCREMENTAL, unless replication_method or the catalog says otherwise",
    ),
    *tap.SETTINGS,
)
"""The settings that every SQL tap has."""

_log = logging.getLogger("kozmo_taps")
_START_DATE = re.compile(r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d(:?\d\d)?)?)?")


class Connection(Dialect, Protocol):
    """An open database that can describe its tables; *raw* is the driver's own connection."""

    raw: Any

    def describe(self, names: Sequence[Name] | None) -> Relations:
        """Return the tables with these names, or all that may be read."""

    def names(self) -> list[Name]:
        """Return what all tables are called that may be read, looking at none."""

    def describe_query(self, query: Query) -> Relation:
        """Return what *query* finds, without running it; ConfigError if it may not be run."""

    def count(self, relation: Relation) -> int:
        """Return the number of rows."""

    def sample(
        self, relation: Relation, keys: Sequence[DbColumn], conditions: Sequence[Condition]
    ) -> tuple[list[Row], int]:
        """Return the keys of some rows, in order, and about how many rows there are in all."""


class SqlTap(Tap):
    """A database. A dialect says how to connect, and how to spell and run SQL."""

    capabilities = (*tap.CAPABILITIES, "key-ranges")
    sqlalchemy_dialect: ClassVar[str | None] = None
    """How SQLAlchemy is to reflect keys and columns; None where `describe` tells them all."""
    moments_are_text: ClassVar[bool] = False
    """Whether timestamps are stored, and passed on, in whatever form they were written."""

    def __init__(self, config: Mapping[str, Any]) -> None:
        super().__init__(config)
        self.queries = queries(self.name, self.config["queries"] or {})
        start = self.config["start_date"]
        if start and not _START_DATE.fullmatch(start):
            raise ConfigError(
                f"{self.name}: setting 'start_date' is no date: {start[:40]}",
                "expected 2024-01-31 or 2024-01-31T12:00:00Z",
            )
        if (
            self.config["replication_method"] == "INCREMENTAL"
            and not self.config["replication_key"]
        ):
            raise ConfigError(
                f"{self.name}: replication_method INCREMENTAL needs the setting 'replication_key'",
                "name the column that grows with every change, for example updated_at",
            )

    @abstractmethod
    def connection(self) -> AbstractContextManager[Connection]:
        """Open the database for reading."""

    @abstractmethod
    def stream_id(self, relation: Relation) -> str:
        """Return the name of the stream of a table."""

    @abstractmethod
    def table_of(self, stream: Stream) -> Name:
        """Return schema and name of the table of *stream*."""

    @abstractmethod
    def database_name(self) -> str:
        """Return how the catalog calls the database."""

    def discover(self) -> Catalog:
        """Return the queries, and every table and view that the user may read."""
        from kozmo_taps.sql.discover import discover

        return discover(self)

    def ranges(self, catalog: Catalog, state: State, parts: int) -> dict[str, Any]:
        """Return where the selected full tables, as far as they are left, can be cut into *parts*.

        Tables that cannot be read in ranges are left out.
        """
        chosen = catalog.selected()
        with self.session(chosen) as session:
            found = {
                stream.tap_stream_id: session.cut(
                    stream, bookmark(state, stream.tap_stream_id).get("full_table"), parts
                )
                for stream in chosen
            }
        return {name: cuts for name, cuts in found.items() if cuts}

    def described(self, connection: Connection, names: Iterable[str]) -> dict[str, Relation]:
        """Return what the queries *names* find."""
        chosen = [self.queries[name] for name in names]
        return {
            query.name: keyed(self.name, query, connection.describe_query(query))
            for query in chosen
        }

    def seen(self, connection: Connection) -> str:
        """Look at everything that would be discovered, and say how much that is, in words."""
        count = len(self.described(connection, self.queries))
        found = ["1 query" if count == 1 else f"{count} queries"] if count else []
        if self.config["discover_tables"]:
            found.append(counted(self.tables(connection)))
        return ", ".join(found) or "no table looked for"

    def tables(self, connection: Connection) -> Relations:
        """Return the tables that the settings want looked at; warn of names that match none."""
        if not self.config["filter_tables"]:
            return connection.describe(None)
        wanted = {str(each): self.named(str(each)) for each in self.config["filter_tables"]}
        found = connection.describe([name for names in wanted.values() for name in names])
        missing = [each for each, names in wanted.items() if not any(n in found for n in names)]
        known = [self.stream_id(Relation(*name)) for name in connection.names()] if missing else []
        for each in missing:
            words = [f"filter_tables names '{each}', which is no table that is looked at"]
            _log.warning("; ".join([*words, *did_you_mean(each, known)]))
        return found

    def named(self, stream: str) -> list[Name]:
        """Return the tables that *stream* of the setting filter_tables may mean."""
        return [self.table_of(Stream(stream, {}))]

    @contextmanager
    def session(self, streams: Sequence[Stream]) -> Iterator[SqlSession]:
        """Open the database, and look up the tables of *streams* in one query a question."""
        names = [stream.tap_stream_id for stream in streams if self._is_query(stream)]
        tables = [self.table_of(each) for each in streams if each.tap_stream_id not in names]
        with self.connection() as connection:
            found = self.described(connection, names)
            relations = connection.describe(tables) if tables else {}
            yield SqlSession(self, connection, relations, found)

    def _is_query(self, stream: Stream) -> bool:
        kind = stream.metadata.get((), {}).get("table-kind")
        if kind == QUERY and stream.tap_stream_id not in self.queries:
            raise ConfigError(
                f"stream {stream.tap_stream_id}: the setting 'queries' has no query of that name",
                *did_you_mean(stream.tap_stream_id, self.queries),
                "the catalog was made with other settings; make a new one with --discover",
            )
        return kind in (None, QUERY) and stream.tap_stream_id in self.queries


class SqlSession:
    """An open database, and the tables and queries that will be read; the latter by stream."""

    def __init__(
        self,
        tap: SqlTap,
        connection: Connection,
        relations: Relations,
        queries: Mapping[str, Relation],
    ) -> None:
        self._tap, self._connection = tap, connection
        self._relations, self._queries = relations, queries

    @property
    def raw(self) -> Any:
        """The driver's own connection."""
        return self._connection.raw

    def open(self, stream: Stream, bookmark: Mapping[str, Any], limit: int | None) -> SqlReading:
        """Return the reading of *stream*; a table or column that is gone is an error."""
        relation = self._relation(stream)
        config = self._tap.config
        _, key = replication(stream, config)
        if key and key not in relation.columns:
            if stream.replication_key or stream.replication_method:
                raise ConfigError(
                    f"stream {stream.tap_stream_id}: there is no column '{key}' "
                    "for the replication key",
                    *did_you_mean(key, relation.columns),
                )
            key = None
        columns = shape(relation, stream, key)
        common = (self._connection, relation, stream, columns, limit)
        reading: SqlReading
        if key:
            start = config["start_date"]
            reading = Incremental(*common, key=key, mark=bookmark, start_date=start)
        else:
            versioned = bool(config["emit_activate_version_messages"])
            marker = bookmark.get("full_table")
            reading = FullTable(*common, marker=marker, versioned=versioned)
        reading.arrow = self._tap.arrow and _pays_as_arrow(relation)
        return reading

    def cut(
        self, stream: Stream, mark: Mapping[str, Any] | None, parts: int
    ) -> dict[str, Any] | None:
        """Return the key, rows and ranges of *stream*, or None if it has to be read in one go."""
        relation = self._relation(stream)
        config = self._tap.config
        keys = steady(relation, relation.columns)
        replicated = replication(stream, config)[1] in relation.columns
        if replicated or config["emit_activate_version_messages"] or not keys:
            return None
        # Rows that a target would tell apart by another key could meet in two ranges.
        if {key.name for key in keys} != set(stream.key_properties):
            return None
        return cut(self._connection, relation, keys, mark, parts)

    def count(self, stream: Stream) -> int:
        """Return how many rows the table has now."""
        return self._connection.count(self._relation(stream))

    def _relation(self, stream: Stream) -> Relation:
        if stream.tap_stream_id in self._queries:
            return self._queries[stream.tap_stream_id]
        name = self._tap.table_of(stream)
        relation = self._relations.get(name)
        if relation is not None:
            return relation
        known = [".".join(filter(None, each)) for each in self._connection.names()]
        written = ".".join(filter(None, name))
        raise ReadError(
            f"stream {stream.tap_stream_id}: there is no table {written}, "
            "or the user may not read it",
            *did_you_mean(written, known),
            "the catalog may be out of date; make a new one with --discover",
        )


def _pays_as_arrow(relation: Relation) -> bool:
    """Whether the table is worth the time that it takes to load pyarrow."""
    return relation.rows is None or relation.rows >= lane.FEW_ROWS
