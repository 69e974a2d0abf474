"""Databases as sources: their tables, and queries."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from typing import Any, ClassVar

from kozmo_bridge.adapters.base import BATCH_SIZE, BaseSourceAdapter, Connected
from kozmo_bridge.components import databases
from kozmo_bridge.components.databases import query_config, query_stream
from kozmo_bridge.components.tables import DEFAULT_SCHEMA, find_table, title
from kozmo_singer.errors import ConfigError
from kozmo_singer.wire.catalog import Catalog, Stream

_OWN = ("database_type", "connection_string")
_INPUTS = ("host", "port", "username", "password", "database", "database_file", "sslmode")


def database_settings(database: databases.Database, config: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings of the plug-ins of a database by the words of the adapters."""
    given = {**config, "database_file": config.get("database")}
    inputs = {name: given.pop(name, None) for name in _INPUTS}
    options = {name: value for name, value in given.items() if name not in _OWN}
    return {**options, **database.config(inputs, given.get("connection_string") or "")}


class OfDatabase(Connected):
    """A source or destination in a database.

    *database_type* is the name of a database, such as postgresql or sqlite (whose file is
    *database*); *connection_string*, a URL, goes before the fields. *options* are settings of the
    plug-in.
    """

    side: ClassVar[databases.Side]

    def __init__(
        self,
        database_type: str,
        host: str | None = None,
        port: int | None = None,
        database: str | None = None,
        username: str | None = None,
        password: str | None = None,
        connection_string: str | None = None,
        **options: Any,
    ) -> None:
        super().__init__(
            database_type=database_type,
            host=host,
            port=port,
            database=database,
            username=username,
            password=password,
            connection_string=connection_string,
            **options,
        )
        self._database = databases.database(database_type)
        self._plugin = self._database.plugin(self.side)

    @property
    def plugin(self) -> str:
        """The tap or target of the database."""
        return self._plugin

    def settings(self) -> Mapping[str, Any]:
        """Return the configuration of the plug-in."""
        return database_settings(self._database, super().settings())


class SQLSourceAdapter(OfDatabase, BaseSourceAdapter):
    """The tables of a database, and what queries find in it.

    Tables are called `orders` in the schema public, `sales.orders` in others; `sales-orders` is
    understood as well.
    """

    side = "tap"

    def discover_streams(self) -> list[str]:
        """Return the names of the tables and views."""
        return [title(stream, DEFAULT_SCHEMA) for stream in self._found().streams]

    def get_schema(self, stream: str | None = None) -> dict[str, str]:
        """Return the columns of a table with the types that the database has for them."""
        found = self._stream(stream)
        types = super().get_schema(found.tap_stream_id)
        for name in types:
            told = found.metadata.get(("properties", name), {})
            types[name] = told.get("sql-datatype") or types[name]
        return types

    def load_data(
        self,
        stream: str | None = None,
        query: str | None = None,
        limit: int | None = None,
        batch_size: int = BATCH_SIZE,
    ) -> Generator[list[Any], None, None]:
        """Yield what *query* finds, or the rows of the table *stream*, as lists of Data objects.

        A list has at most *batch_size*, all together *limit*; 0 is no limit. Memory holds a batch
        at a time.
        """
        if query:
            settings = {**self.settings(), **query_config(query)}
            found = Catalog([query_stream()])
            return self._opened(None, settings, found, limit or None, batch_size)
        if not stream:
            raise ConfigError("there is nothing to read: name a stream, or give a query")
        return super().load_data(stream, None, limit or None, batch_size)

    def _stream(self, name: str | None) -> Stream:
        return super()._stream(None) if name is None else find_table(self._found(), name)
