"""Which table a stream goes to, and what its columns are called there.

Names are kept as they are, quoted. A stream ``public-orders`` is table ``orders`` of schema
``public``: what comes before the first dash is the schema. ``default_target_schema`` takes the
place of that schema, ``table_name`` and ``table_prefix`` shape the table's name. A name that is
too long for the database is cut and ends in eight digits of its SHA-1. Names that are one and the
same to the database are an error.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from kozmo_singer.errors import ConfigError, WriteError
from kozmo_singer.settings import Setting

SETTINGS = (
    Setting("table_prefix", "Put before the name of every table", default=""),
    Setting(
        "table_name",
        "How a table is named: {table} is what follows the first dash of the stream's name, "
        "{schema} what comes before it, {stream} the whole",
        default="{table}",
    ),
)
_PLACEHOLDER = re.compile(r"\{(\w*)\}")


class Name(NamedTuple):
    """A table and the schema it is in; None where the database has no schemas, or its default."""

    schema: str | None
    table: str


class Naming(NamedTuple):
    """What a database does with names: limit in bytes, and how it folds them to compare."""

    limit: int | None
    fold: Callable[[str], str]
    empty: bool = False
    """Whether a name may be empty."""

    def fitted(self, name: str) -> str:
        """Return *name*, or the cut form that takes its place if it is too long."""
        raw = name.encode("utf-8", "surrogatepass")
        if self.limit is None or len(raw) <= self.limit:
            return name
        digest = hashlib.sha1(raw, usedforsecurity=False).hexdigest()[:8]
        return raw[: self.limit - 9].decode(errors="ignore") + "_" + digest

    def fault(self, name: str) -> str | None:
        """Return why no table or column can have *name*, None if one can."""
        if not name and not self.empty:
            return "is empty"
        if "\0" in name:
            return "holds a NUL character"
        if name.encode(errors="replace").decode() != name:
            return "holds half a surrogate pair, which no UTF-8 can carry"
        return None


def check_settings(config: Mapping[str, Any]) -> None:
    """Raise ConfigError for a table_name with a placeholder that is not known."""
    for found in _PLACEHOLDER.findall(config["table_name"]):
        if found not in ("stream", "schema", "table"):
            raise ConfigError(
                f"setting 'table_name' knows no {{{found}}}",
                "it knows {stream}, {schema} and {table}",
            )


def table_of(stream: str, config: Mapping[str, Any], naming: Naming) -> Name:
    """Return the table that *stream* goes to; its schema is None where nothing names one."""
    if (fault := naming.fault(stream)) is not None:
        raise WriteError(
            f"cannot write stream {ascii(stream)}",
            f"no table can have its name, which {fault}",
            "give it another name: stream_maps",
        )
    before, dash, after = stream.partition("-")
    schema, table = (before, after) if before and dash and after else ("", stream)
    parts = {"stream": stream, "schema": schema, "table": table}
    named = _PLACEHOLDER.sub(lambda found: parts[found[1]], config["table_name"])
    schema = config.get("default_target_schema") or schema
    full = naming.fitted(config["table_prefix"] + named)
    return Name(naming.fitted(schema) if schema else None, full)


def column_names(stream: str, properties: Iterable[str], naming: Naming) -> dict[str, str]:
    """Return the column of each property; WriteError names two that would be the same column."""
    columns: dict[str, str] = {}
    taken: dict[str, str] = {}
    for name in properties:
        if (fault := naming.fault(name)) is not None:
            raise WriteError(
                f"cannot write stream {stream}",
                f"the name of its field {ascii(name)} {fault}",
                "rename or leave it out: stream_maps, or the tap's selection",
            )
        column = naming.fitted(name)
        rival = taken.setdefault(naming.fold(column), name)
        if rival != name:
            raise WriteError(
                f"cannot write stream {stream}",
                f"its fields '{rival}' and '{name}' would be the same column here",
                "rename or leave out one of them: stream_maps, or the tap's selection",
            )
        columns[name] = column
    return columns
