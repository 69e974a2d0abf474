"""kozmo_bridge.read: every row of a tap, and a bookmark that follows what was taken."""

import base64
import gc
import os
from decimal import Decimal

import pytest

import kozmo_bridge as kozmo
from kozmo_runner.stores import Locked, open_store
from kozmo_singer.errors import ConfigError, ReadError, RecordError
from kozmo_singer.wire.catalog import Catalog
from messages import INTEGER, TEXT, lines, record, schema, state


def kept(name: str):
    """The state in the runner's store, with the status of the run that left it."""
    saved = open_store().get(name)
    return None if saved is None else (saved.status, saved.state)


def ids(batches) -> list[list[int]]:
    """The first value of each row, batch by batch."""
    return [[row[0] for row in batch.rows] for batch in batches]


def at(number: int) -> dict:
    """The state of the counting tap after *number*."""
    return {"bookmarks": {"numbers": {"id": number}}}


def test_every_row_arrives(shop):
    """In batches of at most the asked size, with the types of the columns."""
    batches = list(kozmo.read("tap-sqlite", shop.config, ["orders"], batch_rows=600))
    assert [len(batch) for batch in batches] == [600, 600, 600, 600, 100]
    assert {batch.stream for batch in batches} == {"orders"}
    assert {batch.key_properties for batch in batches} == {("id",)}
    assert [(c.name, c.type.name) for c in batches[0].columns] == [
        ("id", "integer"), ("name", "string"), ("total", "float"), ("paid", "boolean"),
        ("at", "timestamp"), ("raw", "binary"),
    ]  # fmt: skip
    dicts = [row for batch in batches for row in batch.to_dicts()]
    expected = [
        {
            "id": row[0], "name": row[1], "total": row[2], "paid": bool(row[3]),
            "raw": None if row[5] is None else base64.b64encode(row[5]).decode(),
        }
        for row in shop.rows
    ]  # fmt: skip
    moments = [row.pop("at").replace("T", " ") for row in dicts]
    assert dicts == expected
    assert moments == [row[4] for row in shop.rows]


def test_streams_and_columns_can_be_chosen(shop):
    """By the rules of `kozmo select`."""
    batches = list(kozmo.read("tap-sqlite", shop.config, ["*", "!orders.raw", "!orders.at"]))
    assert [batch.stream for batch in batches] == ["orders"]
    assert batches[0].names == ["id", "name", "total", "paid"]
    with pytest.raises(ConfigError, match=r"no stream matches 'ordres'\n.*did you mean 'orders'"):
        list(kozmo.read("tap-sqlite", shop.config, ["ordres"]))


def test_a_limit_is_kept_by_any_tap(shop, counting):
    """By ours, and for others, which know none; a state beyond it is not taken."""
    assert [len(batch) for batch in kozmo.read("tap-sqlite", shop.config, limit=7)] == [7]
    config = {"rows": 25, "streams": ["numbers", "more"]}
    with kozmo.read(counting, config, limit=12) as reading:
        assert [(batch.stream, len(batch)) for batch in reading] == [("numbers", 12), ("more", 12)]
        assert reading.state == at(10)


def test_a_preview_has_every_stream(shop):
    """The empty ones with their columns."""
    found = kozmo.preview("tap-sqlite", shop.config, rows=3)
    assert {name: len(batch) for name, batch in found.items()} == {"orders": 3, "returns": 0}
    assert found["returns"].names == ["id", "why"]
    assert [row["id"] for row in found["orders"].to_dicts()] == [1, 2, 3]


def test_what_can_be_asked_of_a_tap(shop):
    """Its streams, its health, its rows."""
    assert [s.tap_stream_id for s in kozmo.discover("tap-sqlite", shop.config).streams] == [
        "orders", "returns"
    ]  # fmt: skip
    assert kozmo.check("tap-sqlite", shop.config).startswith("SQLite 3")
    assert kozmo.count("tap-sqlite", shop.config) == {"orders": 2500, "returns": 0}


def incremental(shop) -> Catalog:
    """A catalog that reads orders by their id."""
    catalog = kozmo.discover("tap-sqlite", shop.config)
    orders = catalog.get("orders")
    orders.replication_method, orders.replication_key = "INCREMENTAL", "id"
    orders.root().update({"replication-method": "INCREMENTAL", "replication-key": "id"})
    orders.root()["selected"] = True
    catalog.get("returns").root()["selected"] = False
    return catalog


def test_a_named_state_goes_on_where_the_last_reading_ended(shop):
    """Nothing is read twice; everything is when asked for."""
    catalog = incremental(shop)

    def again(**options):
        return sum(
            ids(kozmo.read("tap-sqlite", shop.config, catalog=catalog, state="shop", **options)), []
        )

    assert again() == [row[0] for row in shop.rows]
    assert again() == []
    shop.add(2501, 2600)
    assert again() == list(range(2501, 2601))
    assert again(full_refresh=True) == [row[0] for row in shop.rows]
    assert again() == []
    assert kept("shop")[0] == "done"


def test_states_that_a_program_keeps_itself(counting):
    """A state is given and taken as a mapping; the store stays empty."""
    with kozmo.read(counting, {"rows": 25}) as reading:
        assert ids(reading) == [list(range(1, 26))]
        assert reading.state == at(25)
    assert ids(kozmo.read(counting, {"rows": 30}, state=reading.state)) == [list(range(26, 31))]
    assert open_store().ids() == []


def test_the_bookmark_follows_what_was_taken(counting):
    """A batch is taken when the next is asked for: a loop that breaks off gets its last again."""
    with kozmo.read(counting, {"rows": 40}, state="n", batch_rows=12) as reading:
        assert len(next(reading)) == 12
        assert reading.state is None
        assert len(next(reading)) == 12
        assert reading.state == at(10)
    assert kept("n") == ("interrupted", at(10))
    assert ids(kozmo.read(counting, {"rows": 40}, state="n")) == [list(range(11, 41))]
    assert kept("n") == ("done", at(40))


def test_a_loop_that_breaks_off_can_take_its_last_batch(counting):
    """By saying so."""
    with kozmo.read(counting, {"rows": 40}, state="n", batch_rows=20) as reading:
        for _ in reading:
            reading.commit()
            break
    assert kept("n") == ("interrupted", at(20))


def test_a_consumer_that_fails_gets_its_batch_again(counting):
    """Without close: leaving the loop is enough."""

    found = []
    try:
        for batch in kozmo.read(counting, {"rows": 40}, state="n", batch_rows=10):
            found += ids([batch])
            if len(found) == 2:
                raise RuntimeError("no more")
    except RuntimeError as error:
        assert str(error) == "no more"
    gc.collect()
    assert kept("n") == ("interrupted", at(10))
    assert ids(kozmo.read(counting, {"rows": 20}, state="n")) == [list(range(11, 21))]


def test_a_reading_that_is_dropped_ends_its_tap(counting):
    """The lock is free, and no process is left (a fixture of all tests looks)."""
    next(kozmo.read(counting, {"rows": 10**9}, state="n"))
    gc.collect()
    assert next(kozmo.read(counting, {"rows": 10}, state="n")).rows[0][0] > 0


def test_a_tap_that_fails_is_told_after_its_rows(counting):
    """What it sent is delivered and kept; then comes the reason in its own words."""
    found = []
    config = {"rows": 50, "die_at": 38, "exit_code": 3}
    with pytest.raises(ReadError, match="tap-counting failed\n.*the source is on fire"):
        found.extend(ids(kozmo.read(counting, config, state="n", batch_rows=15)))
    found = []
    reading = kozmo.read(counting, config, state="m", batch_rows=15)
    with pytest.raises(ReadError):
        for batch in reading:
            found += ids([batch])
    assert found == [list(range(1, 16)), list(range(16, 31)), list(range(31, 38))]
    assert kept("n") == kept("m") == ("failed", at(30))
    rest = ids(kozmo.read(counting, {"rows": 50}, state="n"))
    assert rest == [list(range(31, 51))]


def test_a_tap_that_dies_within_a_line_is_blamed_itself(counting):
    """And not its half line."""
    config = {"rows": 50, "die_at": 12, "partial": True, "exit_code": 3}
    found = []
    with pytest.raises(ReadError, match="tap-counting failed\n.*the source is on fire"):
        for batch in kozmo.read(counting, config):
            found += ids([batch])
    assert found == [list(range(1, 12))]


def test_a_line_that_does_not_fit_is_named(told):
    """After the rows before it."""
    rows = [record("s", {"id": i}) for i in range(1, 4)]
    tap, config = told(lines(schema("s", {"id": INTEGER}), rows, record("s", {"id": "x"}), rows))
    found = []
    with pytest.raises(RecordError) as error:
        for batch in kozmo.read(tap, config):
            found += ids([batch])
    assert found == [[1, 2, 3]]
    assert str(error.value) == ('cannot read stream s\n  line 5, $.id: expected integer, got "x"')


def test_streams_that_alternate_and_schemas_that_change(told):
    """A batch has rows of one stream and one schema, in the order in which they came."""
    wide = schema("a", {"id": INTEGER, "name": TEXT})
    tap, config = told(
        lines(
            schema("a", {"id": INTEGER}), schema("b", {"id": INTEGER}, ["id"]),
            record("a", {"id": 1}), record("b", {"id": 2}), record("a", {"id": 3}),
            state({"n": 3}), wide, record("a", {"id": 4, "name": "x"}),
        )
    )  # fmt: skip
    with kozmo.read(tap, config) as reading:
        found = [(b.stream, b.names, list(b.rows), b.key_properties) for b in reading]
    assert found == [
        ("a", ["id"], [(1,)], ()), ("b", ["id"], [(2,)], ("id",)), ("a", ["id"], [(3,)], ()),
        ("a", ["id", "name"], [(4, "x")], ()),
    ]  # fmt: skip
    assert reading.state == {"n": 3}


def test_files_instead_of_records_are_refused(told):
    """With what to change."""
    batch = {"type": "BATCH", "stream": "s", "encoding": {"format": "jsonl"}, "manifest": ["x"]}
    tap, config = told(lines(schema("s", {"id": INTEGER}), batch))
    with pytest.raises(ReadError, match="take batch_config out of its configuration"):
        list(kozmo.read(tap, config))


def test_rows_of_a_slow_tap_do_not_wait_for_a_full_batch(counting):
    """They are handed out when nothing more has come for half a second."""
    found = ids(kozmo.read(counting, {"rows": 2, "pause": 0.9}))
    assert found == [[1], [2]]


def test_a_name_has_one_reader_at_a_time(counting):
    """The second is told who has it."""
    with kozmo.read(counting, {"rows": 10**9}, state="n") as reading:
        next(reading)
        with pytest.raises(
            Locked, match=rf"another run uses the state 'n'\n.*process {os.getpid()}"
        ):
            next(kozmo.read(counting, {}, state="n"))
    assert ids(kozmo.read(counting, {"rows": 5}, state="other")) == [[1, 2, 3, 4, 5]]


def test_another_store_can_keep_the_state(counting, tmp_path):
    """As of --state-store."""
    where = str(tmp_path / "states")
    assert len(list(kozmo.read(counting, {"rows": 5}, state="n", store=where))) == 1
    assert open_store(where).get("n").state == at(5)
    assert open_store().ids() == []


def test_a_tap_that_is_not_there_and_a_setting_that_is_wrong(shop):
    """Each says what was probably meant."""
    with pytest.raises(ConfigError, match="did you mean 'tap-sqlite'"):
        list(kozmo.read("tap-sqlit"))
    with pytest.raises(ConfigError, match="did you mean 'path'"):
        list(kozmo.read("tap-sqlite", {"pth": "x"}))


def test_numbers_of_any_size_arrive_exactly(told):
    """Through the pipe and into the forms of Data."""
    properties = {"n": INTEGER, "d": {"type": ["number", "null"]}}
    digits = Decimal("0.12345678901234567890123")
    tap, config = told(lines(schema("s", properties), record("s", {"n": 2**100, "d": digits})))
    (batch,) = kozmo.read(tap, config)
    assert batch.rows == [(2**100, digits)]
    assert batch.to_dicts() == [{"n": 2**100, "d": str(digits)}]
