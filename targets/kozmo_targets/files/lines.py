"""Files of lines, one a stream, that are whole lines whatever happens while they are written."""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
import os
import re
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from kozmo_singer.errors import ConfigError, WriteError

_log = logging.getLogger("kozmo_targets")
_UNSAFE = re.compile(rb"[^A-Za-z0-9_.\-]|^\.")
_LONGEST = 200
GZIP_HEAD = struct.Struct("<4s4xBBH2sHI")
_GZIP_TAIL = struct.Struct("<II")
_MAGIC = b"\x1f\x8b\x08\x04"
_FIELD = b"KZ"


def file_name(stream: str) -> str:
    """Return a name for the file of *stream* that no other stream has.

    Letters, digits and ``_ . -`` stand for themselves, other bytes become ``%XX`` (as does a dot
    at the start); a name over 200 bytes is cut and ends in ``~`` and sixteen digits of its SHA-1.
    """
    raw = stream.encode("utf-8", "surrogatepass")
    quoted = _UNSAFE.sub(lambda found: b"%%%02X" % ord(found[0]), raw).decode()
    if len(quoted) <= _LONGEST:
        return quoted
    return f"{quoted[:_LONGEST]}~{hashlib.sha1(raw, usedforsecurity=False).hexdigest()[:16]}"


def prepare_folder(folder: Path, setting: str = "path") -> None:
    """Create *folder*, which *setting* names; ConfigError says why nothing can be written there."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(
            f"cannot create the folder {folder}: {error.strerror}", f"check the setting {setting}"
        ) from error
    if not os.access(folder, os.W_OK | os.X_OK):
        raise ConfigError(
            f"the folder {folder} may not be written to",
            f"check its permissions, or the setting {setting}",
        )


class LinesFile:
    """A file that grows by whole batches of lines.

    With *replace* it takes the place of the old one in finish; until then, and if abort comes
    instead, the old one stays as it is. Otherwise lines are appended, and abort takes back those
    that came after the last flush. With *compress* each batch is a gzip member of its own.
    """

    def __init__(self, path: Path, *, replace: bool, compress: bool = False) -> None:
        self.path = path
        self._replace = replace
        self._compress = compress
        self._hidden = path.with_name(f".{path.name}.part") if replace else path
        self._waiting: list[bytes] = []
        with self._errors():
            flags = os.O_RDWR | os.O_CREAT | (os.O_TRUNC if replace else 0)
            self._fd = os.open(self._hidden, flags, 0o666)
            if not replace:
                self._mend()
            self._durable = os.lseek(self._fd, 0, os.SEEK_END)

    @property
    def identity(self) -> tuple[int, int]:
        """What tells this file from any other, whatever its name."""
        found = os.fstat(self._fd)
        return found.st_dev, found.st_ino

    def write(self, blob: bytes) -> None:
        """Take lines, each ended by a newline."""
        if self._compress:
            self._waiting.append(blob)
        else:
            with self._errors():
                _write_all(self._fd, blob)

    def flush(self) -> None:
        """Make durable all lines taken so far."""
        with self._errors():
            if self._waiting:
                _write_all(self._fd, _member(b"".join(self._waiting)))
                self._waiting.clear()
            os.fsync(self._fd)
            self._durable = os.lseek(self._fd, 0, os.SEEK_CUR)

    def finish(self) -> None:
        """Close the file, and show it if it was to replace another."""
        self.flush()
        self._close()
        if self._replace:
            with self._errors():
                os.replace(self._hidden, self.path)
                sync_folder(self.path.parent)

    def abort(self) -> None:
        """Close the file as it was at the last flush; a replacement is forgotten."""
        if self._fd < 0:
            return
        with contextlib.suppress(OSError):
            if self._replace:
                self._hidden.unlink()
            else:
                os.ftruncate(self._fd, self._durable)
        self._close()

    def _close(self) -> None:
        fd, self._fd = self._fd, -1
        os.close(fd)

    def _mend(self) -> None:
        """Cut off what a run that was killed left of a line or member: no state covers it."""
        size = os.fstat(self._fd).st_size
        keep = self._whole_members(size) if self._compress else self._whole_lines(size)
        if keep < size:
            _log.warning("%s ends within a record; its last %d bytes go", self.path, size - keep)
            os.ftruncate(self._fd, keep)

    def _whole_lines(self, size: int) -> int:
        rest = b""
        at = size
        while at > 0 and b"\n" not in rest:
            start = max(0, at - (1 << 16))
            rest = os.pread(self._fd, at - start, start) + rest
            at = start
        last = rest[rest.rfind(b"\n") + 1 :]
        if not last:
            return size
        try:
            json.loads(last)
        except ValueError:
            return size - len(last)
        os.pwrite(self._fd, b"\n", size)
        return size

    def _whole_members(self, size: int) -> int:
        """Hop over members of ours, whose heads say how long they are; leave others alone."""
        at = 0
        while at < size:
            head = os.pread(self._fd, GZIP_HEAD.size, at)
            if len(head) < GZIP_HEAD.size:
                return at
            magic, _, _, _, field, _, length = GZIP_HEAD.unpack(head)
            if magic != _MAGIC or field != _FIELD:
                return size
            if at + length > size:
                return at
            at += length
        return at

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise WriteError(f"cannot write {self.path}", error.strerror or str(error)) from error


def _member(data: bytes) -> bytes:
    """Return *data* as one gzip member whose head, in an extra field, tells its length."""
    packer = zlib.compressobj(6, zlib.DEFLATED, -zlib.MAX_WBITS)
    packed = packer.compress(data) + packer.flush()
    length = GZIP_HEAD.size + len(packed) + _GZIP_TAIL.size
    head = GZIP_HEAD.pack(_MAGIC, 0, 255, 8, _FIELD, 4, length)
    return head + packed + _GZIP_TAIL.pack(zlib.crc32(data), len(data) & 0xFFFFFFFF)


def _write_all(fd: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]


def sync_folder(folder: Path) -> None:
    """Make durable that files were made or renamed in *folder*."""
    fd = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
