"""The standard target tests of Meltano's SDK for each target, with every row read back.

A new target joins by its entry in destinations.DESTINATIONS.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from singer_sdk.testing.config import SuiteConfig
from singer_sdk.testing.runners import TargetTestRunner
from singer_sdk.testing.suites import target_tests

from destinations import DESTINATIONS, Destination, Row, canonical
from kozmo_targets.sdk import sdk_target
from servers.postgres import Database

KINDS = {"integer": "integer", "number": "decimal", "string": "text", "boolean": "boolean"}
WITHOUT_NUL = {"target-postgres": {"nul_characters": "replace"}}


@dataclass
class Stream:
    """What a file of messages says that a stream must hold in the end."""

    kinds: dict[str, str]
    key: list[str]
    rows: list[Row]


@pytest.mark.parametrize("test", target_tests.tests, ids=lambda test: test.name)
@pytest.mark.parametrize("name", DESTINATIONS)
def test_a_target_passes_the_standard_tests_and_holds_the_rows(
    name: str, test: type[Any], tmp_path: Path, postgres: Database
) -> None:
    """The target behaves as the SDK demands, and its rows are those of the messages."""
    destination = DESTINATIONS[name](tmp_path, postgres)
    config = {**destination.config, **WITHOUT_NUL.get(name, {})}
    runner = TargetTestRunner(sdk_target(name), config=config, suite_config=SuiteConfig())
    checked = type(
        test.__name__, (test,), {"validate": lambda self: validate(self, destination, name)}
    )
    try:
        checked().run(SuiteConfig(), None, runner)
    finally:
        # The SDK opens the file of messages and leaves it open.
        if runner.target_input:
            runner.target_input.close()


def validate(test: Any, destination: Destination, name: str) -> None:
    """Compare all rows of all streams of the test's file with what stands in the destination."""
    if test.name in ("cli_prints", "invalid_schema", "record_before_schema"):
        return
    text = test.singer_filepath.read_text("utf-8")
    for stream, expected in streams(text, destination.upserts).items():
        if test.name == "record_missing_key_property":
            expected.rows = []
        # A record as a line has the fields that the schema had when it came.
        rows = [{**dict.fromkeys(expected.kinds), **row} for row in destination.rows(stream)]
        wanted = without_nul(expected.rows) if name in WITHOUT_NUL else expected.rows
        assert canonical(rows, expected.kinds) == canonical(wanted, expected.kinds), stream


def streams(text: str, upserts: bool) -> dict[str, Stream]:
    """Return what each stream of the messages *text* must hold."""
    found: dict[str, Stream] = {}
    for line in text.splitlines():
        message = json.loads(line)
        if message["type"] == "SCHEMA":
            properties = message["schema"]["properties"]
            before = found.get(message["stream"], Stream({}, [], []))
            kinds = {name: kind(schema) for name, schema in properties.items()}
            key = message.get("key_properties", [])
            found[message["stream"]] = Stream({**before.kinds, **kinds}, key, before.rows)
        elif message["type"] == "RECORD":
            take(found[message["stream"]], message["record"], upserts)
    for stream in found.values():
        stream.rows = [{name: row.get(name) for name in stream.kinds} for row in stream.rows]
    return found


def take(stream: Stream, record: Row, upserts: bool) -> None:
    """Add *record*, in the place of one with its key where the target updates."""
    if upserts and stream.key:
        key = [record.get(name) for name in stream.key]
        stream.rows = [r for r in stream.rows if [r.get(n) for n in stream.key] != key]
    stream.rows.append(record)


def kind(schema: dict[str, Any]) -> str:
    """Return how values of a property are to be compared."""
    types = schema.get("type", "string")
    names = [types] if isinstance(types, str) else [t for t in types if t != "null"]
    return KINDS.get(names[0], "json")


def without_nul(value: Any) -> Any:
    """Return *value* with U+FFFD in the place of every NUL."""
    if isinstance(value, str):
        return value.replace("\0", "\ufffd")
    if isinstance(value, dict):
        return {name: without_nul(item) for name, item in value.items()}
    return [without_nul(item) for item in value] if isinstance(value, list) else value
