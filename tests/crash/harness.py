"""Runs that are struck down: what is moved, who is struck how and when, and what must be there."""

from __future__ import annotations

import json
import os
import random
import signal
import sqlite3
import subprocess
import time
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import psycopg
import pyarrow.parquet

from commands import BIN
from servers import postgres, processes
from servers.relays import Unsteady, unsteady

END_SECONDS = 10.0
RUN_SECONDS = 120.0
Rows = Counter[tuple[Any, ...]]

# Three rows share each value that a bookmark may have, and nothing else tells them apart.
_KEYLESS = (
    "CREATE TABLE shop.{name} AS SELECT g / 3 AS seq, 'event ' || g AS name, "
    "(g % 997)::numeric(9,2) AS amount FROM generate_series(1, {rows}) g"
)
_KEYED = (
    "CREATE TABLE shop.{name} AS SELECT g AS id, 'order ' || g AS name, "
    "g::numeric(12,2) AS amount FROM generate_series(1, {rows}) g; "
    "ALTER TABLE shop.{name} ADD PRIMARY KEY (id)"
)
_PLAIN = (
    "CREATE TABLE shop.{name} AS SELECT 'note ' || g AS name, g % 5 AS stars "
    "FROM generate_series(1, {rows}) g"
)


class Table(NamedTuple):
    """A table of the source: seq makes it incremental, id is a key."""

    ddl: str
    columns: str
    rows: int


TABLES = {
    "events": Table(_KEYLESS, "seq, name, amount", 60_000),
    "orders": Table(_KEYED, "id, name, amount", 60_000),
    "notes": Table(_PLAIN, "name, stars", 60_000),
    "clicks": Table(_KEYLESS, "seq, name, amount", 400_000),
    "items": Table(_KEYED, "id, name, amount", 400_000),
}


def fill(source: postgres.Database) -> dict[str, Rows]:
    """Create the tables; return the rows of each, decimals as their digits."""
    source.execute("CREATE SCHEMA shop")
    for name, table in TABLES.items():
        source.execute(table.ddl.format(name=name, rows=table.rows))
    source.execute("ANALYZE")
    rows = {name: rows_of(source, name) for name in TABLES}
    assert {name: found.total() for name, found in rows.items()} == {
        name: table.rows for name, table in TABLES.items()
    }
    return rows


def exists(database: postgres.Database, table: str) -> bool:
    """Tell whether *table* is there."""
    return bool(database.execute("SELECT 1 WHERE to_regclass(%s) IS NOT NULL", [f"shop.{table}"]))


def rows_of(database: postgres.Database, table: str) -> Rows:
    """Return the rows of *table*, none where there is no such table."""
    if not exists(database, table):
        return Counter()
    columns = TABLES[table].columns.replace("amount", "amount::text")
    return Counter(database.execute(f"SELECT {columns} FROM shop.{table}"))


class Destination(ABC):
    """Where a run writes."""

    target: str
    config: dict[str, Any]
    line: Unsteady | None = None

    @abstractmethod
    def rows(self, table: str) -> Rows:
        """Return the rows that are there."""

    def count(self, table: str) -> int:
        """Return how many rows are there."""
        return self.rows(table).total()

    @abstractmethod
    def leftovers(self) -> list[str]:
        """Return what is there beside the tables and the states."""


class InPostgres(Destination):
    """A database of its own."""

    target = "target-postgres"

    def __init__(self, database: postgres.Database, line: Unsteady) -> None:
        self.database, self.line = database, line
        self.config = {**database.config, "port": line.port}

    def rows(self, table: str) -> Rows:
        return rows_of(self.database, table)

    def count(self, table: str) -> int:
        if not self.database.execute(
            "SELECT 1 WHERE to_regclass(%s) IS NOT NULL", [f"shop.{table}"]
        ):
            return 0
        return int(self.database.execute(f"SELECT count(*) FROM shop.{table}")[0][0])

    def leftovers(self) -> list[str]:
        found = self.database.execute(
            "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace IN "
            "(SELECT oid FROM pg_namespace WHERE nspname IN ('shop', 'public'))"
        )
        return sorted({name for (name,) in found} - set(TABLES) - {"_kozmo_state"})


class InSqlite(Destination):
    """A file."""

    target = "target-sqlite"

    def __init__(self, folder: Path) -> None:
        self.path = folder / "copy.db"
        self.config = {"path": str(self.path)}

    def rows(self, table: str) -> Rows:
        if table not in self._tables():
            return Counter()
        columns = TABLES[table].columns.replace("amount", "printf('%.2f', amount)")
        with closing(sqlite3.connect(self.path)) as connection:
            return Counter(connection.execute(f"SELECT {columns} FROM {table}").fetchall())

    def leftovers(self) -> list[str]:
        return sorted(self._tables() - set(TABLES) - {"_kozmo_state"})

    def count(self, table: str) -> int:
        if table not in self._tables():
            return 0
        with closing(sqlite3.connect(self.path)) as connection:
            return int(connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0])

    def _tables(self) -> set[str]:
        if not self.path.exists():
            return set()
        with closing(sqlite3.connect(self.path)) as connection:
            listed = "SELECT name FROM sqlite_master WHERE type = 'table'"
            return {name for (name,) in connection.execute(listed)}


class InFiles(Destination):
    """A folder of JSON Lines."""

    target = "target-jsonl"

    def __init__(self, folder: Path) -> None:
        self.path = folder / "lines"
        self.config = {"path": str(self.path)}

    def rows(self, table: str) -> Rows:
        path = self.path / f"shop-{table}.jsonl"
        if not path.exists():
            return Counter()
        names = TABLES[table].columns.split(", ")
        lines = path.read_text().splitlines()
        found = (json.loads(line, parse_float=str) for line in lines)
        return Counter(tuple(row[name] for name in names) for row in found)

    def leftovers(self) -> list[str]:
        return sorted(
            {path.name for path in self.path.iterdir()} - {f"shop-{t}.jsonl" for t in TABLES}
        )


class InParquet(Destination):
    """A folder of Parquet files, of which there are many."""

    target = "target-parquet"

    def __init__(self, folder: Path) -> None:
        self.path = folder / "lake"
        self.config = {"path": str(self.path), "max_file_rows": 2_000}

    def rows(self, table: str) -> Rows:
        names = TABLES[table].columns.split(", ")
        found: Rows = Counter()
        for path in (self.path / f"shop-{table}").glob("[!.]*"):
            for row in pyarrow.parquet.read_table(path).to_pylist():
                row["amount"] = str(row["amount"]) if "amount" in row else None
                found[tuple(row[name] for name in names)] += 1
        return found

    def leftovers(self) -> list[str]:
        return sorted({path.name for path in self.path.iterdir()} - {f"shop-{t}" for t in TABLES})


@dataclass(frozen=True)
class Scenario:
    """What is moved where. *exact*: nothing may be doubled either."""

    name: str
    tables: tuple[str, ...]
    destination: Callable[[Path, postgres.Server], Any]
    options: tuple[str, ...] = ()
    config: Mapping[str, Any] = field(default_factory=dict)
    exact: bool = True


_names = iter(range(1_000_000))


@contextmanager
def in_postgres(folder: Path, server: postgres.Server) -> Iterator[Destination]:
    """Give a fresh database."""
    with (
        postgres.database(server, f"into_{next(_names)}") as made,
        unsteady(server.port) as line,
    ):
        yield InPostgres(made, line)


@contextmanager
def in_sqlite(folder: Path, server: postgres.Server) -> Iterator[Destination]:
    """Give a fresh file."""
    yield InSqlite(folder)


@contextmanager
def in_files(folder: Path, server: postgres.Server) -> Iterator[Destination]:
    """Give a fresh folder."""
    yield InFiles(folder)


@contextmanager
def in_parquet(folder: Path, server: postgres.Server) -> Iterator[Destination]:
    """Give a fresh folder."""
    yield InParquet(folder)


SMALL = {"batch_size_rows": 5_000}
SCENARIOS = (
    Scenario("append", ("events",), in_postgres, ("--lane", "text"), SMALL),
    Scenario("append-arrow", ("events",), in_postgres, ("--lane", "arrow"), SMALL),
    Scenario("update", ("orders",), in_postgres, config=SMALL),
    Scenario("overwrite", ("notes",), in_postgres, config=SMALL),
    Scenario("all", ("events", "orders", "notes"), in_postgres, config=SMALL),
    Scenario("jobs", ("events", "orders", "notes"), in_postgres, ("--jobs", "2"), SMALL),
    Scenario("sqlite", ("events", "orders"), in_sqlite, config=SMALL),
    Scenario("files", ("events",), in_files, config=SMALL, exact=False),
    Scenario("parquet", ("events", "notes"), in_parquet, config=SMALL, exact=False),
)


@dataclass(frozen=True)
class Fault:
    """Who is struck, by what, and after which share of the time that a run takes."""

    victim: str
    kind: signal.Signals
    share: float

    def __str__(self) -> str:
        return f"{self.victim} {self.kind.name} at {self.share:.2f}"


_VICTIMS = {
    "tap": 4, "target": 4, "runner": 4, "all three": 3, "connections": 3, "server": 2,
    "line cut": 1, "line reset": 1, "line held": 1,
}  # fmt: skip
"""Who is struck, and how often: a plug-in, a side's connection, the line to the target's server."""
_SIGNALS = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT)


def drawn(seed: int) -> tuple[Scenario, Fault]:
    """Return scenario and fault number *seed*; scenarios take turns, so that none is left out."""
    dice = random.Random(seed)
    victim = dice.choices(list(_VICTIMS), list(_VICTIMS.values()))[0]
    kind = dice.choices(_SIGNALS, (5, 3, 2))[0]
    return SCENARIOS[seed % len(SCENARIOS)], Fault(victim, kind, dice.uniform(0.15, 1.0))


class Trial:
    """One scenario in a place of its own, run as often as it takes."""

    def __init__(
        self, scenario: Scenario, source: postgres.Database, into: Destination, folder: Path
    ) -> None:
        self.scenario, self.source, self.into, self.folder = scenario, source, into, folder
        self.said: list[str] = []
        config = {**source.config, "filter_schemas": ["shop"], "replication_key": "seq"}
        tap = self._file("tap.json", config)
        target = self._file("target.json", {**into.config, **scenario.config})
        names = [part for table in scenario.tables for part in ("--streams", f"shop-{table}")]
        self.command = [
            str(BIN / "kozmo"), "run", "tap-postgres", into.target, "--tap-config", tap,
            "--target-config", target, *names, *scenario.options,
            "--report", str(folder / "report.json"),
        ]  # fmt: skip
        self.env = {
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "KOZMO_HOME": str(folder / "home"),
            "TMPDIR": str(folder / "tmp"),
        }
        (folder / "tmp").mkdir(exist_ok=True)

    def run(self, *options: str) -> int:
        """Run to the end; return the exit code."""
        with self._started(*options) as process:
            return process.wait(RUN_SECONDS)

    def run_struck(self, fault: Fault, usual: float) -> int:
        """Run, struck by *fault*, where a run takes *usual* seconds; return the exit code."""
        with self._started() as process:
            with suppress(subprocess.TimeoutExpired):
                process.wait(fault.share * usual)
            self._strike(fault, process)
            return process.wait(RUN_SECONDS)

    def run_until(self, true: Callable[[], bool], fault: Fault) -> int:
        """Run, struck by *fault* once *true* says so; return the exit code."""
        with self._started() as process:
            while not true() and process.poll() is None:
                time.sleep(0.002)
            if self.into.line is not None:
                # Nobody may come to an end before the strike.
                self.into.line.hold(0.5)
            self._strike(fault, process)
            return process.wait(RUN_SECONDS)

    def kozmo(self, *arguments: str) -> None:
        """Run another command of the runner."""
        subprocess.run([BIN / "kozmo", *arguments], env=self.env, check=True, capture_output=True)

    def loaded(self) -> float:
        """Return the share of the rows that are there."""
        tables = self.scenario.tables
        return sum(map(self.into.count, tables)) / sum(TABLES[name].rows for name in tables)

    @contextmanager
    def _started(self, *options: str) -> Iterator[subprocess.Popen[bytes]]:
        out = self.folder / "said.txt"
        with out.open("wb") as file:
            process = subprocess.Popen(
                [*self.command, *options], stdin=subprocess.DEVNULL, stdout=file, stderr=file,
                env=self.env, start_new_session=True,
            )  # fmt: skip
            try:
                yield process
            except BaseException:
                os.killpg(process.pid, signal.SIGKILL)
                raise
            finally:
                process.wait()
                text = out.read_text(errors="replace")
                self.said.append(f"exit code {process.returncode}\n{text}")

    def obligations(self) -> list[tuple[str, int]]:
        """Return what the newest state promises: tables, and up to which value of their key."""
        command = [BIN / "kozmo", "state", "get", f"tap-postgres-to-{self.into.target}"]
        done = subprocess.run(command, capture_output=True, env=self.env, check=False)
        found = json.loads(done.stdout).get("bookmarks", {}) if done.returncode == 0 else {}
        promised = []
        for stream, mark in found.items():
            table = stream.removeprefix("shop-")
            if "replication_key_value" in mark:
                promised.append((table, mark["replication_key_value"] - 1))
            if (mark.get("full_table") or {}).get("last"):
                promised.append((table, mark["full_table"]["last"][0]))
        return promised

    def report(self) -> Any:
        """Return the report of the last run."""
        return json.loads((self.folder / "report.json").read_text())

    def _file(self, name: str, content: Any) -> str:
        path = self.folder / name
        path.write_text(json.dumps(content))
        return str(path)

    def _strike(self, fault: Fault, process: subprocess.Popen[bytes]) -> None:
        if process.poll() is not None:
            return
        if fault.victim.startswith(("connections", "server")):
            self._cut(fault.victim.partition(" ")[2] or "t%", fault.victim == "server")
            return
        if fault.victim.startswith("line"):
            self._disturb(fault.victim)
            return
        children = processes.plugins(process.pid)
        victims = {
            "runner": [process.pid],
            "all three": [process.pid, *children],
        }.get(fault.victim, [p for p, name in children.items() if name.startswith(fault.victim)])
        for pid in victims:
            with suppress(ProcessLookupError):
                os.kill(pid, fault.kind)
        if victims:
            self._expect_end([*children], process)

    def _expect_end(self, children: list[int], process: subprocess.Popen[bytes]) -> None:
        """Whoever of them is struck, all of them are gone soon."""
        with suppress(subprocess.TimeoutExpired):
            process.wait(END_SECONDS)
        deadline = time.monotonic() + END_SECONDS
        while any(not processes.is_gone(pid) for pid in children) or process.poll() is None:
            assert time.monotonic() < deadline, "a process did not end"
            time.sleep(0.01)

    def _disturb(self, how: str) -> None:
        line = self.into.line
        if line is not None and how == "line held":
            line.hold(1.0)
        elif line is not None:
            line.cut(reset=how == "line reset")

    def _cut(self, application: str, crash: bool) -> None:
        """End the connections of plug-ins, or one of them so that the server starts anew."""
        query = "SELECT pid FROM pg_stat_activity WHERE application_name LIKE %s"
        with self.source.server.connect() as connection:
            for (pid,) in connection.execute(query, [f"{application}-postgres"]).fetchall():
                if crash:
                    os.kill(pid, signal.SIGKILL)
                    break
                connection.execute("SELECT pg_terminate_backend(%s)", [pid])
        if crash:
            await_server(self.source.server)


class World:
    """A server that may be struck down, a source in it, and how long scenarios usually take."""

    def __init__(self, server: postgres.Server, source: postgres.Database) -> None:
        self.server, self.source = server, source
        self.rows = fill(source)
        self._usual: dict[str, float] = {}

    @contextmanager
    def trial(self, scenario: Scenario, folder: Path) -> Iterator[Trial]:
        """Give *scenario* a fresh destination."""
        with scenario.destination(folder, self.server) as into:
            yield Trial(scenario, self.source, into, folder)

    @contextmanager
    def another_source(self) -> Iterator[postgres.Database]:
        """Give another database with the same tables."""
        with postgres.database(self.server, f"source_{next(_names)}") as other:
            fill(other)
            yield other

    def usual(self, scenario: Scenario, folder: Path) -> float:
        """Return the seconds of a run that nobody disturbs."""
        if scenario.name not in self._usual:
            folder.mkdir()
            with self.trial(scenario, folder) as trial:
                start = time.monotonic()
                assert trial.run() == 0, trial.said
                self._usual[scenario.name] = time.monotonic() - start
                self.expect(trial)
                # Else there would be no promise to look at after a fault either.
                assert "events" not in scenario.tables or trial.obligations()
        return self._usual[scenario.name]

    def expect_promises(self, trial: Trial) -> None:
        """Every row that a told state covers is there, before any rerun."""
        for table, limit in trial.obligations():
            rows = self.rows[table].items()
            covered = Counter({row: count for row, count in rows if row[0] <= limit})
            lost = covered - trial.into.rows(table)
            assert not lost, f"state too early: {lost.total()} rows of {table}, {trial.said}"

    def expect(self, trial: Trial) -> None:
        """The destination equals the source, and nothing else is left."""
        said = "\n".join(trial.said)
        for table in trial.scenario.tables:
            there, wanted = trial.into.rows(table), self.rows[table]
            lost, more = wanted - there, there - wanted
            assert not lost, f"{lost.total()} rows of {table} are lost\n{said}"
            if trial.scenario.exact:
                assert not more, f"{more.total()} rows of {table} are too many\n{said}"
            else:
                assert more.keys() <= wanted.keys()
        assert trial.into.leftovers() == []
        assert list((trial.folder / "tmp").glob("kozmo-run-*")) == []


def await_server(server: postgres.Server) -> None:
    """Wait until the server, which is starting anew, takes connections."""
    deadline = time.monotonic() + postgres.START_SECONDS
    while not _takes_connections(server):
        assert time.monotonic() < deadline, "the server did not come back"
        time.sleep(0.02)


def _takes_connections(server: postgres.Server) -> bool:
    try:
        server.connect(connect_timeout=5).close()
    except psycopg.OperationalError:
        return False
    return True
