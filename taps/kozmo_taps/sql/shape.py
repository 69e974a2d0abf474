"""Which columns of a table a stream reads, and as what."""

from __future__ import annotations

import dataclasses

from kozmo_singer.errors import ConfigError, KozmoError, ReadError
from kozmo_singer.settings import did_you_mean
from kozmo_singer.wire import LogicalType, Stream, from_schema
from kozmo_taps.sql.relation import DbColumn, Relation

_NUMBERS = {"integer", "float", "decimal"}
_TEXTS = {"string", "date", "time", "timestamp", "timestamptz", "uuid", "binary"}


def shape(relation: Relation, stream: Stream, key: str | None) -> list[DbColumn]:
    """Return the columns to read: the selected ones, the primary key's and the replication key.

    Where the catalog says string of a column that is none, the column is read as text. Where the
    database declares nothing of it, as SQLite does of a view's expressions, the catalog counts.
    A catalog that has no properties at all, which takes no discovery, wants every column.
    """
    names = stream.selected_columns()
    if "properties" not in stream.schema:
        names = [column.name for column in relation.columns.values() if column.readable]
    extra = [name for name in (*stream.key_properties, key) if name and name not in names]
    found = [_column(relation, stream, name) for name in dict.fromkeys([*names, *extra])]
    if not found:
        raise ConfigError(f"stream {stream.tap_stream_id}: no column is selected")
    if key:
        expect_order(f"stream {stream.tap_stream_id}", relation.columns[key])
    return found


def expect_order(what: str, column: DbColumn) -> None:
    """Raise ConfigError if *column* cannot be the replication key of *what*."""
    if not column.orders:
        kind = column.datatype or "an expression or column without a declared type"
        raise ConfigError(
            f"{what}: '{column.name}' cannot be a replication key, "
            f"because {kind} has no order to go on from",
            "name a column that a table declares as numbers, texts, dates or times; "
            "without a replication key all rows are read",
        )


def _column(relation: Relation, stream: Stream, name: str) -> DbColumn:
    column = relation.columns.get(name)
    if column is None:
        raise _gone(relation, stream, name)
    if not column.readable:
        raise ReadError(
            f"stream {stream.tap_stream_id}: the user may not read column '{name}'",
            "an administrator can GRANT SELECT on it; or deselect the column",
        )
    said = (stream.schema.get("properties") or {}).get(name)
    if said is None:
        return column
    type, _ = from_schema(said)
    spelt = type.name == "decimal" and "string" in str(said.get("type"))
    declared = column.datatype or "anything"
    string = column.type.name == "string" and not column.type.mixed
    if type == LogicalType("string", length=type.length) and not string:
        return dataclasses.replace(
            column, select=column.text, type=LogicalType("string"), as_text=True
        )
    if column.type.mixed and not spelt:
        return dataclasses.replace(column, type=type)
    if not _fits(column.type, type):
        raise ConfigError(
            f"stream {stream.tap_stream_id}: column '{name}' is {declared} in the database "
            f"but {type.name} in the catalog",
            "the catalog may be out of date; make a new one with --discover",
        )
    return dataclasses.replace(column, select=column.text, as_text=True) if spelt else column


def _fits(have: LogicalType, said: LogicalType) -> bool:
    return (
        said.name in (have.name, "json")
        or said.mixed
        or (said.name in _NUMBERS and have.name in _NUMBERS)
        or (said.name in _TEXTS and have.name in _TEXTS)
    )


def _gone(relation: Relation, stream: Stream, name: str) -> KozmoError:
    what = "table" if relation.source is None else "query"
    return ConfigError(
        f"stream {stream.tap_stream_id}: the {what} has no column '{name}'",
        *did_you_mean(name, relation.columns),
        "the catalog may be out of date; make a new one with --discover",
    )
