"""Messages reach the pipe whole, and in large pieces."""

from __future__ import annotations

import io
from typing import Any

import pytest

from kozmo_taps.output import PIECE_BYTES, Output


class Pipe(io.BytesIO):
    """Takes a limited number of bytes at once, as a pipe does when a signal comes."""

    def __init__(self, most: int) -> None:
        super().__init__()
        self.most = most
        self.writes = 0

    def write(self, piece: Any) -> int:
        """Take the first bytes of *piece*."""
        self.writes += 1
        return super().write(bytes(piece)[: self.most])


def test_small_messages_are_gathered() -> None:
    """A thousand lines are one write, which comes when the output is left."""
    pipe = Pipe(1 << 20)
    with Output(pipe) as output:
        for _ in range(1000):
            output.add(b"line\n")
        assert pipe.writes == 0
    assert (pipe.writes, pipe.getvalue()) == (1, b"line\n" * 1000)


def test_a_full_piece_is_written_at_once() -> None:
    """Nothing waits for the end."""
    pipe = Pipe(1 << 20)
    output = Output(pipe)
    output.add(b"x" * PIECE_BYTES)
    assert len(pipe.getvalue()) == PIECE_BYTES


def test_a_write_that_is_cut_short_goes_on() -> None:
    """Every byte arrives, in order."""
    pipe = Pipe(7)
    with Output(pipe) as output:
        output.add(b"0123456789" * 10)
    assert pipe.getvalue() == b"0123456789" * 10


def test_a_reader_that_is_gone_is_not_written_to_again() -> None:
    """The broken pipe is the error that shows; what was gathered is dropped."""

    class Gone(io.BytesIO):
        def write(self, piece: Any) -> int:
            raise BrokenPipeError

    with pytest.raises(BrokenPipeError), Output(Gone()) as output:
        output.add(b"x" * PIECE_BYTES)
