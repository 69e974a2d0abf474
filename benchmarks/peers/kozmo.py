"""Ours: the plain pipe, and the runner with each of its lanes."""

from __future__ import annotations

import os
import subprocess
import tempfile

from peers.entry import ALL_MODES, LANDED, Peer, Task, Work
from peers.singer import selected
from places import OURS

HOME = tempfile.TemporaryDirectory(prefix="kozmo-home-")
TAP, TARGET = str(OURS / "tap-postgres"), str(OURS / "target-postgres")


def configs(task: Task) -> tuple[str, str]:
    """Write the settings of tap and target; all but where to read and write is the default."""
    target = {**task.database.config, "default_target_schema": LANDED}
    if task.mode == "append":
        target["load_method"] = "append-only"
    tap = {**task.database.config, "filter_schemas": [task.source]}
    if task.port is not None:
        tap["port"] = task.port
    return task.written("tap.json", tap), task.written("target.json", target)


def pipe(task: Task) -> Work:
    """tap-postgres | target-postgres, joined by a shell's pipe."""
    tap_config, target_config = configs(task)
    tap = [TAP, "--config", tap_config, "--catalog", catalog(task, tap_config)]
    target = [TARGET, "--config", target_config]
    return Work([tap] if task.mode == "read" else [tap, target], f"{LANDED}.{task.data.name}")


def catalog(task: Task, tap_config: str) -> str:
    """Discover, before the clock starts, and return the path of the catalog."""
    return task.written("catalog.json", selected([TAP, "--config", tap_config]))


def arrow(task: Task) -> Work:
    """`kozmo run` in the Arrow lane, with a catalog as the plain pipe has it."""
    return run(task, "--lane", "arrow", "--catalog", catalog(task, configs(task)[0]))


def run(task: Task, *options: str) -> Work:
    """`kozmo run` with *options*, and without state, so that every run reads everything."""
    tap_config, target_config = configs(task)
    command = [str(OURS / "kozmo"), "run", "tap-postgres", "target-postgres", "--quiet"]
    command += ["--tap-config", tap_config, "--target-config", target_config]
    command += ["--state-store", "none", *options]
    environment = {
        "PATH": f"{OURS}{os.pathsep}{os.environ['PATH']}",
        # Kept from run to run, as what plug-ins can do is by anyone's second run.
        "KOZMO_HOME": HOME.name,
    }
    return Work([command], f"{LANDED}.{task.data.name}", environment)


def no_lanes() -> str | None:
    """Return that `kozmo run` knows no --lane, or None if it does."""
    options = subprocess.run([OURS / "kozmo", "run", "--help"], capture_output=True, text=True)
    return None if "--lane" in options.stdout else "`kozmo run` has no --lane here"


PEERS = [
    Peer("kozmo", pipe, modes=ALL_MODES, exact=True),
    Peer("kozmo-run", run, modes=("upsert", "again", "append"), exact=True),
    Peer(
        "kozmo-arrow",
        arrow,
        modes=("upsert", "again", "append"),
        exact=True,
        lacking=no_lanes,
    ),
]
