"""Taps of one format or of one store: the engine, with the settings that these have."""

from __future__ import annotations

from kozmo_singer.systems.stores import settings as stores
from kozmo_taps.files import settings as s
from kozmo_taps.files.engine import TapFiles


def _examples(name: str, path: str) -> tuple[str, ...]:
    return (
        f'echo \'{{"path": "{path}"}}\' > files.json',
        f"{name} --config files.json --check",
        f"{name} --config files.json --discover > catalog.json",
        f"{name} --config files.json --catalog catalog.json --limit 5",
        f"{name} --config files.json | target-jsonl --config out.json",
    )


class TapCsv(TapFiles):
    """Reads CSV and TSV."""

    name = "tap-csv"
    summary = "CSV and TSV files"
    settings = (*s.PLACES[:2], s.KEYS, *s.CSV, *s.ROWS, s.PLACES[2], *s.READING, *s.COMMON)
    format = "csv"
    examples = _examples(name, "data/*.csv")


class TapJsonl(TapFiles):
    """Reads JSON Lines."""

    name = "tap-jsonl"
    summary = "JSON Lines files"
    settings = (*s.PLACES[:2], s.KEYS, *s.ROWS, s.PLACES[2], *s.READING, *s.COMMON)
    format = "jsonl"
    examples = _examples(name, "data/*.jsonl")


class TapParquet(TapFiles):
    """Reads Parquet."""

    name = "tap-parquet"
    summary = "Parquet files"
    settings = (*s.PLACES[:2], s.KEYS, s.PLACES[2], *s.READING, *s.COMMON)
    format = "parquet"
    examples = _examples(name, "data/*.parquet")


_HOW = (s.FORMAT, s.KEYS, *s.CSV, *s.ROWS)
_REST = (s.PLACES[2], *s.READING, *s.COMMON)


class TapS3(TapFiles):
    """Reads from S3, and from servers that speak it."""

    name = "tap-s3"
    summary = "Files in Amazon S3, and in servers that speak S3"
    settings = (*s.PLACES[:2], s.BUCKET, stores.ANONYMOUS, *stores.S3, *_HOW, *_REST)
    scheme = "s3"
    examples = _examples(name, "s3://bucket/data/*.csv")


class TapGcs(TapFiles):
    """Reads from Google Cloud Storage."""

    name = "tap-gcs"
    summary = "Files in Google Cloud Storage"
    settings = (*s.PLACES[:2], s.BUCKET, stores.ANONYMOUS, *stores.GCS, *_HOW, *_REST)
    scheme = "gs"
    examples = _examples(name, "gs://bucket/data/*.csv")


class TapAzureBlob(TapFiles):
    """Reads from Azure Blob Storage."""

    name = "tap-azure-blob"
    summary = "Files in Azure Blob Storage"
    settings = (*s.PLACES[:2], s.CONTAINER, stores.ANONYMOUS, *stores.AZURE, *_HOW, *_REST)
    scheme = "az"
    examples = _examples(name, "az://container/data/*.csv")


class TapSftp(TapFiles):
    """Reads over SSH."""

    name = "tap-sftp"
    summary = "Files behind an SSH server"
    settings = (*s.PLACES[:2], *stores.SFTP, *_HOW, *_REST)
    scheme = "sftp"
    examples = _examples(name, "sftp://host/data/*.csv")


class TapFtp(TapFiles):
    """Reads over FTP, with TLS or without."""

    name = "tap-ftp"
    summary = "Files behind an FTP server"
    settings = (*s.PLACES[:2], *stores.FTP, *_HOW, *_REST)
    scheme = "ftp"
    examples = _examples(name, "ftp://host/data/*.csv")


class TapHttp(TapFiles):
    """Reads files from web servers."""

    name = "tap-http"
    summary = "Files that a web server has"
    settings = (*s.PLACES[:2], *stores.HTTP, *_HOW, *_REST)
    scheme = "https"
    examples = _examples(name, "https://host/data/orders.csv")
