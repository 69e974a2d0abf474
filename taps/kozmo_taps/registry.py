"""Every tap by name. Nothing is imported until a tap is run."""

from kozmo_singer.scripts import Entry

_PRESETS = "kozmo_taps.files.presets:"
TAPS = {
    "tap-azure-blob": Entry(f"{_PRESETS}TapAzureBlob", "azure", "Files in Azure Blob Storage"),
    "tap-csv": Entry(f"{_PRESETS}TapCsv", "files", "CSV and TSV files"),
    "tap-files": Entry(
        "kozmo_taps.files.engine:TapFiles",
        "files",
        "Files of CSV, JSON Lines, Parquet and Arrow",
    ),
    "tap-ftp": Entry(f"{_PRESETS}TapFtp", "ftp", "Files behind an FTP server"),
    "tap-gcs": Entry(f"{_PRESETS}TapGcs", "gcs", "Files in Google Cloud Storage"),
    "tap-http": Entry(f"{_PRESETS}TapHttp", "http", "Files that a web server has"),
    "tap-jsonl": Entry(f"{_PRESETS}TapJsonl", "files", "JSON Lines files"),
    "tap-parquet": Entry(f"{_PRESETS}TapParquet", "files", "Parquet files"),
    "tap-postgres": Entry(
        "kozmo_taps.sql.postgres:TapPostgres", "postgres", "PostgreSQL tables and views"
    ),
    "tap-s3": Entry(f"{_PRESETS}TapS3", "s3", "Files in Amazon S3, and in servers that speak S3"),
    "tap-sftp": Entry(f"{_PRESETS}TapSftp", "sftp", "Files behind an SSH server"),
    "tap-sqlite": Entry("kozmo_taps.sql.sqlite:TapSQLite", "sqlite", "SQLite database files"),
}
