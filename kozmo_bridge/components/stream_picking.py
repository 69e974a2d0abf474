"""Which streams and columns of a catalog are read, and how, as the node's inputs say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from kozmo_bridge.components.base import flag
from kozmo_singer.errors import ConfigError
from kozmo_singer.wire.catalog import Catalog, Stream

AS_TOLD, FULL, INCREMENTAL, LOG_BASED = "As the tap says", "Full table", "Incremental", "Log based"
MODES = (AS_TOLD, FULL, INCREMENTAL, LOG_BASED)
_METHODS = {FULL: "FULL_TABLE", INCREMENTAL: "INCREMENTAL", LOG_BASED: "LOG_BASED"}
ALWAYS = "always"
"""What the table of columns says of one that its tap reads in any case."""
_MOST_ROWS = 2_000


def offered(catalog: Catalog) -> list[str]:
    """Return the streams that can be read."""
    return [each.tap_stream_id for each in catalog.streams if not _unsupported(each)]


def chosen(catalog: Catalog, names: Sequence[str], columns: Any, mode: str, key: str) -> Catalog:
    """Select in *catalog*, in place, what is wanted of it, and return it.

    Without *names* what the tap itself selects, or else everything. *columns* are rows of the table
    of columns; what they do not mention is read. ConfigError where the catalog cannot give it.
    """
    if names:
        picked = {catalog.get(name).tap_stream_id for name in names}
    else:
        selected = [each.tap_stream_id for each in catalog.selected()]
        picked = set(selected or offered(catalog))
    left_out = unread(columns)
    for stream in catalog.streams:
        stream.extra.pop("selected", None)
        stream.root()["selected"] = stream.tap_stream_id in picked
        if stream.tap_stream_id in picked:
            _leave_out(stream, left_out.get(stream.tap_stream_id, set()))
            _sync(stream, mode, key)
    return catalog


def keeps_state(catalog: Catalog | None, mode: str) -> bool:
    """Return whether a bookmark means something: not where all tables are read whole each time."""
    if mode == FULL:
        return False
    if catalog is None:
        return True
    return any(each.replication_method != "FULL_TABLE" for each in catalog.selected())


def whole(catalog: Catalog | None) -> list[str]:
    """Return the streams that are read whole each time, by both of their names."""
    streams = catalog.selected() if catalog is not None else []
    full = [each for each in streams if each.replication_method == "FULL_TABLE"]
    return [name for each in full for name in (each.tap_stream_id, each.stream)]


def column_rows(catalog: Catalog, names: Sequence[str], before: Any = ()) -> list[dict[str, str]]:
    """Return the table of columns of the streams, those left out in *before* marked so.

    Without *names* all streams are in it, unless that were thousands of rows.
    """
    left_out = unread(before)
    streams = [each for each in catalog.streams if each.tap_stream_id in names or not names]
    rows = [
        {
            "stream": stream.tap_stream_id,
            "column": name,
            "read": _read(stream, name, left_out.get(stream.tap_stream_id, set())),
            "type": _type(stream, name, schema),
            "key": "key" if name in stream.key_properties else "",
        }
        for stream in streams
        for name, schema in (stream.schema.get("properties") or {}).items()
    ]
    return rows if names or len(rows) <= _MOST_ROWS else []


def unread(columns: Any) -> dict[str, set[str]]:
    """Return the columns that the table of columns leaves out, by stream."""
    found: dict[str, set[str]] = {}
    for row in columns if isinstance(columns, list) else ():
        row = row if isinstance(row, Mapping) else row.data
        if not flag(row.get("read", "yes")):
            found.setdefault(str(row.get("stream")), set()).add(str(row.get("column")))
    return found


def _leave_out(stream: Stream, names: set[str]) -> None:
    for name in stream.schema.get("properties") or {}:
        if name in names and not _automatic(stream, name):
            stream.metadata.setdefault(("properties", name), {})["selected"] = False
    if not stream.selected_columns() and stream.schema.get("properties"):
        raise ConfigError(
            f"no column of {stream.tap_stream_id} is to be read", "set one to 'yes' in Columns"
        )


def _sync(stream: Stream, mode: str, key: str) -> None:
    method = _METHODS.get(mode)
    root = stream.root()
    if method is None or root.get("forced-replication-method"):
        return
    if method == "INCREMENTAL":
        _go_on_by(stream, key)
    root["replication-method"] = stream.replication_method = method


def _go_on_by(stream: Stream, key: str) -> None:
    """Have the stream go on by the column *key*, or by the one that its tap names."""
    valid = stream.root().get("valid-replication-keys") or []
    names = list(stream.schema.get("properties") or {})
    found = key or stream.replication_key or (valid[0] if len(valid) == 1 else "")
    if found not in names:
        lacking = f"'{key}' is none of its columns" if key else "no column is named for that"
        raise ConfigError(
            f"new rows of {stream.tap_stream_id} cannot be told: {lacking}",
            f"write one into 'New rows by': {', '.join(map(str, (valid or names)[:8]))}",
        )
    stream.replication_key = stream.root()["replication-key"] = found


def _unsupported(stream: Stream) -> bool:
    return stream.metadata.get((), {}).get("inclusion") == "unsupported"


def _automatic(stream: Stream, name: str) -> bool:
    told = stream.metadata.get(("properties", name), {})
    return told.get("inclusion") == "automatic" or name in stream.key_properties


def _read(stream: Stream, name: str, left_out: set[str]) -> str:
    if stream.metadata.get(("properties", name), {}).get("inclusion") == "unsupported":
        return "no"
    if _automatic(stream, name):
        return ALWAYS
    told = stream.metadata.get(("properties", name), {})
    default = told.get("selected", told.get("selected-by-default", True))
    return "no" if name in left_out or not flag(default) else "yes"


def _type(stream: Stream, name: str, schema: Any) -> str:
    """The type of a column: what its database says, else that of its JSON Schema."""
    told = stream.metadata.get(("properties", name), {}).get("sql-datatype")
    if told or not isinstance(schema, Mapping):
        return str(told or "")
    said = schema.get("type")
    types = [said] if isinstance(said, str) else [each for each in said or () if each != "null"]
    return str(schema.get("format") or " or ".join(map(str, types)))
