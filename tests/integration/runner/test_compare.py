"""Comparing a target with the source: equal is equal in every type, and every fault is found."""

from __future__ import annotations

import json
import signal
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

import sources
from destinations import Destination, Kozmo, Lines, Postgres, Sqlite
from kozmo_runner import api
from kozmo_runner.abilities import OURS
from kozmo_runner.configs import give
from kozmo_runner.plugins import find
from kozmo_runner.process import Cancel
from kozmo_runner.summing import read_sums
from kozmo_runner.tapping import tap_command
from kozmo_runner.workspace import Workspace
from kozmo_singer.errors import ConfigError
from kozmo_singer.wire.types import columns
from postgres_kinds import CASES, make_tables
from servers.postgres import Database

TABLES = {f"public-k{i}": type for i, (type, _, _) in enumerate(CASES)}


def _verdicts(source: Any, place: Destination, *streams: str) -> dict[str, str]:
    found = api.compare(
        source.tap, place.target, streams=streams,
        tap_config=source.config, target_config=place.config,
    )  # fmt: skip
    return {each.name: each.verdict for each in found}


class Tables:
    """A tap of the database's public tables."""

    tap = "tap-postgres"

    def __init__(self, database: Database) -> None:
        self.config = {**database.config, "filter_schemas": ["public"]}


def _load(source: Any, place: Destination, **options: Any) -> api.Report:
    """Load, and verify."""
    return api.run(
        source.tap, place.target, tap_config=source.config, target_config=place.config,
        verify=True, **options,
    )  # fmt: skip


@pytest.mark.parametrize("place", [Postgres, Sqlite, Lines])
def test_every_type_is_equal_where_it_arrived(
    postgres: Database, tmp_path: Path, place: type[Destination]
) -> None:
    """And a single value that changes then, of any type, is found."""
    make_tables(postgres)
    source, there = Tables(postgres), place(tmp_path, postgres)
    report = _load(source, there)
    assert report.error is None, report.error
    assert report.verified is not None
    assert {each.name: each.verdict for each in report.verified} == dict.fromkeys(TABLES, "equal")
    assert {(each.source_rows, each.target_rows) for each in report.verified} == {(3, 3)}
    for table in TABLES:
        postgres.execute(f"UPDATE {table.partition('-')[2]} SET c = NULL WHERE id = 3")
    unseen = {name for name, verdict in _verdicts(source, there).items() if verdict == "equal"}
    # JSON's null is no other value than NULL.
    assert unseen == {name for name, (_, _, v) in zip(TABLES, CASES, strict=True) if v is None}


@pytest.mark.parametrize("place", [Postgres, Sqlite, Lines])
def test_hard_values_are_equal(
    postgres: Database, tmp_path: Path, place: type[Destination]
) -> None:
    """Values at their limits, and names of columns that need their quotes."""
    for statement in sources.HARD.split(";\n")[:-1]:
        postgres.execute(statement)
    report = _load(Tables(postgres), place(tmp_path, postgres))
    assert report.error is None, report.error


@pytest.mark.parametrize("place", [Postgres, Sqlite, Lines, Kozmo])
@pytest.mark.parametrize("kind", [sources.Postgres, sources.Sqlite])
def test_a_load_is_equal_whatever_the_systems(
    postgres: Database, tmp_path: Path, kind: type[sources.Source], place: type[Destination]
) -> None:
    """After a first run and after one that only adds; then each kind of fault is found."""
    source, there = kind(tmp_path, postgres), place(tmp_path, postgres)
    for number in (1, 2):
        report = _load(source, there)
        assert report.error is None, report.error
        assert report.verified is not None
        count = len(source.rows)
        assert [(e.verdict, e.source_rows) for e in report.verified] == [("equal", count)]
        if number == 1:
            source.insert([source.row(n) for n in range(1001, 1011)])
    for change, verdict in (
        ("UPDATE orders SET pieces = pieces + 1 WHERE id = 6", "values differ"),
        ("UPDATE orders SET pieces = pieces - 1 WHERE id = 6", "equal"),
        ("DELETE FROM orders WHERE id = 7", "rows differ"),
    ):
        source.execute(change)
        assert _verdicts(source, there) == {source.stream: verdict}, change


def test_a_row_that_came_twice_fails_the_run(postgres: Database, tmp_path: Path) -> None:
    """Its state is kept; the error says which stream and how many rows."""
    source, there = sources.Sqlite(tmp_path, postgres), Sqlite(tmp_path, postgres)
    there.config["load_method"] = "append-only"
    assert _load(source, there).error is None
    with closing(sqlite3.connect(there.config["path"])) as connection, connection:
        connection.execute("INSERT INTO orders SELECT * FROM orders WHERE id = 3")
    source.insert([source.row(9999)])
    report = _load(source, there)
    assert (report.status, report.exit_code) == ("failed", 1)
    assert report.error is not None
    assert report.error.message == (
        "the target does not hold what the source has: 1 of 1 streams differ"
    )
    assert report.error.details == ["orders: 251 rows in the source, 252 in the target"]
    assert report.state_after != report.state_before


def test_several_jobs_are_verified_once(postgres: Database, tmp_path: Path) -> None:
    """At the end of the whole, whatever the lane."""
    source, there = sources.Postgres(tmp_path, postgres), Postgres(tmp_path, postgres)
    source.execute("CREATE TABLE more AS SELECT n AS id FROM generate_series(1, 60000) n")
    report = _load(source, there, jobs=2, lane="arrow")
    assert report.error is None, report.error
    assert len(report.shards) == 2
    assert [each.words for each in report.verified or ()] == [
        "public-more: equal in 60,000 rows", "public-orders: equal in 250 rows",
    ]  # fmt: skip


def test_a_comparison_is_interrupted_in_order(
    background: Any, postgres: Database, tmp_path: Path, until: Any, tap: str
) -> None:
    """The exit code is that of an interruption, and no process is left."""
    place = Sqlite(tmp_path, postgres)
    with closing(sqlite3.connect(place.config["path"])) as connection:
        connection.execute("CREATE TABLE numbers (id INTEGER PRIMARY KEY)")
    running = background(
        "compare", tap, "target-sqlite", "--tap-config", "rows=1000", "--tap-config", "pause:=0.05",
        "--target-config", f"path={place.config['path']}",
    )  # fmt: skip
    until(lambda: "tap" in running.children(), "the tap does not start")
    running.send(signal.SIGINT)
    assert running.end()[0] == 130


def test_what_is_not_there_is_told(postgres: Database, tmp_path: Path) -> None:
    """A table that was never loaded, and a column that was left out."""
    source, there = sources.Postgres(tmp_path, postgres), Postgres(tmp_path, postgres)
    assert _verdicts(source, there) == {"public-orders": "not there"}
    assert _load(source, there, streams=["public-orders", "!public-orders.paid"]).error is None
    [found] = api.compare(
        source.tap, there.target, tap_config=source.config, target_config=there.config
    )
    assert (found.verdict, found.missing) == ("columns missing", ["paid"])
    assert _verdicts(source, there, "public-orders", "!public-orders.paid") == {
        "public-orders": "equal"
    }


def test_rows_that_the_target_marked_as_deleted_do_not_count(
    postgres: Database, tmp_path: Path
) -> None:
    """Nor do its own columns."""
    source, there = sources.Postgres(tmp_path, postgres), Postgres(tmp_path, postgres)
    source.config = {
        **source.config, "replication_method": "FULL_TABLE", "emit_activate_version_messages": True,
    }  # fmt: skip
    there.config |= {"add_record_metadata": True, "load_method": "upsert"}
    assert _load(source, there).error is None
    source.execute("DELETE FROM orders WHERE id > 240")
    assert _verdicts(source, there) == {"public-orders": "rows differ"}
    report = _load(source, there)
    assert report.error is None, report.error
    assert len(there.rows("orders")) == sources.COUNT


def test_a_start_date_holds_for_both_ways_to_add_up(postgres: Database, tmp_path: Path) -> None:
    """What a first run would not read is not looked for."""
    source = sources.Postgres(tmp_path, postgres)
    source.config["start_date"] = "2024-01-01T00:00:00Z"
    for place in (Postgres(tmp_path, postgres), Lines(tmp_path, postgres)):
        report = _load(source, place)
        assert report.error is None, report.error
        assert report.verified is not None
        assert 0 < (report.verified[0].source_rows or 0) < sources.COUNT


def test_names_that_the_target_changed_are_found(postgres: Database, tmp_path: Path) -> None:
    """Those that were too long, and another case in a table that was there."""
    postgres.execute('CREATE TABLE "A b" (id integer PRIMARY KEY, "C %s" text)')
    postgres.execute("INSERT INTO \"A b\" VALUES (1, 'x'), (2, NULL)")
    source, place = Tables(postgres), Postgres(tmp_path, postgres)
    place.config["table_name"] = "{table} " + "y" * 80
    assert _load(source, place).error is None
    file = Sqlite(tmp_path, postgres)
    with closing(sqlite3.connect(file.config["path"])) as connection:
        connection.execute('CREATE TABLE "a B" ("ID" INTEGER PRIMARY KEY, "c %S" TEXT)')
    assert _load(source, file).error is None


def test_the_database_adds_up_what_reading_does(
    postgres: Database, tmp_path: Path, run: Any
) -> None:
    """Digit by digit where it says that its sum is of texts; JSON it spells in its own way."""
    make_tables(postgres)
    sources.Postgres(tmp_path, postgres).execute("ALTER TABLE orders DROP COLUMN extra")
    config = tmp_path / "config.json"
    config.write_text(json.dumps(Tables(postgres).config))
    digests = json.loads(run(["tap-postgres", "--config", config, "--digest"]).out)
    sums, schemas = _read("tap-postgres", str(config))
    assert digests.keys() == sums.keys() == {*TABLES, "public-orders"}
    assert {name: d["rows"] for name, d in digests.items()} == {n: s.rows for n, s in sums.items()}
    json_ones = {
        n for n, s in schemas.items() if any(c.type.name == "json" for c in columns(s))
    }  # fmt: skip
    assert {name for name, d in digests.items() if d["form"] != "text"} == json_ones
    texts = {name: d["hash"] for name, d in digests.items() if name not in json_ones}
    assert texts == {name: sums[name].hash for name in texts}
    assert len(texts) > 50


def _read(tap: str, config: str) -> Any:
    plug, cancel = find(tap), Cancel()
    with Workspace() as workspace:
        given = give(plug, config, OURS, workspace)
        catalog = api.discover(tap, config)
        argv = tap_command(plug, given, OURS, workspace, catalog, None)
        return read_sums(plug, argv, given, None, workspace, cancel)


def test_a_tap_of_another_house_is_read(
    tmp_path: Path, postgres: Database, tap: str, bare_tap: str
) -> None:
    """Whether it has a discovery or not; and so is one whose maps change what it reads."""
    for index, (name, config) in enumerate([(tap, {"rows": 25}), (bare_tap, {"rows": 25})]):
        place = Sqlite(tmp_path, postgres)
        place.config["path"] += str(index)
        report = api.run(
            name, "target-sqlite", tap_config=config, target_config=place.config, verify=True
        )
        assert report.error is None, report.error
        assert report.verified is not None
        assert [each.verdict for each in report.verified] == ["equal"]
    source, place = sources.Sqlite(tmp_path, postgres), Postgres(tmp_path, postgres)
    source.config["stream_maps"] = {"orders": {"twice": "int(id * 2)", "__alias__": "mapped"}}
    report = _load(source, place)
    assert report.error is None, report.error
    assert report.verified is not None
    assert [(each.name, each.verdict) for each in report.verified] == [("mapped", "equal")]


def test_what_cannot_be_read_back_is_refused_before_anything_runs(
    tmp_path: Path, postgres: Database, tap: str, target: str, landed: Any
) -> None:
    """A foreign target, a flow, and streams that the target maps."""
    refused: list[tuple[str, dict[str, Any], str]] = [
        (target, landed.config, "neither read-back"),
        ("target-sqlite", {"path": "x.db", "stream_maps": {"a": {"b": "c"}}}, "stream_maps"),
    ]
    for name, config, words in refused:
        with pytest.raises(ConfigError, match=words):
            api.run(tap, name, tap_config={}, target_config=config, verify=True)
    assert landed.ids == []


def test_batches_are_not_compared(tmp_path: Path, postgres: Database) -> None:
    """Where they are seen, and with the remedy."""
    source, place = sources.Sqlite(tmp_path, postgres), Sqlite(tmp_path, postgres)
    assert _load(source, place).error is None
    storage = {"root": f"file://{tmp_path}/batches", "prefix": "x"}
    source.config["batch_config"] = {"encoding": {"format": "jsonl"}, "storage": storage}
    with pytest.raises(ConfigError, match="leave batch_config out"):
        _verdicts(source, place)


def test_the_command_prints_a_table_or_json(tmp_path: Path, postgres: Database, run: Any) -> None:
    """And its exit code tells whether all is equal; a file of pipelines is taken as well."""
    source, place = sources.Sqlite(tmp_path, postgres), Sqlite(tmp_path, postgres)
    configs = [
        "--tap-config",
        f"path={source.path}",
        "--target-config",
        f"path={place.config['path']}",
    ]
    ends = ["tap-sqlite", "target-sqlite"]
    done = run(["kozmo", "run", *ends, *configs, "--verify"])
    assert (done.code, "verified: 1 of 1 streams are equal" in done.out.decode()) == (0, True)
    done = run(["kozmo", "compare", *ends, "orders", *configs])
    assert (done.code, done.err) == (0, "")
    assert done.out.decode().split() == [
        "stream", "source", "target", "verdict", *["------"] * 3, "-------",
        "orders", "250", "250", "equal",
    ]  # fmt: skip
    source.execute("DELETE FROM orders WHERE id = 1")
    file = tmp_path / "pipelines.yml"
    file.write_text(
        json.dumps(
            {
                "pipelines": {
                    "shop": {
                        "tap": "tap-sqlite", "tap_config": {"path": str(source.path)},
                        "target": "target-sqlite", "target_config": place.config, "verify": True,
                    }
                }
            }
        )
    )  # fmt: skip
    done = run(["kozmo", "compare", file, "shop", "--format", "json"])
    expected = {
        "name": "orders", "verdict": "rows differ", "source_rows": 249, "target_rows": 250,
        "missing": [],
    }  # fmt: skip
    assert (done.code, json.loads(done.out)) == (1, [expected])
    done = run(["kozmo", "run", file])
    assert done.code == 1
    assert "Error: the target does not hold what the source has: 1 of 1 streams differ" in done.err
    assert "orders: 249 rows in the source, 250 in the target" in done.err
    assert run(["kozmo", "compare", "tap-sqlite"]).code == 2
