"""Every logical type in SQLite: how a value is stored, and that it is the one that came."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kozmo_singer.errors import ConnectError, RecordError
from kozmo_singer.wire.types import LogicalType, to_schema
from kozmo_targets.sql.sqlite import TargetSQLite
from messages import TEXT, load, records, schema

U = "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"
CASES: list[tuple[LogicalType, str, list[tuple[Any, Any]]]] = [
    (LogicalType("boolean"), "BOOLEAN", [(True, 1), (False, 0), (None, None)]),
    (LogicalType("integer", bits=64), "INTEGER", [(2**63 - 1, 2**63 - 1), (-(2**63), -(2**63))]),
    (
        LogicalType("float"),
        "REAL",
        [(0.1, 0.1), (5e-324, 5e-324), ("NaN", "NaN"), ("-Infinity", float("-inf"))],
    ),
    (
        LogicalType("decimal", 15, 2),
        "DECIMAL(15,2)",
        [(Decimal("1234567890123.45"), 1234567890123.45), (Decimal("10"), 10)],
    ),
    (
        LogicalType("decimal", 16, 2),
        "DECIMAL_TEXT(16,2)",
        [(Decimal("12345678901234.50"), "12345678901234.50")],
    ),
    (LogicalType("decimal"), "DECIMAL_TEXT", [(Decimal("0.10"), "0.10"), ("NaN", "NaN")]),
    (
        LogicalType("string"),
        "TEXT",
        [("", ""), ("007", "007"), ("1e5", "1e5"), ("null", "null"), ("a\0b\n", "a\0b\n")],
    ),
    (LogicalType("string", length=5), "VARCHAR(5)", [("éèàùç", "éèàùç"), ("12.0", "12.0")]),
    (LogicalType("binary"), "BLOB", [("00ff", b"\x00\xff"), ("", b"")]),
    (LogicalType("date"), "DATE", [("2024-02-29", "2024-02-29"), ("infinity", "infinity")]),
    (LogicalType("time"), "TIME", [("23:59:59.999999", "23:59:59.999999")]),
    (LogicalType("timestamp"), "TIMESTAMP", [("2024-01-02T03:04:05", "2024-01-02T03:04:05")]),
    (
        LogicalType("timestamptz"),
        "TIMESTAMPTZ",
        [("2024-01-02T03:04:05+05:30", "2024-01-02T03:04:05+05:30")],
    ),
    (LogicalType("uuid"), "UUID_TEXT", [(U, U)]),
    (LogicalType("json"), "JSON_TEXT", [({"a": Decimal("1.10")}, '{"a":1.10}'), (1.5, "1.5")]),
]


@pytest.mark.parametrize("method", ["append-only", "upsert", "overwrite"])
@pytest.mark.parametrize(("type", "column", "values"), CASES, ids=[c[1] for c in CASES])
def test_a_logical_type_makes_its_column_and_keeps_its_values(
    tmp_path: Path, type: LogicalType, column: str, values: list[tuple[Any, Any]], method: str
) -> None:
    """The column has the type stated in the docs, and each cell what was sent."""
    path = tmp_path / "x.db"
    properties = {"id": {"type": "integer"}, "v": to_schema(type)}
    rows = [{"id": i, "v": sent} for i, (sent, _) in enumerate(values)]
    target = TargetSQLite({"path": str(path), "load_method": method})
    load(target, schema("t", properties, ["id"]), records("t", rows))
    assert query(path, "SELECT v FROM t ORDER BY id") == [(shown,) for _, shown in values]
    assert query(path, "SELECT type FROM pragma_table_info('t') WHERE name = 'v'") == [(column,)]


def query(path: Path, statement: str) -> list[tuple[Any, ...]]:
    """Run a statement and return its rows."""
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(statement).fetchall()


BAD: list[tuple[LogicalType, Any, str]] = [
    (LogicalType("integer", bits=64), 2**63, "integer beyond 64 bits"),
    (LogicalType("decimal", 5, 2), Decimal("1.239"), "expected decimal(5,2), got 1.239"),
    (LogicalType("string", length=3), "four", "expected at most 3 characters"),
    (LogicalType("string"), "\ud800", "half a surrogate pair"),
]


@pytest.mark.parametrize(("type", "value", "said"), BAD)
def test_a_value_that_does_not_fit_is_named_and_not_changed(
    tmp_path: Path, type: LogicalType, value: Any, said: str
) -> None:
    """The error names the line; rows of earlier batches stand."""
    path = tmp_path / "x.db"
    properties = {"id": {"type": "integer"}, "v": to_schema(type)}
    start = schema("t", properties, ["id"])
    load(TargetSQLite({"path": str(path)}), start, records("t", [{"id": 1, "v": None}]))
    with pytest.raises(RecordError, match="line 3") as caught:
        rows = [{"id": 2, "v": None}, {"id": 3, "v": value}]
        load(TargetSQLite({"path": str(path)}), start, records("t", rows))
    assert said in str(caught.value)
    assert query(path, "SELECT id FROM t") == [(1,)]


@pytest.mark.parametrize("method", ["append-only", "upsert", "overwrite"])
def test_an_integer_beyond_64_bits_widens_a_column_without_limits(
    tmp_path: Path, method: str
) -> None:
    """The column keeps decimals as text from then on; earlier values are the same numbers."""
    path = tmp_path / "x.db"
    properties = {"id": {"type": "integer"}, "v": {"type": "integer"}}
    values = [1, 2**62 + 1, 2**63, -(2**70), 5]
    rows = [{"id": i, "v": value} for i, value in enumerate(values)]
    config = {"path": str(path), "load_method": method, "batch_size_rows": 2}
    load(TargetSQLite(config), schema("t", properties, ["id"]), records("t", rows))
    found = query(path, "SELECT v FROM t ORDER BY id")
    assert [int(value) for (value,) in found] == values


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    """Its bytes stay as they are."""
    path = tmp_path / "x.db"
    path.write_bytes(b"precious" * 1000)
    with pytest.raises(ConnectError, match="not an SQLite database"):
        load(TargetSQLite({"path": str(path)}), schema("t", {"id": TEXT}))
    assert path.read_bytes() == b"precious" * 1000


def test_a_file_that_stays_locked_is_an_error_in_words(tmp_path: Path) -> None:
    """The message names the setting that lets it wait longer."""
    path = tmp_path / "x.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("CREATE TABLE u (a)")
        other.execute("BEGIN IMMEDIATE")
        target = TargetSQLite({"path": str(path), "busy_timeout": 0})
        with pytest.raises(Exception, match="locked"):
            load(target, schema("t", {"id": TEXT}), records("t", [{"id": "x"}]))


def test_indexes_triggers_and_views_outlive_an_overwrite(tmp_path: Path) -> None:
    """The table is emptied and filled in one transaction; it is the same table."""
    path = tmp_path / "x.db"
    start = schema("t", {"id": {"type": "integer"}, "v": TEXT}, ["id"])
    config = {"path": str(path), "load_method": "overwrite"}
    load(TargetSQLite(config), start, records("t", [{"id": 1, "v": "old"}]))
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(
            "CREATE INDEX i ON t (v); CREATE VIEW w AS SELECT v FROM t;"
            "CREATE TABLE log (v); CREATE TRIGGER g AFTER INSERT ON t "
            "BEGIN INSERT INTO log VALUES (new.v); END;"
        )
    load(TargetSQLite(config), start, records("t", [{"id": 2, "v": "new"}]))
    assert query(path, "SELECT v FROM w") == [("new",)]
    assert query(path, "SELECT v FROM log") == [("new",)]
    assert query(path, "SELECT count(*) FROM sqlite_master WHERE name IN ('i', 'g')") == [(2,)]


ANY_TEXT = st.text(st.characters(exclude_categories=["Cs"]))
ROW = st.fixed_dictionaries(
    {
        "text": st.none() | ANY_TEXT,
        "number": st.none() | st.integers(),
        "float": st.none() | st.floats(allow_nan=False),
        "decimal": st.none() | st.decimals(allow_nan=False, allow_infinity=False),
        "small": st.none()
        | st.decimals(min_value=-(10**9), max_value=10**9, places=4, allow_nan=False),
        "bytes": st.none() | st.binary(),
        "json": st.none() | st.dictionaries(ANY_TEXT, st.integers() | ANY_TEXT),
    }
)
TYPES = {
    "text": LogicalType("string"),
    "number": LogicalType("integer"),
    "float": LogicalType("float"),
    "decimal": LogicalType("decimal"),
    "small": LogicalType("decimal", 15, 4),
    "bytes": LogicalType("binary"),
    "json": LogicalType("json"),
}


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(rows=st.lists(ROW, min_size=1, max_size=8))
def test_any_row_is_read_back_as_it_was(tmp_path: Path, rows: list[dict[str, Any]]) -> None:
    """Whatever the text, digits, bytes and JSON, the table holds the same values."""
    path = tmp_path / "x.db"
    path.unlink(missing_ok=True)
    properties = {"id": {"type": "integer"}, **{n: to_schema(t) for n, t in TYPES.items()}}
    sent = [
        {**row, "id": i, "bytes": None if row["bytes"] is None else row["bytes"].hex()}
        for i, row in enumerate(rows)
    ]
    load(TargetSQLite({"path": str(path)}), schema("t", properties, ["id"]), records("t", sent))
    found = query(path, f"SELECT {', '.join(TYPES)} FROM t ORDER BY id")
    for row, cells in zip(rows, found, strict=True):
        got = dict(zip(TYPES, cells, strict=True))
        for name in ("number", "decimal", "small"):
            wanted = None if row[name] is None else Decimal(row[name])
            assert (None if got[name] is None else Decimal(str(got[name]))) == wanted
        for name in ("text", "float", "bytes"):
            assert got[name] == row[name]
        assert (None if got["json"] is None else json.loads(got["json"])) == row["json"]
