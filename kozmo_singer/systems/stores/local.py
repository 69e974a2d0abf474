"""Files of this machine."""

from __future__ import annotations

import glob
import os
import stat
from collections.abc import Iterator
from typing import BinaryIO

from kozmo_singer.systems.stores import Entry


class LocalStore:
    """The file system, as the process sees it."""

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
