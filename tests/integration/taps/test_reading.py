"""Whole tables and incremental streams of both databases: where a run stops and goes on."""

from __future__ import annotations

import json
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from conftest import BIN
from servers.postgres import Database

ROWS = 30_000


class Source:
    """A database of one kind: run statements, and point a tap at it."""

    def __init__(self, tap: str, folder: Path, postgres: Database) -> None:
        self.tap, self._postgres = tap, postgres
        self._path = folder / "source.db"
        self.prefix = "public-" if tap == "tap-postgres" else ""
        self.config = postgres.config if self.prefix else {"path": str(self._path)}

    def execute(self, *statements: str) -> None:
        """Run statements that both databases understand."""
        if self.prefix:
            for statement in statements:
                self._postgres.execute(statement)
            return
        with closing(sqlite3.connect(self._path)) as connection, connection:
            for statement in statements:
                connection.execute(statement)

    def number(self, first: int, last: int) -> str:
        """SQL of a table of numbers n."""
        if self.prefix:
            return f"(SELECT n FROM generate_series({first}, {last}) n) AS numbers"
        return (
            f"(WITH RECURSIVE c(n) AS (SELECT {first} UNION ALL SELECT n + 1 FROM c"
            f" WHERE n < {last}) SELECT n FROM c) AS numbers"
        )


@pytest.fixture(params=["tap-postgres", "tap-sqlite"])
def source(request: pytest.FixtureRequest, tmp_path: Path, postgres: Database) -> Source:
    """An empty database of each kind."""
    return Source(request.param, tmp_path, postgres)


def ids(said: Any) -> list[Any]:
    """The ids of the records, in their order."""
    return [record["id"] for record in said.records]


def fill(source: Source, *, versions: bool = False) -> dict[str, Any]:
    """A table t with a composite key and ROWS rows; the configuration that reads it."""
    source.execute(
        "CREATE TABLE t (a integer NOT NULL, id integer NOT NULL, PRIMARY KEY (a, id))",
        f"INSERT INTO t SELECT n % 3, n FROM {source.number(1, ROWS)}",
    )
    return {**source.config, "emit_activate_version_messages": versions}


def interrupted(source: Source, config: dict[str, Any], folder: Path) -> list[dict[str, Any]]:
    """The messages of a tap that is killed as soon as it has said a state."""
    path = folder / "interrupted.json"
    path.write_text(json.dumps(config))
    command = [BIN / source.tap, "--config", str(path)]
    found = []
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        assert process.stdout is not None
        for line in process.stdout:
            found.append(json.loads(line))
            if found[-1]["type"] == "STATE":
                break
        process.kill()
    return found


@pytest.mark.parametrize("versions", [False, True])
def test_an_interrupted_full_table_goes_on_by_its_key(
    source: Source, tap: Any, tmp_path: Path, versions: bool
) -> None:
    """Both runs together read every row once, under one version, and the mark is gone then."""
    config = fill(source, versions=versions)
    first = interrupted(source, config, tmp_path)
    state = first[-1]["value"]
    mark = state["bookmarks"][f"{source.prefix}t"]["full_table"]
    before = [m for m in first if m["type"] == "RECORD"]
    assert mark["key"] == ["a", "id"]
    rest = tap(source.tap, config, state=state)
    assert rest.code == 0, rest.err
    rows = [tuple(m["record"].values()) for m in before] + [tuple(r.values()) for r in rest.records]
    assert rows == sorted((n % 3, n) for n in range(1, ROWS + 1))
    assert not rest.state["bookmarks"].get(f"{source.prefix}t", {}).get("full_table")
    versions_seen = {m.get("version") for m in [*before, *rest.of("RECORD")]}
    assert len(versions_seen) == 1
    assert versions_seen != {None} if versions else versions_seen == {None}
    again = tap(source.tap, config, state=rest.state)
    assert len(again.records) == ROWS


def test_a_version_is_activated_once_the_table_is_whole(
    source: Source, tap: Any, tmp_path: Path
) -> None:
    """Never at the start, and never by a run that was cut short."""
    config = fill(source, versions=True)
    first = interrupted(source, config, tmp_path)
    limited = tap(source.tap, config, "--limit", "5")
    whole = tap(source.tap, config)
    assert not [m for m in first if m["type"] == "ACTIVATE_VERSION"]
    assert not limited.of("ACTIVATE_VERSION")
    [activate] = whole.of("ACTIVATE_VERSION")
    assert {m["version"] for m in whole.of("RECORD")} == {activate["version"]}
    assert whole.messages.index(activate) > whole.messages.index(whole.of("RECORD")[-1])


def test_rows_whose_replication_key_is_null_are_read_once_and_new_ones_later(
    source: Source, tap: Any
) -> None:
    """In an append-only destination no row stands twice, and none is missing."""
    source.execute(
        "CREATE TABLE t (id integer PRIMARY KEY, changed timestamp)",
        "INSERT INTO t VALUES (1, NULL), (2, '2024-01-01 00:00:00'), (3, '2024-01-02 00:00:00')",
    )
    config = {**source.config, "replication_key": "changed"}
    first = tap(source.tap, config)
    assert sorted(ids(first)) == [1, 2, 3]
    assert ids(tap(source.tap, config, state=first.state)) == []
    source.execute(
        "INSERT INTO t VALUES (4, NULL), (5, '2024-01-02 00:00:00'), (6, '2024-01-01 12:00:00')"
    )
    second = tap(source.tap, config, state=first.state)
    assert sorted(ids(second)) == [4, 5]
    assert ids(tap(source.tap, config, state=second.state)) == []


def test_a_row_that_changed_at_the_bookmark_is_read_again(source: Source, tap: Any) -> None:
    """It is told apart by its values, not by its key."""
    source.execute(
        "CREATE TABLE t (id integer PRIMARY KEY, changed timestamp, x integer)",
        "INSERT INTO t VALUES (1, '2024-01-01 00:00:00', 1), (2, '2024-01-01 00:00:00', 1)",
    )
    config = {**source.config, "replication_key": "changed"}
    first = tap(source.tap, config)
    source.execute("UPDATE t SET x = 2 WHERE id = 1")
    assert ids(tap(source.tap, config, state=first.state)) == [1]


def test_a_start_date_leaves_out_what_came_before(source: Source, tap: Any) -> None:
    """Only where there is no bookmark."""
    source.execute(
        "CREATE TABLE t (id integer PRIMARY KEY, changed timestamp NOT NULL)",
        "INSERT INTO t VALUES (1, '2023-12-31 23:59:59'), (2, '2024-01-01 00:00:00')",
    )
    config = {**source.config, "replication_key": "changed", "start_date": "2024-01-01"}
    assert ids(tap(source.tap, config)) == [2]


def test_states_of_other_taps_are_understood(source: Source, tap: Any) -> None:
    """The SDK writes replication_key_value; so do we."""
    source.execute(
        "CREATE TABLE t (id integer PRIMARY KEY)", "INSERT INTO t VALUES (1), (2), (3), (4)"
    )
    mark = {"replication_key": "id", "replication_key_value": 3}
    state = {"bookmarks": {f"{source.prefix}t": mark}}
    config = {**source.config, "replication_key": "id"}
    assert ids(tap(source.tap, config, state=state)) == [3, 4]


def test_selection_reaches_the_database(source: Source, tap: Any, discover: Any) -> None:
    """What is not selected is not read: a column that cannot be read does no harm."""
    source.execute(
        "CREATE TABLE t (id integer PRIMARY KEY, a text, b text)",
        "INSERT INTO t VALUES (1, 'x', 'y')",
        "CREATE TABLE u (id integer)",
    )
    streams = discover(source.tap, source.config)
    stream = streams[f"{source.prefix}t"]
    for entry in stream["metadata"]:
        if entry["breadcrumb"] == ["properties", "b"]:
            entry["metadata"]["selected"] = False
        if not entry["breadcrumb"]:
            entry["metadata"]["selected"] = True
    other = streams[f"{source.prefix}u"]
    [root] = [m["metadata"] for m in other["metadata"] if not m["breadcrumb"]]
    root["selected"] = False
    said = tap(source.tap, source.config, catalog={"streams": [stream, other]})
    assert said.records == [{"id": 1, "a": "x"}]
    assert {m["stream"] for m in said.messages if "stream" in m} == {f"{source.prefix}t"}
    assert list(said.of("SCHEMA")[0]["schema"]["properties"]) == ["id", "a"]


def test_nothing_selected_is_a_warning(source: Source, tap: Any, discover: Any) -> None:
    """And exit code 0, as nothing went wrong."""
    source.execute("CREATE TABLE t (id integer)")
    [stream] = discover(source.tap, source.config).values()
    [root] = [m["metadata"] for m in stream["metadata"] if not m["breadcrumb"]]
    root["selected"] = False
    said = tap(source.tap, source.config, catalog={"streams": [stream]})
    assert (said.code, said.messages) == (0, [])
    assert "no stream is selected" in said.err


def test_a_metadata_replication_method_wins(source: Source, tap: Any, discover: Any) -> None:
    """INCREMENTAL by the catalog's metadata, as Meltano and classic catalogs say it."""
    source.execute("CREATE TABLE t (id integer PRIMARY KEY)", "INSERT INTO t VALUES (1), (2)")
    [stream] = discover(source.tap, source.config).values()
    [root] = [m["metadata"] for m in stream["metadata"] if not m["breadcrumb"]]
    root |= {"selected": True, "replication-method": "INCREMENTAL", "replication-key": "id"}
    said = tap(source.tap, source.config, catalog={"streams": [stream]})
    assert said.of("SCHEMA")[0]["bookmark_properties"] == ["id"]
    assert said.state["bookmarks"][f"{source.prefix}t"]["replication_key_value"] == 2


def test_decimals_can_be_strings(source: Source, tap: Any) -> None:
    """Of the format that the SDK knows, with precision and scale."""
    source.execute(
        "CREATE TABLE t (id integer PRIMARY KEY, x decimal(12,2))",
        "INSERT INTO t VALUES (1, 1.5)",
    )
    said = tap(source.tap, {**source.config, "decimal_format": "string"})
    schema = said.of("SCHEMA")[0]["schema"]["properties"]["x"]
    assert schema == {
        "type": ["string", "null"], "format": "x-singer.decimal", "precision": 12, "scale": 2,
    }  # fmt: skip
    assert said.records[0]["x"] in ("1.50", "1.5")


def test_rows_are_counted(source: Source, run: Any, tmp_path: Path) -> None:
    """--count asks the database; --check says in words what is there."""
    fill(source)
    path = tmp_path / "config.json"
    path.write_text(json.dumps(source.config))
    counted = run([source.tap, "--config", path, "--count"])
    assert json.loads(counted.out) == {f"{source.prefix}t": ROWS}
    checked = run([source.tap, "--config", path, "--check"])
    assert checked.code == 0
    assert b"1 table," in checked.out
