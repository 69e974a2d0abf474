"""Where the files of BATCH messages lie."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import unquote


def local_path(address: str) -> Path | None:
    """Return the path of a file: URL or of a plain path; None for what is on another system.

    Some write a space in such a URL as %20, and some, like Meltano's SDK, read and write it as it
    is. What is there under the very name is meant by it.
    """
    if "://" not in address:
        return Path(address.removeprefix("file:"))
    if not address.startswith("file://"):
        return None
    path = "/" + address.removeprefix("file://").removeprefix("localhost").lstrip("/")
    return Path(path) if Path(path).exists() else Path(unquote(path))
