"""What our taps write is read by singer-python 6.8, the library of the classic taps and targets."""

import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from commands import Run
from destinations import FIXTURES
from kozmo_taps.registry import TAPS
from piping import config
from servers.postgres import Database
from sources import APART, MORE_SOURCES, Source

PARSE = FIXTURES / "singer_python" / "parse.py"
WAYS = {
    "full table": {"replication_method": "FULL_TABLE"},
    "versions": {"replication_method": "FULL_TABLE", "emit_activate_version_messages": True},
    "incremental": {},
    "decimals as text": {"decimal_format": "string"},
}


@pytest.fixture(params=sorted({*TAPS} - APART))
def source(request: pytest.FixtureRequest, tmp_path: Path, postgres: Database) -> Source:
    """Each tap in turn with a database to read; a new tap joins by its line in sources.py."""
    return MORE_SOURCES[request.param](tmp_path, postgres)


@pytest.fixture
def programs(environment: Callable[[str], Path]) -> Path:
    """The programs of the environment with singer-python and singer-tools."""
    return environment("singer-python")


@pytest.fixture(params=WAYS)
def output(request: pytest.FixtureRequest, run: Run, tmp_path: Path, source: Source) -> bytes:
    """All that a tap writes in one run."""
    settings = {**source.config, **WAYS[request.param]}
    done = run([source.tap, "--config", config(tmp_path, "tap", settings)])
    assert done.code == 0, done.err
    return done.out


def test_every_message_parses(run: Run, programs: Path, output: bytes) -> None:
    """singer.parse_message understands each line, and loses nothing of it."""
    done = run([programs / "python", PARSE], stdin=output)
    assert done.code == 0, done.err
    sent, understood = exact(output), exact(done.out)
    assert [plain(m) for m in understood] == [plain(m) for m in sent]
    assert {m["type"] for m in sent} >= {"SCHEMA", "RECORD", "STATE"}


def test_singer_check_tap_passes(run: Run, programs: Path, output: bytes) -> None:
    """singer-tools validates every record by its schema, decimals and moments included.

    It is given the lines: the tap it starts itself is read in a thread that it does not wait for.
    """
    done = run([programs / "singer-check-tap"], stdin=output)
    assert done.code == 0, done.err
    said = done.out.decode()
    assert "The output is valid." in said
    records = len([m for m in exact(output) if m["type"] == "RECORD"])
    assert f"{records:7} record messages" in said


def test_every_catalog_loads(run: Run, tmp_path: Path, programs: Path, source: Source) -> None:
    """Catalog.from_dict takes what --discover prints, and finds all that it looks for."""
    found = run([source.tap, "--config", config(tmp_path, "tap", source.config), "--discover"])
    assert found.code == 0, found.err
    done = run([programs / "python", PARSE, "--catalog"], stdin=found.out)
    assert done.code == 0, done.err
    ours, theirs = json.loads(found.out)["streams"], json.loads(done.out)["streams"]
    assert len(ours) == len(theirs) > 0
    for one, other in zip(ours, theirs, strict=True):
        for field in ("tap_stream_id", "stream", "key_properties", "table_name", "metadata"):
            assert other[field] == one[field]
        assert list(other["schema"]["properties"]) == list(one["schema"]["properties"])


def exact(lines: bytes) -> list[Any]:
    """Return the messages of *lines*, numbers digit by digit."""
    return [json.loads(line, parse_float=Decimal) for line in lines.splitlines()]


def plain(message: dict[str, Any]) -> dict[str, Any]:
    """Return *message* without what singer-python writes in its own way or leaves out."""
    return {k: v for k, v in message.items() if v not in (None, []) and k != "time_extracted"}
