"""What every tap must do, asked of each in turn.

A new tap joins by its entry in sources.MORE_SOURCES.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from singer_sdk.testing.config import SuiteConfig
from singer_sdk.testing.runners import TapTestRunner
from singer_sdk.testing.suites import tap_stream_attribute_tests, tap_stream_tests, tap_tests

from kozmo_taps.sdk import sdk_tap
from servers.postgres import Database
from sources import COUNT, MORE_SOURCES, Source

WHOLE = SuiteConfig(max_records_limit=None)
TIME = re.compile(rb',"time_extracted":"[^"]*"')


@pytest.fixture(params=MORE_SOURCES)
def source(request: pytest.FixtureRequest, tmp_path: Path, postgres: Database) -> Source:
    """A database with COUNT orders, and the tap that reads it."""
    made: Source = MORE_SOURCES[request.param](tmp_path, postgres)
    return made


@pytest.fixture
def tap(source: Source, run: Any, tmp_path: Path) -> Callable[..., Any]:
    """Run the tap: tap(*arguments, **config) -> Result."""

    def call(*arguments: str, **config: Any) -> Any:
        path = tmp_path / "config.json"
        path.write_text(json.dumps({**source.config, **config}))
        return run([source.tap, "--config", path, *arguments])

    return call


def messages(out: bytes) -> list[dict[str, Any]]:
    """The lines of *out*, parsed."""
    return [json.loads(line) for line in out.split(b"\n") if line]


def test_the_standard_tests_of_the_sdk_pass(source: Source) -> None:
    """All of them: of the tap, of its streams, and of each property."""
    runner = TapTestRunner(sdk_tap(source.tap), config=source.config, suite_config=WHOLE)
    runner.sync_all()
    assert len(runner.records[source.stream]) == COUNT
    ran = 0
    for suite in tap_tests.tests:
        suite().run(WHOLE, None, runner)
        ran += 1
    for stream in runner.new_tap().streams.values():
        for each in tap_stream_tests.tests:
            each().run(WHOLE, None, runner, stream)
            ran += 1
        for name, schema in stream.schema["properties"].items():
            if "object" in schema["type"]:
                # A json column may hold a boolean; the SDK's test would have each value be one.
                continue
            for attribute in tap_stream_attribute_tests.tests:
                if attribute.evaluate(stream=stream, property_name=name, property_schema=schema):
                    attribute().run(WHOLE, None, runner, stream, name)
                    ran += 1
    assert ran > len(tap_tests.tests) + len(tap_stream_tests.tests)


def test_the_sdk_reads_the_records_that_the_tap_writes(source: Source) -> None:
    """Code that iterates over a stream of the SDK gets every record."""
    [stream] = sdk_tap(source.tap)(config=source.config).streams.values()
    runner = TapTestRunner(sdk_tap(source.tap), config=source.config, suite_config=WHOLE)
    runner.sync_all()
    records = [json.loads(json.dumps(r, default=float)) for r in stream.get_records(None)]
    assert records == runner.records[source.stream]


@pytest.mark.parametrize("mode", ["--test", "--test=schema"])
def test_the_tap_tests_itself(tap: Callable[..., Any], mode: str) -> None:
    """--test reads a record of each stream; --test=schema writes the schemas only."""
    done = tap(mode)
    kinds = {message["type"] for message in messages(done.out)}
    assert (done.code, "RECORD" in kinds) == (0, mode == "--test"), done.err


def test_stream_maps_give_the_same_bytes_where_they_change_nothing(
    source: Source, tap: Callable[..., Any]
) -> None:
    """The slow path writes what the fast path writes."""
    fast = tap()
    slow = tap(stream_maps={"no such stream": {"__filter__": "False"}})
    assert (fast.code, slow.code) == (0, 0), slow.err
    assert fast.out.count(b'"RECORD"') == COUNT
    assert TIME.sub(b"", slow.out) == TIME.sub(b"", fast.out)


def test_stream_maps_change_filter_and_rename(source: Source, tap: Callable[..., Any]) -> None:
    """Expressions see the values of the record; floats are floats, decimals exact."""
    maps = {
        source.stream: {
            "__alias__": "sold",
            "__filter__": "record['id'] <= 10",
            "__key_properties__": ["id"],
            "id": "id",
            "name": "customer.upper()",
            "half": "None if share is None else share * 0.5",
            "total": "total",
            "__else__": None,
        }
    }
    done = tap(stream_maps=maps)
    found = messages(done.out)
    assert done.code == 0, done.err
    [schema] = [m for m in found if m["type"] == "SCHEMA"]
    assert (schema["stream"], schema["key_properties"]) == ("sold", ["id"])
    assert list(schema["schema"]["properties"]) == ["id", "name", "half", "total"]
    expected = [
        {
            "id": row["id"],
            "name": row["customer"].upper(),
            "half": None if row["share"] is None else row["share"] * 0.5,
            "total": None if row["total"] is None else float(row["total"]),
        }
        for row in source.rows[:10]
    ]
    got = sorted((m["record"] for m in found if m["type"] == "RECORD"), key=lambda r: r["id"])
    assert got == expected


def test_a_stream_map_that_cannot_be_understood_is_an_error(
    source: Source, tap: Callable[..., Any]
) -> None:
    """It names the stream and the expression's fault."""
    done = tap(stream_maps={source.stream: {"x": "no_such_name + 1"}})
    assert done.code == 1
    assert "stream map failed" in done.err
    assert len(done.err.splitlines()) <= 8
    assert "Traceback" not in done.err


def test_a_limit_reads_so_many_rows_and_the_rest_comes_next(
    source: Source, tap: Callable[..., Any], tmp_path: Path
) -> None:
    """A preview moves the bookmark no further than what it showed."""
    first = tap("--limit", "10")
    state = tmp_path / "state.json"
    states = [m["value"] for m in messages(first.out) if m["type"] == "STATE"]
    state.write_text(json.dumps(states[-1]))
    rest = tap("--state", str(state))
    assert (first.code, rest.code) == (0, 0), rest.err
    ids = [
        m["record"]["id"]
        for done in (first, rest)
        for m in messages(done.out)
        if m["type"] == "RECORD"
    ]
    assert first.out.count(b'"RECORD"') == 10
    assert sorted(ids) == [row["id"] for row in source.rows]


def test_a_second_run_finds_nothing_new_and_a_third_finds_what_came(
    source: Source, tap: Callable[..., Any], tmp_path: Path
) -> None:
    """Rows that share the bookmark's value are told apart."""
    state = tmp_path / "state.json"
    state.write_text("{}")

    def ids() -> list[int]:
        done = tap("--state", str(state))
        assert done.code == 0, done.err
        found = messages(done.out)
        states = [m["value"] for m in found if m["type"] == "STATE"]
        if states:
            state.write_text(json.dumps(states[-1]))
        return [m["record"]["id"] for m in found if m["type"] == "RECORD"]

    assert sorted(ids()) == [row["id"] for row in source.rows]
    assert ids() == []
    twin = {**source.row(COUNT), "id": COUNT + 1}
    later = source.row(COUNT + 2)
    source.insert([twin, later])
    assert ids() == [COUNT + 1, COUNT + 2]
    assert ids() == []
