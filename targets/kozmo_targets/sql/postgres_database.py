"""Tables of PostgreSQL: finding, making, changing and replacing them, and the transaction."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from kozmo_singer.errors import WriteError
from kozmo_singer.systems.sql import postgres as system
from kozmo_singer.systems.sql.quoting import quote
from kozmo_singer.wire.types import LogicalType
from kozmo_targets.sql.names import Name, Naming
from kozmo_targets.sql.table import Change, Database, Found, TableColumn
from kozmo_targets.target import Counts

if TYPE_CHECKING:
    import psycopg

    from kozmo_targets.sql.postgres_writer import PostgresWriter

NAMING = Naming(limit=system.IDENTIFIER_BYTES, fold=str)
_TEXTUAL = ("text", "character", "name", "citext")
_COLUMNS = """
SELECT attname, format_type(atttypid, atttypmod)
FROM pg_attribute
WHERE attrelid = to_regclass(%s) AND attnum > 0 AND NOT attisdropped
ORDER BY attnum
"""
_UNIQUE = """
SELECT array_agg(a.attname::text)
FROM pg_index i
JOIN pg_attribute a ON a.attrelid = i.indrelid
    AND a.attnum = ANY (i.indkey[0:i.indnkeyatts - 1])
WHERE i.indrelid = to_regclass(%s) AND i.indisunique AND i.indisvalid AND i.indimmediate
    AND i.indpred IS NULL AND i.indexprs IS NULL
GROUP BY i.indexrelid
"""
# Whether a table has nothing that would be lost with it: it is ours alone, nothing depends on
# it, and it has no index, constraint, trigger, grant, policy, default or comment of its own.
_PLAIN = """
SELECT c.relkind = 'r' AND c.relacl IS NULL AND NOT c.relrowsecurity AND NOT c.relispartition
    AND c.reloptions IS NULL AND c.relowner = current_user::regrole
    AND NOT EXISTS (SELECT FROM pg_index i WHERE i.indrelid = c.oid AND NOT i.indisprimary)
    AND NOT EXISTS (SELECT FROM pg_constraint k
        WHERE k.conrelid = c.oid AND k.contype NOT IN ('p', 'n') OR k.confrelid = c.oid)
    AND NOT EXISTS (SELECT FROM pg_trigger t WHERE t.tgrelid = c.oid)
    AND NOT EXISTS (SELECT FROM pg_inherits h WHERE c.oid IN (h.inhrelid, h.inhparent))
    AND NOT EXISTS (SELECT FROM pg_policy p WHERE p.polrelid = c.oid)
    AND NOT EXISTS (SELECT FROM pg_publication_rel p WHERE p.prrelid = c.oid)
    AND NOT EXISTS (SELECT FROM pg_statistic_ext s WHERE s.stxrelid = c.oid)
    AND NOT EXISTS (SELECT FROM pg_description d
        WHERE d.objoid = c.oid AND d.classoid = 'pg_class'::regclass)
    AND NOT EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0
        AND (a.atthasdef OR a.attidentity <> '' OR a.attacl IS NOT NULL))
    AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.refobjid = c.oid
        AND d.refclassid = 'pg_class'::regclass AND d.deptype = 'n')
FROM pg_class c
WHERE c.oid = to_regclass(%s)
"""
# What the transaction under way did to a table and its partitions, as the server counts it.
_CHANGED = """
SELECT coalesce(sum(pg_stat_get_xact_tuples_inserted(oid)), 0)::bigint,
    coalesce(sum(pg_stat_get_xact_tuples_updated(oid)), 0)::bigint
FROM (SELECT to_regclass(%s)::oid UNION
    SELECT relid::oid FROM pg_partition_tree(to_regclass(%s))) AS t (oid)
"""
# What the table that gives way takes along does not count.
_TAKEN = """
SELECT FROM pg_class c WHERE c.oid = to_regclass(%s) AND NOT EXISTS (
    SELECT FROM pg_index i WHERE i.indexrelid = c.oid AND i.indrelid = to_regclass(%s))
"""
_REFERENCED = """
SELECT conrelid::regclass::text FROM pg_constraint
WHERE confrelid = to_regclass(%s) AND conrelid <> confrelid AND contype = 'f' LIMIT 1
"""


class PostgresDatabase(Database):
    """A connection, its transaction, and the tables that are seen through it."""

    naming = NAMING

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self.connection = connection
        self.copying: PostgresWriter | None = None
        self._begun = False

    def text(self, name: Name) -> str:
        return system.qualified(name.schema, name.table)

    def quote(self, column: str) -> str:
        return quote(column)

    def ddl(self, type: LogicalType) -> str:
        return system.ddl(type)

    def begin(self) -> None:
        """Begin a transaction unless one is under way."""
        if not self._begun:
            # What others commit must be seen by the next statement, see `hold`.
            self.connection.execute("BEGIN ISOLATION LEVEL READ COMMITTED")
            self._begun = True

    def commit(self) -> None:
        """Commit the transaction under way, if any."""
        if self._begun:
            done = self.connection.execute("COMMIT").statusmessage
            if done != "COMMIT":
                # A transaction that has failed answers with ROLLBACK, and that is no error to it.
                raise WriteError("the server did not commit the rows", f"it answered {done}")
            self._begun = False

    def settle(self, other_than: PostgresWriter | None = None) -> None:
        """End the COPY that another writer has open: a connection has but one at a time."""
        if self.copying is not None and self.copying is not other_than:
            self.copying.settle()

    def execute(self, statement: str) -> int:
        self.settle()
        self.begin()
        return self.connection.execute(statement.encode()).rowcount

    def rows(self, query: str, *parameters: Any) -> list[tuple[Any, ...]]:
        """Return what *query* finds."""
        self.settle()
        self.begin()
        # With parameters, even none of them, a percent sign in a name would mean something.
        return self.connection.execute(query.encode(), parameters or None).fetchall()

    @cached_property
    def default_schema(self) -> str:
        """The first schema of the search path that exists."""
        return str(self.rows("SELECT coalesce(current_schema(), 'public')")[0][0])

    def has_schema(self, schema: str) -> bool:
        """Tell whether *schema* exists."""
        return bool(self.rows("SELECT FROM pg_namespace WHERE nspname = %s", schema))

    def create_schema(self, schema: str) -> None:
        """Create *schema*, unless another process does."""
        self.hold(schema)
        self.execute(f"CREATE SCHEMA IF NOT EXISTS {self.quote(schema)}")

    def shape(self, table: Name, columns: Sequence[TableColumn], key: Sequence[str]) -> Found:
        self.hold(self.text(table))
        return super().shape(table, columns, key)

    def hold(self, name: str, *, shared: bool = False) -> None:
        self.settle()
        self.begin()
        self._alone(name, "pg_advisory_xact_lock_shared" if shared else "pg_advisory_xact_lock")

    def _alone(self, name: str, lock: str = "pg_advisory_xact_lock") -> None:
        # Several processes may load into one schema, and ranges of one table.
        self.connection.execute(f"SELECT {lock}(hashtextextended(%s, 0))".encode(), [name])

    def find(self, table: Name) -> Found | None:
        name = self.text(table)
        columns = self.rows(_COLUMNS, name)
        if not columns and not self.rows("SELECT WHERE to_regclass(%s) IS NOT NULL", name):
            return None
        unique = [frozenset(row[0]) for row in self.rows(_UNIQUE, name)]
        types = {column: _type(formatted) for column, formatted in columns}
        return Found(types, unique, self.is_empty(table))

    def is_empty(self, table: Name) -> bool:
        """Tell whether *table*, which is there, has no row."""
        return not self.rows(f"SELECT FROM {self.text(table)} LIMIT 1")

    def formatted(self, table: Name) -> dict[str, str]:
        """Return the types of the columns of *table*, as format_type() writes them."""
        return dict(self.rows(_COLUMNS, self.text(table)))

    def create(self, table: Name, columns: Sequence[TableColumn], key: Sequence[str]) -> None:
        parts = [f"{self.quote(c.name)} {self.ddl(c.type)}" for c in columns]
        if key:
            parts.append(f"PRIMARY KEY ({', '.join(map(self.quote, key))})")
        self.execute(f"CREATE TABLE {self.text(table)} ({', '.join(parts)})")

    def add_columns(self, table: Name, columns: Sequence[TableColumn]) -> None:
        parts = [f"ADD COLUMN {self.quote(c.name)} {self.ddl(c.type)}" for c in columns]
        self.execute(f"ALTER TABLE {self.text(table)} {', '.join(parts)}")

    def change_types(self, table: Name, changes: Sequence[Change]) -> None:
        parts = []
        for change in changes:
            column, want = self.quote(change.name), self.ddl(change.want)
            # By way of text: a cast of float8 to numeric would round to 15 digits.
            how = f" USING {column}::text::{want}" if change.have.name != change.want.name else ""
            parts.append(f"ALTER COLUMN {column} TYPE {want}{how}")
        self.execute(f"ALTER TABLE {self.text(table)} {', '.join(parts)}")

    def changed(self, table: Name) -> Counts:
        """Return the rows of *table* that were inserted and updated in this transaction so far."""
        name = self.text(table)
        return Counts(*self.rows(_CHANGED, name, name)[0])

    def referencing(self, table: Name) -> str | None:
        """Return a table with a foreign key to *table*, or None."""
        found = self.rows(_REFERENCED, self.text(table))
        return str(found[0][0]) if found else None

    def replace(self, table: Name, hidden: Name, key: Sequence[str]) -> None:
        """Put the rows of *hidden* in the place of those of *table*.

        A plain table gives way to the hidden one. One that has indexes, grants, views or the like
        keeps them: it is emptied and filled again, in the same transaction.
        """
        name = self.text(table)
        there = self.find(table) is not None
        if not there or self.rows(_PLAIN, name)[0][0]:
            self.swap(table, hidden, key, there=there)
        else:
            columns = self.columns(hidden)
            self.shape(table, columns, ())
            quoted = ", ".join(self.quote(c.name) for c in columns)
            self.execute(f"DELETE FROM {name}")
            self.execute(f"INSERT INTO {name} ({quoted}) SELECT {quoted} FROM {self.text(hidden)}")
            self.execute(f"DROP TABLE {self.text(hidden)}")

    def swap(self, table: Name, hidden: Name, key: Sequence[str], *, there: bool) -> None:
        """Drop *table*, if it is *there*, and give *hidden* and its primary key the names of it."""
        name = self.text(table)
        if there:
            self.execute(f"DROP TABLE {name}")
        self.execute(f"ALTER TABLE {self.text(hidden)} RENAME TO {self.quote(table.table)}")
        wanted = self.naming.fitted(f"{table.table}_pkey")
        if key and not self.rows(_TAKEN, self.text(Name(table.schema, wanted)), name):
            self.execute(
                f"ALTER TABLE {name} RENAME CONSTRAINT "
                f"{self.quote(f'{hidden.table}_pkey')} TO {self.quote(wanted)}"
            )


def _type(formatted: str) -> LogicalType | None:
    type = system.logical(formatted)
    if type.name == "string" and not formatted.startswith(_TEXTUAL):
        return None
    if type.name == "json" and formatted not in ("json", "jsonb"):
        return None
    return None if formatted in ("money", "oid", "xid", "cid", "xid8") else type
