"""Sheets of workbooks: each cell by its own type, and no cell that is not there."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from typing import Any

import openpyxl
import pytest

from kozmo_singer.errors import ReadError
from kozmo_singer.systems.formats.excel_area import Area
from reading import read
from workbooks import ods, raw_xlsx, saved, xls, xlsx

KINDS = [xlsx, xls, ods]
Make = Callable[[Any], bytes]
NAMES = ["id", "text", "share", "paid", "day", "at", "clock", "mixed"]
ROWS = [
    [1, "00123", 0.5, True, date(2024, 2, 29), datetime(2024, 1, 1, 10, 30), time(10, 30), 1],
    [2, "Grüße\n😀", 1e-9, False, date(1999, 12, 31), datetime(2024, 1, 2), None, "x"],
    [None, None, None, None, None, None, time(23, 59, 59), 2.5],
]
EXPECTED = [
    [1, "00123", 0.5, True, "2024-02-29", "2024-01-01T10:30:00Z", "10:30:00", "1"],
    [2, "Grüße\n😀", 1e-9, False, "1999-12-31", "2024-01-02T00:00:00Z", None, "x"],
    [None, None, None, None, None, None, "23:59:59", "2.5"],
]


@pytest.mark.parametrize("make", KINDS)
def test_types_and_values(make: Make) -> None:
    """Are those that the cells show, in every kind of workbook."""
    found = read("excel", make({"Orders": [NAMES, *ROWS]}))
    kinds = "integer string float boolean date timestamp time string"
    assert list(found.types) == NAMES
    expected = [list(row) for row in EXPECTED]
    assert [list(record.values()) for record in found.records] == expected
    assert list(found.types.values()) == kinds.split()
    assert found.look.rows == 3


def test_a_run_goes_on_behind_rows() -> None:
    """That it has read, whatever rows are empty between."""
    rows = [row for n in range(25_000) for row in ([n, n / 4], [None, None])]
    content = xlsx({"S": [["a", "b"], *rows]})
    assert [r["a"] for r in read("excel", content).records] == list(range(25_000))
    assert [r["a"] for r in read("excel", content, skip=24_998).records] == [24_998, 24_999]


def test_a_header_of_cells_that_are_empty_or_alike() -> None:
    """As where they were merged."""
    assert list(read("excel", xlsx({"S": [["a", None, "a"], [1, 2, 3]]})).types) == [
        "a",
        "column_2",
        "a_2",
    ]


def test_where_the_table_stands() -> None:
    """Is the first row that is not empty, or said: header, range, sheet."""
    book = openpyxl.Workbook()
    sheet = book.worksheets[0]
    sheet["B2"] = "A report"
    for row, values in enumerate([["x", "y", "note"], [1, 2, "n"], [3, 4, None]], 5):
        for column, value in enumerate(values, 3):
            sheet.cell(row, column, value)
    sheet["A40"] = "printed by Ann"
    content = saved(book)
    table = [{"x": 1, "y": 2}, {"x": 3, "y": 4}]
    assert read("excel", content, cell_range=Area.of("C5:D7")).records == table
    assert read("excel", content, cell_range=Area.of("$C5:D")).records == table
    whole = read("excel", content, header_row=5)
    assert list(whole.types) == ["column_1", "column_2", "x", "y", "note"]
    assert whole.records[-1]["column_1"] == "printed by Ann"
    without = read("excel", content, header_row=0, cell_range=Area.of("C6:D7"))
    assert without.records == [{"column_1": 1, "column_2": 2}, {"column_1": 3, "column_2": 4}]
    with pytest.raises(ReadError, match="nothing in row 4: header_row"):
        read("excel", content, header_row=4)


def test_sheets_are_asked_for() -> None:
    """By name or number; those that are hidden by name alone."""
    book = openpyxl.load_workbook(_stream(xlsx({n: [["v"], [n]] for n in ("A", "B", "2", "C")})))
    book["B"].sheet_state = "hidden"
    content = saved(book)
    for wanted, found in ((None, "A"), ("B", "B"), ("2", "2"), ("3", "C"), ("1", "A")):
        assert str(read("excel", content, sheet=wanted).records[0]["v"]) == found
    with pytest.raises(ReadError, match="there is no sheet 'Bb'"):
        read("excel", content, sheet="Bb")


def _stream(content: bytes) -> Any:
    import io

    return io.BytesIO(content)


def test_formulas_faults_and_durations() -> None:
    """Are the values that were saved, null, and hours."""
    rows = [
        b'<row r="1"><c r="A1" t="str"><v>a</v></c><c r="B1" t="str"><v>b</v></c></row>',
        b'<row r="2"><c r="A2"><f>1+1</f><v>2</v></c><c r="B2" t="e"><v>#DIV/0!</v></c></row>',
        b'<row r="3"><c r="A3"><v>12345678901234567</v></c></row>',
    ]
    assert read("excel", raw_xlsx(rows)).records == [
        {"a": 2, "b": None},
        {"a": 12345678901234568, "b": None},
    ]
    content = xlsx({"S": [["a"], [timedelta(hours=30, seconds=5)]]})
    assert read("excel", content).records == [{"a": "30:00:05"}]


def test_a_type_that_is_said() -> None:
    """Holds, or the row is named in which it does not."""
    from kozmo_singer.wire import LogicalType

    content = xlsx({"S": [["zip"], [1234], ["0123"]]})
    assert [r["zip"] for r in read("excel", content).records] == ["1234", "0123"]
    with pytest.raises(ReadError, match="row 3, column zip: expected integer, got '0123'"):
        read("excel", content, types={"zip": LogicalType("integer")})


def test_a_million_empty_rows() -> None:
    """That have a format are none."""
    rows = [
        b'<row r="1"><c r="A1" t="str"><v>a</v></c></row><row r="2"><c r="A2"><v>7</v></c></row>'
    ]
    rows += [b'<row r="%d"><c r="A%d" s="0"/></row>' % (n, n) for n in range(3, 1_000_000)]
    assert read("excel", raw_xlsx(rows)).records == [{"a": 7}]


@pytest.mark.parametrize("corner", [b"XFD1048576", b"ZZ1048576", b"ALL100000"])
def test_a_last_cell_that_is_far_away(corner: bytes) -> None:
    """Would fill the memory with empty ones."""
    number = corner.lstrip(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ")
    rows = [b'<row r="1"><c r="A1"><v>1</v></c></row>']
    rows += [b'<row r="%b"><c r="%b"><v>1</v></c></row>' % (number, corner)]
    with pytest.raises(ReadError, match="sheet S is nearly empty, but its last cell is in row"):
        read("excel", raw_xlsx(rows))


BROKEN = [b"", b"PK\x03\x04 nothing", b"id,word\n", xlsx({"S": [[1]]})[:-100], b"\xd0\xcf\x11\xe0"]


@pytest.mark.parametrize("content", BROKEN, ids=range(len(BROKEN)))
def test_what_is_no_workbook_is_told(content: bytes) -> None:
    """Whatever it is."""
    with pytest.raises(ReadError, match="no workbook that can be read"):
        read("excel", content)


def test_an_empty_sheet() -> None:
    """Has no columns."""
    assert read("excel", xlsx({"S": []})).look.columns == []
    assert read("excel", xlsx({"S": [["a", "b"]]})).records == []


@pytest.mark.parametrize("text", ["A1", "1:2", "A1:", "A1:B2:C3", "AAAA1:B2"])
def test_ranges_that_are_none(text: str) -> None:
    """Are refused."""
    with pytest.raises(ValueError, match="cell_range is written as"):
        Area.of(text)
