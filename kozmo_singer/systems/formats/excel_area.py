"""The part of a sheet that a range of cells names."""

from __future__ import annotations

import re
from typing import NamedTuple

_CORNER = re.compile(r"([A-Z]{1,3})([0-9]{0,7})")


class Area(NamedTuple):
    """Rows and columns of a sheet, counted from 0, up to and without the last ones."""

    top: int = 0
    bottom: int = 1 << 20
    left: int = 0
    right: int = 1 << 14

    @classmethod
    def of(cls, text: str) -> Area:
        """Return what a range such as B3:F100, B3:F or B:F names; ValueError for others."""
        start, _, stop = text.replace("$", "").upper().partition(":")
        first, last = _CORNER.fullmatch(start), _CORNER.fullmatch(stop)
        if not first or not last:
            raise ValueError(f"cell_range is written as B3:F100 or B:F, got {text}")
        top, bottom = int(first[2] or 1) - 1, int(last[2] or 1 << 20)
        return cls(top, bottom, place(first[1]) - 1, place(last[1]))


def place(letters: str) -> int:
    """Return which column *letters* name, counted from 1."""
    found = 0
    for letter in letters:
        found = found * 26 + ord(letter) - ord("A") + 1
    return found
