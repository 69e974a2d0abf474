"""The door to detection: one call for a column of any type."""

from __future__ import annotations

import polars as pl

from kozmo_bridge.cleaner.detecting.column import Column
from kozmo_bridge.cleaner.detecting.types import typed_seen
from kozmo_bridge.cleaner.detecting.words import words_seen
from kozmo_bridge.cleaner.kinds import Kind
from kozmo_bridge.cleaner.model import Guess


def seen_as(column: Column) -> tuple[Guess, tuple[Guess, ...]]:
    """Return what *column* is held to be, and what else it could be."""
    if not column.count or not len(column.values):
        return Guess(Kind.EMPTY, 1.0, 1.0, "holds no value"), ()
    if column.values.dtype == pl.String:
        return words_seen(column.words)
    return typed_seen(column, column.values.dtype), ()
