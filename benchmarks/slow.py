"""A way to a server that lets only so many bytes a second through, each connection by itself."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

PIECE = 1 << 15


@contextmanager
def slowed(port: int, rate: float) -> Iterator[int]:
    """Listen as long as the context lasts, and return the port; *rate* is in bytes a second."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=_serve, args=(listener, port, rate), daemon=True).start()
        yield listener.getsockname()[1]


def _serve(listener: socket.socket, port: int, rate: float) -> None:
    # Closing the listener ends it.
    with suppress(OSError):
        while True:
            client, _ = listener.accept()
            server = socket.create_connection(("127.0.0.1", port))
            for one, other, limit in ((client, server, None), (server, client, rate)):
                threading.Thread(target=_pass_on, args=(one, other, limit), daemon=True).start()


def _pass_on(one: socket.socket, other: socket.socket, rate: float | None) -> None:
    began, sent = time.monotonic(), 0
    with suppress(OSError):
        while piece := one.recv(PIECE):
            other.sendall(piece)
            sent += len(piece)
            if rate is not None:
                time.sleep(max(0.0, began + sent / rate - time.monotonic()))
    with suppress(OSError):
        other.shutdown(socket.SHUT_WR)
