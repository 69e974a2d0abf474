"""Which STATE may leave a target: the newest whose rows are all durable."""

from __future__ import annotations

from collections import deque
from typing import Generic, TypeVar

Value = TypeVar("Value")


class Watermark(Generic[Value]):
    """Counts states; a stream with rows not yet durable holds back every state after its first.

    State number n (the first is 0) covers the rows received before it. It is safe when the
    oldest row that is not yet durable, over all streams, came after it.
    """

    def __init__(self) -> None:
        self._states: deque[tuple[int, Value]] = deque()
        self._count = 0
        self._waiting: dict[str, int] = {}

    def received(self, stream: str) -> None:
        """Rows of *stream* came in and are not durable yet."""
        self._waiting.setdefault(stream, self._count)

    def durable(self, stream: str) -> None:
        """All rows received of *stream* so far are durable."""
        self._waiting.pop(stream, None)

    def state(self, value: Value) -> None:
        """The tap sent a state."""
        self._states.append((self._count, value))
        self._count += 1

    def safe(self) -> Value | None:
        """Return the newest safe state not handed out yet, or None; older ones are forgotten."""
        limit = min(self._waiting.values(), default=self._count)
        newest: Value | None = None
        while self._states and self._states[0][0] < limit:
            newest = self._states.popleft()[1]
        return newest
