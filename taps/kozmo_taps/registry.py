"""Every tap by name. Nothing is imported until a tap is run."""

from kozmo_singer.scripts import Entry

TAPS = {
    "tap-avro": Entry("kozmo_taps.files.presets:TapAvro", "files", "Avro files"),
    "tap-csv": Entry("kozmo_taps.files.presets:TapCsv", "files", "CSV and TSV files"),
    "tap-excel": Entry(
        "kozmo_taps.files.presets:TapExcel", "files", "Workbooks of Excel and OpenDocument"
    ),
    "tap-files": Entry(
        "kozmo_taps.files.engine:TapFiles",
        "files",
        "Files of CSV, JSON, Excel, Parquet, Avro and other formats",
    ),
    "tap-fixed-width": Entry(
        "kozmo_taps.files.presets:TapFixedWidth", "files", "Text files with columns of fixed widths"
    ),
    "tap-json": Entry("kozmo_taps.files.presets:TapJson", "files", "JSON documents"),
    "tap-jsonl": Entry("kozmo_taps.files.presets:TapJsonl", "files", "JSON Lines files"),
    "tap-orc": Entry("kozmo_taps.files.presets:TapOrc", "files", "ORC files"),
    "tap-parquet": Entry("kozmo_taps.files.presets:TapParquet", "files", "Parquet files"),
    "tap-postgres": Entry(
        "kozmo_taps.sql.postgres:TapPostgres", "postgres", "PostgreSQL tables and views"
    ),
    "tap-sqlite": Entry("kozmo_taps.sql.sqlite:TapSQLite", "sqlite", "SQLite database files"),
    "tap-xml": Entry("kozmo_taps.files.presets:TapXml", "files", "XML files"),
}
