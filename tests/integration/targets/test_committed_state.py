"""States that are committed with the rows that they cover: what is there after each of them."""

from __future__ import annotations

import io
import os
import threading
import time
from typing import Any

import pytest

from kozmo_singer.errors import RecordError, WriteError
from kozmo_singer.wire.committed import Committed, RunNote, joined
from kozmo_targets.sql.postgres import TargetPostgres
from messages import TEXT, full_table, lines, load, load_bytes, records, schema, state
from servers.postgres import Database

from .conftest import Place

PROPERTIES = {"id": {"type": "integer"}, "name": TEXT}
ALL = "SELECT id FROM t ORDER BY id"


def rows(*ids: Any) -> list[dict[str, Any]]:
    """Return records with these ids."""
    return [{"id": each, "name": "x"} for each in ids]


def committed(place: Place, state_id: str = "s") -> Any:
    """Return the state that another process would be told."""
    return joined(place.target().committed(state_id), {})


def test_the_last_state_is_there(place: Place) -> None:
    """As JSON that was not changed in any way, with the rows of the run; of no other id."""
    value = {"bookmarks": {"t": {"id": 9007199254740993, "text": "it's \x00 \\ \U0001f980"}}}
    sent = lines(schema("t", PROPERTIES), records("t", rows(1, 2)), state({"n": 1}), state(value))
    load_bytes(place.target(state_id="s"), sent)
    found = place.target().committed("s")
    assert [(each.state, each.rows) for each in found] == [(value, {"t": 2})]
    assert committed(place, "another") == {}
    assert place.tables() == ["_kozmo_state", "t"]


def test_nothing_was_ever_committed(place: Place) -> None:
    """In a place where no run has been, or none that keeps states."""
    assert committed(place) == {}
    load(place.target(), schema("t", PROPERTIES), records("t", rows(1)), state({"n": 1}))
    assert committed(place) == {}
    assert place.tables() == ["t"]


@pytest.mark.parametrize("size", [1, 2, 100])
def test_rows_that_no_state_covers_are_not_appended(place: Place, size: int) -> None:
    """A fault after them: those before the last state are there, and the state with them."""
    sent = lines(
        schema("t", PROPERTIES),
        records("t", rows(1, 2)),
        state({"n": 2}),
        records("t", rows(3, 4, "no integer")),
    )
    with pytest.raises(RecordError):
        load_bytes(place.target(state_id="s", batch_size_rows=size), sent)
    known = {1: ([(1,), (2,)], {"n": 2}), 2: ([(1,), (2,)], {"n": 2}), 100: ([], {})}
    assert (place.query(ALL), committed(place)) == known[size]


def test_rows_that_are_updated_wait_for_no_state(place: Place) -> None:
    """They may come again."""
    sent = lines(schema("t", PROPERTIES, ["id"]), records("t", rows(1, 2, "no integer")))
    with pytest.raises(RecordError):
        load_bytes(place.target(state_id="s"), sent)
    assert place.query(ALL) == [(1,), (2,)]


def test_a_full_table_without_a_key_is_appended_when_it_is_whole(place: Place) -> None:
    """In the middle its states say that it will be read again from the start."""
    reading = {"bookmarks": {"t": {}}, "currently_syncing": "t"}
    target = place.target(state_id="s", load_method="append-only", batch_size_rows=1)
    with pytest.raises(RecordError):
        load(
            target, full_table("t", PROPERTIES), records("t", rows(1)), state(reading),
            records("t", rows("no integer")),
        )  # fmt: skip
    assert place.query(ALL) == []
    whole = state({"bookmarks": {"t": {}}})
    target = place.target(state_id="s", load_method="append-only", batch_size_rows=1)
    load(
        target, full_table("t", PROPERTIES), records("t", rows(1)), state(reading),
        records("t", rows(2)), whole,
    )  # fmt: skip
    assert place.query(ALL) == [(1,), (2,)]
    assert committed(place) == whole["value"]


def test_what_is_appended_beside_an_overwritten_table_shows_with_it(place: Place) -> None:
    """Both, and their state, in one step at the end."""
    load(place.target(), schema("old", PROPERTIES), records("old", rows(7)))
    sent = [
        full_table("old", PROPERTIES),
        records("old", rows(1)),
        schema("t", PROPERTIES),
        records("t", rows(1)),
        state({"n": 1}),
    ]
    target = place.target(state_id="s", batch_size_rows=1)
    with pytest.raises(RecordError):
        load(target, *sent, records("t", rows("no integer")))
    assert place.query("SELECT id FROM old") == [(7,)]
    assert "t" not in place.tables() or place.query(ALL) == []
    assert committed(place) == {}
    load(place.target(state_id="s", batch_size_rows=1), *sent)
    assert (place.query(ALL), place.query("SELECT id FROM old")) == ([(1,)], [(1,)])
    assert committed(place) == {"n": 1}


def test_a_runner_names_the_run(place: Place) -> None:
    """Each shard has an entry that speaks for its streams; a later run forgets all of them."""
    for shard, stream in (("000", "a"), ("001", "b")):
        target = place.target()
        target.note = RunNote("s", "R1", shard, [stream], forget=shard == "000")
        said = {"bookmarks": {"a": {"id": shard}, "b": {"id": shard}}}
        load(target, schema(stream, PROPERTIES), records(stream, rows(1)), state(said))
    assert committed(place) == {"bookmarks": {"a": {"id": "000"}, "b": {"id": "001"}}}
    target = place.target()
    target.note = RunNote("s", "R2")
    load(target, schema("a", PROPERTIES), records("a", rows(1)), state({"n": 1}))
    assert [(each.run_id, each.state) for each in place.target().committed("s")] == [
        ("R2", {"n": 1})
    ]


def test_no_stream_is_loaded_into_the_table_of_states(place: Place) -> None:
    """Under another name it can be."""
    sent = [schema("_kozmo_state", PROPERTIES), records("_kozmo_state", rows(1))]
    with pytest.raises(WriteError, match="where the states of runs are kept"):
        load(place.target(), *sent)
    load(place.target(table_prefix="x"), *sent)
    assert place.tables() == ["x_kozmo_state"]


def noted(place: Place, run_id: str, found: list[Committed] | None = None) -> Any:
    """Return a target that a runner has told of its run, and of what it found."""
    target = place.target(batch_size_rows=1)
    target.note = RunNote("s", run_id, found=found)
    return target


def test_a_run_commits_nothing_once_a_later_one_has_begun(place: Place) -> None:
    """Its runner may be dead and the state that it left read, while it still has rows at hand."""
    reading, writing = os.pipe()
    failed: list[BaseException] = []

    def run() -> None:
        with pytest.raises(WriteError, match="another run moves the state 's' on") as caught:
            noted(place, "R1", []).run(reading, io.BytesIO())
        failed.append(caught.value)

    first = threading.Thread(target=run)
    first.start()
    os.write(writing, lines(schema("t", PROPERTIES), records("t", rows(1)), state({"n": 1})))
    deadline = time.monotonic() + 20
    while not (found := place.target().committed("s")) and time.monotonic() < deadline:
        time.sleep(0.01)
    sent = [schema("t", PROPERTIES), records("t", rows(2)), state({"n": 2})]
    load(noted(place, "R2", found), *sent)
    os.write(writing, lines(records("t", rows(2, 3)), state({"n": 3})))
    os.close(writing)
    first.join(20)
    os.close(reading)
    assert [error.retryable for error in failed] == [False]  # type: ignore[attr-defined]
    assert (place.query(ALL), committed(place)) == ([(1,), (2,)], {"n": 2})


def test_a_run_does_not_begin_where_the_state_was_moved_on(place: Place) -> None:
    """What the runner saw has passed; another attempt finds what is there now."""
    sent = [schema("t", PROPERTIES), records("t", rows(1)), state({"n": 1})]
    load(noted(place, "R1", []), *sent)
    with pytest.raises(WriteError, match="another run moves the state") as caught:
        load(noted(place, "R2", []), *sent)
    assert caught.value.retryable
    load(noted(place, "R2", place.target().committed("s")), *sent)
    assert place.query(ALL) == [(1,), (1,)]
    with pytest.raises(WriteError, match="another run moves the state"):
        load(noted(place, "R1", place.target().committed("s")), *sent)


def test_a_state_that_was_moved_on_in_another_schema_counts_as_well(postgres: Database) -> None:
    """The table of states is beside the first table of a run, which may be another each time."""

    def target(run_id: str) -> TargetPostgres:
        made = TargetPostgres(postgres.config)
        made.note = RunNote("s", run_id, found=[])
        return made

    load(target("R1"), schema("one-t", PROPERTIES), records("one-t", rows(1)), state({"n": 1}))
    with pytest.raises(WriteError, match="another run moves the state"):
        load(target("R2"), schema("two-t", PROPERTIES), records("two-t", rows(1)))


def test_a_pipe_goes_on_after_one_whose_clock_was_ahead(place: Place) -> None:
    """Its state is the newer one all the same."""
    sent = [schema("t", PROPERTIES), records("t", rows(1))]
    load(noted(place, "99991231T000000.000000Z"), *sent, state({"n": 1}))
    for number in (2, 3):
        load(place.target(state_id="s"), *sent, state({"n": number}))
        assert committed(place) == {"n": number}


def test_a_table_of_that_name_that_is_not_ours_is_passed_over(
    postgres: Database,
) -> None:
    """Somebody may have had the idea before, in a schema of his own."""
    postgres.execute("CREATE SCHEMA other; CREATE TABLE other._kozmo_state (state_id text)")
    assert TargetPostgres(postgres.config).committed("s") == []


def test_a_user_who_may_not_make_the_table_hears_which(postgres: Database) -> None:
    """And what to do."""
    postgres.execute("CREATE TABLE t (id int); CREATE ROLE loader LOGIN PASSWORD 'pw'")
    try:
        postgres.execute("GRANT SELECT, INSERT ON t TO loader")
        config = {**postgres.config, "user": "loader", "password": "pw", "state_id": "s"}
        with pytest.raises(WriteError) as caught:
            load(TargetPostgres(config), schema("t", PROPERTIES))
        assert str(caught.value).splitlines() == [
            "target-postgres could not use public._kozmo_state, where states are kept",
            "  permission denied for schema public",
            "  the user lacks the permission; an administrator can GRANT it",
        ]
    finally:
        postgres.execute("DROP OWNED BY loader; DROP ROLE loader")
