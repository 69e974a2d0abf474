"""Pieces of a file of lines that stand for all of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from kozmo_singer.systems.formats import Source
from kozmo_singer.systems.formats.packing import unpacked

HEAD_BYTES = 1 << 18
PLACES, PLACE_BYTES = 16, 1 << 16
PACKED_HEAD, PACKED_BYTES = 1 << 20, 1 << 26
"""Of a compressed file, which cannot be entered in its middle: its head, and what is unpacked."""
_NEARER = 16
"""Places in a compressed file are farther apart the farther in, by this part of what is before."""


def sample(source: Source) -> list[bytes]:
    """Return pieces of the file, whole lines as a rule: its head, some in between, and its end."""
    head = PACKED_HEAD if source.packed else HEAD_BYTES
    with unpacked(source) as stream:
        pieces = [stream.read(head)]
        if len(pieces[0]) < head:
            return pieces
        pieces[0] = _lines(pieces[0], whole=True)
        if not source.packed:
            span = source.size - head
            for number in range(PLACES):
                stream.seek(head + (span - PLACE_BYTES) * number // (PLACES - 1))
                pieces.append(_lines(stream.read(PLACE_BYTES), whole=False))
        else:
            pieces += _further(stream, head)
    return [piece for piece in pieces if piece]


def _further(stream: Any, read: int) -> Iterator[bytes]:
    """Pieces behind the first *read* bytes, and the end of what is unpacked."""
    due, last = read, b""
    while read < PACKED_BYTES and (piece := stream.read(PLACE_BYTES)):
        if read >= due:
            due = read + read // _NEARER
            yield _lines(piece, whole=False)
            last = b""
        else:
            last = piece
        read += len(piece)
    yield _lines(last, whole=False)


def _lines(piece: bytes, *, whole: bool) -> bytes:
    """Without the rests of lines at the ends, but for the start of a *whole* piece."""
    start = 0 if whole else piece.find(b"\n") + 1
    stop = piece.rfind(b"\n") + 1
    return piece[start:stop] if stop > start else piece if whole else b""
