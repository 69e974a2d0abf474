"""Programs that serve on a free port of this machine, started, awaited and ended."""

from __future__ import annotations

import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

START_SECONDS = 60
CLOSE_SECONDS = 10


def free_ports(count: int) -> list[int]:
    """Return ports that nobody listens to now."""
    probes = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [int(probe.getsockname()[1]) for probe in probes]
    for probe in probes:
        probe.close()
    return ports


@contextmanager
def serving(
    argv: Sequence[str | Path],
    folder: Path,
    ready: Callable[[], object],
    env: Mapping[str, str] | None = None,
) -> Iterator[None]:
    """Run *argv* in *folder* once *ready* raises no OSError, until the context ends."""
    log = folder / "log"
    with log.open("wb") as out:
        process = subprocess.Popen(
            [str(part) for part in argv], stdout=out, stderr=out, cwd=folder, env=env
        )
    try:
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                ready()
                break
            except OSError as error:
                if process.poll() is not None or time.monotonic() > deadline:
                    said = log.read_text(errors="replace")[-2000:]
                    raise RuntimeError(f"{argv[0]} did not start: {error}\n{said}") from error
            time.sleep(0.02)
        yield
    finally:
        process.terminate()
        try:
            process.wait(CLOSE_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def listens(port: int) -> Callable[[], object]:
    """Return what raises OSError until something takes connections on *port*."""
    return lambda: socket.create_connection(("127.0.0.1", port), 5).close()
