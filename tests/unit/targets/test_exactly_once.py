"""States that are committed with their rows, whatever is interleaved and wherever it breaks."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import Any, ClassVar

from hypothesis import given, settings
from hypothesis import strategies as st

from kozmo_singer.errors import WriteError
from kozmo_targets.load import Mark
from kozmo_targets.target import (
    COMMON_SETTINGS,
    LoadMethod,
    Target,
    Writer,
    load_method_setting,
)
from messages import load, record, schema, state

ID = {"id": {"type": "integer"}}
METHODS: dict[str, LoadMethod] = {
    "added": "append-only",
    "more": "append-only",
    "updated": "upsert",
    "replaced": "overwrite",
}


class Place:
    """What has been made durable, and the position of the state that was committed last."""

    def __init__(self, breaks_at: int | None) -> None:
        self.durable: set[tuple[str, int]] = set()
        self.state: int | None = None
        self.commits = 0
        self.breaks_at = breaks_at

    def expect_whole(self) -> None:
        """Fail at the commit that was chosen to fail."""
        self.commits += 1
        if self.commits == self.breaks_at:
            raise WriteError("the connection was lost")


class PlaceWriter(Writer):
    def __init__(self, target: TargetPlace, stream: str) -> None:
        self.target, self.stream = target, stream
        self.taken: set[tuple[str, int]] = set()

    def open(self, schema: Any) -> None:
        return

    def write(self, rows: Any) -> None:
        self.taken |= {(self.stream, value) for (value,) in rows.tuples()}

    def flush(self) -> bool:
        if METHODS[self.stream] == "overwrite":
            return False
        self.target.flushed |= self.taken
        self.taken = set()
        return True

    def finish(self) -> None:
        self.target.flushed |= self.taken


class TargetPlace(Target):
    """Keeps states, as a database does: what is not committed is gone."""

    name = "target-place"
    summary = "a set"
    load_methods: ClassVar[tuple[LoadMethod, ...]] = ("append-only", "upsert", "overwrite")
    settings = (load_method_setting("append-only", "upsert", "overwrite"), *COMMON_SETTINGS)
    keeps_state = True

    def __init__(self, config: dict[str, Any], place: Place) -> None:
        super().__init__(config)
        self.place = place
        self.flushed: set[tuple[str, int]] = set()

    def check(self) -> str:
        return "always there"

    def load_method(self, schema: Any) -> LoadMethod:
        return METHODS[schema.stream]

    def writer(self, schema: Any, method: LoadMethod) -> Writer:
        return PlaceWriter(self, schema.stream)

    def commit(self, mark: Mark | None = None) -> None:
        self.place.expect_whole()
        self.place.durable |= self.flushed
        self.flushed = set()
        if mark is not None:
            self.place.state = int(mark.state)

    def commit_updates(self) -> None:
        self.place.expect_whole()
        updates = {row for row in self.flushed if METHODS[row[0]] == "upsert"}
        self.place.durable |= updates
        self.flushed -= updates


@settings(max_examples=1_000)
@given(
    streams=st.lists(st.sampled_from(sorted(METHODS)), min_size=1, unique=True),
    choices=st.lists(st.integers(0, 11), min_size=3, max_size=30),
    size=st.integers(1, 4),
    breaks_at=st.one_of(st.none(), st.integers(1, 15)),
)
def test_a_state_covers_what_is_durable_and_appended_rows_are_all_covered(
    streams: list[str], choices: Sequence[int], size: int, breaks_at: int | None
) -> None:
    """At every commit that is followed by death: no row lost by a rerun, none appended twice."""
    messages = ["STATE" if choice < 3 else streams[choice % len(streams)] for choice in choices]
    place = Place(breaks_at)
    sent = [schema(name, ID, ["id"]) for name in streams]
    rows: list[tuple[str, int]] = []
    positions: list[int] = []
    for message in messages:
        if message == "STATE":
            sent.append(state(len(rows)))
            positions.append(len(rows))
        else:
            rows.append((message, len(rows)))
            sent.append(record(message, {"id": rows[-1][1]}))
    told: Any = None
    with suppress(WriteError):
        told = load(TargetPlace({"batch_size_rows": size}, place), *sent)
    covered = set(rows[: place.state or 0])
    kept = {row for row in place.durable if METHODS[row[0]] == "append-only"}
    assert covered <= place.durable
    if told is None:
        assert kept == {row for row in covered if METHODS[row[0]] == "append-only"}
    else:
        assert place.durable == set(rows)
        assert place.state == (positions[-1] if positions else None)
