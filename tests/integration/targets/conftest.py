"""Databases that SQL targets load into, seen from both sides."""

from __future__ import annotations

import sqlite3
from abc import ABC, abstractmethod
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from kozmo_targets.sql.postgres import TargetPostgres
from kozmo_targets.sql.sqlite import TargetSQLite
from kozmo_targets.target import Target
from servers.postgres import Database, Server

Row = tuple[Any, ...]


class Place(ABC):
    """A database that is empty at first."""

    name: str
    target_class: type[Target]
    config: Mapping[str, Any]

    def target(self, **settings: Any) -> Target:
        """Return our target with *settings*, pointed at this place."""
        return self.target_class({**self.config, **settings})

    @abstractmethod
    def query(self, statement: str) -> list[Row]:
        """Run a statement and return its rows."""

    @abstractmethod
    def types(self, table: str) -> dict[str, str]:
        """Return the columns of *table* and their types as declared, in their order."""

    @abstractmethod
    def tables(self) -> list[str]:
        """Return the names of all tables, sorted."""


class Postgres(Place):
    name = "postgres"
    target_class = TargetPostgres

    def __init__(self, database: Database) -> None:
        self.database = database
        self.config = database.config

    def query(self, statement: str) -> list[Row]:
        return self.database.execute(statement)

    def types(self, table: str) -> dict[str, str]:
        found = self.query(
            "SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute "
            f"WHERE attrelid = '\"{table}\"'::regclass AND attnum > 0 AND NOT attisdropped "
            "ORDER BY attnum"
        )
        return dict(found)

    def tables(self) -> list[str]:
        found = self.query(
            "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace NOT IN "
            "('pg_catalog'::regnamespace, 'information_schema'::regnamespace)"
        )
        return sorted(name for (name,) in found)


class Sqlite(Place):
    name = "sqlite"
    target_class = TargetSQLite

    def __init__(self, folder: Path) -> None:
        self.path = folder / "place.db"
        self.config = {"path": str(self.path)}

    def query(self, statement: str) -> list[Row]:
        with closing(sqlite3.connect(self.path, isolation_level=None)) as connection:
            return connection.execute(statement).fetchall()

    def types(self, table: str) -> dict[str, str]:
        return dict(self.query(f"SELECT name, type FROM pragma_table_info('{table}')"))

    def tables(self) -> list[str]:
        found = self.query("SELECT name FROM sqlite_master WHERE type = 'table'")
        return sorted(name for (name,) in found)


@pytest.fixture(params=["postgres", "sqlite"])
def place(request: pytest.FixtureRequest, tmp_path: Path, postgres_server: Server) -> Place:
    """Each database of our SQL targets in turn, empty."""
    if request.param == "sqlite":
        return Sqlite(tmp_path)
    return Postgres(request.getfixturevalue("postgres"))
