"""How far a run is: rows and bytes a stream, as the plug-ins tell it in their metrics."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

from kozmo_runner.speech import Metric

Side = Literal["tap", "mapper", "target"]
_COUNTS = ("record_count", "byte_count", "quarantined", "rows_inserted", "rows_updated")


@dataclass
class StreamProgress:
    """Counts of one stream; None where a side has not told any."""

    name: str
    read: int | None = None
    written: int | None = None
    size: int | None = None
    quarantined: int | None = None
    inserted: int | None = None
    updated: int | None = None
    quarantine_file: str | None = None

    @property
    def rows(self) -> int | None:
        """The rows read, or, of a tap that does not tell, the rows written."""
        return self.written if self.read is None else self.read


@dataclass
class Progress:
    """Counts of all streams, in the order in which they were first heard of."""

    streams: dict[str, StreamProgress] = field(default_factory=dict)
    began: float = field(default_factory=time.monotonic)
    recent: str | None = None

    def expect(self, names: list[str]) -> None:
        """Make streams known before their first row."""
        for name in names:
            self.streams.setdefault(name, StreamProgress(name))

    def add(self, side: Side, point: Metric) -> None:
        """Take a metric; those that count neither rows nor bytes of a stream are passed over.

        Of a mapper only the bad records count: what it reads and writes is counted at both ends.
        """
        if point.stream is None or point.metric not in _COUNTS:
            return
        if side == "mapper" and point.metric != "quarantined":
            return
        stream = self.streams.setdefault(point.stream, StreamProgress(point.stream))
        amount = int(point.value)
        if amount:
            self.recent = stream.name
        if point.metric == "quarantined":
            stream.quarantined = (stream.quarantined or 0) + amount
            stream.quarantine_file = point.file or stream.quarantine_file
        elif point.metric == "rows_inserted":
            stream.inserted = (stream.inserted or 0) + amount
        elif point.metric == "rows_updated":
            stream.updated = (stream.updated or 0) + amount
        elif point.metric == "byte_count":
            if side == "tap":
                stream.size = (stream.size or 0) + amount
        elif side == "tap":
            stream.read = (stream.read or 0) + amount
        else:
            stream.written = (stream.written or 0) + amount

    def total(self, parts: Iterable[Progress]) -> None:
        """Hold from now on what *parts*, which others may still count on, come to together."""
        known = [stream for part in parts for stream in list(part.streams.values())]
        for name in dict.fromkeys(s.name for s in known):
            same = [s for s in known if s.name == name]
            read, written, size, quarantined, inserted, updated = (
                _total([getattr(s, field) for s in same])
                for field in ("read", "written", "size", "quarantined", "inserted", "updated")
            )
            file = next((s.quarantine_file for s in same if s.quarantine_file), None)
            before = self.streams.get(name)
            if before is not None and (read or written) and read != before.read:
                self.recent = name
            self.streams[name] = StreamProgress(
                name, read, written, size, quarantined, inserted, updated, file
            )

    @property
    def seconds(self) -> float:
        """The time since the beginning."""
        return time.monotonic() - self.began

    @property
    def read(self) -> int | None:
        """The rows that the tap says it read, None if it says nothing."""
        return _total([s.read for s in self.streams.values()])

    @property
    def written(self) -> int | None:
        """The rows that the target says it wrote, None if it says nothing."""
        return _total([s.written for s in self.streams.values()])

    @property
    def rows(self) -> int | None:
        """The rows on the way, as far as either side tells."""
        return _total([s.rows for s in self.streams.values()])

    @property
    def size(self) -> int | None:
        """The bytes that the tap sent, None if it does not tell."""
        return _total([s.size for s in self.streams.values()])

    @property
    def quarantined(self) -> int | None:
        """The bad records that the target set aside, None if it tells of none."""
        return _total([s.quarantined for s in self.streams.values()])


def _total(parts: list[int | None]) -> int | None:
    known = [part for part in parts if part is not None]
    return sum(known) if known else None
