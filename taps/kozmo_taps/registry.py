"""Every tap by name. Nothing is imported until a tap is run."""

from kozmo_singer.scripts import Entry

TAPS = {
    "tap-csv": Entry("kozmo_taps.files.presets:TapCsv", "files", "CSV and TSV files"),
    "tap-files": Entry(
        "kozmo_taps.files.engine:TapFiles",
        "files",
        "Files of CSV, JSON Lines, Parquet and Arrow",
    ),
    "tap-jsonl": Entry("kozmo_taps.files.presets:TapJsonl", "files", "JSON Lines files"),
    "tap-parquet": Entry("kozmo_taps.files.presets:TapParquet", "files", "Parquet files"),
    "tap-postgres": Entry(
        "kozmo_taps.sql.postgres:TapPostgres", "postgres", "PostgreSQL tables and views"
    ),
    "tap-sqlite": Entry("kozmo_taps.sql.sqlite:TapSQLite", "sqlite", "SQLite database files"),
}
