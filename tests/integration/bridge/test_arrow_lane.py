"""kozmo_bridge.read in the Arrow lane: what the text lane gives, ended and kept as there."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import kozmo_bridge as kozmo
from kozmo_bridge.arrow_batch import ArrowBatch
from kozmo_runner.stores import open_store
from kozmo_singer.errors import ConfigError, ReadError
from kozmo_singer.wire.catalog import Catalog
from postgres_kinds import CASES
from servers import processes
from servers.postgres import Database

ROWS = 120_000
TAP = "tap-postgres"


@pytest.fixture
def big(postgres: Database) -> Database:
    """A table of many rows, in which few values have no place in the types of their columns."""
    postgres.execute(
        "CREATE TABLE big AS SELECT i AS id, CASE WHEN i % 7 = 0 THEN NULL WHEN i % 11 = 0 THEN "
        "E'a\\nb\\t\"c\" \\\\ é' ELSE 'word ' || i END AS word, (i / 8.0)::numeric(12,3) AS price, "
        "i / 7.0 AS ratio, CASE WHEN i = 60000 THEN 'infinity' ELSE "
        "timestamptz '2024-01-01' + i * interval '1.5 seconds' END AS at, "
        "timestamp '1999-12-31' + i * interval '1 second' AS local, (i / 8.0)::real AS x, "
        "CASE WHEN i % 30000 = 2 THEN '24:00' ELSE time '00:00' + i * interval '1 s' END AS clock, "
        "date '2000-01-01' + i % 9000 AS day, md5(i::text)::uuid AS mark, "
        "decode(md5(i::text), 'hex') AS bytes, jsonb_build_object('n', i) AS doc, i % 3 = 0 AS ok "
        f"FROM generate_series(1, {ROWS}) i"
    )
    postgres.execute("ALTER TABLE big ADD PRIMARY KEY (id)")
    postgres.execute("ANALYZE big")
    return postgres


def read(database: Database, *streams: str, **options: Any) -> Any:
    """Read *database* in the Arrow lane, unless *options* say otherwise."""
    config = {**database.config, "filter_schemas": ["public"]}
    return kozmo.read(TAP, config, streams, **{"lane": "arrow", **options})


def tap() -> int:
    """The process of the tap that runs."""
    (found,) = [
        pid
        for pid in processes.children()
        if TAP.encode() in Path(f"/proc/{pid}/cmdline").read_bytes()
    ]
    return found


def test_every_type_is_as_in_the_text_lane(kinds: Database) -> None:
    """As rows, as Data's dicts, in Arrow and in pandas, down to the dtype."""
    text = {batch.stream: batch for batch in read(kinds, lane="text")}
    arrow = {batch.stream: batch for batch in read(kinds)}
    assert text.keys() == arrow.keys() == {f"public-k{i}" for i in range(len(CASES))}
    for name, one in arrow.items():
        assert isinstance(one, ArrowBatch)
        same(one, text[name])


def same(one: Any, other: Any) -> None:
    """Check that two batches give the same."""
    assert (one.stream, one.columns, one.key_properties) == (
        other.stream, other.columns, other.key_properties,
    )  # fmt: skip
    assert repr(one.rows) == repr(other.rows)
    assert repr(one.to_dicts()) == repr(other.to_dicts())
    assert one.to_arrow().schema.equals(other.to_arrow().schema, check_metadata=True)
    assert repr(one.to_arrow().to_pylist()) == repr(other.to_arrow().to_pylist())
    pd.testing.assert_frame_equal(one.to_pandas(), other.to_pandas())


def test_batches_are_cut_as_in_the_text_lane(big: Database) -> None:
    """At any number of rows; a value that Arrow has no place for changes its own batch alone."""
    text = list(read(big, lane="text", batch_rows=7_001))
    arrow = list(read(big, batch_rows=7_001))
    assert [len(batch) for batch in arrow] == [len(batch) for batch in text]
    assert {type(batch) for batch in arrow} == {ArrowBatch}
    for one, other in zip(arrow, text, strict=True):
        same(one, other)
    kinds = [str(batch.to_pandas()["at"].dtype) for batch in arrow]
    assert len(set(kinds)) == 2
    assert kinds.count("str" if pd.__version__ >= "3" else "object") == 1


def test_streams_and_columns_can_be_chosen(big: Database) -> None:
    """By the rules of `kozmo select`; a limit is kept."""
    big.execute("CREATE TABLE other AS SELECT 1 AS id")
    rules = ("public-big", "!public-big.doc", "!public-big.at")
    batches = list(read(big, *rules, limit=30_000))
    assert {batch.stream for batch in batches} == {"public-big"}
    assert not {"doc", "at"} & {*batches[0].names}
    rows = [row for batch in batches for row in batch.rows]
    assert rows == [row for b in read(big, *rules, limit=30_000, lane="text") for row in b.rows]
    assert len(rows) == 30_000


def test_the_lane_that_auto_takes(big: Database, postgres: Database) -> None:
    """Arrow where a table is large enough for it, and where nothing is said of its size."""

    def taken(**options: Any) -> type:
        with read(big, "public-large", lane="auto", **options) as reading:
            return type(next(reading))

    big.execute("CREATE TABLE large AS SELECT i FROM generate_series(1, 200500) i")
    assert taken() is ArrowBatch
    big.execute("ANALYZE large")
    assert taken() is ArrowBatch
    assert taken(limit=1000) is kozmo.Batch
    (batch,) = kozmo.preview(TAP, big.config, ["public-large"]).values()
    assert batch.rows == [(i,) for i in range(1, 11)]
    with read(big, "public-big", lane="auto") as reading:
        assert type(next(reading)) is kozmo.Batch


def test_a_tap_that_knows_no_arrow(shop: Any, counting: str) -> None:
    """Asked for it is a mistake, by itself the text lane is taken."""
    for name, config in (("tap-sqlite", shop.config), (counting, {"rows": 3})):
        with pytest.raises(ConfigError, match="cannot use the Arrow lane"):
            next(kozmo.read(name, config, lane="arrow"))
        assert type(next(kozmo.read(name, config, lane="auto"))) is kozmo.Batch
    with pytest.raises(ConfigError, match="there is no lane 'arow'"):
        next(kozmo.read(counting, lane="arow"))


def test_maps_go_by_rows(big: Database) -> None:
    """Which the tap then sends as ever."""
    config = {**big.config, "stream_maps": {"public-big": {"id": "id", "__else__": None}}}
    batches = list(kozmo.read(TAP, config, ["public-big"], lane="arrow", limit=20))
    assert [type(batch) for batch in batches] == [kozmo.Batch]
    assert batches[0].rows == [(i,) for i in range(1, 21)]


def incremental(database: Database) -> Catalog:
    """A catalog that reads the large table by its id."""
    catalog = kozmo.discover(TAP, {**database.config, "filter_schemas": ["public"]})
    stream = catalog.get("public-big")
    assert stream is not None
    stream.replication_method, stream.replication_key = "INCREMENTAL", "id"
    stream.root().update({"replication-method": "INCREMENTAL", "replication-key": "id"})
    return catalog


def ids(batches: Any) -> list[int]:
    """The keys of all rows."""
    return [row[0] for batch in batches for row in batch.rows]


def test_states_are_those_of_the_text_lane(big: Database) -> None:
    """So that one reading can go on where another has ended, in whatever lane."""
    states = []
    for lane in ("text", "arrow"):
        with read(big, lane=lane) as reading:
            assert ids(reading) == [*range(1, ROWS + 1)]
        states.append(reading.state)
    assert states[0] == states[1]
    options = {"catalog": incremental(big), "state": "big"}
    assert ids(read(big, **options)) == [*range(1, ROWS + 1)]
    for number, lane in enumerate(("text", "arrow", "arrow", "text"), ROWS + 1):
        big.execute(f"INSERT INTO big (id) VALUES ({number})")
        assert ids(read(big, lane=lane, **options)) == [number]


@pytest.mark.parametrize("lane", ["text", "arrow"])
def test_a_reading_that_ends_early(big: Database, lane: str) -> None:
    """At once, though the tap waits for room in a pipe; nothing is left open; no row is lost."""
    with read(big, limit=1, lane=lane) as reading:
        next(reading)
    before = len(os.listdir("/proc/self/fd"))
    began = time.monotonic()
    with read(big, state="big", batch_rows=20_000, lane=lane) as reading:
        next(reading)
        last = next(reading).rows[0][0] - 1
    assert time.monotonic() - began < 4
    assert len(os.listdir("/proc/self/fd")) == before
    saved = open_store().get("big")
    assert saved is not None
    assert saved.status == "interrupted"
    rest = ids(read(big, state="big"))
    assert rest == [*range(rest[0], ROWS + 1)]
    assert 1 < rest[0] <= last + 1


def test_a_reading_that_is_dropped(big: Database) -> None:
    """Ends its tap: a fixture of all tests looks."""
    before = len(os.listdir("/proc/self/fd"))
    next(read(big))
    assert len(os.listdir("/proc/self/fd")) == before


def test_a_tap_that_is_killed(big: Database) -> None:
    """Its whole batches are delivered, its end is told, and the next reading goes on from there."""
    found: list[int] = []
    with pytest.raises(ReadError, match=r"tap-postgres failed\n.*SIGKILL"):
        for batch in read(big, state="big", batch_rows=5_000):
            found += ids([batch])
            if len(found) == 30_000:
                os.kill(tap(), signal.SIGKILL)
    assert found == [*range(1, len(found) + 1)]
    assert len(found) < ROWS
    saved = open_store().get("big")
    assert saved is not None
    assert saved.status == "failed"
    rest = ids(read(big, state="big"))
    assert rest == [*range(rest[0], ROWS + 1)]
    assert 1 < rest[0] <= len(found) + 1


def test_a_task_that_is_cancelled(big: Database) -> None:
    """Stops its tap, and keeps what was taken."""
    taken: list[int] = []

    async def consume() -> None:
        config = {**big.config, "filter_schemas": ["public"]}
        options: dict[str, Any] = {"lane": "arrow", "state": "big", "batch_rows": 1000}
        async with kozmo.aread(TAP, config, ["public-big"], **options) as reading:
            while len(taken) < ROWS:
                taken.extend(ids([await anext(reading)]))
                if len(taken) == 50_000:
                    task.cancel()

    async def main() -> None:
        nonlocal task
        task = asyncio.create_task(consume())
        with pytest.raises(asyncio.CancelledError):
            await task

    task: asyncio.Task[None]
    asyncio.run(main())
    assert open_store().holder("big") is None
    rest = ids(read(big, state="big"))
    assert rest == [*range(rest[0], ROWS + 1)]
    assert 1 < rest[0] <= len(taken) + 1


def test_memory_is_bounded(big: Database) -> None:
    """What a batch was made of goes with it."""
    pa = pytest.importorskip("pyarrow")
    low = pa.total_allocated_bytes()
    for batch in read(big, batch_rows=2_000):
        batch.to_pandas()
        assert pa.total_allocated_bytes() - low < 16 << 20


def test_batches_go_into_a_target(big: Database, tmp_path: Path) -> None:
    """As they come."""
    config = {"path": str(tmp_path / "copy.db")}
    assert kozmo.write("target-sqlite", config, read(big, limit=25_000)) == 25_000
    (copy,) = kozmo.read("tap-sqlite", config, batch_rows=25_000)
    assert ids([copy]) == [*range(1, 25_001)]
