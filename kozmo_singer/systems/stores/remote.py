"""What remote stores have in common: folders and globs, reading in ranges, another attempt."""

from __future__ import annotations

import io
import logging
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from fnmatch import fnmatchcase
from glob import has_magic
from typing import TYPE_CHECKING, Any, BinaryIO, ClassVar, TypeVar, cast

from kozmo_singer.systems.stores import Entry, Upload

if TYPE_CHECKING:
    import tenacity

ATTEMPTS = 5
FIRST_WAIT, LONGEST_WAIT = 0.25, 8.0
"""Seconds before another attempt: doubled each time."""
SMALLEST, LARGEST = 1 << 16, 1 << 23
"""What is asked for at once: little where a file is entered, more while it is read on."""
HEADS = 32
"""The starts of how many files are remembered."""
_log = logging.getLogger("kozmo_singer")
T = TypeVar("T")
Names = list[str]
"""The parts of a path. (A store's own `list` takes the name in its class.)"""


class Replaced(OSError):
    """The file is another one than it was when it was listed."""

    def __init__(self) -> None:
        super().__init__("the file was replaced while it was read")


class RemoteStore(ABC):
    """A store behind a network. A system says how it lists, reads and writes by its own names.

    Paths are addresses: *root* and the name. Nothing here is done to a name, so `..`, `//` and `%`
    mean what they mean to the system.
    """

    root: str
    """What stands before every name, for example s3://."""
    lost: ClassVar[tuple[type[BaseException], ...]] = (ConnectionError, TimeoutError, EOFError)
    """What is raised where a connection was lost, so that another attempt may do."""

    def __init__(self) -> None:
        self._listed: dict[str, Entry] = {}
        self._heads: dict[Entry, bytes] = {}

    def list(self, pattern: str) -> list[Entry]:
        """Return the files that *pattern* names, see Store."""
        found = {entry.path: entry for entry in self._named(self._name(pattern))}
        self._listed |= found
        return [found[path] for path in sorted(found)]

    def info(self, path: str) -> Entry:
        """Return the file as it is now."""
        with self.told(path):
            return self.again(lambda: self._stat(self._name(path)))

    def open(self, path: str) -> BinaryIO:
        """Return the file for reading, which has to be the one that was listed, if it was."""
        entry = self._listed.get(path) or self.info(path)
        return cast(BinaryIO, RangeFile(self, entry, self._heads.get(entry, b"")))

    def read(self, entry: Entry, start: int, end: int) -> bytes:
        """Return the bytes from *start* to *end*; where a connection is cut, of several answers.

        Replaced is raised where the file is not *entry* any more.
        """
        parts: list[bytes] = []
        name = self._name(entry.path)
        with self.told(entry.path):
            while start < end:
                part = self.again(lambda at=start: self._read(name, entry, at, end))  # type: ignore[misc]
                if not part:
                    raise Replaced
                parts.append(part)
                start += len(part)
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def keep(self, entry: Entry, head: bytes) -> None:
        """Remember how a file begins: who looked at it will read it."""
        while len(self._heads) >= HEADS:
            self._heads.pop(next(iter(self._heads)))
        self._heads[entry] = head

    def create(self, path: str) -> Upload:
        """Return a new file for writing."""
        with self.told(path):
            return self._create(self._name(path))

    def remove(self, path: str) -> None:
        """Remove the file, if it is there."""
        with self.told(path):
            self.again(lambda: self._remove(self._name(path)))

    @abstractmethod
    def _stat(self, name: str) -> Entry:
        """Return the file of this name; FileNotFoundError where it is none."""

    @abstractmethod
    def _folder(self, name: str, start: str = "") -> Iterable[tuple[str, Entry | None]]:
        """Return what is in a folder: the last part of each name, and None for a folder.

        Nothing where there is no such folder. What does not begin with *start* may be left out.
        """

    def _below(self, name: str) -> Iterator[Entry]:
        """Yield all files below a folder, at any depth; those behind a dot may be left out."""
        for part, entry in self._folder(name):
            if entry is not None:
                yield entry
            elif not part.startswith("."):
                yield from self._below(_joined(name, part))

    @abstractmethod
    def _read(self, name: str, entry: Entry, start: int, end: int) -> bytes:
        """Return bytes from *start* on, at most those before *end*, and some at least."""

    @abstractmethod
    def _create(self, name: str) -> Upload:
        """Return a new file for writing."""

    @abstractmethod
    def _remove(self, name: str) -> None:
        """Remove the file, if it is there."""

    @abstractmethod
    def told(self, path: str) -> AbstractContextManager[None]:
        """Turn what the system's library raises over *path* into OSError or ConnectError."""

    def again(self, act: Callable[[], T]) -> T:
        """Return what *act* returns, after other attempts where the connection is lost."""
        import tenacity

        retrying = tenacity.Retrying(
            retry=tenacity.retry_if_exception_type(self.lost),
            stop=tenacity.stop_after_attempt(ATTEMPTS),
            wait=tenacity.wait_exponential(FIRST_WAIT, LONGEST_WAIT),
            before_sleep=self._lost,
            reraise=True,
        )
        return retrying(act)

    def _lost(self, state: tenacity.RetryCallState) -> None:
        error = state.outcome and state.outcome.exception()
        why = str(error) or type(error).__name__
        _log.info("connection lost, trying again in %.1f s: %s", state.upcoming_sleep, why)
        self._drop()

    def close(self) -> None:
        """End the connection, if one is kept; what is asked for later opens one again."""
        self._drop()

    def _drop(self) -> None:  # noqa: B027 (most libraries see to it themselves)
        """Forget a connection that may be lost."""

    def _name(self, path: str) -> str:
        return path.removeprefix(self.root)

    def _named(self, name: str) -> Iterator[Entry]:
        path = self.root + name
        with self.told(path):
            if entry := self._exact(name):
                yield entry
                return
            found = False
            folder = name.rstrip("/") if name.strip("/") else name
            for entry in self._below(folder):
                found = True
                parts = entry.path.removeprefix(self.root + folder).split("/")
                if not any(_is_hidden(part) for part in parts):
                    yield entry
            if not found and has_magic(name):
                yield from (
                    entry
                    for entry in self._matching(name)
                    if entry.path.rpartition("/")[2][:1] not in ("_", ".")
                )

    def _exact(self, name: str) -> Entry | None:
        if not name or name.endswith("/"):
            return None
        try:
            return self.info(self.root + name)
        except OSError:
            # It is none, or one may not look: then listing tells more.
            return None

    def _matching(self, pattern: str) -> Iterator[Entry]:
        parts = pattern.split("/")
        first = next(place for place, part in enumerate(parts) if has_magic(part))
        folder = "/".join(parts[:first])
        yield from self._expanded(folder or "/" * pattern.startswith("/"), parts[first:])

    def _expanded(self, folder: str, parts: Names) -> Iterator[Entry]:
        if parts[0] == "**":
            for entry in self._below(folder):
                names = entry.path.removeprefix(self.root + folder).lstrip("/").split("/")
                if fits(names, parts):
                    yield entry
            return
        for part, found in self._folder(folder, re.split(r"[*?[]", parts[0])[0]):
            if not _fits(part, parts[0]):
                continue
            if found is None and len(parts) > 1:
                yield from self._expanded(_joined(folder, part), parts[1:])
            elif found is not None and len(parts) == 1:
                yield found


class RangeFile(io.RawIOBase):
    """A remote file that can be sought in, of which little more is fetched than what is read."""

    def __init__(self, store: RemoteStore, entry: Entry, head: bytes = b"") -> None:
        super().__init__()
        self._store, self._entry = store, entry
        self._place = self._start = 0
        self._held = head
        self._ahead = SMALLEST

    def readable(self) -> bool:
        """Return True."""
        return True

    def seekable(self) -> bool:
        """Return True."""
        return True

    def tell(self) -> int:
        """Return where the next read begins."""
        return self._place

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to a place in the file; nothing is fetched."""
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._place, io.SEEK_END: self._entry.size}[whence]
        self._place = max(0, base + offset)
        return self._place

    def read(self, size: int | None = -1) -> bytes:
        """Return *size* bytes, or all up to the end; fewer at the end alone."""
        if self.closed:
            raise ValueError("read of a closed file")
        rest = max(self._entry.size - self._place, 0)
        wanted = rest if size is None or size < 0 else min(size, rest)
        end = self._place + wanted
        if not (self._start <= self._place and end <= self._start + len(self._held)):
            self._fetch(end)
        at = self._place - self._start
        self._place = end
        return self._held[at : at + wanted]

    def readinto(self, buffer: Any) -> int:
        """Fill *buffer* as far as the file goes; return how many bytes that are."""
        view = memoryview(buffer).cast("B")
        data = self.read(len(view))
        view[: len(data)] = data
        return len(data)

    def _fetch(self, end: int) -> None:
        """Hold the bytes from here to *end*, and some behind it where they seem to be next."""
        stop = self._start + len(self._held)
        onwards = self._start <= self._place <= stop and bool(self._held)
        self._ahead = min(2 * self._ahead, LARGEST) if onwards else SMALLEST
        kept = self._held[self._place - self._start :] if onwards else b""
        start = self._place + len(kept)
        until = min(max(end, start + self._ahead), self._entry.size)
        self._held = kept + self._store.read(self._entry, start, until)
        self._start = self._place
        if not self._start:
            self._store.keep(self._entry, self._held[:SMALLEST])


class Explained(io.RawIOBase):
    """A library's file that is written to, whose faults are turned into OSError or ConnectError."""

    def __init__(self, inner: Any, told: Callable[[], AbstractContextManager[None]]) -> None:
        super().__init__()
        self._inner, self._told = inner, told

    def writable(self) -> bool:
        """Return True."""
        return True

    def tell(self) -> int:
        """Return how many bytes were written."""
        return int(self._inner.tell())

    def write(self, data: Any) -> int:
        """Write *data*."""
        with self._told():
            self._inner.write(data)
        return len(memoryview(data).cast("B"))


def gathered(
    chunks: Iterable[bytes], lost: tuple[type[BaseException], ...] = RemoteStore.lost
) -> bytes:
    """Return what *chunks* yields, also where the connection is lost behind the first."""
    found: list[bytes] = []
    try:
        found.extend(chunks)
    except lost:
        if not found:
            raise
    return b"".join(found)


def fits(names: Names, parts: Names) -> bool:
    """Return whether a path's *names* fit the *parts* of a glob, as the module glob sees it."""
    if not parts or not names:
        return not parts and not names
    if parts[0] != "**":
        return _fits(names[0], parts[0]) and fits(names[1:], parts[1:])
    if len(parts) == 1:
        return not any(name.startswith(".") for name in names)
    return fits(names, parts[1:]) or (not names[0].startswith(".") and fits(names[1:], parts))


def _fits(name: str, part: str) -> bool:
    if not has_magic(part):
        return name == part
    return fnmatchcase(name, part) and (part.startswith(".") or not name.startswith("."))


def _is_hidden(part: str) -> bool:
    # Where names are keys, two dots are letters as others, and no folder.
    return part[:1] in (".", "_") and part != ".."


def _joined(folder: str, part: str) -> str:
    return part if not folder else folder + part if folder.endswith("/") else f"{folder}/{part}"
