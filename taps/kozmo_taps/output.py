"""Writing messages to a pipe in large pieces, so that no message costs a system call."""

from __future__ import annotations

import time
from types import TracebackType
from typing import BinaryIO

PIECE_BYTES = 1 << 16
"""What is gathered before it is written: the capacity of a Linux pipe."""
WAIT_SECONDS = 1.0
"""How long messages may wait for others where a source is slow."""


class Output:
    """Gathers messages and writes them whole; leaving the context writes what is left."""

    def __init__(self, out: BinaryIO) -> None:
        self._out = out
        self._parts: list[bytes] = []
        self._size = 0
        self._written = time.monotonic()

    def add(self, lines: bytes) -> None:
        """Take complete lines; a reader that is gone raises BrokenPipeError."""
        self._parts.append(lines)
        self._size += len(lines)
        if self._size >= PIECE_BYTES or time.monotonic() - self._written > WAIT_SECONDS:
            self.flush()

    def flush(self) -> None:
        """Write everything that was taken."""
        piece = memoryview(b"".join(self._parts))
        self._parts.clear()
        self._size = 0
        while piece:
            # A signal can cut a write to a pipe short.
            piece = piece[self._out.write(piece) :]
        self._out.flush()
        self._written = time.monotonic()

    def __enter__(self) -> Output:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if not isinstance(error, BrokenPipeError):
            self.flush()
