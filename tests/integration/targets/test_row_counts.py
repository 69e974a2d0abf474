"""rows_inserted and rows_updated: what a load says became of its rows."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from kozmo_runner.speech import metric
from kozmo_singer.errors import RecordError
from messages import TEXT, load, records, schema, state

from .conftest import Place, Postgres

PROPERTIES = {"id": {"type": "integer"}, "name": TEXT}
KEYED = schema("t", PROPERTIES, ["id"])


@pytest.fixture
def told(capfd: pytest.CaptureFixture[str]) -> Any:
    """Give a function that returns what was said since its last call: inserted, updated."""

    def read() -> tuple[int, int] | None:
        found: Counter[str] = Counter()
        points = [metric(line) for line in capfd.readouterr().err.splitlines()]
        known = [point for point in points if point is not None]
        for point in known:
            assert point.stream == "t"
            found[point.metric] += int(point.value)
        names = {point.metric for point in known}
        if "rows_inserted" not in names:
            return None
        return found["rows_inserted"], found["rows_updated"]

    return read


def rows(*pairs: tuple[Any, str]) -> list[Any]:
    """Return records with these ids and names."""
    return records("t", [{"id": each, "name": name} for each, name in pairs])


@pytest.mark.parametrize("size", [1, 2, 100])
def test_an_upsert_tells_new_rows_from_changed_ones(place: Place, told: Any, size: int) -> None:
    """Those that stay as they are count as neither; 1 of 2 rows with a key in a run is new."""
    load(place.target(batch_size_rows=size), KEYED, rows((1, "a"), (2, "b"), (3, "c")))
    assert told() == (3, 0)
    sent = rows((1, "a"), (2, "B"), (3, "C"), (4, "d"), (5, "e"))
    load(place.target(batch_size_rows=size), KEYED, sent)
    assert told() == (2, 2)
    load(place.target(batch_size_rows=size), KEYED, sent)
    assert told() == (0, 0)


def test_a_table_without_a_unique_index_is_counted_too(place: Place, told: Any) -> None:
    """One that somebody else made."""
    place.query("CREATE TABLE t (id integer, name text)")
    load(place.target(), KEYED, rows((1, "a"), (2, "b")))
    told()
    load(place.target(), KEYED, rows((1, "A"), (3, "c")))
    assert told() == (1, 1)
    for _ in range(2):
        load(place.target(), KEYED, rows((1, "A"), (3, "c")))
        assert told() == (0, 0)
    load(place.target(), KEYED, rows((1, "A"), (2, "B"), (4, "d"), (4, "D")))
    # SQLite gets one row after the other: the second of a key changes the first.
    assert told() == ((1, 1) if place.name == "postgres" else (1, 2))
    found = [(1, "A"), (2, "B"), (3, "c"), (4, "D")]
    assert place.query("SELECT id, name FROM t ORDER BY id") == found


@pytest.mark.parametrize("indexed", [False, True])
def test_rows_that_did_not_change_keep_when_they_were_loaded(
    place: Place, told: Any, indexed: bool
) -> None:
    """Without a unique index too; a null is a value, and a key alone is a row."""
    sent = schema("t", {**PROPERTIES, "n": {"type": ["number", "null"]}}, ["id"])
    place.query("CREATE TABLE t (id integer, name text, n numeric)")
    if indexed:
        place.query("CREATE INDEX i ON t (id)")
    settings = {"add_record_metadata": True}
    data: list[Any] = [{"id": 1, "name": None, "n": 1.5}, {"id": 2, "name": "b", "n": None}]
    load(place.target(**settings), sent, records("t", data))
    assert told() == (2, 0)
    at = "SELECT id, name, _sdc_batched_at FROM t ORDER BY id"
    before = place.query(at)
    load(place.target(**settings), sent, records("t", data))
    assert (told(), place.query(at)) == ((0, 0), before)
    data[0]["name"], data[1]["n"] = "", 0
    load(place.target(**settings), sent, records("t", data))
    assert told() == (0, 2)
    for table, count in (("u", (2, 0)), ("u", (0, 0))):
        place.query(f"CREATE TABLE IF NOT EXISTS {table} (id integer)")
        key = {"id": {"type": "integer"}}
        target = place.target(**settings, table_name=table)
        load(target, schema("t", key, ["id"]), records("t", [{"id": 1}, {"id": 2}]))
        assert told() == count
        target = place.target(table_name=f"{table}_plain")
        place.query(f"CREATE TABLE IF NOT EXISTS {table}_plain (id integer)")
        load(target, schema("t", key, ["id"]), records("t", [{"id": 1}, {"id": 2}]))
        assert told() == count


def test_a_unique_index_of_somebody_else_serves_an_upsert(place: Place, told: Any) -> None:
    """No warning, and rows are updated by it."""
    place.query("CREATE TABLE t (id integer, name text, theirs text DEFAULT 'x')")
    place.query("CREATE UNIQUE INDEX i ON t (id)")
    place.query("INSERT INTO t VALUES (1, 'a', 'kept')")
    load(place.target(), KEYED, rows((1, "A"), (2, "b")))
    assert told() == (1, 1)
    found = place.query("SELECT id, name, theirs FROM t ORDER BY id")
    assert found == [(1, "A", "kept"), (2, "b", "x")]


@pytest.mark.parametrize("method", ["append-only", "overwrite"])
def test_rows_that_are_added_or_take_the_place_of_all_are_new(
    place: Place, told: Any, method: str
) -> None:
    """Whatever was there."""
    for _ in range(2):
        target = place.target(load_method=method)
        load(target, schema("t", PROPERTIES), rows((1, "a"), (2, "b")))
        assert told() == (2, 0)


@pytest.mark.parametrize("there", [(), ((1, "a"), (2, "b"))])
def test_rows_that_are_set_aside_are_not_counted(
    place: Place, told: Any, there: Any, tmp_path: Any
) -> None:
    """By the target or by the server, in a table that was empty or not."""
    check = " CHECK (name <> 'bad')"
    place.query(f"CREATE TABLE t (id integer PRIMARY KEY, name text{check})")
    load(place.target(), KEYED, rows(*there))
    told()
    target = place.target(on_bad_record="quarantine", quarantine_path=str(tmp_path / "q"))
    load(target, KEYED, rows((2, "B"), (3, "bad"), ("no integer", "x"), (4, "d")))
    assert told() == ((1, 1) if there else (2, 0))


def test_what_is_not_committed_is_not_counted(place: Place, told: Any) -> None:
    """Rows before a fault that no state covers."""
    sent = [schema("t", PROPERTIES), rows((1, "a")), state({"n": 1}), rows((2, "b"), ("no", "x"))]
    with pytest.raises(RecordError):
        load(place.target(state_id="s", batch_size_rows=1), *sent)
    assert told() == (1, 0)


def test_partitions_are_counted(postgres: Any, told: Any) -> None:
    """As one table, whichever of them a row is in."""
    place = Postgres(postgres)
    place.query("CREATE TABLE t (id bigint PRIMARY KEY, name text) PARTITION BY RANGE (id)")
    place.query("CREATE TABLE t1 PARTITION OF t FOR VALUES FROM (0) TO (3)")
    place.query("CREATE TABLE t2 PARTITION OF t FOR VALUES FROM (3) TO (9)")
    load(place.target(), KEYED, rows((1, "a"), (5, "b")))
    assert told() == (2, 0)
    load(place.target(), KEYED, rows((1, "A"), (5, "B"), (6, "c")))
    assert told() == (1, 2)
