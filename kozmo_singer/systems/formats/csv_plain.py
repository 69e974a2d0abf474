"""Blocks of a CSV file in which every cell is spelt plainly: their numbers need never be texts.

The parser reads 00123, ' 5' and 0x1F as integers too, which are other texts than the numbers'
own. Each of them is longer than its number is spelt, though, so a block whose length is just that
of its values, delimiters and line ends holds none of them, nor blank lines or letters outside its
cells. That is told by the columns as wholes.
"""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc

from kozmo_singer.wire.arrow_lines import number, size_of

_LARGEST = 10**9 - 1
"""Up to here no hexadecimal spelling is as short as the decimal one."""
_TENS = [number(10**power) for power in range(1, 9)]
_NEGATIVE_TENS = [number(-(10**power)) for power in range(1, 9)]
_ZERO = number(0)


def is_plain(columns: Sequence[pa.Array], text: bytes) -> bool:
    """Return whether *text*, a block without quotes, is just what *columns* are written as.

    They are all of its columns, integers and strings; null is written as nothing.
    """
    rows = len(columns[0])
    ends = rows + (text.count(b"\r\n") if b"\r" in text else 0)
    if not text.endswith((b"\n", b"\r")):
        ends -= 1
    expected = ends + (len(columns) - 1) * rows
    for column in columns:
        size = size_of(column) if pa.types.is_string(column.type) else _digits(column)
        if size is None:
            return False
        expected += size
    return expected == len(text)


def _digits(column: pa.Array) -> int | None:
    """Return the length of all numbers together, None where one is too large to tell."""
    bounds = pc.min_max(column)
    least, most = bounds["min"].as_py(), bounds["max"].as_py()
    if least is None:
        return 0
    if least < -_LARGEST or most > _LARGEST:
        return None
    length = len(column) - column.null_count
    for ten in _TENS[: len(str(most)) - 1] if most > 0 else ():
        length += pc.sum(pc.greater_equal(column, ten)).as_py()
    if least < 0:
        length += pc.sum(pc.less(column, _ZERO)).as_py()
        for ten in _NEGATIVE_TENS[: len(str(-least)) - 1]:
            length += pc.sum(pc.less_equal(column, ten)).as_py()
    return int(length)
