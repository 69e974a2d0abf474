"""How a run is cut into shards that need nothing of each other, and how their states are joined.

A shard reads some streams, and of a large table perhaps some ranges of its key. A range is
{"after": key, "until": key}: after < key <= until, where null is no bound. What is left of a table
that was cut stands in its bookmark, {"full_table": {"key": [...], "ranges": [...]}}, so that any
later run, of one job or of many, goes on with just that.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from kozmo_runner.bookmarks import State
from kozmo_singer.wire.catalog import Catalog, Stream

Range = dict[str, Any]

ROWS_UNKNOWN = 250_000
"""What a stream is taken for whose catalog does not tell its rows."""
LEAST_ROWS = 200_000
"""A table of fewer is not worth a second pair."""
ROWS_OF_A_START = 10_000
"""About how many rows could be read in the time that beginning with a stream takes."""
ROWS_OF_A_SHARD = 500_000
"""Shards a worker are few (a pair takes a good while to start), but more where they are large."""
MOST_SHARDS = 3
"""Shards a worker: more than one makes up for estimates that were wrong."""
_BY_STREAM = ("bookmarks", "versions", "activate_versions")
_OF_A_RUN = "currently_syncing"


@dataclass(frozen=True)
class Cut:
    """A table that can be read in ranges, *ranges* of about the same size in the key's order."""

    key: list[str]
    rows: int
    ranges: list[Range]


@dataclass(frozen=True)
class Part:
    """A stream, or the *ranges* of it that one shard reads; *rows* is an estimate."""

    stream: Stream
    rows: int
    key: list[str] = field(default_factory=list)
    ranges: list[Range] = field(default_factory=list)


@dataclass
class Shard:
    """What one pair of tap and target is to move."""

    parts: list[Part] = field(default_factory=list)

    @property
    def rows(self) -> int:
        """About how many rows it has, and how many more its streams cost to begin with."""
        return sum(part.rows + ROWS_OF_A_START for part in self.parts)

    @property
    def streams(self) -> list[str]:
        """The ids of its streams."""
        return list(dict.fromkeys(part.stream.tap_stream_id for part in self.parts))

    @property
    def names(self) -> set[str]:
        """By what a state may call its streams."""
        return {name for p in self.parts for name in (p.stream.tap_stream_id, p.stream.stream)}

    @property
    def cut(self) -> dict[str, list[str]]:
        """Of its streams those that it has only ranges of, each with its key."""
        return {part.stream.tap_stream_id: part.key for part in self.parts if part.ranges}

    def catalog(self, whole: Catalog) -> Catalog:
        """Return *whole* with nothing selected but the streams of this shard."""
        return selecting(whole, [part.stream for part in self.parts])

    def state(self, whole: State) -> State:
        """Return the state to start from: all of *whole*, since taps may look at other streams."""
        state = copy.deepcopy(whole)
        if state.get(_OF_A_RUN) not in self.names:
            state.pop(_OF_A_RUN, None)
        for name, key in self.cut.items():
            own = [part.ranges for part in self.parts if part.stream.tap_stream_id == name]
            ranges = [each for some in own for each in some]
            state.setdefault("bookmarks", {})[name] = _mark(key, ranges)
        return state


def plan(catalog: Catalog, jobs: int, cuts: Mapping[str, Cut]) -> list[Shard]:
    """Return shards for *jobs* workers, the largest first; tables of *cuts* may be split."""
    parts = _parts(catalog.selected(), jobs, cuts)
    rows = sum(part.rows for part in parts)
    rounds = min(MOST_SHARDS, max(1, round(rows / (jobs * ROWS_OF_A_SHARD))))
    shards = [Shard() for _ in range(min(len(parts), jobs * rounds))]
    for part in sorted(parts, key=lambda part: -part.rows):
        min(shards, key=lambda shard: shard.rows).parts.append(part)
    return sorted(shards, key=lambda shard: -shard.rows)


def selecting(catalog: Catalog, streams: Iterable[Stream]) -> Catalog:
    """Return a copy of *catalog* in which only those of its *streams* are selected."""
    names = {stream.tap_stream_id for stream in streams}
    chosen = copy.deepcopy(catalog)
    for stream in chosen.streams:
        if stream.tap_stream_id not in names:
            stream.root()["selected"] = False
            stream.extra.pop("selected", None)
            stream.schema.pop("selected", None)
    return chosen


def large(catalog: Catalog, jobs: int) -> list[Stream]:
    """Return the streams that alone would keep a worker for longer than all is to take."""
    streams = catalog.selected()
    share = max(1, sum(map(_rows, streams)) / jobs)
    return [s for s in streams if _rows(s) >= LEAST_ROWS and round(_rows(s) / share) > 1]


def _parts(streams: Sequence[Stream], jobs: int, cuts: Mapping[str, Cut]) -> list[Part]:
    def rows(stream: Stream) -> int:
        cut = cuts.get(stream.tap_stream_id)
        return cut.rows if cut is not None else _rows(stream)

    share = max(1, sum(map(rows, streams)) / jobs)
    parts: list[Part] = []
    for stream in streams:
        cut = cuts.get(stream.tap_stream_id)
        pieces = round(rows(stream) / share) if cut is not None else 1
        if cut is None or pieces < 2:
            parts.append(Part(stream, rows(stream)))
            continue
        pieces = min(pieces, len(cut.ranges))
        size, places = cut.rows // pieces, range(pieces + 1)
        edges = [place * len(cut.ranges) // pieces for place in places]
        for first, last in zip(edges, edges[1:], strict=False):
            parts.append(Part(stream, size, cut.key, _joined(cut.ranges[first:last])))
    return parts


def _rows(stream: Stream) -> int:
    return ROWS_UNKNOWN if stream.row_count is None else max(0, stream.row_count)


def _joined(ranges: Iterable[Range]) -> list[Range]:
    """The same rows in as few ranges as can be."""
    found: list[Range] = []
    for each in ranges:
        if found and found[-1]["until"] is not None and found[-1]["until"] == each["after"]:
            found[-1] = {**found[-1], "until": each["until"]}
        else:
            found.append(dict(each))
    return found


def _mark(key: Sequence[str], ranges: Sequence[Range]) -> dict[str, Any]:
    return {"full_table": {"key": list(key), "ranges": list(ranges)}}


class Joined:
    """The state of a run out of those of its shards.

    Of each state only what belongs to the shard's own streams is taken: the rest is as old as the
    start. *strange* gathers keys that belong to no stream, which nobody could join.
    """

    def __init__(self, shards: Sequence[Shard], before: State) -> None:
        self.strange: set[str] = set()
        self._shards = shards
        self._known = {*_BY_STREAM, _OF_A_RUN, *before, *(n for s in shards for n in s.names)}
        self._states = [shard.state({}) for shard in shards]
        self._spoken: set[int] = set()

    def take(self, number: int, state: State) -> None:
        """Take the newest state of shard *number*."""
        self._spoken.add(number)
        self._states[number] = state
        self.strange |= set(state) - self._known

    @property
    def state(self) -> State:
        """What all shards that have spoken come to, and of tables that were cut what is left."""
        joined: State = {}
        for number in sorted(self._spoken):
            names = self._shards[number].names
            for key, value in self._states[number].items():
                if key in _BY_STREAM and isinstance(value, Mapping):
                    own = {name: item for name, item in value.items() if name in names}
                    joined[key] = {**joined.get(key, {}), **own}
                elif key in names:
                    joined[key] = value
        spoken = {name for number in self._spoken for name in self._shards[number].cut}
        for name in sorted(spoken):
            joined.setdefault("bookmarks", {})[name] = self._left(name)
        return joined

    def _left(self, name: str) -> dict[str, Any]:
        """The bookmark of a table that was cut: the ranges that its shards leave to be read."""
        key: list[str] = []
        ranges: list[Range] = []
        for shard, state in zip(self._shards, self._states, strict=True):
            if name in shard.cut:
                key = shard.cut[name]
                ranges += _remaining((state.get("bookmarks") or {}).get(name))
        return _mark(key, ranges) if ranges else {"full_table": None}


def _remaining(bookmark: Any) -> list[Range]:
    """The ranges that a bookmark leaves to be read; without a mark there is nothing left."""
    mark = bookmark.get("full_table") if isinstance(bookmark, Mapping) else None
    if not isinstance(mark, Mapping):
        return []
    if isinstance(mark.get("ranges"), list):
        return list(mark["ranges"])
    return [{"after": mark.get("last"), "until": None}]


def can_join(state: State, catalog: Catalog) -> bool:
    """Whether all of *state* belongs to one stream or another, or to a run."""
    names = {name for s in catalog.streams for name in (s.tap_stream_id, s.stream)}
    return all(
        isinstance(value, Mapping) if key in _BY_STREAM else key == _OF_A_RUN or key in names
        for key, value in state.items()
    )
