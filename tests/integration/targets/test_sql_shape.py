"""How tables come to be and change: names, new columns, wider types, nested values."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from kozmo_singer.errors import KozmoError, WriteError
from messages import INTEGER, NUMBER, TEXT, load, record, records, schema, state

from .conftest import Place

ID = {"id": {"type": "integer"}}
SMALL = {"type": ["integer", "null"], "minimum": -32768, "maximum": 32767}
BIG = {"type": ["integer", "null"], "minimum": -(2**63), "maximum": 2**63 - 1}
FLOAT = {"type": ["number", "null"], "x-kozmo-type": "float"}
FLAG = {"type": ["boolean", "null"]}
DATE = {"type": ["string", "null"], "format": "date"}
NAIVE = {"type": ["string", "null"], "format": "date-time", "x-kozmo-type": "timestamp"}
MOMENT = {"type": ["string", "null"], "format": "date-time"}
UUID = {"type": ["string", "null"], "format": "uuid"}
OBJECT = {"type": ["object", "null"]}
U = "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"


def money(precision: int, scale: int) -> dict[str, Any]:
    """The schema of a decimal with limits."""
    return {"type": ["number", "null"], "precision": precision, "scale": scale}


def words(length: int) -> dict[str, Any]:
    """The schema of a text with a limit."""
    return {"type": ["string", "null"], "maxLength": length}


# The type of the table, a value in it, the type of the stream, a value of it; then the column's
# type in PostgreSQL and in SQLite and both values there as text.
WIDER: list[tuple[Any, Any, Any, Any, str, str, tuple[str, str]]] = [
    (SMALL, 1, BIG, 2**40, "bigint", "INTEGER", ("1", "1099511627776")),
    (BIG, 1, SMALL, 2, "bigint", "INTEGER", ("1", "2")),
    (BIG, 2**62 + 1, money(9, 2), Decimal("1.25"), "numeric(21,2)", "DECIMAL_TEXT(21,2)",
     ("4611686018427387905", "1.25")),
    (money(5, 2), Decimal("123.45"), money(9, 4), Decimal("1.2345"), "numeric(9,4)",
     "DECIMAL(9,4)", ("123.45", "1.2345")),
    (money(5, 2), Decimal("123.45"), NUMBER, Decimal("1e3"), "numeric", "DECIMAL_TEXT",
     ("123.45", "1E+3")),
    (FLOAT, 0.1, NUMBER, Decimal("0.12345678901234567891"), "numeric", "DECIMAL_TEXT",
     ("0.1", "0.12345678901234567891")),
    (FLOAT, 1.5, BIG, 2**62 + 1, "numeric", "DECIMAL_TEXT", ("1.5", "4611686018427387905")),
    (SMALL, 7, FLOAT, 0.1, "double precision", "DECIMAL_TEXT", ("7", "0.1")),
    (words(3), "abc", words(6), "abcdef", "character varying(6)", "VARCHAR(6)", ("abc", "abcdef")),
    (words(3), "abc", TEXT, "x" * 99, "text", "TEXT", ("abc", "x" * 99)),
    (SMALL, 7, TEXT, "007", "text", "TEXT", ("7", "007")),
    (FLAG, True, TEXT, "maybe", "text", "TEXT", ("true", "maybe")),
    (TEXT, "x", FLAG, False, "text", "TEXT", ("x", "false")),
    (TEXT, "x", SMALL, 5, "text", "TEXT", ("x", "5")),
    (UUID, U, TEXT, "none", "text", "TEXT", (U, "none")),
    (MOMENT, "2024-01-02T00:00:00Z", TEXT, "never", "text", "TEXT", ("2024-01-02", "never")),
    (OBJECT, {"a": 1}, TEXT, "plain", "text", "TEXT", ('{"a":1}', "plain")),
    (TEXT, "x", OBJECT, {"a": 1}, "text", "TEXT", ("x", '{"a":1}')),
    (DATE, "2024-01-02", MOMENT, "2024-01-02T03:04:05Z", "timestamp with time zone",
     "TIMESTAMPTZ", ("2024-01-02", "2024-01-02")),
    (NAIVE, "2024-01-02T03:04:05", MOMENT, "2024-01-02T03:04:05+01:00",
     "timestamp with time zone", "TIMESTAMPTZ", ("2024-01-02", "2024-01-02")),
]  # fmt: skip


@pytest.mark.parametrize("method", ["upsert", "append-only"])
@pytest.mark.parametrize(
    ("have", "old", "want", "new", "postgres_type", "sqlite_type", "shown"),
    WIDER,
    ids=[f"{i}-{case[4]}" for i, case in enumerate(WIDER)],
)
def test_a_column_is_widened_for_values_that_it_could_not_hold(
    place: Place,
    have: Any,
    old: Any,
    want: Any,
    new: Any,
    postgres_type: str,
    sqlite_type: str,
    shown: tuple[str, str],
    method: str,
) -> None:
    """Old and new values are there, as exact as they came."""
    settings = {"load_method": method}
    load(place.target(**settings), schema("t", {**ID, "v": have}, ["id"]),
         record("t", {"id": 1, "v": old}))  # fmt: skip
    load(place.target(**settings), schema("t", {**ID, "v": want}, ["id"]),
         record("t", {"id": 2, "v": new}))  # fmt: skip
    expected = postgres_type if place.name == "postgres" else sqlite_type
    assert place.types("t")["v"] == expected
    found = [str(v) for (v,) in place.query("SELECT CAST(v AS text) FROM t ORDER BY id")]
    for got, wanted in zip(found, shown, strict=True):
        assert alike(got, wanted), (got, wanted)


def alike(got: str, wanted: str) -> bool:
    """Whether two texts say the same number or object, or one begins with the other."""
    try:
        return Decimal(got) == Decimal(wanted)
    except ArithmeticError:
        if wanted.startswith("{"):
            return bool(json.loads(got) == json.loads(wanted))
        return got.startswith(wanted)


def test_a_type_widens_within_the_stream(place: Place) -> None:
    """A new SCHEMA in the middle; rows before and after are there, the state follows both."""
    told = load(
        place.target(),
        schema("t", {**ID, "v": SMALL}, ["id"]),
        record("t", {"id": 1, "v": 5}),
        state({"n": 1}),
        schema("t", {**ID, "v": TEXT, "w": INTEGER}, ["id"]),
        record("t", {"id": 2, "v": "x", "w": 6}),
        state({"n": 2}),
    )
    assert told == [{"n": 1}, {"n": 2}]
    assert place.query("SELECT id, v, w FROM t ORDER BY id") == [(1, "5", None), (2, "x", 6)]


@pytest.mark.parametrize("method", ["upsert", "overwrite", "append-only"])
def test_columns_are_added_and_those_that_went_stay(place: Place, method: str) -> None:
    """A column that the stream has no more keeps its values; a new one is null in old rows."""
    target = place.target(load_method=method)
    load(
        target,
        schema("t", {**ID, "a": TEXT}, ["id"]),
        record("t", {"id": 1, "a": "x"}),
        schema("t", {**ID, "b": TEXT}, ["id"]),
        record("t", {"id": 2, "b": "y"}),
    )
    assert place.query("SELECT id, a, b FROM t ORDER BY id") == [(1, "x", None), (2, None, "y")]


NAMES = [
    "select",
    "Order",
    'quote"d',
    "semi; DROP TABLE t; --",
    "emoji 🦊",
    "per%cent %s",
    "back\\slash",
    "new\nline",
    "dot.ted",
    "[brackets]",
    "ünïcode",
    "a:b",
    "{curly}",
    "'single'",
]


@pytest.mark.parametrize("method", ["upsert", "overwrite", "append-only"])
def test_names_are_kept_whatever_they_hold(place: Place, method: str) -> None:
    """As a table and as columns; none of them becomes SQL."""
    for name in NAMES:
        for value in ("x", "y"):
            schemas = {} if place.name == "sqlite" else {"default_target_schema": "public"}
            target = place.target(load_method=method, table_name="{stream}", **schemas)
            fields = {n: {"type": "string"} for n in [name, f"{name} 2"]}
            row = {name: "k", f"{name} 2": value}
            load(target, schema(name, fields, [name]), records(name, [row, row]))
        table, column = (part.replace('"', '""') for part in (name, f"{name} 2"))
        found = place.query(f'SELECT "{column}" FROM "{table}"')
        assert set(found) == ({("x",), ("y",)} if method == "append-only" else {("y",)}), name
    assert sorted(place.tables()) == sorted({*NAMES})


def test_long_names_are_cut_and_stay_apart(place: Place) -> None:
    """PostgreSQL has 63 bytes; each name that is longer gets a form of its own."""
    stream, base = "s" * 70, "ü" * 40
    fields = {**ID, f"{base}1": TEXT, f"{base}2": TEXT}
    rows = [{"id": 1, f"{base}1": "one", f"{base}2": "two"}]
    for _ in range(2):
        load(place.target(), schema(stream, fields, ["id"]), records(stream, rows))
    (table,) = place.tables()
    if place.name == "postgres":
        assert len(table) == 63
        assert table.startswith("s" * 54 + "_")
        assert [len(name.encode()) <= 63 for name in place.types(table)] == [True] * 3
    assert place.query(f'SELECT * FROM "{table}"') == [(1, "one", "two")]


def test_columns_that_differ_by_case(place: Place) -> None:
    """They are two in PostgreSQL, and an error in SQLite, which would take them for one."""
    stream = schema("t", {**ID, "Name": TEXT, "name": TEXT}, ["id"])
    rows = records("t", [{"id": 1, "Name": "A", "name": "b"}])
    if place.name == "postgres":
        load(place.target(), stream, rows)
        assert place.query('SELECT "Name", name FROM t') == [("A", "b")]
    else:
        with pytest.raises(WriteError, match="'Name' and 'name' would be the same column"):
            load(place.target(), stream, rows)


def test_nested_values_are_json(place: Place) -> None:
    """Objects and arrays are one column each."""
    fields = {**ID, "o": OBJECT, "a": {"type": "array"}}
    load(place.target(), schema("t", fields), record("t", {"id": 1, "o": {"k": [1]}, "a": [2]}))
    ((o, a),) = place.query("SELECT o, a FROM t")
    parsed = [json.loads(v) if isinstance(v, str) else v for v in (o, a)]
    assert parsed == [{"k": [1]}, [2]]


def test_nested_values_are_flattened_where_the_user_wants_that(place: Place) -> None:
    """Each field of an object is a column, to the depth that is set."""
    inner = {"type": "object", "properties": {"x": INTEGER, "deep": {"type": "object"}}}
    target = place.target(flattening_enabled=True, flattening_max_depth=1)
    load(
        target,
        schema("t", {**ID, "o": inner}, ["id"]),
        record("t", {"id": 1, "o": {"x": 5, "deep": {"y": 1}}}),
        state({"n": 1}),
    )
    assert list(place.types("t")) == ["id", "o__x", "o__deep"]
    ((x, deep),) = place.query("SELECT o__x, o__deep FROM t")
    assert (x, json.loads(deep)) == (5, {"y": 1})


def test_stream_maps_change_what_is_loaded(place: Place) -> None:
    """Fields computed, left out and renamed streams; a record that is filtered out is not there."""
    maps = {
        "t": {"double": "int(id * 2)", "secret": "__NULL__", "__filter__": "id < 3"},
        "u": {"__alias__": "v"},
        "gone": "__NULL__",
    }
    told = load(
        place.target(stream_maps=maps),
        schema("t", {**ID, "secret": TEXT}, ["id"]),
        records("t", [{"id": i, "secret": "s"} for i in (1, 2, 3)]),
        schema("u", ID, ["id"]),
        record("u", {"id": 5}),
        schema("gone", ID),
        record("gone", {"id": 6}),
        state({"n": 1}),
    )
    assert told == [{"n": 1}]
    assert place.query("SELECT id, double FROM t ORDER BY id") == [(1, 2), (2, 4)]
    assert list(place.types("t")) == ["id", "double"]
    assert place.tables() == ["t", "v"]
    assert place.query("SELECT id FROM v") == [(5,)]


def test_the_slow_path_gives_the_same_rows(place: Place) -> None:
    """A map of another stream sends everything through the mapper, and changes nothing."""
    fields = {**ID, "d": NUMBER, "t": TEXT, "o": OBJECT, "m": MOMENT}
    row = {
        "id": 2**62 + 1,
        "d": Decimal("12345678901234567890.10"),
        "t": "ü\n\"\\",
        "o": {"n": Decimal("1.10")},
        "m": "2024-01-02T03:04:05.123456+05:30",
    }  # fmt: skip
    load(place.target(table_prefix="fast_"), schema("t", fields, ["id"]), record("t", row))
    mapped = place.target(table_prefix="slow_", stream_maps={"other": {"x": "1"}})
    load(mapped, schema("t", fields, ["id"]), record("t", row))
    columns = 'id, CAST(d AS text), t, CAST("o" AS text), CAST(m AS text)'
    assert place.query(f"SELECT {columns} FROM slow_t") == place.query(
        f"SELECT {columns} FROM fast_t"
    )
    assert place.types("slow_t") == place.types("fast_t")


def test_a_table_prefix_is_put_before_each_name(place: Place) -> None:
    """For the stream's own part of the name only."""
    load(place.target(table_prefix="raw_"), schema("public-t", ID), record("public-t", {"id": 1}))
    assert place.tables() == ["raw_t"]


def test_a_key_that_changes_within_the_stream_is_refused(place: Place) -> None:
    """Rows of both kinds cannot be told apart by one key."""
    fields = {**ID, "other": {"type": "integer"}}
    with pytest.raises(KozmoError, match="its key changes"):
        load(
            place.target(),
            schema("t", fields, ["id"]),
            record("t", {"id": 1, "other": 1}),
            schema("t", fields, ["other"]),
        )
    assert place.query("SELECT id FROM t") == [(1,)]


def test_a_key_that_becomes_another_type(place: Place) -> None:
    """PostgreSQL changes the column and its index; SQLite cannot, says so and keeps all rows."""
    load(place.target(), schema("t", ID, ["id"]), record("t", {"id": 1}))
    textual = schema("t", {"id": {"type": "string"}}, ["id"])
    if place.name == "postgres":
        load(place.target(), textual, records("t", [{"id": "1"}, {"id": "x"}]))
        assert place.query("SELECT id FROM t ORDER BY id") == [("1",), ("x",)]
    else:
        with pytest.raises(WriteError, match="id of table t is INTEGER and cannot become TEXT"):
            load(place.target(), textual, record("t", {"id": "x"}))
        assert place.query("SELECT id FROM t") == [(1,)]
        assert place.types("t") == {"id": "INTEGER"}


def test_many_streams_interleaved_record_by_record(place: Place) -> None:
    """Each row ends in its own table, whatever the order in which they come."""
    streams = [f"s{i}" for i in range(40)]
    starts = [schema(stream, {**ID, "v": TEXT}, ["id"]) for stream in streams]
    for run in range(2):
        rows = [
            record(stream, {"id": i, "v": f"{stream} {i} {run}"})
            for i in range(10)
            for stream in streams
        ]
        load(place.target(batch_size_rows=90), starts, rows, state({"run": run}))
    for stream in streams:
        found = place.query(f"SELECT id, v FROM {stream} ORDER BY id")
        assert found == [(i, f"{stream} {i} 1") for i in range(10)]
