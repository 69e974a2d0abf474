"""S3, and every server that speaks it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from typing import Any

from kozmo_singer.errors import ConfigError, ConnectError
from kozmo_singer.systems.stores import Entry
from kozmo_singer.systems.stores.objects import ObjectStore, ObjectUpload, nanoseconds
from kozmo_singer.systems.stores.remote import RemoteStore, Replaced, gathered

_CHUNK = 1 << 18
_LOGIN = {
    "InvalidAccessKeyId": "there is no such key: check aws_access_key_id, or the profile",
    "SignatureDoesNotMatch": "the secret is not that of the key: check aws_secret_access_key",
    "ExpiredToken": "the credentials have expired: ask for new ones, as by aws sso login",
    "TokenRefreshRequired": "the credentials have expired: ask for new ones, as by aws sso login",
    "InvalidToken": "aws_session_token does not belong to the key, or has expired",
    "RequestTimeTooSkewed": "the clock of this machine is wrong",
    "AuthorizationHeaderMalformed": "another region is expected: check aws_region",
    "PermanentRedirect": "the bucket is in another region: check aws_region",
}
_DENIED = ("AccessDenied", "AllAccessDisabled", "403", "Forbidden")
_GONE = ("NoSuchKey", "404", "NotFound")


class S3Store(ObjectStore):
    """The buckets that a login sees."""

    root = "s3://"

    def __init__(self, config: Mapping[str, Any]) -> None:
        super().__init__(config)
        from botocore import exceptions
        from urllib3.exceptions import ProtocolError

        self.lost = (  # type: ignore[misc]
            *RemoteStore.lost,
            exceptions.IncompleteReadError,
            exceptions.ReadTimeoutError,
            exceptions.ResponseStreamingError,
            exceptions.ConnectionClosedError,
            ProtocolError,
        )

    @cached_property
    def client(self) -> Any:
        """What speaks to the server."""
        import boto3
        from botocore import UNSIGNED
        from botocore.config import Config
        from botocore.exceptions import ProfileNotFound

        get = self._config.get
        if get("aws_access_key_id") and not get("aws_secret_access_key"):
            raise ConfigError("aws_access_key_id needs aws_secret_access_key beside it")
        if "://" not in (get("aws_endpoint_url") or "://"):
            raise ConfigError(
                f"setting 'aws_endpoint_url' is no URL: {get('aws_endpoint_url')}",
                f"for example: http://{get('aws_endpoint_url')}",
            )
        options: dict[str, Any] = {
            "retries": {"mode": "standard", "max_attempts": 5},
            "connect_timeout": 15,
            "read_timeout": 60,
        }
        if get("anonymous"):
            options["signature_version"] = UNSIGNED
        if get("aws_endpoint_url"):
            # Servers other than Amazon's do not know the newest checksums.
            checksums = ("request_checksum_calculation", "response_checksum_validation")
            known = {*Config.OPTION_DEFAULTS}
            options |= {name: "when_required" for name in checksums if name in known}
        try:
            session = boto3.Session(
                aws_access_key_id=get("aws_access_key_id"),
                aws_secret_access_key=get("aws_secret_access_key"),
                aws_session_token=get("aws_session_token"),
                profile_name=get("aws_profile"),
                region_name=get("aws_region"),
            )
        except ProfileNotFound as error:
            raise ConfigError(
                f"setting 'aws_profile': there is no profile {get('aws_profile')} in ~/.aws",
                f"there are: {', '.join(boto3.Session().available_profiles) or 'none'}",
            ) from error
        return session.client(
            "s3",
            endpoint_url=get("aws_endpoint_url"),
            region_name=session.region_name or "us-east-1",
            config=Config(**options),
        )

    def _stat(self, name: str) -> Entry:
        bucket, key = self._split(name)
        if not key:
            raise FileNotFoundError("a bucket is no object")
        found = self.client.head_object(Bucket=bucket, Key=key)
        return self._entry(bucket, key, found["ContentLength"], found)

    def _pages(self, bucket: str, prefix: str, delimiter: str) -> Iterator[Entry | str]:
        asked = {"Bucket": bucket, "Prefix": prefix, "Delimiter": delimiter}
        while True:
            page = self.again(lambda: self.client.list_objects_v2(**asked))
            for each in page.get("CommonPrefixes") or ():
                yield each["Prefix"]
            for each in page.get("Contents") or ():
                yield self._entry(bucket, each["Key"], each["Size"], each)
            if not page.get("IsTruncated"):
                return
            asked["ContinuationToken"] = page["NextContinuationToken"]

    def _entry(self, bucket: str, key: str, size: int, told: Mapping[str, Any]) -> Entry:
        # Of a listing the time is exact, of a single object there are whole seconds.
        seconds = nanoseconds(told["LastModified"]) // 10**9 * 10**9
        return Entry(f"{self.root}{bucket}/{key}", size, seconds, told["ETag"].strip('"'))

    def _read(self, name: str, entry: Entry, start: int, end: int) -> bytes:
        bucket, key = self._split(name)
        body = self.client.get_object(
            Bucket=bucket, Key=key, Range=f"bytes={start}-{end - 1}", IfMatch=f'"{entry.etag}"'
        )["Body"]
        with body:
            return gathered(body.iter_chunks(_CHUNK), self.lost)

    def _create(self, name: str) -> S3Upload:
        return S3Upload(self, *self._split(name))

    def _remove(self, name: str) -> None:
        bucket, key = self._split(name)
        self.client.delete_object(Bucket=bucket, Key=key)

    @contextmanager
    def told(self, path: str) -> Iterator[None]:
        """Turn what botocore raises over *path* into OSError or ConnectError."""
        from botocore import exceptions

        try:
            yield
        except exceptions.ClientError as error:
            raise self._explained(path, error) from error
        except exceptions.NoCredentialsError as error:
            raise ConnectError(
                f"there are no credentials for {path}",
                "set aws_access_key_id and aws_secret_access_key, aws_profile, or the variables "
                "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
                "for what everybody may read: anonymous",
            ) from error
        except exceptions.BotoCoreError as error:
            raise ConnectError(
                f"cannot reach S3 for {path}", str(error), "check aws_endpoint_url and aws_region"
            ) from error

    def _explained(self, path: str, error: Any) -> Exception:
        said = error.response.get("Error") or {}
        code, message = str(said.get("Code")), str(said.get("Message") or error)
        if code in _LOGIN:
            return ConnectError(
                f"S3 refused the login for {path}", f"{code}: {message}", _LOGIN[code]
            )
        if code == "NoSuchBucket":
            bucket = self._split(self._name(path))[0]
            return FileNotFoundError(f"there is no bucket {bucket}, with which the path begins")
        if code in _GONE:
            return FileNotFoundError("there is no such object")
        if code in _DENIED:
            return PermissionError(f"access denied: the login may not read or write {path}")
        if code in ("PreconditionFailed", "412", "InvalidRange", "416"):
            return Replaced()
        return OSError(f"S3 answered {code}: {message}")


class S3Upload(ObjectUpload):
    """An object that is being written; what is not committed, S3 never shows."""

    def __init__(self, store: S3Store, bucket: str, key: str) -> None:
        super().__init__(store, f"{store.root}{bucket}/{key}")
        self._client, self._place = store.client, {"Bucket": bucket, "Key": key}
        self._id = ""
        self._tags: list[dict[str, Any]] = []

    def _whole(self, data: bytes) -> None:
        self._client.put_object(**self._place, Body=data)

    def _begin(self) -> None:
        self._id = self._client.create_multipart_upload(**self._place)["UploadId"]

    def _send(self, data: bytes) -> None:
        sent = self._client.upload_part(
            **self._place, UploadId=self._id, PartNumber=self.parts, Body=data
        )
        self._tags.append({"PartNumber": self.parts, "ETag": sent["ETag"]})

    def _end(self) -> None:
        self._client.complete_multipart_upload(
            **self._place, UploadId=self._id, MultipartUpload={"Parts": self._tags}
        )

    def _forget(self) -> None:
        self._client.abort_multipart_upload(**self._place, UploadId=self._id)
