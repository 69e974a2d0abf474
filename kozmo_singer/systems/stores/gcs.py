"""Google Cloud Storage."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from typing import Any, BinaryIO, cast

from kozmo_singer.errors import ConfigError, ConnectError
from kozmo_singer.systems.stores import Entry
from kozmo_singer.systems.stores.objects import PART_BYTES, ObjectStore, nanoseconds
from kozmo_singer.systems.stores.remote import Explained, RemoteStore, Replaced

_SECONDS = 10.0
"""How long the library tries again by itself."""
_FIELDS = "items(name,size,updated,generation),prefixes,nextPageToken"


class GcsStore(ObjectStore):
    """The buckets that a login sees; the etag of an entry is its generation."""

    root = "gs://"

    def __init__(self, config: Mapping[str, Any]) -> None:
        super().__init__(config)
        import requests
        from google.auth.exceptions import TransportError
        from google.cloud.storage.retry import DEFAULT_RETRY

        self._retry = DEFAULT_RETRY.with_timeout(_SECONDS)
        self.lost = (  # type: ignore[misc]
            *RemoteStore.lost,
            requests.exceptions.ChunkedEncodingError,
            requests.exceptions.Timeout,
            TransportError,
        )

    @cached_property
    def client(self) -> Any:
        """What speaks to the server."""
        from google.auth.credentials import AnonymousCredentials
        from google.auth.exceptions import DefaultCredentialsError
        from google.cloud.storage import Client

        said, project = self._config.get("google_credentials"), self._config.get("google_project")
        endpoint = self._config.get("gcs_endpoint_url")
        options: dict[str, Any] = {"client_options": {"api_endpoint": endpoint}} if endpoint else {}
        if self._config.get("anonymous"):
            return Client(project or "none", credentials=AnonymousCredentials(), **options)
        if said:
            return Client(project, credentials=_service_account(str(said)), **options)
        try:
            return Client(project, **options)
        except DefaultCredentialsError as error:
            raise ConnectError(
                "there are no credentials for Google Cloud Storage",
                "set google_credentials, or GOOGLE_APPLICATION_CREDENTIALS, or run: "
                "gcloud auth application-default login",
                "for what everybody may read: anonymous",
            ) from error

    def _stat(self, name: str) -> Entry:
        bucket, key = self._split(name)
        blob = self._bucket(bucket).get_blob(key, retry=self._retry)
        if blob is None:
            raise FileNotFoundError("there is no such object")
        return self._entry(bucket, blob)

    def _pages(self, bucket: str, prefix: str, delimiter: str) -> Iterator[Entry | str]:
        found = self.client.list_blobs(
            self._bucket(bucket), prefix=prefix, delimiter=delimiter, fields=_FIELDS,
            retry=self._retry,
        )  # fmt: skip
        for page in found.pages:
            yield from page.prefixes
            for blob in page:
                yield self._entry(bucket, blob)

    def _bucket(self, name: str) -> Any:
        return self.client.bucket(name, user_project=self._config.get("google_project"))

    def _entry(self, bucket: str, blob: Any) -> Entry:
        path = f"{self.root}{bucket}/{blob.name}"
        return Entry(path, blob.size, nanoseconds(blob.updated), str(blob.generation))

    def _read(self, name: str, entry: Entry, start: int, end: int) -> bytes:
        bucket, key = self._split(name)
        blob, body = self._bucket(bucket).blob(key), io.BytesIO()
        # Unpacked by nobody on the way: what is gzip stays gzip, as its size is told.
        blob.download_to_file(
            body, start=start, end=end - 1, raw_download=True, checksum=None,
            if_generation_match=int(entry.etag or 0), retry=self._retry,
        )  # fmt: skip
        # Not every server heeds the condition.
        if str(blob.generation) != entry.etag:
            raise Replaced
        return body.getvalue()

    def _create(self, name: str) -> GcsUpload:
        bucket, key = self._split(name)
        return GcsUpload(self, self.root + name, self._bucket(bucket).blob(key), self._retry)

    def _remove(self, name: str) -> None:
        from google.api_core.exceptions import NotFound

        bucket, key = self._split(name)
        try:
            self._bucket(bucket).blob(key).delete(retry=self._retry)
        except NotFound as error:
            if "bucket does not exist" in str(error):
                raise

    @contextmanager
    def told(self, path: str) -> Iterator[None]:
        """Turn what the library raises over *path* into OSError or ConnectError."""
        import requests
        from google.api_core.exceptions import GoogleAPICallError, RetryError
        from google.auth.exceptions import GoogleAuthError
        from google.resumable_media import InvalidResponse

        try:
            yield
        except GoogleAPICallError as error:
            raise self._explained(path, int(error.code or 0), str(error.message)) from error
        except InvalidResponse as error:
            answer = error.response
            raise self._explained(path, answer.status_code, answer.text[:200]) from error
        except GoogleAuthError as error:
            raise ConnectError(
                f"Google refused the login for {path}",
                str(error.args[0] if error.args else error)[:300],
                "check google_credentials, or GOOGLE_APPLICATION_CREDENTIALS",
            ) from error
        except (requests.RequestException, RetryError) as error:
            why = str(getattr(error, "cause", None) or error)[:300]
            raise ConnectError(
                f"cannot reach Google Cloud Storage for {path}", why, "check gcs_endpoint_url"
            ) from error

    def _explained(self, path: str, code: int, message: str) -> Exception:
        bucket = self._split(self._name(path))[0]
        if code == 401:
            return ConnectError(
                f"Google refused the login for {path}",
                message[:300],
                "check google_credentials, or GOOGLE_APPLICATION_CREDENTIALS",
            )
        if code == 403:
            return PermissionError(f"access denied: the login may not read or write {path}")
        if code == 404:
            gone = f"there is no bucket {bucket}, or no such object in it"
            return FileNotFoundError(gone)
        if code in (412, 416):
            return Replaced()
        return OSError(f"Google Cloud Storage answered {code}: {message[:300]}")


class GcsUpload:
    """An object that is being written; Google shows none before its upload is finished."""

    def __init__(self, store: GcsStore, path: str, blob: Any, retry: Any) -> None:
        self._told: Any = lambda: store.told(path)
        self._writer = blob.open(
            "wb", chunk_size=PART_BYTES, ignore_flush=True, retry=retry, checksum=None
        )
        self._over = False
        self.file: BinaryIO = cast(BinaryIO, Explained(self._writer, self._told))

    def commit(self) -> None:
        """Show the object under its name."""
        with self._told():
            self._writer.close()
        self._over = True

    def abort(self) -> None:
        """Forget what was sent."""
        if self._over:
            return
        self._over = True
        with self._told():
            # Without a request there was no upload yet, and nothing is to be taken back.
            self._writer.terminate()


def _service_account(said: str) -> Any:
    from google.oauth2.service_account import Credentials

    scopes = ["https://www.googleapis.com/auth/devstorage.read_write"]
    try:
        if said.lstrip().startswith("{"):
            return Credentials.from_service_account_info(json.loads(said), scopes=scopes)
        return Credentials.from_service_account_file(said, scopes=scopes)
    except FileNotFoundError as error:
        raise ConfigError("setting 'google_credentials' names no file and holds no JSON") from error
    except (ValueError, OSError) as error:
        raise ConfigError(
            "setting 'google_credentials' holds no key of a service account",
            "expected the JSON that Google gives for it, or the name of the file with it",
        ) from error
