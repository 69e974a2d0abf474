"""TLS, and tunnels through SSH, to a real PostgreSQL behind loopback relays."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import paramiko
import pytest

from servers import relays
from servers.postgres import Database


@pytest.fixture
def rows(postgres: Database) -> list[dict[str, int]]:
    """A table of three rows, as records."""
    postgres.execute("CREATE TABLE t (id integer PRIMARY KEY)")
    postgres.execute("INSERT INTO t VALUES (1), (2), (3)")
    return [{"id": 1}, {"id": 2}, {"id": 3}]


def test_a_verified_certificate_is_trusted(
    postgres: Database, rows: Any, tap: Any, tmp_path: Path
) -> None:
    """sslmode verify-full with the authority's file."""
    with relays.tls(tmp_path, postgres.config["port"]) as (port, certificate):
        way = {"port": port, "sslmode": "verify-full", "sslrootcert": str(certificate)}
        said = tap("tap-postgres", {**postgres.config, **way})
    assert (said.code, said.records) == (0, rows), said.err


def test_a_certificate_of_nobody_knows_whom_is_refused(
    postgres: Database, rows: Any, tap: Any, tmp_path: Path
) -> None:
    """With what to do about it; require encrypts without asking."""
    with relays.tls(tmp_path, postgres.config["port"]) as (port, _):
        config = {**postgres.config, "port": port}
        said = tap("tap-postgres", {**config, "sslmode": "verify-full"})
        assert said.code == 1
        assert "could not be verified" in said.err
        assert "sslrootcert" in said.err
        assert tap("tap-postgres", {**config, "sslmode": "require"}).records == rows


def test_a_tunnel_leads_to_the_database(postgres: Database, rows: Any, tap: Any) -> None:
    """By password, and by a private key given as text."""
    key = paramiko.ECDSAKey.generate()
    text = io.StringIO()
    key.write_private_key(text)
    with relays.ssh("hunter2-ssh", key) as (port, public):
        way = {
            "ssh_host": "127.0.0.1", "ssh_port": port, "ssh_user": "tunnel",
            "ssh_host_key": public,
        }  # fmt: skip
        config = {**postgres.config, **way}
        by_password = tap("tap-postgres", {**config, "ssh_password": "hunter2-ssh"})
        assert (by_password.code, by_password.records) == (0, rows), by_password.err
        by_key = tap("tap-postgres", {**config, "ssh_private_key": text.getvalue()})
        assert (by_key.code, by_key.records) == (0, rows), by_key.err


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"ssh_password": "hunter2-wrong"}, "refused the login of 'tunnel'"),
        ({"ssh_host_key": None}, "is not known"),
        ({"ssh_host_key": "ssh-ed25519 AAAA"}, "is no public key"),
        ({"ssh_port": 1}, "cannot reach the SSH server 127.0.0.1:1"),
    ],
)
def test_a_tunnel_that_cannot_be_had_says_why(
    postgres: Database, tap: Any, change: dict[str, Any], words: str
) -> None:
    """Without a password in it, and never through a server that is not known."""
    with relays.ssh("hunter2-ssh", paramiko.ECDSAKey.generate()) as (port, public):
        way = {
            "ssh_host": "127.0.0.1", "ssh_port": port, "ssh_user": "tunnel",
            "ssh_password": "hunter2-ssh", "ssh_host_key": public,
        }  # fmt: skip
        said = tap("tap-postgres", {**postgres.config, **way, **change})
    assert said.code in (1, 2)
    assert words in said.err
    assert "hunter2" not in said.err
    assert len(said.err[said.err.index("Error:") :].splitlines()) <= 6
