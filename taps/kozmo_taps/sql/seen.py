"""Rows that were delivered and will be read again, because the next run starts at the bookmark.

An incremental stream is read from the bookmark on, inclusively: rows with that very value may
have come since. Those that were delivered are recognised by a digest of their values, and
counted, since equal rows may stand in a table more than once.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

MOST = 1000
"""Digests kept in a state; where more rows share a bookmark they are delivered again."""

_ENCODER = msgspec.json.Encoder(decimal_format="number")
Row = tuple[Any, ...]


def digest(row: Row) -> str:
    """Return what identifies the values of *row*."""
    try:
        text = _ENCODER.encode(row)
    except UnicodeEncodeError:
        text = repr(row).encode("utf-8", "surrogatepass")
    return hashlib.blake2b(text, digest_size=12).hexdigest()


class Group:
    """Counted digests of one kind, up to MOST."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.full = False

    def add(self, key: str) -> None:
        """Count *key*, unless there are too many already."""
        if not self.full:
            self.counts[key] += 1
            if len(self.counts) > MOST:
                self.full = True
                self.counts.clear()

    def clear(self) -> None:
        """Forget everything counted."""
        self.counts.clear()
        self.full = False


class Seen:
    """What was delivered at the edge, the bookmark's value, and apart, where no value orders.

    *before* are the digests of the state that the run began with.
    """

    def __init__(self, before: Mapping[str, int] | None = None) -> None:
        self._before = {key: int(count) for key, count in (before or {}).items()}
        self.edge, self.apart = Group(), Group()

    def fresh(self, rows: Sequence[Row], group: Group) -> list[Row]:
        """Return those of *rows* that no earlier run delivered, and remember all in *group*."""
        found = []
        for row in rows:
            if group.full and not self._before:
                found.append(row)
                continue
            key = digest(row)
            if not self._take(key):
                found.append(row)
            group.add(key)
        return found

    def note(self, rows: Iterable[Row]) -> None:
        """Remember *rows* as the edge, which are delivered now for the first time."""
        for row in rows:
            if self.edge.full:
                return
            self.edge.add(digest(row))

    def move(self) -> None:
        """Begin a new edge: what was delivered at values below cannot come again."""
        self._before.clear()
        self.edge.clear()

    def finish(self) -> None:
        """Forget the rows of earlier runs that did not come again."""
        self._before.clear()

    def counts(self) -> dict[str, int]:
        """Return the digests for the state; those that may still come in this run included."""
        counts = Counter(self._before) + self.edge.counts
        both = counts + self.apart.counts
        if len(both) <= MOST:
            return dict(both)
        return dict(counts) if len(counts) <= MOST else {}

    def _take(self, key: str) -> bool:
        left = self._before.get(key, 0)
        if left > 1:
            self._before[key] = left - 1
        elif left:
            del self._before[key]
        return left > 0
