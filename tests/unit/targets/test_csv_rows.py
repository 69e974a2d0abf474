"""Finding the row of a physical line in the CSV that is sent to PostgreSQL."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kozmo_singer.errors import RecordError
from kozmo_targets.sql.csv_rows import CsvRows, record_at, rows_in

HARD = st.sampled_from('\\"ntu0\n\t\r\b\f\v\x01\x1f é')
TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0") | st.just("\n"))


def fault(message: str, line: int, column: int) -> RecordError:
    """An error that tells its place."""
    return RecordError(message, line=line, path=f"$.{column}")


@given(rows=st.lists(st.tuples(st.none() | TEXT, st.integers(), TEXT), min_size=1, max_size=8))
def test_each_physical_line_belongs_to_its_row(rows: list[tuple[Any, ...]]) -> None:
    """However many line breaks, quotes and backslashes the texts hold."""
    encoder = CsvRows(["string", "integer", "string"], replace_nul=False, fault=fault)
    blob = encoder.encode(rows, range(len(rows)))
    found = [record_at(rows_in(blob), line) for line in range(blob.count(b"\n"))]
    assert found == [
        i
        for i, row in enumerate(rows)
        for _ in range(1 + sum(v.count("\n") for v in row if isinstance(v, str)))
    ]


def test_a_nul_names_its_line_and_column() -> None:
    """The first one, whatever other escapes come before it."""
    encoder = CsvRows(["string", "json"], replace_nul=False, fault=fault)
    rows = [("\\u0000\n", '"\\\\u0000"'), ("x", '{"a":"\\\\\\u0000"}')]
    with pytest.raises(RecordError, match=r"line 6, \$\.1: text holds a NUL"):
        encoder.encode(rows, [5, 6])
    assert encoder.encode(rows[:1], [5]) == b'"\\\\u0000\n","\\"\\\\\\\\u0000\\""\n'


def test_half_a_surrogate_pair_names_its_line_and_column() -> None:
    """UTF-8 has no form for it."""
    encoder = CsvRows(["integer", "string"], replace_nul=False, fault=fault)
    with pytest.raises(RecordError, match=r"line 6, \$\.1: text holds half"):
        encoder.encode([(1, "x"), (2, "\udc00")], [5, 6])


@given(rows=st.lists(st.tuples(st.text(HARD, max_size=8), TEXT), min_size=1, max_size=6))
def test_control_characters_stand_as_they_are(rows: list[tuple[Any, ...]]) -> None:
    """Since CSV escapes nothing but the quote and, here, the backslash."""
    encoder = CsvRows(["string", "string"], replace_nul=False, fault=fault)
    blob = encoder.encode(rows, range(len(rows))).decode()
    expected = [",".join(f'"{quoted(value)}"' for value in row) for row in rows]
    assert blob == "".join(f"{line}\n" for line in expected)


def quoted(value: str) -> str:
    """A text within the quotes of COPY's CSV with the escape backslash."""
    return value.replace("\\", "\\\\").replace('"', '\\"')
