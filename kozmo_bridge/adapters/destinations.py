"""Destinations as objects: rows into the tables of a database."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from kozmo_bridge.adapters.base import Connected
from kozmo_bridge.adapters.sql import OfDatabase
from kozmo_bridge.components.existing import existing
from kozmo_bridge.convert import is_data
from kozmo_bridge.exporting import Written, export
from kozmo_bridge.placing import fitted, place, spelled
from kozmo_bridge.shapes import Shape
from kozmo_runner.api import Cancel
from kozmo_singer.errors import ConfigError
from kozmo_singer.secrets import plain
from kozmo_singer.settings import did_you_mean
from kozmo_singer.wire.catalog import Stream

METHODS = {
    "append": "append-only",
    "upsert": "upsert",
    "replace": "overwrite",
    "fail": "create",
}
"""The load methods of the targets, by the words of `export_data`."""
_OF_PANDAS = frozenset({"chunksize", "dtype", "if_exists", "index", "index_label", "method"})
"""What programs for the first integration handed on to pandas; it means nothing here."""


class BaseDestinationAdapter(Connected):
    """A destination that a target writes to."""

    target: str

    def __init__(self, **config: Any) -> None:
        super().__init__(**config)
        self._running: list[Cancel] = []

    @property
    def plugin(self) -> str:
        """The target."""
        return self.target

    def disconnect(self) -> None:
        """Stop the targets that still write, as from another thread; nothing of theirs stays."""
        while self._running:
            self._running.pop().request("disconnected")

    @abstractmethod
    def export_data(
        self, data: Any, target: str | None = None, mode: str = "append", **kwargs: Any
    ) -> dict[str, Any]:
        """Write *data* to *target* and return how many `rows_written` there are, and more."""


class SQLDestinationAdapter(OfDatabase, BaseDestinationAdapter):
    """The tables of a database."""

    side = "target"

    def export_data(
        self,
        data: Any,
        target: str | None = None,
        mode: str = "append",
        schema: str | None = None,
        key_properties: Sequence[str] = (),
        max_rejected: str | int = 0,
        **kwargs: Any,
    ) -> dict[str, Any]:
        """Write *data* (Data objects, dicts, a table) to the table *target*: all rows or none.

        *mode* is append, upsert (by *key_properties*, or the table's primary key), replace, or fail
        where the table is there. Columns that are there keep their types; rows that do not fit are
        `rejected`, a number or a share of *max_rejected* at most. *kwargs* are settings of the
        target.
        """
        if not target:
            raise ConfigError("no table is named")
        if mode not in METHODS:
            raise ConfigError(
                f"there is no mode '{mode}'",
                *(did_you_mean(mode, METHODS) or [f"there are: {', '.join(METHODS)}"]),
            )
        data = [data] if is_data(data) or isinstance(data, Mapping) else data
        told = {"table": target, "schema": schema}
        adds = mode in ("append", "upsert")
        if not len(data) and (adds or not len(getattr(data, "columns", ()))):
            return {"rows_written": 0, "status": "empty", **told, "rejected": []}
        there = self._there(target, schema or "") if adds else None
        where, fold = place(target, schema or ""), self._database.fold
        shape = fitted(data, there.schema if there is not None else {}, fold=fold)
        keys = keys_of(mode, target, key_properties, there)
        written = self._written(
            {**kwargs, **where.settings, "load_method": METHODS[mode]},
            shape,
            stream=where.stream,
            key_properties=spelled(keys, shape, fold),
            most_rejected=str(max_rejected),
        )
        return {
            "rows_written": written.rows,
            "status": "success",
            **told,
            "inserted": written.inserted,
            "updated": written.updated,
            "rejected": [asdict(each) for each in written.rejected],
        }

    def _written(self, more: Mapping[str, Any], shape: Shape, **options: Any) -> Written:
        """Export *shape* with *more* settings, so that `disconnect` can stop it."""
        mine = {name: plain(value) for name, value in more.items() if name not in _OF_PANDAS}
        cancel = Cancel()
        self._running.append(cancel)
        try:
            settings = {**self.settings(), **mine}
            return export(self.plugin, settings, shape, cancel=cancel, **options)
        finally:
            self._running = [each for each in self._running if each is not cancel]

    def _there(self, table: str, schema: str) -> Stream | None:
        mine = {self._database.url, *self._database.settings.values()}
        settings = {name: value for name, value in self.settings().items() if name in mine}
        return existing(self._database, settings, table, schema)


def keys_of(mode: str, table: str, keys: Sequence[str], there: Stream | None) -> list[str]:
    """Return the key of the rows: *keys*, or for an upsert that of the table that is *there*."""
    if mode == "append":
        return []
    found = list(keys) or (there.key_properties if there is not None else [])
    if mode == "upsert" and not found:
        raise ConfigError(f"upsert into {table} needs key_properties")
    return found
