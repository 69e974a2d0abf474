"""JSON Lines: an object a line, which stays as it is written wherever that can be."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any

import msgspec
import pyarrow as pa

from kozmo_singer.errors import ReadError, RecordError
from kozmo_singer.systems.formats import UNKNOWN, Look, Options, Source, unreadable
from kozmo_singer.systems.formats.packing import unpacked
from kozmo_singer.systems.formats.sampling import sample
from kozmo_singer.wire.arrow import record_batch
from kozmo_singer.wire.rows import REFUSED, Rows, StreamDecoder
from kozmo_singer.wire.types import Column, LogicalType, join

BLOCK_BYTES = 1 << 20
_STREAM = "rows"
_HEAD = b'{"type":"RECORD","stream":"rows","record":'
_MARK = b"\xef\xbb\xbf"
_DOCUMENTS: msgspec.json.Decoder[msgspec.Raw] = msgspec.json.Decoder(msgspec.Raw)
_EXACT: msgspec.json.Decoder[Any] = msgspec.json.Decoder(float_hook=Decimal)
_KINDS = {
    bool: LogicalType("boolean"),
    int: LogicalType("integer"),
    Decimal: LogicalType("decimal"),
    str: LogicalType("string"),
    # What json makes of NaN, and of numbers that no JSON has.
    float: LogicalType("decimal"),
    type(None): UNKNOWN,
}


class JsonLinesFile:
    """A file of one JSON object a line; empty lines are skipped."""

    unit = "line"

    def __init__(self, source: Source, options: Options) -> None:
        self._source, self._options = source, options
        self.beside: set[str] = set()

    def look(self) -> Look:
        """Return the fields that the sample shows, with the types that hold their values."""
        pieces = sample(self._source)
        if pieces and b"\n" not in pieces[0]:
            # The first line is longer than what is looked at, or the only one.
            _, lines = next(iter(self._records()), ([], []))
            return self._seen(lines[:1], len(lines[0]) if lines else 0, "JSON Lines")
        lines = [
            line
            for piece in pieces
            for line in piece.removeprefix(_MARK).splitlines()
            if line.strip()
        ]
        return self._seen(lines, sum(map(len, pieces)), "JSON Lines")

    def batches(
        self, columns: Sequence[Column], skip: int, arrow: bool
    ) -> Iterator[pa.RecordBatch | Rows]:
        """Yield the rows behind the first *skip*, see FileReader; fields not asked for are none."""
        decoder = StreamDecoder(_STREAM, columns, lambda _: None)
        for numbers, lines in self._records():
            if skip >= len(lines):
                skip -= len(lines)
                continue
            lines, numbers = lines[skip:], numbers[skip:]
            skip = 0
            rows = self._decoded(decoder, lines, numbers)
            self.beside = decoder.unknown
            yield self._as_arrow(columns, rows, numbers) if arrow else rows

    def count(self) -> int:
        """Return the number of lines that are not empty."""
        return sum(len(lines) for _, lines in self._records())

    def _records(self) -> Iterator[tuple[Sequence[int], list[bytes]]]:
        """Yield objects, and what the errors of each call it by."""
        for first, block in self._blocks():
            lines = [line.rstrip(b"\r") for line in block.split(b"\n")]
            numbers = [n for n, line in enumerate(lines, first) if line.strip()]
            yield numbers, [lines[n - first] for n in numbers]

    def _seen(self, lines: Sequence[bytes], read: int, notes: str) -> Look:
        """Return what *lines* tell, which are those of *read* bytes."""
        found: dict[str, dict[LogicalType, None]] = {}
        for line in lines:
            for name, value in self._object(line).items():
                kind = _KINDS.get(type(value), LogicalType("json"))
                found.setdefault(name, {})[kind] = None
        said = self._options.types
        columns = [Column(name, said.get(name) or _join(kinds)) for name, kinds in found.items()]
        rows: int | None = len(lines)
        if self._source.packed:
            rows = None
        elif read < self._source.size:
            rows = len(lines) * self._source.size // max(read, 1)
        return Look(columns, rows, notes)

    def _as_arrow(
        self, columns: Sequence[Column], rows: Rows, numbers: Sequence[int]
    ) -> pa.RecordBatch:
        try:
            return record_batch(columns, rows.tuples())
        except UnicodeEncodeError as error:
            raise unreadable(
                self._source,
                f"{self.unit}s {numbers[0]} to {numbers[-1]}: a text holds half of a character, "
                "which Arrow has no form for",
                "plain lines can hold it: kozmo run --lane text",
            ) from error

    def _decoded(self, decoder: StreamDecoder, lines: list[bytes], numbers: Sequence[int]) -> Rows:
        """Return the rows of *lines*, each of which has to be one object and nothing beside it."""
        try:
            alone = len(_DOCUMENTS.decode_lines(b"\n".join(lines))) == len(lines)
        except REFUSED:
            alone = False
        if not alone:
            for line, number in zip(lines, numbers, strict=True):
                self._document(line, number)
        try:
            return decoder.decode([_HEAD + line + b"}" for line in lines], numbers)
        except RecordError as error:
            raise self._misfit(error) from error

    def _document(self, line: bytes, number: int) -> None:
        try:
            _parsed(line)
        except (ValueError, RecursionError) as error:
            raise unreadable(
                self._source, f"{self.unit} {number}: {error}", f"it is: {_shown(line)}"
            ) from error

    def _object(self, line: bytes) -> dict[str, Any]:
        try:
            found = _parsed(line)
        except (ValueError, RecursionError) as error:
            raise unreadable(
                self._source, str(error), f"in the {self.unit}: {_shown(line)}"
            ) from error
        if not isinstance(found, dict):
            raise unreadable(self._source, f"expected an object a {self.unit}, got: {_shown(line)}")
        return found

    def _misfit(self, error: RecordError) -> ReadError:
        if not error.path or error.reason.startswith("expected an object"):
            return unreadable(self._source, f"{self.unit} {error.line}: {error.reason}")
        return unreadable(
            self._source,
            f"{self.unit} {error.line}, {error.path}: {error.reason}",
            "to let a field hold anything, give it the type json in the setting columns",
        )

    def _blocks(self) -> Iterator[tuple[int, bytes]]:
        """Yield whole lines, and the number of the first; ReadError where one is too long."""
        first, rest = 1, b""
        with unpacked(self._source) as stream:
            while piece := stream.read(BLOCK_BYTES):
                if first == 1 and not rest:
                    piece = piece.removeprefix(_MARK)
                head, newline, tail = piece.rpartition(b"\n")
                if not newline:
                    rest += piece
                    if len(rest) > self._options.row_bytes:
                        raise unreadable(
                            self._source,
                            f"line {first} is longer than {self._options.row_bytes} bytes",
                            "to read such lines: max_row_bytes",
                        )
                    continue
                block = rest + head
                yield first, block
                first += block.count(b"\n") + 1
                rest = tail
        if rest.strip():
            yield first, rest


def _parsed(line: bytes) -> Any:
    """Return the document of *line*; ValueError where it is none.

    NaN and halves of characters are no JSON for msgspec, but are found in files.
    """
    try:
        return _EXACT.decode(line)
    except REFUSED:
        return json.loads(line, parse_float=Decimal)


def _join(kinds: dict[LogicalType, None]) -> LogicalType:
    told = [kind for kind in kinds if kind != UNKNOWN]
    return join(told) if told else UNKNOWN


def _shown(line: bytes) -> str:
    text = line[:60].decode("utf-8", "replace")
    return text if len(line) <= 60 else text + "..."
