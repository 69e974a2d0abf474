"""SQLite: settings, connections, quoting, types both ways, and errors in words."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote as percent

from kozmo_singer.errors import ConfigError, ConnectError, KozmoError
from kozmo_singer.settings import Setting
from kozmo_singer.wire.types import LogicalType

SETTINGS: tuple[Setting, ...] = (
    Setting("path", "Database file, for example ./shop.db", required=True),
    Setting(
        "busy_timeout",
        "Seconds to wait for another process that holds the database locked",
        "integer",
        default=30,
        minimum=0,
    ),
)

_PREFIX = "sqlite:///"


def database_path(config: Mapping[str, Any]) -> Path:
    """Return the database file; ``sqlite:///shop.db`` is understood as well as ``shop.db``."""
    text = str(config["path"])
    return Path(text.removeprefix(_PREFIX)).expanduser()


@contextmanager
def connect(
    config: Mapping[str, Any], *, read_only: bool = False, **options: Any
) -> Iterator[sqlite3.Connection]:
    """Yield a connection in autocommit mode (``isolation_level=None``), and close it.

    With *read_only* a missing file is a ConfigError and nothing can be written; else the file and
    its schema are created. *options* go to ``sqlite3.connect``.
    """
    path = database_path(config)
    if read_only:
        _must_be_readable(path)
    mode = "ro" if read_only else "rwc"
    options = {"isolation_level": None, "timeout": config.get("busy_timeout") or 0, **options}
    uri = f"file:{percent(str(path.absolute()))}?mode={mode}"
    try:
        connection = sqlite3.connect(uri, uri=True, **options)
    except sqlite3.Error as error:
        raise connect_error(error, path) from error
    try:
        try:
            # The file is opened lazily; this finds out now whether it is a database at all.
            connection.execute("SELECT name FROM sqlite_master LIMIT 1").fetchone()
        except sqlite3.Error as error:
            raise connect_error(error, path) from error
        yield connection
    finally:
        connection.close()


def _must_be_readable(path: Path) -> None:
    if path.is_dir():
        raise ConfigError(f"{path} is a folder, not an SQLite database", "check the setting path")
    if not path.exists():
        raise ConfigError(
            f"there is no SQLite database {path}",
            f"check the setting path; relative paths start from {Path.cwd()}",
        )


# --- types -----------------------------------------------------------------------------------

_DDL = {
    "boolean": "BOOLEAN",
    "integer": "INTEGER",
    "float": "REAL",
    "binary": "BLOB",
    "date": "DATE",
    "time": "TIME",
    "timestamp": "TIMESTAMP",
    "timestamptz": "TIMESTAMPTZ",
    "uuid": "UUID_TEXT",
    "json": "JSON_TEXT",
}


def ddl(type: LogicalType) -> str:
    """Return the declared type whose affinity leaves every value of *type* as it is.

    A name that contains TEXT has text affinity (https://www.sqlite.org/datatype3.html#3.1), so
    decimals keep their digits and JSON ``1.10`` stays ``1.10``; as NUMERIC both would become
    floats. Up to 15 digits a decimal survives as a number, which compares and adds up like one.
    An integer beyond 64 bits does not fit INTEGER and needs ``DECIMAL_TEXT``.
    """
    if type.name == "decimal" and type.precision and type.precision <= 15:
        return f"DECIMAL({type.precision},{type.scale or 0})"
    if type.name == "decimal":
        digits = f"({type.precision},{type.scale or 0})" if type.precision else ""
        return f"DECIMAL_TEXT{digits}"
    if type.name == "string":
        return f"VARCHAR({type.length})" if type.length else "TEXT"
    return _DDL[type.name]


_LOGICAL: tuple[tuple[str, str], ...] = (
    # First match wins; the names that our own ddl() writes come first.
    (r"DECIMAL_TEXT", "decimal"),
    (r"UUID", "uuid"),
    (r"JSON", "json"),
    (r"BOOL", "boolean"),
    (r"^TIMESTAMPTZ|^TIMESTAMP WITH TIME ZONE", "timestamptz"),
    (r"^TIMESTAMP|^DATETIME", "timestamp"),
    (r"^DATE$", "date"),
    (r"^TIME$", "time"),
    (r"INT", "integer"),
    (r"CHAR|CLOB|TEXT", "string"),
    (r"BLOB|^BINARY|^VARBINARY|^BYTEA", "binary"),
    (r"REAL|FLOA|DOUB", "float"),
    (r"^DEC|^NUMERIC|^NUMBER", "decimal"),
)
_ARGUMENTS = re.compile(r"\(\s*(\d+)\s*(?:,\s*(\d+)\s*)?\)")


def logical(declared: str) -> LogicalType | None:
    """Return the logical type that a column's declared type means; None when it declares none.

    SQLite enforces almost nothing of it: any cell may hold any value.
    """
    text = declared.upper().strip()
    arguments = _ARGUMENTS.search(text)
    bare = _ARGUMENTS.sub("", text).strip()
    name = next((name for pattern, name in _LOGICAL if re.search(pattern, bare)), None)
    if name == "decimal" and arguments:
        return LogicalType("decimal", int(arguments[1]), int(arguments[2] or 0))
    if name == "string" and arguments:
        return LogicalType("string", length=int(arguments[1]))
    if name in ("integer", "float"):
        return LogicalType(name, bits=64)
    return LogicalType(name) if name else None


# --- errors ----------------------------------------------------------------------------------


def connect_error(error: Exception, path: Path) -> KozmoError:
    """Return sqlite3's refusal to open *path* in words, with what to do about it."""
    text = str(error)
    if "file is not a database" in text or "malformed" in text:
        return ConnectError(f"{path} is not an SQLite database, or is damaged", text)
    if "locked" in text or "busy" in text:
        return ConnectError(
            f"{path} is locked by another process", "raise busy_timeout, or try again later"
        )
    if not path.parent.exists():
        return ConfigError(f"there is no folder {path.parent}", "check the setting path")
    return ConnectError(f"cannot open {path}", text, "check the permissions of file and folder")


_ADVICE = (
    (r"no such table|no such column", "the table or column is gone; discover again"),
    (r"locked|busy", "another process holds the database; raise busy_timeout"),
    (r"disk is full|disk I/O error", "is there room left on its disk, and may it grow that much?"),
    (r"readonly|read-only", "the file or its folder may not be written to; check permissions"),
    (r"malformed|not a database", "the file is damaged"),
    (r"too many columns", "leave out what is not needed, by the tap's selection or stream_maps"),
)


@contextmanager
def translated(kind: type[KozmoError], doing: str) -> Iterator[None]:
    """Turn sqlite3 errors of the block into *kind*: "<doing>", SQLite's words, and advice."""
    try:
        yield
    except sqlite3.Error as error:
        text = str(error)
        advice = [line for pattern, line in _ADVICE if re.search(pattern, text)][:1]
        raise kind(doing, text, *advice) from error
