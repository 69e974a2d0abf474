"""tap-postgres: how PostgreSQL is described, spelt and read."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any, ClassVar

from kozmo_singer.errors import DiscoverError, KozmoError, ReadError
from kozmo_singer.plugin import asks_for_maps, stopping
from kozmo_singer.settings import Setting
from kozmo_singer.systems.sql import postgres as system
from kozmo_singer.systems.sql.postgres import qualified
from kozmo_singer.systems.sql.quoting import quote
from kozmo_singer.wire import Catalog, Column, LogicalType, Stream, lane
from kozmo_taps.sql import engine
from kozmo_taps.sql.engine import SqlTap
from kozmo_taps.sql.relation import DbColumn, Name, Relation, Relations

if TYPE_CHECKING:
    from kozmo_taps.sql.queries import Query
    from kozmo_taps.sql.reading import Condition
    from kozmo_taps.sql.seen import Row

_TEXT = LogicalType("string")
Rows = Sequence["Row"]
_Lane = tuple[str, int, "Callable[[bytes], Rows]"]
# Set for the transaction only, so that a pooler in between cannot hand them to somebody else.
_SESSION = {
    "TimeZone": "UTC",
    "DateStyle": "ISO",
    "IntervalStyle": "iso_8601",
    # Every digit of a float; from PostgreSQL 12 on any value above 0 does that.
    "extra_float_digits": "3",
    "bytea_output": "hex",
    # It would count the time that a slow target takes; see PostgresConnection.select.
    "statement_timeout": "0",
    # A slow target leaves the transaction idle, which is no reason to end it.
    "idle_in_transaction_session_timeout": "0",
}
_TIMEOUT = "SELECT setting FROM pg_settings WHERE name = 'statement_timeout'"
_BEGIN = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; " + "; ".join(
    f"SET LOCAL {name} = '{value}'" for name, value in _SESSION.items()
)


_SAMPLED_PAGES = 500
# A partitioned table has no pages of its own.
_PAGES = """
SELECT (pg_relation_size(%(table)s::regclass) + coalesce((
  SELECT sum(pg_relation_size(relid)) FROM pg_partition_tree(%(table)s::regclass) WHERE isleaf
), 0)) / current_setting('block_size')::int
"""


class TapPostgres(SqlTap):
    """Reads tables, views, materialised views, partitioned and foreign tables of PostgreSQL."""

    name = "tap-postgres"
    summary = "PostgreSQL tables and views"
    capabilities = (*SqlTap.capabilities, "digest", lane.CAPABILITY)
    needs: ClassVar[Mapping[str, tuple[str, ...]]] = {lane.CAPABILITY: ("pyarrow",)}
    settings = (
        *system.SETTINGS,
        Setting("filter_schemas", "Schemas to look at; default: all but PostgreSQL's own", "array"),
        *engine.SETTINGS,
    )
    examples = (
        'echo \'{"host": "localhost", "user": "me", "password": "...", "database": "shop"}\''
        " > pg.json",
        "tap-postgres --config pg.json --check",
        "tap-postgres --config pg.json --discover > catalog.json",
        "tap-postgres --config pg.json --catalog catalog.json --limit 5",
        "tap-postgres --config pg.json | target-jsonl --config out.json",
        "TAP_POSTGRES_PASSWORD=... tap-postgres --config pg.json --config ENV --check",
    )

    @contextmanager
    def connection(self) -> Iterator[PostgresConnection]:
        """Open the database."""
        with ExitStack() as stack:
            with stopping.at_once():
                raw = stack.enter_context(system.connect(self.config, self.name, autocommit=True))
            # For transactions that psycopg begins.
            raw.read_only = True
            yield PostgresConnection(raw, self.config["filter_schemas"])

    def check(self) -> str:
        """Connect, and return the server's version and how many tables can be read."""
        start = time.monotonic()
        with self.connection() as connection:
            seen = self.seen(connection)
            version = connection.raw.info.server_version
        took = round(1000 * (time.monotonic() - start))
        release = f"{version // 10000}.{version % 10000}"
        return f"PostgreSQL {release}, {seen}, {took} ms"

    def digest(self, catalog: Catalog) -> dict[str, dict[str, Any] | None]:
        """Return the sum of each selected stream; None of those that have to be read for it."""
        from kozmo_taps.sql.postgres_digest import digest

        chosen = self._chosen(catalog, None)
        if asks_for_maps(self.config):
            return {stream.tap_stream_id: None for stream in chosen}
        with self.session(chosen) as session:
            return {stream.tap_stream_id: digest(session, stream) for stream in chosen}

    def stream_id(self, relation: Relation) -> str:
        """Return ``schema-table``."""
        return f"{relation.schema}-{relation.name}"

    def table_of(self, stream: Stream) -> Name:
        """Return schema and table of the metadata, or what the stream's id says."""
        root = stream.metadata.get((), {})
        schema, _, table = stream.tap_stream_id.partition("-")
        if not table:
            schema, table = "public", schema
        return root.get("schema-name") or schema, root.get("table-name") or stream.table or table

    def named(self, stream: str) -> list[Name]:
        """Return schema and table parted at each dash, of the schemas that are looked at."""
        parts = stream.split("-")
        found = [("-".join(parts[:i]), "-".join(parts[i:])) for i in range(1, len(parts))]
        schemas = self.config["filter_schemas"]
        names = found or [("public", stream)]
        return [name for name in names if not schemas or name[0] in schemas]

    def database_name(self) -> str:
        """Return the name of the database that the settings name."""
        found = system.parameters(self.config)
        return str(found.get("dbname") or found.get("user") or "")


class PostgresConnection:
    """An open PostgreSQL."""

    def __init__(self, raw: Any, schemas: Sequence[str] | None) -> None:
        self.raw = raw
        self._schemas = list(schemas) if schemas else None
        self._silence: float | None = None

    def quote(self, identifier: str) -> str:
        """Return the quoted name; psycopg wants percent signs doubled."""
        return quote(identifier).replace("%", "%%")

    def qualified(self, relation: Relation) -> str:
        """Return schema and table, quoted, or the query."""
        return _source(relation).replace("%", "%%")

    def since(self, column: DbColumn, start_date: str) -> Condition:
        """Return the condition that leaves out what is older than *start_date*."""
        return f"{self.quote(column.name)} >= {column.parameter}", [start_date]

    def settle(self, relation: Relation, shape: list[DbColumn]) -> list[DbColumn]:
        """Return *shape*: a column holds nothing but its type."""
        return shape

    def describe(self, names: Sequence[Name] | None) -> Relations:
        """Return tables and columns from the system catalogue, in one query and one for domains."""
        from kozmo_taps.sql.postgres_types import describe

        with _asking(DiscoverError, "tap-postgres could not read the catalogue"):
            return describe(self.raw, names, self._schemas)

    def names(self) -> list[Name]:
        """Return schema and name of what may be read."""
        from kozmo_taps.sql.postgres_types import names

        with _asking(DiscoverError, "tap-postgres could not read the catalogue"):
            return names(self.raw, self._schemas)

    def describe_query(self, query: Query) -> Relation:
        """Return the columns of *query*, as the server describes the statement."""
        from kozmo_taps.sql.postgres_query import describe_query

        with _asking(DiscoverError, f"tap-postgres could not look at query '{query.name}'"):
            return describe_query(self.raw, query)

    def count(self, relation: Relation) -> int:
        """Return the exact number of rows."""
        doing = f"tap-postgres could not count {relation.title}"
        with _asking(ReadError, doing), self.raw.transaction():
            sql = f"SELECT count(*) FROM {_source(relation)}"
            # In binary, which can be asked of one statement only.
            return int(self.raw.execute(sql, binary=True).fetchone()[0])

    def sample(
        self, relation: Relation, keys: Sequence[DbColumn], conditions: Sequence[Condition]
    ) -> tuple[list[Row], int]:
        """Return the keys on some pages, in order, and about how many rows there are in all."""
        with _asking(ReadError, f"tap-postgres could not sample {relation.title}"):
            table = {"table": qualified(relation.schema, relation.name)}
            pages = float(self.raw.execute(_PAGES, table).fetchone()[0])
        percent = 100 * min(1.0, _SAMPLED_PAGES / max(1.0, pages))
        names = ", ".join(self.quote(key.name) for key in keys)
        sql = (
            f"SELECT {', '.join(key.select for key in keys)} FROM {self.qualified(relation)} "
            f"TABLESAMPLE SYSTEM ({percent:.6f}) "
            f"WHERE {' AND '.join(text for text, _ in conditions) or 'true'} ORDER BY {names}"
        )
        parameters = [value for _, values in conditions for value in values]
        with self.snapshot():
            some = [row for rows in self.select(sql, parameters, relation, keys) for row in rows]
        return some, int(len(some) * 100 / percent)

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """Hold one view of the data for as long as the context lasts."""
        with _asking(ReadError, "tap-postgres could not begin to read"):
            (milliseconds,) = self.raw.execute(_TIMEOUT).fetchone()
            self._silence = int(milliseconds) / 1000 or None
            self.raw.execute(_BEGIN)
        try:
            yield
        finally:
            if not self.raw.closed and not self.raw.broken:
                self.raw.execute("ROLLBACK")

    def select(
        self,
        sql: str,
        parameters: Sequence[Any],
        relation: Relation,
        shape: Sequence[DbColumn],
        *,
        arrow: bool = False,
    ) -> Iterator[Sequence[Row]]:
        """Yield the rows in batches of bounded size.

        The server's statement_timeout holds for each wait, not for the statement as a whole.
        """
        from kozmo_taps.sql.postgres_copy import blocks

        columns = [Column(c.name, _TEXT if c.as_text else c.type) for c in shape]
        options, size, rows_of = _arrow_lane(columns) if arrow else _text_lane(columns)
        doing = f"tap-postgres could not read {relation.title}"
        with system.translated(ReadError, doing):
            found = blocks(self.raw, sql, parameters, options, size=size, silence=self._silence)
            # Parsing Arrow holds no lock of Python's.
            yield from _ahead(rows_of, found) if arrow else map(rows_of, found)


@contextmanager
def _asking(kind: type[KozmoError], doing: str) -> Iterator[None]:
    """Translate errors of the block; a signal cancels what the server does for it."""
    with system.translated(kind, doing), stopping.at_once():
        yield


def _source(relation: Relation) -> str:
    return relation.source or qualified(relation.schema, relation.name)


def _ahead(made: Callable[[bytes], Rows], found: Iterator[bytes]) -> Iterator[Rows]:
    """Yield what is *made* of each block in a thread, while the next one is being found."""
    with ThreadPoolExecutor(1) as pool:
        under_way: Future[Rows] | None = None
        for block in found:
            following = pool.submit(made, block)
            if under_way is not None:
                yield under_way.result()
            under_way = following
        if under_way is not None:
            yield under_way.result()


def _text_lane(columns: Sequence[Column]) -> _Lane:
    from kozmo_taps.sql import postgres_cells as way

    return way.COPY_OPTIONS, way.BLOCK_BYTES, way.Cutter(columns).cells


def _arrow_lane(columns: Sequence[Column]) -> _Lane:
    from kozmo_taps.sql import postgres_arrow as way

    return way.COPY_OPTIONS, way.BLOCK_BYTES, way.Parser(columns).rows
