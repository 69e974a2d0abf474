"""Files read by libraries that are none of ours, as records."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

Records = list[dict[str, Any]]


def _avro(path: Path) -> Records:
    import fastavro

    with path.open("rb") as file:
        return list(fastavro.reader(file))


def _orc(path: Path) -> Records:
    import pyarrow.orc

    return list(pyarrow.orc.read_table(path).to_pylist())


def _parquet(path: Path) -> Records:
    import pyarrow.parquet

    return list(pyarrow.parquet.read_table(path).to_pylist())


def _arrow(path: Path) -> Records:
    import pyarrow.feather

    return list(pyarrow.feather.read_table(path).to_pylist())


def _excel(path: Path) -> Records:
    import openpyxl

    book = openpyxl.load_workbook(path)
    header, *rows = book.worksheets[0].iter_rows(values_only=True)
    book.close()
    return [dict(zip(header, row, strict=True)) for row in rows]


def _xml(path: Path) -> Records:
    rows = ElementTree.parse(path).getroot()
    return [{cell.tag: cell.text or "" for cell in row} for row in rows]


def _json(path: Path) -> Records:
    return list(json.loads(path.read_bytes(), parse_float=Decimal))


def _jsonl(path: Path) -> Records:
    lines = path.read_bytes().split(b"\n")[:-1]
    return [json.loads(line, parse_float=Decimal) for line in lines]


READERS: dict[str, Callable[[Path], Records]] = {
    "arrow": _arrow,
    "avro": _avro,
    "excel": _excel,
    "json": _json,
    "jsonl": _jsonl,
    "orc": _orc,
    "parquet": _parquet,
    "xml": _xml,
}
