"""How a CSV file is written: encoding, delimiter, header; told from a sample of the whole file."""

from __future__ import annotations

import codecs
import csv
import io
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from kozmo_singer.systems.formats import UNKNOWN, Options, Source, unreadable
from kozmo_singer.systems.formats.csv_lines import cleaned
from kozmo_singer.systems.formats.csv_types import infer
from kozmo_singer.systems.formats.sampling import PLACE_BYTES
from kozmo_singer.wire.arrow_lines import texts

_TRIED_ROWS = 200
_TEXT = ("string", UNKNOWN.name)
_DELIMITERS = ",\t;|"
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
csv.field_size_limit(sys.maxsize)


@dataclass(frozen=True)
class Dialect:
    """How one file is written; *names* are its columns, each of which occurs once."""

    delimiter: str
    quote: str
    header: bool
    encoding: str
    names: Sequence[str]
    notes: str = ""

    @property
    def words(self) -> str:
        """The dialect for people."""
        shown = {"\t": "tab", ",": "comma", ";": "semicolon", "|": "bar"}
        header = "header" if self.header else "no header"
        delimiter = shown.get(self.delimiter, self.delimiter)
        return ", ".join(filter(None, (self.encoding, delimiter, header, self.notes)))


def detect(source: Source, options: Options, pieces: Sequence[bytes]) -> Dialect | None:
    """Return the dialect, None of a file in which nothing stands."""
    encoding = options.encoding or encoding_of(source, pieces)
    text = cleaned(decoded(pieces[0], encoding), options, start=True)
    if not text.strip("\r\n"):
        return None
    delimiter = options.delimiter or _delimiter(source, text, options.quote)
    rows = list(islice(records(io.StringIO(text, ""), delimiter, options.quote), _TRIED_ROWS))
    header = options.header
    if header is None:
        header = options.names is None and has_header(rows)
    names = list(options.names or (rows[0] if header else []))
    names += [""] * (len(rows[0]) - len(names))
    notes = "byte order mark" if marked(pieces[0]) else ""
    if len(names) > len(rows[0]):
        raise unreadable(
            source,
            f"column_names has {len(names)} names, but the file has {len(rows[0])} columns",
        )
    return Dialect(delimiter, options.quote, header, encoding, unique(names), notes)


def records(lines: io.TextIOBase, delimiter: str, quote: str) -> Iterator[list[str]]:
    """Yield the rows as Arrow counts them: lines with nothing on them are none."""
    # Before Python 3.11 the module csv refuses NUL.
    cleaned = (line.replace("\0", "\ufffd") for line in lines)
    reader = csv.reader(cleaned, delimiter=delimiter, quotechar=quote, strict=False)
    return (row for row in reader if row)


def decoded(piece: bytes, encoding: str) -> str:
    """Return the text of *piece*, without a mark at its start; what is no text is replaced."""
    decoder = codecs.getincrementaldecoder(encoding)("replace")
    return decoder.decode(piece).removeprefix("\ufeff")


def unique(names: Sequence[str]) -> list[str]:
    """Return *names* with those that are empty or were there before called otherwise."""
    found: list[str] = []
    taken = set(names)
    for place, name in enumerate(names, 1):
        made = name or f"column_{place}"
        number = 1
        while made in found or (made != name and made in taken):
            number += 1
            made = f"{name or f'column_{place}'}_{number}"
        found.append(made)
    return found


def marked(head: bytes) -> str | None:
    """Return the encoding that a mark at the start of a file tells, None without one."""
    return next((encoding for mark, encoding in _MARKS if head.startswith(mark)), None)


def encoding_of(source: Source, pieces: Sequence[bytes]) -> str:
    """Return what *pieces* are written in; ReadError where that cannot be told."""
    if found := marked(pieces[0]):
        return found
    if 4 * pieces[0][1::2].count(0) > len(pieces[0]):
        return "utf-16-le"
    if 4 * pieces[0][::2].count(0) > len(pieces[0]) > 1:
        return "utf-16-be"
    doubtful = next((piece for piece in pieces if not _is_utf8(piece)), None)
    if doubtful is None or any(map(_has_utf8, pieces)):
        # Where other lines are in another encoding, reading says which.
        return "utf-8"
    from charset_normalizer import from_bytes

    best = from_bytes(doubtful[:PLACE_BYTES]).best()
    if best is None:
        raise unreadable(source, "the file is in no encoding that can be told", "set encoding")
    return codecs.lookup(best.encoding).name


def _is_utf8(piece: bytes) -> bool:
    try:
        codecs.getincrementaldecoder("utf-8")().decode(piece)
    except UnicodeDecodeError:
        return False
    return True


def _has_utf8(piece: bytes) -> bool:
    """Whether there are lines with letters of several bytes; by chance they never are UTF-8."""
    lines = piece.split(b"\n") if not piece.isascii() else ()
    return any(not line.isascii() and _is_utf8(line) for line in lines)


def _delimiter(source: Source, text: str, quote: str) -> str:
    """The one by which most rows have the same number of cells, and the most cells."""
    best, score = ",", (0.0, 0)
    for delimiter in _DELIMITERS:
        found = records(io.StringIO(text[:PLACE_BYTES], ""), delimiter, quote)
        widths = [len(row) for row in islice(found, _TRIED_ROWS)]
        if len(text) > PLACE_BYTES and len(widths) > 1:
            # The last one may be cut.
            widths.pop()
        [(width, count)] = Counter(widths).most_common(1)
        if width > 1 and (count / len(widths), width) > score:
            best, score = delimiter, (count / len(widths), width)
    return best


def has_header(rows: Sequence[Sequence[str]]) -> bool:
    """Return whether the first row names columns: not where it is plainly a row like the others.

    That is so where each column that holds numbers or dates holds one in the first row too. A year
    may be a name.
    """
    if len(rows) < 2:
        return not any(_is_typed(cell) for cell in rows[0])
    below = [row for row in rows[1:] if len(row) == len(rows[0])]
    kinds = [infer(texts(cells)).name for cells in zip(*below, strict=True)]
    pairs = [(cell, kind) for cell, kind in zip(rows[0], kinds, strict=False) if kind not in _TEXT]
    return not pairs or not all(_is_typed(cell) for cell, _ in pairs)


def _is_typed(cell: str) -> bool:
    year = len(cell) == 4 and cell.isdigit() and "1800" <= cell <= "2199"
    return bool(cell) and not year and infer(texts([cell])).name not in _TEXT
