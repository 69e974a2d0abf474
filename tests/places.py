"""Places in real stores, each with an address of its own, for tests that run over all of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from kozmo_singer.systems.stores import Store, store_of

BUCKET = "kozmo"
TAPS = {
    "s3": "tap-s3", "gcs": "tap-gcs", "azure": "tap-azure-blob", "sftp": "tap-sftp",
    "ftp": "tap-ftp",
}  # fmt: skip
PORTS = {
    "s3": "aws_endpoint_url", "gcs": "gcs_endpoint_url", "azure": "azure_endpoint_url",
    "sftp": "ssh_port", "ftp": "ftp_port",
}  # fmt: skip
SCHEMES = {"s3": "s3://", "gcs": "gs://", "azure": "az://", "sftp": "sftp://", "ftp": "ftp://"}


@dataclass
class Place:
    """A folder in a store, and the settings with which a tap gets there."""

    kind: str
    config: dict[str, Any]
    base: str
    """The address of the folder, with a slash at its end."""
    _store: tuple[Store, str] | None = None

    @property
    def tap(self) -> str:
        """The tap of this store alone."""
        return TAPS[self.kind]

    @property
    def objects(self) -> bool:
        """Whether names are keys, and folders only what keys share."""
        return self.kind in ("s3", "gcs", "azure")

    @property
    def port(self) -> int:
        """Where the server listens."""
        return int(str(self.config[PORTS[self.kind]]).split(":")[-1].split("/")[0])

    def through(self, port: int) -> dict[str, Any]:
        """Return the settings with which a tap asks another port."""
        name = PORTS[self.kind]
        said = self.config[name]
        return {
            **self.config,
            name: port if isinstance(said, int) else said.replace(str(self.port), str(port)),
        }

    def store(self) -> tuple[Store, str]:
        """Return the store, and the address of the folder as it calls it."""
        if self._store is None:
            self._store = store_of(self.base, self.config)
        return self._store

    def put(self, name: str, data: bytes) -> str:
        """Write a file and return its path."""
        store, base = self.store()
        upload = store.create(base + name)
        upload.file.write(data)
        upload.commit()
        return base + name

    def remove(self, name: str) -> None:
        """Remove a file."""
        store, base = self.store()
        store.remove(base + name)

    def names(self, pattern: str) -> list[str]:
        """Return what a pattern names in the folder."""
        store, base = self.store()
        return [entry.path.removeprefix(base) for entry in store.list(base + pattern)]


def prepared(kind: str, config: dict[str, Any]) -> dict[str, Any]:
    """Return the settings of a server, once it has a bucket for the tests."""
    if kind == "s3":
        from kozmo_singer.systems.stores.s3 import S3Store

        for name in (BUCKET, "public"):
            S3Store(config).client.create_bucket(Bucket=name)
    elif kind == "gcs":
        from kozmo_singer.systems.stores.gcs import GcsStore

        GcsStore(config).client.create_bucket(BUCKET)
    elif kind == "azure":
        from kozmo_singer.systems.stores.azure import AzureStore

        client = AzureStore(config).client
        client.create_container(BUCKET)
        client.create_container("public", public_access="container")
    return {name: value for name, value in config.items() if name != "folder"}


def place(kind: str, config: dict[str, Any], name: str) -> Place:
    """Return an empty folder of a server."""
    bucket = f"{BUCKET}/" if kind in ("s3", "gcs", "azure") else "/"
    return Place(kind, config, f"{SCHEMES[kind]}{bucket}{name}/")
