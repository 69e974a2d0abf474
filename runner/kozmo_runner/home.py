"""Where the runner keeps what outlives a run: KOZMO_HOME, or the user's data folder."""

from __future__ import annotations

import os
from pathlib import Path

from kozmo_singer.errors import ConfigError


def home() -> Path:
    """Return the folder, made with access for the user only."""
    said = os.environ.get("KOZMO_HOME")
    if said:
        folder = Path(said).expanduser()
    else:
        import platformdirs

        folder = platformdirs.user_data_path("kozmo", appauthor=False)
    return private_folder(folder)


def private_folder(folder: Path) -> Path:
    """Make *folder* with mode 0700 if it is not there; ConfigError says why it cannot be."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(
            f"cannot make the folder {folder}: {error.strerror}",
            "set KOZMO_HOME to a folder that can be written",
        ) from error
    return folder


def write_private(path: Path, content: bytes, mode: int = 0o600) -> None:
    """Replace *path* in one step: readers see the old or the new content, a link stays a link."""
    path = Path(os.path.realpath(path))
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(fresh, path)
    except OSError as error:
        fresh.unlink(missing_ok=True)
        raise ConfigError(f"cannot write {path}: {error.strerror}") from error
