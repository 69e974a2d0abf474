"""Taps of one format or of one store: the engine, with the settings that these have."""

from __future__ import annotations

from kozmo_singer.settings import Setting
from kozmo_singer.systems.stores import settings as stores
from kozmo_taps.files import settings as s
from kozmo_taps.files.engine import TapFiles


def _settings(*own: Setting) -> tuple[Setting, ...]:
    """What all formats have, and between it what is *own* to one."""
    places = (*s.PLACES[:2], s.KEYS, s.PLACES[2], *s.READING)
    return (*places, *own, *s.PACKED, *stores.STORES, *s.COMMON)


def _examples(name: str, path: str) -> tuple[str, ...]:
    return (
        f'echo \'{{"path": "{path}"}}\' > files.json',
        f"{name} --config files.json --check",
        f"{name} --config files.json --discover > catalog.json",
        f"{name} --config files.json --catalog catalog.json --limit 5",
        f"{name} --config files.json | target-jsonl --config out.json",
    )


class TapAvro(TapFiles):
    """Reads Avro."""

    name = "tap-avro"
    summary = "Avro files"
    settings = _settings()
    format = "avro"
    examples = _examples(name, "data/*.avro")


class TapCsv(TapFiles):
    """Reads CSV and TSV."""

    name = "tap-csv"
    summary = "CSV and TSV files"
    settings = _settings(*s.TEXT, *s.CSV, *s.ROWS)
    format = "csv"
    examples = _examples(name, "data/*.csv")


class TapExcel(TapFiles):
    """Reads the sheets of workbooks."""

    name = "tap-excel"
    summary = "Workbooks of Excel and OpenDocument"
    settings = _settings(*s.EXCEL, s.COLUMNS)
    format = "excel"
    examples = _examples(name, "data/*.xlsx")


class TapFixedWidth(TapFiles):
    """Reads lines whose cells stand at the same places."""

    name = "tap-fixed-width"
    summary = "Text files with columns of fixed widths"
    settings = _settings(*s.TEXT, *s.FIXED_WIDTH, *s.ROWS)
    format = "fixed-width"
    examples = _examples(name, "data/*.txt")


class TapJson(TapFiles):
    """Reads JSON documents."""

    name = "tap-json"
    summary = "JSON documents"
    settings = _settings(*s.JSON, s.ENCODING, *s.ROWS)
    format = "json"
    examples = _examples(name, "data/*.json")


class TapJsonl(TapFiles):
    """Reads JSON Lines."""

    name = "tap-jsonl"
    summary = "JSON Lines files"
    settings = _settings(*s.ROWS)
    format = "jsonl"
    examples = _examples(name, "data/*.jsonl")


class TapOrc(TapFiles):
    """Reads ORC."""

    name = "tap-orc"
    summary = "ORC files"
    settings = _settings()
    format = "orc"
    examples = _examples(name, "data/*.orc")


class TapParquet(TapFiles):
    """Reads Parquet."""

    name = "tap-parquet"
    summary = "Parquet files"
    settings = _settings()
    format = "parquet"
    examples = _examples(name, "data/*.parquet")


class TapXml(TapFiles):
    """Reads XML."""

    name = "tap-xml"
    summary = "XML files"
    settings = _settings(*s.XML, s.ENCODING, s.DECIMAL, s.THOUSANDS, *s.ROWS)
    format = "xml"
    examples = _examples(name, "data/*.xml")


def _store(*own: Setting) -> tuple[Setting, ...]:
    """The settings of a tap of one store, with what is its *own*."""
    return (
        *(*s.PLACES[:2], *own, s.FORMAT, s.KEYS, s.PLACES[2], *s.READING, *s.ROWS),
        *(*s.TEXT, *s.CSV, *s.FIXED_WIDTH, *s.JSON, *s.XML, *s.EXCEL, *s.PACKED, *s.COMMON),
    )


class TapS3(TapFiles):
    """Reads from S3, and from servers that speak it."""

    name = "tap-s3"
    summary = "Files in Amazon S3, and in servers that speak S3"
    settings = _store(stores.BUCKET, stores.ANONYMOUS, *stores.S3)
    scheme = "s3"
    examples = _examples(name, "s3://bucket/data/*.csv")


class TapGcs(TapFiles):
    """Reads from Google Cloud Storage."""

    name = "tap-gcs"
    summary = "Files in Google Cloud Storage"
    settings = _store(stores.BUCKET, stores.ANONYMOUS, *stores.GCS)
    scheme = "gs"
    examples = _examples(name, "gs://bucket/data/*.csv")


class TapAzureBlob(TapFiles):
    """Reads from Azure Blob Storage."""

    name = "tap-azure-blob"
    summary = "Files in Azure Blob Storage"
    settings = _store(stores.CONTAINER, stores.ANONYMOUS, *stores.AZURE)
    scheme = "az"
    examples = _examples(name, "az://container/data/*.csv")


class TapSftp(TapFiles):
    """Reads over SSH."""

    name = "tap-sftp"
    summary = "Files behind an SSH server"
    settings = _store(*stores.SFTP)
    scheme = "sftp"
    examples = _examples(name, "sftp://host/data/*.csv")


class TapFtp(TapFiles):
    """Reads over FTP, with TLS or without."""

    name = "tap-ftp"
    summary = "Files behind an FTP server"
    settings = _store(*stores.FTP)
    scheme = "ftp"
    examples = _examples(name, "ftp://host/data/*.csv")


class TapHttp(TapFiles):
    """Reads files from web servers."""

    name = "tap-http"
    summary = "Files that a web server has"
    settings = _store(*stores.HTTP)
    scheme = "https"
    examples = _examples(name, "https://host/data/orders.csv")
