"""What a state store does, and who holds the lock of a state."""

from __future__ import annotations

import json
import os
import socket
import time
from abc import ABC, abstractmethod
from datetime import datetime, timezone
from functools import cache
from typing import Any

import msgspec

from kozmo_runner.stores.naming import file_name
from kozmo_runner.workspace import alive, pid_namespace
from kozmo_singer.errors import ConfigError, KozmoError

KEPT_RUNS = 20
BEAT_SECONDS = 15.0
STALE_SECONDS = 120.0
BY_HAND = ("set", "cleared")
"""The status of states that no run left: they go before all that a target knows."""
_LONGEST_ID = 150
_LONGEST_NAME = 240
"""Of a file, or a folder, that is called after it."""


class Saved(msgspec.Struct, frozen=True):
    """The state that a run left.

    *status* is running, done, failed, interrupted, or set by hand; *origin* marks the source that
    the tap was pointed at, where that is known.
    """

    run_id: str
    saved_at: str
    status: str
    state: dict[str, Any]
    origin: str = ""


class Owner(msgspec.Struct, frozen=True):
    """Who holds a lock. *beat* is when the owner last showed that it lives, in Unix seconds."""

    run_id: str
    host: str
    machine: str
    pid: int
    started: str
    since: str
    beat: float

    @classmethod
    def me(cls, run_id: str) -> Owner:
        """Return this process as an owner."""
        return cls(
            run_id, socket.gethostname(), machine(), os.getpid(), started(os.getpid()), now(),
            time.time(),
        )  # fmt: skip

    @property
    def dead(self) -> bool:
        """Whether the owner is gone: known at once on its own machine, from its silence elsewhere.

        The start time tells apart a process that has inherited the number of a dead one.
        """
        if self.machine == machine():
            return not alive(self.pid) or started(self.pid) != self.started
        return time.time() - self.beat > STALE_SECONDS

    def __str__(self) -> str:
        return f"process {self.pid} on {self.host} since {self.since}"


# Before threads meet here first, see kozmo_runner.report.
msgspec.json.Decoder(tuple[Saved, Owner])


class Locked(KozmoError):
    """Another run works with this state."""

    def __init__(self, state_id: str, owner: Owner | None) -> None:
        held = f"it is held by {owner}" if owner is not None else "its holder cannot be read"
        super().__init__(
            f"another run uses the state '{state_id}'",
            held,
            "wait for its end, stop it, or use another state with --state-suffix",
        )
        self.owner = owner


class StateStore(ABC):
    """Keeps, for each state id, the states that the last runs left.

    `save` replaces the entry of the same run and drops entries beyond the newest twenty. `lock` and
    `unlock` make two runs of one id exclude each other; `beat` is called now and then by the holder
    and raises Locked if another one has taken over.
    """

    where: str

    @abstractmethod
    def ids(self) -> list[str]:
        """Return the ids that have a state, sorted."""

    @abstractmethod
    def history(self, state_id: str) -> list[Saved]:
        """Return the states that runs left, newest first."""

    @abstractmethod
    def save(self, state_id: str, saved: Saved) -> None:
        """Keep *saved* in one step: who reads meanwhile sees the old or the new one."""

    @abstractmethod
    def clear(self, state_id: str) -> int:
        """Forget an id with its history; return how many entries there were."""

    @abstractmethod
    def lock(self, state_id: str, owner: Owner) -> None:
        """Take the lock, over from a dead owner if need be; Locked says who lives and holds it."""

    @abstractmethod
    def unlock(self, state_id: str, owner: Owner) -> None:
        """Give the lock back."""

    @abstractmethod
    def holder(self, state_id: str) -> Owner | None:
        """Return who holds the lock now, if its owner lives."""

    def beat(self, state_id: str, owner: Owner) -> None:
        """Show that the owner lives; where the lock ends with its process nothing is needed."""
        return

    def get(self, state_id: str) -> Saved | None:
        """Return the newest state, or None for an id that never ran."""
        found = self.history(state_id)
        return found[0] if found else None


class NoStore(StateStore):
    """Keeps nothing: every run starts from the beginning."""

    where = "none"

    def ids(self) -> list[str]:
        return []

    def history(self, state_id: str) -> list[Saved]:
        return []

    def save(self, state_id: str, saved: Saved) -> None:
        return

    def clear(self, state_id: str) -> int:
        return 0

    def lock(self, state_id: str, owner: Owner) -> None:
        return

    def unlock(self, state_id: str, owner: Owner) -> None:
        return

    def holder(self, state_id: str) -> Owner | None:
        return None


def pack(saved: Saved) -> str:
    """Return the JSON of an entry; in ASCII, so that any text in a state survives any store."""
    return json.dumps(msgspec.to_builtins(saved))


def unpack(text: str) -> Saved:
    """Return the entry whose JSON *text* is; ValueError where it is none.

    Fields that a later version has added are passed over.
    """
    try:
        return msgspec.convert(json.loads(text), Saved)
    except msgspec.ValidationError as error:
        raise ValueError(f"not a state: {error}") from error


def check_id(state_id: str) -> str:
    """Return *state_id*; ConfigError for one that no store could keep."""
    if not state_id or len(state_id) > _LONGEST_ID or not state_id.isprintable():
        raise ConfigError(
            f"'{state_id[:40]}' cannot be a state id",
            f"it needs 1 to {_LONGEST_ID} printable characters",
        )
    if len(file_name(state_id)) > _LONGEST_NAME:
        raise ConfigError(
            f"'{state_id[:40]}...' is too long for a state id",
            "other letters than a-z, and signs such as /, take up to 12 times the room",
        )
    return state_id


def now() -> str:
    """Return the time as text, in UTC, to the second."""
    return datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


@cache
def machine() -> str:
    """Return what is the same for all processes that see each other's numbers, and no others."""
    try:
        with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
            boot = file.read().strip()
    except OSError:
        boot = ""
    return f"{socket.gethostname()}/{boot}/{pid_namespace()}"


def started(pid: int) -> str:
    """Return when process *pid* started, in the kernel's ticks; empty where that is not told."""
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as file:
            return file.read().rpartition(")")[2].split()[19]
    except (OSError, IndexError):
        return ""
