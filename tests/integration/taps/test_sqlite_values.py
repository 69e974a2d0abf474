"""What tap-sqlite makes of declared types, of cells that do not fit them, and of odd tables."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture
def database(tmp_path: Path) -> Any:
    """Make a database file of the given statements; return the configuration that names it."""

    def make(*statements: str, **config: Any) -> dict[str, Any]:
        path = tmp_path / "values.db"
        with closing(sqlite3.connect(path)) as connection, connection:
            for statement in statements:
                connection.execute(statement)
        return {"path": str(path), **config}

    return make


CASES = [
    ("INTEGER", "-9223372036854775808", -9223372036854775808),
    ("BIGINT", "9223372036854775807", 9223372036854775807),
    ("REAL", "0.1", 0.1),
    ("DOUBLE", "9e999", "Infinity"),
    ("FLOAT", "3", 3.0),
    ("TEXT", "'a'||char(10)||'b\"\\'", 'a\nb"\\'),
    ("VARCHAR(3)", "'000'", "000"),
    ("", "'any'", "any"),
    ("BLOB", "x'00ff'", "00ff"),
    ("BOOLEAN", "1", True),
    ("DECIMAL(10,2)", "1.5", 1.5),
    ("DECIMAL_TEXT(38,4)", "'12345678901234567890.1234'", Decimal("12345678901234567890.1234")),
    ("DATE", "'2024-02-29'", "2024-02-29"),
    ("TIME", "'12:34:56.789'", "12:34:56.789"),
    ("DATETIME", "'2024-02-29 12:34:56'", "2024-02-29 12:34:56"),
    ("JSON", "'{\"a\": [1, 2.50]}'", {"a": [1, 2.5]}),
    ("UUID", "'8d1b1a3c-0d55-4c55-9c0e-000000000001'", "8d1b1a3c-0d55-4c55-9c0e-000000000001"),
]


def test_cells_of_every_declared_type_are_read_as_they_are(database: Any, tap: Any) -> None:
    """And nulls of every type as null."""
    columns = ", ".join(f"c{i} {type}" for i, (type, _, _) in enumerate(CASES))
    config = database(
        f"CREATE TABLE t ({columns})",
        f"INSERT INTO t VALUES ({', '.join(sql for _, sql, _ in CASES)})",
        f"INSERT INTO t VALUES ({', '.join(['NULL'] * len(CASES))})",
    )
    said = tap("tap-sqlite", config)
    assert said.code == 0, said.err
    first, second = said.records
    for i, (type, _, expected) in enumerate(CASES):
        value = first[f"c{i}"]
        if isinstance(expected, Decimal):
            expected, value = float(expected), float(value)
        assert value == expected, type
    assert set(second.values()) == {None}


@pytest.mark.parametrize(
    ("declared", "cell", "shown"),
    [
        ("INTEGER", "'abc'", '"abc"'),
        ("BOOLEAN", "5", "5"),
        ("DATE", "'01/02/2024'", '"01/02/2024"'),
        ("DATETIME", "1704067200", "1704067200"),
        ("BLOB", "'text'", '"text"'),
        ("JSON", "'{'", '"{"'),
    ],
)
def test_a_cell_that_does_not_fit_its_type_is_an_error_with_a_remedy(
    database: Any, tap: Any, declared: str, cell: str, shown: str
) -> None:
    """It names table, column and cell, and the setting that reads such columns as text."""
    config = database(f"CREATE TABLE t (id INTEGER PRIMARY KEY, x {declared})",
                      f"INSERT INTO t VALUES (1, NULL), (2, {cell})")  # fmt: skip
    said = tap("tap-sqlite", config)
    assert said.code == 1
    for words in ("t", "x", shown.strip('"'), "mistyped"):
        assert words in said.err
    assert "Traceback" not in said.err
    widened = tap("tap-sqlite", {**config, "mistyped": "widen"})
    assert widened.code == 0, widened.err
    wanted = int(cell) if cell.isdigit() else cell.strip("'")
    assert [record["x"] for record in widened.records] == [None, wanted]
    assert "string" in widened.of("SCHEMA")[0]["schema"]["properties"]["x"]["type"]


def test_views_generated_columns_and_tables_without_rowid_are_read(
    database: Any, tap: Any, discover: Any
) -> None:
    """And names with spaces, quotes and emoji."""
    config = database(
        'CREATE TABLE "odd \'name" ("a ""b" INTEGER, "😀" TEXT AS (\'x\' || "a ""b"))',
        'INSERT INTO "odd \'name" VALUES (7)',
        "CREATE TABLE pairs (a TEXT, b TEXT, PRIMARY KEY (b, a)) WITHOUT ROWID",
        "INSERT INTO pairs VALUES ('x', 'y')",
        "CREATE VIEW seen AS SELECT a FROM pairs",
    )
    streams = discover("tap-sqlite", config)
    assert set(streams) == {"odd 'name", "pairs", "seen"}
    assert streams["pairs"]["key_properties"] == ["b", "a"]
    assert streams["seen"]["is_view"] is True
    said = tap("tap-sqlite", config)
    found = {message["stream"]: message["record"] for message in said.of("RECORD")}
    assert found == {
        "odd 'name": {'a "b': 7, "😀": "x7"},
        "pairs": {"a": "x", "b": "y"},
        "seen": {"a": "x"},
    }


def test_the_catalog_counts_where_a_column_declares_no_type(
    database: Any, tap: Any, discover: Any
) -> None:
    """As in the expressions of a view; a cell that does not fit what it says is an error."""
    config = database("CREATE TABLE t (n INTEGER)", "INSERT INTO t VALUES (1), (2)",
                      "CREATE VIEW v AS SELECT n * 2 AS twice FROM t")  # fmt: skip
    view = discover("tap-sqlite", config)["v"]
    for said, expected in (
        (["integer", "null"], [2, 4]),
        (["number", "null"], [2, 4]),
        (["string", "null"], ["2", "4"]),
    ):
        view["schema"]["properties"]["twice"] = {"type": said}
        read = tap("tap-sqlite", config, catalog={"streams": [view]})
        assert [record["twice"] for record in read.records] == expected, read.err
        assert read.of("SCHEMA")[0]["schema"]["properties"]["twice"] == {"type": said}
    view["schema"]["properties"]["twice"] = {"type": ["boolean", "null"]}
    refused = tap("tap-sqlite", config, catalog={"streams": [view]})
    assert refused.code == 1
    assert "column twice is declared without a type" in refused.err


def test_a_missing_file_is_not_made(tap: Any, tmp_path: Path) -> None:
    """A tap never writes; the error names the file."""
    said = tap("tap-sqlite", {"path": str(tmp_path / "none.db")})
    assert said.code == 2
    assert "none.db" in said.err
    assert not (tmp_path / "none.db").exists()


def test_a_file_that_is_no_database_is_refused(tap: Any, tmp_path: Path) -> None:
    """In words."""
    (tmp_path / "text.db").write_text("hello " * 1000)
    said = tap("tap-sqlite", {"path": str(tmp_path / "text.db")})
    assert said.code == 1
    assert "is not an SQLite database" in said.err


def test_a_database_that_another_process_writes_is_read(database: Any, tap: Any) -> None:
    """The tap reads what was committed, and locks nobody out."""
    config = database("CREATE TABLE t (id INTEGER)", "INSERT INTO t VALUES (1)",
                      "PRAGMA journal_mode = WAL")  # fmt: skip
    with closing(sqlite3.connect(config["path"], isolation_level=None)) as writer:
        writer.execute("BEGIN IMMEDIATE")
        writer.execute("INSERT INTO t VALUES (2)")
        said = tap("tap-sqlite", config)
        writer.execute("COMMIT")
    assert said.records == [{"id": 1}]
    assert tap("tap-sqlite", config).records == [{"id": 1}, {"id": 2}]
