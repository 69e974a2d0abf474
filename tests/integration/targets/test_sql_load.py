"""How rows are added: append, upsert, overwrite, versions and marks of deletion."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from kozmo_singer.errors import KozmoError, RecordError, WriteError
from messages import (
    INTEGER,
    MOMENT,
    TEXT,
    activate,
    full_table,
    lines,
    load,
    load_bytes,
    record,
    records,
    schema,
    state,
)

from .conftest import Place

PROPERTIES = {"id": {"type": "integer"}, "name": TEXT}
ONE = [{"id": 1, "name": "a"}, {"id": 2, "name": "b"}]
TWO = [{"id": 2, "name": "B"}, {"id": 3, "name": "c"}]
ALL = "SELECT id, name FROM t ORDER BY id, name"


def test_upsert_updates_rows_of_the_same_key_and_adds_the_others(place: Place) -> None:
    """A second load changes, adds, and leaves alone what it does not name."""
    keyed = schema("t", PROPERTIES, ["id"])
    assert load(place.target(), keyed, records("t", ONE), state({"n": 1})) == [{"n": 1}]
    assert load(place.target(), keyed, records("t", TWO), state({"n": 2})) == [{"n": 2}]
    assert place.query(ALL) == [(1, "a"), (2, "B"), (3, "c")]
    assert place.tables() == ["t"]


@pytest.mark.parametrize("size", [1, 2, 100])
def test_the_last_of_several_rows_with_one_key_wins(place: Place, size: int) -> None:
    """Within a batch, across batches, in a new table and in one with rows."""
    rows = [{"id": i % 3, "name": str(i)} for i in range(20)]
    keyed = schema("t", PROPERTIES, ["id"])
    for _ in range(2):
        load(place.target(batch_size_rows=size), keyed, records("t", rows))
        assert place.query(ALL) == [(0, "18"), (1, "19"), (2, "17")]


def test_a_stream_without_key_is_appended_to(place: Place) -> None:
    """Rows that are alike are all kept, in one run and in the next."""
    for _ in range(2):
        load(place.target(), schema("t", PROPERTIES), records("t", [ONE[0], ONE[0]]))
    assert place.query(ALL) == [(1, "a")] * 4


def test_append_only_keeps_every_row_of_a_stream_with_a_key(place: Place) -> None:
    """The key is not enforced."""
    for _ in range(2):
        target = place.target(load_method="append-only")
        load(target, schema("t", PROPERTIES, ["id"]), records("t", ONE))
    assert place.query(ALL) == [(1, "a"), (1, "a"), (2, "b"), (2, "b")]


@pytest.mark.parametrize("key", [[], ["id"]])
def test_overwrite_puts_the_new_rows_in_the_place_of_the_old(place: Place, key: list[str]) -> None:
    """Nothing of the old rows is left, nor any table beside."""
    overwrite = {"load_method": "overwrite"}
    for rows in (ONE, TWO, TWO[:1]):
        load(place.target(**overwrite), schema("t", PROPERTIES, key), records("t", rows))
        assert place.query(ALL) == [(row["id"], row["name"]) for row in rows]
    load(place.target(**overwrite), schema("t", PROPERTIES, key))
    assert place.query(ALL) == []
    assert place.tables() == ["t"]


def test_overwrite_takes_the_shape_of_the_stream(place: Place) -> None:
    """Columns that are new or of another type are those of the stream."""
    target = place.target(load_method="overwrite")
    load(target, schema("t", PROPERTIES), records("t", ONE))
    other = {"id": TEXT, "more": INTEGER, "name": TEXT}
    target = place.target(load_method="overwrite")
    load(target, schema("t", other), records("t", [{"id": "x", "more": 5, "name": "n"}]))
    assert place.query("SELECT id, more, name FROM t") == [("x", 5, "n")]


def test_auto_overwrites_a_full_table_without_a_key(place: Place) -> None:
    """A rerun must not double a table."""
    for _ in range(2):
        load(place.target(), full_table("t", PROPERTIES), records("t", [ONE[0], *ONE]))
        assert place.query(ALL) == [(1, "a"), (1, "a"), (2, "b")]


def test_the_state_of_overwritten_rows_waits_for_the_swap(place: Place) -> None:
    """No state is told before the end, then the last one is."""
    target = place.target(batch_size_rows=1)
    messages: list[Any] = [full_table("t", PROPERTIES)]
    for i in range(3):
        messages += [record("t", {"id": i, "name": "x"}), state({"n": i})]
    assert load(target, *messages) == [{"n": 2}]


def test_state_is_told_after_each_batch(place: Place) -> None:
    """Each state that covers durable rows only."""
    messages: list[Any] = [schema("t", PROPERTIES, ["id"])]
    for i in range(4):
        messages += [record("t", {"id": i, "name": "x"}), state({"n": i})]
    told = load(place.target(batch_size_rows=2), *messages)
    assert told[-1] == {"n": 3}
    assert len(told) >= 2


def test_an_aborted_overwrite_leaves_the_old_rows(place: Place) -> None:
    """The runner says that the tap failed: nothing is swapped, nothing is left beside."""
    load(place.target(load_method="overwrite"), schema("t", PROPERTIES), records("t", ONE))
    data = lines(schema("t", PROPERTIES), records("t", TWO), state({"n": 1}))
    target = place.target(load_method="overwrite", batch_size_rows=1)
    with pytest.raises(KozmoError, match="the tap failed"):
        load_bytes(target, data + b'\n{"type":"ABORT","reason":"it died"}\n')
    assert place.query(ALL) == [(1, "a"), (2, "b")]
    assert place.tables() == ["t"]


def test_a_line_cut_short_is_an_error_and_nothing_is_swapped(place: Place) -> None:
    """A tap that died while writing leaves half a line."""
    load(place.target(load_method="overwrite"), schema("t", PROPERTIES), records("t", ONE))
    data = lines(schema("t", PROPERTIES), records("t", TWO))
    with pytest.raises(RecordError, match="died while writing"):
        load_bytes(place.target(load_method="overwrite"), data[:-10])
    assert place.query(ALL) == [(1, "a"), (2, "b")]
    assert place.tables() == ["t"]


def test_streams_of_different_methods_share_a_run(place: Place) -> None:
    """One is updated and committed, one is replaced at the end, one appended to."""
    for run in range(2):
        told = load(
            place.target(batch_size_rows=1),
            schema("u", PROPERTIES, ["id"]),
            full_table("o", PROPERTIES),
            schema("a", PROPERTIES),
            *(
                record(stream, {"id": i, "name": str(run)})
                for i in range(3)
                for stream in ("u", "o", "a")
            ),
            state({"run": run}),
        )
        assert told == [{"run": run}]
    assert place.query("SELECT id, name FROM u ORDER BY id") == [(i, "1") for i in range(3)]
    assert place.query("SELECT id, name FROM o ORDER BY id") == [(i, "1") for i in range(3)]
    assert len(place.query("SELECT id FROM a")) == 6


def test_a_null_in_the_key_is_an_error_that_names_the_record(place: Place) -> None:
    """NULL equals nothing, so such a row could never be found again."""
    nullable = {"id": INTEGER, "name": TEXT}
    with pytest.raises(RecordError, match="key and must not be null") as caught:
        rows = [{"id": 1, "name": "a"}, {"id": None, "name": "b"}]
        load(place.target(), schema("t", nullable, ["id"]), records("t", rows))
    assert (caught.value.line, caught.value.path) == (3, "$.id")


def test_old_versions_are_marked_once_the_stream_is_complete(place: Place) -> None:
    """Rows of a version before the new one get _sdc_deleted_at, and no other row does."""
    start = schema("t", PROPERTIES, ["id"])
    load(place.target(), start, record("t", ONE[0], 1), record("t", ONE[1], 1), activate("t", 1))
    load(place.target(), start, activate("t", 2), record("t", TWO[0], 2), record("t", TWO[1], 2))
    shown = "SELECT id, name, _sdc_table_version, _sdc_deleted_at IS NULL FROM t ORDER BY id"
    found = [(i, n, v, bool(kept)) for i, n, v, kept in place.query(shown)]
    assert found == [(1, "a", 1, False), (2, "B", 2, True), (3, "c", 2, True)]
    load(place.target(), start, record("t", ONE[0], 3), activate("t", 3))
    found = [(i, n, v, bool(kept)) for i, n, v, kept in place.query(shown)]
    assert found == [(1, "a", 3, True), (2, "B", 2, False), (3, "c", 2, False)]


def test_old_versions_are_removed_where_that_is_wanted(place: Place) -> None:
    """With hard_delete the rows go; an older ACTIVATE_VERSION and rows without one do nothing."""
    start = schema("t", PROPERTIES, ["id"])
    load(place.target(), start, records("t", [{"id": 9, "name": "none"}]))
    load(place.target(hard_delete=True), start, record("t", ONE[0], 5), record("t", ONE[1], 5))
    load(place.target(hard_delete=True), start, record("t", TWO[0], 6), activate("t", 6))
    assert place.query(ALL) == [(2, "B"), (9, "none")]
    load(place.target(hard_delete=True), start, record("t", TWO[1], 7), activate("t", 3))
    assert place.query(ALL) == [(2, "B"), (3, "c"), (9, "none")]


def test_a_tap_that_dies_deletes_nothing(place: Place) -> None:
    """ACTIVATE_VERSION at the start of an input that is cut short has no effect."""
    start = schema("t", PROPERTIES, ["id"])
    load(place.target(hard_delete=True), start, record("t", ONE[0], 1), record("t", ONE[1], 1))
    data = lines(start, activate("t", 2), record("t", TWO[1], 2))
    for end in (b'{"type":"ABORT"}\n', b'{"type":"REC'):
        with pytest.raises(KozmoError):
            load_bytes(place.target(hard_delete=True), data + end)
        assert place.query(ALL) == [(1, "a"), (2, "b"), (3, "c")]


def test_versions_are_left_alone_where_the_user_wants_that(place: Place) -> None:
    """process_activate_version_messages = false: no column is added and no row removed."""
    target = place.target(process_activate_version_messages=False, hard_delete=True)
    load(target, schema("t", PROPERTIES, ["id"]), record("t", ONE[0], 1), activate("t", 2))
    assert list(place.types("t")) == ["id", "name"]
    assert place.query(ALL) == [(1, "a")]


@pytest.mark.parametrize("hard", [False, True])
def test_rows_that_the_tap_marks_as_deleted(place: Place, hard: bool) -> None:
    """They are kept with their mark, or removed with hard_delete."""
    marked = {**PROPERTIES, "_sdc_deleted_at": MOMENT}
    rows = [{**row, "_sdc_deleted_at": None} for row in ONE]
    load(place.target(hard_delete=hard), schema("t", marked, ["id"]), records("t", rows))
    gone = {"id": 1, "name": "a", "_sdc_deleted_at": "2024-01-01T00:00:00Z"}
    load(place.target(hard_delete=hard), schema("t", marked, ["id"]), record("t", gone))
    kept = place.query("SELECT id, _sdc_deleted_at IS NULL FROM t ORDER BY id")
    assert kept == ([(2, True)] if hard else [(1, False), (2, True)])


def test_metadata_says_when_rows_came(place: Place) -> None:
    """The columns of the SDK, with the times of the tap and of the load."""
    message = {**record("t", ONE[0], 7), "time_extracted": "2024-01-02T03:04:05Z"}
    target = place.target(add_record_metadata=True)
    load(target, schema("t", PROPERTIES, ["id"]), message)
    assert list(place.types("t")) == [
        "id",
        "name",
        "_sdc_extracted_at",
        "_sdc_received_at",
        "_sdc_batched_at",
        "_sdc_deleted_at",
        "_sdc_sequence",
        "_sdc_table_version",
    ]
    ((extracted, received, deleted, sequence, version),) = place.query(
        "SELECT _sdc_extracted_at, _sdc_received_at, _sdc_deleted_at, _sdc_sequence, "
        "_sdc_table_version FROM t"
    )
    assert str(extracted).startswith("2024-01-02")
    assert str(received) > "2025"
    assert (deleted, version) == (None, 7)
    assert sequence > 1_700_000_000_000


def test_a_row_that_did_not_change_is_not_written(place: Place) -> None:
    """Metadata alone is no change: the row keeps the time of the load that last changed it."""
    start = schema("t", PROPERTIES, ["id"])
    load(place.target(add_record_metadata=True), start, records("t", ONE))
    before = dict(place.query("SELECT id, _sdc_batched_at FROM t"))
    changed = [ONE[0], {"id": 2, "name": "changed"}]
    load(place.target(add_record_metadata=True), start, records("t", changed))
    after = dict(place.query("SELECT id, _sdc_batched_at FROM t"))
    assert after[1] == before[1]
    assert after[2] > before[2]


def test_a_table_whose_key_is_not_unique_is_updated_all_the_same(place: Place) -> None:
    """Columns that the stream lacks keep their values, and the last row of a key wins."""
    place_id = "CREATE TABLE t (extra text, name text, id bigint)"
    load(place.target(), schema("other", PROPERTIES))
    place.query(place_id)
    place.query("INSERT INTO t VALUES ('kept', 'old', 2), ('also', 'x', 9)")
    for _ in range(2):
        rows = [*ONE, {"id": 1, "name": "last"}]
        load(place.target(), schema("t", PROPERTIES, ["id"]), records("t", rows))
    assert place.query("SELECT id, name, extra FROM t ORDER BY id") == [
        (1, "last", None),
        (2, "b", "kept"),
        (9, "x", "also"),
    ]


def test_a_table_of_other_column_order_and_types_takes_the_rows(place: Place) -> None:
    """A table that somebody made is used as it is; its unique key serves."""
    load(place.target(), schema("other", PROPERTIES))
    place.query("CREATE TABLE t (name varchar(50), more integer, id numeric NOT NULL UNIQUE)")
    for rows in (ONE, TWO):
        load(place.target(), schema("t", PROPERTIES, ["id"]), records("t", rows))
    assert place.query("SELECT id, name, more FROM t ORDER BY id") == [
        (1, "a", None),
        (2, "B", None),
        (3, "c", None),
    ]


def test_two_streams_for_one_table_are_refused(place: Place) -> None:
    """Their rows would mix without a word."""
    settings = {} if place.name == "sqlite" else {"default_target_schema": "public"}
    with pytest.raises(WriteError, match="a-t and b-t would both be loaded into table t"):
        load(place.target(**settings), schema("a-t", PROPERTIES), schema("b-t", PROPERTIES))
    settings["table_name"] = "{schema}_{table}"
    load(place.target(**settings), schema("a-t", PROPERTIES), schema("b-t", PROPERTIES))
    assert place.tables() == ["a_t", "b_t", "t"]


def test_a_composite_key_of_several_types(place: Place) -> None:
    """Every part of the key counts."""
    properties = {"a": {"type": "string"}, "b": {"type": "integer"}, "v": TEXT}
    rows = [{"a": a, "b": b, "v": f"{a}{b}"} for a in "xy" for b in (1, 2)]
    start = schema("t", properties, ["a", "b"])
    load(place.target(), start, records("t", rows))
    load(place.target(), start, record("t", {"a": "x", "b": 2, "v": "new"}))
    assert place.query("SELECT a, b, v FROM t ORDER BY a, b") == [
        ("x", 1, "x1"),
        ("x", 2, "new"),
        ("y", 1, "y1"),
        ("y", 2, "y2"),
    ]


def test_a_key_without_other_columns(place: Place) -> None:
    """There is nothing to update, and nothing is doubled."""
    start = schema("t", {"id": {"type": "integer"}}, ["id"])
    for _ in range(2):
        load(place.target(), start, records("t", [{"id": 1}, {"id": 2}, {"id": 1}]))
    assert place.query("SELECT id FROM t ORDER BY id") == [(1,), (2,)]


@pytest.mark.parametrize("method", ["append-only", "upsert"])
def test_all_or_nothing_commits_once_at_the_end(place: Place, method: str) -> None:
    """In the middle, after an error and after an end before its time the table is as it was."""
    keyed = schema("t", PROPERTIES, ["id"] if method == "upsert" else [])
    settings = {"load_method": method, "batch_size_rows": 1, "all_or_nothing": True}
    load(place.target(**settings), keyed, records("t", ONE))
    assert place.query(ALL) == [(1, "a"), (2, "b")]
    for end in (
        record("t", {"id": "no number", "name": "x"}),
        {"type": "ABORT", "reason": "cancelled"},
    ):
        with pytest.raises(KozmoError) as failed:
            load(place.target(**settings), keyed, records("t", TWO), state({"n": 1}), end)
        assert place.query(ALL) == [(1, "a"), (2, "b")]
    assert "nothing is loaded" in str(failed.value)
    with pytest.raises(KozmoError):
        load(place.target(**settings), schema("u", PROPERTIES), record("u", {"id": "x"}))
    assert place.tables() == ["t"]
    said = load(place.target(**settings), keyed, records("t", TWO), state({"n": 1}))
    assert said == [{"n": 1}]
    assert len(place.query(ALL)) == (3 if method == "upsert" else 4)


def test_all_or_nothing_with_too_many_bad_records(place: Place, tmp_path: Path) -> None:
    """The good ones among them are not loaded either; with fewer bad ones they are."""
    settings = {
        "all_or_nothing": True,
        "on_bad_record": "quarantine",
        "quarantine_path": str(tmp_path / "bad"),
        "batch_size_rows": 1,
    }
    rows = [*records("t", ONE), record("t", {"id": "x"}), *records("t", TWO)]
    with pytest.raises(WriteError, match="nothing is loaded"):
        load(place.target(max_bad_records="1%", **settings), schema("t", PROPERTIES), rows)
    assert place.tables() == []
    load(place.target(max_bad_records="1", **settings), schema("t", PROPERTIES), rows)
    assert place.query(ALL) == [(1, "a"), (2, "B"), (2, "b"), (3, "c")]
