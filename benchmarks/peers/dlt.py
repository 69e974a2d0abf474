"""dlt: connectorx and, by ADBC, Parquet files, its fastest way; SQLAlchemy and CSV files.

Parquet files of the second way fit the merged tables of dlt 1.31 only where every integer is a
bigint: "incorrect binary data format".
"""

from __future__ import annotations

from collections.abc import Callable

from peers.entry import LANDED, Peer, Task, Work
from places import PROGRAMS, program


def by(backend: str, format: str) -> Callable[[Task], Work]:
    """Return what makes the command of a backend of dlt's sql_database and a format of files."""

    def prepare(task: Task) -> Work:
        order = {
            "url": task.database.url,
            "backend": backend,
            "format": format,
            "schema": task.source,
            "table": task.data.name,
            "landed": LANDED,
            "key": list(task.data.key),
            "mode": task.mode,
            "folder": str(task.folder / "dlt"),
        }
        command = [program("dlt", "python"), str(PROGRAMS / "dlt_copy.py")]
        environment = {
            "RUNTIME__DLTHUB_TELEMETRY": "false",
            "DLT_DATA_DIR": str(task.folder / "home"),
        }
        command.append(task.written("order.json", order))
        return Work([command], f"{LANDED}.{task.data.name}", environment)

    return prepare


MODES = ("upsert", "again", "append")
PEERS = [
    Peer("dlt-connectorx", by("connectorx", "parquet"), ("dlt",), modes=MODES),
    Peer("dlt-pyarrow", by("pyarrow", "csv"), ("dlt",), modes=MODES),
]
