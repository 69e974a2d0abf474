"""Zip and tar files in any store: each stands for its members, of which nothing is written out.

A member is a file whose path goes on behind that of its archive, so that no name in an archive,
absolute or with `..` in it, means a place outside of it. A packed tar has no list of what it holds
and cannot be entered in its middle: it is unpacked once, into a temporary file without a name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, BinaryIO

from kozmo_singer.errors import ReadError
from kozmo_singer.systems.formats import ARCHIVES, Source, unreadable
from kozmo_singer.systems.stores import Entry, Store, Upload

if TYPE_CHECKING:
    from kozmo_singer.systems.formats.archives import Tar, Zip

Bad = Callable[[str, ReadError], None]


class ArchiveStore:
    """A *store* in which an archive stands for those of its members whose names match *members*.

    Without a pattern they are all but hidden ones. An archive that cannot be read goes to *bad*, or
    is a ReadError, as is a member that is more than *ratio* times as large as its packed form.
    """

    def __init__(
        self, store: Store, members: str | None, ratio: int, bad: Bad | None = None
    ) -> None:
        self._store, self._members, self._ratio, self._bad = store, members, ratio, bad
        self._places: dict[str, tuple[Entry, str]] = {}
        self._open: tuple[Entry, Zip | Tar] | None = None
        self._packed: dict[Entry, Tar] = {}

    def list(self, pattern: str) -> list[Entry]:
        """Return what *pattern* names, see Store, with members in the place of archives."""
        found: list[Entry] = []
        for entry in self._store.list(pattern):
            if not entry.path.lower().endswith(ARCHIVES):
                found.append(entry)
                continue
            try:
                found += self._listed(entry)
            except ReadError as error:
                if self._bad is None:
                    raise
                self._bad(entry.path, error)
        return found

    def info(self, path: str) -> Entry:
        """Return the file as it is now; a member is another one where its archive is."""
        if path not in self._places:
            return self._store.info(path)
        known, name = self._places[path]
        now = self._store.info(known.path)
        size = self._archive(known).sizes[name] if now == known else now.size
        return replace(now, path=path, size=size)

    def open(self, path: str) -> BinaryIO:
        """Return the file for reading; members that are packed can be read from their start only.

        What such a member raises is an OSError.
        """
        if path not in self._places:
            return self._store.open(path)
        entry, name = self._places[path]
        return self._archive(entry).open(name)

    def create(self, path: str) -> Upload:
        """Return a new file for writing; it is no member of an archive."""
        return self._store.create(path)

    def remove(self, path: str) -> None:
        """Remove the file; members stay."""
        self._store.remove(path)

    def close(self) -> None:
        """End connections that are open, see Store."""
        self._store.close()

    def _listed(self, entry: Entry) -> Iterable[Entry]:
        try:
            sizes = self._archive(entry).sizes
        except OSError as error:
            raise unreadable(self._source(entry), str(error)) from error
        found = []
        for name, size in sizes.items():
            if fnmatchcase(name, self._members) if self._members else _is_plain(name):
                member = replace(entry, path=f"{entry.path}/{name}", size=size)
                self._places[member.path] = (entry, name)
                found.append(member)
        return sorted(found, key=lambda member: member.path)

    def _archive(self, entry: Entry) -> Zip | Tar:
        """Return what reads the archive; the last one is kept, and those that were unpacked."""
        if entry in self._packed:
            return self._packed[entry]
        if self._open is not None and self._open[0] == entry:
            return self._open[1]
        from kozmo_singer.systems.formats.archives import Tar, Zip

        source = self._source(entry)
        made: Zip | Tar
        if entry.path.lower().endswith(".zip"):
            made = Zip(source)
        else:
            made = Tar(source)
            if made.unpacked:
                self._packed[entry] = made
                return made
        self._open = (entry, made)
        return made

    def _source(self, entry: Entry) -> Source:
        return Source(
            entry.path, entry.size, lambda: self._store.open(entry.path), ratio=self._ratio
        )


def _is_plain(name: str) -> bool:
    parts = (part for part in name.split("/") if part not in ("", ".", ".."))
    return not any(part[0] in "_." for part in parts)
