"""Files that a target wrote, read back by a tap: all rows, of every format, in both lanes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date, datetime, time, timezone
from decimal import Context, Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from commands import Run
from file_readers import READERS
from kozmo_singer.systems.formats import FORMATS as READ
from kozmo_singer.systems.formats.writers import FORMATS as WRITTEN
from kozmo_singer.wire.rows import without_zone
from kozmo_singer.wire.types import LogicalType, from_schema
from kozmo_targets.files.naming import own_name
from postgres_kinds import CASES
from servers.postgres import Database

# Fixed widths have no form for some values.
BOTH = sorted((set(READ) & set(WRITTEN)) - {"fixed-width"})
FLOATS = {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}
CELLS = ("csv", "xml")
UNTYPED = (*CELLS, "avro", "excel")
"""Formats in which JSON is text like any other."""
Records = list[dict[str, Any]]


class Copies:
    """A source, and its copies in files, as records of taps."""

    def __init__(self, run: Run, folder: Path, source: Database) -> None:
        self.run, self.folder, self.source = run, folder, source
        self.schemas: dict[str, dict[str, Any]] = {}

    def expected(self) -> dict[str, Records]:
        """Return what the tap of the source says."""
        return self._said("tap-postgres", self.source.config, keep=True)

    def write(self, lane: str, **settings: Any) -> None:
        """Copy all streams."""
        target = {"path": str(self.folder / "out"), **settings}
        done = self.run(
            [
                "kozmo", "run", "tap-postgres", "target-files", "--lane", lane,
                "--tap-config", self._file("source.json", self.source.config),
                "--target-config", self._file("target.json", target),
            ]
        )  # fmt: skip
        assert done.code == 0, done.err

    def read(self, format: str, expected: Mapping[str, Records]) -> dict[str, Records]:
        """Return what tap-files says of the copies of streams with the rows *expected*."""
        files = [
            {
                "path": str(self.folder / "out" / own_name(stream)),
                "stream": stream,
                "format": format,
                **self._columns(rows, format),
            }
            for stream, rows in expected.items()
        ]
        found = self._said("tap-files", {"files": files})
        if format in UNTYPED:
            for stream, rows in found.items():
                found[stream] = [self.parsed(stream, row) for row in rows]
        return found

    def _columns(self, rows: Records, format: str) -> dict[str, Any]:
        """Of files of text, all that is in them, as it stands there."""
        there = {name for row in rows for name, value in row.items() if value is not None}
        return {"columns": dict.fromkeys(there, "string")} if format in CELLS else {}

    def parsed(self, stream: str, row: dict[str, Any]) -> dict[str, Any]:
        """Return *row* with the values that its texts are JSON of."""
        types = {n: from_schema(s)[0].name for n, s in self.schemas[stream]["properties"].items()}
        return {
            name: json.loads(text, parse_float=Decimal)
            if isinstance(text, str) and types[name] in ("json", "boolean")
            else text
            for name, text in row.items()
        }

    def _said(
        self, tap: str, config: Mapping[str, Any], *, keep: bool = False
    ) -> dict[str, Records]:
        done = self.run([tap, "--config", self._file("tap.json", config)])
        assert done.code == 0, done.err
        found: dict[str, Records] = {}
        for line in done.out.splitlines():
            message = json.loads(line, parse_float=Decimal)
            if message["type"] == "SCHEMA" and keep:
                self.schemas[message["stream"]] = message["schema"]
            elif message["type"] == "RECORD":
                found.setdefault(message["stream"], []).append(message["record"])
        return found

    def _file(self, name: str, content: Any) -> Path:
        path = self.folder / name
        path.write_text(json.dumps(content))
        return path

    def same(self, stream: str, rows: Records) -> list[str]:
        """Return *rows* as texts in which equal values are equal, in order."""
        properties = self.schemas[stream]["properties"]
        types = {name: from_schema(said)[0] for name, said in properties.items()}
        return sorted(
            repr([(name, _same(type, row.get(name))) for name, type in types.items()])
            for row in rows
        )


def _same(type: LogicalType, value: Any) -> Any:
    """Return *value* in the one form that all equal ones have."""
    if isinstance(value, datetime):
        aware = value.tzinfo is not None or type.name == "timestamptz"
        value = value.replace(tzinfo=value.tzinfo or timezone.utc) if aware else value
    if isinstance(value, date | time):
        value = value.isoformat()[:10] if type.name == "date" else value.isoformat()
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, float) and type == LogicalType("float", bits=32):
        # The shortest name of a float of 32 bit is not that of the double that is equal to it.
        value = pa.scalar(value, pa.float32()).cast(pa.string()).as_py()
        value = FLOATS.get(value, value)
    if isinstance(value, float):
        value = FLOATS.get(repr(value), Decimal(repr(value)))
    if isinstance(value, str):
        if type.name in ("integer", "decimal", "float"):
            return str(EXACT.normalize(Decimal(value)))
        if type.name in ("timestamp", "timestamptz") and value[:4].isdigit():
            return _moment(without_zone(value) if type.name == "timestamp" else value)
        return value.lower() if type.name == "binary" else value
    if isinstance(value, dict | list):
        return json.dumps(value, sort_keys=True, default=str)
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        return str(EXACT.normalize(Decimal(value)))
    return value


def _without_empty(row: dict[str, Any]) -> dict[str, Any]:
    return {name: None if value == "" else value for name, value in row.items()}


EXACT = Context(prec=100)


def _moment(text: str) -> str:
    try:
        found = datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        return text
    return str(found.astimezone(timezone.utc) if found.tzinfo else found)


@pytest.fixture
def copies(run: Run, tmp_path: Path, kinds: Database) -> Copies:
    """A value of every type of PostgreSQL, a null, and the value again, a stream a type."""
    return Copies(run, tmp_path, kinds)


@pytest.mark.parametrize("lane", ["text", "arrow"])
@pytest.mark.parametrize("format", BOTH)
def test_every_kind_of_value_comes_back(copies: Copies, format: str, lane: str) -> None:
    """What is null is null, what is empty is empty, and digits are what they were."""
    expected = copies.expected()
    assert len(expected) == len(CASES)
    copies.write(lane, format=format)
    found = copies.read(format, expected)
    if format == "excel":
        # Its reader does not tell empty text from no cell at all.
        expected = {s: [_without_empty(row) for row in rows] for s, rows in expected.items()}
    differing = {
        f"{stream} ({CASES[int(stream.rpartition('k')[2])][0]})": (
            copies.same(stream, found.get(stream, [])), copies.same(stream, rows)
        )
        for stream, rows in expected.items()
        if copies.same(stream, found.get(stream, [])) != copies.same(stream, rows)
    }  # fmt: skip
    assert differing == {}


@pytest.mark.parametrize("lane", ["text", "arrow"])
@pytest.mark.parametrize("format", READERS)
def test_others_read_every_kind_of_value(copies: Copies, format: str, lane: str) -> None:
    """What other libraries find in the files is what the source has."""
    expected = copies.expected()
    copies.write(lane, format=format)
    for stream, rows in expected.items():
        paths = sorted((copies.folder / "out" / own_name(stream)).glob("[!.]*"))
        found = [row for path in paths for row in READERS[format](path)]
        if not format.startswith("json"):
            found = [copies.parsed(stream, row) for row in found]
        kind = CASES[int(stream.rpartition("k")[2])]
        assert copies.same(stream, found) == copies.same(stream, rows), (stream, kind)
