"""Encoding and decoding of RECORD lines, beside json on the same rows and the same machine.

    .venv/bin/python benchmarks/micro.py

json does less: it neither validates nor types what it reads. No server is needed. The tests hold
the ratios to half of what was measured: tests/unit/wire/test_speed.py.
"""

from __future__ import annotations

import argparse
import gc
import io
import json
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any
from uuid import UUID

from kozmo_singer.wire import Column, LogicalType, Reader, RecordEncoder, schema_line, to_schema

TRIES = 5
Row = tuple[Any, ...]
MIDNIGHT = datetime(2024, 1, 1, tzinfo=timezone.utc)
NARROW = [
    Column("id", LogicalType("integer", bits=64)),
    Column("name", LogicalType("string")),
    Column("amount", LogicalType("integer", bits=64)),
    Column("ratio", LogicalType("float", bits=64)),
    Column("updated_at", LogicalType("timestamptz")),
    Column("active", LogicalType("boolean")),
]
KINDS = [
    LogicalType("integer", bits=32),
    LogicalType("decimal", 18, 4),
    LogicalType("string"),
    LogicalType("uuid"),
    LogicalType("date"),
    LogicalType("float", bits=64),
    LogicalType("timestamptz"),
    LogicalType("boolean"),
]
WIDE = [Column(f"c{i}", KINDS[i % len(KINDS)]) for i in range(40)]


def narrow(rows: int) -> Iterator[Row]:
    """Yield rows of six columns."""
    for i in range(rows):
        moment = MIDNIGHT + timedelta(seconds=37 * i)
        yield (i, f"customer {i}", i * 7919 % 100_000, i % 1000 / 8, moment, i % 3 == 0)


def wide(rows: int) -> Iterator[Row]:
    """Yield rows of forty columns of eight types; a fifth of the columns is null by turns."""
    for i in range(rows):
        kinds = (
            i, Decimal(i * 12345) / 10_000, f"line {i} of \"many\", süß", UUID(int=i),
            date(2024, 1, 1) + timedelta(days=i % 9000), i / 7, MIDNIGHT + timedelta(minutes=i),
            i % 2 == 0,
        )  # fmt: skip
        yield tuple(None if (i + j) % 5 == 0 else kinds[j % 8] for j in range(40))


TABLES = {"narrow": (NARROW, narrow, 20_000), "wide": (WIDE, wide, 4_000)}


def measured(table: str) -> dict[str, float]:
    """Return microseconds a row of ours and of json for a table, and how many times json takes."""
    columns, made, count = TABLES[table]
    rows = list(made(count))
    names = [column.name for column in columns]
    encoder = RecordEncoder(table, columns)
    properties = {column.name: to_schema(column.type) for column in columns}
    head = schema_line(table, {"type": "object", "properties": properties}, [])
    lines = encoder.encode(rows)
    by = {
        "encode": lambda: encoder.encode(rows),
        "json.dumps": lambda: _dumped(table, names, rows),
        "decode": lambda: [len(message) for message in _records(head + lines)],
        "decode to tuples": lambda: [m.tuples() for m in _records(head + lines)],
        "json.loads": lambda: [json.loads(line) for line in lines.split(b"\n")[:-1]],
    }
    found = {name: _best(call) / count * 1e6 for name, call in by.items()}
    return {
        **found,
        "encode ratio": found["json.dumps"] / found["encode"],
        "decode ratio": found["json.loads"] / found["decode"],
    }


def _records(lines: bytes) -> list[Any]:
    return [message for message in Reader(io.BytesIO(lines)) if hasattr(message, "tuples")]


def _dumped(stream: str, names: Sequence[str], rows: Sequence[Row]) -> bytes:
    records = (dict(zip(names, row, strict=True)) for row in rows)
    messages = ({"type": "RECORD", "stream": stream, "record": record} for record in records)
    return b"".join(json.dumps(each, default=str).encode() + b"\n" for each in messages)


def _best(call: Callable[[], Any]) -> float:
    """Return the least CPU time of several calls."""
    times = []
    for _ in range(TRIES):
        gc.collect()
        started = time.process_time()
        call()
        times.append(time.process_time() - started)
    return min(times)


def main() -> None:
    """Print and keep the figures."""
    from table import kept

    argparse.ArgumentParser(description=__doc__.partition("\n")[0]).parse_args()
    figures = {table: measured(table) for table in TABLES}
    print("| microseconds a row | " + " | ".join(figures["narrow"]) + " |")
    print("|---" * 8 + "|")
    for table, found in figures.items():
        print(f"| {table} | " + " | ".join(f"{value:.2f}" for value in found.values()) + " |")
    print(f"figures: {kept('micro', figures)}")


if __name__ == "__main__":
    main()
