"""profile(): what a table holds, in one pass over its batches."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl

from kozmo_bridge.cleaner.insights import insights
from kozmo_bridge.cleaner.model import ColumnProfile, Profile, Relations
from kozmo_bridge.cleaner.relating import (
    correlations,
    dependencies,
    inflation,
    keys,
    numeric_columns,
    row_hashes,
)
from kozmo_bridge.cleaner.table import Table
from kozmo_bridge.cleaner.tally import Tally

WHOLE = 1_000_000
"""Rows up to which a table in memory is looked at in one piece, so that all figures are exact."""
_SLICE = 262_144
_RELATED = 200_000
"""Rows that relations between columns are found on, where a table is larger."""
_HASHES = 50_000_000
_SAMPLE = 12
_CUT = 200


def profile(frame: Any, *, source: str = "table") -> Profile:
    """Return the profile of *frame*: any frame that Table.of takes, or an iterator of them.

    Tables in memory of up to a million rows are looked at whole: all figures are exact. Larger
    ones, and what comes in batches, are read in one pass in bounded memory. Nothing that a column
    holds raises an error: a column that cannot be looked at says so in its `fault`.
    """
    profiler = Profiler(source)
    if isinstance(frame, Iterator):
        for batch in frame:
            profiler.add(Table.of(batch))
        return profiler.finish()
    table = Table.of(frame)
    step = table.frame.height if table.frame.height <= WHOLE else _SLICE
    for start in range(0, max(1, table.frame.height), max(1, step)):
        profiler.add(replace(table, frame=table.frame.slice(start, step)))
    return profiler.finish()


class Profiler:
    """What was seen of a table so far; batches are added, finish() makes the profile."""

    def __init__(self, source: str = "table") -> None:
        self._source = source
        self._tallies: dict[str, Tally] = {}
        self._rows = 0
        self._batches = 0
        self._memory = 0
        self._hashes: list[np.ndarray] | None = []
        self._related: pl.DataFrame | None = None
        self._sample: pl.DataFrame | None = None

    def add(self, table: Table) -> None:
        """Take in the next rows."""
        frame = table.frame
        for label in frame.columns:
            if label not in self._tallies:
                self._tallies[label] = Tally(label, len(self._tallies), self._rows)
            tally = self._tallies[label]
            tally.add(frame[label])
            tally.fault = tally.fault or table.faults.get(label)
        here = set(frame.columns)
        for label, tally in self._tallies.items():
            if label not in here:
                tally.skip(frame.height)
        self._rows += frame.height
        self._batches += 1
        self._memory = max(self._memory, int(frame.estimated_size()))
        self._relate(frame)

    def _relate(self, frame: pl.DataFrame) -> None:
        if self._sample is None or not self._sample.height:
            self._sample = frame.head(_SAMPLE)
        if self._related is None or not self._related.height:
            self._related = frame.head(_RELATED) if frame.height > WHOLE else frame
        if self._hashes is not None and frame.width:
            try:
                self._hashes.append(row_hashes(frame))
            except pl.exceptions.PolarsError:
                self._hashes = None
        if self._rows > _HASHES:
            self._hashes = None

    def finish(self) -> Profile:
        """Return the profile of what was added."""
        columns = tuple(tally.finish(self._rows) for tally in self._tallies.values())
        relations = self._relations(columns)
        made = Profile(
            self._rows,
            columns,
            relations,
            sample=self._texts(),
            source=self._source,
            memory=self._memory,
        )
        return replace(made, insights=insights(made))

    def _relations(self, columns: tuple[ColumnProfile, ...]) -> Relations:
        related = self._related
        if related is None or not related.height or not columns:
            return Relations()
        here = set(related.columns)
        sound = [column for column in columns if column.fault is None and column.label in here]
        labels = numeric_columns(sound, related)
        return Relations(
            self._duplicates(),
            tuple(keys(sound, related, whole=self._batches == 1)),
            tuple(labels) if len(labels) > 1 else (),
            tuple(tuple(row) for row in correlations(related, labels)),
            inflation(related, labels),
            tuple(dependencies(sound, related)),
        )

    def _duplicates(self) -> int | None:
        if self._hashes is None:
            return None
        if not self._hashes:
            return 0
        hashes = np.concatenate(self._hashes)
        return len(hashes) - pl.Series(hashes).n_unique()

    def _texts(self) -> tuple[tuple[str | None, ...], ...]:
        if self._sample is None:
            return ()
        return tuple(
            tuple(None if cell is None else _text(cell) for cell in row)
            for row in self._sample.iter_rows()
        )


def _text(cell: Any) -> str:
    text = cell if isinstance(cell, str) else str(cell)
    return text if len(text) <= _CUT else f"{text[:_CUT]}…"
