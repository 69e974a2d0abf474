"""JSON documents: an array of objects, objects at a path, or objects one after the other.

Numbers and texts stay as they are written, as in JSON Lines, whose module does the rest.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from kozmo_singer.systems.formats import Look, unreadable
from kozmo_singer.systems.formats.csv_blocks import pieces
from kozmo_singer.systems.formats.csv_dialect import marked
from kozmo_singer.systems.formats.json_scan import JsonFault, Scanner
from kozmo_singer.systems.formats.jsonl import JsonLinesFile
from kozmo_singer.systems.formats.packing import unpacked

SAMPLE_BYTES = 1 << 24


class JsonFile(JsonLinesFile):
    """A file whose records stand within a document; errors call them by their numbers."""

    unit = "record"

    def look(self) -> Look:
        """Return the fields of the records in the first megabytes, see SAMPLE_BYTES."""
        self._scanner: Scanner | None = None
        found: list[bytes] = []
        for _, records in self._records():
            found += records
            if self._scanner is not None and self._scanner.seen >= SAMPLE_BYTES:
                break
        read = self._scanner.seen if self._scanner is not None else 0
        path = "".join("[*]" if s is None else f".{s}" for s in self._options.json_path)
        return self._seen(found, read, f"JSON, records at ${path}" if path else "JSON")

    def _records(self) -> Iterator[tuple[Sequence[int], list[bytes]]]:
        first = 1
        with unpacked(self._source) as stream:
            head = stream.read(4)
            encoding = self._options.encoding or marked(head) or "utf-8"
            self._scanner = Scanner(
                pieces(_Headed(head, stream), encoding), self._options.row_bytes
            )
            try:
                for found in self._scanner.records(self._options.json_path):
                    yield range(first, first + len(found)), found
                    first += len(found)
            except (JsonFault, UnicodeDecodeError) as error:
                raise unreadable(self._source, str(error)) from error


class _Headed:
    """A stream of which the *head* was read already."""

    def __init__(self, head: bytes, stream: object) -> None:
        self._head, self._stream = head, stream

    def read(self, size: int) -> bytes:
        head, self._head = self._head, b""
        more: bytes = self._stream.read(size - len(head))  # type: ignore[attr-defined]  # a stream
        return head + more
