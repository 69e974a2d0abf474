"""The databases of the toolkit, as the components name them and as the plug-ins want them."""

from __future__ import annotations

import string
from collections.abc import Callable, Mapping
from typing import Any, Literal, NamedTuple

from kozmo_runner.plugins import registered
from kozmo_singer.errors import ConfigError
from kozmo_singer.wire.catalog import Stream

QUERY = "query"
"""The stream of what a query finds."""
Side = Literal["tap", "target"]
_LETTERS = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)
_LOOKUP = "SELECT table_schema, table_name, column_name, data_type FROM information_schema.columns"


def _without_case(name: str) -> str:
    """SQLite compares names without regard to the case of A to Z, and of no other letter."""
    return name.translate(_LETTERS)


class Database(NamedTuple):
    """A kind of database: its plug-ins, and the settings by the names of the components' inputs.

    *url* is the setting that a connection string goes to; *schemes* are what one begins with.
    """

    label: str
    system: str
    url: str
    settings: Mapping[str, str]
    schemes: tuple[str, ...]
    has_schemas: bool = True
    """Whether tables are in schemas, and the plug-in takes the setting filter_schemas."""
    lookup: str = _LOOKUP
    """A query that finds the tables and their columns."""
    fold: Callable[[str], str] = str
    """Two names are of one table, or column, where this makes the same of them."""

    def plugin(self, side: Side) -> str:
        """Return the name of the tap or target; ConfigError where none is installed."""
        name = f"{side}-{self.system}"
        if name not in registered(side):
            raise ConfigError(
                f"there is no {name} here, which {self.label} needs",
                f"there are: {', '.join(available(side))}",
                f"any other Singer {side} runs in the component Singer "
                f"{'Source' if side == 'tap' else 'Target'}",
            )
        return name

    def config(self, inputs: Mapping[str, Any], connection_string: str = "") -> dict[str, Any]:
        """Return the settings of the plug-in; a connection string goes before the *inputs*."""
        if connection_string:
            return {self.url: self._checked(connection_string)}
        return {
            setting: inputs[name]
            for name, setting in self.settings.items()
            if inputs.get(name) not in (None, "")
        }

    def takes(self, connection_string: str) -> bool:
        """Return whether *connection_string* may be one of this database."""
        return "://" not in connection_string or _scheme(connection_string) in self.schemes

    def _checked(self, connection_string: str) -> str:
        scheme = _scheme(connection_string)
        if not self.takes(connection_string):
            raise ConfigError(
                f"the connection string is none of {self.label}: it begins with {scheme[:20]}://",
                f"expected {self.schemes[0]}://...",
            )
        return connection_string


def _scheme(connection_string: str) -> str:
    """What stands before the colon, without the name of a driver."""
    return connection_string.partition("://")[0].partition("+")[0]


_SAME = ("host", "port", "password", "database")
_SERVER = {"username": "user", **{name: name for name in _SAME}}
DATABASES = (
    Database(
        "PostgreSQL", "postgres", "sqlalchemy_url", {**_SERVER, "sslmode": "sslmode"},
        ("postgresql", "postgres"),
    ),
    Database(
        "SQLite", "sqlite", "path", {"database_file": "path"}, ("sqlite",), False,
        "SELECT name, sql FROM sqlite_master", _without_case,
    ),
    Database("MySQL", "mysql", "sqlalchemy_url", _SERVER, ("mysql", "mariadb")),
    Database("BigQuery", "bigquery", "sqlalchemy_url", {}, ("bigquery",)),
    Database("Snowflake", "snowflake", "sqlalchemy_url", _SERVER, ("snowflake",)),
    Database("Redshift", "redshift", "sqlalchemy_url", _SERVER, ("redshift", "postgresql")),
)  # fmt: skip
"""Those whose plug-ins are not there yet have their names in flows of other installations."""


def available(side: Side) -> list[str]:
    """Return the labels of the databases whose *side* is installed."""
    return [each.label for each in DATABASES if f"{side}-{each.system}" in registered(side)]


def database(label: str) -> Database:
    """Return the database called *label*, in whatever case; ConfigError if there is none."""
    for each in DATABASES:
        if label.strip().lower() in (each.label.lower(), each.system):
            return each
    raise ConfigError(
        f"there is no database called '{label[:40]}'",
        f"there are: {', '.join(each.label for each in DATABASES)}",
    )


def query_config(sql: str, key: str = "") -> dict[str, Any]:
    """Return the settings by which a tap reads *sql* alone, new rows by the column *key*."""
    query: dict[str, Any] = {"sql": sql} | ({"replication_key": key} if key else {})
    return {"queries": {QUERY: query}, "discover_tables": False}


def query_stream(key: str = "") -> Stream:
    """Return the selected stream of a query, of which nothing is known before it is run."""
    stream = Stream(QUERY, {"type": "object"})
    stream.root()["selected"] = True
    if key:
        stream.root().update({"replication-method": "INCREMENTAL", "replication-key": key})
    return stream
