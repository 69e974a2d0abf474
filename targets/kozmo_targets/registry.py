"""Every target by name. Nothing is imported until a target is run."""

from kozmo_singer.scripts import Entry

TARGETS = {
    "target-arrow": Entry(
        "kozmo_targets.files.presets:TargetArrow",
        "files",
        "Arrow IPC files, which are Feather files too",
    ),
    "target-avro": Entry("kozmo_targets.files.presets:TargetAvro", "files", "Avro files"),
    "target-azure-blob": Entry(
        "kozmo_targets.files.presets:TargetAzureBlob", "azure", "Files in Azure Blob Storage"
    ),
    "target-csv": Entry("kozmo_targets.files.presets:TargetCsv", "files", "CSV and TSV files"),
    "target-excel": Entry("kozmo_targets.files.presets:TargetExcel", "files", "Excel workbooks"),
    "target-files": Entry(
        "kozmo_targets.files.engine:TargetFiles",
        "files",
        "Files of any format, in folders and stores",
    ),
    "target-fixed-width": Entry(
        "kozmo_targets.files.presets:TargetFixedWidth",
        "files",
        "Files of text in which each column has a width",
    ),
    "target-ftp": Entry("kozmo_targets.files.presets:TargetFtp", "ftp", "Files on an FTP server"),
    "target-gcs": Entry(
        "kozmo_targets.files.presets:TargetGcs", "gcs", "Files in Google Cloud Storage"
    ),
    "target-json": Entry(
        "kozmo_targets.files.presets:TargetJson", "files", "Files that are an array of JSON objects"
    ),
    "target-jsonl": Entry(
        "kozmo_targets.jsonl:TargetJSONL", "jsonl", "JSON Lines files in a folder"
    ),
    "target-kozmo": Entry(
        "kozmo_targets.kozmo:TargetKozmo", "kozmo", "KozmoAI Data: a folder, or a running flow"
    ),
    "target-orc": Entry("kozmo_targets.files.presets:TargetOrc", "files", "ORC files"),
    "target-parquet": Entry("kozmo_targets.files.presets:TargetParquet", "files", "Parquet files"),
    "target-postgres": Entry(
        "kozmo_targets.sql.postgres:TargetPostgres", "postgres", "PostgreSQL tables"
    ),
    "target-s3": Entry(
        "kozmo_targets.files.presets:TargetS3",
        "s3",
        "Files in Amazon S3, and in servers that speak S3",
    ),
    "target-sftp": Entry(
        "kozmo_targets.files.presets:TargetSftp", "sftp", "Files behind an SSH server"
    ),
    "target-sqlite": Entry(
        "kozmo_targets.sql.sqlite:TargetSQLite", "sqlite", "SQLite database files"
    ),
    "target-xml": Entry("kozmo_targets.files.presets:TargetXml", "files", "XML files"),
}
