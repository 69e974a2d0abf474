"""The Python interface: each call, plain and for event loops, and how it is broken off."""

import asyncio
import json
import os
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from kozmo_runner import api
from kozmo_singer.errors import ConfigError, ConnectError, DiscoverError, ReadError, WriteError
from kozmo_singer.wire.decode import Reader
from kozmo_singer.wire.rows import Rows

SLOW = {"rows": 100_000, "pause": 0.05}


def _ids(source: Any) -> list[int]:
    found = []
    for message in Reader(source):
        if isinstance(message, Rows):
            found += [row[0] for row in message.tuples()]
    return found


def _lines(count: int) -> bytes:
    messages: list[dict[str, Any]] = [
        {"type": "SCHEMA", "stream": "numbers", "key_properties": ["id"],
         "schema": {"properties": {"id": {"type": "integer"}}}},
    ]  # fmt: skip
    messages += [
        {"type": "RECORD", "stream": "numbers", "record": {"id": n}} for n in range(1, count + 1)
    ]
    messages.append({"type": "STATE", "value": {"n": count}})
    return b"".join(json.dumps(message).encode() + b"\n" for message in messages)


def test_a_stream_is_read_to_its_end(tap: str) -> None:
    """All rows, the catalog that was used, and a good end."""
    with api.stream(tap, {"rows": 2000}) as reading:
        assert _ids(reading.stdout.fileno()) == list(range(1, 2001))
        reading.wait()
    assert reading.catalog is not None
    assert [s.tap_stream_id for s in reading.catalog.selected()] == ["numbers"]


def test_a_stream_goes_on_from_a_state(tap: str) -> None:
    """Given as a mapping."""
    with api.stream(tap, {"rows": 9}, state={"bookmarks": {"numbers": {"id": 7}}}) as reading:
        assert _ids(reading.stdout) == [8, 9]


def test_leaving_early_stops_the_tap(tap: str) -> None:
    """Whatever it had still to say; closing twice does no harm."""
    began = time.monotonic()
    with api.stream(tap, SLOW) as reading:
        assert reading.stdout.read(10)
    reading.close()
    assert time.monotonic() - began < 10


def test_a_tap_that_fails_says_why(tap: str) -> None:
    """After its rows, with its own words, which `tail` holds too."""
    with api.stream(tap, {"rows": 9, "die_at": 5}) as reading:
        assert _ids(reading.stdout) == [1, 2, 3, 4]
        with pytest.raises(ReadError, match="RuntimeError: the source is on fire"):
            reading.wait()
        assert reading.tail[-1] == "RuntimeError: the source is on fire"


def test_a_target_is_fed(target: str, landed: Any) -> None:
    """And gives its last state."""
    with api.feed(target, landed.config) as writing:
        writing.stdin.write(_lines(5))
        assert writing.finish() == {"n": 5}
    assert landed.ids == [1, 2, 3, 4, 5]


def test_a_target_that_fails_says_why(target: str, landed: Any) -> None:
    """With its own words."""
    with api.feed(target, {**landed.config, "die_at": 3}) as writing:
        writing.stdin.write(_lines(5))
        with pytest.raises(WriteError, match=r"target-lines failed\n  the disk is full"):
            writing.finish()


def test_a_feed_that_is_given_up_is_not_complete(tmp_path: Path) -> None:
    """A target of ours replaces nothing, though all lines that it got are good."""
    config = {"path": str(tmp_path / "x.db"), "load_method": "overwrite"}
    with api.feed("target-sqlite", config) as writing:
        writing.stdin.write(_lines(5))
        assert writing.finish() == {"n": 5}
    with pytest.raises(KeyError), api.feed("target-sqlite", config) as writing:
        writing.stdin.write(_lines(2))
        raise KeyError
    assert api.count("tap-sqlite", {"path": str(tmp_path / "x.db")}) == {"numbers": 5}


def test_about_of_ours_and_of_others(tap: str) -> None:
    """Settings as a JSON Schema; of a plug-in that does not tell, its name."""
    told = api.about("target-sqlite")
    assert told["name"] == "target-sqlite"
    assert "path" in told["settings"]["properties"]
    assert api.about(tap) == {
        "name": "tap-counting", "description": "", "capabilities": [], "settings": {},
    }  # fmt: skip


def test_errors_are_of_their_kind(tap: str, target: str) -> None:
    """So that a host can tell them apart."""
    with pytest.raises(ConfigError, match="there is no tap called"):
        api.discover("tap-nowhere")
    with pytest.raises(DiscoverError, match="login refused"):
        api.discover(tap, {"refuse": True})
    with pytest.raises(ConnectError, match="is not ready"):
        api.check(target, {"path": "/nowhere/at/all"})
    with pytest.raises(ConfigError, match="has no setting 'paht'"):
        api.check("target-jsonl", {"paht": "x"})


def test_a_tap_that_does_not_answer_in_time(tmp_path: Path) -> None:
    """Is ended, and the error says how long it had."""
    script = tmp_path / "tap_slow.py"
    script.write_text(
        "import sys, time\n"
        "if '--help' in sys.argv: print('--discover'); sys.exit()\n"
        "time.sleep(60)\n"
    )
    with pytest.raises(api.KozmoError, match="tap-slow did not answer within 0.5 s"):
        api.discover(str(script), timeout=0.5)


def test_log_lines_before_a_catalog_are_passed_over(tmp_path: Path) -> None:
    """Some taps print greetings on stdout; what is no catalog at all is an error."""
    script = tmp_path / "tap_chatty.py"
    script.write_text(
        "import sys\n"
        "if '--help' in sys.argv: print('--discover')\n"
        "elif '--discover' in sys.argv: print('hello\\n{\"streams\": []}')\n"
    )
    assert api.discover(str(script)).streams == []
    script.write_text("import sys\nprint('--discover' if '--help' in sys.argv else 'hello')\n")
    with pytest.raises(DiscoverError, match=r"printed no JSON where a catalog was expected"):
        api.discover(str(script))


def test_event_loops_are_served(tap: str, target: str, landed: Any) -> None:
    """Every call has a second form that awaits."""

    async def all_of_it() -> None:
        catalog, counts, told, report = await asyncio.gather(
            api.adiscover(tap),
            api.acount(tap, {"rows": 3}),
            api.aabout("target-sqlite"),
            api.arun(tap, target, tap_config={"rows": 3}, target_config=landed.config),
        )
        assert [s.stream for s in catalog.streams] == ["numbers"]
        assert counts == {"numbers": 3}
        assert told["name"] == "target-sqlite"
        assert report.status == "done"
        assert "discovery answers" in await api.acheck(tap)
        async with api.astream(tap, {"rows": 4}) as reading:
            assert await asyncio.to_thread(_ids, reading.stdout) == [1, 2, 3, 4]
        async with api.afeed(target, landed.config) as writing:
            await asyncio.to_thread(writing.stdin.write, _lines(2))
            assert await asyncio.to_thread(writing.finish) == {"n": 2}

    asyncio.run(all_of_it())
    assert landed.ids == [1, 2, 3, 1, 2]


@pytest.mark.parametrize("call", ["run", "count", "stream", "discover"])
def test_cancelling_a_task_ends_its_processes(
    call: str, tap: str, target: str, landed: Any, tmp_path: Path
) -> None:
    """CancelledError arrives once they are gone, and a run has kept its state."""
    sleeper = tmp_path / "tap_sleeper.py"
    sleeper.write_text("import time\ntime.sleep(60)\n")

    async def read() -> None:
        async with api.astream(tap, SLOW) as reading:
            await asyncio.to_thread(_ids, reading.stdout)

    calls = {
        "run": lambda: api.arun(tap, target, tap_config=SLOW, target_config=landed.config),
        "count": lambda: api.acount(tap, SLOW),
        "stream": read,
        "discover": lambda: api.adiscover(str(sleeper)),
    }

    async def cancelled() -> None:
        task = asyncio.create_task(calls[call]())
        await asyncio.sleep(1.5)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    began = time.monotonic()
    asyncio.run(cancelled())
    assert time.monotonic() - began < 12
    assert not list((tmp_path / "tmp").iterdir())


def test_a_run_from_a_thread_that_ends_goes_on(tap: str, target: str, landed: Any) -> None:
    """Processes belong to the host, not to the thread that happened to start them."""
    opened: list[api.TapStream] = []
    starter = threading.Thread(target=lambda: opened.append(api.stream(tap, {"rows": 9}).open()))
    starter.start()
    starter.join()
    with opened[0] as reading:
        assert _ids(reading.stdout) == list(range(1, 10))
        reading.wait()


def test_a_host_of_many_runs_leaks_no_descriptor(tap: str, target: str, landed: Any) -> None:
    """Ten runs, ten streams, and as many files open as before."""

    def once() -> None:
        api.run(tap, target, tap_config={"rows": 1}, target_config=landed.config)
        with api.stream(tap, {"rows": 1}) as reading:
            reading.stdout.read()

    once()
    before = len(os.listdir("/proc/self/fd"))
    threads = threading.active_count()
    for _ in range(5):
        once()
    assert len(os.listdir("/proc/self/fd")) == before
    assert threading.active_count() == threads
