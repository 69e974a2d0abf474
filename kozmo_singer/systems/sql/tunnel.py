"""An SSH tunnel to a database: a port of this machine that reaches a host behind an SSH server."""

from __future__ import annotations

import contextlib
import select
import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from kozmo_singer.errors import MissingDriver
from kozmo_singer.systems.ssh import log_in

if TYPE_CHECKING:
    import paramiko

_CHUNK = 1 << 16


@contextmanager
def tunnel(config: Mapping[str, Any], plugin: str, host: str, port: int) -> Iterator[int]:
    """Yield a port of 127.0.0.1 that leads to *host*:*port* as the SSH server sees them.

    The server must be known, by ssh_host_key or ~/.ssh/known_hosts: an unknown one is refused.
    """
    try:
        client = log_in(config)
    except ImportError as error:
        raise MissingDriver(plugin, "paramiko", "postgres") from error
    listener = socket.create_server(("127.0.0.1", 0))
    try:
        transport = client.get_transport()
        assert transport is not None
        arguments = (listener, transport, (host, port))
        threading.Thread(target=_accept, args=arguments, daemon=True).start()
        yield int(listener.getsockname()[1])
    finally:
        with contextlib.suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        client.close()


def _accept(
    listener: socket.socket, transport: paramiko.Transport, target: tuple[str, int]
) -> None:
    while True:
        try:
            inner, peer = listener.accept()
        except OSError:
            return
        threading.Thread(
            target=_forward, args=(inner, peer, transport, target), daemon=True
        ).start()


def _forward(
    inner: socket.socket, peer: Any, transport: paramiko.Transport, target: tuple[str, int]
) -> None:
    import paramiko

    with inner:
        try:
            channel = transport.open_channel("direct-tcpip", target, peer, timeout=30)
        except paramiko.SSHException:
            # The database's driver sees its connection closed and reports that.
            return
        with contextlib.closing(channel), contextlib.suppress(OSError, EOFError):
            _pump(inner, channel)


def _pump(inner: socket.socket, channel: paramiko.Channel) -> None:
    while True:
        ends: tuple[Any, Any] = (inner, channel)
        ready, _, _ = select.select(ends, [], [])
        for source, sink in ((inner, channel), (channel, inner)):
            if source in ready:
                data = source.recv(_CHUNK)
                if not data:
                    return
                sink.sendall(data)
