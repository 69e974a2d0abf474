"""Files as sources: of this machine, of S3, and of every other store that tap-files knows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kozmo_bridge.adapters.base import BaseSourceAdapter


class FileSourceAdapter(BaseSourceAdapter):
    """The files at a path or an address, such as data/*.csv or gs://bucket/orders.parquet.

    *file_format* is needed where their names do not tell; *options* are settings of tap-files.
    """

    tap = "tap-files"

    def __init__(self, file_path: str, file_format: str | None = None, **options: Any) -> None:
        super().__init__(file_path=file_path, file_format=file_format, **options)

    def settings(self) -> Mapping[str, Any]:
        """Return the configuration of the tap."""
        given = dict(super().settings())
        made = {"path": given.pop("file_path"), "format": given.pop("file_format", None)}
        return {**given, **{name: value for name, value in made.items() if value}}


class S3SourceAdapter(FileSourceAdapter):
    """The files of an S3 bucket whose keys *key* names: one, a prefix, or a glob.

    Without a key of an account the usual chain decides: environment, profile, role.
    """

    tap = "tap-s3"

    def __init__(
        self,
        bucket: str,
        key: str,
        aws_access_key_id: str | None = None,
        aws_secret_access_key: str | None = None,
        region_name: str | None = None,
        file_format: str | None = None,
        **options: Any,
    ) -> None:
        super().__init__(
            f"s3://{bucket}/{key}",
            file_format,
            aws_access_key_id=aws_access_key_id,
            aws_secret_access_key=aws_secret_access_key,
            aws_region=region_name,
            **options,
        )
