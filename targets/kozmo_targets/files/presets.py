"""Targets of one format, or of one store: the engine, with the settings that these have."""

from __future__ import annotations

from kozmo_singer.settings import Setting
from kozmo_singer.systems.stores import settings as stores
from kozmo_targets.files import settings as s
from kozmo_targets.files.engine import TargetFiles


def _examples(name: str, config: str = '"path": "out"') -> tuple[str, ...]:
    return (
        f"echo '{{{config}}}' > files.json",
        f"{name} --config files.json --check",
        f"tap-postgres --config shop.json | {name} --config files.json",
    )


def _format(format: str, *own: Setting, packed: bool = True) -> tuple[Setting, ...]:
    """The settings of a target of one format, with what is its *own*."""
    compression = (s.compression(format),) if packed else ()
    return (s.PATH, *s.NAMES, *compression, *own, *s.COMMON)


def _store(*own: Setting) -> tuple[Setting, ...]:
    """The settings of a target of one store, with what is its *own*."""
    return (s.PATH, *own, s.FORMAT, *s.NAMES, *s.ALL, *s.COMMON)


class TargetArrow(TargetFiles):
    """Writes Arrow IPC."""

    name = "target-arrow"
    summary = "Arrow IPC files, which are Feather files too"
    format = "arrow"
    settings = _format(format)
    examples = _examples(name)


class TargetAvro(TargetFiles):
    """Writes Avro."""

    name = "target-avro"
    summary = "Avro files"
    format = "avro"
    settings = _format(format)
    examples = _examples(name)


class TargetCsv(TargetFiles):
    """Writes CSV and TSV."""

    name = "target-csv"
    summary = "CSV and TSV files"
    format = "csv"
    settings = _format(format, *s.CSV, *s.TEXT)
    examples = _examples(name)


class TargetExcel(TargetFiles):
    """Writes Excel workbooks."""

    name = "target-excel"
    summary = "Excel workbooks"
    format = "excel"
    settings = _format(format, s.HEADER, s.ILLEGAL, packed=False)
    examples = _examples(name)


class TargetFixedWidth(TargetFiles):
    """Writes text of fixed width."""

    name = "target-fixed-width"
    summary = "Files of text in which each column has a width"
    format = "fixed-width"
    settings = (s.PATH, s.WIDTHS, *s.NAMES, s.compression(format), *s.TEXT, *s.COMMON)
    examples = _examples(name, '"path": "out", "widths": {"id": 8, "name": 40}')


class TargetJson(TargetFiles):
    """Writes arrays of JSON."""

    name = "target-json"
    summary = "Files that are an array of JSON objects"
    format = "json"
    settings = _format(format)
    examples = _examples(name)


class TargetOrc(TargetFiles):
    """Writes ORC."""

    name = "target-orc"
    summary = "ORC files"
    format = "orc"
    settings = _format(format)
    examples = _examples(name)


class TargetParquet(TargetFiles):
    """Writes Parquet."""

    name = "target-parquet"
    summary = "Parquet files"
    format = "parquet"
    settings = _format(format)
    examples = _examples(name)


class TargetXml(TargetFiles):
    """Writes XML."""

    name = "target-xml"
    summary = "XML files"
    format = "xml"
    settings = _format(format, s.ILLEGAL)
    examples = _examples(name)


class TargetS3(TargetFiles):
    """Writes to S3, and to servers that speak it."""

    name = "target-s3"
    summary = "Files in Amazon S3, and in servers that speak S3"
    settings = _store(stores.BUCKET, stores.ANONYMOUS, *stores.S3)
    scheme = "s3"
    examples = _examples(name, '"bucket": "lake", "path": "raw", "format": "parquet"')


class TargetGcs(TargetFiles):
    """Writes to Google Cloud Storage."""

    name = "target-gcs"
    summary = "Files in Google Cloud Storage"
    settings = _store(stores.BUCKET, stores.ANONYMOUS, *stores.GCS)
    scheme = "gs"
    examples = _examples(name, '"bucket": "lake", "path": "raw", "format": "parquet"')


class TargetAzureBlob(TargetFiles):
    """Writes to Azure Blob Storage."""

    name = "target-azure-blob"
    summary = "Files in Azure Blob Storage"
    settings = _store(stores.CONTAINER, stores.ANONYMOUS, *stores.AZURE)
    scheme = "az"
    examples = _examples(name, '"container": "lake", "path": "raw", "format": "parquet"')


class TargetSftp(TargetFiles):
    """Writes over SSH."""

    name = "target-sftp"
    summary = "Files behind an SSH server"
    settings = _store(*stores.SFTP)
    scheme = "sftp"
    examples = _examples(name, '"ssh_host": "files.example", "path": "raw", "format": "parquet"')


class TargetFtp(TargetFiles):
    """Writes over FTP."""

    name = "target-ftp"
    summary = "Files on an FTP server"
    settings = _store(*stores.FTP)
    scheme = "ftp"
    examples = _examples(name, '"ftp_host": "files.example", "path": "raw", "format": "parquet"')
