"""Databases and files to read from: the orders of a shop, of all kinds of values."""

from __future__ import annotations

import json
import sqlite3
from abc import ABC, abstractmethod
from collections.abc import Sequence
from contextlib import closing
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import fastavro
import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import orc

from kozmo_singer.wire import dumps
from servers.postgres import Database

Row = dict[str, Any]
COUNT = 250


class Source(ABC):
    """A tap with the configuration that points it at a database with COUNT orders."""

    tap: str
    stream: str
    kinds: dict[str, str]
    config: dict[str, Any]

    def __init__(self) -> None:
        self.rows: list[Row] = []

    def fill(self) -> None:
        """Insert the first rows."""
        self.insert([self.row(number) for number in range(1, COUNT + 1)])

    def insert(self, rows: Sequence[Row]) -> None:
        """Insert *rows*, and remember that they are there."""
        self.rows += rows
        self.put(rows)

    @abstractmethod
    def put(self, rows: Sequence[Row]) -> None:
        """Insert *rows*."""

    def row(self, number: int) -> Row:
        """Return order *number*; now and then a value is null or a hard one."""
        row: Row = {
            "id": number,
            "customer": TEXTS[number % len(TEXTS)],
            "total": Decimal(number * 100 + number % 100) / 100,
            "pieces": (1 << 62) + number,
            "share": number / 7,
            "paid": number % 2 == 0,
            "day": f"20{number % 30:02}-02-{number % 28 + 1:02}",
            "changed": str(datetime(2024, 1, 1) + timedelta(minutes=number)),
            "ticket": bytes(range(number % 5)),
            # Of whole seconds: the oldest validators know no other time of day.
            "at": f"{number % 24:02}:{number % 60:02}:07",
        }
        if number % 7 == 0:
            row |= dict.fromkeys(["total", "share", "paid", "day", "ticket", "at", "pieces"])
        return row


TEXTS = [
    "Ann",
    "",
    'O\'Hara "the \\n"',
    "Grüße 😀\u2028\x85",
    "a\tb\r\nc",
    "NULL",
    "{,}",
]
KINDS = {
    "id": "integer",
    "customer": "text",
    "total": "decimal",
    "pieces": "integer",
    "share": "float",
    "paid": "boolean",
    "day": "date",
    "changed": "local",
    "ticket": "binary",
    "at": "time",
}


class Tables(Source):
    """A database."""

    @abstractmethod
    def execute(self, statement: str) -> None:
        """Change the database."""


class Sqlite(Tables):
    """A file."""

    tap = "tap-sqlite"
    stream = "orders"
    kinds = KINDS

    def __init__(self, folder: Path, database: Database) -> None:
        super().__init__()
        self.path = folder / "source.db"
        self.config = {"path": str(self.path), "replication_key": "changed"}
        with closing(sqlite3.connect(self.path)) as connection:
            connection.execute(
                "CREATE TABLE orders (id INTEGER PRIMARY KEY, customer TEXT NOT NULL,"
                " total DECIMAL(12,2), pieces BIGINT, share REAL, paid BOOLEAN, day DATE,"
                " changed TIMESTAMP NOT NULL, ticket BLOB, at TIME)"
            )
        self.fill()

    def execute(self, statement: str) -> None:
        with closing(sqlite3.connect(self.path)) as connection, connection:
            connection.execute(statement)

    def put(self, rows: Sequence[Row]) -> None:
        values = [tuple({**row, "total": _text(row["total"])}.values()) for row in rows]
        marks = ", ".join("?" * len(KINDS))
        with closing(sqlite3.connect(self.path)) as connection, connection:
            connection.executemany(f"INSERT INTO orders VALUES ({marks})", values)


class Postgres(Tables):
    """A table with what SQLite has not: zones, uuids, json, arrays, decimals of any length."""

    tap = "tap-postgres"
    stream = "public-orders"
    kinds = {**KINDS, "changed": "moment", "number": "decimal", "code": "uuid", "extra": "json"}

    def __init__(self, folder: Path, database: Database) -> None:
        super().__init__()
        self.database = database
        shown = {"replication_key": "changed", "filter_schemas": ["public"]}
        self.config = {**database.config, **shown}
        database.execute(
            "CREATE TABLE orders (id integer PRIMARY KEY, customer text NOT NULL,"
            " total numeric(12,2), pieces bigint, share double precision, paid boolean, day date,"
            " changed timestamptz NOT NULL, ticket bytea, at time, number numeric, code uuid,"
            " extra jsonb)"
        )
        self.fill()

    def row(self, number: int) -> Row:
        row = super().row(number)
        row["changed"] += ".000001+02:00"
        row["number"] = Decimal(f"{number}234567890123456789.0123456789{number}")
        row["code"] = f"8d1b1a3c-0d55-4c55-9c0e-{number:012x}"
        row["extra"] = [None, {"a": [1, {"b": row["customer"]}], "n": number / 4}, [], 7][
            number % 4
        ]
        return row

    def execute(self, statement: str) -> None:
        self.database.execute(statement)

    def put(self, rows: Sequence[Row]) -> None:
        marks = ", ".join(["%s"] * len(self.kinds))
        values = [
            [*row.values()][:-1] + [None if row["extra"] is None else json.dumps(row["extra"])]
            for row in rows
        ]
        with self.database.connect() as connection, connection.cursor() as cursor:
            cursor.executemany(f"INSERT INTO orders VALUES ({marks})".encode(), values)


class Files(Source):
    """A folder of files, of which each insertion makes one."""

    stream = "orders"
    kinds = KINDS
    ending: str

    def __init__(self, folder: Path, database: Database) -> None:
        super().__init__()
        self.folder = folder / "orders"
        self.folder.mkdir()
        self.config = {
            "path": str(self.folder),
            "stream": "orders",
            "key_properties": ["id"],
            "replication_method": "INCREMENTAL",
        }
        self.fill()

    def put(self, rows: Sequence[Row]) -> None:
        number = len(list(self.folder.iterdir()))
        self.write(self.folder / f"part-{number:03}{self.ending}", rows)

    @abstractmethod
    def write(self, path: Path, rows: Sequence[Row]) -> None:
        """Make a file of *rows*."""


class CsvFiles(Files):
    """Cells that hold delimiters, quotes and newlines; an empty text has quotes, a null none."""

    tap = "tap-csv"
    ending = ".csv"

    def __init__(self, folder: Path, database: Database) -> None:
        super().__init__(folder, database)
        self.config["columns"] = {"share": "float", "ticket": "binary"}

    def write(self, path: Path, rows: Sequence[Row]) -> None:
        lines = [",".join(KINDS), *(",".join(map(_cell, row.values())) for row in rows)]
        path.write_bytes("\n".join([*lines, ""]).encode())


class JsonLinesFiles(Files):
    """Objects that lack what is null."""

    tap = "tap-jsonl"
    ending = ".jsonl"

    def __init__(self, folder: Path, database: Database) -> None:
        super().__init__(folder, database)
        types = {"share": "float", "ticket": "binary", "day": "date", "at": "time"}
        self.config["columns"] = types

    def write(self, path: Path, rows: Sequence[Row]) -> None:
        lines = [
            dumps({k: _json(v) for k, v in row.items() if v is not None}) + b"\n" for row in rows
        ]
        path.write_bytes(b"".join(lines))


class ParquetFiles(Files):
    """Columns with Arrow's types."""

    tap = "tap-parquet"
    ending = ".parquet"

    def write(self, path: Path, rows: Sequence[Row]) -> None:
        pq.write_table(_table(rows), path)


class ArrowFiles(Files):
    """The same in Arrow's own files."""

    tap = "tap-files"
    ending = ".arrow"

    def write(self, path: Path, rows: Sequence[Row]) -> None:
        table = _table(rows)
        with pa.ipc.new_file(path, table.schema) as writer:
            writer.write_table(table, max_chunksize=100)


class JsonFiles(JsonLinesFiles):
    """A document with an array of objects."""

    tap = "tap-json"
    ending = ".json"

    def write(self, path: Path, rows: Sequence[Row]) -> None:
        super().write(path, rows)
        path.write_bytes(b"[" + b",".join(path.read_bytes().splitlines()) + b"]")


class XmlFiles(JsonLinesFiles):
    """Elements below the root; what is null has none."""

    tap = "tap-xml"
    ending = ".xml"

    def write(self, path: Path, rows: Sequence[Row]) -> None:
        def element(name: str, value: Any) -> str:
            text = str(value).lower() if isinstance(value, bool) else str(_json(value))
            for letter in "&<\r":
                text = text.replace(letter, f"&#{ord(letter)};")
            return f"<{name}>{text}</{name}>"

        made = ["".join(element(k, v) for k, v in row.items() if v is not None) for row in rows]
        path.write_text(f"<rows>{''.join(f'<row>{row}</row>' for row in made)}</rows>", newline="")


class OrcFiles(Files):
    """Arrow's types, but for the time of day, which ORC has not."""

    tap = "tap-orc"
    ending = ".orc"

    def write(self, path: Path, rows: Sequence[Row]) -> None:
        place, texts = [*_TYPES].index("at"), pa.array([row["at"] for row in rows], pa.string())
        orc.write_table(_table(rows).set_column(place, "at", texts), path)


class AvroFiles(Files):
    """Logical types."""

    tap = "tap-avro"
    ending = ".avro"

    def write(self, path: Path, rows: Sequence[Row]) -> None:
        fields = [{"name": name, "type": ["null", type]} for name, type in _AVRO.items()]
        schema = {"type": "record", "name": "orders", "fields": fields}
        with path.open("wb") as file:
            fastavro.writer(file, schema, _table(rows).to_pylist())


_AVRO: dict[str, Any] = {
    "id": "int",
    "customer": "string",
    "total": {"type": "bytes", "logicalType": "decimal", "precision": 12, "scale": 2},
    "pieces": "long",
    "share": "double",
    "paid": "boolean",
    "day": {"type": "int", "logicalType": "date"},
    "changed": {"type": "long", "logicalType": "local-timestamp-micros"},
    "ticket": "bytes",
    "at": {"type": "int", "logicalType": "time-millis"},
}
_TYPES = {
    "id": pa.int32(),
    "customer": pa.string(),
    "total": pa.decimal128(12, 2),
    "pieces": pa.int64(),
    "share": pa.float64(),
    "paid": pa.bool_(),
    "day": pa.date32(),
    "changed": pa.timestamp("us"),
    "ticket": pa.binary(),
    "at": pa.time32("s"),
}


def _table(rows: Sequence[Row]) -> Any:
    texts = {"day": date, "changed": datetime, "at": time}
    arrays = []
    for name, type in _TYPES.items():
        made = [row[name] for row in rows]
        if name in texts:
            made = [None if v is None else texts[name].fromisoformat(v) for v in made]
        arrays.append(pa.array(made, type))
    return pa.table(dict(zip(_TYPES, arrays, strict=True)))


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    text = value.hex() if isinstance(value, bytes) else str(value)
    return text if isinstance(value, int | float | Decimal) else '"' + text.replace('"', '""') + '"'


def _json(value: Any) -> Any:
    return value.hex() if isinstance(value, bytes) else value


_KINDS = (CsvFiles, ArrowFiles, JsonLinesFiles, ParquetFiles, Postgres, Sqlite)
SOURCES: dict[str, type[Source]] = {kind.tap: kind for kind in _KINDS}
MORE_SOURCES: dict[str, type[Source]] = {
    **SOURCES,
    **{kind.tap: kind for kind in (AvroFiles, JsonFiles, OrcFiles, XmlFiles)},
}
"""With formats whose lines need no other test than that they are Singer."""
APART = {
    *("tap-azure-blob", "tap-ftp", "tap-gcs", "tap-http", "tap-s3", "tap-sftp"),
    *("tap-excel", "tap-fixed-width"),
}
"""Taps of stores have the lines of tap-files; workbooks and lines of fixed widths hold no texts
such as these. Both have tests of their own."""
DATABASES = ("tap-postgres", "tap-sqlite")


def _text(value: Decimal | None) -> str | None:
    return None if value is None else str(value)


HARD = """
CREATE TABLE hard (
    id integer PRIMARY KEY, moment timestamptz, local timestamp, day date, at time,
    number numeric, price numeric(38,10), share double precision, small real, large bigint,
    code uuid, extra jsonb, raw bytea, spoken text, "Sel ect" text, "Ümläut" boolean);
INSERT INTO hard VALUES
    (1, 'infinity', '0044-03-15 00:00 BC', '-infinity', '24:00', 'NaN', 'NaN', 'NaN', 'Infinity',
     9223372036854775807, '8d1b1a3c-0d55-4c55-9c0e-0c0f0f0f0f0f', '{"z": 1e40, "k": [null, 1.10]}',
     '\\x00ff0a', E'a\\tb\\n\\\\n', '', true),
    (2, '12026-01-01 10:00:00.5+00', '294276-12-31 23:59:59.999999', '12026-01-01',
     '10:00:00.000001', '-Infinity', 1234567890123456789012345678.0123456789, 5e-324, 1.17549e-38,
     -9223372036854775808, NULL, '[]', '', 'NULL', NULL, false),
    (3, '1969-12-31 23:59:59.999999+05:30', '1970-01-01', '0001-01-01', '00:00', 1e-30,
     -0.0000000001, '-Infinity', 'NaN', 0, NULL, '"text"', NULL, '\u2028\u0085 😀', 'x', NULL);
INSERT INTO hard (id) VALUES (4);
"""
"""A table of PostgreSQL that is full of values at their limits."""
