"""JSON Lines, and JSON as one array: each record as the tap wrote it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, BinaryIO

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from kozmo_singer.systems.formats.csv_types import PATTERNS
from kozmo_singer.systems.formats.writers import WriteOptions
from kozmo_singer.systems.formats.writers.lines import LinesWriter
from kozmo_singer.wire.arrow_lines import SPELT, ArrowLines, Token, token
from kozmo_singer.wire.encode import dumps
from kozmo_singer.wire.types import Column

if TYPE_CHECKING:
    from kozmo_singer.wire.rows import Rows

_OBJECT: msgspec.json.Decoder[dict[str, msgspec.Raw]] = msgspec.json.Decoder(dict[str, msgspec.Raw])


class JsonLinesFormat:
    """An object a line, with every column of the schema as a key."""

    schema: object = None
    group = 0
    longest: int | None = None
    before, after = b"", b"\n"

    def __init__(self, columns: Sequence[Column], options: WriteOptions) -> None:
        self._columns, self.options = columns, options
        self._keys = [dumps(column.name) + b":" for column in columns]

    def of_rows(self, rows: Rows) -> pa.Array:
        records = rows.records()
        if len(self._columns) < len(rows.columns):
            records = [self._own(record) for record in records]
        return self._lines(records)

    def of_columns(self, batch: pa.RecordBatch) -> pa.Array | None:
        if not self._columns:
            return None
        tokens = []
        for column, array, described in zip(
            self._columns, batch.columns, batch.schema, strict=True
        ):
            spelt = _spelt(column, array, described)
            if spelt is None:
                return None
            tokens.append(spelt)
        lines = ArrowLines(tokens, batch.num_rows, self._columns)
        body = lines.lines(self._keys, b"", b"\n")
        return self._lines(body[:-1].split(b"\n"))

    def _lines(self, records: list[bytes]) -> pa.Array:
        return pa.array([self.before + record + self.after for record in records], pa.binary())

    def _own(self, record: bytes) -> bytes:
        """Return *record* without what is no column of the file."""
        found = _OBJECT.decode(record)
        pairs = zip(self._keys, self._columns, strict=True)
        return b"{" + b",".join(key + bytes(found[column.name]) for key, column in pairs) + b"}"

    def open(self, file: BinaryIO) -> LinesWriter:
        return LinesWriter(file, self.options.packed, b"")


def _spelt(column: Column, array: pa.Array, described: pa.Field) -> Token | None:
    """Return the values as the text lane has them; None where that is better asked for records."""
    if column.type.name == "decimal" and pa.types.is_string(array.type):
        if pc.all(pc.match_substring_regex(array, PATTERNS["decimal"])).as_py() is False:
            return None
        described = pa.field(column.name, array.type, metadata=SPELT)
    found = token(array, described, column.type)
    if column.type.name == "timestamp" and found.array is not None:
        # It has no zone, and the Z that stands for it on the wire is none of the value.
        local = pc.replace_substring_regex(found.array, r'Z("?)$', r"\1")
        return Token(local, quoted=found.quoted)
    return found


class JsonFormat(JsonLinesFormat):
    """An array of such objects, each on a line of its own."""

    before, after = b",\n", b""

    def open(self, file: BinaryIO) -> LinesWriter:
        return LinesWriter(file, self.options.packed, b"[\n", b"\n]\n", between=len(self.before))
