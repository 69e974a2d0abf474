"""A value of every type of PostgreSQL, and what a record says of it."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
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


def make_types(database: Database) -> None:
    """Make the types of our own."""
    for statement in TYPES.strip().split(";")[:-1]:
        database.execute(statement)


def make_table(database: Database) -> None:
    """Make the table kinds with a column a case: a row of values, one of nulls, one of values."""
    make_types(database)
    columns = ", ".join(f"c{i} {type}" for i, (type, _, _) in enumerate(CASES))
    database.execute(f"CREATE TABLE kinds (id integer PRIMARY KEY, {columns})")
    values = ", ".join(f"{sql}::{type}" for type, sql, _ in CASES)
    database.execute(f"INSERT INTO kinds VALUES (1, {values})")
    database.execute("INSERT INTO kinds (id) VALUES (2)")
    database.execute(f"INSERT INTO kinds VALUES (3, {values})")


def make_tables(database: Database) -> None:
    """Make a table a case, k0, k1, ..., each with the value, a null and the value again."""
    make_types(database)
    for i, (type, sql, _) in enumerate(CASES):
        database.execute(f"CREATE TABLE k{i} (id integer PRIMARY KEY, c {type})")
        value = f"{sql}::{type}"
        database.execute(f"INSERT INTO k{i} VALUES (1, {value}), (2, NULL), (3, {value})")
