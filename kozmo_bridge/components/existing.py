"""The table that rows are added to, if it is there: its columns, types and key."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kozmo_bridge.components.databases import Database
from kozmo_bridge.components.tables import schema_of, table_of
from kozmo_bridge.placing import place
from kozmo_runner import api
from kozmo_runner.api import Cancel
from kozmo_singer.errors import KozmoError
from kozmo_singer.secrets import plain
from kozmo_singer.wire.catalog import Stream
from kozmo_singer.wire.encode import schema_line

_ANY_COLUMN = {"type": "object", "properties": {"column": {"type": "string"}}}


def existing(
    database: Database,
    connection: Mapping[str, Any],
    table: str,
    schema: str = "",
    cancel: Cancel | None = None,
) -> Stream | None:
    """Return the table that a target would add rows to; None where it would make a new one.

    Without *schema* the target says which one it takes.
    """
    if not database.has_schemas:
        return _of_file(database, connection, table, cancel)
    if not schema:
        where = place(table)
        settings = {**connection, **_literal(where.settings), "load_method": "append-only"}
        line = schema_line(where.stream, _ANY_COLUMN, [])
        found = api.plan(database.plugin("target"), settings, line, cancel=cancel).streams[0]
        if not found.exists:
            return None
        schema = found.schema or ""
    return _discovered(database, connection, table, schema, cancel)


def _of_file(
    database: Database, connection: Mapping[str, Any], table: str, cancel: Cancel | None
) -> Stream | None:
    try:
        return _discovered(database, connection, table, "", cancel)
    except KozmoError:
        # A file that is not there yet has no table; of any other fault the target tells.
        return None


def _discovered(
    database: Database,
    connection: Mapping[str, Any],
    table: str,
    schema: str,
    cancel: Cancel | None,
) -> Stream | None:
    one = {"filter_tables": [f"{schema}-{table}" if schema else table]}
    if schema:
        one["filter_schemas"] = [schema]
    fold = database.fold
    # The tap takes names as they are spelled, and the database may spell the table otherwise.
    for filters in [one] if fold is str else [one, {}]:
        looking = {**connection, **_literal(filters)}
        for stream in api.discover(database.plugin("tap"), looking, cancel=cancel).streams:
            if schema_of(stream) == schema and fold(table_of(stream)) == fold(table):
                return stream
    return None


def _literal(settings: Mapping[str, Any]) -> dict[str, Any]:
    return {name: plain(value) for name, value in settings.items()}
