"""PostgreSQL as a plan sees it: a transaction that is rolled back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from kozmo_singer.wire.planned import Count
from kozmo_singer.wire.types import LogicalType
from kozmo_targets.sql.names import Name
from kozmo_targets.sql.planning import Noted
from kozmo_targets.sql.postgres_database import PostgresDatabase
from kozmo_targets.sql.table import Change, Found, TableColumn

if TYPE_CHECKING:
    import psycopg

_PATIENCE = "1s"
"""What rewrites a large table, or waits for others, is not tried for longer."""
_ROWS = """
SELECT c.relkind, coalesce(sum(pg_relation_size(p.oid)), 0)::bigint, sum(p.reltuples)::bigint,
    bool_or(p.reltuples < 0)
FROM pg_class c
JOIN pg_class p ON p.oid = c.oid AND c.relkind <> 'p'
    OR p.oid IN (SELECT relid FROM pg_partition_tree(c.oid) WHERE isleaf)
WHERE c.oid = to_regclass(%s)
GROUP BY c.relkind
"""
_SMALL_BYTES = 64 << 20
"""A table up to this size is counted."""


class PostgresPlanned(Noted, PostgresDatabase):
    """Runs the statements that shape tables; a table that is there is locked for a second at most.

    What takes longer is noted, and the table is seen as if it had been done.
    """

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        super().__init__(connection)
        self._untried: dict[Name, dict[str, LogicalType]] = {}

    def begin(self) -> None:
        if not self._begun:
            super().begin()
            self.connection.execute("SET LOCAL lock_timeout = '5s'")

    def find(self, table: Name) -> Found | None:
        found = super().find(table)
        untried = self._untried.get(table)
        if found is None or not untried:
            return found
        return found._replace(columns={**found.columns, **untried})

    def add_columns(self, table: Name, columns: Sequence[TableColumn]) -> None:
        with self._trying(table, dict(columns)):
            super().add_columns(table, columns)

    def change_types(self, table: Name, changes: Sequence[Change]) -> None:
        with self._trying(table, {change.name: change.want for change in changes}):
            super().change_types(table, changes)

    def count_rows(self, table: Name) -> tuple[int | None, Count]:
        name = self.text(table)
        found = self.rows(_ROWS, name)
        kind, size, estimate, unknown = found[0] if found else ("p", 0, 0, False)
        if kind in ("r", "m", "p") and size > _SMALL_BYTES:
            return (None if unknown else estimate), "estimate"
        if kind not in ("r", "m", "p"):
            return None, "estimate"
        return int(self.rows(f"SELECT count(*) FROM {name}")[0][0]), "exact"

    @contextmanager
    def _trying(self, table: Name, outcome: Mapping[str, LogicalType]) -> Iterator[None]:
        from psycopg import errors

        ((patience,),) = self.rows("SHOW statement_timeout")
        self.execute("SAVEPOINT kozmo_try")
        self.execute(f"SET LOCAL statement_timeout = '{_PATIENCE}'")
        try:
            yield
        except (errors.QueryCanceled, errors.LockNotAvailable):
            self.execute("ROLLBACK TO SAVEPOINT kozmo_try")
            self._untried.setdefault(table, {}).update(outcome)
            self.refused = {}
        else:
            self.execute(f"SET LOCAL statement_timeout = '{patience}'")
