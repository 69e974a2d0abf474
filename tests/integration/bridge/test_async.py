"""The twins for event loops: the same results, a loop that goes on, a clean end when cancelled."""

import asyncio
import json

import pytest

import kozmo_bridge as kozmo
from kozmo_runner.stores import open_store
from kozmo_singer.errors import ConfigError


async def ticks(stop: asyncio.Event) -> int:
    """How often the loop came by until *stop*."""
    count = 0
    while not stop.is_set():
        count += 1
        await asyncio.sleep(0.005)
    return count


async def until(done) -> None:
    """Return once *done* says so, in half a minute at most."""
    end = asyncio.get_running_loop().time() + 30
    while not done():
        assert asyncio.get_running_loop().time() < end
        await asyncio.sleep(0.005)


def test_the_twins_give_what_the_others_give(shop, tmp_path):
    """Each of them."""

    async def main():
        config = shop.config
        assert await kozmo.acheck("tap-sqlite", config) != ""
        catalog = await kozmo.adiscover("tap-sqlite", config)
        assert [s.tap_stream_id for s in catalog.streams] == ["orders", "returns"]
        assert await kozmo.acount("tap-sqlite", config) == {"orders": 2500, "returns": 0}
        preview = await kozmo.apreview("tap-sqlite", config, rows=2)
        assert {name: len(batch) for name, batch in preview.items()} == {"orders": 2, "returns": 0}
        found = [batch async for batch in kozmo.aread("tap-sqlite", config, batch_rows=900)]
        assert [len(batch) for batch in found] == [900, 900, 700]
        target = {"path": str(tmp_path / "out")}
        assert await kozmo.awrite("target-jsonl", target, found) == 2500

    asyncio.run(main())
    lines = (tmp_path / "out" / "orders.jsonl").read_text().splitlines()
    assert [json.loads(line)["id"] for line in lines] == [row[0] for row in shop.rows]


def test_the_loop_goes_on_while_a_tap_is_slow(counting):
    """Reading waits in a thread."""

    async def main():
        stop = asyncio.Event()
        ticking = asyncio.create_task(ticks(stop))
        async with kozmo.aread(counting, {"rows": 1, "pause": 0.5}) as reading:
            assert [len(batch) async for batch in reading] == [1]
            assert reading.state == {"bookmarks": {"numbers": {"id": 1}}}
        stop.set()
        return await ticking

    assert asyncio.run(main()) > 20


def test_a_cancelled_reading_stops_its_tap_and_keeps_its_bookmark(counting):
    """The state covers what had been taken; the name is free again."""
    taken = []

    async def consume():
        config = {"rows": 10**6, "pause": 0.002}
        async with kozmo.aread(counting, config, state="n", batch_rows=10) as reading:
            while True:
                taken.append((await anext(reading)).rows[-1][0])

    async def main():
        task = asyncio.create_task(consume())
        await until(lambda: len(taken) >= 5)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    kept = open_store().get("n")
    assert kept.state["bookmarks"]["numbers"]["id"] in (taken[-1] - 10, taken[-1])
    assert open_store().holder("n") is None


def test_a_cancelled_write_replaces_nothing(tmp_path, counting):
    """The target learns that the data is incomplete."""
    config = {"path": str(tmp_path / "out"), "load_method": "overwrite"}
    kozmo.write("target-jsonl", config, [{"id": 0}], stream="numbers")

    async def main():
        endless = kozmo.read(counting, {"rows": 10**9})
        task = asyncio.create_task(kozmo.awrite("target-jsonl", config, endless))
        part = tmp_path / "out" / ".numbers.jsonl.part"
        await until(lambda: part.exists() and part.stat().st_size > 0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    assert (tmp_path / "out" / "numbers.jsonl").read_text() == '{"id":0}\n'


def test_errors_are_the_same(shop):
    """In the same words."""

    async def main():
        with pytest.raises(ConfigError, match="did you mean 'tap-sqlite'"):
            await anext(kozmo.aread("tap-sqlit"))
        with pytest.raises(ConfigError, match="did you mean 'path'"):
            await kozmo.apreview("tap-sqlite", {"pth": shop.config["path"]})

    asyncio.run(main())
