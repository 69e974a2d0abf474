"""Loopback relays in front of a server: one with TLS as PostgreSQL has it, SSH, an unsteady one."""

from __future__ import annotations

import contextlib
import datetime as dt
import ipaddress
import select
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import paramiko
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

SSL_REQUEST = b"\x00\x00\x00\x08\x04\xd2\x16\x2f"
"""https://www.postgresql.org/docs/18/protocol-message-formats.html"""
SECONDS = 10


@contextmanager
def tls(folder: Path, port: int) -> Iterator[tuple[int, Path]]:
    """Give a port that speaks TLS for the PostgreSQL at *port*, and its certificate's file."""
    certificate, key = _certificate(folder)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)

    def serve(inner: socket.socket) -> None:
        if inner.recv(8, socket.MSG_WAITALL) != SSL_REQUEST:
            return
        inner.sendall(b"S")
        with contextlib.suppress(ssl.SSLError, OSError):
            secured = context.wrap_socket(inner, server_side=True)
            with secured, socket.create_connection(("127.0.0.1", port)) as outer:
                _pump(secured, outer)

    with _listening(serve) as own:
        yield own, certificate


@contextmanager
def ssh(password: str, client_key: paramiko.PKey) -> Iterator[tuple[int, str]]:
    """Give the port of an SSH server that forwards connections, and its public key as a line.

    User 'tunnel' may log in with *password* or *client_key*.
    """
    host_key = paramiko.ECDSAKey.generate()

    def serve(inner: socket.socket) -> None:
        transport = paramiko.Transport(inner)
        transport.add_server_key(host_key)
        gate = _Gate(password, client_key)
        with contextlib.suppress(paramiko.SSHException, EOFError), contextlib.closing(transport):
            transport.start_server(server=gate)
            while transport.is_active():
                channel = transport.accept(0.1)
                if channel is None:
                    continue
                with socket.create_connection(gate.wanted) as outer, contextlib.closing(channel):
                    _pump(channel, outer)

    with _listening(serve) as own:
        yield own, f"{host_key.get_name()} {host_key.get_base64()}"


class Unsteady:
    """A relay that can be told to hold back what goes through it, or to cut its connections."""

    def __init__(self) -> None:
        self.port = 0
        self._hold = threading.Event()
        self._open: list[socket.socket] = []

    def hold(self, seconds: float) -> None:
        """Let nothing through for *seconds*."""
        self._hold.set()
        threading.Timer(seconds, self._hold.clear).start()

    def cut(self, *, reset: bool) -> None:
        """End every connection at both ends, with a reset or as if they had been closed."""
        while self._open:
            end = self._open.pop()
            with contextlib.suppress(OSError):
                if reset:
                    end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    end.close()
                else:
                    end.shutdown(socket.SHUT_RDWR)

    def serve(self, inner: socket.socket, port: int) -> None:
        """Pass on what *inner* says to *port*, and back."""
        with socket.create_connection(("127.0.0.1", port)) as outer:
            self._open += [inner, outer]
            with contextlib.suppress(OSError, ValueError):
                _pump(inner, outer, self._wait)

    def _wait(self) -> None:
        while self._hold.is_set():
            time.sleep(0.01)


@contextmanager
def unsteady(port: int) -> Iterator[Unsteady]:
    """Give a relay in front of *port*."""
    relay = Unsteady()
    with _listening(lambda inner: relay.serve(inner, port)) as relay.port:
        yield relay
        relay.cut(reset=True)


class Cutting:
    """A relay that ends its connections each time so many bytes have come from the server."""

    def __init__(self, cuts: list[int]) -> None:
        self.port = self.passed = 0
        self.cuts = cuts
        """What goes through before each of the next cuts."""
        self._since = 0

    def serve(self, inner: socket.socket, port: int) -> None:
        """Pass on what *inner* says to *port*, and back."""
        with socket.create_connection(("127.0.0.1", port)) as outer:
            ends = {inner: outer, outer: inner}
            with contextlib.suppress(OSError, ValueError):
                while True:
                    for end in select.select(list(ends), [], [])[0]:
                        data = end.recv(1 << 16)
                        if end is outer:
                            data = self._cut(data)
                        if not data:
                            return
                        ends[end].sendall(data)

    def _cut(self, data: bytes) -> bytes:
        self._since += len(data)
        self.passed += len(data)
        if not self.cuts or self._since < self.cuts[0]:
            return data
        self._since = 0
        self.cuts.pop(0)
        return b""


@contextmanager
def cutting(port: int, *cuts: int) -> Iterator[Cutting]:
    """Give a relay in front of *port*."""
    relay = Cutting(list(cuts))
    with _listening(lambda inner: relay.serve(inner, port)) as relay.port:
        yield relay


class _Gate(paramiko.ServerInterface):
    def __init__(self, password: str, key: paramiko.PKey) -> None:
        self._password, self._key = password, key
        self.wanted = ("", 0)

    def get_allowed_auths(self, username: str) -> str:
        return "password,publickey"

    def check_auth_password(self, username: str, password: str) -> int:
        return self._answer(username == "tunnel" and password == self._password)

    def check_auth_publickey(self, username: str, key: paramiko.PKey) -> int:
        return self._answer(username == "tunnel" and key == self._key)

    def check_channel_direct_tcpip_request(self, chanid: int, origin: Any, destination: Any) -> int:
        self.wanted = destination
        return paramiko.OPEN_SUCCEEDED

    @staticmethod
    def _answer(right: bool) -> int:
        return paramiko.AUTH_SUCCESSFUL if right else paramiko.AUTH_FAILED


@contextmanager
def _listening(serve: Callable[[socket.socket], None]) -> Iterator[int]:
    listener = socket.create_server(("127.0.0.1", 0))
    threads: list[threading.Thread] = []

    def handle(inner: socket.socket) -> None:
        with inner:
            serve(inner)

    def accept() -> None:
        with contextlib.suppress(OSError):
            while True:
                inner, _ = listener.accept()
                threads.append(threading.Thread(target=handle, args=(inner,), daemon=True))
                threads[-1].start()

    accepting = threading.Thread(target=accept, daemon=True)
    accepting.start()
    try:
        yield int(listener.getsockname()[1])
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        for thread in (accepting, *threads):
            thread.join(SECONDS)


def _pump(one: Any, other: Any, wait: Callable[[], None] = lambda: None) -> None:
    pairs = {one: other, other: one}
    while True:
        waiting = [end for end in pairs if getattr(end, "pending", int)()]
        for end in waiting or select.select(list(pairs), [], [])[0]:
            data = end.recv(1 << 16)
            if not data:
                return
            wait()
            pairs[end].sendall(data)


def _certificate(folder: Path) -> tuple[Path, Path]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = dt.datetime.now(dt.timezone.utc)
    names = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(minutes=5))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    paths = folder / "server.crt", folder / "server.key"
    paths[0].write_bytes(made.public_bytes(serialization.Encoding.PEM))
    paths[1].write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return paths
