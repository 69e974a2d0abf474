"""The formats of files: which one a file has, and what each of them can do.

A format is a module with a class that is a `FileReader`. Reading yields Arrow record batches, in
which a number may also come as its digits, marked by `arrow_lines.SPELT`.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, BinaryIO, Protocol

from kozmo_singer.errors import ReadError
from kozmo_singer.wire.types import Column, LogicalType

if TYPE_CHECKING:
    import pyarrow as pa

    from kozmo_singer.systems.formats.excel_area import Area
    from kozmo_singer.wire import Rows

FORMATS = {
    "arrow": "kozmo_singer.systems.formats.arrow:ArrowFile",
    "avro": "kozmo_singer.systems.formats.avro:AvroFile",
    "csv": "kozmo_singer.systems.formats.csv:CsvFile",
    "excel": "kozmo_singer.systems.formats.excel:ExcelFile",
    "fixed-width": "kozmo_singer.systems.formats.fixed_width:FixedWidthFile",
    "json": "kozmo_singer.systems.formats.json:JsonFile",
    "jsonl": "kozmo_singer.systems.formats.jsonl:JsonLinesFile",
    "orc": "kozmo_singer.systems.formats.orc:OrcFile",
    "parquet": "kozmo_singer.systems.formats.parquet:ParquetFile",
    "xml": "kozmo_singer.systems.formats.xml:XmlFile",
}
UNKNOWN = LogicalType("unknown")
"""The type of a column of which the sample holds no value."""
ARCHIVES = (
    *(".zip", ".tar", ".tgz", ".tbz2", ".txz", ".tzst"),
    *(".tar.gz", ".tar.bz2", ".tar.xz", ".tar.zst"),
)
"""How the names of files end that stand for their members."""
_LONGEST_ENDING = 4
"""Letters that may follow on the last dot of a name and tell no format, as in export.txt."""
_PACKED = (".gz", ".bz2", ".xz", ".zst")
_ENDINGS = {
    ".csv": "csv",
    ".tsv": "csv",
    ".tab": "csv",
    ".json": "json",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".xlsx": "excel",
    ".xlsm": "excel",
    ".xlsb": "excel",
    ".xls": "excel",
    ".ods": "excel",
    ".fwf": "fixed-width",
    ".xml": "xml",
    ".avro": "avro",
    ".orc": "orc",
    ".parquet": "parquet",
    ".arrow": "arrow",
    ".arrows": "arrow",
    ".feather": "arrow",
    ".ipc": "arrow",
}


@dataclass(frozen=True)
class Source:
    """A file to read: how errors call it, its bytes as they are stored, how they are packed.

    seekable says whether these can be entered anywhere; ratio how many times its size it may unpack
    to, 0 for any.
    """

    name: str
    size: int
    open: Callable[[], BinaryIO]
    compression: str | None = None
    seekable: bool = True
    ratio: int = 500

    @property
    def packed(self) -> bool:
        """Whether it cannot be entered in its middle."""
        return self.compression is not None or not self.seekable


@dataclass(frozen=True)
class Options:
    """What a configuration says of the files of a stream; None leaves it to the file."""

    types: Mapping[str, LogicalType] = field(default_factory=dict)
    delimiter: str | None = None
    quote: str = '"'
    header: bool | None = None
    names: Sequence[str] | None = None
    encoding: str | None = None
    nulls: Sequence[str] = ("",)
    row_bytes: int = 16 << 20
    """The longest row that is read."""
    decimal: str = "."
    thousands: str = ""
    comment: str = ""
    skip_rows: int = 0
    skip_bad_rows: bool = False
    json_path: Sequence[str | None] = ()
    record_path: str = ""
    sheet: str | None = None
    header_row: int | None = None
    cell_range: Area | None = None
    widths: Sequence[int] | None = None
    ratio: int = 500


@dataclass(frozen=True)
class Look:
    """What a glance at a file tells: its columns, about how many rows, and its dialect in words."""

    columns: list[Column]
    rows: int | None = None
    notes: str = ""


@dataclass
class LeftOut:
    """The rows that could not be read and were left out: how many, and the lines of the first."""

    count: int = 0
    lines: list[int] = field(default_factory=list)

    def add(self, line: int) -> None:
        """Note a row."""
        self.count += 1
        if len(self.lines) < 10:
            self.lines.append(line)

    def __bool__(self) -> bool:
        return self.count > 0

    def __str__(self) -> str:
        shown = ", ".join(map(str, self.lines))
        more = self.count - len(self.lines)
        what = "row was" if self.count == 1 else "rows were"
        lines = "line" if self.count == 1 else "lines"
        return f"{self.count} {what} left out, {lines} {shown}" + (f" and {more} more" * (more > 0))


class FileReader(Protocol):
    """One file of a format, made of its Source and the Options.

    beside holds the names of columns that the file has and that `batches` was not asked for, as far
    as they were met.
    """

    beside: set[str]

    def look(self) -> Look:
        """Return the columns of the file, from a sample of it where it does not declare them."""

    def batches(
        self, columns: Sequence[Column], skip: int, arrow: bool
    ) -> Iterator[pa.RecordBatch | Rows]:
        """Yield the rows behind the first *skip*, in batches of bounded size.

        Of *columns* those that the file has. With *arrow* they are record batches whose values have
        their Arrow types; else they may be digits, or decoded records. What does not fit its column
        is a ReadError with file and line.
        """

    def count(self) -> int:
        """Return the exact number of rows."""


def named(path: str) -> tuple[str, str | None]:
    """Return the name of a file without its endings, and the format that these tell, if any."""
    name = path.rpartition("/")[2]
    if name.lower().endswith(_PACKED):
        name = name.rpartition(".")[0]
    head, _, ending = name.rpartition(".")
    format = _ENDINGS.get("." + ending.lower()) if head else None
    ends = format or (head and ending.isalpha() and len(ending) <= _LONGEST_ENDING)
    return (head if ends else name), format


def reader(format: str, source: Source, options: Options) -> FileReader:
    """Return what reads *source* as *format*."""
    module, _, attribute = FORMATS[format].partition(":")
    made: Any = getattr(importlib.import_module(module), attribute)
    found: FileReader = made(source, options)
    return found


def unreadable(source: Source, why: str, *details: str) -> ReadError:
    """Return the error that the file cannot be read."""
    return ReadError(f"cannot read {source.name}", why, *details)
