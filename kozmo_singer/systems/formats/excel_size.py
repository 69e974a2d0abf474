"""How large a sheet would be in memory, where every cell up to the last one takes its place.

A file of a few bytes can name a cell in the last row and column. What reads workbooks ends the
process where memory is short, so this has to be known before.
"""

from __future__ import annotations

import re
import zipfile
from typing import Any

from kozmo_singer.systems.formats.excel_area import place as column_number
from kozmo_singer.systems.formats.packing import is_bomb

CELL_BYTES = 24
MOST_BYTES = 1 << 30
"""What a sheet may take whatever its file is like."""
_PIECE_BYTES = 1 << 20
_RATIO = 500
_CELL = re.compile(rb'<(?:\w+:)?c [^>]*?r="([A-Z]{1,3})([0-9]{1,7})"[^>]*(?<!/)>')
_SHEET = re.compile(rb"<(?:\w+:)?sheet [^>]*?r:id=\"([^\"]+)\"")
_RELATION = re.compile(rb"<(?:\w+:)?Relationship [^>]*>")


def too_large(file: Any, place: int) -> str:
    """Return why the sheet at *place* of the workbook *file* must not be read, or nothing."""
    file.seek(0)
    if not zipfile.is_zipfile(file):
        # The old format has at most 65,536 rows of 256 cells.
        return ""
    file.seek(0)
    with zipfile.ZipFile(file) as book:
        infos = book.infolist()
        whole = sum(info.file_size for info in infos)
        if is_bomb(whole, sum(info.compress_size for info in infos), _RATIO):
            return f"is in a workbook that unpacks to {whole:,} bytes"
        name = _sheet_file(book, place)
        if name is None:
            return ""
        size = book.getinfo(name).file_size
        cells, row, column = _extent(book, name)
    if cells * CELL_BYTES > max(MOST_BYTES, 4 * size):
        return f"is nearly empty, but its last cell is in row {row:,} and column {column:,}"
    return ""


def _sheet_file(book: zipfile.ZipFile, place: int) -> str | None:
    """The member that holds a sheet of xlsx; None where there is none, as in other kinds."""
    names = set(book.namelist())
    if not {"xl/workbook.xml", "xl/_rels/workbook.xml.rels"} <= names:
        return None
    ids = _SHEET.findall(book.read("xl/workbook.xml"))
    targets = {}
    for relation in _RELATION.findall(book.read("xl/_rels/workbook.xml.rels")):
        pairs = dict(re.findall(rb'(\w+)="([^"]*)"', relation))
        targets[pairs.get(b"Id")] = pairs.get(b"Target", b"").decode("utf-8", "replace")
    if place >= len(ids) or ids[place] not in targets:
        return None
    target = targets[ids[place]].lstrip("/")
    return next((name for name in (target, f"xl/{target}") if name in names), None)


def _extent(book: zipfile.ZipFile, name: str) -> tuple[int, int, int]:
    """How many cells there are from the first with a value to the last one, and where that is."""
    first, last, rest = 1 << 30, 0, b""
    letters: set[bytes] = set()
    with book.open(name) as sheet:
        while piece := sheet.read(_PIECE_BYTES):
            text = rest + piece
            for column, row in _CELL.findall(text):
                letters.add(column)
                first, last = min(first, int(row)), max(last, int(row))
            rest = text[text.rfind(b"<") :][:_PIECE_BYTES]
    if not letters:
        return 0, 0, 0
    columns = [column_number(each.decode()) for each in letters]
    cells = (last - first + 1) * (max(columns) - min(columns) + 1)
    return cells, last, max(columns)
