"""The stores that files are in, as the File Loader names them, and the formats that they have."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any, NamedTuple

from kozmo_singer.errors import ConfigError


class Store(NamedTuple):
    """A kind of store: its tap, what its addresses begin with, the settings that come first."""

    label: str
    tap: str
    schemes: tuple[str, ...] = ()
    first: tuple[str, ...] = ()


LOCAL = Store("Local File", "tap-files", ("file",))
S3 = Store("S3", "tap-s3", ("s3", "s3a"))
STORES = (
    LOCAL,
    S3,
    Store("Google Cloud Storage", "tap-gcs", ("gs", "gcs"), ("google_credentials",)),
    Store(
        "Azure Blob Storage", "tap-azure-blob", ("az", "abfs", "abfss"),
        ("azure_account_name", "azure_account_key"),
    ),
    Store(
        "SFTP", "tap-sftp", ("sftp",), ("ssh_host", "ssh_user", "ssh_password")
    ),
    Store("FTP", "tap-ftp", ("ftp", "ftps"), ("ftp_host", "ftp_user", "ftp_password")),
    Store("Web server", "tap-http", ("http", "https"), ("http_token",)),
)  # fmt: skip


class Format(NamedTuple):
    """A format of files: the word of the tap's setting, and the tap that has its settings alone."""

    label: str
    word: str

    @property
    def tap(self) -> str:
        """The tap of this format."""
        return f"tap-{self.word}"


DETECT = "Auto-detect"
FORMATS = (
    Format("CSV", "csv"),
    Format("JSON", "json"),
    Format("Parquet", "parquet"),
    Format("Excel", "excel"),
    Format("JSON Lines", "jsonl"),
    Format("XML", "xml"),
    Format("Avro", "avro"),
    Format("Arrow", "arrow"),
    Format("ORC", "orc"),
    Format("Fixed width", "fixed-width"),
)
ENDINGS = (
    *("csv", "tsv", "tab", "txt", "json", "jsonl", "ndjson", "xlsx", "xlsm", "xlsb", "xls", "ods"),
    *("parquet", "xml", "avro", "arrow", "arrows", "feather", "ipc", "orc", "fwf"),
    *("gz", "bz2", "xz", "zst", "zip", "tar", "tgz", "tbz2", "txz", "tzst"),
)
"""How the names of files end that can be uploaded."""
_WHOLE = re.compile(r"\.(?:xls[xmb]?|ods|zip|tar|tgz|tbz2|txz|tzst)\b", re.IGNORECASE)
"""Files that may hold several streams."""
_STAMP = re.compile(r"\d{4}-\d\d-\d\d_\d\d-\d\d-\d\d_")
"""What the host puts before the name of an upload."""


def store_called(label: str) -> Store:
    """Return the store called *label*; ConfigError if there is none."""
    for each in STORES:
        if label.lower() in (each.label.lower(), *each.schemes):
            return each
    raise ConfigError(
        f"there is no source called '{label[:40]}'",
        f"there are: {', '.join(each.label for each in STORES)}",
    )


def store_for(path: str, chosen: Store) -> Store:
    """Return the store that *path* is an address of, or else the one that was *chosen*."""
    scheme, separator, _ = path.partition("://")
    found = [each for each in STORES if scheme.lower() in each.schemes]
    # What no store knows is told by the tap that knows them all.
    return found[0] if found and separator else LOCAL if separator else chosen


def format_called(label: str) -> Format | None:
    """Return the format called *label*, None if it is to be detected; ConfigError if unknown."""
    if label.lower() in ("", "auto", DETECT.lower()):
        return None
    for each in FORMATS:
        if label.lower() in (each.label.lower(), each.word):
            return each
    raise ConfigError(
        f"there is no format called '{label[:40]}'",
        f"there are: {DETECT}, {', '.join(each.label for each in FORMATS)}",
    )


def uploaded(path: str) -> dict[str, Any]:
    """Return the settings that read the uploaded file *path*, under the name that the user knows.

    The host puts the time before it.
    """
    name = PurePosixPath(path.replace("\\", "/")).name
    plain = _STAMP.sub("", name)
    if plain == name or _WHOLE.search(name):
        return {"path": path}
    return {"path": path, "stream": plain.partition(".")[0]}


def named(paths: Sequence[str]) -> dict[str, Any]:
    """Return the settings that read *paths*; files of the same name become streams of their own."""
    if len(paths) == 1:
        return {"path": _expanded(paths[0])}
    seen: dict[str, int] = {}
    files = []
    for path in dict.fromkeys(paths):
        files.append({"path": _expanded(path)})
        stem = PurePosixPath(path.replace("\\", "/")).name.partition(".")[0]
        seen[stem] = seen.get(stem, 0) + 1
        if seen[stem] > 1:
            files[-1]["stream"] = f"{stem}_{seen[stem]}"
    return {"files": files}


def shown(config: Mapping[str, Any]) -> str:
    """Return which files *config* names, without what may be secret in an address."""
    places = config.get("files") or [config]
    bucket = f"{config['bucket']}/" if config.get("bucket") else ""
    paths = [bucket + re.sub(r"(?<=://)[^/@]*@", "", each.get("path") or "") for each in places]
    return ", ".join(path.partition("?")[0] if "://" in path else path for path in paths)


def _expanded(path: str) -> str:
    return os.path.expanduser(path) if path.startswith("~") else path
