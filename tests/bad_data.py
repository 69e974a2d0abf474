"""What becomes of bad data: every case in every target. Tests run it, docs/bad-data.md shows it.

A case is an input and, for each target, what is in the destination afterwards, or the words with
which the input is refused. Inputs are made when they are needed, since some are large.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from decimal import Decimal
from typing import Any

from messages import INTEGER, TEXT, lines, record, schema

POSTGRES, SQLITE, JSONL, KOZMO = "target-postgres", "target-sqlite", "target-jsonl", "target-kozmo"
PARQUET, CSV = "target-parquet", "target-csv"
TARGETS = {
    POSTGRES: "PostgreSQL",
    SQLITE: "SQLite",
    JSONL: "JSON Lines",
    KOZMO: "KozmoAI Data",
    PARQUET: "Parquet",
    CSV: "CSV",
}
STATED = (POSTGRES, SQLITE, JSONL, KOZMO)
"""The targets whose outcomes stand with a case; others do as JSON Lines, but for IN_FILES."""
SQL, FILES = (POSTGRES, SQLITE), (JSONL, KOZMO)
Rows = Sequence[Mapping[str, Any]]
Tables = Mapping[str, Rows]
"""All that a destination holds: by table or file, in any order."""


@dataclass(frozen=True)
class Kept:
    """Everything is loaded, as *tables* say; *said* is how, in the docs."""

    tables: Tables
    said: str = "kept"


@dataclass(frozen=True)
class Refused:
    """An error with *words*. A bad record can be set aside, and *others* are loaded then.

    Where *others* is None no record is to blame, and the run fails with quarantine as well.
    """

    words: str
    others: Tables | None
    said: str = ""

    @property
    def shown(self) -> str:
        """What the docs say."""
        return self.said or ("refused" if self.others is not None else "the stream is refused")


Outcome = Kept | Refused


@dataclass(frozen=True)
class Case:
    """An input, what the docs call it, and its outcome by target."""

    title: str
    data: Callable[[], bytes]
    outcomes: Mapping[str, Outcome] = field(repr=False)


# Values: a row between two others, in a column of its own.

NEIGHBOURS = ({"id": 1, "v": None}, {"id": 3, "v": None})
ALONE: Tables = {"t": NEIGHBOURS}


def no(words: str, said: str = "") -> Refused:
    """The record is refused, and its neighbours are not."""
    return Refused(words, ALONE, said)


def yes(value: Any, said: str = "kept") -> Kept:
    """The column holds *value*: as text in PostgreSQL, else as Python has it."""
    return Kept({"t": [NEIGHBOURS[0], {"id": 2, "v": value}, NEIGHBOURS[1]]}, said)


def value(
    title: str,
    kind: Mapping[str, Any],
    raw: str | Callable[[], str],
    *outcomes: Outcome,
) -> Case:
    """A case of one value, as its JSON; outcomes are those of the targets in their order."""

    def data() -> bytes:
        text = raw if isinstance(raw, str) else raw()
        rows = [(1, "null"), (2, text), (3, "null")]
        head = lines(schema("t", {"id": {"type": "integer"}, "v": kind}, ["id"]))
        body = [
            f'{{"type":"RECORD","stream":"t","record":{{"id":{i},"v":{v}}}}}\n' for i, v in rows
        ]
        return head + "".join(body).encode()

    return Case(title, data, dict(zip(STATED, outcomes, strict=True)))


def nullable(type: str, **more: Any) -> dict[str, Any]:
    """A schema that allows null beside *type*."""
    return {"type": [type, "null"], **more}


def moment(format: str) -> dict[str, Any]:
    """The schema of a date, time or date-time."""
    return nullable("string", format=format)


NUMBER = nullable("number")
FLOAT = nullable("number", **{"x-kozmo-type": "float"})
MONEY = nullable("number", precision=6, scale=2, **{"x-kozmo-type": "decimal"})
BIGINT = nullable("integer", minimum=-(1 << 63), maximum=(1 << 63) - 1)
SHORT = nullable("string", maxLength=5)
JSON = nullable("object")
ARRAY = nullable("array")
SURROGATE = "half a surrogate pair, which no UTF-8 can carry"
DIGITS = "1" * 30
HUGE = str(1 << 63)
FIVE_HUNDRED = "[" * 500 + "]" * 500


def same(value: Any, said: str = "kept") -> tuple[Kept, Kept, Kept, Kept]:
    """The same in all targets."""
    return (yes(value, said),) * 4


def refused(words: str) -> tuple[Refused, Refused, Refused, Refused]:
    """Refused by all targets."""
    return (no(words),) * 4


def text_of(megabytes: int) -> str:
    """Text of so many megabytes."""
    return "x" * (megabytes << 20)


def large(megabytes: int) -> Case:
    """A case of one large text."""
    text = Lazy(lambda: text_of(megabytes))
    return value(f"a text of {megabytes} MB", TEXT, lambda: f'"{text_of(megabytes)}"', *same(text))


class Lazy:
    """Equals the value that *make* returns, which is not kept."""

    def __init__(self, make: Callable[[], Any]) -> None:
        self._make = make

    def __eq__(self, other: object) -> bool:
        return bool(self._make() == other)

    def __repr__(self) -> str:
        return "a large value"

    __hash__ = None  # type: ignore[assignment]  # it is only compared


class NotANumber:
    """Equals a float that is none."""

    def __eq__(self, other: object) -> bool:
        return other != other

    __hash__ = None  # type: ignore[assignment]  # it is only compared


TEXTS = (
    value("NUL in a text", TEXT, r'"a\u0000b"',
          no("NUL character", "refused, or U+FFFD with `nul_characters: replace`"),
          *(yes("a\0b"),) * 3),
    value("NUL within JSON", JSON, r'{"a":"\u0000"}',
          no("NUL character", "refused, or U+FFFD with `nul_characters: replace`"),
          yes(r'{"a":"\u0000"}'), *(yes({"a": "\0"}),) * 2),
    value("half a surrogate pair in a text", TEXT, r'"a\ud800b"',
          no(SURROGATE), no(SURROGATE), yes("a\ud800b", "kept, as an escape"),
          yes("a\ufffdb", "U+FFFD: Data has no form for it")),
    value("half a surrogate pair within JSON", JSON, r'{"a":"\ud800"}',
          no("Unicode low surrogate"), yes(r'{"a":"\ud800"}', "kept, as an escape"),
          yes({"a": "\ud800"}, "kept, as an escape"),
          yes({"a": "\ufffd"}, "U+FFFD: Data has no form for it")),
    value("an empty text", TEXT, '""', *same("")),
    value("text longer than its schema says", SHORT, '"123456"',
          *(no("expected at most 5 characters"),) * 2, *(yes("123456"),) * 2),
    value("spaces past that length", SHORT, '"12345  "',
          *(no("expected at most 5 characters"),) * 2, *(yes("12345  "),) * 2),
    large(10),
    large(60),
    value("a number where a text is expected", TEXT, "5", *refused("expected string, got 5")),
)  # fmt: skip
NUMBERS = (
    value("`NaN` in a number", NUMBER, "NaN",
          yes("NaN"), yes("NaN", "kept, as text"), yes("NaN", "kept, as the word"),
          yes(None, "null: Data has no form for it")),
    value("`-Infinity` in a number", NUMBER, "-Infinity",
          yes("-Infinity"), yes("-Infinity", "kept, as text"),
          *(yes("-Infinity", "kept, as the word"),) * 2),
    value("`NaN` in a float", FLOAT, "NaN",
          yes("NaN"), yes("NaN", "kept, as text"), yes("NaN", "kept, as the word"),
          yes(None, "null: Data has no form for it")),
    value("`Infinity` in a float", FLOAT, '"Infinity"',
          yes("Infinity"), yes(float("inf")), *(yes("Infinity", "kept, as the word"),) * 2),
    value("`Infinity` in a decimal with limits", MONEY, '"Infinity"',
          no("numeric field overflow"), yes("Infinity", "kept, as text"),
          *(yes("Infinity", "kept, as the word"),) * 2),
    value("`NaN` in an integer", INTEGER, "NaN", *refused("expected integer")),
    value("`NaN` within JSON", JSON, '{"a":NaN}',
          yes('{"a": "NaN"}', "kept, as the word"), yes('{"a":"NaN"}', "kept, as the word"),
          *(yes({"a": "NaN"}, "kept, as the word"),) * 2),
    value("a float beyond 1.8e308", FLOAT, "1e400", *refused("expected number, got 1E+400")),
    value("an integer beyond 64 bit", INTEGER, HUGE,
          yes(HUGE, "kept: the column becomes numeric"),
          yes(HUGE, "kept, as text: the column becomes decimal"), *(yes(int(HUGE)),) * 2),
    value("an integer of 30 digits", INTEGER, DIGITS,
          yes(DIGITS, "kept: the column becomes numeric"),
          yes(DIGITS, "kept, as text: the column becomes decimal"), *(yes(int(DIGITS)),) * 2),
    value("an integer beyond the 64 bit that its schema sets", BIGINT, HUGE,
          no("out of range for type bigint"), no("integer beyond 64 bits"),
          *(yes(int(HUGE)),) * 2),
    value("an integer of more than 4300 digits", INTEGER, "1" * 5000,
          *refused("more than 4300 digits")),
    value("a decimal with more digits after the point", MONEY, "1.005",
          *(no("expected decimal(6,2), got 1.005"),) * 2, *(yes(Decimal("1.005")),) * 2),
    value("a decimal with more digits before it", MONEY, "12345.67",
          *(no("expected decimal(6,2), got 12345.67"),) * 2, *(yes(Decimal("12345.67")),) * 2),
    value("a decimal of 150,000 digits", NUMBER, lambda: "1" * 150_000 + ".5",
          no("value overflows numeric format"),
          yes(Lazy(lambda: "1" * 150_000 + ".5"), "kept, as text"),
          yes(Lazy(lambda: Decimal("1" * 150_000 + ".5"))),
          yes(Lazy(lambda: "1" * 150_000 + ".5"), "kept, as text")),
    value("a fraction in an integer", INTEGER, "5.5", *refused("expected integer, got 5.5")),
    value("`5.0` in an integer", INTEGER, "5.0",
          yes("5", "kept, as 5"), *(yes(5, "kept, as 5"),) * 3),
    value("a text in an integer", INTEGER, '"5"', *refused('expected integer, got "5"')),
)  # fmt: skip
MOMENTS = (
    value("a date in year 0", moment("date"), '"0000-01-01"',
          no("out of range"), *(yes("0000-01-01"),) * 3),
    value("a date BC", moment("date"), '"0044-03-15 BC"', *same("0044-03-15 BC")),
    value("a date BC, written with a minus", moment("date"), '"-0044-03-15"',
          *refused("expected a date")),
    value("a date after 9999", moment("date"), '"10000-01-01"', *same("10000-01-01")),
    value("a date after 5874897", moment("date"), '"9999999-01-01"',
          no("date out of range"), *(yes("9999999-01-01"),) * 3),
    value("a date that no calendar has", moment("date"), '"2024-02-30"',
          no("out of range"), *(yes("2024-02-30"),) * 3),
    value("a moment in year 0", moment("date-time"), '"0000-01-01T00:00:00Z"',
          no("out of range"), *(yes("0000-01-01T00:00:00Z"),) * 3),
    value("a moment BC", moment("date-time"), '"0044-03-15T00:00:00Z BC"',
          yes("0044-03-15 00:00:00+00 BC"), *(yes("0044-03-15T00:00:00Z BC"),) * 3),
    value("a moment after 9999", moment("date-time"), '"10000-01-01T00:00:00Z"',
          yes("10000-01-01 00:00:00+00"), *(yes("10000-01-01T00:00:00Z"),) * 3),
    value("a moment after 294276", moment("date-time"), '"300000-01-01T00:00:00Z"',
          no("timestamp out of range"), *(yes("300000-01-01T00:00:00Z"),) * 3),
    value("a moment with an offset", moment("date-time"), '"2024-01-01T00:00:00+05:30"',
          yes("2023-12-31 18:30:00+00", "kept, as the same moment"),
          *(yes("2024-01-01T00:00:00+05:30"),) * 3),
    value("a moment finer than microseconds", moment("date-time"), '"2024-01-01T00:00:00.1234567Z"',
          no("at most 6 digits of a second", "refused, or rounded with `fine_fractions: round`"),
          *(yes("2024-01-01T00:00:00.1234567Z"),) * 3),
    value("zeros after the microseconds", moment("date-time"), '"2024-01-01T00:00:00.123456000Z"',
          yes("2024-01-01 00:00:00.123456+00"), *(yes("2024-01-01T00:00:00.123456000Z"),) * 3),
    value("a time finer than microseconds", moment("time"), '"01:02:03.123456789"',
          no("at most 6 digits of a second", "refused, or rounded with `fine_fractions: round`"),
          *(yes("01:02:03.123456789"),) * 3),
    value("a time with an offset", moment("time"), '"01:02:03+05:30"',
          *(no("a time without an offset"),) * 2, *(yes("01:02:03+05:30"),) * 2),
    value("a leap second", moment("date-time"), '"2016-12-31T23:59:60Z"',
          yes("2017-01-01 00:00:00+00", "kept, as the moment after it"),
          *(yes("2016-12-31T23:59:60Z"),) * 3),
    value("a text that is no moment", moment("date-time"), '"yesterday"',
          *refused("expected a date-time")),
)  # fmt: skip
NESTED = (
    value("JSON nested 500 deep", ARRAY, FIVE_HUNDRED,
          *(yes(FIVE_HUNDRED),) * 2, *(yes(json.loads(FIVE_HUNDRED)),) * 2),
    value("JSON nested 5,000 deep", ARRAY, lambda: "[" * 5000 + "]" * 5000,
          *refused("nested too deep")),
    value("a key twice in a JSON object", JSON, '{"a":1,"a":2}',
          yes('{"a": 2}', "the last one"), yes('{"a":1,"a":2}', "kept, both"),
          *(yes([("a", 1), ("a", 2)], "kept, both"),) * 2),
)  # fmt: skip


# Streams: names, shapes and what belongs to no single value.


def case(title: str, data: Callable[[], bytes], *outcomes: Outcome) -> Case:
    """A case with the outcomes of the targets in their order, or one for all of them."""
    each = outcomes * 4 if len(outcomes) == 1 else outcomes
    return Case(title, data, dict(zip(STATED, each, strict=True)))


def fields(*names: str) -> dict[str, Any]:
    """Properties of integers."""
    return dict.fromkeys(names, INTEGER)


def one(stream: str, row: Mapping[str, Any], key: Sequence[str] = ()) -> bytes:
    """A stream of one record whose fields are integers."""
    return lines(schema(stream, fields(*row), key), record(stream, row))


WIDE = {f"c{i}": i for i in range(1700)}
LONG = {"c" * 99 + "1": 1, "c" * 99 + "2": 2}
RESERVED = {"order": 1, "table": 2, "user": 3}
STRANGE = {"q\"uo'te": 1, "; DROP TABLE t; --": 2, "😀": 3, "a%sb": 4, "back\\slash": 5, "a\nb": 6}
DROP = "a\"b'; DROP TABLE t; 😀"
FIRST, SECOND = {"id": 1, "v": 1}, {"id": 2, "v": 2}
NO_NAME = "no table can have its name"
NAMES = (
    case("fields that differ by case only", lambda: one("t", {"Id": 1, "id": 2}),
         Kept({"t": [{"Id": 1, "id": 2}]}), Refused("would be the same column", None),
         *(Kept({"t": [{"Id": 1, "id": 2}]}),) * 2),
    case("streams that differ by case only", lambda: one("t", {"a": 1}) + one("T", {"a": 2}),
         Kept({"t": [{"a": 1}], "T": [{"a": 2}]}),
         Refused("would both be loaded into table T", None, "the second is refused"),
         *(Kept({"t": [{"a": 1}], "T": [{"a": 2}]}),) * 2),
    case("a field and a stream over 63 bytes", lambda: one("t" * 100, LONG),
         Kept({"<cut>": [{"<cut>": 1, "<cut too>": 2}]}, "cut to 54 bytes and a hash"),
         *(Kept({"t" * 100: [LONG]}),) * 3),
    case("a stream over 255 bytes", lambda: one("t" * 300, {"a": 1}),
         Kept({"<cut>": [{"a": 1}]}, "cut to 54 bytes and a hash"), Kept({"t" * 300: [{"a": 1}]}),
         *(Kept({"<cut>": [{"a": 1}]}, "the file's name is cut to 200 bytes and a hash"),) * 2),
    case("reserved words", lambda: one("select", RESERVED), Kept({"select": [RESERVED]})),
    case("quotes, emoji, `%`, line breaks and `; DROP TABLE` in a field", lambda: one("t", STRANGE),
         Kept({"t": [STRANGE]})),
    case("quotes, emoji and `; DROP TABLE` in a stream",
         lambda: one("t", {"a": 1}) + one(DROP, {"a": 2}),
         Kept({"t": [{"a": 1}], DROP: [{"a": 2}]})),
    case("`../` in a stream", lambda: one("../../t", {"a": 1}), Kept({"../../t": [{"a": 1}]})),
    case("NUL in a field", lambda: one("t", {"a\0b": 1}),
         *(Refused("holds a NUL character", None),) * 2, *(Kept({"t": [{"a\0b": 1}]}),) * 2),
    case("NUL in a stream", lambda: one("t\0t", {"a": 1}),
         *(Refused(NO_NAME, None),) * 2, *(Kept({"t\0t": [{"a": 1}]}),) * 2),
    case("half a surrogate pair in a field", lambda: one("t", {"a\ud800": 1}),
         *(Refused(SURROGATE, None),) * 2, *(Kept({"t": [{"a\ud800": 1}]}),) * 2),
    case("half a surrogate pair in a stream", lambda: one("t\ud800", {"a": 1}),
         Refused(SURROGATE, None)),
    case("a field without a name", lambda: one("t", {"": 1, "b": 2}),
         Refused("'' is empty", None), *(Kept({"t": [{"": 1, "b": 2}]}),) * 3),
)  # fmt: skip


def changing(title: str, before: Any, first: Any, after: Any, then: Any, *outcomes: Kept) -> Case:
    """A stream whose column v changes: its schema and value before, and after."""
    return case(
        title,
        lambda: lines(
            schema("t", {"v": before}), record("t", {"v": first}),
            schema("t", {"v": after}), record("t", {"v": then}),
        ),
        *outcomes,
    )  # fmt: skip


def both(first: Any, then: Any, said: str = "kept") -> Kept:
    """Both values are there."""
    return Kept({"t": [{"v": first}, {"v": then}]}, said)


SMALL = {"type": "integer", "minimum": 0, "maximum": 100}
NOT_FIRST = Refused("got nothing", {"t": [FIRST]})
ONLY_FIRST = {"t": [FIRST]}
SHAPES = (
    case("1,700 fields", lambda: one("t", WIDE),
         Refused("tables can have at most 1600 columns", None), *(Kept({"t": [WIDE]}),) * 3),
    case("a stream without a record", lambda: lines(schema("t", fields("id"), ["id"])),
         Kept({"t": []}, "an empty table"), Kept({"t": []}, "an empty table"),
         *(Kept({"t": []}, "an empty file"),) * 2),
    case("a SCHEMA without fields", lambda: lines(schema("t", {}), record("t", {})),
         *(Refused("names no field", None),) * 2, *(Kept({"t": [{}]}),) * 2),
    case("a SCHEMA that is broken", lambda: b'{"type":"SCHEMA","stream":"t","schema":{}}\n',
         Refused("expected the schema to have properties", None, "the run fails")),
    case("a field that comes in a second SCHEMA",
         lambda: one("t", {"id": 1}) + one("t", {"id": 2, "v": 2}),
         *(Kept({"t": [{"id": 1, "v": None}, SECOND]}, "kept: a column is added"),) * 2,
         *(Kept({"t": [{"id": 1}, SECOND]}),) * 2),
    changing("a type that becomes wider", SMALL, 1, NUMBER, Decimal("70000.5"),
             both(1, "70000.5", "kept: the column is widened"),
             both("1", "70000.5", "kept: the column is widened"),
             *(both(1, Decimal("70000.5")),) * 2),
    changing("a type that becomes another: integer, then object", INTEGER, 1, JSON, {"a": 1},
             *(both("1", '{"a":1}', "kept: the column becomes text"),) * 2,
             *(both(1, {"a": 1}),) * 2),
    changing("a type that becomes another: text, then integer", TEXT, "a", INTEGER, 5,
             *(both("a", "5", "kept: the column stays text"),) * 2, *(both("a", 5),) * 2),
)  # fmt: skip
KEYED = lines(schema("t", fields("id", "v"), ["id"]), record("t", FIRST))
TWICE = lines(record("t", {"id": 1, "v": 2}))
MESSAGES = (
    case("a record before the SCHEMA of its stream",
         lambda: lines(record("u", SECOND)) + KEYED,
         Refused("a record came before the SCHEMA", ONLY_FIRST)),
    case("a record that lacks a key", lambda: KEYED + lines(record("t", {"v": 2})), NOT_FIRST),
    case("a null in a key", lambda: KEYED + lines(record("t", {"id": None, "v": 2})),
         *(Refused("must not be null", ONLY_FIRST),) * 2,
         *(Kept({"t": [FIRST, {"id": None, "v": 2}]}),) * 2),
    case("a key that comes twice", lambda: KEYED + TWICE,
         *(Kept({"t": [{"id": 1, "v": 2}]}, "the last one"),) * 2,
         *(Kept({"t": [FIRST, {"id": 1, "v": 2}]}, "kept, both"),) * 2),
    case("a record that lacks a field",
         lambda: KEYED + lines(record("t", {"id": 2})),
         Kept({"t": [FIRST, {"id": 2, "v": None}]}, "null")),
    case("a field that the SCHEMA lacks",
         lambda: KEYED + lines(record("t", {**SECOND, "x": 9})),
         Kept({"t": [FIRST, SECOND]}, "left out, with a warning")),
    case("a field twice in a record",
         lambda: KEYED + b'{"type":"RECORD","stream":"t","record":{"id":2,"v":1,"v":2}}\n',
         Kept({"t": [FIRST, SECOND]}, "the last one")),
    case("a line that is no JSON", lambda: b"Starting sync\n" + KEYED,
         Refused("not JSON", ONLY_FIRST)),
    case("a line that is not UTF-8",
         lambda: KEYED + b'{"type":"RECORD","stream":"t","record":{"id":2,"v":"\xff"}}\n',
         Refused("not UTF-8", ONLY_FIRST)),
    case("half a line at the end", lambda: KEYED + TWICE[:-9],
         Refused("the tap probably died", None, "the run fails")),
    case("a message of an unknown type", lambda: KEYED + b'{"type":"WEIRD","stream":"t"}\n',
         Kept(ONLY_FIRST, "skipped, with a warning")),
    case("a blank line", lambda: b"\n" + KEYED, Kept(ONLY_FIRST, "skipped")),
)  # fmt: skip

IN_FILES: Mapping[str, tuple[Outcome, Outcome]] = {
    "NUL within JSON": (yes(r'{"a":"\u0000"}'),) * 2,
    "half a surrogate pair in a text": (no(SURROGATE),) * 2,
    "half a surrogate pair within JSON": (yes(r'{"a":"\ud800"}', "kept, as an escape"),) * 2,
    "`NaN` in a float": (yes(NotANumber()), yes("NaN", "kept, as the word")),
    "`Infinity` in a float": (yes(float("inf")), yes("Infinity", "kept, as the word")),
    "`NaN` within JSON": (yes('{"a":"NaN"}', "kept, as the word"),) * 2,
    "an integer beyond 64 bit": (
        yes(int(HUGE), "kept: the next file has a decimal"), yes(int(HUGE))),
    "an integer of 30 digits": (
        yes(int(DIGITS), "kept: the next file has a decimal"), yes(int(DIGITS))),
    "a decimal of 150,000 digits": (
        yes(Lazy(lambda: "1" * 150_000 + ".5"), "kept, as text"),
        yes(Lazy(lambda: Decimal("1" * 150_000 + ".5")))),
    "a moment with an offset": (
        yes(datetime(2023, 12, 31, 18, 30, tzinfo=timezone.utc), "kept, as the same moment"),
        yes("2024-01-01T00:00:00+05:30")),
    "JSON nested 500 deep": (yes(FIVE_HUNDRED),) * 2,
    "a key twice in a JSON object": (yes('{"a":1,"a":2}', "kept, both"),) * 2,
    "half a surrogate pair in a field": (Refused("surrogates not allowed", None),) * 2,
    "a stream without a record": (
        Kept({}, "no file, or with overwrite an empty one"),
        Kept({}, "no file, or with overwrite a header")),
    "a SCHEMA without fields": (Refused("names no field", None),) * 2,
    "a type that becomes another: integer, then object": (both(1, '{"a":1}'),) * 2,
}  # fmt: skip


def in_files(case: Case) -> Case:
    """Return *case* with the outcomes of the targets that write files of a format."""
    jsonl = case.outcomes[JSONL]
    found = IN_FILES.get(case.title, (jsonl, jsonl))
    return replace(case, outcomes={**case.outcomes, PARQUET: found[0], CSV: found[1]})


STATED_CASES: Mapping[str, Sequence[Case]] = {
    "Text": TEXTS,
    "Numbers": NUMBERS,
    "Dates and times": MOMENTS,
    "Nested values": NESTED,
    "Names": NAMES,
    "Schemas": SHAPES,
    "Records and messages": MESSAGES,
}
SECTIONS = {name: list(map(in_files, cases)) for name, cases in STATED_CASES.items()}


def tables() -> str:
    """Return the table as Markdown, a section a heading."""
    heads = ["", *TARGETS.values()]
    parts: list[str] = []
    for section, cases in SECTIONS.items():
        parts += [f"### {section}", "", f"| {' | '.join(heads)} |", "|" + "---|" * len(heads)]
        for each in cases:
            cells = [_shown(each.outcomes[target]) for target in TARGETS]
            parts.append(f"| {each.title} | {' | '.join(cells)} |")
        parts.append("")
    return "\n".join(parts)


def _shown(outcome: Outcome) -> str:
    return outcome.shown if isinstance(outcome, Refused) else outcome.said
