"""The table _kozmo_state, in which a target commits a state together with the rows it covers."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from kozmo_singer.wire.committed import TABLE, Committed, RunNote
from kozmo_singer.wire.encode import dumps
from kozmo_singer.wire.types import LogicalType
from kozmo_targets.sql.names import Name
from kozmo_targets.sql.table import Database, TableColumn

if TYPE_CHECKING:
    from kozmo_targets.load import Mark

__all__ = ["TABLE", "Ledger", "entries", "query"]
_TEXT = LogicalType("string")
_KEY = ("state_id", "shard")
_COLUMNS = [
    *(TableColumn(name, _TEXT) for name in (*_KEY, "run_id", "streams", "state", "rows")),
    TableColumn("committed_at", LogicalType("timestamptz")),
]


class Ledger:
    """Writes the states of one run into *table*."""

    def __init__(self, table: Name, note: RunNote) -> None:
        self.table = table
        self._note = note
        self._forgotten = not note.forget

    def prepare(self, database: Database) -> None:
        """Make the table if it is not there, in the transaction under way."""
        database.shape(self.table, _COLUMNS, _KEY)

    def write(self, database: Database, mark: Mark) -> None:
        """Put *mark* in the place of the state before, in the transaction under way."""
        note, table = self._note, database.text(self.table)
        streams = None if note.streams is None else json.dumps(note.streams)
        values = {
            "state_id": note.state_id,
            "shard": note.shard,
            "run_id": note.run_id,
            "streams": streams,
            "state": mark.state.decode(),
            "rows": dumps(dict(mark.rows)).decode(),
            "committed_at": datetime.now(timezone.utc).isoformat(timespec="microseconds"),
        }
        if not self._forgotten:
            database.execute(
                f"DELETE FROM {table} WHERE state_id = {_literal(note.state_id)} "
                f"AND run_id <> {_literal(note.run_id)}"
            )
            self._forgotten = True
        changes = ", ".join(f"{name} = excluded.{name}" for name in values if name not in _KEY)
        database.execute(
            f"INSERT INTO {table} ({', '.join(values)}) "
            f"VALUES ({', '.join(map(_literal, values.values()))}) "
            f"ON CONFLICT ({', '.join(_KEY)}) DO UPDATE SET {changes}"
        )


def query(table: str) -> str:
    """Return the SELECT of what `entries` takes, but for its condition on state_id."""
    return f"SELECT run_id, state, shard, streams, rows, committed_at FROM {table}"


def entries(rows: Iterable[tuple[Any, ...]]) -> list[Committed]:
    """Return rows of the table as what they mean."""
    return [
        Committed(
            run_id, json.loads(state), shard, streams and json.loads(streams), json.loads(loaded),
            str(at),
        )
        for run_id, state, shard, streams, loaded, at in rows
    ]  # fmt: skip


def _literal(text: str | None) -> str:
    return "NULL" if text is None else "'" + text.replace("'", "''") + "'"
