"""Where files are kept: what every store can do, and which one an address belongs to."""

from __future__ import annotations

import importlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO, NamedTuple, Protocol

from kozmo_singer.errors import ConfigError, MissingDriver


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
    """A place that holds files.

    What it raises over a file is an OSError, over the place as a whole a ConnectError.
    """

    root: str
    """What tells it from other stores; nothing for the files of this machine."""

    def list(self, pattern: str) -> list[Entry]:
        """Return what *pattern* names, by path: a file, all files below a folder, or a glob.

        Files whose names begin with a dot or an underscore are only found by their own names.
        """

    def info(self, path: str) -> Entry:
        """Return the file as it is now."""

    def open(self, path: str) -> BinaryIO:
        """Return the file for reading; it can be sought in.

        If it is another one than it was when it was listed, that is an error here or in reading,
        as far as the store can tell.
        """

    def create(self, path: str) -> Upload:
        """Return a new file for writing; folders above it are made where the store has such."""

    def remove(self, path: str) -> None:
        """Remove the file; that it is gone already is no fault."""

    def close(self) -> None:
        """End connections that are open; what is asked for later opens one again."""


def part_name(name: str) -> str:
    """Return a hidden name for the file *name* while it is not whole, short enough for any."""
    return f".{name[:100]}.{secrets.token_hex(4)}.part"


class Kind(NamedTuple):
    """A kind of store: where its class is, the package that it needs, and the extra with that."""

    target: str
    package: str
    extra: str


_HERE = "kozmo_singer.systems.stores."
_S3 = Kind(f"{_HERE}s3:S3Store", "boto3", "s3")
_GCS = Kind(f"{_HERE}gcs:GcsStore", "google-cloud-storage", "gcs")
_AZURE = Kind(f"{_HERE}azure:AzureStore", "azure-storage-blob", "azure")
_HTTP = Kind(f"{_HERE}http:HttpStore", "httpx", "http")
SCHEMES = {
    "az": _AZURE,
    "abfs": _AZURE,
    "abfss": _AZURE,
    "ftp": Kind(f"{_HERE}ftp:FtpStore", "ftplib", "ftp"),
    "ftps": Kind(f"{_HERE}ftp:FtpStore", "ftplib", "ftp"),
    "gs": _GCS,
    "gcs": _GCS,
    "http": _HTTP,
    "https": _HTTP,
    "s3": _S3,
    "s3a": _S3,
    "sftp": Kind(f"{_HERE}sftp:SftpStore", "paramiko", "sftp"),
}
"""What an address begins with, for the stores that are not this machine."""


def store_of(
    address: str, config: Mapping[str, Any] = {}, plugin: str = "this"
) -> tuple[Store, str]:
    """Return the store of *address* and the pattern that it knows it by.

    What a store needs beside it, credentials above all, are settings in *config*. MissingDriver
    says what *plugin* lacks for it. No connection is made yet.
    """
    from kozmo_singer.systems.stores.local import LocalStore

    scheme, separator, rest = address.partition("://")
    if not separator:
        return LocalStore(), address
    if scheme == "file":
        return LocalStore(), rest
    kind = SCHEMES.get(scheme)
    if kind is None:
        raise ConfigError(
            f"there is no store for {scheme}://", f"there are {', '.join(sorted(SCHEMES))} and file"
        )
    module, _, attribute = kind.target.partition(":")
    try:
        made: tuple[Store, str] = getattr(importlib.import_module(module), attribute).of(
            scheme, rest, config
        )
    except ImportError as error:
        raise MissingDriver(plugin, kind.package, kind.extra) from error
    return made
