"""Lines of a CSV file that are none of its rows: comments, and what stands before the header.

They are emptied and not taken away, so that the lines of errors are those of the file.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from kozmo_singer.systems.formats import Options

MARKED = b"\n\xef\xbb\xbf"
"""A line that begins with a byte order mark, as where files were joined."""


def emptied(
    pieces: Iterator[bytes], options: Options, delimiter: bytes, quote: bytes
) -> Iterator[bytes]:
    """Yield *pieces* with the first lines and comments emptied; # within a cell is no comment."""
    if options.skip_rows:
        pieces = _without_first(pieces, options.skip_rows)
    if not options.comment:
        yield from pieces
        return
    comment = re.escape(options.comment.encode())
    q, d = re.escape(quote), re.escape(delimiter)
    found = re.compile(
        rb"(?P<comment>^%b[^\n]*)|"
        rb"(?:\A|(?<=[%b\r\n]))%b[^%b]*(?:%b%b[^%b]*)*(?:(?P<closed>%b)|\Z)"
        % (comment, d, q, q, q, q, q, q),
        re.MULTILINE,
    )
    rest = b""
    for piece in pieces:
        made, rest = _without_comments(rest + piece, found)
        if len(rest) > options.row_bytes:
            # It is too long for a row, which the reader says.
            made, rest = made + rest, b""
        yield made
    made, rest = _without_comments(rest + b"\n", found)
    yield made + rest if rest.strip() else made


def cleaned(text: str, options: Options, *, start: bool) -> str:
    """Return a sample without such lines; *start* says that the file begins with it."""
    if start and options.skip_rows:
        text = "\n".join(text.split("\n")[options.skip_rows :])
    if options.comment:
        text = re.sub(rf"(?m)^{re.escape(options.comment)}[^\n]*", "", text)
    return text


def _without_first(pieces: Iterator[bytes], lines: int) -> Iterator[bytes]:
    for piece in pieces:
        before = lines
        while lines and piece:
            _, newline, piece = piece.partition(b"\n")
            lines -= len(newline)
        yield b"\n" * (before - lines) + piece


def _without_comments(text: bytes, found: re.Pattern[bytes]) -> tuple[bytes, bytes]:
    """Return the whole lines at the start of *text* with comments emptied, and the rest of it."""
    end = start = 0
    comments = []
    for match in found.finditer(text):
        end = max(end, text.rfind(b"\n", start, match.start()) + 1)
        start = match.end()
        if match["comment"] is not None:
            comments.append(match)
        elif match["closed"] is None:
            break
    else:
        end = max(end, text.rfind(b"\n", start) + 1)
    parts, at = [], 0
    for comment in comments:
        if comment.end() <= end:
            parts.append(text[at : comment.start()])
            at = comment.end()
    return b"".join((*parts, text[at:end])), text[end:]
