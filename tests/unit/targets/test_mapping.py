"""The slow path: lines in, lines out."""

from __future__ import annotations

import io
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from kozmo_singer.errors import ConfigError, RecordError
from kozmo_singer.mapping import Mapper
from kozmo_targets.batch import record_lines
from kozmo_targets.jsonl import TargetJSONL
from messages import NUMBER, TEXT, activate, lines, load, record, schema

ID = {"id": {"type": "integer"}}


def mapper(**settings: Any) -> Mapper:
    """A mapper with these settings."""
    return Mapper("target-x", settings, record_lines)


def through(mapper: Mapper, data: bytes) -> list[Any]:
    """The messages that come out for lines that go in."""
    found: list[Any] = []
    for number, line in enumerate(data.split(b"\n")[:-1], 1):
        out = mapper.line(line + b"\n", number)
        found += [json.loads(part, parse_float=Decimal) for part in out.split(b"\n")[:-1]] or [None]
    return found


def test_a_record_that_is_left_out_keeps_its_line(tmp_path: Path) -> None:
    """So that numbers of lines in errors are those of the input."""
    target = TargetJSONL({"path": str(tmp_path), "stream_maps": {"t": {"__filter__": "id > 1"}}})
    rows = [record("t", {"id": 1}), record("t", {"id": 2}, 7), record("t", {"id": "x", "other": 1})]
    with pytest.raises(RecordError, match="line 4"):
        load(target, schema("t", ID), rows)
    assert (tmp_path / "t.jsonl").read_text() == '{"id":2}\n'


def test_a_stream_may_become_two_or_none() -> None:
    """Its versions go with it."""
    maps = {"copy": {"__source__": "t"}, "gone": "__NULL__"}
    found = through(
        mapper(stream_maps=maps),
        lines(schema("t", ID), record("t", {"id": 1}), activate("t", 5), schema("gone", ID)),
    )
    assert [(m["type"], m["stream"]) if m else None for m in found] == [
        ("SCHEMA", "t"),
        ("SCHEMA", "copy"),
        ("RECORD", "t"),
        ("RECORD", "copy"),
        ("ACTIVATE_VERSION", "t"),
        ("ACTIVATE_VERSION", "copy"),
        None,
    ]


def test_digits_and_what_the_schema_says_beside_its_properties_survive() -> None:
    """A mapped stream is still that of a full table."""
    start = schema("t", {**ID, "d": NUMBER}, **{"x-kozmo-replication-method": "FULL_TABLE"})
    row = {"id": 2**70, "d": Decimal("0.10000000000000000000000001")}
    found = through(mapper(stream_maps={"t": {"extra": "'x'"}}), lines(start, record("t", row)))
    assert found[0]["schema"]["x-kozmo-replication-method"] == "FULL_TABLE"
    assert found[1]["record"] == {**row, "extra": "x"}


@pytest.mark.parametrize("line", [b"", b"no json\n", b'{"type":"STATE","value":{}}\n', b"[1]\n",
                                  b'{"type":"RECORD","stream":"u","record":{}}\n',
                                  b'{"type":"SCHEMA","stream":"u","schema":7}\n'])  # fmt: skip
def test_what_is_no_business_of_the_mapper_passes_as_it_is(line: bytes) -> None:
    """The reader behind it says what is wrong, with the right line."""
    assert mapper(stream_maps={"t": {"x": "1"}}).line(line, 1) == line


def test_an_expression_that_fails_names_the_record(tmp_path: Path) -> None:
    """Rows before it are kept."""
    target = TargetJSONL({"path": str(tmp_path), "stream_maps": {"t": {"x": "float(name)"}}})
    rows = [record("t", {"id": 1, "name": "1.5"}), record("t", {"id": 2, "name": "none"})]
    with pytest.raises(RecordError, match="line 3: the stream map failed: .*none"):
        load(target, schema("t", {**ID, "name": TEXT}), rows)
    assert json.loads((tmp_path / "t.jsonl").read_text()) == {"id": 1, "name": "1.5", "x": 1.5}


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"flattening_enabled": True}, "flattening_max_depth is required"),
        ({"stream_maps": {"__nonsense__": {}}}, "__nonsense__"),
    ],
)
def test_settings_that_make_no_sense_are_refused(
    tmp_path: Path, settings: dict[str, Any], said: str
) -> None:
    """Before a line is read."""
    target = TargetJSONL({"path": str(tmp_path), **settings})
    with pytest.raises(ConfigError, match=said):
        target.run(io.BytesIO(lines(schema("t", ID))), io.BytesIO())
