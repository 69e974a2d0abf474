"""CSV and TSV: a null is nothing, or a word that is never quoted; an empty text is in quotes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import BinaryIO

import pyarrow as pa
import pyarrow.compute as pc

from kozmo_singer.systems.formats.writers import Misfit, Unwritable, WriteOptions
from kozmo_singer.systems.formats.writers.lines import CellsFormat, Encoding, LinesWriter
from kozmo_singer.wire.types import Column

_NUMBERS = ("integer", "float", "decimal", "boolean")
# https://owasp.org/www-community/attacks/CSV_Injection
_FORMULA = r"^[=+\-@\t\r]"


class CsvFormat(CellsFormat):
    """Rows of cells between delimiters."""

    def __init__(self, columns: Sequence[Column], options: WriteOptions) -> None:
        super().__init__(columns, options)
        quote, delimiter = options.quote, options.delimiter
        special = "".join(map(re.escape, dict.fromkeys((delimiter, quote, "\r", "\n"))))
        self._special = f"[{special}]|^{re.escape(options.null)}$" + ("|^$" if options.null else "")
        self._encoding = Encoding(options.encoding)
        try:
            names = pa.array([column.name for column in columns], pa.string())
            self._head = f"{delimiter.join(self._quoted(names, text=True).to_pylist())}\n"
            self._encoding.encode(self._head.encode())
        except UnicodeEncodeError as error:
            raise Unwritable(f"the name of a field cannot be written: {error}") from error

    def lines(self, cells: Sequence[pa.Array]) -> pa.Array:
        self._encoding.check(self.columns, cells)
        if len(cells) == 1 and not self.options.null and cells[0].null_count:
            row = pc.indices_nonzero(cells[0].is_null())[0].as_py()
            raise Misfit(
                "a null alone would be an empty line, which readers skip; set null_value",
                row,
                self.columns[0].name,
            )
        quoted = [
            self._quoted(texts, text=column.type.name not in _NUMBERS)
            for column, texts in zip(self.columns, cells, strict=True)
        ]
        null = self.options.null
        last = pc.binary_join_element_wise(
            quoted[-1], "\n", "", null_handling="replace", null_replacement=null
        )
        return pc.binary_join_element_wise(
            *quoted[:-1], last, self.options.delimiter,
            null_handling="replace", null_replacement=null,
        )  # fmt: skip

    def open(self, file: BinaryIO) -> LinesWriter:
        head = self._head if self.options.header else ""
        if self.options.mark:
            head = "\ufeff" + head
        encode = None if self._encoding.plain else self._encoding.encode
        encoded = self._encoding.encode(head.encode())
        return LinesWriter(file, self.options.packed, encoded, encode=encode)

    def _quoted(self, texts: pa.Array, *, text: bool) -> pa.Array:
        """Put quotes around what needs them: numbers never do, unless all are to have them."""
        quoting, quote = self.options.quoting, self.options.quote
        if text and self.options.escape_formulas:
            risky = pc.match_substring_regex(texts, _FORMULA)
            if pc.any(risky).as_py():
                escaped = pc.binary_join_element_wise("'", texts, "")
                texts = pc.if_else(risky, escaped, texts)
        if quoting == "all" or (text and quoting == "text"):
            return self._within_quotes(texts, quote)
        if not text and not self.options.null:
            return texts
        special = pc.match_substring_regex(texts, self._special)
        if not pc.any(special).as_py():
            return texts
        return pc.if_else(special, self._within_quotes(texts, quote), texts)

    def _within_quotes(self, texts: pa.Array, quote: str) -> pa.Array:
        doubled = pc.replace_substring(texts, quote, quote + quote)
        return pc.binary_join_element_wise(quote, doubled, quote, "")
