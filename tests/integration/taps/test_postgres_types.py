"""Every type of PostgreSQL, written by the server and read back from the tap's records."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from conftest import Run
from servers.postgres import Database

NAIVE, AWARE = "timestamp", "timestamptz"

# type, SQL of the value, what the record says, plain JSON Schema type
CASES: list[tuple[str, str, Any]] = [
    ("smallint", "'-32768'", -32768),
    ("integer", "'2147483647'", 2147483647),
    ("bigint", "'9223372036854775807'", 9223372036854775807),
    ("oid", "'4294967295'", 4294967295),
    ("xid8", "'18446744073709551615'", 18446744073709551615),
    ("boolean", "'t'", True),
    ("real", "'0.1'", Decimal("0.1")),
    ("real", "'NaN'", "NaN"),
    ("double precision", "'0.30000000000000004'", Decimal("0.30000000000000004")),
    ("double precision", "'1e308'", Decimal("1e308")),
    ("double precision", "'-Infinity'", "-Infinity"),
    ("numeric", "'12345678901234567890123.45678901234567890'",
     Decimal("12345678901234567890123.45678901234567890")),
    ("numeric", "'NaN'", "NaN"),
    ("numeric", "'Infinity'", "Infinity"),
    ("numeric(18,4)", "'1.5'", Decimal("1.5000")),
    ("numeric(3,-2)", "'98765'", 98800),
    ("money", "'-1234.56'", Decimal("-1234.56")),
    ("text", "E'tab\\t line\\n quote\" back\\\\ é 😀'", 'tab\t line\n quote" back\\ é 😀'),
    ("text", "''", ""),
    ("varchar(5)", "'a  '", "a  "),
    ("char(4)", "'a'", "a   "),
    ("name", "'pg'", "pg"),
    ("citext", "'MiXed'", "MiXed"),
    ("bytea", r"'\x00ff10'", "00ff10"),
    ("bytea", "''", ""),
    ("uuid", "'8D1B1A3C-0D55-4C55-9C0E-000000000001'", "8d1b1a3c-0d55-4c55-9c0e-000000000001"),
    ("date", "'2024-02-29'", "2024-02-29"),
    ("date", "'infinity'", "infinity"),
    ("date", "'0044-03-15 BC'", "0044-03-15 BC"),
    ("date", "'12024-01-01'", "12024-01-01"),
    ("time", "'23:59:59.999999'", "23:59:59.999999"),
    ("timetz", "'12:00:00+05:30'", "12:00:00+05:30"),
    (NAIVE, "'2024-02-29 12:34:56.789'", "2024-02-29T12:34:56.789Z"),
    (NAIVE, "'infinity'", "infinity"),
    (NAIVE, "'0044-03-15 01:02:03 BC'", "0044-03-15 01:02:03+00 BC"),
    (NAIVE, "'12024-01-01 00:00:00'", "12024-01-01T00:00:00Z"),
    (AWARE, "'2024-02-29 12:34:56+05:30'", "2024-02-29T07:04:56Z"),
    (AWARE, "'-infinity'", "-infinity"),
    (AWARE, "'0044-03-15 01:02:03+00 BC'", "0044-03-15 01:02:03+00 BC"),
    ("interval", "'1 year 2 days 03:04:05.6'", "P1Y2DT3H4M5.6S"),
    ("interval", "'-1 mons +2 days'", "P-1M2D"),
    ("json", "E'{\"b\": 1.10,\\n \"a\": [1, null, \"x\\\\ny\"]}'",
     {"b": Decimal("1.10"), "a": [1, None, "x\ny"]}),
    ("jsonb", "'{\"n\": 12345678901234567890.123456789}'",
     {"n": Decimal("12345678901234567890.123456789")}),
    ("jsonb", "'null'", None),
    ("jsonb", "'\"text\"'", "text"),
    ("integer[]", "'{1,NULL,3}'", [1, None, 3]),
    ("integer[]", "'{}'", []),
    ("integer[]", "'{{1,2},{3,4}}'", [[1, 2], [3, 4]]),
    ("integer[]", "'[0:1]={7,8}'", "[0:1]={7,8}"),
    ("text[]", r"""'{"a,b","c\"d",NULL,"NULL"}'""", ["a,b", 'c"d', None, "NULL"]),
    ("numeric[]", "'{1.10,NaN}'", [Decimal("1.10"), "NaN"]),
    ("timestamptz[]", "'{2024-01-01 00:00:00+00}'", ["2024-01-01T00:00:00+00:00"]),
    ("hstore", "'a=>1, b=>NULL'", {"a": "1", "b": None}),
    ("int4range", "'[1,5)'", "[1,5)"),
    ("tstzrange", "'[2024-01-01 00:00+00,)'", '["2024-01-01 00:00:00+00",)'),
    ("int4multirange", "'{[1,3),[5,7)}'", "{[1,3),[5,7)}"),
    ("inet", "'10.0.0.1/8'", "10.0.0.1/8"),
    ("cidr", "'10.0.0.0/8'", "10.0.0.0/8"),
    ("macaddr", "'08:00:2b:01:02:03'", "08:00:2b:01:02:03"),
    ("bit(4)", "B'1010'", "1010"),
    ("varbit", "B'101'", "101"),
    ("tsvector", "'a fat cat'", "'a' 'cat' 'fat'"),
    ("tsquery", "'fat & rat'", "'fat' & 'rat'"),
    ("point", "'(1.5,2)'", "(1.5,2)"),
    ("polygon", "'((0,0),(1,1))'", "((0,0),(1,1))"),
    ("circle", "'<(0,0),1>'", "<(0,0),1>"),
    ("pg_lsn", "'16/B374D848'", "16/B374D848"),
    ("mood", "'happy'", "happy"),
    ("mood[]", "'{happy,sad}'", ["happy", "sad"]),
    ("positive", "'5'", 5),
    ("day_of", "'2024-01-01'", "2024-01-01"),
    ("pair", "ROW(1,'x')", {"n": 1, "t": "x"}),
    ("pair[]", "ARRAY[ROW(1,'x')::pair]", [{"n": 1, "t": "x"}]),
    ("vector", "'[1,2.5,3]'", [1, Decimal("2.5"), 3]),
]  # fmt: skip
TYPES = """
CREATE EXTENSION citext; CREATE EXTENSION hstore; CREATE EXTENSION vector;
CREATE TYPE mood AS ENUM ('sad', 'happy');
CREATE DOMAIN positive AS integer CHECK (VALUE > 0);
CREATE DOMAIN day_of AS date;
CREATE TYPE pair AS (n integer, t text);
"""
KINDS = {str: "string", bool: "boolean", int: "integer", Decimal: "number"}


@pytest.fixture
def table(postgres: Database) -> Database:
    """A table with a column for each case: a row of values, one of nulls, one of values again."""
    for statement in TYPES.strip().split(";")[:-1]:
        postgres.execute(statement)
    columns = ", ".join(f"c{i} {type}" for i, (type, _, _) in enumerate(CASES))
    postgres.execute(f"CREATE TABLE kinds (id integer PRIMARY KEY, {columns})")
    values = ", ".join(f"{sql}::{type}" for type, sql, _ in CASES)
    postgres.execute(f"INSERT INTO kinds VALUES (1, {values})")
    postgres.execute("INSERT INTO kinds (id) VALUES (2)")
    postgres.execute(f"INSERT INTO kinds VALUES (3, {values})")
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
