"""Targets of one format, or of one store: the engine, with the settings that these have."""

from __future__ import annotations

from kozmo_singer.systems.stores import settings as stores
from kozmo_targets.files import settings as s
from kozmo_targets.files.engine import TargetFiles


def _examples(name: str, config: str = '"path": "out"') -> tuple[str, ...]:
    return (
        f"echo '{{{config}}}' > files.json",
        f"{name} --config files.json --check",
        f"tap-postgres --config shop.json | {name} --config files.json",
    )


class TargetArrow(TargetFiles):
    """Writes Arrow IPC."""

    name = "target-arrow"
    summary = "Arrow IPC files, which are Feather files too"
    format = "arrow"
    settings = (s.PATH, *s.NAMES, s.compression(format), *s.COMMON)
    examples = _examples(name)


class TargetAvro(TargetFiles):
    """Writes Avro."""

    name = "target-avro"
    summary = "Avro files"
    format = "avro"
    settings = (s.PATH, *s.NAMES, s.compression(format), *s.COMMON)
    examples = _examples(name)


class TargetCsv(TargetFiles):
    """Writes CSV and TSV."""

    name = "target-csv"
    summary = "CSV and TSV files"
    format = "csv"
    settings = (s.PATH, *s.NAMES, s.compression(format), *s.CSV, *s.TEXT, *s.COMMON)
    examples = _examples(name)


class TargetExcel(TargetFiles):
    """Writes Excel workbooks."""

    name = "target-excel"
    summary = "Excel workbooks"
    format = "excel"
    settings = (s.PATH, *s.NAMES, s.HEADER, s.ILLEGAL, *s.COMMON)
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
    settings = (s.PATH, *s.NAMES, s.compression(format), *s.COMMON)
    examples = _examples(name)


class TargetOrc(TargetFiles):
    """Writes ORC."""

    name = "target-orc"
    summary = "ORC files"
    format = "orc"
    settings = (s.PATH, *s.NAMES, s.compression(format), *s.COMMON)
    examples = _examples(name)


class TargetParquet(TargetFiles):
    """Writes Parquet."""

    name = "target-parquet"
    summary = "Parquet files"
    format = "parquet"
    settings = (s.PATH, *s.NAMES, s.compression(format), *s.COMMON)
    examples = _examples(name)


class TargetXml(TargetFiles):
    """Writes XML."""

    name = "target-xml"
    summary = "XML files"
    format = "xml"
    settings = (s.PATH, *s.NAMES, s.compression(format), s.ILLEGAL, *s.COMMON)
    examples = _examples(name)


_HOW = (s.FORMAT, *s.NAMES, *s.ALL, *s.COMMON)


class TargetS3(TargetFiles):
    """Writes to S3, and to servers that speak it."""

    name = "target-s3"
    summary = "Files in Amazon S3, and in servers that speak S3"
    settings = (s.PATH, stores.BUCKET, stores.ANONYMOUS, *stores.S3, *_HOW)
    scheme = "s3"
    examples = _examples(name, '"bucket": "lake", "path": "raw", "format": "parquet"')


class TargetGcs(TargetFiles):
    """Writes to Google Cloud Storage."""

    name = "target-gcs"
    summary = "Files in Google Cloud Storage"
    settings = (s.PATH, stores.BUCKET, stores.ANONYMOUS, *stores.GCS, *_HOW)
    scheme = "gs"
    examples = _examples(name, '"bucket": "lake", "path": "raw", "format": "parquet"')


class TargetAzureBlob(TargetFiles):
    """Writes to Azure Blob Storage."""

    name = "target-azure-blob"
    summary = "Files in Azure Blob Storage"
    settings = (s.PATH, stores.CONTAINER, stores.ANONYMOUS, *stores.AZURE, *_HOW)
    scheme = "az"
    examples = _examples(name, '"container": "lake", "path": "raw", "format": "parquet"')


class TargetSftp(TargetFiles):
    """Writes over SSH."""

    name = "target-sftp"
    summary = "Files behind an SSH server"
    settings = (s.PATH, *stores.SFTP, *_HOW)
    scheme = "sftp"
    examples = _examples(name, '"ssh_host": "files.example", "path": "raw", "format": "parquet"')


class TargetFtp(TargetFiles):
    """Writes over FTP."""

    name = "target-ftp"
    summary = "Files on an FTP server"
    settings = (s.PATH, *stores.FTP, *_HOW)
    scheme = "ftp"
    examples = _examples(name, '"ftp_host": "files.example", "path": "raw", "format": "parquet"')
