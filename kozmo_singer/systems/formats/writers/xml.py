"""XML: an element a row, with an element for each value; a null has none, an empty text has."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import BinaryIO

import pyarrow as pa
import pyarrow.compute as pc

from kozmo_singer.systems.formats.writers import Misfit, WriteOptions
from kozmo_singer.systems.formats.writers.lines import CellsFormat, LinesWriter
from kozmo_singer.wire.types import Column

# https://www.w3.org/TR/xml/#charsets
_ILLEGAL = "[\\x00-\\x08\\x0b\\x0c\\x0e-\\x1f\ufffe\uffff]"
_ESCAPES = (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ("\r", "&#13;"))
_START = re.compile(r"[A-Za-z]")
_LATER = re.compile(r"[A-Za-z0-9.\-_]")
_HEAD = b'<?xml version="1.0" encoding="UTF-8"?>\n<rows>\n'


class XmlFormat(CellsFormat):
    """Elements of the names that columns have, within <row>, within <rows>.

    A letter that no name can have stands as _xHHHH_, its number: `order id` is <order_x0020_id>.
    """

    def __init__(self, columns: Sequence[Column], options: WriteOptions) -> None:
        super().__init__(columns, options)
        names = [element(column.name) for column in columns]
        self._tags = [(f"<{name}>", f"</{name}>") for name in names]

    def lines(self, cells: Sequence[pa.Array]) -> pa.Array:
        parts = []
        for column, (start, end), texts in zip(self.columns, self._tags, cells, strict=True):
            texts = self._escaped(column.name, texts)
            parts.append(pc.binary_join_element_wise(start, texts, end, ""))
        return pc.binary_join_element_wise(
            "<row>", *parts, "</row>\n", "", null_handling="replace", null_replacement=""
        )

    def _escaped(self, column: str, texts: pa.Array) -> pa.Array:
        illegal = pc.match_substring_regex(texts, _ILLEGAL)
        if pc.any(illegal).as_py():
            if not self.options.replace_illegal:
                row = pc.indices_nonzero(illegal)[0].as_py()
                raise Misfit("text holds a control character, which XML has no form for",
                             row, column)  # fmt: skip
            texts = pc.replace_substring_regex(texts, _ILLEGAL, "\ufffd")
        for letter, escape in _ESCAPES:
            texts = pc.replace_substring(texts, letter, escape)
        return texts

    def open(self, file: BinaryIO) -> LinesWriter:
        return LinesWriter(file, self.options.packed, _HEAD, b"</rows>\n")


def element(name: str) -> str:
    """Return the name of the element for a column, from which the column's can be told."""
    name = re.sub(r"_(?=x[0-9A-Fa-f]{4,6}_)", "_x005F_", name) or "_"
    head, tail = name[:1], name[1:]
    first = head if _START.match(head) or head == "_" else _number(head)
    return first + "".join(c if _LATER.match(c) else _number(c) for c in tail)


def _number(letter: str) -> str:
    return f"_x{ord(letter):04X}_"
