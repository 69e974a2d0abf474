"""Where files are kept: what every store can do, and which one an address belongs to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO, Protocol

from kozmo_singer.errors import ConfigError


@dataclass(frozen=True)
class Entry:
    """A file as a store lists it; *modified* is in nanoseconds since 1970, *etag* if it has one."""

    path: str
    size: int
    modified: int
    etag: str | None = None


class Upload(Protocol):
    """A file that is being written, of which nothing is seen before it is whole."""

    file: BinaryIO
    """What its bytes are written to, from the first to the last."""

    def commit(self) -> None:
        """Show the file under its name, in the place of one that was there; it is durable then."""

    def abort(self) -> None:
        """Forget what was written; to be called once more is no fault, nor after commit."""


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

    def create(self, path: str) -> Upload:
        """Return a new file for writing; folders above it are made where the store has such."""

    def remove(self, path: str) -> None:
        """Remove the file; that it is gone already is no fault."""


def store_of(address: str, config: Mapping[str, Any] = {}) -> tuple[Store, str]:
    """Return the store of *address* and the pattern that it knows it by.

    What a store needs beside it, credentials above all, are settings in *config*.
    """
    from kozmo_singer.systems.stores.local import LocalStore

    scheme, separator, rest = address.partition("://")
    if not separator:
        return LocalStore(), address
    if scheme == "file":
        return LocalStore(), rest
    raise ConfigError(f"there is no store for {scheme}://", "files are read from local paths")
