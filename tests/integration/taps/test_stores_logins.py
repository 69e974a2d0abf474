"""How one logs in to SSH and FTP servers of several kinds."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import paramiko
import pytest

from servers import clouds, relays, web

Tap = Callable[..., Any]


@pytest.fixture
def written(tmp_path: Path) -> Callable[[Path], None]:
    """Put a.csv in a folder."""

    def put(folder: Path) -> None:
        (folder / "a.csv").write_text("id\n1\n")

    return put


def test_ssh_keys_and_known_hosts(tap: Tap, written: Any, clean_env: dict[str, str]) -> None:
    """A key as text or as a file, a host known by ~/.ssh/known_hosts, a login in the address."""
    with clouds.sftp() as config:
        root = config.pop("folder")
        written(root)
        key = root.parent / "client"
        line = config.pop("ssh_host_key")
        secret = config.pop("ssh_password")
        base = {"path": "sftp:///a.csv", **config}
        said = tap("tap-sftp", {**base, "ssh_private_key": str(key)})
        assert (said.code, "is not known" in said.err) == (1, True)
        folder = Path(clean_env["HOME"], ".ssh")
        folder.mkdir(mode=0o700)
        (folder / "known_hosts").write_text(f"[127.0.0.1]:{config['ssh_port']} {line}\n")
        for private in (str(key), key.read_text()):
            said = tap("tap-sftp", {**base, "ssh_private_key": private})
            assert [r["id"] for r in said.records] == [1], said.err
        other = paramiko.ECDSAKey.generate()
        wrong = {**base, "ssh_host_key": f"{other.get_name()} {other.get_base64()}"}
        said = tap("tap-sftp", {**wrong, "ssh_password": secret})
        assert (said.code, "shows another key" in said.err) == (1, True)
        address = f"sftp://tap:{secret}@127.0.0.1:{config['ssh_port']}"
        for path in ("/a.csv", "/~/a.csv"):
            said = tap("tap-sftp", {"path": address + path, "metadata_columns": ["_file"]})
            assert [r["id"] for r in said.records] == [1], said.err
            assert "secret" not in said.records[0]["_file"] + said.err


@pytest.mark.parametrize("secure", [False, True], ids=["", "TLS"])
def test_ftp_servers_new_and_old(
    tap: Tap, written: Any, tmp_path: Path, clean_env: dict[str, str], secure: bool
) -> None:
    """With MLSD and without, plain and over TLS, whose certificate is checked."""
    certificate, more = None, {}
    if secure:
        with relays.tls(tmp_path, 1) as (_, made):
            both = made.read_bytes() + made.with_name("server.key").read_bytes()
        certificate = tmp_path / "both.pem"
        certificate.write_bytes(both)
        more = {"ftp_tls": True}
    with clouds.ftp(certificate) as config:
        root = config.pop("folder")
        (root / "d").mkdir()
        written(root)
        written(root / "d")
        config |= {"path": "ftp:///", "stream": "s", "metadata_columns": ["_file"], **more}
        if secure:
            said = tap("tap-ftp", config)
            assert (said.code, "certificate" in said.err) == (1, True)
        for user in ("tap", "old"):
            clean_env["SSL_CERT_FILE"] = str(certificate or "")
            said = tap("tap-ftp", {**config, "ftp_user": user})
            assert said.code == 0, said.err
            names = [r["_file"].split("/", 3)[3] for r in said.records]
            assert names == ["a.csv", "d/a.csv"]


def test_a_session_that_has_expired(tap: Tap) -> None:
    """Is told with what to do; SeaweedFS lends no keys, so the answer is played."""
    with web.serving() as server:
        why = "<Code>ExpiredToken</Code><Message>The provided token has expired.</Message>"
        server.refusal = (400, f"<Error>{why}</Error>".encode())
        lent = {"aws_secret_access_key": "lent-secret", "aws_session_token": "lent-token"}
        place = {"aws_endpoint_url": server.url, "aws_region": "us-east-1"}
        config = {"path": "s3://bucket/a.csv", "aws_access_key_id": "lent", **lent, **place}
        said = tap("tap-s3", config)
    assert said.code == 1
    assert "ExpiredToken: The provided token has expired." in said.err
    assert "ask for new ones" in said.err
    assert not any(secret in said.err for secret in lent.values())
