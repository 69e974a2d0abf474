"""The files that a run is writing: how many are open, and how much of their rows waits."""

from __future__ import annotations

import contextlib
import io
from collections import OrderedDict
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kozmo_singer.systems.formats.writers import FileFormat, Part
    from kozmo_singer.systems.stores import Upload

MOST_OPEN, MOST_OPEN_AFAR = 32, 8
"""Files that take rows at a time; one more, and that which got none for longest is closed.

What goes to another machine waits in memory until some megabytes have come together.
"""
MOST_HIDDEN, MOST_HIDDEN_AFAR = 128, 8
"""Files that are whole and not shown yet; one more, and the oldest is shown early."""
WAITING_BYTES = 48 << 20
"""Rows that wait for so many others that a group of them is worth it, over all files."""


class Sink(io.RawIOBase):
    """Counts what goes into an upload; once it is *dead* it takes what comes and keeps nothing."""

    def __init__(self, file: Any) -> None:
        self._file = file
        self.size = 0
        self.dead = False

    def writable(self) -> bool:
        return True

    def tell(self) -> int:
        return self.size

    def write(self, data: Any) -> int:
        count = memoryview(data).nbytes
        if not self.dead:
            self._file.write(data)
        self.size += count
        return count


class File:
    """A file of one stream, in one folder; it may be one that *replaces* an older one."""

    def __init__(
        self, path: str, folder: str, upload: Upload, format: FileFormat, *, replaces: bool
    ) -> None:
        self.path, self.folder, self.replaces = path, folder, replaces
        self.rows = 0
        self.waiting: list[Part] = []
        self.waiting_rows = self.waiting_bytes = 0
        self._upload = upload
        self._sink = Sink(upload.file)
        self.group = format.group
        try:
            self._writer = format.open(self._sink)  # type: ignore[arg-type]  # it is written to
        except BaseException:
            self.abort()
            raise

    @property
    def size(self) -> int:
        """About how large the file is, or will be once the rows that wait are in it."""
        return self._sink.size + self.waiting_bytes // 4

    def add(self, part: Part) -> int:
        """Take rows; return how many bytes of them wait."""
        self.rows += len(part)
        if not self.group:
            self._writer.write([part])
            return 0
        self.waiting.append(part)
        self.waiting_rows += len(part)
        self.waiting_bytes += part.nbytes
        return int(part.nbytes)

    def settle(self) -> None:
        """Write the rows that wait."""
        waiting, self.waiting = self.waiting, []
        self.waiting_rows = self.waiting_bytes = 0
        if waiting:
            self._writer.write(waiting)

    def close(self) -> None:
        """Make the file whole; it stays hidden."""
        self.settle()
        self._writer.finish()

    def commit(self) -> None:
        """Show the file."""
        self._upload.commit()

    def abort(self) -> None:
        """Forget the file."""
        self._sink.dead = True
        self.waiting = []
        with contextlib.suppress(OSError):
            self._upload.abort()


class OpenFiles:
    """All files of a run, so that there is a bound to them all together.

    What is closed or shown early is told to the function that came with the file.
    """

    def __init__(self, *, local: bool) -> None:
        self._most_open = MOST_OPEN if local else MOST_OPEN_AFAR
        self._most_hidden = MOST_HIDDEN if local else MOST_HIDDEN_AFAR
        self._open: OrderedDict[File, Callable[[File], None]] = OrderedDict()
        self._hidden: OrderedDict[File, Callable[[File], None]] = OrderedDict()
        self._waiting = 0

    def opened(self, file: File, close: Callable[[File], None]) -> None:
        """Count *file*; *close* is called where it has to be closed for others."""
        while len(self._open) >= self._most_open:
            oldest, close_oldest = next(iter(self._open.items()))
            close_oldest(oldest)
        self._open[file] = close

    def add(self, file: File, part: Part) -> None:
        """Give rows to *file*; those of the file of which most wait are written if need be."""
        self._open.move_to_end(file)
        self._waiting += file.add(part)
        while self._waiting > WAITING_BYTES:
            self.settle(max(self._open, key=lambda each: each.waiting_bytes))
        if file.waiting and file.waiting_rows >= file.group:
            self.settle(file)

    def settle(self, file: File) -> None:
        """Write the rows of *file* that wait."""
        self._waiting -= file.waiting_bytes
        file.settle()

    def closed(self, file: File, commit: Callable[[File], None]) -> None:
        """Make *file* whole; *commit* is called where it has to be shown early."""
        self._waiting -= file.waiting_bytes
        del self._open[file]
        if not file.replaces:
            self._hidden[file] = commit
        file.close()
        while len(self._hidden) > self._most_hidden:
            oldest, commit_oldest = next(iter(self._hidden.items()))
            commit_oldest(oldest)

    def shown(self, file: File) -> None:
        """Show *file*."""
        file.commit()
        self._hidden.pop(file, None)

    def forget(self, file: File) -> None:
        """Abort *file*."""
        if file in self._open:
            self._waiting -= file.waiting_bytes
        self._open.pop(file, None)
        self._hidden.pop(file, None)
        file.abort()
