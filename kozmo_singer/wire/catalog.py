"""The catalog: which streams a tap has, and what of them is selected.

Both ways of saying things are read and written: metadata by breadcrumb, and the top-level
fields that older taps and Meltano use.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

from kozmo_singer.errors import ConfigError
from kozmo_singer.settings import did_you_mean, json_type, read_json_object

Breadcrumb = tuple[str, ...]
_LEGACY = ("replication_method", "replication_key", "is_view", "row_count", "database_name")


@dataclass
class Stream:
    """One entry of a catalog. Unknown top-level fields are kept in *extra*."""

    tap_stream_id: str
    schema: dict[str, Any]
    stream: str = ""
    table: str | None = None
    key_properties: list[str] = field(default_factory=list)
    replication_method: str | None = None
    replication_key: str | None = None
    is_view: bool | None = None
    row_count: int | None = None
    database_name: str | None = None
    metadata: dict[Breadcrumb, dict[str, Any]] = field(default_factory=dict)
    extra: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def from_dict(cls, entry: Mapping[str, Any]) -> Stream:
        """Return the stream of a catalog entry; metadata wins over the top-level fields."""
        name = entry.get("tap_stream_id") or entry.get("stream")
        if not isinstance(name, str) or not isinstance(entry.get("schema"), Mapping):
            raise ConfigError("a catalog entry needs a tap_stream_id and a schema")
        metadata = _read_metadata(entry.get("metadata") or [])
        root = metadata.get((), {})
        keys = root.get("table-key-properties") or root.get("view-key-properties")
        known = {"tap_stream_id", "stream", "schema", "metadata", "key_properties", "table_name"}
        return cls(
            tap_stream_id=name,
            stream=entry.get("stream") or name,
            schema=dict(entry["schema"]),
            table=entry.get("table_name"),
            key_properties=list(entry.get("key_properties") or keys or []),
            replication_method=root.get("forced-replication-method")
            or root.get("replication-method")
            or entry.get("replication_method"),
            replication_key=root.get("replication-key") or entry.get("replication_key"),
            is_view=root.get("is-view", entry.get("is_view")),
            row_count=root.get("row-count", entry.get("row_count")),
            database_name=root.get("database-name", entry.get("database_name")),
            metadata=metadata,
            extra={k: v for k, v in entry.items() if k not in known and k not in _LEGACY},
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the catalog entry."""
        entry: dict[str, Any] = {
            "tap_stream_id": self.tap_stream_id,
            "stream": self.stream or self.tap_stream_id,
            "key_properties": self.key_properties,
            **self.extra,
        }
        optional = {"table_name": self.table, **{name: getattr(self, name) for name in _LEGACY}}
        entry |= {name: value for name, value in optional.items() if value is not None}
        entry["schema"] = self.schema
        entry["metadata"] = [
            {"breadcrumb": list(breadcrumb), "metadata": values}
            for breadcrumb, values in self.metadata.items()
        ]
        return entry

    @property
    def selected(self) -> bool:
        """Whether the stream is to be read."""
        root = self.metadata.get((), {})
        if root.get("inclusion") == "unsupported":
            return False
        said = (root.get("selected"), self.extra.get("selected"), self.schema.get("selected"),
                root.get("selected-by-default"))  # fmt: skip
        return next((truth for value in said if (truth := _truth(value)) is not None), False)

    def selected_columns(self) -> list[str]:
        """Return the selected properties, in the order of the schema; none if the stream is not."""
        if not self.selected:
            return []
        return [name for name in self.schema.get("properties") or {} if self._column(name)]

    def masked_schema(self) -> dict[str, Any]:
        """Return the schema with the selected properties only."""
        schema = copy.copy(self.schema)
        names = self.selected_columns()
        schema["properties"] = {name: self.schema["properties"][name] for name in names}
        if "required" in schema:
            schema["required"] = [name for name in schema["required"] if name in names]
        schema.pop("selected", None)
        return schema

    def root(self) -> dict[str, Any]:
        """Return the stream's own metadata, to be changed in place."""
        return self.metadata.setdefault((), {})

    def _column(self, name: str) -> bool:
        values = self.metadata.get(("properties", name), {})
        inclusion = values.get("inclusion")
        if inclusion == "unsupported":
            return False
        if inclusion == "automatic" or name in self.key_properties:
            return True
        legacy = self.schema["properties"][name]
        said = (values.get("selected"),
                legacy.get("selected") if isinstance(legacy, Mapping) else None,
                values.get("selected-by-default"))  # fmt: skip
        return next((truth for value in said if (truth := _truth(value)) is not None), True)


@dataclass
class Catalog:
    """The streams of a tap, in its order."""

    streams: list[Stream] = field(default_factory=list)

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> Catalog:
        """Return the catalog of its JSON form; ConfigError where it is none."""
        streams = value.get("streams")
        if isinstance(streams, Mapping):
            streams = [{"tap_stream_id": name, **entry} for name, entry in streams.items()]
        if not isinstance(streams, list):
            raise ConfigError(
                f"the catalog needs a list of streams, not {json_type(streams)}",
                "make one with: TAP --config CONFIG --discover > catalog.json",
            )
        return cls([Stream.from_dict(entry) for entry in streams])

    @classmethod
    def load(cls, path: str) -> Catalog:
        """Return the catalog in the file *path*."""
        return cls.from_dict(read_json_object(path, "catalog"))

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form."""
        return {"streams": [stream.to_dict() for stream in self.streams]}

    def get(self, name: str) -> Stream:
        """Return the stream with this id or name; ConfigError with a hint where there is none."""
        for stream in self.streams:
            if name in (stream.tap_stream_id, stream.stream):
                return stream
        known = [stream.tap_stream_id for stream in self.streams]
        hint = did_you_mean(name, known) or [f"there are: {', '.join(known[:8]) or 'none'}"]
        raise ConfigError(f"there is no stream '{name}'", *hint)

    def selected(self) -> list[Stream]:
        """Return the streams that are to be read."""
        return [stream for stream in self.streams if stream.selected]


def select(catalog: Catalog, rules: Sequence[str]) -> Catalog:
    """Return a copy of *catalog* with only what *rules* name selected.

    A rule is STREAM or STREAM.COLUMN with * and ?; a leading ! takes away. Later rules win; where
    the first rule takes away, everything else is selected. A rule that names no stream is an
    error.
    """
    chosen = copy.deepcopy(catalog)
    everything = bool(rules) and rules[0].startswith("!")
    wanted = {s.tap_stream_id: everything and s.selected for s in chosen.streams}
    for rule in rules:
        _apply(chosen, rule, wanted)
    for stream in chosen.streams:
        stream.root()["selected"] = wanted[stream.tap_stream_id]
        stream.extra.pop("selected", None)
    return chosen


def _apply(catalog: Catalog, rule: str, wanted: dict[str, bool]) -> None:
    take = not rule.startswith("!")
    pattern = rule.lstrip("!")
    matched = False
    for stream in catalog.streams:
        name = stream.tap_stream_id
        properties = list(stream.schema.get("properties") or {})
        if fnmatchcase(name, pattern) or pattern == f"{name}.*":
            matched, wanted[name] = True, take
            _mark(stream, properties, take=True)
            continue
        head, dot, column = pattern.rpartition(".")
        columns = [p for p in properties if fnmatchcase(p, column)]
        if not dot or not fnmatchcase(name, head) or not columns:
            continue
        matched = True
        if take and not wanted[name]:
            wanted[name] = True
            _mark(stream, properties, take=False)
        _mark(stream, columns, take)
    if not matched:
        names = [s.tap_stream_id for s in catalog.streams]
        hint = did_you_mean(pattern, names) or [f"streams: {', '.join(names[:8]) or 'none'}"]
        raise ConfigError(f"no stream matches '{pattern}'", *hint)


def _mark(stream: Stream, names: Sequence[str], take: bool) -> None:
    for name in names:
        stream.metadata.setdefault(("properties", name), {})["selected"] = take


def _read_metadata(entries: Any) -> dict[Breadcrumb, dict[str, Any]]:
    if not isinstance(entries, list):
        raise ConfigError("the metadata of a catalog entry must be a list")
    return {
        tuple(str(part) for part in entry.get("breadcrumb") or ()): dict(
            entry.get("metadata") or {}
        )
        for entry in entries
        if isinstance(entry, Mapping)
    }


def _truth(value: Any) -> bool | None:
    if isinstance(value, str):
        return {"true": True, "false": False}.get(value.lower())
    return value if isinstance(value, bool) else None
