"""Azure Blob Storage."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from typing import Any

from kozmo_singer.errors import ConfigError, ConnectError
from kozmo_singer.systems.stores import Entry
from kozmo_singer.systems.stores.objects import ObjectStore, ObjectUpload, nanoseconds
from kozmo_singer.systems.stores.remote import RemoteStore, Replaced

_LOGIN = "check azure_account_key, azure_sas_token (has it expired?) or azure_connection_string"


class AzureStore(ObjectStore):
    """The containers of one storage account."""

    root = "az://"
    bucket = "container"

    def __init__(self, config: Mapping[str, Any]) -> None:
        super().__init__(config)
        from azure.core import exceptions

        self.lost = (  # type: ignore[misc]
            *RemoteStore.lost,
            exceptions.ServiceResponseError,
            exceptions.IncompleteReadError,
        )

    @classmethod
    def of(cls, scheme: str, rest: str, config: Mapping[str, Any]) -> tuple[ObjectStore, str]:
        """Return the store of an address: az://container/path, or as Hadoop writes it."""
        place, _, key = rest.partition("/")
        container, at, host = place.partition("@")
        if at:
            # abfss://container@account.dfs.core.windows.net/path
            config = {**config, "azure_account_name": host.partition(".")[0]}
        return super().of(scheme, f"{container}/{key}", config)

    @cached_property
    def client(self) -> Any:
        """What speaks to the server."""
        from azure.storage.blob import BlobServiceClient, LinearRetry

        # It tells of each request, with all headers.
        logging.getLogger("azure").setLevel(logging.WARNING)

        options: dict[str, Any] = {
            "retry_policy": LinearRetry(backoff=2, retry_total=4),
            "connection_timeout": 15,
            "read_timeout": 60,
        }
        whole = self._said("connection_string")
        try:
            if whole:
                return BlobServiceClient.from_connection_string(whole, **options)
            return BlobServiceClient(self._url(), self._credential(), **options)
        except ValueError as error:
            raise ConfigError(
                "azure_connection_string or azure_account_key cannot be read",
                "expected: DefaultEndpointsProtocol=https;AccountName=...;AccountKey=...",
            ) from error

    def _said(self, name: str) -> str | None:
        """The setting, or the variable that the Azure CLI reads for it."""
        if value := self._config.get(f"azure_{name}"):
            return str(value)
        if self._config.get("anonymous"):
            return None
        variable = name.upper().replace("ACCOUNT_NAME", "ACCOUNT").replace("ACCOUNT_KEY", "KEY")
        return os.environ.get(f"AZURE_STORAGE_{variable}")

    def _url(self) -> str:
        if endpoint := self._config.get("azure_endpoint_url"):
            return str(endpoint)
        account = self._said("account_name")
        if not account:
            raise ConfigError(
                "it is not said which storage account is meant",
                "set azure_account_name or azure_connection_string",
            )
        return f"https://{account}.blob.core.windows.net"

    def _credential(self) -> Any:
        if self._config.get("anonymous"):
            return None
        if key := self._said("account_key"):
            return {"account_name": self._said("account_name"), "account_key": key}
        if token := self._said("sas_token"):
            return token.removeprefix("?")
        from azure.identity import DefaultAzureCredential

        return DefaultAzureCredential()

    def _blob(self, name: str) -> Any:
        bucket, key = self._split(name)
        if {".", ".."} & {*key.split("/")}:
            # The library takes them for folders, and would ask for another blob.
            raise OSError("a name with . or .. between slashes cannot be asked for")
        return self.client.get_blob_client(bucket, key)

    def _stat(self, name: str) -> Entry:
        return self._entry(self.root + name, self._blob(name).get_blob_properties())

    def _pages(self, bucket: str, prefix: str, delimiter: str) -> Iterator[Entry | str]:
        from azure.storage.blob import BlobPrefix

        container = self.client.get_container_client(bucket)
        if delimiter:
            found = container.walk_blobs(name_starts_with=prefix or None, delimiter=delimiter)
        else:
            found = container.list_blobs(name_starts_with=prefix or None)
        for each in found:
            if isinstance(each, BlobPrefix):
                yield str(each.name)
            else:
                yield self._entry(f"{self.root}{bucket}/{each.name}", each)

    def _entry(self, path: str, told: Any) -> Entry:
        return Entry(path, told.size, nanoseconds(told.last_modified), str(told.etag).strip('"'))

    def _read(self, name: str, entry: Entry, start: int, end: int) -> bytes:
        from azure.core import MatchConditions

        found = self._blob(name).download_blob(
            offset=start, length=end - start, etag=f'"{entry.etag}"',
            match_condition=MatchConditions.IfNotModified,
        )  # fmt: skip
        return bytes(found.readall())

    def _create(self, name: str) -> AzureUpload:
        return AzureUpload(self, self.root + name, self._blob(name))

    def _remove(self, name: str) -> None:
        from azure.core.exceptions import ResourceNotFoundError

        try:
            self._blob(name).delete_blob()
        except ResourceNotFoundError as error:
            if getattr(error, "error_code", None) != "BlobNotFound":
                raise

    @contextmanager
    def told(self, path: str) -> Iterator[None]:
        """Turn what the library raises over *path* into OSError or ConnectError."""
        from azure.core import exceptions

        try:
            yield
        except exceptions.HttpResponseError as error:
            raise self._explained(path, error) from error
        except exceptions.AzureError as error:
            raise ConnectError(
                f"cannot reach Azure for {path}",
                str(error)[:300],
                "check azure_account_name and azure_endpoint_url",
            ) from error

    def _explained(self, path: str, error: Any) -> Exception:
        code = str(getattr(error.error_code, "value", error.error_code) or "")
        status = error.status_code or 0
        why = str(error.message).splitlines()[0][:300]
        if "Authentication" in code or status == 401 or (status == 403 and not code) or not status:
            return ConnectError(f"Azure refused the login for {path}", code or why, _LOGIN)
        if code == "ContainerNotFound":
            container = self._split(self._name(path))[0]
            return FileNotFoundError(f"there is no container {container}")
        if status == 404:
            return FileNotFoundError(
                "there is no such blob, or no container that everybody may read"
            )
        if status == 403:
            return PermissionError(f"access denied ({code}): the key is wrong, or may not do this")
        if status in (412, 416):
            return Replaced()
        return OSError(f"Azure answered {status} {code}: {why}")


class AzureUpload(ObjectUpload):
    """A blob that is being written; blocks that are not committed are never shown.

    Those that were forgotten Azure throws away after a week.
    """

    def __init__(self, store: AzureStore, path: str, blob: Any) -> None:
        super().__init__(store, path)
        self._blob = blob
        self._blocks: list[Any] = []

    def _whole(self, data: bytes) -> None:
        self._blob.upload_blob(data, overwrite=True)

    def _begin(self) -> None:
        """Blocks need no beginning."""

    def _send(self, data: bytes) -> None:
        from azure.storage.blob import BlobBlock

        name = f"{self.parts:06}"
        self._blob.stage_block(name, data)
        self._blocks.append(BlobBlock(name))

    def _end(self) -> None:
        self._blob.commit_block_list(self._blocks)

    def _forget(self) -> None:
        """Nothing takes blocks back."""
