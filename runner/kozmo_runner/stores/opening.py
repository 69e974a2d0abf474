"""From the --state-store that a user writes to the store."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import unquote

from kozmo_runner.home import home
from kozmo_runner.stores.base import NoStore, StateStore

_SQLITE = (".db", ".sqlite", ".sqlite3")
_DATABASES = {"postgresql", "postgres", "mysql", "mariadb", "mssql", "oracle", "snowflake",
              "duckdb", "redshift", "cockroachdb", "clickhouse"}  # fmt: skip


def open_store(where: str | None = None) -> StateStore:
    """Return the store that *where* names.

    None is the default: state.db in KOZMO_HOME or the user's data folder. Otherwise a path (a
    SQLite file by its suffix .db, else a folder), a SQLAlchemy URL, a URL that fsspec knows, or
    "none".
    """
    if where is None:
        from kozmo_runner.stores.sqlite import SqliteStore

        return SqliteStore(home() / "state.db")
    if where == "none":
        return NoStore()
    scheme, separator, rest = where.partition("://")
    if not separator or scheme == "file":
        return _local(Path(unquote(rest) if separator else where).expanduser())
    if scheme == "sqlite":
        return _local(Path(rest.removeprefix("/")), sqlite=True)
    if "+" in scheme or scheme in _DATABASES:
        from kozmo_runner.stores.database import DatabaseStore

        return DatabaseStore(where)
    from kozmo_runner.stores.objects import ObjectStore

    return ObjectStore(where)


def _local(path: Path, sqlite: bool = False) -> StateStore:
    path = path.absolute()
    if sqlite or path.suffix in _SQLITE:
        from kozmo_runner.stores.sqlite import SqliteStore

        return SqliteStore(path)
    from kozmo_runner.stores.files import FolderStore

    return FolderStore(path)
