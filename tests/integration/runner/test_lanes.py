"""The Arrow lane brings what the text lane brings, and ends as it does."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from kozmo_runner import api
from kozmo_runner.stores import open_store
from kozmo_singer.errors import ConfigError, ReadError
from kozmo_singer.wire import lane
from kozmo_singer.wire.catalog import select
from kozmo_taps.sql.postgres import TapPostgres
from postgres_kinds import CASES
from servers.postgres import Database

NAME = "tap-postgres-to-target-postgres"
ROWS = 120_000


@pytest.fixture
def big(postgres: Database) -> Database:
    """A table of many rows, with text that needs care here and there."""
    postgres.execute(
        "CREATE TABLE big AS SELECT i AS id, CASE WHEN i % 7 = 0 THEN NULL WHEN i % 11 = 0 THEN "
        "E'a\\nb\\t\"c\" \\\\ é' ELSE 'word ' || i END AS word, (i / 8.0)::numeric(12,3) AS price, "
        "timestamptz '2024-01-01' + i * interval '1.5 seconds' AS at, md5(i::text)::uuid AS mark, "
        "decode(md5(i::text), 'hex') AS bytes, jsonb_build_object('n', i) AS doc "
        f"FROM generate_series(1, {ROWS}) i"
    )
    postgres.execute("ALTER TABLE big ADD PRIMARY KEY (id)")
    return postgres


def ran(database: Database, lane: str = "arrow", **options: Any) -> api.Report:
    """Copy all tables into the schema *lane*, unless *options* say otherwise."""
    target = {**database.config, "default_target_schema": lane, **options.pop("target", {})}
    tap = {**database.config, "filter_schemas": ["public"], **options.pop("tap", {})}
    return api.run(
        "tap-postgres", "target-postgres", tap_config=tap, target_config=target, lane=lane,
        **options,
    )  # fmt: skip


def differing(database: Database, one: str, other: str, columns: str = "*") -> list[Any]:
    """Rows of either table that the other lacks."""
    query = f"SELECT {columns} FROM {{}} t EXCEPT ALL SELECT {columns} FROM {{}} t LIMIT 5"
    return database.execute(query.format(one, other)) + database.execute(query.format(other, one))


def test_every_type_arrives_as_in_the_text_lane(kinds: Database) -> None:
    """Values that Arrow has no place for too, and the state says the same."""
    states = []
    for way in ("text", "arrow"):
        report = ran(kinds, way, state_suffix=way)
        report.raise_for_failure()
        assert report.lane == way
        states.append(report.state_after)
    assert states[0] == states[1]
    for number in range(len(CASES)):
        assert differing(kinds, f"text.k{number}", f"arrow.k{number}", "t::text") == []


def test_rows_look_the_same_in_either_lane(
    kinds: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that bookmarks and what they remember of rows do not depend on the lane."""
    tap = TapPostgres({**kinds.config, "filter_schemas": ["public"]})
    catalog = select(tap.discover(), ["*"])
    found: list[list[Any]] = []
    for number in ("", "1"):
        monkeypatch.setenv(lane.VARIABLE, number)
        with tap.session(catalog.selected()) as session:
            readings = [session.open(stream, {}, None) for stream in catalog.selected()]
            found.append([repr([*rows]) for reading in readings for rows in reading.batches()])
        assert any(reading.arrow for reading in readings) == bool(number)
    assert plain(found[0]) == plain(found[1])


def plain(texts: list[str]) -> list[str]:
    """Texts without the addresses of objects."""
    import re

    return [re.sub(r" at 0x[0-9a-f]+", "", text) for text in texts]


def test_a_large_table_goes_as_arrow_by_itself(big: Database) -> None:
    """Exactly, and what is there already is left alone."""
    report = ran(big, "auto")
    report.raise_for_failure()
    assert (report.lane, report.rows_read, report.rows_written) == ("arrow", ROWS, ROWS)
    assert differing(big, "public.big", "auto.big") == []
    again = ran(big, "auto", full_refresh=True)
    again.raise_for_failure()
    assert differing(big, "public.big", "auto.big") == []


@pytest.mark.parametrize("method", ["append-only", "overwrite"])
def test_every_load_method(big: Database, method: str) -> None:
    """Rows are appended, or replaced in one step."""
    for _ in range(2):
        ran(big, target={"load_method": method}, full_refresh=True).raise_for_failure()
    (count,) = big.execute("SELECT count(*), count(DISTINCT id) FROM arrow.big")
    assert count == ((2 if method == "append-only" else 1) * ROWS, ROWS)


def test_records_with_metadata_or_versions_go_by_rows(big: Database) -> None:
    """Columns that the target adds are filled as ever."""
    report = ran(
        big,
        tap={"emit_activate_version_messages": True},
        target={"add_record_metadata": True, "hard_delete": True},
    )
    report.raise_for_failure()
    assert report.lane == "arrow"
    (found,) = big.execute(
        "SELECT count(*), count(_sdc_extracted_at), count(_sdc_table_version) FROM arrow.big"
    )
    assert found == (ROWS, ROWS, ROWS)


def test_a_table_that_is_there_keeps_its_types(big: Database) -> None:
    """Wider ones take the values; narrower ones are widened, as in the text lane."""
    big.execute("CREATE SCHEMA arrow")
    big.execute(
        "CREATE TABLE arrow.big (id numeric PRIMARY KEY, word varchar(5), price numeric(5,1), "
        "at timestamptz, mark text, bytes bytea, doc json)"
    )
    ran(big).raise_for_failure()
    columns = "id::text, word, price, at, mark::text, bytes, doc::text::jsonb"
    assert differing(big, "public.big", "arrow.big", columns) == []


def test_a_row_that_the_table_refuses_is_an_error(big: Database) -> None:
    """With the server's words; nothing of the batch stays."""
    big.execute("CREATE SCHEMA arrow")
    big.execute("CREATE TABLE arrow.big (LIKE big INCLUDING ALL, CHECK (id <> 100000))")
    report = ran(big)
    assert (report.status, report.exit_code) == ("failed", 1)
    assert report.error is not None
    assert "check constraint" in " ".join([report.error.message, *report.error.details])
    assert big.execute("SELECT count(*) FROM arrow.big WHERE id >= 100000") == [(0,)]


def test_incremental_runs_may_change_lanes(big: Database) -> None:
    """The bookmark of one lane serves the other, and no row at it comes twice."""
    options = {"tap": {"replication_key": "at"}, "target": {"default_target_schema": "copy"}}
    for way, added in (("arrow", 0), ("text", 1), ("arrow", 2)):
        big.execute(
            "INSERT INTO big SELECT max(id) + 1, 'new', 1, max(at), max(mark::text)::uuid, "
            f"'x', '{{}}' FROM big HAVING {added} > 0"
        )
        report = ran(big, way, **{key: dict(value) for key, value in options.items()})
        report.raise_for_failure()
        assert report.rows_read == (1 if added else ROWS)
    assert differing(big, "public.big", "copy.big") == []


@pytest.mark.parametrize("victim", ["tap", "target"])
def test_a_plug_in_that_is_killed(
    big: Database, victim: str, background: Callable[..., Any], until: Any, tmp_path: Path
) -> None:
    """The run fails at once, keeps its state, and the next one goes on from there."""
    source, sink = tmp_path / "tap.json", tmp_path / "target.json"
    import json

    source.write_text(json.dumps({**big.config, "filter_schemas": ["public"]}))
    sink.write_text(
        json.dumps({**big.config, "default_target_schema": "arrow", "batch_size_rows": 20_000})
    )
    run = background(
        "run", "tap-postgres", "target-postgres", "--lane", "arrow", "--streams", "public-big",
        "--tap-config", str(source), "--target-config", str(sink),
    )  # fmt: skip
    until(lambda: landed(big) > 0, "nothing arrives")
    with ExitStack() as stack:
        stack.callback(run.end)
        os.kill(run.children()[victim], signal.SIGKILL)
    assert run.process.returncode == 1
    before = landed(big)
    saved = open_store().get(NAME)
    assert before < ROWS
    assert saved is not None
    assert saved.state["bookmarks"]["public-big"]["full_table"]
    again = ran(big, target={"batch_size_rows": 20_000}, streams=["public-big"])
    again.raise_for_failure()
    assert again.rows_read is not None
    assert again.rows_read < ROWS
    assert differing(big, "public.big", "arrow.big") == []


def landed(database: Database) -> int:
    """How many rows can be seen in the target."""
    if not database.execute("SELECT to_regclass('arrow.big') IS NOT NULL")[0][0]:
        return 0
    return int(database.execute("SELECT count(*) FROM arrow.big")[0][0])


def test_a_plug_in_that_knows_no_arrow(tap: str, target: str, landed: Any) -> None:
    """Asked for it is a mistake, by itself the text lane is taken."""
    config = {"target_config": landed.config, "tap_config": {"rows": 3}}
    report = api.run(tap, target, lane="arrow", **config)
    assert report.exit_code == 2
    assert report.error is not None
    assert "cannot use the Arrow lane" in report.error.message
    assert api.run(tap, target, **config).lane == "text"
    assert landed.ids == [1, 2, 3]


def test_an_unknown_lane(tap: str, target: str) -> None:
    """The names that there are are told."""
    with pytest.raises(ConfigError, match="there is no lane 'arow'"):
        api.run(tap, target, lane="arow")


def test_a_batch_that_ends_early(postgres: Database) -> None:
    """A message that announces more bytes than come is an error, and changes nothing."""
    reading, writing = os.pipe()
    os.write(writing, b"abc")
    os.close(writing)
    try:
        with pytest.raises(Exception, match="the input ends within it"):
            lane.receive(reading, 10, "s")
    finally:
        os.close(reading)
    with pytest.raises(Exception, match="only the runner opens"):
        lane.receive(None, 10, "s")


def test_bytes_that_are_no_batch() -> None:
    """Are told as such, with the stream."""
    reading, writing = os.pipe()
    os.write(writing, b"0123456789")
    os.close(writing)
    try:
        with pytest.raises(ReadError, match="cannot read a batch of stream s"):
            lane.received(reading, 10, "s")
    finally:
        os.close(reading)
