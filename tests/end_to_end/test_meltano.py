"""A real Meltano 4.4 project made of our meltano.yml: our programs are its plug-ins."""

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from commands import Result, Run
from destinations import DESTINATIONS, Destination, canonical
from project import ROOT
from servers.postgres import Database
from sources import SOURCES, Source

STATE = "dev:tap-sqlite-to-target-postgres"


@dataclass
class Project:
    """A folder with a meltano.yml, and Meltano with nothing of the developer's own around it."""

    folder: Path
    program: Path
    run: Run
    env: dict[str, str]

    def meltano(self, *arguments: str) -> Result:
        """Run Meltano in the project to its good end."""
        done = self.run([self.program, *arguments], env=self.env, cwd=self.folder, timeout=120)
        assert done.code == 0, f"{arguments}\n{done.out.decode()}\n{done.err}"
        return done


@pytest.fixture
def source(tmp_path: Path, postgres: Database) -> Source:
    """The database that is read."""
    return SOURCES["tap-sqlite"](tmp_path, postgres)


@pytest.fixture
def destination(tmp_path: Path, postgres: Database) -> Destination:
    """The database that is written."""
    return DESTINATIONS["target-postgres"](tmp_path, postgres)


@pytest.fixture
def project(
    run: Run,
    tmp_path: Path,
    environment: Callable[[str], Path],
    source: Source,
    destination: Destination,
) -> Project:
    """A project whose plug-ins find their settings in the environment, as secrets should be."""
    folder = tmp_path / "project"
    folder.mkdir()
    shutil.copy(ROOT / "meltano.yml", folder)
    assert "send_anonymous_usage_stats: false" in (folder / "meltano.yml").read_text()
    env = {"TAP_SQLITE_PATH": source.config["path"], "NO_COLOR": "1"}
    env |= {f"TARGET_POSTGRES_{k.upper()}": str(v) for k, v in destination.config.items()}
    return Project(folder, environment("meltano") / "meltano", run, env)


def test_meltano_run_goes_on_where_it_stopped(
    project: Project, source: Source, destination: Destination
) -> None:
    """With Meltano's own state the second run writes nothing, the third what is new."""
    project.meltano("config", "set", "tap-sqlite", "_metadata", json.dumps(METADATA))
    project.meltano("run", "tap-sqlite", "target-postgres")
    expected = canonical(source.rows, source.kinds)
    assert canonical(destination.rows("orders"), source.kinds) == expected
    state = project.meltano("state", "get", STATE).out

    written = versions(destination)
    project.meltano("run", "tap-sqlite", "target-postgres")
    assert versions(destination) == written
    assert project.meltano("state", "get", STATE).out == state
    bookmark = json.loads(state)["singer_state"]["bookmarks"]["orders"]
    assert bookmark["replication_key"] == "changed"

    source.insert([source.row(1000)])
    project.meltano("run", "tap-sqlite", "target-postgres")
    expected = canonical(source.rows, source.kinds)
    assert canonical(destination.rows("orders"), source.kinds) == expected
    assert written < versions(destination)


def test_what_meltano_selects_is_what_is_read(
    project: Project, source: Source, destination: Destination
) -> None:
    """Columns left out by `meltano select` do not reach the target; keys always do."""
    project.meltano("select", "tap-sqlite", "orders", "customer")
    listed = project.meltano("select", "tap-sqlite", "--list", "--all", "--json").out
    assert b"customer" in listed
    project.meltano("run", "tap-sqlite", "target-postgres")
    kinds = {name: source.kinds[name] for name in ("id", "customer")}
    assert canonical(destination.rows("orders"), kinds) == canonical(
        [{name: row[name] for name in kinds} for row in source.rows], kinds
    )


def test_meltano_asks_our_programs(project: Project) -> None:
    """Discovery, and the test of a configuration, by Meltano's own commands."""
    found = project.meltano("invoke", "tap-sqlite", "--discover")
    (stream,) = json.loads(found.out)["streams"]
    assert stream["tap_stream_id"] == "orders"
    tested = project.meltano("config", "test", "tap-sqlite")
    assert "valid" in tested.out.decode() + tested.err


def test_meltano_runs_the_mapper(
    project: Project, source: Source, destination: Destination
) -> None:
    """By the name of its mapping; what it learned is in a file of the project for the next run."""
    project.meltano("config", "set", "tap-sqlite", "_metadata", json.dumps(METADATA))
    source.insert([{**source.row(2000 + n), "customer": f"  Zoë {n} "} for n in range(20)])
    project.meltano("run", "tap-sqlite", "clean", "target-postgres")
    assert len(destination.rows("orders")) == len(source.rows)
    assert named(destination, 2003) == "Zoë 3"
    learned = (project.folder / "map-kozmo-clean.json").read_bytes()
    assert json.loads(learned)["orders"]["rules"]

    source.insert([{**source.row(3000), "customer": "  Zoë  "}])
    project.meltano("run", "tap-sqlite", "clean", "target-postgres")
    assert named(destination, 3000) == "Zoë"
    assert (project.folder / "map-kozmo-clean.json").read_bytes() == learned


def named(destination: Destination, order: int) -> str:
    """Return the customer of an order that was written."""
    query = f"SELECT customer FROM copied.orders WHERE id = {order}"
    (name,) = destination.database.execute(query)[0]
    return str(name)


METADATA = {"orders": {"replication-method": "INCREMENTAL", "replication-key": "changed"}}


def versions(destination: Destination) -> set[tuple[int, str]]:
    """Return each row's key and the transaction that wrote it."""
    found = destination.database.execute("SELECT id, xmin::text FROM copied.orders")
    return set(found)
