"""map-kozmo-clean as a stage of a run: in both lanes, struck down, in several jobs."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
from collections.abc import Callable
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import pytest

from kozmo_runner import api
from postgres_kinds import CASES
from project import ROOT
from servers.postgres import Database

ROWS = 60_000
CLEAN = "map-kozmo-clean"


def copied(database: Database, lane: str, mapper: Any, **options: Any) -> api.Report:
    """Copy all tables through the mapper into the schema *lane*."""
    report = api.run(
        "tap-postgres", "target-postgres", lane=lane, mappers=[(CLEAN, mapper)],
        tap_config={**database.config, "filter_schemas": ["public"]},
        target_config={**database.config, "default_target_schema": lane},
        state_suffix=lane, **options,
    )  # fmt: skip
    report.raise_for_failure()
    assert report.lane == lane
    return report


def differing(database: Database, one: str, other: str, columns: str = "*") -> list[Any]:
    """Rows of either table that the other lacks."""
    query = f"SELECT {columns} FROM {{}} t EXCEPT ALL SELECT {columns} FROM {{}} t LIMIT 5"
    return database.execute(query.format(one, other)) + database.execute(query.format(other, one))


@pytest.mark.parametrize("lane", ["text", "arrow"])
def test_values_of_every_type_pass_rules_that_are_not_for_them(kinds: Database, lane: str) -> None:
    """As if there were no mapper."""
    copied(kinds, lane, {"rules": [{"action": "drop_nulls", "how": "all"}]})
    api.run(
        "tap-postgres", "target-postgres", state_suffix="without",
        tap_config={**kinds.config, "filter_schemas": ["public"]},
        target_config={**kinds.config, "default_target_schema": "without"},
    ).raise_for_failure()  # fmt: skip
    for number, case in enumerate(CASES):
        found = kinds.execute(f"SELECT t::text FROM {lane}.k{number} t ORDER BY 1")
        expected = kinds.execute(f"SELECT t::text FROM without.k{number} t ORDER BY 1")
        assert found == expected, case


@pytest.fixture
def dirty(postgres: Database) -> Database:
    """A table of many rows with white space around words, and amounts that are text."""
    postgres.execute(
        "CREATE TABLE dirty AS SELECT i AS id, CASE WHEN i % 7 = 0 THEN NULL WHEN i % 3 = 0 THEN "
        "'  word ' || i ELSE 'word ' || i END AS word, (i / 8.0)::numeric(12,3) AS price, "
        "(i % 1000) || ',' || lpad((i % 100)::text, 2, '0') || ' EUR' AS amount, "
        "timestamptz '2024-01-01' + i * interval '1.5 seconds' AS at, md5(i::text)::uuid AS mark, "
        f"jsonb_build_object('n', i) AS doc FROM generate_series(1, {ROWS}) i"
    )
    postgres.execute("ALTER TABLE dirty ADD PRIMARY KEY (id)")
    return postgres


RULES = [
    {"action": "trim_whitespace", "columns": ["word"]},
    {"action": "parse_number", "columns": ["amount"], "decimal": ",", "strip": ["EUR"]},
    {"action": "rename_columns", "mapping": {"id": "key"}},
    {"action": "drop_columns", "columns": ["mark"]},
]


def test_both_lanes_come_to_the_same(dirty: Database) -> None:
    """New types, names and values; what no rule is for is as it was."""
    for lane in ("text", "arrow"):
        copied(dirty, lane, {"rules": RULES})
    assert differing(dirty, "text.dirty", "arrow.dirty", "t::text") == []
    (found,) = dirty.execute(
        "SELECT count(*), count(DISTINCT key), count(*) FILTER (WHERE word ~ '^ '), "
        "pg_typeof(max(amount))::text, count(*) FILTER (WHERE amount IS NULL) FROM arrow.dirty"
    )
    assert found == (ROWS, ROWS, 0, "double precision", 0)
    unchanged = "key, price, at, doc::text"
    assert differing(
        dirty, "(SELECT id AS key, price, at, doc FROM public.dirty)", "arrow.dirty", unchanged
    ) == []  # fmt: skip


@pytest.mark.parametrize("lane", ["text", "arrow"])
def test_what_was_learned_holds_in_later_runs(dirty: Database, lane: str) -> None:
    """The state that the runner keeps hands it to the mapper, whatever the new rows are like."""
    tap = {"replication_key": "id"}
    first = api_run(dirty, lane, tap)
    rules = first.state_after["bookmarks"]["public-dirty"]["kozmo_clean"]["rules"]  # type: ignore[index]
    assert {"action": "trim_whitespace", "columns": ["word"]} in rules
    dirty.execute(
        f"INSERT INTO dirty SELECT {ROWS} + i, CASE i WHEN 20000 THEN '  last' ELSE 'x' END, 1, "
        "'1,50 EUR', now(), md5(i::text)::uuid, '{}' FROM generate_series(1, 20000) i"
    )
    second = api_run(dirty, lane, tap)
    assert second.rows_read == 20_000
    assert second.state_after["bookmarks"]["public-dirty"]["kozmo_clean"]["rules"] == rules  # type: ignore[index]
    assert dirty.execute("SELECT count(*) FROM copy.dirty WHERE word ~ '^ '") == [(0,)]


def api_run(database: Database, lane: str, tap: Any) -> api.Report:
    """Copy what is new, rules learned."""
    report = api.run(
        "tap-postgres", "target-postgres", lane=lane, mappers=[(CLEAN, {"auto": True})],
        tap_config={**database.config, "filter_schemas": ["public"], **tap},
        target_config={**database.config, "default_target_schema": "copy"},
    )  # fmt: skip
    report.raise_for_failure()
    return report


def test_each_job_learns_of_its_own_streams(postgres: Database) -> None:
    """And one state holds it all."""
    for name in "abcd":
        postgres.execute(
            f"CREATE TABLE {name} AS SELECT i AS id, ' {name}' || i AS word "
            "FROM generate_series(1, 500) i"
        )
    report = api.run(
        "tap-postgres", "target-postgres", jobs=2, mappers=[(CLEAN, {"auto": True})],
        tap_config={**postgres.config, "filter_schemas": ["public"]},
        target_config={**postgres.config, "default_target_schema": "copy"},
    )  # fmt: skip
    report.raise_for_failure()
    assert report.state_after is not None
    marks = report.state_after["bookmarks"]
    assert all(marks[f"public-{name}"]["kozmo_clean"]["rules"] for name in "abcd")
    for name in "abcd":
        (count,) = postgres.execute(
            f"SELECT count(*), count(*) FILTER (WHERE word ~ '^ ') FROM copy.{name}"
        )
        assert count == (500, 0)


class Events:
    """A table without a key, and a copy of it to which rows are added."""

    rows = 40_000

    def __init__(self, folder: Path) -> None:
        self.source, self.copy = folder / "events.db", folder / "copy.db"
        with closing(sqlite3.connect(self.source)) as connection:
            connection.execute("CREATE TABLE events (seq INTEGER, name TEXT)")
            connection.execute(
                "WITH RECURSIVE n(g) AS (SELECT 1 UNION ALL SELECT g + 1 FROM n WHERE g < ?) "
                "INSERT INTO events SELECT g, ' x' || g FROM n",
                [self.rows],
            )
            connection.commit()

    @property
    def ids(self) -> list[int]:
        """What was copied, sorted."""
        if not self.copy.exists():
            return []
        with closing(sqlite3.connect(self.copy)) as connection:
            try:
                found = connection.execute("SELECT seq, name FROM events ORDER BY seq").fetchall()
            except sqlite3.OperationalError:
                return []
        assert [name for _, name in found] == [f"x{seq}" for seq, _ in found]
        return [seq for seq, _ in found]


def test_a_mapper_that_is_killed_loses_and_doubles_nothing(
    tmp_path: Path, background: Callable[..., Any], until: Callable[..., Any]
) -> None:
    """The next run goes on behind what the target committed."""
    events = Events(tmp_path)
    config = tmp_path / "clean.json"
    config.write_text(json.dumps({"auto": True, "learn": 1000, "batch_size_rows": 500}))
    command = [
        "run", "tap-sqlite", CLEAN, "target-sqlite", "--lane", "text",
        "--tap-config", f"path={events.source}", "--tap-config", "replication_key=seq",
        "--mapper-config", str(config),
        "--target-config", f"path={events.copy}", "--target-config", "batch_size_rows=500",
    ]  # fmt: skip
    running = background(*command)
    with ExitStack() as stack:
        stack.callback(running.end)
        until(lambda: events.ids, "no rows arrived")
        os.kill(running.children()["map"], signal.SIGKILL)
    assert running.process.returncode == 1
    assert "map-kozmo-clean failed (killed by SIGKILL" in running.err
    assert events.ids == list(range(1, len(events.ids) + 1))
    again = background(*command)
    assert again.end()[0] == 0
    assert events.ids == list(range(1, events.rows + 1))


def test_a_mapper_of_the_sdk_stands_beside_ours(tmp_path: Path) -> None:
    """It gets its settings and no --state, and the learned rules pass it in the state."""
    events = Events(tmp_path)
    report = api.run(
        "tap-sqlite", "target-jsonl",
        tap_config={"path": str(events.source), "replication_key": "seq"},
        target_config={"path": str(tmp_path / "out")},
        mappers=[
            (CLEAN, {"auto": True}),
            (str(ROOT / "tests/fixtures/sdk/map_loud.py"), {"mark": "!"}),
        ],
    )  # fmt: skip
    report.raise_for_failure()
    assert report.mappers[1].name == "map-loud"
    assert report.state_after is not None
    assert report.state_after["bookmarks"]["events"]["kozmo_clean"]["rules"]
    lines = (tmp_path / "out" / "events.jsonl").read_text().splitlines()
    assert [json.loads(line)["name"] for line in lines] == [
        f"X{seq}!" for seq in range(1, events.rows + 1)
    ]


def test_a_wrong_rule_ends_the_run_as_a_configuration(tmp_path: Path) -> None:
    """Exit code 2, in the mapper's own words."""
    events = Events(tmp_path)
    report = api.run(
        "tap-sqlite", "target-sqlite", tap_config={"path": str(events.source)},
        target_config={"path": str(events.copy)},
        mappers=[(CLEAN, {"rules": [{"action": "trim_whitspace"}]})],
    )  # fmt: skip
    assert (report.status, report.exit_code) == ("failed", 2)
    assert report.error is not None
    assert (report.error.side, report.error.name) == ("mapper", CLEAN)
    assert "did you mean 'trim_whitespace'?" in "\n".join(report.error.details)
