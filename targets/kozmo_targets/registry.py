"""Every target by name. Nothing is imported until a target is run."""

from kozmo_singer.scripts import Entry

TARGETS = {
    "target-jsonl": Entry(
        "kozmo_targets.jsonl:TargetJSONL", "jsonl", "JSON Lines files in a folder"
    ),
    "target-kozmo": Entry(
        "kozmo_targets.kozmo:TargetKozmo", "kozmo", "KozmoAI Data: a folder, or a running flow"
    ),
    "target-postgres": Entry(
        "kozmo_targets.sql.postgres:TargetPostgres", "postgres", "PostgreSQL tables"
    ),
    "target-sqlite": Entry(
        "kozmo_targets.sql.sqlite:TargetSQLite", "sqlite", "SQLite database files"
    ),
}
