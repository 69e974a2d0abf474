"""sling, written in Go: a binary inside a wheel."""

from __future__ import annotations

from peers.entry import LANDED, Peer, Task, Work
from places import packages


def prepare(task: Task) -> Work:
    """By key: incremental without an update key, which reads all rows; else full-refresh."""
    target = f"{LANDED}.{task.data.name}"
    binary = packages("sling") / "sling_linux_amd64" / "bin" / "sling-linux-amd64"
    command = [str(binary), "run", "--src-conn", "BENCH", "--src-stream", task.table]
    command += ["--tgt-conn", "BENCH", "--tgt-object", target]
    if task.mode == "append":
        command += ["--mode", "full-refresh"]
    else:
        command += ["--mode", "incremental", "--primary-key", ",".join(task.data.key)]
    environment = {
        "BENCH": f"{task.database.url}?sslmode=disable",
        "SLING_HOME_DIR": str(task.folder / "sling"),
        "SLING_DISABLE_TELEMETRY": "TRUE",
    }
    return Work([command], target, environment)


PEERS = [Peer("sling", prepare, ("sling",), modes=("upsert", "again", "append"))]
