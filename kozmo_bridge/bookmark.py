"""Where a named reading stopped, kept in the runner's state store under a lock."""

from __future__ import annotations

import secrets
import time
from typing import Any

from kozmo_runner.bookmarks import State
from kozmo_runner.stores import Saved, open_store
from kozmo_runner.stores.base import BEAT_SECONDS, Owner, check_id, now
from kozmo_singer.wire.state import carried

SAVE_SECONDS = 1.0


class Bookmark:
    """The state called *name*; nobody else reads on from it until it is closed.

    `save` writes at most once a second; `close` writes what is left.
    """

    def __init__(self, name: str, store: str | None = None) -> None:
        self._name = check_id(name)
        self._store = open_store(store)
        self._owner = Owner.me(f"{now()}-{secrets.token_hex(4)}")
        self._store.lock(name, self._owner)
        found = self._store.get(name)
        self.before: State = found.state if found is not None else {}
        self._newest: State | None = None
        self._saved = self._beaten = time.monotonic()

    def save(self, state: Any) -> None:
        """Keep *state*, which the tap gave."""
        if isinstance(state, dict):
            self._newest = carried(self.before, state)
        if time.monotonic() - self._saved >= SAVE_SECONDS:
            self._write("running")
        if time.monotonic() - self._beaten >= BEAT_SECONDS:
            self._beaten = time.monotonic()
            self._store.beat(self._name, self._owner)

    def close(self, status: str) -> None:
        """Write the newest state with *status* (done, failed, interrupted) and free the name."""
        try:
            self._write(status)
        finally:
            self._store.unlock(self._name, self._owner)

    def _write(self, status: str) -> None:
        if self._newest is not None:
            self._saved = time.monotonic()
            self._store.save(self._name, Saved(self._owner.run_id, now(), status, self._newest))
