"""CSV against Python's own module: any cells, cut anywhere, in blocks of any size."""

from __future__ import annotations

import csv
import gzip
import io
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kozmo_singer.errors import ReadError
from kozmo_singer.systems.formats import UNKNOWN, Options, Source, csv_blocks, reader
from kozmo_singer.systems.formats.csv_blocks import exact_end, guessed_end
from kozmo_singer.systems.formats.csv_dialect import unique
from kozmo_singer.systems.formats.csv_types import infer, misfit, typed
from kozmo_singer.wire import Column, LogicalType
from kozmo_singer.wire.arrow_lines import texts

LETTERS = st.text(st.sampled_from('ab ",\n;é'), max_size=5)
STRAY = st.sampled_from(['5" pipe', 'a"b', "plain", '5"', "x"])
QUOTED = LETTERS.map(lambda text: '"' + text.replace('"', '""') + '"')
TEXT = LogicalType("string")


def read(
    content: bytes, block: int, skip: int = 0, *, arrow: bool = False, **options: Any
) -> list[tuple[Any, ...]]:
    """All rows of *content*, read in blocks of *block* bytes; as text, but for options.types."""
    source = Source("t.csv", len(content), lambda: io.BytesIO(content))
    types = options.get("types", {})
    columns = [Column(name, types.get(name, TEXT)) for name in ("k", "a", "b")]
    before, csv_blocks.BLOCK_BYTES = csv_blocks.BLOCK_BYTES, block
    try:
        given = Options(delimiter=",", header=True, encoding="utf-8", **options)
        found: list[tuple[Any, ...]] = []
        for batch in reader("csv", source, given).batches(columns, skip, arrow=arrow):
            assert isinstance(batch, pa.RecordBatch)
            found += zip(*batch.to_pydict().values(), strict=True)
    finally:
        csv_blocks.BLOCK_BYTES = before
    return found


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(LETTERS, LETTERS), max_size=12), st.integers(1, 40), st.integers(0, 12))
def test_what_python_writes_is_read(rows: list[tuple[str, str]], block: int, skip: int) -> None:
    """With newlines, quotes and delimiters in cells; from any row on."""
    out = io.StringIO()
    writer = csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\n")
    writer.writerows([("k", "a", "b"), *((str(n), *row) for n, row in enumerate(rows))])
    expected = [(str(n), *row) for n, row in enumerate(rows)]
    assert read(out.getvalue().encode(), block, skip) == expected[skip:]


@settings(max_examples=150, deadline=None)
@given(
    st.lists(
        st.tuples(STRAY, STRAY | LETTERS.map(lambda s: f'"{s.replace(chr(34), chr(34) * 2)}"'))
    ),
    st.integers(1, 60),
)
def test_quotes_that_mean_nothing(rows: list[tuple[str, str]], block: int) -> None:
    """Stand within cells that have no quotes around them, and close or open none."""
    content = "k,a,b\n" + "".join(f"{n},{a},{b}\n" for n, (a, b) in enumerate(rows))
    expected = list(csv.reader(io.StringIO(content, "")))[1:]
    assert [list(row) for row in read(content.encode(), block)] == expected


SPELLINGS = st.sampled_from(
    ["1", "-1", "0", "999999999", "1000000000", "-1000000000", str(2**63 - 1), str(2**63)]
    + ["01", "00", "-0", "+1", "0x1F", "0X1f", "0x3B9ACA00", "0xFFFFFFFFF", "1.0", "1e3", "x"]
    + ["", " 1", "1 ", '"1"', "1\r", "\t1"]
)
SAFE = st.integers(-(10**9), 10**10).map(str)


@settings(max_examples=300, deadline=None)
@given(
    st.lists(st.tuples(SAFE, SAFE, SAFE), max_size=6),
    st.lists(st.tuples(SPELLINGS, SPELLINGS | SAFE, SAFE), max_size=2),
    st.sampled_from(["\n", "\r\n"]),
    st.integers(1, 200),
    st.sampled_from([("",), ("", "17"), ("0",)]),
)
def test_whole_numbers_are_the_same_by_either_way(
    safe: list[tuple[str, ...]],
    odd: list[tuple[str, ...]],
    end: str,
    block: int,
    nulls: tuple[str, ...],
) -> None:
    """What the parser takes for a number is one only where it is spelt as such."""
    rows = [("k", "a", "b"), *safe, *odd, *safe]
    content = "".join(",".join(row) + end for row in rows).encode()
    whole = {"k": LogicalType("integer"), "a": LogicalType("integer")}

    def outcome(*, arrow: bool) -> object:
        try:
            found = read(content, block, arrow=arrow, types=whole, nulls=nulls)
        except ReadError as error:
            return str(error)
        return [tuple(None if v is None else str(v) for v in row) for row in found]

    assert outcome(arrow=True) == outcome(arrow=False)


@pytest.mark.parametrize("rows", [b"1,02,3\r4,5,6\n", b"1,2,3\r\n4, 5,6\r", b"1,02,3\r4,05,6\r"])
def test_rows_that_end_in_one_return_hide_no_other_spelling(rows: bytes) -> None:
    """The length of a block would be right otherwise: a zero more, a line end less."""
    types = dict.fromkeys(("k", "a", "b"), LogicalType("integer"))
    for arrow in (False, True):
        with pytest.raises(ReadError, match="column a: expected integer"):
            read(b"k,a,b\n" + 20 * b"7,8,9\n" + rows, 120, arrow=arrow, types=types)


def test_the_end_of_a_packed_file_counts_too() -> None:
    """The sample goes on behind the head, which alone would tell numbers."""
    content = gzip.compress(b"k\n" + b"%d\n" * 400_000 % tuple(range(400_000)) + b"last\n")
    source = Source("t.csv.gz", len(content), lambda: io.BytesIO(content), "gzip")
    assert [c.type for c in reader("csv", source, Options()).look().columns] == [TEXT]


def test_where_rows_end() -> None:
    """The guess goes by the number of quotes, the exact way by where they stand."""
    text = b'a,b\n1,"x\ny"\n2,"z\n'
    assert guessed_end(text, b'"') == exact_end(text, b'"', b",") == text.index(b"2")
    stray = b'1,5" x\n2,y\n3,"q\n'
    assert exact_end(stray, b'"', b",") == stray.index(b"3")
    assert guessed_end(b"no end", b'"') == exact_end(b"no end", b'"', b",") == 0
    assert exact_end(b'"open\n', b'"', b",") == 0


def test_names_are_told_apart() -> None:
    """Whatever names there are."""
    assert unique(["a", "a", "a_2", "", "a"]) == ["a", "a_3", "a_2", "column_4", "a_4"]


@pytest.mark.parametrize(
    ("values", "type"),
    [
        (["1", None, "-9"], "integer"),
        (["9" * 400, "0"], "integer"),
        (["-"], "string"),
        (["1", "--2"], "string"),
        (["", None], UNKNOWN.name),
        (["2024-01-01", "2024-13-01"], "string"),
    ],
)
def test_types(values: list[str | None], type: str) -> None:
    """The narrowest that holds all."""
    assert infer(texts(values)).name == type


def test_the_first_value_that_does_not_fit_is_found() -> None:
    """By a pattern, by the calendar, by the digits of a decimal."""
    days = texts(["2024-01-01"] * 100 + ["2024-02-30"] + ["2024-01-01"] * 100)
    assert misfit(days, LogicalType("date")) == 100
    assert misfit(texts(["1", None, "x"]), LogicalType("integer")) == 2
    assert misfit(texts(["1.25", "1000.00"]), LogicalType("decimal", 5, 2)) == 1
    assert misfit(texts(["1.255"]), LogicalType("decimal", 5, 2)) == 0
    assert misfit(texts(["abc", "0aff"]), LogicalType("binary")) == 0


@pytest.mark.parametrize(
    ("text", "type"),
    [
        ("366791866261536248373832410174", LogicalType("decimal", 38, 9)),
        ("-6.1e-38", LogicalType("decimal", 38, 0)),
        ("30605.9" + "7" * 90 + "e39", LogicalType("decimal", 5, 2)),
        ("1.5", LogicalType("decimal", 5, 5)),
        ("1e400", LogicalType("float")),
        ("0000-01-01", LogicalType("date")),
        ("0000-01-01T00:00:00", LogicalType("timestamp")),
        ("2024-01-01T00:00:00+99:99", LogicalType("timestamptz")),
    ],
)
def test_what_arrow_would_read_as_another_value(text: str, type: LogicalType) -> None:
    """It is refused where the type is said, in both lanes, and text where it is guessed."""
    assert misfit(texts([text]), type) == 0
    assert typed(texts(["0.5"]), LogicalType("decimal", 5, 5)).to_pylist() == [Decimal("0.5")]
    for arrow in (False, True):
        with pytest.raises(ReadError, match="expected"):
            read(f"k,a,b\n1,{text},2\n".encode(), 100, arrow=arrow, types={"a": type})


def test_arrow_types_or_text() -> None:
    """What has no place in its Arrow type comes as text, as a whole."""
    cases: list[tuple[list[str | None], LogicalType, Any]] = [
        (["1", None], LogicalType("integer"), pa.int64()),
        (["1" * 30, None], LogicalType("integer"), pa.string()),
        (["1.50"], LogicalType("decimal", 5, 2), pa.decimal128(5, 2)),
        (["1.50"], LogicalType("decimal"), pa.string()),
        (["True", "FALSE"], LogicalType("boolean"), pa.bool_()),
        (["10:00:00.5"], LogicalType("time"), pa.time64("us")),
        (["2024-01-01 10:00:00+01:00"], LogicalType("timestamptz"), pa.timestamp("us", "UTC")),
        (["2024-01-01 10:00:00.123456789"], LogicalType("timestamp"), pa.string()),
        (["0001-01-01T00:00:00+14:00"], LogicalType("timestamptz"), pa.string()),
        (["9999-12-31T23:59:59-14:00"], LogicalType("timestamptz"), pa.string()),
        (["00ff", ""], LogicalType("binary"), pa.binary()),
    ]
    assert [typed(texts(values), type).type for values, type, _ in cases] == [c[2] for c in cases]
