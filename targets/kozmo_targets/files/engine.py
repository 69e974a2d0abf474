"""The engine of targets that write files."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

from kozmo_singer.errors import WriteError
from kozmo_singer.systems.formats.writers import ending
from kozmo_singer.systems.stores import Store, store_of
from kozmo_singer.systems.stores.settings import HTTP, STORES, address
from kozmo_singer.wire import lane
from kozmo_targets.files import settings as s
from kozmo_targets.files.naming import Run, Template
from kozmo_targets.files.open_files import OpenFiles
from kozmo_targets.target import CAPABILITIES, LoadMethod, Target, Writer

if TYPE_CHECKING:
    from kozmo_singer.wire.messages import Schema

WRITABLE = tuple(setting for setting in STORES if setting not in HTTP)
"""What stores need to be told that can be written to."""


@dataclass(frozen=True)
class Places:
    """Where the files of a run go, and what is true of all of them."""

    store: Store
    base: str
    template: Template
    format: str
    partition_by: list[str]
    max_bytes: int
    max_rows: int | None
    open_files: OpenFiles

    def path(self, stream: str, folders: str, number: int) -> str:
        """Return the path of a file, as the store knows it."""
        return self._below(self.template.path(stream, folders, number))

    def files_of(self, stream: str) -> list[str]:
        """Return the paths of all files of *stream* that are there."""
        try:
            entries = self.store.list(self._below(self.template.folder(stream)))
        except FileNotFoundError:
            return []
        start = len(self._below(""))
        is_of = self.template.is_of(stream)
        return [e.path for e in entries if is_of.fullmatch(e.path[start:].lstrip("/"))]

    def _below(self, name: str) -> str:
        return os.path.join(self.base, name) if name else self.base


class TargetFiles(Target):
    """Writes streams as files, which are seen when they are whole."""

    name = "target-files"
    summary = "Files of any format, in folders and stores"
    settings = (s.PATH, s.FORMAT, *s.NAMES, *s.ALL, *WRITABLE, *s.COMMON)
    capabilities = (*CAPABILITIES, lane.CAPABILITY)
    needs: ClassVar[Mapping[str, tuple[str, ...]]] = {lane.CAPABILITY: ("pyarrow",)}
    format: ClassVar[str | None] = None
    """What all files are, where a target has no setting for it."""
    scheme: ClassVar[str | None] = None
    """The store of a path that names none, if it is not this machine."""
    examples: ClassVar[tuple[str, ...]] = (
        'echo \'{"path": "out", "format": "parquet"}\' > files.json',
        "target-files --config files.json --check",
        "tap-postgres --config shop.json | target-files --config files.json",
    )

    def __init__(self, config: Mapping[str, Any]) -> None:
        super().__init__(config)
        self._format: str = self.format or self.config["format"]
        self._options = s.chosen(self.name, self._format, self.config)
        packed = ending(self._format, self._options.packed)
        self._template = Template(self.name, self.config["file_name"], packed, Run())

    @cached_property
    def _places(self) -> Places:
        path = address(self.name, self.scheme, self.config)
        local = "://" not in path
        store, base = store_of(os.path.expanduser(path), self.config, self.name)
        return Places(
            store=store,
            base=base.rstrip("/") or base,
            template=self._template,
            format=self._format,
            partition_by=[str(name) for name in self.config["partition_by"] or ()],
            max_bytes=self.config["max_file_bytes"],
            max_rows=self.config["max_file_rows"],
            open_files=OpenFiles(local=local),
        )

    def check(self) -> str:
        """Begin a file, which nobody sees, and count those that are there."""
        places = self._places
        try:
            places.store.create(os.path.join(places.base, "kozmo-check")).abort()
            files = len(places.store.list(places.base))
        except OSError as error:
            raise WriteError(
                f"{self.name} cannot write to {self.config['path']}",
                error.strerror or str(error),
            ) from error
        finally:
            places.store.close()
        return f"{self.config['path']} can be written to; {files} files are there"

    def writer(self, schema: Schema, method: LoadMethod) -> Writer:
        """Return the writer of a stream."""
        from kozmo_targets.files.writer import FilesWriter

        options = replace(self._options, stream=schema.stream, keys=tuple(schema.key_properties))
        return FilesWriter(self._places, schema.stream, options, shown=method != "overwrite")

    def close(self) -> None:
        """Let go of the connections to the store."""
        self._places.store.close()

    def expect_columns(self) -> None:
        """Load the libraries before the first rows come."""
        import kozmo_targets.files.writer  # noqa: F401
