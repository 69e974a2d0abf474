"""The table _kozmo_state, in which a target commits a state together with the rows it covers."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from kozmo_singer.errors import WriteError
from kozmo_singer.wire.committed import TABLE, Committed, RunNote, later
from kozmo_singer.wire.encode import dumps
from kozmo_singer.wire.types import LogicalType
from kozmo_targets.sql.names import Name
from kozmo_targets.sql.table import Database, TableColumn

if TYPE_CHECKING:
    from kozmo_targets.load import Mark

_TEXT = LogicalType("string")
_KEY = ("state_id", "shard")
_CLAIM = "*"
_MADE = "+"
"""What an entry begins with that names a stream and the table made for it under the state_id."""
_COLUMNS = [
    *(TableColumn(name, _TEXT) for name in (*_KEY, "run_id", "streams", "state", "rows")),
    TableColumn("committed_at", LogicalType("timestamptz")),
]


class Ledger:
    """Writes the states of one run into *table*, for as long as no later run has begun.

    A run may end after the next one began: its runner was killed, and the server still works on its
    COMMIT. So a run claims the state before its first row, if nobody moved it on since the runner
    looked, and whoever commits after a claim that is not its own is refused.
    """

    def __init__(self, table: Name, note: RunNote) -> None:
        self.table = table
        self._note = note
        self._forgotten = not note.forget

    def prepare(self, database: Database, committed: Callable[[str], Iterable[Committed]]) -> None:
        """Make the table if it is not there and claim the state, in the transaction under way.

        WriteError where another run has moved it on meanwhile, by what is *committed* wherever that
        is: to begin anew may do.
        """
        note = self._note
        database.shape(self.table, _COLUMNS, _KEY)
        database.hold(self._lock)
        ids = self._run_ids(database)
        if note.found is None:
            self._note = note = replace(note, run_id=later(note.run_id, ids))
        else:
            known = [_undated(each) for each in note.found]
            others = [e for e in committed(note.state_id) if e.run_id != note.run_id]
            moved = any(_undated(each) not in known for each in others)
            if moved or max(ids, default="") > note.run_id:
                raise self._overtaken(retryable=True)
        self._put(database, {"shard": _CLAIM, "streams": None, "state": None, "rows": "{}"})

    def write(self, database: Database, mark: Mark) -> None:
        """Put *mark* in the place of the state before, in the transaction under way."""
        note, table = self._note, database.text(self.table)
        database.hold(self._lock, shared=True)
        if max(self._run_ids(database), default="") > note.run_id:
            raise self._overtaken(retryable=False)
        if not self._forgotten:
            database.execute(
                f"DELETE FROM {table} WHERE state_id = {_literal(note.state_id)} "
                f"AND run_id <> {_literal(note.run_id)} AND shard NOT LIKE '{_MADE}%'"
            )
            self._forgotten = True
        values = {
            "shard": note.shard,
            "streams": None if note.streams is None else json.dumps(note.streams),
            "state": mark.state.decode(),
            "rows": dumps(dict(mark.rows)).decode(),
        }
        self._put(database, values)

    def note_made(self, database: Database, stream: str, table: Name) -> None:
        """Note that *table* is made for *stream*, in the transaction that makes it."""
        shard = _made(database, stream, table)
        self._put(database, {"shard": shard, "streams": None, "state": None, "rows": "{}"})

    def has_made(self, database: Database, stream: str, table: Name) -> bool:
        """Tell whether a run of this state_id, maybe one that was cut off, made that table."""
        found = database.rows(
            f"SELECT 1 FROM {database.text(self.table)} "
            f"WHERE state_id = {_literal(self._note.state_id)} "
            f"AND shard = {_literal(_made(database, stream, table))}"
        )
        return bool(found)

    def _run_ids(self, database: Database) -> list[str]:
        """Of all entries; compared here, since the database may have an order of its own."""
        mine = f"WHERE state_id = {_literal(self._note.state_id)}"
        found = database.rows(f"SELECT run_id FROM {database.text(self.table)} {mine}")
        return [run_id for (run_id,) in found]

    @property
    def _lock(self) -> str:
        return f"{TABLE} {self._note.state_id}"

    def _overtaken(self, *, retryable: bool) -> WriteError:
        error = WriteError(
            f"another run moves the state '{self._note.state_id.partition('@')[0]}' on",
            "its rows and its state count; of this run nothing more is committed",
            "wait for its end and run again",
        )
        error.retryable = retryable
        return error

    def _put(self, database: Database, said: Mapping[str, str | None]) -> None:
        table = database.text(self.table)
        at = datetime.now(timezone.utc).isoformat(timespec="microseconds")
        own = {"state_id": self._note.state_id, "run_id": self._note.run_id, "committed_at": at}
        values = {**own, **said}
        changes = ", ".join(f"{name} = excluded.{name}" for name in values if name not in _KEY)
        database.execute(
            f"INSERT INTO {table} ({', '.join(values)}) "
            f"VALUES ({', '.join(map(_literal, values.values()))}) "
            f"ON CONFLICT ({', '.join(_KEY)}) DO UPDATE SET {changes}"
        )


def query(table: str) -> str:
    """Return the SELECT of what `entries` takes; the state_id is to follow."""
    return (
        f"SELECT run_id, state, shard, streams, rows, committed_at FROM {table} "
        "WHERE state IS NOT NULL AND state_id ="
    )


def entries(rows: Iterable[tuple[Any, ...]]) -> list[Committed]:
    """Return rows of the table as what they mean."""
    return [
        Committed(
            run_id, json.loads(state), shard, streams and json.loads(streams), json.loads(loaded),
            str(at),
        )
        for run_id, state, shard, streams, loaded, at in rows
    ]  # fmt: skip


def _made(database: Database, stream: str, table: Name) -> str:
    fold = database.naming.fold
    return _MADE + json.dumps([stream, table.schema and fold(table.schema), fold(table.table)])


def _undated(entry: Committed) -> Committed:
    """Return *entry* without its time, which each connection may spell in a way of its own."""
    return replace(entry, committed_at="")


def _literal(text: str | None) -> str:
    return "NULL" if text is None else "'" + text.replace("'", "''") + "'"
