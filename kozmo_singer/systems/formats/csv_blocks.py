"""A CSV file cut into blocks of whole rows, and where in a block a row stands.

Blocks are cut here and not by Arrow's own streaming reader, which reads ahead in threads of its
own: these may still call Python when the process ends. A cut is a guess by the number of quotes,
which is right unless quotes stand where they mean nothing; the parser tells, and then cells are
looked at.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

BLOCK_BYTES = 1 << 20


class Place(NamedTuple):
    """A row within a block: its line, counted from 0, and its cells."""

    line: int
    cells: list[str]


def pieces(stream: Any, encoding: str) -> Iterator[bytes]:
    """Yield the content of *stream* as UTF-8 without a mark; UnicodeDecodeError where it is not.

    Content that claims to be UTF-8 already is passed on as it is.
    """
    decoder = None
    if codecs.lookup(encoding).name != "utf-8":
        decoder = codecs.getincrementaldecoder(encoding)()
    first = True
    while piece := stream.read(BLOCK_BYTES):
        if decoder is not None:
            piece = decoder.decode(piece).encode("utf-8", "surrogatepass")
        if first:
            piece = piece.removeprefix(codecs.BOM_UTF8)
            first = not piece
        yield piece
    if decoder is not None:
        yield decoder.decode(b"", final=True).encode()


def guessed_end(text: bytes, quote: bytes) -> int:
    """Return where the last row of *text* ends that has an even number of quotes up to there."""
    total = text.count(quote) if quote in text else 0
    end = text.rfind(b"\n")
    while end >= 0 and total:
        if (total - text.count(quote, end)) % 2 == 0:
            break
        end = text.rfind(b"\n", 0, end)
    return end + 1


def exact_end(text: bytes, quote: bytes, delimiter: bytes) -> int:
    """Return where the last whole row of *text* ends; quotes count where they begin a cell."""
    q, d = re.escape(quote), re.escape(delimiter)
    quoted = re.compile(
        rb"(?:\A|(?<=[%b\r\n]))%b[^%b]*(?:%b%b[^%b]*)*(?:(%b)|\Z)" % (d, q, q, q, q, q, q)
    )
    end = start = 0
    for match in quoted.finditer(text):
        end = max(end, text.rfind(b"\n", start, match.start()) + 1)
        start = match.end()
        if match[1] is None:
            return end
    return max(end, text.rfind(b"\n", start) + 1)


def is_closed(text: bytes, last: bytes, quote: bytes) -> bool:
    """Return whether the quotes of the *last* cell of *text* were closed.

    Arrow takes what is there for the cell where they were not.
    """
    if quote not in text:
        return True
    cell = last.replace(quote, 2 * quote)
    if text.rstrip(b"\r\n").endswith(quote + cell + quote):
        return True
    return not text.endswith(quote + cell)


def places(block: bytes, delimiter: str, quote: str) -> Iterator[Place]:
    """Yield the rows of *block*; what is not UTF-8 stands as lone surrogates."""
    # Before Python 3.11 the module csv refuses NUL.
    text = io.StringIO(block.decode("utf-8", "surrogateescape").replace("\0", "\ufffd"), "")
    reader = csv.reader(text, delimiter=delimiter, quotechar=quote)
    line = 0
    for cells in reader:
        if cells:
            yield Place(line, cells)
        line = reader.line_num
