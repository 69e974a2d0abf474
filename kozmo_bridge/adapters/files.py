"""Files as sources: of this machine, of S3, and of every other store that tap-files knows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kozmo_bridge.adapters.base import BaseSourceAdapter
from kozmo_bridge.components.stores import format_called
from kozmo_singer.wire.catalog import Stream


class FileSourceAdapter(BaseSourceAdapter):
    """The files at a path or an address, such as data/*.csv or gs://bucket/orders.parquet.

    *file_format* is needed where their names do not tell; *options* are settings of tap-files.
    The path is a name of the stream, too, if there is no other.
    """

    tap = "tap-files"

    def __init__(self, file_path: str, file_format: str | None = None, **options: Any) -> None:
        super().__init__(file_path=file_path, file_format=file_format, **options)

    def settings(self) -> Mapping[str, Any]:
        """Return the configuration of the tap."""
        given = dict(super().settings())
        told = format_called(str(given.pop("file_format", "")))
        made = {"path": given.pop("file_path"), "format": told.word if told else None}
        return {**given, **{name: value for name, value in made.items() if value}}

    def _stream(self, name: str | None) -> Stream:
        return super()._stream(None if name == self.config["file_path"] else name)


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
            aws_access_key_id=aws_access_key_id or None,
            aws_secret_access_key=aws_secret_access_key or None,
            aws_region=region_name or None,
            **options,
        )
