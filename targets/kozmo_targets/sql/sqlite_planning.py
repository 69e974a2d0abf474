"""SQLite as a plan sees it: a copy of the file's tables in memory, without their rows.

But for those of the ledger, which say what earlier runs made.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from kozmo_singer.systems.sql import sqlite as system
from kozmo_singer.wire.committed import TABLE
from kozmo_singer.wire.planned import Count
from kozmo_targets.sql.names import Name
from kozmo_targets.sql.planning import Noted
from kozmo_targets.sql.sqlite_database import SqliteDatabase

_MADE_BY = """
SELECT sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite~_%' ESCAPE '~'
ORDER BY type <> 'table', type <> 'index', type <> 'view', rowid
"""


class SqlitePlanned(Noted, SqliteDatabase):
    """Runs the statements that shape tables on tables without rows."""

    config: Mapping[str, Any]

    def count_rows(self, table: Name) -> tuple[int | None, Count]:
        with system.connect(self.config, read_only=True) as there:
            ((rows,),) = there.execute(f"SELECT count(*) FROM {self.text(table)}").fetchall()
        return rows, "exact"


@contextmanager
def planned(config: Mapping[str, Any], path: Path) -> Iterator[SqlitePlanned]:
    """Give the tables of the file, which is only read."""
    memory = sqlite3.connect(":memory:", isolation_level=None)
    try:
        if path.exists():
            with system.connect(config, read_only=True) as there:
                for (sql,) in there.execute(_MADE_BY).fetchall():
                    # A part of a virtual table that is there with it, or one of a module not known.
                    with suppress(sqlite3.OperationalError):
                        memory.execute(sql)
                _copy_ledger(there, memory)
        database = SqlitePlanned(memory, config["busy_timeout"])
        database.config = config
        yield database
    finally:
        memory.close()


def _copy_ledger(there: sqlite3.Connection, memory: sqlite3.Connection) -> None:
    made = "SELECT count(*) FROM pragma_table_info(?)"
    ((width,),) = memory.execute(made, [TABLE]).fetchall()
    if width:
        rows = there.execute(f"SELECT * FROM {TABLE}").fetchall()
        memory.executemany(f"INSERT INTO {TABLE} VALUES ({', '.join('?' * width)})", rows)


def expect_folder(path: Path) -> None:
    """Raise the error of a load that could not make the file *path*."""
    if not os.access(path.parent, os.W_OK):
        raise system.connect_error(sqlite3.OperationalError("unable to open database file"), path)
