"""The kernel's pipe between two processes."""

from __future__ import annotations

import fcntl
import os
import struct
import sys
import termios
from contextlib import suppress

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
