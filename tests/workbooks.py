"""Workbooks, as the usual libraries write them, and as no library would."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, time
from typing import Any

import openpyxl
import xlwt
from odf import opendocument, table, text

Sheets = Mapping[str, Sequence[Sequence[Any]]]
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"


def xlsx(sheets: Sheets) -> bytes:
    """A workbook of Excel."""
    book = openpyxl.Workbook()
    book.remove(book.worksheets[0])
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
    return saved(book)


def saved(book: Any) -> bytes:
    """What *book* is as a file."""
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def xls(sheets: Sheets) -> bytes:
    """A workbook of Excel 97."""
    book = xlwt.Workbook()
    forms = {date: "YYYY-MM-DD", datetime: "YYYY-MM-DD HH:MM:SS", time: "HH:MM:SS"}
    styles = {kind: xlwt.easyxf(num_format_str=form) for kind, form in forms.items()}
    for name, rows in sheets.items():
        sheet = book.add_sheet(name)
        for y, row in enumerate(rows):
            for x, value in enumerate(row):
                if value is not None:
                    sheet.write(y, x, value, styles.get(type(value), xlwt.Style.default_style))
    return saved(book)


def ods(sheets: Sheets) -> bytes:
    """A workbook of OpenDocument, with a million empty rows at the end of each sheet."""
    book = opendocument.OpenDocumentSpreadsheet()
    for name, rows in sheets.items():
        sheet = table.Table(name=name)
        for row in rows:
            made = table.TableRow()
            for value in row:
                made.addElement(_cell(value))
            sheet.addElement(made)
        empty = table.TableRow(numberrowsrepeated=1_000_000)
        empty.addElement(table.TableCell(numbercolumnsrepeated=1000))
        sheet.addElement(empty)
        book.spreadsheet.addElement(sheet)
    out = io.BytesIO()
    book.write(out)
    return out.getvalue()


def raw_xlsx(rows: Iterable[bytes]) -> bytes:
    """A workbook whose one sheet is made of *rows* as XML."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as book:
        book.writestr("[Content_Types].xml", f'<Types xmlns="{_PACKAGE}/content-types"></Types>')
        book.writestr("_rels/.rels", _relations("officeDocument", "xl/workbook.xml"))
        book.writestr(
            "xl/workbook.xml",
            f'<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}"><sheets>'
            '<sheet name="S" sheetId="1" r:id="rId1"/></sheets></workbook>',
        )
        book.writestr(
            "xl/_rels/workbook.xml.rels", _relations("worksheet", "worksheets/sheet1.xml")
        )
        with book.open("xl/worksheets/sheet1.xml", "w") as sheet:
            sheet.write(f'<worksheet xmlns="{_MAIN}"><sheetData>'.encode())
            for row in rows:
                sheet.write(row)
            sheet.write(b"</sheetData></worksheet>")
    return out.getvalue()


def _relations(kind: str, target: str) -> str:
    return (
        f'<Relationships xmlns="{_PACKAGE}/relationships"><Relationship Id="rId1" '
        f'Type="{_OFFICE}/{kind}" Target="{target}"/></Relationships>'
    )


def _cell(value: Any) -> Any:
    if value is None:
        return table.TableCell()
    if isinstance(value, bool):
        return table.TableCell(valuetype="boolean", booleanvalue=str(value).lower())
    if isinstance(value, int | float):
        return table.TableCell(valuetype="float", value=repr(value))
    if isinstance(value, date):
        return table.TableCell(valuetype="date", datevalue=value.isoformat())
    if isinstance(value, time):
        return table.TableCell(valuetype="time", timevalue=value.strftime("PT%HH%MM%SS"))
    made = table.TableCell(valuetype="string")
    made.addElement(text.P(text=value))
    return made
