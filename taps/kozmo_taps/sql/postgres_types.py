"""How the types of PostgreSQL are found out and read; docs/types-postgres.md has the table."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any, NamedTuple

from kozmo_singer.systems.sql.postgres import logical
from kozmo_singer.systems.sql.quoting import quote
from kozmo_singer.wire import LogicalType
from kozmo_taps.sql.relation import DbColumn, Name, Relation, Relations

_KINDS = {
    "r": "table",
    "p": "partitioned table",
    "f": "foreign table",
    "v": "view",
    "m": "materialized view",
}

# Partitions are left out, since their rows come with the table they belong to.
_READABLE = """
WHERE c.relkind IN ('r', 'p', 'f', 'v', 'm') AND NOT c.relispartition
  AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
  AND has_schema_privilege(n.oid, 'USAGE') AND has_any_column_privilege(c.oid, 'SELECT')
"""
_OF_SCHEMAS = "AND n.nspname = ANY(%(schemas)s)"
_NAMES = f"""
SELECT n.nspname, c.relname
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
{_READABLE}"""
# One row a column.
# Before PostgreSQL 14 a table that was never analyzed has no rows, and no pages either.
_COLUMNS = f"""
SELECT n.nspname, c.relname, c.relkind::text,
       CASE WHEN c.reltuples >= 0
         AND (c.relpages <> 0 OR current_setting('server_version_num')::int >= 140000)
         THEN c.reltuples::bigint END,
       a.attname, a.attnotnull, has_column_privilege(c.oid, a.attnum, 'SELECT'),
       format_type(a.atttypid, a.atttypmod), a.atttypid::bigint, t.typtype::text,
       t.typcategory::text, key.place
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
LEFT JOIN LATERAL (
  SELECT array_position(i.indkey::int2[], a.attnum) AS place
  FROM pg_catalog.pg_index i WHERE i.indrelid = c.oid AND i.indisprimary
) key ON true
{_READABLE}"""
_DOMAINS = """
SELECT t.oid::bigint, t.typbasetype::bigint, format_type(t.typbasetype, t.typtypmod),
       b.typtype::text, b.typcategory::text
FROM pg_catalog.pg_type t JOIN pg_catalog.pg_type b ON b.oid = t.typbasetype
WHERE t.typtype = 'd'
"""


# Of columns of a result the server tells base types only, never domains.
_OF_RESULT = """
SELECT format_type(said.oid, said.mod), t.oid::bigint, t.typtype::text, t.typcategory::text
FROM unnest(%(oids)s::oid[], %(mods)s::int[]) WITH ORDINALITY said (oid, mod, place)
JOIN pg_catalog.pg_type t ON t.oid = said.oid ORDER BY said.place
"""


class _Type(NamedTuple):
    formatted: str
    oid: int
    typtype: str
    category: str


def describe(raw: Any, names: Sequence[Name] | None, schemas: Sequence[str] | None) -> Relations:
    """Return what may be read: the tables *names*, or all of *schemas*, or all."""
    sql, parameters = _COLUMNS, {}
    if names is not None:
        # A catalog may name a partition, which discovery leaves out.
        sql = sql.replace("AND NOT c.relispartition", "") + (
            "AND (n.nspname, c.relname) IN "
            "(SELECT * FROM unnest(%(schemas)s::name[], %(tables)s::name[]))"
        )
        parameters = {"schemas": [n[0] for n in names], "tables": [n[1] for n in names]}
    elif schemas:
        sql += _OF_SCHEMAS
        parameters = {"schemas": list(schemas)}
    rows = raw.execute(sql + " ORDER BY 1, 2, a.attnum", parameters).fetchall()
    domains = {}
    if any(row[9] == "d" for row in rows):
        domains = {row[0]: _Type(row[2], row[1], *row[3:]) for row in raw.execute(_DOMAINS)}
    return _relations(rows, domains)


def names(raw: Any, schemas: Sequence[str] | None) -> list[Name]:
    """Return schema and name of what may be read, of *schemas* or all."""
    found = raw.execute(_NAMES + (_OF_SCHEMAS if schemas else ""), {"schemas": schemas})
    return list(found.fetchall())


def _relations(rows: Sequence[Any], domains: dict[int, _Type]) -> Relations:
    relations: dict[Name, Relation] = {}
    keys: dict[Name, dict[int, str]] = {}
    for schema, table, kind, estimate, name, not_null, readable, *of_type, place in rows:
        relation = relations.get((schema, table))
        if relation is None:
            relation = Relation(schema, table, _KINDS[kind], estimate)
            relations[schema, table] = relation
        type = declared = _Type(*of_type)
        while type.oid in domains:
            type = domains[type.oid]
        column = _column(name, type)
        relation.columns[name] = dataclasses.replace(
            column, datatype=declared.formatted, not_null=not_null, readable=readable
        )
        if place is not None:
            keys.setdefault((schema, table), {})[place] = name
    for at, places in keys.items():
        relations[at].keys = tuple(places[place] for place in sorted(places))
    return relations


def typed(raw: Any, found: Sequence[tuple[str, int, int]]) -> dict[str, DbColumn]:
    """Return the columns of a result, of each of which name, type's oid and modifier are told."""
    oids, mods = [oid for _, oid, _ in found], [mod for _, _, mod in found]
    types = raw.execute(_OF_RESULT, {"oids": oids, "mods": mods}).fetchall()
    return {
        name: _column(name, _Type(*type)) for (name, _, _), type in zip(found, types, strict=True)
    }


_INFINITE = ("date", "timestamp", "timestamptz")
_UNORDERED = {"json", "xml", "point", "line", "lseg", "box", "path", "polygon", "circle", "citext"}


def _column(name: str, type: _Type) -> DbColumn:
    """Return how a column of *type* is read; every expression yields text without loss."""
    column = quote(name).replace("%", "%%")
    known = _logical(type)
    bare = type.formatted.partition("(")[0].rpartition(".")[2].strip('"')
    select, parameter = column, f"%s::{type.formatted}".replace("%s", "\0").replace("%", "%%")
    parameter = parameter.replace("\0", "%s")
    if bare == "money":
        select, parameter = f"{column}::numeric", "%s::numeric::money"
    elif known.name == "timestamp":
        # RFC 3339 wants a zone; the schema tells our readers that there is none.
        select = f"{column} AT TIME ZONE 'UTC'"
    elif known.name == "binary":
        select, parameter = f"encode({column}, 'hex')", "decode(%s, 'hex')"
    elif type.category == "A" and type.typtype == "b":
        select = _array(column)
    elif bare in ("vector", "halfvec"):
        select = f"{column}::text::json"
    elif known.name == "json" and bare not in ("json", "jsonb"):
        select = f"to_json({column})"
    return DbColumn(
        name=name,
        datatype=type.formatted,
        type=known,
        select=select,
        text=select if known.name == "binary" else f"{column}::text",
        parameter=parameter,
        orders=known.name not in ("json", "boolean") and bare not in _UNORDERED,
        apart=_apart(column, known),
    )


def _logical(type: _Type) -> LogicalType:
    if type.typtype == "c" or (type.category == "A" and type.typtype == "b"):
        return LogicalType("json")
    return LogicalType("string") if type.typtype in ("e", "r", "m") else logical(type.formatted)


def _array(column: str) -> str:
    """JSON arrays begin at one place only; an array with other bounds goes as PostgreSQL's text.

    array_dims says ``[1:2][1:3]``, where a lower bound other than 1 is rare.
    """
    usual = rf"array_dims({column}) ~ '^(\[1:[0-9]+\])+$'"
    return (
        f"CASE WHEN {column} IS NULL THEN NULL WHEN array_ndims({column}) IS NULL OR {usual} "
        f"THEN to_json({column}) ELSE to_json({column}::text) END"
    )


def _apart(column: str, type: LogicalType) -> str | None:
    """Values that sort above all others and would stop every later row, or below."""
    if type.name in _INFINITE:
        return f"{column} IN ('infinity', '-infinity')"
    if type.name == "float":
        return f"{column} IN ('NaN', 'Infinity', '-Infinity')"
    if type.name == "decimal":
        # PostgreSQL 13 has no infinite numeric, so compare as text.
        return f"{column}::text IN ('NaN', 'Infinity', '-Infinity')"
    return None
