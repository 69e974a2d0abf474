"""Files of this machine."""

from __future__ import annotations

import contextlib
import glob
import os
import stat
from collections.abc import Iterator
from typing import BinaryIO

from kozmo_singer.systems.stores import Entry, part_name


class LocalStore:
    """The file system, as the process sees it."""

    root = ""

    def list(self, pattern: str) -> list[Entry]:
        """Return the regular files that *pattern* names, see Store."""
        found: dict[str, Entry] = {}
        for path in _named(os.path.expanduser(pattern)):
            try:
                entry = self.info(path)
            except FileNotFoundError:
                # It went away since the folder was read, or is a link to nothing.
                continue
            if entry.size >= 0:
                found[path] = entry
        return [found[path] for path in sorted(found)]

    def info(self, path: str) -> Entry:
        """Return the file as it is now; a size of -1 says that it is no regular file."""
        seen = os.stat(path)
        size = seen.st_size if stat.S_ISREG(seen.st_mode) else -1
        return Entry(path, size, seen.st_mtime_ns)

    def open(self, path: str) -> BinaryIO:
        """Return the file for reading."""
        return open(path, "rb")

    def create(self, path: str) -> LocalUpload:
        """Return a new file for writing, which has a hidden name until it is whole."""
        os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
        return LocalUpload(path)

    def remove(self, path: str) -> None:
        """Remove the file, if it is there."""
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)

    def close(self) -> None:
        """There is no connection."""


class LocalUpload:
    """A file that is written beside the place that it takes, and then renamed."""

    def __init__(self, path: str) -> None:
        folder, name = os.path.split(path)
        self._path = path
        self._hidden = os.path.join(folder, part_name(name))
        self.file: BinaryIO = open(self._hidden, "xb")  # noqa: SIM115

    def commit(self) -> None:
        """Make the file durable and give it its name."""
        self.file.flush()
        os.fsync(self.file.fileno())
        self.file.close()
        os.replace(self._hidden, self._path)
        folder = os.open(os.path.dirname(self._path) or ".", os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def abort(self) -> None:
        """Take the hidden file away, if it is still there."""
        self.file.close()
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self._hidden)


def _named(pattern: str) -> Iterator[str]:
    if os.path.isdir(pattern):
        yield from _below(pattern)
    elif os.path.lexists(pattern):
        # A file whose name holds a bracket or a star is meant itself.
        yield pattern
    else:
        for path in glob.iglob(pattern, recursive=True):
            if os.path.basename(path)[:1] not in ("_", "."):
                yield path


def _below(folder: str) -> Iterator[str]:
    for root, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if name[0] not in "._"]
        yield from (os.path.join(root, name) for name in names if name[0] not in "._")
