"""What a runner tells a target about a run, and the states that a target commits with its rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from kozmo_singer.wire.state import State, carried

CAPABILITY = "exactly-once"
"""Of targets that commit a state in the same transaction as the rows that it covers."""
TABLE = "_kozmo_state"
"""Where databases keep these states; no stream of anyone."""


class Committed(msgspec.Struct, frozen=True):
    """A state that a target has committed, and the rows of each stream loaded by its run so far."""

    run_id: str
    state: State
    shard: str = ""
    streams: list[str] | None = None
    rows: dict[str, int] = {}
    committed_at: str = ""


class RunNote(msgspec.Struct, frozen=True):
    """The run that a target is part of. With a *state_id* it commits states under it.

    *shard* tells apart targets of one run, whose states speak for *streams* only; *beside* are
    streams that others load meanwhile. *forget*: states of earlier runs are kept elsewhere by now.
    *found* is what the target had committed when the run began, None where nobody looked.
    *going_on* are streams of which only what is newer than their bookmark will come.
    """

    state_id: str = ""
    run_id: str = ""
    shard: str = ""
    streams: list[str] | None = None
    beside: list[str] = []
    forget: bool = True
    found: list[Committed] | None = None
    going_on: list[str] = []


# Before threads meet here first, see kozmo_runner.report.
msgspec.json.Decoder(tuple[RunNote, list[Committed]])


def later(run_id: str, known: Iterable[str]) -> str:
    """Return *run_id*, or an id that sorts after all that are *known*, whatever the clocks say."""
    newest = max(known, default="")
    if run_id > newest:
        return run_id
    base, _, number = newest.partition("+")
    return f"{base}+{int(number or 0) + 1:06}"


def joined(found: Iterable[Committed], before: Mapping[str, Any]) -> State:
    """Return *before* with what *found* says of its streams, the newer run counting more."""
    state = dict(before)
    for each in sorted(found, key=lambda entry: (entry.run_id, entry.shard)):
        state = carried(state, each.state if each.streams is None else _own(each))
    return state


def _own(entry: Committed) -> State:
    """The part of a shard's state that speaks of its own streams."""
    names = set(entry.streams or ())
    own = {key: value for key, value in entry.state.items() if key in names}
    for key in ("bookmarks", "versions", "activate_versions"):
        value = entry.state.get(key)
        if isinstance(value, Mapping):
            own[key] = {name: item for name, item in value.items() if name in names}
    return own
