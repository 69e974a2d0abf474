"""Every logical type in PostgreSQL: the column it makes, and each value read back as it was."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kozmo_singer.errors import RecordError
from kozmo_singer.wire.types import LogicalType, to_schema
from kozmo_targets.sql.postgres import TargetPostgres
from messages import TEXT, load, records, schema
from servers.postgres import Database

Case = tuple[LogicalType, str, list[tuple[Any, str | None]]]
CASES: list[Case] = [
    (LogicalType("boolean"), "boolean", [(True, "true"), (False, "false"), (None, None)]),
    (LogicalType("integer", bits=16), "smallint", [(-32768, "-32768"), (32767, "32767")]),
    (LogicalType("integer", bits=32), "integer", [(-(2**31), "-2147483648")]),
    (
        LogicalType("integer", bits=64),
        "bigint",
        [(2**63 - 1, "9223372036854775807"), (-(2**63), "-9223372036854775808")],
    ),
    (LogicalType("integer"), "bigint", [(0, "0"), (None, None)]),
    (
        LogicalType("float"),
        "double precision",
        [
            (0.1, "0.1"),
            (1e308, "1e+308"),
            (5e-324, "5e-324"),
            ("NaN", "NaN"),
            ("Infinity", "Infinity"),
            ("-Infinity", "-Infinity"),
        ],
    ),
    (LogicalType("float", bits=32), "real", [(1.5, "1.5")]),
    (
        LogicalType("decimal", 18, 4),
        "numeric(18,4)",
        [(Decimal("12345678901234.5678"), "12345678901234.5678"), (Decimal("-0.0001"), "-0.0001")],
    ),
    (
        LogicalType("decimal"),
        "numeric",
        [
            (Decimal("12345678901234567890.1234567890"), "12345678901234567890.1234567890"),
            (Decimal("1E+30"), "1" + "0" * 30),
            ("NaN", "NaN"),
        ],
    ),
    (
        LogicalType("string"),
        "text",
        [
            ("", ""),
            ("null", "null"),
            ('quote " backslash \\ slash /', 'quote " backslash \\ slash /'),
            ("tab\tline\nreturn\rfeed\f\b\v\x01\x7f", "tab\tline\nreturn\rfeed\f\b\v\x01\x7f"),
            ("\\n \\u0041 \\\\", "\\n \\u0041 \\\\"),
            ("\\.", "\\."),
            ("ελληνικά 汉字 🦊 \u2028", "ελληνικά 汉字 🦊 \u2028"),
            (" spaces ", " spaces "),
            ("[1]\n[2]", "[1]\n[2]"),
        ],
    ),
    (LogicalType("string", length=5), "character varying(5)", [("éèàùç", "éèàùç")]),
    (LogicalType("binary"), "bytea", [("00ff5c22", r"\x00ff5c22"), ("", r"\x")]),
    (LogicalType("binary", encoding="base64"), "bytea", [("AP9cIg==", r"\x00ff5c22")]),
    (
        LogicalType("date"),
        "date",
        [
            ("2024-02-29", "2024-02-29"),
            ("10000-01-01", "10000-01-01"),
            ("0044-03-15 BC", "0044-03-15 BC"),
            ("infinity", "infinity"),
        ],
    ),
    (
        LogicalType("time"),
        "time without time zone",
        [("23:59:59.999999", "23:59:59.999999"), ("24:00:00", "24:00:00")],
    ),
    (
        LogicalType("timestamp"),
        "timestamp without time zone",
        [("2024-01-02T03:04:05.123456", "2024-01-02 03:04:05.123456"), ("-infinity", "-infinity")],
    ),
    (
        LogicalType("timestamptz"),
        "timestamp with time zone",
        [
            ("2024-01-02T03:04:05.5+05:30", "2024-01-01 21:34:05.5+00"),
            ("2024-01-02T03:04:05Z", "2024-01-02 03:04:05+00"),
            ("2024-01-02T03:04:05", "2024-01-02 03:04:05+00"),
            ("infinity", "infinity"),
        ],
    ),
    (
        LogicalType("uuid"),
        "uuid",
        [("A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11")],
    ),
    (
        LogicalType("json"),
        "jsonb",
        [
            ({"a": [1, None, {"b": Decimal("1.10")}]}, '{"a": [1, null, {"b": 1.10}]}'),
            ("x\ny", '"x\\ny"'),
            ([], "[]"),
            ("text", '"text"'),
            (Decimal("12345678901234567890.5"), "12345678901234567890.5"),
            (True, "true"),
        ],
    ),
]  # fmt: skip


@pytest.mark.parametrize("method", ["append-only", "upsert", "overwrite"])
@pytest.mark.parametrize(
    ("type", "column", "values"), CASES, ids=[f"{c[1]}-{c[0].encoding}" for c in CASES]
)
def test_a_logical_type_makes_its_column_and_keeps_its_values(
    postgres: Database,
    type: LogicalType,
    column: str,
    values: list[tuple[Any, str | None]],
    method: str,
) -> None:
    """The column has the type stated in the docs, and PostgreSQL shows each value as expected."""
    properties = {"id": {"type": "integer"}, "v": to_schema(type)}
    rows = [{"id": i, "v": sent} for i, (sent, _) in enumerate(values)]
    target = TargetPostgres({**postgres.config, "load_method": method})
    load(target, schema("t", properties, ["id"]), records("t", rows))
    assert postgres.execute("SELECT id, v::text FROM t ORDER BY id") == [
        (i, shown) for i, (_, shown) in enumerate(values)
    ]
    assert postgres.execute(
        "SELECT format_type(atttypid, atttypmod) FROM pg_attribute "
        "WHERE attrelid = 't'::regclass AND attname = 'v'"
    ) == [(column,)]


BAD: list[tuple[LogicalType, Any, str]] = [
    (LogicalType("integer", bits=16), 32768, "out of range for type smallint"),
    (LogicalType("integer", bits=64), 2**63, "out of range for type bigint"),
    (LogicalType("decimal", 5, 2), Decimal("1.239"), "expected decimal(5,2), got 1.239"),
    (LogicalType("decimal", 5, 2), Decimal("1000"), "expected decimal(5,2), got 1000"),
    (LogicalType("string", length=3), "four", 'expected at most 3 characters, got "four"'),
    (LogicalType("string", length=3), "abc  ", "expected at most 3 characters"),
    (LogicalType("date"), "2024-02-30", "date/time field value out of range"),
    (LogicalType("time"), "10:00:00+05:30", "expected a time without an offset"),
    (LogicalType("time"), "10:00:00-05", "expected a time without an offset"),
    (LogicalType("timestamp"), "2024-01-01T00:00:00-05", "expected a date-time without an offset"),
    (LogicalType("string"), "a\0b", "NUL"),
    (LogicalType("json"), {"a": "x\0y"}, "NUL"),
    (LogicalType("string"), "\ud800", "half a surrogate pair"),
]


@pytest.mark.parametrize(("type", "value", "said"), BAD)
def test_a_value_that_does_not_fit_is_named_and_not_changed(
    postgres: Database, type: LogicalType, value: Any, said: str
) -> None:
    """The error names line and path; rows of earlier batches stand, those of this one do not."""
    target = TargetPostgres({**postgres.config, "batch_size_rows": 2})
    good = [{"id": i, "text": "ok", "v": None} for i in range(4)]
    bad = {"id": 9, "text": "break\nlines\n", "v": value}
    properties = {"id": {"type": "integer"}, "text": TEXT, "v": to_schema(type)}
    with pytest.raises(RecordError) as caught:
        # A state after each record makes each of them a piece of its own.
        parts: list[Any] = [schema("t", properties, ["id"])]
        for row in [*good, {**bad, "id": 8, "v": None}, bad]:
            parts += [*records("t", [row]), {"type": "STATE", "value": {"row": row["id"]}}]
        load(target, *parts)
    assert said in str(caught.value)
    assert caught.value.line == 12
    assert caught.value.path == "$.v"
    assert caught.value.stream == "t"
    assert postgres.execute("SELECT id FROM t ORDER BY id") == [(0,), (1,), (2,), (3,)]


@pytest.mark.parametrize("method", ["append-only", "upsert", "overwrite"])
def test_an_integer_beyond_64_bits_widens_a_column_without_limits(
    postgres: Database, method: str
) -> None:
    """The schema allows any integer, so the column becomes numeric and no digit is lost."""
    properties = {"id": {"type": "integer"}, "v": {"type": "integer"}}
    values = [1, 2**63, -(2**70), 12345678901234567890123456789012345]
    rows = [{"id": i, "v": value} for i, value in enumerate(values)]
    config = {**postgres.config, "load_method": method, "batch_size_rows": 2}
    load(TargetPostgres(config), schema("t", properties, ["id"]), records("t", rows))
    assert postgres.execute("SELECT v FROM t ORDER BY id") == [(Decimal(v),) for v in values]
    if method != "overwrite":
        load(TargetPostgres(config), schema("t", properties, ["id"]), records("t", rows[:1]))
        assert len(postgres.execute("SELECT v FROM t")) == (5 if method == "append-only" else 4)


@pytest.mark.parametrize("method", ["append-only", "upsert", "overwrite"])
@pytest.mark.parametrize("filled", [False, True])
def test_several_columns_widen_by_one_row(postgres: Database, method: str, filled: bool) -> None:
    """Also where rows are there already, so that an upsert goes through a stage at once."""
    properties = {name: {"type": "integer"} for name in ("id", "v", "w")}
    config = {**postgres.config, "load_method": method}
    if filled:
        rows = records("t", [{"id": 1, "v": 1, "w": 1}])
        load(TargetPostgres(config), schema("t", properties, ["id"]), rows)
    rows = records("t", [{"id": 2, "v": 10**30, "w": 10**31}])
    load(TargetPostgres(config), schema("t", properties, ["id"]), rows)
    found = postgres.execute("SELECT v, w FROM t WHERE id = 2")
    assert found == [(Decimal(10**30), Decimal(10**31))]


def test_nul_is_replaced_where_the_user_wants_that(postgres: Database) -> None:
    """With nul_characters = replace U+FFFD stands for NUL, in text and in JSON, and nothing else
    changes.
    """
    properties = {"id": {"type": "integer"}, "v": TEXT, "j": to_schema(LogicalType("json"))}
    rows = [
        {"id": 1, "v": "a\0b\\u0000", "j": {"k": "\0", "l": "\\u0000", "m": "\\\0"}},
        {"id": 2, "v": "plain", "j": [1]},
    ]
    target = TargetPostgres({**postgres.config, "nul_characters": "replace"})
    load(target, schema("t", properties, ["id"]), records("t", rows))
    assert postgres.execute("SELECT v, j FROM t ORDER BY id") == [
        ("a\ufffdb\\u0000", {"k": "\ufffd", "l": "\\u0000", "m": "\\\ufffd"}),
        ("plain", [1]),
    ]


ANY_TEXT = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0")
    | st.sampled_from('"\\\n\r\t,[]{}.\b\f\x01')
)
ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | ANY_TEXT,
    lambda inner: st.lists(inner) | st.dictionaries(ANY_TEXT, inner),
    max_leaves=6,
)
ROW = st.fixed_dictionaries(
    {
        "text": st.none() | ANY_TEXT,
        "number": st.none() | st.integers(-(2**63), 2**63 - 1),
        "float": st.none() | st.floats(allow_nan=False, allow_infinity=False),
        "decimal": st.none() | st.decimals(allow_nan=False, allow_infinity=False, places=6),
        "bytes": st.none() | st.binary(),
        "json": ANY_JSON,
        "flag": st.none() | st.booleans(),
    }
)
TYPES = {
    "text": LogicalType("string"),
    "number": LogicalType("integer", bits=64),
    "float": LogicalType("float"),
    "decimal": LogicalType("decimal"),
    "bytes": LogicalType("binary"),
    "json": LogicalType("json"),
    "flag": LogicalType("boolean"),
}


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(rows=st.lists(ROW, min_size=1, max_size=8))
def test_any_row_is_read_back_as_it_was(postgres: Database, rows: list[dict[str, Any]]) -> None:
    """Whatever the text, digits, bytes and JSON, the table holds them exactly."""
    properties = {"id": {"type": "integer"}, **{n: to_schema(t) for n, t in TYPES.items()}}
    sent = [
        {**row, "id": i, "bytes": None if row["bytes"] is None else row["bytes"].hex()}
        for i, row in enumerate(rows)
    ]
    target = TargetPostgres({**postgres.config, "load_method": "overwrite"})
    load(target, schema("t", properties, ["id"]), records("t", sent))
    columns = ", ".join(f'"{name}"' for name in TYPES if name != "json")
    got = postgres.execute(f"SELECT {columns}, json::text FROM t ORDER BY id")
    for row, found in zip(rows, got, strict=True):
        *plain, text = found
        assert plain == [row[name] for name in TYPES if name != "json"]
        wanted = row["json"]
        assert (text if text is None else json.loads(text)) == wanted
