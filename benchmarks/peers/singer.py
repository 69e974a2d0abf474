"""Catalogs of Singer taps."""

from __future__ import annotations

import json
import subprocess
from typing import Any


def selected(tap: list[str]) -> dict[str, Any]:
    """Return what *tap* discovers, with every stream selected and read in full."""
    catalog: dict[str, Any] = json.loads(
        subprocess.run([*tap, "--discover"], check=True, capture_output=True).stdout
    )
    for stream in catalog["streams"]:
        for entry in stream["metadata"]:
            if not entry["breadcrumb"]:
                entry["metadata"] |= {"selected": True, "replication-method": "FULL_TABLE"}
    return catalog
