"""Catalogs of Singer taps."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from peers.entry import Task


def selected(tap: list[str]) -> dict[str, Any]:
    """Return what *tap* discovers, with every stream selected and read in full."""
    found = subprocess.run([*tap, "--discover"], check=True, capture_output=True).stdout
    catalog: dict[str, Any] = json.loads(found)
    for stream in catalog["streams"]:
        for entry in stream["metadata"]:
            if not entry["breadcrumb"]:
                entry["metadata"] |= {"selected": True, "replication-method": "FULL_TABLE"}
    return catalog


def keyless(task: Task, catalog: dict[str, Any]) -> dict[str, Any]:
    """Return *catalog* without keys if rows are to be appended: some targets have no other say."""
    if task.mode == "append":
        for stream in catalog["streams"]:
            stream["key_properties"] = []
            for entry in stream["metadata"]:
                entry["metadata"].pop("table-key-properties", None)
    return catalog
