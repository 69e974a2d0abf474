"""PipelineWise's tap and target, with their defaults: no validation, batches of 100,000 rows."""

from __future__ import annotations

from peers.entry import ALL_MODES, LANDED, Peer, Task, Work
from peers.singer import keyless, selected
from places import program


def prepare(task: Task) -> Work:
    """By key; without one where rows are to be appended, which a setting must allow."""
    login = {**task.database.config, "dbname": task.database.name}
    tap = [program("pipelinewise-tap", "tap-postgres"), "--config"]
    tap.append(task.written("tap.json", {**login, "filter_schemas": task.source}))
    catalog = keyless(task, selected(tap))
    tap += ["--catalog", task.written("catalog.json", catalog)]
    settings = {**login, "default_target_schema": LANDED, "primary_key_required": False}
    target = [program("pipelinewise-target", "target-postgres"), "--config"]
    target.append(task.written("target.json", settings))
    return Work([tap] if task.mode == "read" else [tap, target], f"{LANDED}.{task.data.name}")


PEERS = [
    Peer(
        "pipelinewise",
        prepare,
        ("pipelinewise-tap", "pipelinewise-target"),
        modes=ALL_MODES,
        share=10,
    )
]
