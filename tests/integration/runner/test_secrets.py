"""Secrets: everything that a run says, writes or hands on is searched for them."""

from __future__ import annotations

import json
import os
import signal
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from kozmo_runner import api
from kozmo_runner.environment import child_environment
from kozmo_runner.plugins import Plug
from kozmo_singer.secrets import forms
from servers.postgres import Database

SECRET = 'ge"heim@ä+4711'
DRIVER = """
import logging
import psycopg

def connect(conninfo="", **options):
    logging.getLogger("driver").debug("connecting with %r", options)
    raise RuntimeError(f"driver bug at {options}")

psycopg.connect = connect
"""
THREAD = """
import threading
import psycopg

def fail(options):
    raise ValueError(f"driver bug at {options}")

def connect(conninfo="", **options):
    thread = threading.Thread(target=fail, args=(options,))
    thread.start()
    thread.join()
    raise psycopg.OperationalError("gone")

psycopg.connect = connect
"""


def _expect_hidden(folder: Path, *said: str | bytes) -> None:
    """No form of the secret stands in what was said, or in a file of *folder*."""
    texts = {f"part {i}": t if isinstance(t, bytes) else t.encode() for i, t in enumerate(said)}
    files = [path for path in folder.rglob("*") if path.is_file()]
    texts |= {str(path): path.read_bytes() for path in files}
    shown = [(n, form) for n, t in texts.items() for form in forms([SECRET]) if form.encode() in t]
    assert shown == []


def _wrong(postgres: Database) -> dict[str, Any]:
    return {**postgres.config, "password": SECRET}


def _by_url(postgres: Database) -> dict[str, Any]:
    found = {**postgres.config, "password": quote(SECRET, safe="")}
    return {
        "sqlalchemy_url": "postgresql://{user}:{password}@{host}:{port}/{database}".format(**found)
    }


WAYS: dict[str, tuple[Callable[[Database], dict[str, Any]], str]] = {
    "a wrong password": (_wrong, ""),
    "a wrong password in a URL": (_by_url, ""),
    "a bug in the driver": (_wrong, DRIVER),
    "a bug in the driver, by URL": (_by_url, DRIVER),
    "a bug in a thread of the driver": (_wrong, THREAD),
}


@pytest.mark.parametrize("side", ["tap", "target"])
@pytest.mark.parametrize("way", WAYS)
def test_a_run_that_fails_shows_no_secret(
    tmp_path: Path, home: Path, postgres: Database, run: Any, tap: str, target: str, landed: Any,
    way: str, side: str,
) -> None:  # fmt: skip
    """Neither on a terminal, nor in report, log and state, whichever side has the secret."""
    configure, driver = WAYS[way]
    configs = {"tap": {"rows": 2}, "target": landed.config, side: configure(postgres)}
    argv = ["kozmo", "run", "tap-postgres" if side == "tap" else tap]
    argv += ["target-postgres" if side == "target" else target, "--verbose"]
    out = tmp_path / "out"
    out.mkdir()
    argv += ["--report", str(out / "report.json"), "--log", str(out / "log")]
    for name, config in configs.items():
        (tmp_path / f"{name}.json").write_text(json.dumps(config))
        argv += [f"--{name}-config", str(tmp_path / f"{name}.json")]
    (tmp_path / "driver").mkdir()
    (tmp_path / "driver" / "sitecustomize.py").write_text(driver)
    env = {"PYTHONPATH": str(tmp_path / "driver"), "KOZMO_HOME": str(home)}
    done = run(argv, env=env)
    assert done.code == 1, done.err
    assert f"Error: {side}-postgres" in done.err
    _expect_hidden(out, done.out, done.err)
    _expect_hidden(home)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("plugin", ["tap-postgres", "target-postgres"])
def test_a_plug_in_alone_shows_no_secret_at_any_level(
    tmp_path: Path, postgres: Database, run: Any, plugin: str, way: str
) -> None:
    """Its traceback is there for --log-level debug, and masked like everything else."""
    configure, driver = WAYS[way]
    (tmp_path / "driver").mkdir()
    (tmp_path / "driver" / "sitecustomize.py").write_text(driver)
    (tmp_path / "config.json").write_text(json.dumps(configure(postgres)))
    for level in ("info", "debug"):
        argv = [plugin, "--config", tmp_path / "config.json", "--check", "--log-level", level]
        done = run(argv, env={"PYTHONPATH": str(tmp_path / "driver")})
        assert done.code == 1
        assert ("Traceback" in done.err) == (
            level == "debug" and driver == DRIVER or driver == THREAD
        )
        _expect_hidden(tmp_path / "driver", done.out, done.err)


@pytest.fixture
def mean_environment(monkeypatch: pytest.MonkeyPatch, landed: Any) -> Iterator[None]:
    """Secrets of all sorts stand in the environment of the runner."""
    for name in (
        "AWS_SECRET_ACCESS_KEY", "AWS_ACCESS_KEY_ID", "DATABASE_URL", "GITHUB_TOKEN", "PGPASSWORD",
        "KOZMO_STATE_STORE_PASSWORD", "TARGET_POSTGRES_PASSWORD", "TAP_OTHER_TOKEN", "MY_SECRET",
    ):  # fmt: skip
        monkeypatch.setenv(name, SECRET)
    yield


def test_a_child_sees_no_secret_that_is_not_its_own(
    tmp_path: Path, home: Path, tap: str, target: str, landed: Any, until: Any,
    background: Callable[..., Any], mean_environment: None,
) -> None:  # fmt: skip
    """Looked up in /proc while the run is under way, and on the disk once it was killed."""
    config = tmp_path / "config.json"
    config.write_text(json.dumps({"rows": 500, "pause": 0.05, "password": "${MY_SECRET}"}))
    running = background(
        "run", tap, target, "--tap-config", str(config), "--target-config", f"path={landed.path}"
    )
    until(lambda: landed.ids, "no row arrives")
    pids = Path(f"/proc/{running.process.pid}/task/{running.process.pid}/children").read_text()
    assert len(pids.split()) == 3  # tap, target and the guard
    for pid in pids.split():
        said = [Path(f"/proc/{pid}/{what}").read_bytes() for what in ("cmdline", "environ")]
        _expect_hidden(tmp_path / "none", *said)
    files = list((tmp_path / "tmp").rglob("*config*"))
    assert any(SECRET in json.loads(file.read_text()).values() for file in files)
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
    running.send(signal.SIGKILL)
    until(lambda: not list((tmp_path / "tmp").glob("kozmo-run-*")), "the folder stays")
    _expect_hidden(tmp_path / "tmp", running.err)
    _expect_hidden(home)


def test_what_passes_to_a_child(monkeypatch: pytest.MonkeyPatch) -> None:
    """What every program needs, what is its own, what its vendor's library reads, what is asked."""
    for name in (
        "TAP_S3_KEY",
        "AWS_REGION",
        "PGHOST",
        "TARGET_X_A",
        "https_proxy",
        "LC_ALL",
        "A_B",
    ):
        monkeypatch.setenv(name, "x")

    def sees(name: str) -> set[str]:
        kind: Any = name.partition("-")[0]
        return set(child_environment(Plug(name, kind, ("true",), ours=False)))

    assert {"PATH", "https_proxy", "LC_ALL", "TAP_S3_KEY", "AWS_REGION"} <= sees("tap-s3")
    assert not {"PGHOST", "TARGET_X_A", "A_B"} & sees("tap-s3")
    assert {"PGHOST"} <= sees("target-postgres")
    assert not {"AWS_REGION", "TAP_S3_KEY"} & sees("target-postgres")
    monkeypatch.setenv("KOZMO_PASS_ENV", "A_* target-x:AWS_*")
    assert {"A_B", "AWS_REGION", "TARGET_X_A"} <= sees("target-x")
    assert "AWS_REGION" not in sees("tap-y")


@pytest.mark.parametrize("given", ["file", "variables"])
def test_commands_are_run_by_the_runner_for_plug_ins_of_ours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, postgres: Database, given: str
) -> None:
    """In the whole environment; the plug-in has the password in its file, and no command."""
    monkeypatch.setenv("VAULT", postgres.config["password"])
    config = {**postgres.config, "password_command": "printenv VAULT"}
    del config["password"]
    path = tmp_path / "pg.json"
    path.write_text(json.dumps(config))
    if given == "variables":
        for name, value in config.items():
            monkeypatch.setenv(f"TAP_POSTGRES_{name.upper()}", str(value))
    assert "PostgreSQL" in api.check("tap-postgres", str(path) if given == "file" else None)


def test_references_in_a_file_are_for_foreign_plug_ins_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tap: str, target: str, landed: Any
) -> None:
    """And a setting that ends in _command is theirs."""
    monkeypatch.setenv("TOKEN", SECRET)
    path = tmp_path / "tap.json"
    path.write_text(json.dumps({"password": "${TOKEN}", "refuse": True, "x_command": "false"}))
    report = api.run(tap, target, tap_config=str(path), target_config=landed.config)
    assert report.error is not None
    assert report.error.details == ["ConnectionError: login refused for password ****"]


def test_a_password_that_looks_like_a_reference_arrives(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The runner and the plug-in do not both expand it."""
    monkeypatch.setenv("NAME", "${HOME}$${x}")
    path = tmp_path / "tap.json"
    path.write_text(json.dumps({"path": "${NAME}"}))
    with pytest.raises(api.KozmoError, match=r"no SQLite database \$\{HOME\}\$\$\{x\}"):
        api.check("tap-sqlite", [str(path), {"busy_timeout": 1}])


def test_secrets_of_the_environment_do_not_reach_help_and_about(
    tmp_path: Path, mean_environment: None
) -> None:
    """Even these are asked in the small environment."""
    script = tmp_path / "tap_env.py"
    script.write_text(
        "#!/usr/bin/env python3\nimport os, sys\n"
        f"open({str(tmp_path / 'seen')!r}, 'a').write(repr(dict(os.environ)))\n"
    )
    script.chmod(0o755)
    api.about(str(script))
    assert "PATH" in (tmp_path / "seen").read_text()
    assert os.environ["MY_SECRET"] == SECRET
    _expect_hidden(tmp_path, "")
