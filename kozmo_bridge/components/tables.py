"""Tables to choose from: what a catalog offers, by the names that people use."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import product
from typing import Any

from kozmo_singer.errors import ConfigError
from kozmo_singer.settings import did_you_mean
from kozmo_singer.wire.catalog import Catalog, Stream

DEFAULT_SCHEMA = "public"
"""Where a table is meant whose schema nobody names, if it is there."""
_SHOWN = 8


def schema_of(stream: Stream) -> str:
    """Return the schema of a table, nothing where the database has none."""
    return str(stream.metadata.get((), {}).get("schema-name") or "")


def table_of(stream: Stream) -> str:
    """Return the name of a table without its schema."""
    return str(stream.metadata.get((), {}).get("table-name") or stream.table or stream.stream)


def title(stream: Stream, schema: str = "") -> str:
    """Return how a table is called: with its schema, unless that is *schema*."""
    own = schema_of(stream)
    return table_of(stream) if own in ("", schema) else f"{own}.{table_of(stream)}"


def schemas(catalog: Catalog) -> list[str]:
    """Return the schemas that hold tables."""
    return list(dict.fromkeys(filter(None, map(schema_of, catalog.streams))))


def in_schema(catalog: Catalog, schema: str) -> list[Stream]:
    """Return the tables of *schema*; without one those of the usual schema, where there is one."""
    wanted = schema or (DEFAULT_SCHEMA if DEFAULT_SCHEMA in schemas(catalog) else "")
    return [each for each in catalog.streams if not wanted or schema_of(each) in ("", wanted)]


def notes(streams: Iterable[Stream]) -> list[dict[str, Any]]:
    """Return what a dropdown shows below each table: an icon, and how many rows it may have."""
    return [
        {"icon": "Table"}
        | ({} if stream.row_count is None else {"records": f"{stream.row_count:,}"})
        for stream in streams
    ]


def likely_ids(name: str, schema: str = "") -> list[str]:
    """Return the streams that *name* may mean, of databases that call them SCHEMA-TABLE.

    Without one in the name the schema is *schema*, or public.
    """
    found = []
    for spelled in _spelled(name):
        found.append(f"{schema or DEFAULT_SCHEMA}-{spelled}")
        for separator in (".", "-"):
            head, there, table = spelled.partition(separator)
            if there:
                found.append(f"{head}-{table}")
    return list(dict.fromkeys([*found, *map(str.lower, found)]))


def find_table(catalog: Catalog, name: str, schema: str = "") -> Stream:
    """Return the table called *name*: `orders`, `public.orders` or `public-orders`, or quoted.

    ConfigError where there is none, or one in several schemas of which none is *schema* or public.
    """
    folds: tuple[Callable[[str], str], ...] = (str, str.lower)
    for wanted, fold in product(_spelled(name), folds):
        found = [
            stream
            for stream in catalog.streams
            if fold(wanted) in {fold(each) for each in _names(stream)}
        ]
        for preferred in (schema, DEFAULT_SCHEMA):
            among = [stream for stream in found if schema_of(stream) == preferred]
            found = among if preferred and among else found
        if len(found) == 1:
            return found[0]
        if found:
            titles = ", ".join(title(stream) for stream in found[:_SHOWN])
            raise ConfigError(f"there are several tables '{name}': {titles}", "choose a schema")
    raise _unknown(catalog, name)


def has_table(catalog: Catalog, name: str) -> bool:
    """Return whether `find_table` would find one or several tables."""
    wanted = set(map(str.lower, _spelled(name)))
    return any(not wanted.isdisjoint(map(str.lower, _names(s))) for s in catalog.streams)


def _spelled(name: str) -> list[str]:
    """The name as it is, and without the quotes that SQL has around one."""
    return list(dict.fromkeys([name, name.replace('"', "")]))


def _names(stream: Stream) -> tuple[str, ...]:
    return stream.tap_stream_id, stream.stream, title(stream), table_of(stream)


def _unknown(catalog: Catalog, name: str) -> ConfigError:
    known = [title(stream, DEFAULT_SCHEMA) for stream in catalog.streams]
    listed = ", ".join(known[:_SHOWN]) + (", ..." if len(known) > _SHOWN else "")
    hint = did_you_mean(name.replace('"', ""), known) or [f"there are: {listed or 'none'}"]
    return ConfigError(f"there is no table '{name}' that this user may read", *hint)


def told(stream: Stream) -> str:
    """Return in words what a table is."""
    count = len(stream.schema.get("properties") or {})
    rows = "" if stream.row_count is None else f", about {stream.row_count:,} rows"
    return f"{title(stream)}: {count} columns{rows}"


def valid_keys(stream: Stream) -> list[str]:
    """Return the columns by which new rows can be told from those that were read before."""
    return list(stream.metadata.get((), {}).get("valid-replication-keys") or [])


def incremental(stream: Stream, key: str) -> Stream:
    """Have *stream* read only what is new by the column *key*, in place, and return it."""
    keys = valid_keys(stream)
    if key not in keys:
        lacking = f"'{key}' is no such column" if key else "no column is named"
        raise ConfigError(
            f"new rows of {title(stream)} cannot be told: {lacking}",
            *(did_you_mean(key, keys) if key else ()),
            f"columns that can tell: {', '.join(keys) or 'none'}",
        )
    stream.root().update({"replication-method": "INCREMENTAL", "replication-key": key})
    stream.replication_method, stream.replication_key = "INCREMENTAL", key
    return stream
