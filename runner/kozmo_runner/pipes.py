"""The kernel's pipe between two processes."""

from __future__ import annotations

import fcntl
import os
import select
import struct
import sys
import termios
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from threading import Event, Thread

_SIZE = 1 << 20
_F_SETPIPE_SZ = 1031


def widen(descriptor: int) -> None:
    """Give a pipe a megabyte where the kernel lets (Linux): fewer switches between its ends."""
    if sys.platform == "linux":
        with suppress(OSError):
            fcntl.fcntl(descriptor, _F_SETPIPE_SZ, _SIZE)


def waiting(descriptor: int) -> int:
    """Return how many bytes stand in a pipe, written and not yet read."""
    buffer = bytearray(4)
    try:
        fcntl.ioctl(descriptor, termios.FIONREAD, buffer)
    except OSError:
        return 0
    return int(struct.unpack("i", buffer)[0])


def close(descriptor: int) -> None:
    """Close a descriptor that may be closed already."""
    with suppress(OSError):
        os.close(descriptor)


@contextmanager
def emptied(descriptors: Sequence[int]) -> Iterator[None]:
    """Read pipes and forget what is in them for as long as the context lasts.

    A process that waits for room in a pipe does not see that it was asked to end.
    """
    done = Event()

    def read() -> None:
        left = list(descriptors)
        while left and not done.is_set():
            for ready in select.select(left, [], [], 0.05)[0]:
                if not os.read(ready, _SIZE):
                    left.remove(ready)

    thread = Thread(target=read, name="emptied", daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
