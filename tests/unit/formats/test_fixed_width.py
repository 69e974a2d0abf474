"""Columns of fixed widths, said or told by blanks: no letter is lost between them."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kozmo_singer.errors import ReadError
from kozmo_singer.systems.formats import csv_blocks
from reading import read

TEXT = """id  name        amount
1   Ann  Lee      1.50
22  Bob          12.00

333 Zoë           7.25
"""


def test_widths_that_are_said() -> None:
    """Cells are cut by letters, blanks around them are left out, types are told."""
    found = read("fixed-width", TEXT.encode(), widths=(4, 8, 10))
    assert found.types == {"id": "integer", "name": "string", "amount": "decimal"}
    assert found.records == [
        {"id": 1, "name": "Ann  Lee", "amount": 1.5},
        {"id": 22, "name": "Bob", "amount": 12},
        {"id": 333, "name": "Zoë", "amount": 7.25},
    ]
    assert found.look.notes == "utf-8, widths [4, 8] and the rest, header"


def test_names_and_encodings() -> None:
    """Can be said; the decimal comma too."""
    text = "001Zoë 1.234,50\n002   \n".replace("002   ", "002          1,5")
    found = read(
        "fixed-width", text.encode("cp1252"), widths=(3, 4, 9), names=["id", "name", "x"],
        encoding="cp1252", decimal=",", thousands=".",
    )  # fmt: skip
    assert found.types == {"id": "string", "name": "string", "x": "decimal"}
    assert [tuple(r.values()) for r in found.records] == [
        ("001", "Zoë", 1234.5),
        ("002", None, 1.5),
    ]


def test_columns_are_told_by_blanks() -> None:
    """A letter where other lines are blank is an error, never a part of another cell."""
    rows = "".join(f"{n:>6}  {'word' * (n % 2 + 1):<10} {n / 4:8.2f}\n" for n in range(200_000))
    found = read("fixed-width", rows.encode(), header=False)
    assert list(found.types.values()) == ["integer", "string", "decimal"]
    assert [r["column_1"] for r in found.records] == list(range(200_000))
    assert found.records[7] == {"column_1": 7, "column_2": "wordword", "column_3": 1.75}
    lines = rows.splitlines(keepends=True)
    # No part of the sample.
    lines[103_501] = lines[103_501].replace("  wordword", " xwordword")
    with pytest.raises(ReadError, match="line 103502: letters 7 to 8 are not blank, but 'x'"):
        read("fixed-width", "".join(lines).encode(), header=False)


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 999), st.text(st.sampled_from("aé 1"), max_size=6))),
    st.integers(1, 50),
)
def test_any_lines_in_pieces_of_any_size(rows: list[tuple[int, str]], block: int) -> None:
    """Blanks at the ends of cells apart."""
    content = "n   t     \n" + "".join(f"{n:<4}{text:<6}\n" for n, text in rows)
    before, csv_blocks.BLOCK_BYTES = csv_blocks.BLOCK_BYTES, block
    try:
        found = read("fixed-width", content.encode(), widths=(4, 6), header=True)
    finally:
        csv_blocks.BLOCK_BYTES = before
    expected = [(n, text.strip() or None) for n, text in rows]
    assert [(r["n"], _text(r["t"])) for r in found.records] == [(n, t) for n, t in expected]


def _text(value: Any) -> str | None:
    return None if value is None else str(value)


FAULTS: list[tuple[str, dict[str, Any], str]] = [
    (TEXT, {"widths": (4, 8, 8)}, "line 2: it goes on behind letter 20"),
    (TEXT, {"widths": (4, 8, 10, 4)}, "line 2: it ends before its last column"),
    ("a   b\n1   2\nx   3\n", {"widths": (4, 1), "types": {"a": "integer"}}, "line 3, column a"),
    ("ab\n" + "x" * 5000, {"widths": (2,), "row_bytes": 1024}, "line 2 is longer than 1024"),
    ("a   b\n", {"widths": (4, 1), "names": ["a", "b", "c"]}, "column_names has 3 names"),
]


@pytest.mark.parametrize(("text", "options", "words"), FAULTS, ids=[w for *_, w in FAULTS])
def test_what_does_not_fit_is_told(text: str, options: dict[str, Any], words: str) -> None:
    """With the line on which it is."""
    from kozmo_singer.wire import LogicalType

    types = {n: LogicalType(t) for n, t in options.pop("types", {}).items()}
    with pytest.raises(ReadError) as raised:
        read("fixed-width", text.encode(), types=types, **options)
    assert words in str(raised.value)


def test_another_encoding_is_told() -> None:
    """With line and bytes."""
    content = ("id  name\n" + "1   Ann \n" * 400_000).encode() + "2   Zoë\n".encode("cp1252")
    with pytest.raises(ReadError, match=r"line 400002: b'2   Zo\\xeb' is not utf-8"):
        read("fixed-width", content, widths=(4, 4), encoding="utf-8")
