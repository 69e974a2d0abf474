"""PostgreSQL as a plan sees it: a transaction that is rolled back."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property, partial
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
"""What rewrites a large table is not tried for longer."""
_LOCK_PATIENCE = "200ms"
"""Nothing waits longer for what others hold: who comes next waits behind it, and who waits for us
meanwhile would after a second, the deadlock_timeout, be the victim of a deadlock."""
_FIRST_PATIENCE = "5s"
"""For a schema and the table of states, where only who makes the same is in the way."""
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
    """Runs the statements that shape tables, each for a moment, and unlocks with each stream.

    What takes longer, or is locked by others, is noted, and seen as if it had been done.
    """

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        super().__init__(connection)
        self._patience = _FIRST_PATIENCE
        self._noting = False
        self._untried: dict[Name, dict[str, LogicalType]] = {}
        self._uncreated: dict[Name, Found] = {}
        self._unswapped: dict[Name, Name] = {}

    def begin(self) -> None:
        if not self._begun:
            super().begin()
            self.connection.execute(f"SET LOCAL lock_timeout = '{_FIRST_PATIENCE}'".encode())

    def execute(self, statement: str) -> int:
        if self._noting:
            self.statements.append(statement)
            return 0
        return super().execute(statement)

    @contextmanager
    def undone(self) -> Iterator[None]:
        self.execute(f"SAVEPOINT kozmo_stream; SET LOCAL lock_timeout = '{_LOCK_PATIENCE}'")
        self._patience = _PATIENCE
        yield
        self._patience = _FIRST_PATIENCE
        self.execute("ROLLBACK TO SAVEPOINT kozmo_stream; RELEASE SAVEPOINT kozmo_stream")

    def hold(self, name: str, *, shared: bool = False) -> None:
        """Wait for whoever holds *name*, and keep nobody off: nothing is going to be done."""
        with self._trying():
            super().hold(name, shared=True)
            self.execute("ROLLBACK TO SAVEPOINT kozmo_try")

    def find(self, table: Name) -> Found | None:
        seen = self._unswapped.get(table, table)
        found = super().find(seen) or self._uncreated.get(table)
        untried = self._untried.get(table)
        if found is None or not untried:
            return found
        return found._replace(columns={**found.columns, **untried})

    def is_empty(self, table: Name) -> bool:
        with self._trying():
            return super().is_empty(table)
        return False

    def create(self, table: Name, columns: Sequence[TableColumn], key: Sequence[str]) -> None:
        made = Found(dict(columns), [frozenset(key)] if key else [], empty=True)
        with self._trying(partial(self._uncreated.update, {table: made})):
            super().create(table, columns, key)

    def add_columns(self, table: Name, columns: Sequence[TableColumn]) -> None:
        with self._trying(partial(self._see, table, dict(columns))):
            super().add_columns(table, columns)

    def change_types(self, table: Name, changes: Sequence[Change]) -> None:
        outcome = {change.name: change.want for change in changes}
        with self._trying(partial(self._see, table, outcome)):
            super().change_types(table, changes)

    def _see(self, table: Name, outcome: Mapping[str, LogicalType]) -> None:
        self._untried.setdefault(table, {}).update(outcome)
        self.refused = {}

    def swap(self, table: Name, hidden: Name, key: Sequence[str], *, there: bool) -> None:
        start = len(self.statements)
        with self._trying(partial(self._note_swap, start, table, hidden, key, there)):
            super().swap(table, hidden, key, there=there)

    def _note_swap(
        self, start: int, table: Name, hidden: Name, key: Sequence[str], there: bool
    ) -> None:
        del self.statements[start:]
        self._noting = True
        super().swap(table, hidden, key, there=there)
        self._noting = False
        self._unswapped[table] = hidden

    def count_rows(self, table: Name) -> tuple[int | None, Count]:
        name = self.text(table)
        kind, size, estimate, unknown = "", 0, 0, True
        with self._trying():
            found = self.rows(_ROWS, name)
            kind, size, estimate, unknown = found[0] if found else ("p", 0, 0, False)
        if kind not in ("r", "m", "p"):
            return None, "estimate"
        if size <= _SMALL_BYTES:
            with self._trying():
                return int(self.rows(f"SELECT count(*) FROM {name}")[0][0]), "exact"
        return (None if unknown else estimate), "estimate"

    @contextmanager
    def _trying(self, otherwise: Callable[[], object] = lambda: None) -> Iterator[None]:
        """Run the block; if it takes too long or others are in the way, call *otherwise*."""
        from psycopg import errors

        patience = self._statement_timeout
        self.execute(f"SAVEPOINT kozmo_try; SET LOCAL statement_timeout = '{self._patience}'")
        try:
            yield
        except (errors.QueryCanceled, errors.LockNotAvailable, errors.UndefinedTable):
            # No such table: the one that another makes, and that we did not make for that reason.
            self.execute("ROLLBACK TO SAVEPOINT kozmo_try; RELEASE SAVEPOINT kozmo_try")
            otherwise()
        else:
            self.execute(f"RELEASE SAVEPOINT kozmo_try; SET LOCAL statement_timeout = '{patience}'")

    @cached_property
    def _statement_timeout(self) -> str:
        return str(self.rows("SHOW statement_timeout")[0][0])
