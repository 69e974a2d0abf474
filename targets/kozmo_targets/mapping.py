"""Stream maps and flattening on the way into a target: lines are mapped before they are read."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any, BinaryIO

from kozmo_singer.mapping import Mapper
from kozmo_targets.batch import record_lines

_CHUNK = 1 << 18


@contextmanager
def mapped(
    plugin: str, config: Mapping[str, Any], source: int | BinaryIO
) -> Iterator[tuple[int, Callable[[], None]]]:
    """Give a file descriptor that reads the mapped lines of *source*.

    The function beside it raises, once the lines have ended, what went wrong on the way.
    """
    mapper = Mapper(plugin, config, record_lines)
    reading, writing = os.pipe()
    faults: list[Exception] = []

    def pump() -> None:
        try:
            with os.fdopen(writing, "wb", _CHUNK) as pipe:
                for number, line in enumerate(_lines(source, pipe.flush), 1):
                    # A line that is left out becomes an empty one: numbers of lines stay right.
                    pipe.write(mapper.line(line, number) or b"\n")
        except BrokenPipeError:
            return
        except Exception as error:  # noqa: BLE001 - carried over to the thread that loads
            faults.append(error)

    def expect_end() -> None:
        # The thread has closed its end of the pipe and is about to be done.
        thread.join()
        for fault in faults:
            raise fault

    thread = threading.Thread(target=pump, name="stream-maps", daemon=True)
    thread.start()
    try:
        yield reading, expect_end
    finally:
        os.close(reading)


def _lines(source: int | BinaryIO, pause: Callable[[], None]) -> Iterator[bytes]:
    """Yield whole lines, and the rest without a newline; call *pause* before each read."""
    rest: list[bytes] = []
    while True:
        with suppress(BrokenPipeError):
            pause()
        chunk = os.read(source, _CHUNK) if isinstance(source, int) else source.read(_CHUNK)
        if not chunk:
            break
        first, *others = chunk.split(b"\n")
        rest.append(first)
        for line in others:
            yield b"".join(rest) + b"\n"
            rest = [line]
    if any(rest):
        yield b"".join(rest)
