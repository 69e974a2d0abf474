"""The catalog of a database: what its dialect tells, and SQLAlchemy's reflection beside it."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from kozmo_singer.errors import ConfigError, DiscoverError
from kozmo_singer.plugin import stopping
from kozmo_singer.wire import Catalog, Stream, to_schema
from kozmo_singer.wire.committed import TABLE
from kozmo_singer.wire.types import HINT
from kozmo_taps.sql.relation import DbColumn, Name, Relation

if TYPE_CHECKING:
    from sqlalchemy.engine import Inspector

    from kozmo_taps.sql.engine import Connection, SqlTap

_TEMPORAL = ("date", "timestamp", "timestamptz")


def discover(tap: SqlTap) -> Catalog:
    """Return the queries, then the streams of every schema; a fixed number of questions each."""
    relations: dict[Name, Relation] = {}
    # Nothing is under way that a signal should wait for.
    with tap.connection() as connection, stopping.at_once():
        queries = tap.described(connection, tap.queries)
        if tap.config["discover_tables"]:
            relations = _tables(tap, connection)
    tables = [(tap.stream_id(relation), relation) for _, relation in sorted(_named(relations))]
    entries = [*queries.items(), *tables]
    _expect_distinct(entries)
    return Catalog([_stream(tap, name, relation) for name, relation in entries])


def _tables(tap: SqlTap, connection: Connection) -> dict[Name, Relation]:
    found = tap.tables(connection)
    relations = {name: relation for name, relation in found.items() if name[1] != TABLE}
    if tap.sqlalchemy_dialect is not None:
        with _inspector(tap.sqlalchemy_dialect, connection.raw) as inspector:
            for schema in sorted({name[0] or "" for name in relations}):
                _reflect(inspector, schema or None, relations)
    return relations


def _named(relations: Mapping[Name, Relation]) -> list[tuple[tuple[str, str], Relation]]:
    return [((name[0] or "", name[1]), relation) for name, relation in relations.items()]


@contextmanager
def _inspector(dialect: str, raw: Any) -> Iterator[Inspector]:
    from sqlalchemy import create_engine, inspect
    from sqlalchemy.pool import StaticPool

    # The driver is always named: what `postgresql://` alone means changed with SQLAlchemy 2.1.
    engine = create_engine(dialect, creator=lambda: raw, poolclass=StaticPool)
    with engine.connect() as bound:
        yield inspect(bound)


def _reflect(inspector: Inspector, schema: str | None, relations: Mapping[Name, Relation]) -> None:
    """Put keys, order and nullability of the columns into *relations*."""
    from sqlalchemy.engine.reflection import ObjectKind

    with warnings.catch_warnings():
        # Types that SQLAlchemy does not know are read by the dialect's own map.
        warnings.simplefilter("ignore")
        # Told by name, so that a view that is broken does not end it all.
        names = [name[1] for name in relations if name[0] == schema]
        among: dict[str, Any] = {
            "schema": schema,
            "filter_names": names,
            "kind": ObjectKind.ANY,
        }
        columns = inspector.get_multi_columns(**among)
        keys = inspector.get_multi_pk_constraint(**among)
    for name, found in columns.items():
        relation = relations.get(name)
        if relation is not None:
            known = relation.columns
            relation.columns = {c["name"]: known[c["name"]] for c in found if c["name"] in known}
    for name, key in keys.items():
        relation = relations.get(name)
        if relation is not None and key:
            relation.keys = tuple(key.get("constrained_columns") or ())


def _expect_distinct(entries: Sequence[tuple[str, Relation]]) -> None:
    seen: dict[str, Relation] = {}
    for name, relation in entries:
        other = seen.setdefault(name, relation)
        if other is not relation and other.source is not None:
            raise ConfigError(
                f"a query and a table would both be stream {name}",
                "give the query another name, or leave the tables out: discover_tables: false",
            )
        if other is not relation:
            raise DiscoverError(
                f"two tables would both be stream {name}",
                f"{other.schema}.{other.name} and {relation.schema}.{relation.name}",
                "leave one schema out with filter_schemas",
            )


def _stream(tap: SqlTap, name: str, relation: Relation) -> Stream:
    keys = [key for key in relation.keys if key in relation.columns]
    method, key = _replication(tap.config, relation)
    root = {
        "inclusion": "available",
        "selected-by-default": True,
        "view-key-properties" if relation.is_view else "table-key-properties": keys,
        "valid-replication-keys": [c.name for c in relation.columns.values() if _valid_key(c)],
        "is-view": relation.is_view,
        "row-count": relation.rows,
        "schema-name": relation.schema,
        "table-name": relation.name,
        "database-name": tap.database_name(),
        "table-kind": relation.kind,
    }
    metadata: dict[tuple[str, ...], dict[str, Any]] = {
        (): {k: v for k, v in root.items() if v is not None}
    }
    for column in relation.columns.values():
        metadata["properties", column.name] = _column_metadata(column, keys)
    properties = {c.name: _schema(tap, c) for c in relation.columns.values()}
    return Stream(
        tap_stream_id=name,
        stream=name,
        table=relation.name,
        schema={"type": "object", "properties": properties},
        key_properties=keys,
        replication_method=method,
        replication_key=key,
        is_view=relation.is_view,
        row_count=relation.rows,
        database_name=tap.database_name(),
        metadata=metadata,
    )


def _schema(tap: SqlTap, column: DbColumn) -> dict[str, Any]:
    schema = to_schema(column.type, not column.not_null, tap.config["decimal_format"])
    if tap.moments_are_text and column.type.name in ("timestamp", "timestamptz"):
        # What is stored need not be RFC 3339, as the format date-time promises.
        del schema["format"]
        schema[HINT] = column.type.name
    return schema


def _column_metadata(column: DbColumn, keys: Sequence[str]) -> dict[str, Any]:
    inclusion = "automatic" if column.name in keys else "available"
    if not column.readable:
        inclusion = "unsupported"
    return {
        "inclusion": inclusion,
        "selected-by-default": column.readable,
        "sql-datatype": column.datatype,
    }


def _replication(config: Mapping[str, Any], relation: Relation) -> tuple[str, str | None]:
    if relation.replication_key:
        return "INCREMENTAL", relation.replication_key
    column = relation.columns.get(config["replication_key"] or "")
    if config["replication_method"] != "FULL_TABLE" and column is not None and column.orders:
        return "INCREMENTAL", column.name
    return "FULL_TABLE", None


def _valid_key(column: DbColumn) -> bool:
    whole = column.type.name in ("integer", "decimal")
    return column.readable and column.orders and (whole or column.type.name in _TEMPORAL)
