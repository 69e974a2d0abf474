"""Every type of PostgreSQL, written by the server and read back from the tap's records."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from conftest import Run
from postgres_kinds import CASES, make_table
from servers.postgres import Database

KINDS = {str: "string", bool: "boolean", int: "integer", Decimal: "number"}


@pytest.fixture
def table(postgres: Database) -> Database:
    """A table with a column for each case: a row of values, one of nulls, one of values again."""
    make_table(postgres)
    return postgres


def test_every_type_is_read_without_loss(table: Database, run: Run, tmp_path: Any) -> None:
    """What the record says is what the server holds; nulls are null in every type."""
    config = tmp_path / "config.json"
    config.write_text(json.dumps(table.config))
    done = run(["tap-postgres", "--config", config])
    assert done.code == 0, done.err
    lines = [json.loads(line, parse_float=Decimal) for line in done.out.splitlines()]
    records = [line["record"] for line in lines if line["type"] == "RECORD"]
    expected = {f"c{i}": value for i, (_, _, value) in enumerate(CASES)}
    assert records[0] == {"id": 1, **expected}
    assert records[1] == {"id": 2, **dict.fromkeys(expected)}
    assert records[2] == {"id": 3, **expected}


def test_every_value_is_of_a_type_that_the_schema_allows(
    table: Database, run: Run, tmp_path: Any
) -> None:
    """But for numbers that JSON has no form for, which are strings: a loud fault elsewhere."""
    config = tmp_path / "config.json"
    config.write_text(json.dumps(table.config))
    done = run(["tap-postgres", "--config", config])
    lines = [json.loads(line, parse_float=Decimal) for line in done.out.splitlines()]
    properties = lines[0]["schema"]["properties"]
    record = next(line["record"] for line in lines if line["type"] == "RECORD")
    for name, value in record.items():
        if value in ("NaN", "Infinity", "-Infinity") or isinstance(value, dict | list | None):
            continue
        kind, allowed = KINDS[type(value)], properties[name]["type"]
        assert kind in allowed or (kind == "integer" and "number" in allowed), (name, value)


def test_every_type_goes_round_through_a_table_of_ours(
    table: Database, run: Run, tmp_path: Any
) -> None:
    """Loaded into PostgreSQL and cast back to its own type, each value equals the one it was."""
    source, target = tmp_path / "source.json", tmp_path / "target.json"
    source.write_text(json.dumps(table.config))
    target.write_text(json.dumps({**table.config, "default_target_schema": "copy"}))
    lines = run(["tap-postgres", "--config", source])
    done = run(["target-postgres", "--config", target], stdin=lines.out)
    assert done.code == 0, done.err
    back = {"json": "{}::text::jsonb", "hstore": "(SELECT hstore(array_agg(key), array_agg(value))"
            " FROM jsonb_each_text({}))", "bit(4)": "{}::bit(4)"}  # fmt: skip
    for i, (type, _, _) in enumerate(CASES):
        if type.endswith("]") or type in ("pair", "vector"):
            continue
        copied = back.get(type, "{}::text::" + type).format(f"b.c{i}")
        own = f"a.c{i}::jsonb" if type == "json" else f"a.c{i}"
        same = table.execute(
            f"SELECT count(*) FROM kinds a JOIN copy.kinds b USING (id)"
            f" WHERE ({own})::text IS NOT DISTINCT FROM ({copied})::text"
        )
        if type == "jsonb" and CASES[i][2] is None:
            # JSON's null and SQL's NULL are one and the same on the wire.
            continue
        assert same == [(3,)], (type, table.execute(f"SELECT c{i}::text FROM copy.kinds"))
