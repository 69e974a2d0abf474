"""Every tap by name. Nothing is imported until a tap is run."""

from kozmo_singer.scripts import Entry

TAPS = {
    "tap-postgres": Entry(
        "kozmo_taps.sql.postgres:TapPostgres", "postgres", "PostgreSQL tables and views"
    ),
    "tap-sqlite": Entry("kozmo_taps.sql.sqlite:TapSQLite", "sqlite", "SQLite database files"),
}
