"""File Loader: rows of files, of this machine or of a store."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from kozmo_bridge import _host
from kozmo_bridge.batch import Batch
from kozmo_bridge.components import file_settings, resetting, stores
from kozmo_bridge.components.base import Stopwatch, flag, literal, names_in
from kozmo_bridge.components.file_inputs import INPUTS, MODES
from kozmo_bridge.components.file_preview import (
    MOST_COLUMNS,
    Glance,
    column_rows,
    glance,
    left_out,
    retyped,
    selection,
)
from kozmo_bridge.components.forms import Form
from kozmo_bridge.components.plugin_settings import setting_name
from kozmo_bridge.components.source import Extraction, SourceComponent, Wanted
from kozmo_bridge.components.stores import LOCAL, S3, Store
from kozmo_runner import api
from kozmo_singer.errors import ConfigError, KozmoError, ReadError
from kozmo_singer.secrets import forms, secrets_in
from kozmo_singer.wire.types import Column, LogicalType

_OF_S3 = ("s3_bucket", "aws_access_key_id", "aws_secret_access_key")
"""The settings of S3 that the class declares, for flows that know them."""


class FileLoaderComponent(SourceComponent):
    """Reads the files at a path or an address, or one that was uploaded."""

    display_name = "File Loader"
    description = "Rows of files: CSV, Excel, Parquet, JSON and others, from here or from a store."
    icon = "File"
    name = "FileLoader"
    verdict = "preview_verdict"
    buttons = ("preview", resetting.BUTTON)

    inputs: ClassVar[list[Any]] = INPUTS
    outputs: ClassVar[list[Any]] = SourceComponent.source_outputs

    def secrets(self) -> list[str]:
        """Return the values of secret inputs, and logins within addresses, in all their forms."""
        told = {setting_name(name) or name: value for name, value in self._attributes.items()}
        headers = {"secret": told.pop("http_headers", "")}
        return forms([*secrets_in(told), *secrets_in(headers)])

    async def wanted(self) -> Wanted:
        """Return the files, streams and columns that the inputs name."""
        store, config = await self._source()
        incremental = self.text("mode") == MODES[1]
        if incremental:
            config["replication_method"] = "INCREMENTAL"
        return Wanted(
            store.tap,
            literal(config),
            catalog=await self._catalog(store, config),
            limit=self.number("limit"),
            incremental=incremental,
            origin=f"{store.tap} {stores.shown(config)}",
            reset_at=self.text(resetting.STAMP),
        )

    async def extracted(self) -> Extraction:
        """Return the rows; where only a test is wanted, one that tells how it went."""
        if flag(self.test_connection_only):
            return await self.once("test", self._tested)
        return await super().extracted()

    async def _extract(self) -> Extraction:
        try:
            return await super()._extract()
        except KozmoError as error:
            chosen = stores.store_called(self.text("source_type") or LOCAL.label)
            raise _explained(error, chosen, self._paths()) from None

    async def refresh(self, form: Form, changed: str) -> None:
        """Show what belongs to the source and the format; look at the files on Preview."""
        self._attributes["upload"] = _upload_path(form)
        if changed == resetting.BUTTON:
            resetting.press(form)
        elif changed == "preview":
            await self._preview(form)
        elif changed == "source_type":
            self._forget_files(form)
            await self._arrange(form)
        elif changed == "file_format":
            await self._arrange(form)

    def _forget_files(self, form: Form) -> None:
        """Take away what was found in another source."""
        self.tell(form, "")
        for name in ("streams", "column_choice"):
            form.set(name, [])
            form.place(name, False)
        form.offer("streams", [])

    async def _preview(self, form: Form) -> None:
        watch = Stopwatch()
        store, config = await self._source()
        # What an address tells goes before what was chosen, and its login is asked for.
        form.set("source_type", store.label)
        self._attributes["source_type"] = store.label
        await self._arrange(form)
        found = await self._glance(store, config)
        await self._arrange(form, found.formats)
        self.tell(form, f"{found}\nlooked at in {watch}")
        form.offer("streams", found.names)
        form.set("streams", [n for n in names_in(form.value("streams")) if n in found.names])
        rows = column_rows(found, form.value("column_choice") or ())
        # The host keeps them all with the flow, and sends them to and fro.
        rows = rows if len(rows) <= MOST_COLUMNS else []
        form.set("column_choice", rows)
        form.note("column_choice", trigger_text=f"{len(rows):,} columns")
        form.place("streams", len(found.names) > 1)
        form.place("column_choice", bool(rows))

    async def _arrange(self, form: Form, formats: Sequence[str] | None = None) -> None:
        """Show the settings of the chosen source and format, and take away those of others.

        Where neither a choice nor *formats* tell the format, its settings stay as they are.
        """
        store = stores.store_called(self.text("source_type") or LOCAL.label)
        form.place("upload", store is LOCAL)
        for name in _OF_S3:
            form.place(name, store is S3)
        chosen = stores.format_called(self.text("file_format"))
        if chosen is not None:
            formats = [chosen.word]
        stay = set() if formats is not None else await file_settings.format_names()
        wanted = await file_settings.fields(store, formats or (), chosen=chosen is not None)
        names = {field.name for field in wanted}
        for name in [name for name in form.fields if setting_name(name) is not None]:
            if name not in names and setting_name(name) not in stay:
                form.remove(name)
        for field in wanted:
            form.add(field)

    async def _source(self) -> tuple[Store, dict[str, Any]]:
        """Return the store, and the settings of its tap that the inputs make."""
        chosen = stores.store_called(self.text("source_type") or LOCAL.label)
        paths = self._paths()
        meant = {stores.store_for(path, chosen) for path in paths} or {chosen}
        # The tap for files of this machine knows the addresses of all stores.
        store = meant.pop() if len(meant) == 1 else LOCAL
        config: dict[str, Any] = {}
        bucket = self.text("s3_bucket") if store is S3 else ""
        if paths and self._is_upload(paths):
            config = stores.uploaded(paths[0])
        elif paths:
            config = stores.named(paths)
        elif not bucket:
            raise ConfigError(
                "no file is named",
                "upload one, or give a path, a glob as data/*.csv, or an address as s3://...",
            )
        told = stores.format_called(self.text("file_format"))
        own = {
            "bucket": bucket or None,
            "format": told.word if told else None,
            "columns": retyped(self._columns()) or None,
        }
        config.update({name: value for name, value in own.items() if value is not None})
        return store, {**await file_settings.options(store, self._attributes), **config}

    async def _catalog(self, store: Store, config: Mapping[str, Any]) -> dict[str, Any] | None:
        """Return the catalog in which streams and columns are left out, None if all are read."""
        rows, chosen = self._columns(), names_in(self.streams)
        if not chosen and not left_out(rows):
            return None
        found = await api.adiscover(store.tap, literal(config))
        return selection(found, chosen, rows)

    async def _glance(self, store: Store, config: Mapping[str, Any], **how: Any) -> Glance:
        try:
            return await glance(store.tap, literal(config), **how)
        except KozmoError as error:
            raise _explained(error, store, self._paths()) from None

    async def _tested(self) -> Extraction:
        try:
            store, config = await self._source()
            found = await self._glance(store, config, samples=False)
            told = ("accessible", f"File is accessible: {found}".replace("\n", ", "))
        except KozmoError as error:
            told = ("failed", f"File is not accessible: {self.problem(error)}")
        self.log(told[1])
        text = LogicalType("string")
        return Extraction(
            [Batch("test", [Column("status", text), Column("message", text)], [told])]
        )

    def _paths(self) -> list[str]:
        """Return what is to be read: of another component, as typed, or uploaded."""
        given = self.files_from or []
        rows = given if isinstance(given, list) else [given]
        told = [path for row in rows if (path := _path_in(row))]
        for name in ("file_path", "upload"):
            if not told and self.text(name):
                told = [self.text(name)]
        return told

    def _is_upload(self, paths: Sequence[str]) -> bool:
        return not self.text("file_path") and list(paths) == [self.text("upload")]

    def _columns(self) -> list[Mapping[str, Any]]:
        return list(self.column_choice or ())


def _path_in(row: Any) -> str:
    """The path that a Data object or a Message of another component tells."""
    data = getattr(row, "data", row)
    if isinstance(data, Mapping):
        for name in ("file_path", "path", "url", "text"):
            if data.get(name):
                return str(data[name]).strip()
    return ""


def _upload_path(form: Form) -> str:
    """The whole path of the file that was uploaded into the form, which the host tells at run."""
    told = form.fields.get("upload", {}).get("file_path")
    if not told or not isinstance(told, str):
        return ""
    folder, name = os.path.split(told)
    service = _host.module("services.deps").get_storage_service()
    return str(service.build_full_path(folder, name))


def _explained(error: KozmoError, store: Store, paths: Sequence[str]) -> KozmoError:
    """The error with its reason first, and what helps at its end."""
    told = (error.message, *error.details)
    # That it was discovery that failed is of no use on the canvas.
    if error.details and error.message.endswith("could not discover its streams"):
        told = error.details
    return ReadError(told[0].removeprefix(f"{store.tap} "), *told[1:], *_hints(store, paths))


def _hints(store: Store, paths: Sequence[str]) -> list[str]:
    """What helps where files of this machine cannot be read."""
    for path in paths if store is LOCAL else ():
        if "://" in path or any(letter in path for letter in "*?["):
            continue
        if not os.path.isabs(os.path.expanduser(path)):
            return [f"paths begin at {os.getcwd()}, on the machine that runs KozmoAI"]
        if not os.path.exists(os.path.expanduser(path)):
            return ["paths are those of the machine that runs KozmoAI; upload a file of yours"]
        if not os.access(path, os.R_OK):
            return ["the user that runs KozmoAI may not read it: change its rights"]
    return []
