"""COPY's text becomes the JSON of RECORD lines, whatever characters the values hold."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from kozmo_singer.wire.cells import Cells
from kozmo_singer.wire.encode import RecordEncoder
from kozmo_singer.wire.types import Column, LogicalType
from kozmo_taps.sql.postgres_cells import Cutter

NAMES = ("string", "integer", "json", "boolean", "string")
COLUMNS = [Column(f"c{i}", LogicalType(name)) for i, name in enumerate(NAMES)]
HARD = st.text(st.sampled_from('\\"\x01\x02\t\n\r\v\b\fnvNaZ é\x7f\u2028'), max_size=8)
TEXT = HARD | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
DOCUMENT = st.recursive(
    st.none() | st.booleans() | st.integers() | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
)
ROWS = st.lists(
    st.tuples(
        st.none() | TEXT,
        st.none() | st.integers(),
        DOCUMENT.filter(lambda value: value is not None) | st.none(),
        st.none() | st.booleans(),
        TEXT,
    ),
    min_size=1,
    max_size=6,
)
_ESCAPES = {"\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\v": "\\v",
            "\\": "\\\\", "\x01": "\\\x01"}  # fmt: skip


def copied(value: Any, name: str) -> str:
    """A value as COPY writes it, https://www.postgresql.org/docs/18/sql-copy.html"""
    if value is None:
        return "\tnull"
    if name == "boolean":
        return "t" if value else "f"
    text = json.dumps(value, indent=1) if name == "json" else str(value)
    return "".join(_ESCAPES.get(character, character) for character in text)


def block_of(rows: list[tuple[Any, ...]]) -> bytes:
    """Rows as a block of COPY's text."""
    lines = ["\x01".join(map(copied, row, NAMES)) + "\n" for row in rows]
    return "".join(lines).encode()


@given(rows=ROWS)
def test_records_hold_what_the_server_sent(rows: list[tuple[Any, ...]]) -> None:
    """Nulls are null, the text null is text, and every record is one line without raw tabs."""
    lines = RecordEncoder("s", COLUMNS).encode(Cutter(COLUMNS).cells(block_of(rows)))
    assert lines.count(b"\n") == len(rows)
    assert b"\t" not in lines
    found = [tuple(json.loads(line)["record"].values()) for line in lines.split(b"\n")[:-1]]
    assert found == rows


@given(rows=ROWS, cut=st.integers(0, 6))
def test_cells_are_a_sequence_of_rows(rows: list[tuple[Any, ...]], cut: int) -> None:
    """That can be cut, and whose rows are what their lines say."""
    cells = Cutter(COLUMNS).cells(block_of(rows))
    head, tail = cells[:cut], cells[cut:]
    assert isinstance(head, Cells)
    assert [*plain(head), *plain(tail)] == rows
    assert plain([cells[-1]]) == rows[-1:]


def plain(rows: Any) -> list[tuple[Any, ...]]:
    """Rows with their JSON parsed."""
    return [
        (one, two, None if document is None else json.loads(bytes(document)), three, four)
        for one, two, document, three, four in rows
    ]
