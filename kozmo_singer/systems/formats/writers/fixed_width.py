"""Fixed width: cells that are filled up with blanks to the width of their column."""

from __future__ import annotations

from collections.abc import Sequence
from typing import BinaryIO

import pyarrow as pa
import pyarrow.compute as pc

from kozmo_singer.systems.formats.writers import Misfit, Unwritable, WriteOptions
from kozmo_singer.systems.formats.writers.lines import CellsFormat, Encoding, LinesWriter
from kozmo_singer.wire.types import Column

_BREAKS = "[\r\n\v\f\x1c-\x1e\x85\u2028\u2029]"


class FixedWidthFormat(CellsFormat):
    """Rows of which every cell begins at the same place, counted in letters."""

    def __init__(self, columns: Sequence[Column], options: WriteOptions) -> None:
        super().__init__(columns, options)
        missing = [column.name for column in columns if column.name not in options.widths]
        if missing:
            raise Unwritable(f"the setting widths has no width for {', '.join(missing)}")
        self._widths = [options.widths[column.name] for column in columns]
        self._encoding = Encoding(options.encoding)
        pairs = list(zip(columns, self._widths, strict=True))
        long = [c.name for c, width in pairs if options.header and len(c.name) > width]
        if long:
            raise Unwritable(f"the name of column {long[0]} is wider than the column")
        self._head = "".join(column.name.ljust(width) for column, width in pairs) + "\n"

    def lines(self, cells: Sequence[pa.Array]) -> pa.Array:
        self._encoding.check(self.columns, cells)
        padded = []
        for column, width, texts in zip(self.columns, self._widths, cells, strict=True):
            self._check(column.name, width, texts)
            texts = pc.fill_null(texts, self.options.null) if texts.null_count else texts
            padded.append(pc.utf8_rpad(texts, width, " "))
        return pc.binary_join_element_wise(*padded, "\n", "")

    def _check(self, column: str, width: int, texts: pa.Array) -> None:
        null = self.options.null
        # Readers take away all that Unicode calls blank; where a line ends they differ.
        trimmed = pc.not_equal(pc.utf8_trim_whitespace(texts), texts)
        blank = pc.or_(trimmed, pc.match_substring_regex(texts, _BREAKS))
        alike = pc.equal(texts, null)
        for bad, reason in (
            (pc.greater(pc.utf8_length(texts), width), f"text is longer than the width of {width}"),
            (blank, "text with line breaks, or blanks at its ends, has no form in fixed width"),
            (alike, "text that is written as null is; choose another null_value"),
        ):
            if pc.any(bad).as_py():
                raise Misfit(reason, pc.indices_nonzero(bad)[0].as_py(), column)

    def open(self, file: BinaryIO) -> LinesWriter:
        head = self._head if self.options.header else ""
        encode = None if self._encoding.plain else self._encoding.encode
        encoded = self._encoding.encode(head.encode())
        return LinesWriter(file, self.options.packed, encoded, encode=encode)
