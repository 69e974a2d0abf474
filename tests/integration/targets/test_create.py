"""load_method create: tables that the run makes, and no others."""

from __future__ import annotations

import io
from typing import Any

import pytest

from kozmo_singer.errors import RecordError, WriteError
from messages import INTEGER, TEXT, full_table, lines, load, load_bytes, records, schema, state

from .conftest import Place

PROPERTIES = {"id": {"type": "integer"}, "name": TEXT}
ONE = [{"id": 1, "name": "a"}, {"id": 2, "name": "b"}]
BAD = [{"id": 3, "name": "c"}, {"id": "no integer", "name": "d"}]
ALL = "SELECT id, name FROM t ORDER BY id, name"
CREATE: dict[str, Any] = {"load_method": "create", "batch_size_rows": 1}


@pytest.mark.parametrize("key", [[], ["id"]])
def test_a_run_goes_on_into_the_table_that_it_made(place: Place, key: list[str]) -> None:
    """In its later batches, with a schema that changes; by key where there is one."""
    load(
        place.target(**CREATE),
        schema("t", PROPERTIES, key), records("t", ONE), state({"n": 1}),
        schema("t", {**PROPERTIES, "more": INTEGER}, key), records("t", ONE),
    )  # fmt: skip
    rows = [(1, "a"), (2, "b")]
    assert place.query(ALL) == (rows if key else sorted(rows * 2))


@pytest.mark.parametrize("kind", ["append-only", "full", "upsert"])
@pytest.mark.parametrize("rows", [ONE, []])
def test_a_table_that_is_there_is_an_error(place: Place, rows: Any, kind: str) -> None:
    """Though it be empty; nothing of it is changed, and no row was written."""
    load(place.target(), schema("t", PROPERTIES), records("t", rows))
    types, found = place.types("t"), place.query(ALL)
    first = full_table if kind == "full" else schema
    sent = [
        first("t", {**PROPERTIES, "more": TEXT}, ["id"] if kind == "upsert" else []),
        records("t", ONE),
    ]
    for settings in (CREATE, {**CREATE, "state_id": "s"}):
        with pytest.raises(WriteError) as caught:
            load(place.target(**settings), *sent)
        assert caught.value.exit_code == 1
        where = "public.t" if place.name == "postgres" else "t"
        assert caught.value.message == "cannot write stream t"
        assert caught.value.details[0] == (
            f"table {where} is there already, and load_method 'create' makes new ones"
        )
        assert (place.types("t"), place.query(ALL)) == (types, found)


def test_a_run_that_was_cut_off_finds_its_table_by_its_state(place: Place) -> None:
    """With a state_id the next run goes on in it; so do runs after one that ended well."""
    with_state = {**CREATE, "state_id": "s"}
    with pytest.raises(RecordError):
        load(place.target(**with_state), schema("t", PROPERTIES), records("t", BAD))
    assert place.query(ALL) == []
    load(place.target(**with_state), schema("t", PROPERTIES), records("t", ONE), state({"n": 2}))
    assert place.query(ALL) == [(1, "a"), (2, "b")]
    sent = lines(
        schema("u", PROPERTIES), schema("t", PROPERTIES), records("t", ONE[:1]), state({"n": 3})
    )
    load_bytes(place.target(**with_state), sent)
    assert place.query(ALL) == [(1, "a"), (1, "a"), (2, "b")]
    (found,) = place.target().committed("s")
    assert found.state == {"n": 3}


def test_a_state_goes_on_in_the_tables_that_it_made_and_in_no_other(place: Place) -> None:
    """Be the stream the same; whichever of its own tables it is."""
    with_state = {**CREATE, "state_id": "s"}
    sent = [schema("t", PROPERTIES, ["id"]), records("t", ONE), state({"n": 1})]
    load(place.target(**with_state), *sent)
    load(place.target(**with_state, table_name="second"), *sent)
    place.query("CREATE TABLE theirs (id integer PRIMARY KEY, name text)")
    place.query("INSERT INTO theirs VALUES (1, 'their own')")
    with pytest.raises(WriteError, match="theirs is there already"):
        load(place.target(**with_state, table_name="theirs"), *sent)
    assert place.query("SELECT * FROM theirs") == [(1, "their own")]
    more = [schema("t", PROPERTIES, ["id"]), records("t", [{"id": 3, "name": "c"}])]
    for settings in ({}, {"table_name": "second"}):
        load(place.target(**with_state, **settings), *more)
    assert place.query(ALL) == place.query(ALL.replace(" t ", " second "))
    assert len(place.query(ALL)) == 3


def test_without_a_state_a_run_that_was_cut_off_must_be_cleared_away(place: Place) -> None:
    """Nobody can tell its table from one of somebody else; nor from that of another state."""
    with pytest.raises(RecordError):
        load(place.target(**CREATE), schema("t", PROPERTIES, ["id"]), records("t", BAD))
    assert place.query(ALL) == [(3, "c")]
    for settings in (CREATE, {**CREATE, "state_id": "s"}):
        with pytest.raises(WriteError, match="is there already"):
            load(place.target(**settings), schema("t", PROPERTIES, ["id"]), records("t", ONE))
    assert place.query(ALL) == [(3, "c")]


def test_all_or_nothing_leaves_no_table_of_a_run_that_was_cut_off(place: Place) -> None:
    """So that it can be run again."""
    whole = {**CREATE, "all_or_nothing": True}
    with pytest.raises(RecordError):
        load(place.target(**whole), schema("t", PROPERTIES), records("t", BAD))
    assert place.tables() == []
    load(place.target(**whole), schema("t", PROPERTIES), records("t", ONE))
    assert place.query(ALL) == [(1, "a"), (2, "b")]


def test_a_plan_tells_of_the_table(place: Place) -> None:
    """In the words of the load; a table that is not there is created."""
    sent = lines(schema("t", PROPERTIES), records("t", ONE))
    planned: Any = place.target(**CREATE)
    (new,) = planned.plan(io.BytesIO(sent)).streams
    assert (new.error, new.load_method, new.exists) == (None, "create", False)
    load_bytes(place.target(**CREATE), sent)
    with pytest.raises(WriteError) as caught:
        load_bytes(place.target(**CREATE), sent)
    planned = place.target(**CREATE)
    (there,) = planned.plan(io.BytesIO(sent)).streams
    assert there.error == [caught.value.message, *caught.value.details]
    assert (there.load_method, there.exists, there.rows) == ("create", True, 2)


def test_a_plan_goes_on_where_the_load_does(place: Place) -> None:
    """In the table that a run of the same state made, and in no other."""
    with_state = {**CREATE, "state_id": "s"}
    sent = [schema("t", {**PROPERTIES, "more": TEXT}), records("t", ONE), state({"n": 2})]
    load(place.target(**with_state), schema("t", PROPERTIES), records("t", ONE), state({"n": 1}))
    planned: Any = place.target(**with_state)
    (there,) = planned.plan(io.BytesIO(lines(*sent))).streams
    assert (there.error, there.exists, there.rows) == (None, True, 2)
    assert [(c.name, c.action) for c in there.columns][-1] == ("more", "add")
    planned = place.target(**{**with_state, "state_id": "another"})
    assert "is there already" in planned.plan(io.BytesIO(lines(*sent))).error[1]
    load(place.target(**with_state), *sent)
    assert len(place.query(ALL)) == 4
