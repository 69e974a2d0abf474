"""Writing files: what every format can do, and which class writes it.

A FileFormat belongs to one stream. It makes parts of rows (`of_rows`, `of_columns`), which can be
cut and sorted into files, and opens files that take such parts. What cannot be written is found
when a part is made, so that no half of it is in a file by then.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple, Protocol

from kozmo_singer.wire.types import Column

if TYPE_CHECKING:
    import pyarrow as pa

    from kozmo_singer.wire.rows import Rows

Part = Any
"""An array of the texts that stand for rows in the file, or a record batch."""

SURROGATE = "text holds half a surrogate pair, which no UTF-8 can carry"


class Kind(NamedTuple):
    """A format: what writes it, the ending of its files, and how they can be packed.

    The first of *packed* is what a file is unless something else is asked for.
    """

    writer: str
    ending: str
    packed: tuple[str, ...]


_MODULE = "kozmo_singer.systems.formats.writers."
_TEXT = ("none", "gzip", "bz2", "xz", "zstd")
FORMATS: Mapping[str, Kind] = {
    "arrow": Kind(_MODULE + "arrow:ArrowFormat", "arrow", ("none", "zstd", "lz4")),
    "avro": Kind(_MODULE + "avro:AvroFormat", "avro", ("gzip", "none", "bz2", "xz")),
    "csv": Kind(_MODULE + "csv:CsvFormat", "csv", _TEXT),
    "excel": Kind(_MODULE + "excel:ExcelFormat", "xlsx", ("none",)),
    "fixed-width": Kind(_MODULE + "fixed_width:FixedWidthFormat", "txt", _TEXT),
    "json": Kind(_MODULE + "json:JsonFormat", "json", _TEXT),
    "jsonl": Kind(_MODULE + "json:JsonLinesFormat", "jsonl", _TEXT),
    "orc": Kind(_MODULE + "orc:OrcFormat", "orc", ("zstd", "none", "gzip", "snappy", "lz4")),
    "parquet": Kind(
        _MODULE + "parquet:ParquetFormat",
        "parquet",
        ("zstd", "none", "gzip", "snappy", "lz4", "brotli"),
    ),
    "xml": Kind(_MODULE + "xml:XmlFormat", "xml", _TEXT),
}
PACKED = tuple(sorted({packed for kind in FORMATS.values() for packed in kind.packed}))
"""Every way in which some format can be packed."""
_ENDINGS = {"gzip": ".gz", "bz2": ".bz2", "xz": ".xz", "zstd": ".zst"}


@dataclass(frozen=True)
class WriteOptions:
    """What a configuration says of the files of a stream."""

    stream: str = ""
    keys: Sequence[str] = ()
    packed: str = "none"
    delimiter: str = ","
    quote: str = '"'
    quoting: str = "needed"
    header: bool = True
    encoding: str = "utf-8"
    mark: bool = False
    null: str = ""
    escape_formulas: bool = False
    replace_illegal: bool = False
    widths: Mapping[str, int] = field(default_factory=dict)


class Misfit(ValueError):
    """A value that the format has no form for: why, and its row and column in the part."""

    def __init__(self, reason: str, row: int, column: str | None = None) -> None:
        super().__init__(reason)
        self.reason, self.row, self.column = reason, row, column


class Unwritable(ValueError):
    """The columns of a stream are none that the format can have."""


class FileWriter(Protocol):
    """One file that is being written."""

    def write(self, parts: Sequence[Part]) -> None:
        """Add rows, which were made since the schema of the format was what it is for the file."""

    def finish(self) -> None:
        """Write what the file ends with; the file below is left open."""


class FileFormat(Protocol):
    """Makes files of one stream."""

    schema: object
    """Changes when rows no longer fit files that were opened before."""
    group: int
    """How many rows a file had better get at once, 0 where that is all the same."""
    longest: int | None
    """The most rows that a file can have."""

    def __init__(self, columns: Sequence[Column], options: WriteOptions) -> None:
        """Raise Unwritable where the format has no form for *columns*."""

    def of_rows(self, rows: Rows) -> Part:
        """Return *rows* as they go into a file; Misfit says which one cannot."""

    def of_columns(self, batch: pa.RecordBatch) -> Part | None:
        """Return the rows of *batch*, whose fields are the columns, or None to get them as Rows."""

    def open(self, file: BinaryIO) -> FileWriter:
        """Return what writes to *file*."""


def make(format: str, columns: Sequence[Column], options: WriteOptions) -> FileFormat:
    """Return what writes files of *format*."""
    module, _, attribute = FORMATS[format].writer.partition(":")
    made: Any = getattr(importlib.import_module(module), attribute)
    found: FileFormat = made(columns, options)
    return found


def ending(format: str, packed: str) -> str:
    """Return how the name of a file ends, without the dot before it."""
    kind = FORMATS[format]
    # What has a compression of its own inside is not named after it.
    return kind.ending + (_ENDINGS.get(packed, "") if kind.packed == _TEXT else "")
