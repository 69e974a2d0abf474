"""The login to an SSH server that is known, by password, key or agent."""

from __future__ import annotations

import contextlib
import io
import logging
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from kozmo_singer.errors import ConfigError, ConnectError

if TYPE_CHECKING:
    import paramiko


def log_in(config: Mapping[str, Any]) -> paramiko.SSHClient:
    """Return a connection to the server that the settings ssh_* name; ConnectError says why not.

    The server must be known, by ssh_host_key or, without it, by ~/.ssh/known_hosts.
    """
    import paramiko

    # It tells each step of a login.
    logging.getLogger("paramiko").setLevel(logging.WARNING)
    where = f"{config['ssh_host']}:{config.get('ssh_port') or 22}"
    client = paramiko.SSHClient()
    client.set_missing_host_key_policy(paramiko.RejectPolicy())
    if config.get("ssh_host_key"):
        _trust(client, config, str(config["ssh_host_key"]))
    else:
        client.load_system_host_keys()
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
