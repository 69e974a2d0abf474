"""Progress of a tap or target on standard error, in the form that Singer runners read."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import TextIO


class Counter:
    """Counts the rows, and if told the bytes, of streams; prints them at most once a second.

    A line is what singer-python prints: ``INFO METRIC: {"type":"counter",...}``. Its value is what
    was added since the stream's line before, so that a reader sums up. `close` prints the rest, and
    a zero for a stream that was named by `start` and had no row, and for what `count` was told.
    """

    def __init__(
        self,
        *,
        interval: float = 1.0,
        err: TextIO | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._interval, self._err, self._clock = interval, err, clock
        self._pending: dict[str, list[int]] = {}
        self._counted: dict[tuple[str, str], int] = {}
        self._silent: set[str] = set()
        self._due = clock() + interval

    def start(self, stream: str) -> None:
        """Make *stream* known, so that it is reported even if it has no row."""
        self._silent.add(stream)
        self._pending.setdefault(stream, [0, 0])

    def add(self, stream: str, rows: int, size: int = 0) -> None:
        """Count *rows* rows of *size* bytes; call it once a batch, not once a row."""
        pending = self._pending.setdefault(stream, [0, 0])
        pending[0] += rows
        pending[1] += size
        if self._clock() >= self._due:
            self.flush()

    def count(self, stream: str, **counts: int) -> None:
        """Add to other counts of *stream*, by the names of their metrics; printed with its rows."""
        for name, value in counts.items():
            self._counted[stream, name] = self._counted.get((stream, name), 0) + value

    def flush(self) -> None:
        """Print what was not printed yet."""
        self._due = self._clock() + self._interval
        lines = []
        for stream, (rows, size) in self._pending.items():
            if rows or stream in self._silent:
                lines.append(metric_line("record_count", rows, stream))
                self._silent.discard(stream)
            if size:
                lines.append(metric_line("byte_count", size, stream))
        self._pending.clear()
        for (stream, name), value in self._counted.items():
            lines.append(metric_line(name, value, stream))
        self._counted.clear()
        if lines:
            err = self._err or sys.stderr
            # Who does not listen to progress any more must not end the work.
            with suppress(OSError):
                err.write("".join(lines))
                err.flush()

    def close(self) -> None:
        """Print the last counts; call it however the work ended."""
        self.flush()

    def __enter__(self) -> Counter:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def metric_line(metric: str, value: int, stream: str | None = None, **tags: str) -> str:
    """Return one counter line in singer-python's dialect, newline included."""
    tags = tags if stream is None else {"stream": stream, **tags}
    point = {"type": "counter", "metric": metric, "value": value, "tags": tags}
    return f"INFO METRIC: {json.dumps(point, separators=(',', ':'))}\n"
