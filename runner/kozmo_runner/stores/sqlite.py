"""State in a SQLite file: the default, in the user's data folder."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from kozmo_runner.home import private_folder
from kozmo_runner.stores.base import KEPT_RUNS, Owner, Saved, StateStore, pack, unpack
from kozmo_runner.stores.flock import FolderOfLocks
from kozmo_runner.stores.naming import file_name
from kozmo_singer.errors import KozmoError

# An entry is JSON, so that a later version may add to it and an older one still reads it.
_TABLE = """
CREATE TABLE IF NOT EXISTS kozmo_state (
  state_id TEXT NOT NULL, run_id TEXT NOT NULL, n INTEGER NOT NULL, entry TEXT NOT NULL,
  PRIMARY KEY (state_id, run_id)
)
"""


class SqliteStore(StateStore):
    """A file of mode 0600; its locks are files in a folder beside it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.where = str(path)
        self._locks = FolderOfLocks(path.with_name(path.name + ".locks"))
        private_folder(path.parent)
        with self._connection() as connection:
            connection.execute(_TABLE)

    def ids(self) -> list[str]:
        with self._connection() as connection:
            rows = connection.execute("SELECT DISTINCT state_id FROM kozmo_state ORDER BY 1")
            return [row[0] for row in rows]

    def history(self, state_id: str) -> list[Saved]:
        with self._connection() as connection:
            rows = connection.execute(
                "SELECT entry FROM kozmo_state WHERE state_id = ? ORDER BY n DESC", (state_id,)
            )
            return [unpack(row[0]) for row in rows]

    def save(self, state_id: str, saved: Saved) -> None:
        values = (pack(saved), state_id, saved.run_id)
        with self._connection() as connection:
            connection.execute("BEGIN IMMEDIATE")
            changed = connection.execute(
                "UPDATE kozmo_state SET entry = ? WHERE state_id = ? AND run_id = ?", values
            )
            if changed.rowcount:
                return
            connection.execute(
                "INSERT INTO kozmo_state (entry, state_id, run_id, n)"
                " SELECT ?, ?, ?, coalesce(max(n), 0) + 1 FROM kozmo_state WHERE state_id = ?",
                (*values, state_id),
            )
            connection.execute(
                "DELETE FROM kozmo_state WHERE state_id = ? AND n <="
                " (SELECT max(n) FROM kozmo_state WHERE state_id = ?) - ?",
                (state_id, state_id, KEPT_RUNS),
            )

    def clear(self, state_id: str) -> int:
        with self._connection() as connection:
            return connection.execute(
                "DELETE FROM kozmo_state WHERE state_id = ?", (state_id,)
            ).rowcount

    def lock(self, state_id: str, owner: Owner) -> None:
        self._locks.lock(file_name(state_id), state_id, owner)

    def unlock(self, state_id: str, owner: Owner) -> None:
        self._locks.unlock(file_name(state_id))

    def holder(self, state_id: str) -> Owner | None:
        return self._locks.holder(file_name(state_id))

    @contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        """A connection whose work is committed on leaving; errors name the file."""
        try:
            os.close(os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
            connection = sqlite3.connect(self._path, timeout=30)
            with closing(connection), connection:
                yield connection
        except (sqlite3.Error, ValueError, OSError) as error:
            raise KozmoError(
                f"cannot use the state store {self._path}: {error}",
                "choose another with --state-store, or set KOZMO_HOME",
            ) from error
