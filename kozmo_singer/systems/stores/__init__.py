"""Where files are kept: what every store can do, and which one an address belongs to.

A store is a small module. One that is built on an fsspec file system only has to translate:
`find` and `info` become its `glob` and `info`, `open` its `open` in mode "rb".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import BinaryIO, Protocol

from kozmo_singer.errors import ConfigError


@dataclass(frozen=True)
class Entry:
    """A file as a store lists it; *modified* is in nanoseconds since 1970, *etag* if it has one."""

    path: str
    size: int
    modified: int
    etag: str | None = None


class Store(Protocol):
    """A place that holds files. What it raises is an OSError."""

    def list(self, pattern: str) -> list[Entry]:
        """Return what *pattern* names, by path: a file, all files below a folder, or a glob.

        Files whose names begin with a dot or an underscore are only found by their own names.
        """

    def info(self, path: str) -> Entry:
        """Return the file as it is now."""

    def open(self, path: str) -> BinaryIO:
        """Return the file for reading; it can be sought in."""


def store_of(address: str) -> tuple[Store, str]:
    """Return the store of *address* and the pattern that it knows it by."""
    from kozmo_singer.systems.stores.local import LocalStore

    scheme, separator, rest = address.partition("://")
    if not separator:
        return LocalStore(), address
    if scheme == "file":
        return LocalStore(), rest
    raise ConfigError(f"there is no store for {scheme}://", "files are read from local paths")
