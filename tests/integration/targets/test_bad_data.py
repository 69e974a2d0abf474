"""Every case of bad data in every target: loaded exactly as stated, or refused in words."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from decimal import Decimal
from importlib import import_module
from pathlib import Path
from typing import Any
from urllib.parse import unquote_to_bytes

import pytest

from bad_data import KOZMO, POSTGRES, SECTIONS, SQLITE, TARGETS, Case, Kept, Refused
from destinations import DESTINATIONS, Files
from kozmo_singer.errors import KozmoError, show
from kozmo_targets.registry import TARGETS as REGISTRY
from kozmo_targets.target import Target
from messages import load_bytes
from servers.postgres import Database

CASES = [
    pytest.param(case, target, id=f"{case.title}, {target}")
    for cases in SECTIONS.values()
    for case in cases
    for target in TARGETS
]
_CUT = re.compile(r"(.)\1{40,}1?[_~][0-9a-f]{8,16}")
Found = dict[str, list[dict[str, Any]]]


class Place:
    """A target and the empty place that it loads into."""

    def __init__(self, target: str, folder: Path, database: Database) -> None:
        self.target, self.folder, self.database = target, folder, database
        self.destination = DESTINATIONS[target](folder, database)
        self.config = self.destination.config
        self.config.pop("default_target_schema", None)

    def make(self, **settings: Any) -> Target:
        """Return the target."""
        module, _, name = REGISTRY[self.target].target.partition(":")
        kind: type[Target] = getattr(import_module(module), name)
        return kind({**self.config, **settings})

    def found(self) -> Found:
        """Return all that is there, by table or stream."""
        if isinstance(self.destination, Files):
            return self._folders(self.destination)
        return {POSTGRES: self._postgres, SQLITE: self._sqlite}.get(self.target, self._files)()

    def _folders(self, files: Files) -> Found:
        folders = files.folder.iterdir() if files.folder.exists() else ()
        return {
            unquote_to_bytes(folder.name).decode("utf-8", "surrogatepass"): [
                row for path in sorted(folder.glob("[!.]*")) for row in files.read(path)
            ]
            for folder in folders
        }

    def _postgres(self) -> Found:
        found: Found = {}
        tables = self.database.execute(
            "SELECT c.oid, relname FROM pg_class c WHERE relkind = 'r' AND relnamespace NOT IN "
            "('pg_catalog'::regnamespace, 'information_schema'::regnamespace)"
        )
        for oid, name in tables:
            columns = self.database.execute(
                "SELECT attname, quote_ident(attname) FROM pg_attribute "
                f"WHERE attrelid = {oid} AND attnum > 0 ORDER BY attnum"
            )
            quoted = ", ".join(f"{column}::text" for _, column in columns)
            ((place,),) = self.database.execute(f"SELECT {oid}::regclass::text")
            with closing(self.database.connect()) as connection:
                rows = connection.execute(f"SELECT {quoted} FROM {place}".encode()).fetchall()
            names = [column for column, _ in columns]
            found[name] = [dict(zip(names, row, strict=True)) for row in rows]
        return found

    def _sqlite(self) -> Found:
        found: Found = {}
        with closing(sqlite3.connect(self.config["path"])) as connection:
            connection.row_factory = sqlite3.Row
            tables = "SELECT name FROM sqlite_master WHERE type = 'table'"
            for (name,) in connection.execute(tables).fetchall():
                quoted = '"' + name.replace('"', '""') + '"'
                rows = connection.execute(f"SELECT * FROM {quoted}").fetchall()
                found[name] = [dict(row) for row in rows]
        return found

    def _files(self) -> Found:
        found: Found = {}
        for path in (self.folder / "destination").glob("*.jsonl"):
            name = unquote_to_bytes(path.stem).decode("utf-8", "surrogatepass")
            rows = [
                json.loads(line, parse_float=Decimal, object_pairs_hook=_object)
                for line in path.read_bytes().split(b"\n")[:-1]
            ]
            found[name] = [row["data"] for row in rows] if self.target == KOZMO else rows
        return found

    def expected(self, tables: Mapping[str, Any]) -> Found:
        """Return *tables* in the form of `found`: PostgreSQL is asked for text."""
        if self.target != POSTGRES:
            return {name: [dict(row) for row in rows] for name, rows in tables.items()}
        return {
            name: [
                {k: str(v) if isinstance(v, int | Decimal) else v for k, v in row.items()}
                for row in rows
            ]
            for name, rows in tables.items()
        }


def _object(pairs: list[tuple[str, Any]]) -> Any:
    """A dict, or the pairs where a key comes twice."""
    return dict(pairs) if len(dict(pairs)) == len(pairs) else pairs


def named(found: Found) -> Found:
    """Return *found* with a mark in the place of each name that was cut, and rows in order."""
    cut: Found = {}
    for name, rows in found.items():
        marked: list[dict[str, Any]] = []
        for row in rows:
            marks = iter(("<cut>", "<cut too>"))
            marked.append({next(marks) if _CUT.fullmatch(k) else k: v for k, v in row.items()})
        known = "<cut>" if _CUT.fullmatch(name) else name
        cut[known] = sorted(marked, key=lambda row: [repr(row.get(k)) for k in ("id", "v")])
    return cut


@pytest.fixture
def place(case: Case, target: str, tmp_path: Path, postgres: Database) -> Place:
    """The target of the case, with an empty place."""
    return Place(target, tmp_path, postgres)


@pytest.mark.parametrize(("case", "target"), CASES)
def test_bad_data_has_the_outcome_that_is_stated(
    case: Case, target: str, place: Place, tmp_path: Path
) -> None:
    """All rows are read back; a refusal has at most six lines and says what can be done."""
    outcome, data = case.outcomes[target], case.data()
    if isinstance(outcome, Kept):
        load_bytes(place.make(), data)
        assert_same(place.found(), place.expected(outcome.tables))
        return
    with pytest.raises(KozmoError) as caught:
        load_bytes(place.make(), data)
    shown = show(caught.value)
    assert outcome.words in shown
    assert len(shown.splitlines()) <= 6
    assert ("on_bad_record: quarantine" in shown) == (outcome.others is not None)


REFUSALS = [
    pytest.param(case, target, id=f"{case.title}, {target}")
    for cases in SECTIONS.values()
    for case in cases
    for target in TARGETS
    if isinstance(case.outcomes[target], Refused)
]


@pytest.mark.parametrize(("case", "target"), REFUSALS)
def test_a_refusal_of_a_record_can_be_set_aside(
    case: Case, target: str, place: Place, tmp_path: Path
) -> None:
    """Its neighbours are loaded, and the line is kept as it came; no other refusal is softened."""
    outcome, data = case.outcomes[target], case.data()
    assert isinstance(outcome, Refused)
    folder = tmp_path / "aside"
    made = place.make(on_bad_record="quarantine", quarantine_path=str(folder))
    if outcome.others is None:
        with pytest.raises(KozmoError, match=re.escape(outcome.words)):
            load_bytes(made, data)
        assert not folder.exists()
        return
    load_bytes(made, data)
    assert_same(place.found(), place.expected(outcome.others))
    (path,) = folder.iterdir()
    *_, last = path.read_bytes().splitlines()
    entry = json.loads(last)
    assert outcome.words.partition(", got ")[0] in entry["reason"]
    if "raw" in entry:
        assert entry["raw"].encode() == data.split(b"\n")[entry["line"] - 1]


def assert_same(found: Found, expected: Found) -> None:
    """Compare without a diff: values may have 60 MB."""
    found, expected = named(found), named(expected)
    same = found == expected
    assert same, f"{repr(found)[:1000]} is not {repr(expected)[:1000]}"
