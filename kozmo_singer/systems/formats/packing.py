"""Files as their compression hides them: streams of what is inside, in bounded memory."""

from __future__ import annotations

import lzma
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
MAGIC_BYTES = max(map(len, _MAGIC))


def compression_of(head: bytes) -> str | None:
    """Return how the file that begins with *head* is compressed."""
    return next((name for magic, name in _MAGIC.items() if head.startswith(magic)), None)


@contextmanager
def unpacked(source: Source) -> Iterator[Any]:
    """Give the content of *source* as a stream to read from; what is broken is a ReadError."""
    with translated(source), source.open() as raw:
        if source.compression == "xz":
            with lzma.open(raw) as inner:
                yield inner
        elif source.compression:
            with pa.CompressedInputStream(pa.PythonFile(raw, "r"), source.compression) as inner:
                yield inner
        else:
            yield raw


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
