"""Which table rows go to, and the types that they take of one that is there."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from kozmo_bridge.components.databases import database
from kozmo_bridge.placing import fitted, place, spelled
from kozmo_targets.sql import postgres_database, sqlite_database
from kozmo_targets.sql.names import Name, Naming, check_settings, table_of

NAMING = Naming(limit=None, fold=str)
STRING = {"type": ["string", "null"]}


@pytest.mark.parametrize("schema", ["", "a-b", "{x}"])
@pytest.mark.parametrize(
    "table", ["t", "T t", "a-b", "-", "a-", "{table}", "{x}", "a{b}-c", "{{-}}", "}-{stream}", '"']
)
def test_a_table_gets_the_name_as_it_is_spelled(table: str, schema: str) -> None:
    """By the rules of the targets, whatever dashes and braces it has."""
    found = place(table, schema)
    config = {"table_prefix": "", **found.settings}
    check_settings(config)
    assert table_of(found.stream, config, NAMING) == Name(schema or None, table)


def types(rows: list[dict[str, Any]], there: dict[str, Any]) -> dict[str, str]:
    """The types of the columns of *rows* in a table with the properties *there*."""
    shape = fitted(rows, {"properties": there})
    return {column.name: column.type.name for column in shape.columns}


@pytest.mark.parametrize(
    ("texts", "type"),
    [
        (["2024-01-31", None], "date"),
        (["2024-01-31T10:00:00", "2024-01-31 10:00:00.5"], "timestamp"),
        (["2024-01-31T10:00:00+05:30", "2024-01-31 10:00:00Z"], "timestamptz"),
        (["2024-01-31", "2024-01-31T10:00:00"], "string"),
        (["2024-02-30"], "string"),
        (["0000-01-01"], "string"),
        (["2024-01-31T24:00:00"], "string"),
        (["2024-01-31T10:00:00.1234567"], "string"),
        ([None, None], "string"),
        ([""], "string"),
    ],
)
def test_texts_that_are_all_moments_are_moments(texts: list[str | None], type: str) -> None:
    """In a new column; one of texts that is there stays one of texts."""
    rows = [{"at": text} for text in texts]
    assert types(rows, {}) == {"at": type}
    assert types(rows, {"at": STRING}) == {"at": "string"}


def test_columns_take_the_type_of_the_table() -> None:
    """Whatever the values are, each as it came; longer texts than the table's are not cut."""
    rows = [
        {"id": 1, "n": 1.5, "s": 7, "new": 1},
        {"id": "x", "n": Decimal("2"), "s": "", "new": 2},
    ]
    there = {
        "id": {"type": "integer"},
        "n": {"type": "integer", "minimum": -32768, "maximum": 32767},
        "s": {"type": "string", "maxLength": 1},
    }
    shape = fitted(rows, {"properties": there})
    assert [column.type.name for column in shape.columns] == [
        "integer", "integer", "string", "integer",
    ]  # fmt: skip
    assert shape.columns[2].type.length == 1
    assert shape.rows == [(1, 1.5, "7", 1), ("x", Decimal("2"), "", 2)]


def test_moments_fit_into_columns_of_finer_moments() -> None:
    """A date into any, a moment without zone into one with; else the table's type counts."""
    zoned = {"type": "string", "format": "date-time"}
    assert types([{"at": "2024-01-31"}], {"at": zoned}) == {"at": "date"}
    assert types([{"at": "2024-01-31T10:00:00"}], {"at": zoned}) == {"at": "timestamp"}
    day = {"type": "string", "format": "date"}
    assert types([{"at": "2024-01-31T10:00:00"}], {"at": day}) == {"at": "date"}
    assert types([{"at": "n/a"}], {"at": day}) == {"at": "date"}


@pytest.mark.parametrize("name", ["orders", "Orders", "ORDERS", "Größe", "GRÖSSE", "İd", "K"])
def test_names_are_compared_as_the_target_compares_them(name: str) -> None:
    """SQLite sees no case of A to Z and that of every other letter; PostgreSQL sees all."""
    assert database("SQLite").fold(name) == sqlite_database.NAMING.fold(name)
    assert database("PostgreSQL").fold(name) == postgres_database.NAMING.fold(name) == name


def test_columns_and_keys_are_those_of_the_table_in_any_case_that_it_does_not_see() -> None:
    """They stay as the rows spell them."""
    there = {"properties": {"ID": {"type": "integer"}, "Größe": {"type": "number"}}}
    rows = [{"id": "x", "größe": "y", "GRÖSSE": "z"}]
    fold = database("SQLite").fold
    shape = fitted(rows, there, fold=fold)
    assert [(column.name, column.type.name) for column in shape.columns] == [
        ("id", "integer"), ("größe", "decimal"), ("GRÖSSE", "string"),
    ]  # fmt: skip
    assert spelled(["ID", "none"], shape, fold) == ["id", "none"]
    exact = fitted(rows, there)
    assert [column.type.name for column in exact.columns] == ["string"] * 3
    assert spelled(["ID"], exact) == ["ID"]
