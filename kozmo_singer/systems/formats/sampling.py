"""Pieces of a file of lines that stand for all of it."""

from __future__ import annotations

from kozmo_singer.systems.formats import Source
from kozmo_singer.systems.formats.packing import unpacked

HEAD_BYTES = 1 << 18
PLACES, PLACE_BYTES = 16, 1 << 16
PACKED_BYTES = 1 << 22
"""What is read of a compressed file, which cannot be entered in its middle."""


def sample(source: Source) -> list[bytes]:
    """Return pieces of the file, whole lines as a rule: its head, some in between, and its end."""
    head = PACKED_BYTES if source.packed else HEAD_BYTES
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
    return [piece for piece in pieces if piece]


def _lines(piece: bytes, *, whole: bool) -> bytes:
    """Without the rests of lines at the ends, but for the start of a *whole* piece."""
    start = 0 if whole else piece.find(b"\n") + 1
    stop = piece.rfind(b"\n") + 1
    return piece[start:stop] if stop > start else piece if whole else b""
