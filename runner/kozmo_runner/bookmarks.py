"""State on its way: read from a target's stdout, and joined with the state of runs before."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterable, Mapping
from typing import Any

State = dict[str, Any]


class StateLines:
    """Takes what a target prints and knows its newest state.

    Lines that are no JSON object are counted in *garbage*; whole STATE messages, which some
    targets print instead of their value, are unwrapped. Only the newest line is ever decoded.
    """

    def __init__(self) -> None:
        self.garbage = 0
        self._rest = b""
        self._fresh: list[bytes] = []
        self._newest: State | None = None
        self._lock = threading.Lock()

    def feed(self, chunk: bytes) -> None:
        """Take some output; it need not end with a line."""
        *lines, self._rest = (self._rest + chunk).split(b"\n")
        with self._lock:
            self._fresh += [line for line in lines if line.strip()]

    def end(self) -> None:
        """Take the last line, which may lack its newline."""
        self.feed(b"\n")

    def newest(self) -> State | None:
        """Return the last state so far, or None if there was none."""
        with self._lock:
            fresh, self._fresh = self._fresh, []
        found: State | None = None
        for line in reversed(fresh):
            value = _object(line)
            if value is None:
                self.garbage += 1
            elif found is None:
                found = value
        if found is not None:
            self._newest = found
        return self._newest


def without_streams(state: Mapping[str, Any], streams: Iterable[str]) -> State:
    """Return *state* as if *streams* had never run, whichever way the tap keeps bookmarks."""
    names = set(streams)
    rest: State = {}
    for key, value in state.items():
        if key == "currently_syncing" and value in names or key in names:
            continue
        if key in ("bookmarks", "versions", "activate_versions") and isinstance(value, Mapping):
            value = {name: item for name, item in value.items() if name not in names}
        rest[key] = value
    return rest


def _object(line: bytes) -> State | None:
    try:
        value = json.loads(line)
    except ValueError:
        return None
    if not isinstance(value, dict):
        return None
    inner = value.get("value")
    if str(value.get("type", "")).upper() == "STATE" and isinstance(inner, dict):
        return inner
    return value
