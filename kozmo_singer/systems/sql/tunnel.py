"""An SSH tunnel to a database: a port of this machine that reaches a host behind an SSH server."""

from __future__ import annotations

import contextlib
import io
import os
import select
import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from kozmo_singer.errors import ConfigError, ConnectError, MissingDriver

if TYPE_CHECKING:
    import paramiko

_CHUNK = 1 << 16


@contextmanager
def tunnel(config: Mapping[str, Any], plugin: str, host: str, port: int) -> Iterator[int]:
    """Yield a port of 127.0.0.1 that leads to *host*:*port* as the SSH server sees them.

    The server must be known, by ssh_host_key or ~/.ssh/known_hosts: an unknown one is refused.
    """
    client = _log_in(config, plugin)
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


def _log_in(config: Mapping[str, Any], plugin: str) -> paramiko.SSHClient:
    try:
        import paramiko
    except ImportError as error:
        raise MissingDriver(plugin, "paramiko", "postgres") from error
    where = f"{config['ssh_host']}:{config.get('ssh_port') or 22}"
    client = paramiko.SSHClient()
    client.set_missing_host_key_policy(paramiko.RejectPolicy())
    client.load_system_host_keys()
    if config.get("ssh_host_key"):
        _trust(client, config, str(config["ssh_host_key"]))
    try:
        client.connect(
            config["ssh_host"],
            port=config.get("ssh_port") or 22,
            username=config.get("ssh_user"),
            password=config.get("ssh_password"),
            timeout=config.get("connect_timeout") or 10,
            **_key(config),
        )
    except paramiko.BadHostKeyException as error:
        raise ConnectError(
            f"the SSH server {where} shows another key than the one it is known by",
            "check ssh_host_key or ~/.ssh/known_hosts; somebody may stand in between",
        ) from error
    except paramiko.AuthenticationException as error:
        raise ConnectError(
            f"the SSH server {where} refused the login of '{config.get('ssh_user')}'",
            "check ssh_user, ssh_password and ssh_private_key",
        ) from error
    except (paramiko.SSHException, OSError) as error:
        raise _unreachable(where, error) from error
    return client


def _unreachable(where: str, error: Exception) -> ConnectError:
    if "not found in known_hosts" in str(error):
        return ConnectError(
            f"the SSH server {where} is not known",
            "set ssh_host_key to its public key, as `ssh-keyscan` prints it after the name",
        )
    return ConnectError(
        f"cannot reach the SSH server {where}",
        str(error) or type(error).__name__,
        "check ssh_host and ssh_port",
    )


def _trust(client: paramiko.SSHClient, config: Mapping[str, Any], line: str) -> None:
    import paramiko

    words = line.split()
    port = config.get("ssh_port") or 22
    name = config["ssh_host"] if port == 22 else f"[{config['ssh_host']}]:{port}"
    try:
        entry = paramiko.hostkeys.HostKeyEntry.from_line(f"{name} {words[0]} {words[1]}")
    except (IndexError, paramiko.SSHException, paramiko.hostkeys.InvalidHostKey) as error:
        raise ConfigError(
            "setting 'ssh_host_key' is no public key", "expected: ssh-ed25519 AAAA..."
        ) from error
    if entry is None or entry.key is None:
        raise ConfigError(
            "setting 'ssh_host_key' is no public key", "expected: ssh-ed25519 AAAA..."
        )
    client.get_host_keys().add(name, entry.key.get_name(), entry.key)


def _key(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return paramiko's arguments for the private key: a file's name, or the key itself."""
    text = config.get("ssh_private_key")
    if not text:
        return {"look_for_keys": not config.get("ssh_password")}
    passphrase = config.get("ssh_private_key_password")
    found: dict[str, Any] = {"look_for_keys": False, "allow_agent": False}
    if "-----BEGIN" not in text:
        path = os.path.expanduser(text)
        if not os.path.exists(path):
            raise ConfigError("setting 'ssh_private_key' names no file and holds no PEM key")
        return {**found, "key_filename": path, "passphrase": passphrase}
    return {**found, "pkey": _parse(text, passphrase)}


def _parse(text: str, passphrase: str | None) -> paramiko.PKey:
    import paramiko

    for kind in (paramiko.Ed25519Key, paramiko.ECDSAKey, paramiko.RSAKey):
        with contextlib.suppress(paramiko.SSHException, ValueError):
            return kind.from_private_key(io.StringIO(text), passphrase)
    raise ConfigError(
        "setting 'ssh_private_key' cannot be read as an Ed25519, ECDSA or RSA key",
        "is ssh_private_key_password right, and are the line breaks of the PEM kept?",
    )


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
