"""The reference tap and target of Meltano, with their defaults and tuned."""

from __future__ import annotations

from typing import Any

from peers.entry import ALL_MODES, LANDED, Peer, Task, Work
from peers.singer import keyless, selected
from places import PROGRAMS, program

TUNED = {
    "use_copy": True,
    "validate_records": False,
    "add_record_metadata": False,
    "activate_version": False,
    "process_activate_version_messages": False,
    "batch_size_rows": 100_000,
}


def tap(task: Task, environment: str) -> list[str]:
    """The tap with its catalog; where msgspec is installed beside it, it writes with that."""
    settings = {**task.database.config, "filter_schemas": [task.source]}
    command = [program(environment, "tap-postgres"), "--config", task.written("tap.json", settings)]
    return [*command, "--catalog", task.written("catalog.json", keyless(task, selected(command)))]


def target(task: Task, **settings: Any) -> list[str]:
    """The settings of the target; upsert is what it does with a key, if asked for."""
    config = {**task.database.config, "default_target_schema": LANDED, **settings}
    config["load_method"] = "append-only" if task.mode == "append" else "upsert"
    return ["--config", task.written("target.json", config)]


def defaults(task: Task) -> Work:
    """As they come."""
    sink = [program("meltanolabs-target", "target-postgres"), *target(task)]
    return Work([tap(task, "meltanolabs-tap"), sink], f"{LANDED}.{task.data.name}")


def tuned(task: Task) -> Work:
    """msgspec at both ends, COPY, large batches, no validation and no columns of its own."""
    source = tap(task, "meltanolabs-tap-msgspec")
    sink = [program("meltanolabs-target", "python"), str(PROGRAMS / "meltanolabs_target.py")]
    pipe = [source] if task.mode == "read" else [source, [*sink, *target(task, **TUNED)]]
    return Work(pipe, f"{LANDED}.{task.data.name}")


PEERS = [
    Peer(
        "meltanolabs",
        defaults,
        ("meltanolabs-tap", "meltanolabs-target"),
        modes=("upsert", "again", "append"),
        share=20,
    ),
    Peer(
        "meltanolabs-tuned",
        tuned,
        ("meltanolabs-tap-msgspec", "meltanolabs-target"),
        modes=ALL_MODES,
        share=10,
    ),
]
