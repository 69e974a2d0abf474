"""tap-sqlite: how SQLite is described, spelt and read."""

from __future__ import annotations

import dataclasses
import itertools
import logging
import re
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from kozmo_singer.errors import ConfigError, DiscoverError, KozmoError, ReadError
from kozmo_singer.plugin import stopping
from kozmo_singer.settings import Setting
from kozmo_singer.systems.sql import sqlite as system
from kozmo_singer.systems.sql.quoting import quote
from kozmo_singer.wire import Stream
from kozmo_taps.sql import engine
from kozmo_taps.sql.engine import SqlTap
from kozmo_taps.sql.queries import QUERY, Query
from kozmo_taps.sql.relation import DbColumn, Name, Relation, Relations
from kozmo_taps.sql.sqlite_values import MIXED, Misfit, converter
from kozmo_taps.tap import Stopped

if TYPE_CHECKING:
    from kozmo_taps.sql.reading import Condition
    from kozmo_taps.sql.seen import Row

PIECE_BYTES = 1 << 16
"""How many bytes of cells a batch aims at."""
_BLOCK_ROWS = 50
_MOST_ROWS = 1000
_LOOK_STEPS = 1_000_000
"""Instructions of SQLite's machine after which it is asked whether to go on."""
_SAMPLED = 1000
_log = logging.getLogger("kozmo_taps")

# type says 'shadow' of the tables in which virtual tables keep themselves.
_TABLES = """
SELECT name, type, wr FROM pragma_table_list
WHERE schema = 'main' AND type IN ('table', 'view', 'virtual')
AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'
ORDER BY name
"""
_TABLES_BEFORE_3_37 = """
SELECT name, CASE WHEN sql LIKE 'CREATE VIRTUAL%' THEN 'virtual' ELSE type END, 0
FROM sqlite_master
WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name
"""
# hidden: 1 is a hidden column of a virtual table, 2 and 3 are generated columns.
_COLUMNS = 'SELECT name, type, "notnull", pk FROM pragma_table_xinfo(?) WHERE hidden <> 1'
_COLUMNS_OF_VIEW = "SELECT name, type FROM pragma_table_xinfo(?, 'temp')"


class TapSQLite(SqlTap):
    """Reads the tables, views and virtual tables of a SQLite file, which it opens read-only."""

    name = "tap-sqlite"
    summary = "SQLite database files"
    sqlalchemy_dialect = "sqlite+pysqlite://"
    moments_are_text = True
    settings = (
        *system.SETTINGS,
        Setting(
            "mistyped",
            "What becomes of columns with cells that do not fit the declared type: fail, or widen "
            "them to text (reads every table twice)",
            default="fail",
            choices=("fail", "widen"),
        ),
        *engine.SETTINGS,
    )
    examples = (
        'echo \'{"path": "shop.db"}\' > shop.json',
        "tap-sqlite --config shop.json --check",
        "tap-sqlite --config shop.json --discover > catalog.json",
        "tap-sqlite --config shop.json --catalog catalog.json --limit 5",
        "tap-sqlite --config shop.json | target-jsonl --config out.json",
    )

    @contextmanager
    def connection(self) -> Iterator[SQLiteConnection]:
        """Open the file."""
        with system.connect(self.config, read_only=True) as raw:
            yield SQLiteConnection(raw, widen=self.config["mistyped"] == "widen")

    def check(self) -> str:
        """Open the file, and return SQLite's version and how many tables it has."""
        start = time.monotonic()
        with self.connection() as connection:
            seen = self.seen(connection)
        took = round(1000 * (time.monotonic() - start))
        return f"SQLite {sqlite3.sqlite_version}, {seen}, {took} ms"

    def stream_id(self, relation: Relation) -> str:
        """Return the table's name."""
        return relation.name

    def table_of(self, stream: Stream) -> Name:
        """Return the table of the metadata, or what the stream's id says."""
        root = stream.metadata.get((), {})
        return None, root.get("table-name") or stream.table or stream.tap_stream_id

    def database_name(self) -> str:
        """Return the file's name without its extension."""
        return system.database_path(self.config).stem


class SQLiteConnection:
    """An open SQLite file."""

    def __init__(self, raw: sqlite3.Connection, *, widen: bool) -> None:
        self.raw = raw
        self._widen = widen
        self._views = itertools.count(1)
        if widen:
            raw.text_factory = _tolerant
        # A sort of many rows would not hear of a signal otherwise.
        raw.set_progress_handler(lambda: stopping.requested, _LOOK_STEPS)

    def quote(self, identifier: str) -> str:
        """Return the quoted name."""
        return quote(identifier)

    def qualified(self, relation: Relation) -> str:
        """Return the table's quoted name, or that of the query's view."""
        return relation.source or quote(relation.name)

    def since(self, column: DbColumn, start_date: str) -> Condition:
        """Return the condition that leaves out the days before *start_date*.

        The day alone is compared, since texts may part date and time by a T or by a space.
        """
        name = quote(column.name)
        return f"{name} >= ? OR typeof({name}) <> 'text'", [start_date[:10]]

    def describe(self, names: Sequence[Name] | None) -> Relations:
        """Return the tables and views; what is broken is left out, with a warning."""
        wanted = None if names is None else {name for _, name in names}
        found: dict[Name, Relation] = {}
        with _asking(DiscoverError, "tap-sqlite could not read the schema"):
            for name, kind, without_rowid in self._tables():
                if wanted is None or name in wanted:
                    relation = self._relation(name, kind, bool(without_rowid))
                    if relation is not None:
                        found[None, name] = relation
        return found

    def names(self) -> list[Name]:
        """Return the names of the tables and views."""
        with _asking(DiscoverError, "tap-sqlite could not read the schema"):
            return [(None, name) for name, *_ in self._tables()]

    def _tables(self) -> list[tuple[str, str, int]]:
        sql = _TABLES if sqlite3.sqlite_version_info >= (3, 37) else _TABLES_BEFORE_3_37
        return self.raw.execute(sql).fetchall()

    def describe_query(self, query: Query) -> Relation:
        """Return the columns of *query*, of which a view of this connection alone is made.

        SQLite refuses as one whatever is no SELECT, or more than one statement.
        """
        name = f"kozmo query {next(self._views)}"
        doing = f"tap-sqlite could not look at query '{query.name}'"
        with _asking(DiscoverError, doing), _refusing(query):
            self.raw.execute(f"CREATE TEMP VIEW {quote(name)} AS\n{query.sql}")
            rows = self.raw.execute(_COLUMNS_OF_VIEW, [name]).fetchall()
        columns = {row[0]: _column(row[0], row[1], False) for row in rows}
        source = f"temp.{quote(name)}"
        return Relation(None, query.name, QUERY, columns=columns, source=source)

    def _relation(self, name: str, kind: str, without_rowid: bool) -> Relation | None:
        kind = {"virtual": "virtual table"}.get(kind, kind)
        try:
            rows = self.raw.execute(_COLUMNS, [name]).fetchall()
            estimate = None
            if kind == "table" and not without_rowid:
                # Exact unless rows were deleted; counting would read the whole table.
                [estimate] = self.raw.execute(f"SELECT max(rowid) FROM {quote(name)}").fetchone()
        except sqlite3.OperationalError as error:
            if stopping.requested:
                raise
            _log.warning("%s %s is left out: %s", kind, name, error)
            return None
        keys = tuple(row[0] for row in sorted(rows, key=itemgetter(3)) if row[3])
        is_rowid = len(keys) == 1 and not without_rowid
        columns = {
            row[0]: _column(
                row[0],
                row[1],
                # A primary key may hold nulls in SQLite, but neither a rowid nor WITHOUT ROWID.
                bool(row[2] or (row[3] and (without_rowid or (is_rowid and _is_rowid(row[1]))))),
            )
            for row in rows
        }
        return Relation(None, name, kind, _whole(estimate), columns, keys)

    def settle(self, relation: Relation, shape: list[DbColumn]) -> list[DbColumn]:
        """Return *shape* with the columns as text that hold cells which do not fit."""
        if not self._widen:
            return shape
        misfits: set[str] = set()
        columns = ", ".join(column.select for column in shape)
        with _asking(ReadError, f"tap-sqlite could not read {relation.title}"):
            cursor = self.raw.execute(f"SELECT {columns} FROM {self.qualified(relation)}")
            for rows in _blocks(cursor, shape):
                for column, cells in zip(shape, zip(*rows, strict=True), strict=True):
                    if column.name not in misfits and _misfit(column, cells):
                        misfits.add(column.name)
        return [
            dataclasses.replace(column, type=MIXED, settled=True)
            if column.name in misfits
            else column
            for column in shape
        ]

    def count(self, relation: Relation) -> int:
        """Return the exact number of rows."""
        with _asking(ReadError, f"tap-sqlite could not count {relation.title}"):
            sql = f"SELECT count(*) FROM {self.qualified(relation)}"
            return int(self.raw.execute(sql).fetchone()[0])

    def sample(
        self, relation: Relation, keys: Sequence[DbColumn], conditions: Sequence[Condition]
    ) -> tuple[list[Row], int]:
        """Return whole numbers at even distances between the ends of the key, if it is one.

        That costs two steps into its index, where looking at rows would read all of the file.
        """
        if len(keys) > 1:
            return [], 0
        key, table = quote(keys[0].name), quote(relation.name)
        where = " AND ".join(text for text, _ in conditions) or "true"
        ends = ", ".join(f"(SELECT {f}({key}) FROM {table} WHERE {where})" for f in ("min", "max"))
        parameters = [value for _, values in conditions for value in values]
        with _asking(ReadError, f"tap-sqlite could not sample {relation.title}"):
            low, high = self.raw.execute(f"SELECT {ends}", parameters * 2).fetchone()
        if not isinstance(low, int) or not isinstance(high, int):
            return [], 0
        some = dict.fromkeys(low + (high - low) * n // _SAMPLED for n in range(_SAMPLED))
        return [(value,) for value in some], min(high - low + 1, relation.rows or high)

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """Hold one view of the data for as long as the context lasts."""
        with system.translated(ReadError, "tap-sqlite could not begin to read"):
            self.raw.execute("BEGIN")
        try:
            yield
        finally:
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
        """Yield the rows as wire values, in batches of bounded size; never as Arrow."""
        converters = [converter(column) for column in shape]
        with system.translated(ReadError, f"tap-sqlite could not read {relation.title}"):
            try:
                for rows in _blocks(self.raw.execute(sql, parameters), shape):
                    yield _converted(rows, converters, relation, shape)
            except sqlite3.OperationalError as error:
                if stopping.requested:
                    raise Stopped from error
                raise


@contextmanager
def _asking(kind: type[KozmoError], doing: str) -> Iterator[None]:
    """Translate errors of the block, of which none is said where a signal ended it."""
    with system.translated(kind, doing):
        try:
            yield
        except sqlite3.OperationalError as error:
            if stopping.requested:
                raise KeyboardInterrupt from error
            raise


@contextmanager
def _refusing(query: Query) -> Iterator[None]:
    """Say of errors of the block which query they are about, unless they are about the file."""
    try:
        yield
    # Before Python 3.12 two statements in one were a warning, which is no error to sqlite3.
    except (sqlite3.Error, sqlite3.Warning) as error:
        if stopping.requested or re.search(r"is locked|disk (I/O|image|is full)", str(error)):
            raise
        advice = "a query is one SELECT, WITH or VALUES that changes nothing"
        lines = [advice] if re.search(r"syntax error|one statement", str(error)) else []
        raise ConfigError(
            f"tap-sqlite: SQLite refuses query '{query.name}'", str(error), *lines
        ) from error


def _converted(
    rows: Sequence[Row],
    converters: Sequence[Callable[[Sequence[Any]], Sequence[Any]]],
    relation: Relation,
    shape: Sequence[DbColumn],
) -> Sequence[Row]:
    cells = list(zip(*rows, strict=True))
    changed = False
    for i, convert in enumerate(converters):
        try:
            converted = convert(cells[i])
        except Misfit as misfit:
            raise _explained(misfit.cell, relation, shape[i]) from misfit
        if converted is not cells[i]:
            cells[i], changed = tuple(converted), True
    return list(zip(*cells, strict=True)) if changed else rows


def _misfit(column: DbColumn, cells: Sequence[Any]) -> bool:
    try:
        converter(column)(cells)
    except Misfit:
        return True
    return False


def _explained(cell: Any, relation: Relation, column: DbColumn) -> ReadError:
    kinds = {str: "text", int: "integer", float: "real", bytes: "blob"}
    shown = repr(cell if not isinstance(cell, str | bytes) else cell[:40])
    return ReadError(
        f"tap-sqlite could not read stream {relation.name}",
        f"column {column.name} is declared {column.datatype or 'without a type'}, "
        f"but a cell holds the {kinds[type(cell)]} {shown}",
        "to read such columns as text: mistyped: widen",
    )


def _blocks(cursor: sqlite3.Cursor, shape: Sequence[DbColumn]) -> Iterator[list[Row]]:
    """Rows in batches that are bounded in bytes; the larger rows are, the fewer are asked for."""
    long = [i for i, column in enumerate(shape) if column.type.name not in _SHORT]
    rows: list[Row] = []
    size = 0
    count = 1
    while block := cursor.fetchmany(count):
        rows += block
        length = 8 * len(shape) * len(block) + sum(_length(block, i) for i in long)
        count = max(1, min(_BLOCK_ROWS, 2 * count, PIECE_BYTES * len(block) // length))
        size += length
        if size >= PIECE_BYTES or len(rows) >= _MOST_ROWS:
            yield rows
            rows, size = [], 0
    if rows:
        yield rows


_SHORT = {"boolean", "integer", "float", "date", "time", "timestamp", "timestamptz", "uuid"}


def _length(block: Sequence[Row], i: int) -> int:
    cells = [row[i] for row in block]
    try:
        return sum(map(len, filter(None, cells)))
    except TypeError:
        return sum(len(cell) for cell in cells if isinstance(cell, str | bytes))


_STORED = {
    "integer": "'integer'",
    "boolean": "'integer'",
    "float": "'real', 'integer'",
    "decimal": "'real', 'integer'",
}


def _column(name: str, declared: str, not_null: bool) -> DbColumn:
    type = system.logical(declared) or MIXED
    column = quote(name)
    # An order goes through values of one kind only; those of other kinds sort elsewhere.
    apart = f"typeof({column}) NOT IN ({_STORED.get(type.name, repr('text'))})"
    if type.name in ("float", "decimal"):
        apart = f"{apart} OR abs({column}) > 1.7976931348623157e308"
    digits = type.name == "decimal" and "TEXT" in declared.upper()
    return DbColumn(
        name=name,
        datatype=declared,
        type=type,
        select=column,
        text=column,
        parameter="?",
        not_null=not_null,
        orders=type.name not in ("binary", "json", "boolean") and not type.mixed and not digits,
        apart=apart,
    )


def _is_rowid(declared: str) -> bool:
    return declared.upper() == "INTEGER"


def _whole(value: Any) -> int | None:
    return value if isinstance(value, int) else None


def _tolerant(text: bytes) -> str | bytes:
    try:
        return text.decode()
    except UnicodeDecodeError:
        return text
