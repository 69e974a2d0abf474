"""Tables and columns to choose from: what a catalog offers, by the names that people use."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from kozmo_bridge.batch import Batch
from kozmo_bridge.components.base import flag
from kozmo_singer.errors import ConfigError
from kozmo_singer.settings import did_you_mean
from kozmo_singer.wire.catalog import Catalog, Stream
from kozmo_singer.wire.types import columns

DEFAULT_SCHEMA = "public"
"""Where a table is meant whose schema nobody names, if it is there."""
SAMPLE_CHARACTERS = 40
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


def notes(streams: Iterable[Stream]) -> list[dict[str, Any]]:
    """Return what a dropdown shows below each table: an icon, and how many rows it may have."""
    return [
        {"icon": "Table"} | ({} if stream.row_count is None else {"records": stream.row_count})
        for stream in streams
    ]


def schema_meant(name: str) -> str:
    """Return the schema that the name of a table begins with, as far as the name alone tells."""
    head, separator, _ = name.replace('"', "").replace("-", ".").partition(".")
    return head if separator else ""


def find_table(catalog: Catalog, name: str, schema: str = "") -> Stream:
    """Return the table called *name*: `orders`, `public.orders` or `public-orders`, or quoted.

    ConfigError where there is none, or one in several schemas of which none is *schema* or public.
    """
    wanted = name.replace('"', "")
    for fold in (str, str.lower):
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


def _names(stream: Stream) -> tuple[str, ...]:
    return stream.tap_stream_id, stream.stream, title(stream), table_of(stream)


def _unknown(catalog: Catalog, name: str) -> ConfigError:
    known = [title(stream, DEFAULT_SCHEMA) for stream in catalog.streams]
    listed = ", ".join(known[:_SHOWN]) + (", ..." if len(known) > _SHOWN else "")
    hint = did_you_mean(name.replace('"', ""), known) or [f"there are: {listed or 'none'}"]
    return ConfigError(f"there is no table '{name}' that this user may read", *hint)


def column_rows(
    stream: Stream, batch: Batch | None, before: Sequence[Mapping[str, Any]] = ()
) -> list[dict[str, str]]:
    """Return a row for each column of a table: whether it is read, name, type, key, sample.

    Those that are not read in *before* stay so; a column of the key is always read.
    """
    left_out = set(unread(before))
    samples = _samples(batch)
    found = []
    for name in stream.schema.get("properties") or {}:
        told = stream.metadata.get(("properties", name), {})
        key = name in stream.key_properties
        readable = told.get("inclusion") != "unsupported"
        found.append(
            {
                "column": name,
                "read": "yes" if key or (readable and name not in left_out) else "no",
                "type": str(told.get("sql-datatype") or _type(stream, name)),
                "key": "key" if key else "",
                "sample": samples.get(name, "") if readable else "(may not be read)",
            }
        )
    return found


def unread(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the columns that a table of columns leaves out."""
    return [str(row.get("column")) for row in rows if not flag(row.get("read", "yes"))]


def chosen(stream: Stream, rows: Sequence[Mapping[str, Any]]) -> Stream:
    """Select *stream* in place, without the columns that *rows* leave out, and return it.

    Columns of the key stay, and so do those of which *rows* know nothing.
    """
    stream.root()["selected"] = True
    for name in unread(rows):
        if name in (stream.schema.get("properties") or {}) and name not in stream.key_properties:
            stream.metadata.setdefault(("properties", name), {})["selected"] = False
    if not stream.selected_columns():
        raise ConfigError(f"no column of {title(stream)} is to be read", "set one to 'yes'")
    return stream


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
    stream.root() |= {"replication-method": "INCREMENTAL", "replication-key": key}
    stream.replication_method, stream.replication_key = "INCREMENTAL", key
    return stream


def _type(stream: Stream, name: str) -> str:
    return next((c.type.name for c in columns(stream.schema) if c.name == name), "")


def _samples(batch: Batch | None) -> dict[str, str]:
    """The first value of each column that is one."""
    found: dict[str, str] = {}
    for row in batch.to_dicts() if batch is not None else ():
        for name, value in row.items():
            if value is not None and name not in found:
                found[name] = _cut(value if isinstance(value, str) else str(value))
    return found


def _cut(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= SAMPLE_CHARACTERS else line[: SAMPLE_CHARACTERS - 1] + "…"
