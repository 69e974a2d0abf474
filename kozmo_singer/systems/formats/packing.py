"""Files as their compression hides them: streams of what is inside, in bounded memory."""

from __future__ import annotations

import io
import lzma
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pyarrow as pa

from kozmo_singer.errors import KozmoError
from kozmo_singer.systems.formats import Source, unreadable

_MAGIC = {
    b"\x1f\x8b": "gzip",
    b"BZh": "bz2",
    b"\xfd7zXZ\x00": "xz",
    b"\x28\xb5\x2f\xfd": "zstd",
}
HEAD_BYTES = 512
FREE_BYTES = 1 << 30
"""What any file may unpack to."""


def compression_of(head: bytes) -> str | None:
    """Return how the file that begins with *head* is compressed."""
    return next((name for magic, name in _MAGIC.items() if head.startswith(magic)), None)


def head_of(source: Source) -> bytes:
    """Return the first bytes of the file as it is stored; what is broken is a ReadError."""
    with translated(source), source.open() as raw:
        return raw.read(HEAD_BYTES)


def is_bomb(size: int, packed: int, ratio: int) -> bool:
    """Return whether *size* bytes that were *packed* are more than a file is likely to hold."""
    return bool(ratio) and size > FREE_BYTES and size > ratio * packed


@contextmanager
def unpacked(source: Source) -> Iterator[Any]:
    """Give the content of *source* as a stream to read from; what is broken is a ReadError."""
    with translated(source), source.open() as raw:
        if source.compression == "xz":
            with lzma.open(raw) as inner:
                yield _Unpacked(inner, source)
        elif source.compression:
            with pa.CompressedInputStream(pa.PythonFile(raw, "r"), source.compression) as inner:
                yield _Unpacked(inner, source)
        else:
            yield raw


@contextmanager
def seekable(source: Source) -> Iterator[Any]:
    """Give the content of *source* as a stream that can be entered anywhere.

    What is packed is unpacked into a temporary file without a name.
    """
    with unpacked(source) as stream:
        if not source.packed:
            yield stream
            return
        with tempfile.TemporaryFile() as file:
            shutil.copyfileobj(stream, file, 1 << 20)
            file.seek(0)
            yield file


class _Unpacked(io.RawIOBase):
    """What *inner* gives of *source*, as long as it is no bomb."""

    def __init__(self, inner: Any, source: Source) -> None:
        self._inner, self._source, self._size = inner, source, 0

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        piece: bytes = self._inner.read(size)
        self._size += len(piece)
        if is_bomb(self._size, self._source.size, self._source.ratio):
            raise unreadable(
                self._source,
                f"it unpacks to more than {self._source.ratio} times its size",
                "to read it nevertheless: max_unpacked_ratio",
            )
        return piece


@contextmanager
def translated(source: Source) -> Iterator[None]:
    """Turn what libraries raise over a file into ReadError."""
    try:
        yield
    except KozmoError:
        raise
    except FileNotFoundError as error:
        raise unreadable(source, "the file is gone") from error
    except PermissionError as error:
        raise unreadable(source, "permission denied") from error
    except (OSError, EOFError, lzma.LZMAError, pa.ArrowException) as error:
        packed = f"as {source.compression}: " if source.compression else ""
        raise unreadable(source, packed + str(error).partition(". Detail")[0][:300]) from error
