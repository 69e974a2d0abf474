"""ingestr: from 0.15 on a Go binary inside its wheel."""

from __future__ import annotations

from peers.entry import LANDED, Peer, Task, Work
from places import program


def prepare(task: Task) -> Work:
    """merge by the key, or append; the rest is the default."""
    landed = f"{LANDED}.{task.data.name}"
    command = [program("ingestr", "ingestr"), "ingest", "--yes", "--progress", "log"]
    command += ["--source-table", task.table, "--dest-table", landed]
    if task.mode == "append":
        command += ["--incremental-strategy", "append"]
    else:
        command += ["--incremental-strategy", "merge"]
        command += [part for name in task.data.key for part in ("--primary-key", name)]
    url = f"{task.database.url}?sslmode=disable"
    environment = {
        "SOURCE_URI": url,
        "DESTINATION_URI": url,
        "INGESTR_DISABLE_TELEMETRY": "true",
        "HOME": str(task.folder),
    }
    return Work([command], landed, environment)


PEERS = [Peer("ingestr", prepare, ("ingestr",), modes=("upsert", "again", "append"))]
