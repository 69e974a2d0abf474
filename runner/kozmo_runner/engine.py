"""Two processes and the pipe between them, from their start to the end of both.

The tap writes straight into the target, and in the Arrow lane into a second pipe beside the first;
nothing passes through here. The runner keeps one copy of
the pipe's writing end until it knows how the tap ended: closing it tells the target that the data
is complete, so before that, if the tap failed, a target of ours gets an ABORT message and replaces
and deletes nothing. A foreign target cannot be told and only gets the end of its input.
"""

from __future__ import annotations

import os
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from typing import Protocol

from kozmo_runner import pipes
from kozmo_runner.activity import moved
from kozmo_runner.bookmarks import State, StateLines
from kozmo_runner.feeding import write_abort
from kozmo_runner.plugins import Plug
from kozmo_runner.process import Cancel, Child
from kozmo_runner.progress import Progress, Side
from kozmo_runner.report import Blame
from kozmo_runner.speech import broken_pipe, exit_words, metric, reason
from kozmo_runner.workspace import Workspace
from kozmo_singer.errors import RETRYABLE, KozmoError
from kozmo_singer.wire import lane

TICK_SECONDS = 0.25
_SAVE_SECONDS = 1.0


@dataclass(frozen=True)
class Grace:
    """Seconds before the next, ruder step of a stop.

    A tap has *tap* seconds from SIGTERM to SIGKILL. A target has *drain* seconds from the end of
    its input to SIGTERM, and *target* from there to SIGKILL.
    """

    tap: float = 8.0
    drain: float = 30.0
    target: float = 8.0


@dataclass(frozen=True)
class Command:
    """How one side is started."""

    plug: Plug
    argv: Sequence[str]
    env: Mapping[str, str]
    secrets: Sequence[str]


class Watcher(Protocol):
    """Who follows a run."""

    def tick(self, progress: Progress) -> None:
        """Called a few times a second."""

    def line(self, name: str, text: str) -> None:
        """Called for each line of a plug-in's stderr that is no metric."""


@dataclass
class Limits:
    """When a run is stopped: after *total* seconds, or *idle* seconds without any movement.

    Of the total, attempts before this one have *spent* some.
    """

    total: float | None = None
    idle: float | None = None
    grace: Grace = field(default_factory=Grace)
    spent: float = 0.0

    def over(self, seconds: float) -> bool:
        """Whether no time is left when this attempt has taken *seconds*."""
        return self.total is not None and self.spent + seconds > self.total


@dataclass
class Outcome:
    """How both ended. *blame* is who failed first, *stopped* why an end was asked for."""

    tap_code: int | None = None
    target_code: int | None = None
    blame: Blame | None = None
    stopped: str = ""
    garbage: int = 0


class Engine:
    """Runs a tap into a target; `run` returns when both have ended."""

    def __init__(
        self,
        tap: Command,
        target: Command,
        workspace: Workspace,
        *,
        progress: Progress,
        watcher: Watcher,
        save: Callable[[State], None],
        limits: Limits,
        cancel: Cancel,
        alive: Callable[[], None] = lambda: None,
        arrow: bool = False,
    ) -> None:
        self._commands = {"tap": tap, "target": target}
        self._workspace, self._progress, self._watcher = workspace, progress, watcher
        self._save, self._limits, self._cancel, self._alive = save, limits, cancel, alive
        self._events: SimpleQueue[tuple[str, Side, str | int | bytes]] = SimpleQueue()
        self._children: dict[Side, Child] = {}
        self._ended: set[Side] = set()
        self._alarms: list[tuple[float, Side, Callable[[], None]]] = []
        self._states = StateLines()
        self._stated: State | None = None
        self._reader: threading.Thread | None = None
        self._pipe: int | None = None
        self._arrow = arrow
        self._aborting = ""
        self._stopping = False
        self._lost: set[Side] = set()
        self._last_save = self._last_tick = self._last_alive = 0.0
        self._last_move = time.monotonic()
        self._moved = -1
        self.outcome = Outcome()

    def run(self) -> Outcome:
        """Start both sides and follow them to their end."""
        self._cancel.listen(self._on_cancel)
        try:
            self._start()
            while len(self._ended) < len(self._children):
                self._next()
            self._finish()
        finally:
            self._cancel.forget(self._on_cancel)
            self._close_pipe()
        return self.outcome

    @property
    def tails(self) -> dict[Side, list[str]]:
        """The last lines of each side's stderr."""
        return {side: child.tail for side, child in self._children.items()}

    def _start(self) -> None:
        reading, self._pipe = os.pipe()
        pipes.widen(self._pipe)
        beside = os.pipe() if self._arrow else (None, None)
        try:
            # The target first: if the runner is killed it is also the first to be told.
            self._spawn("target", beside[0], stdin=reading, stdout=subprocess.PIPE)
            self._start_tap(beside[1])
        finally:
            # With a copy left here neither end would notice that the other is gone.
            for descriptor in (reading, *beside):
                if descriptor is not None:
                    os.close(descriptor)

    def _start_tap(self, beside: int | None) -> None:
        self._reader = threading.Thread(target=self._read_states, name="states", daemon=True)
        self._reader.start()
        assert self._pipe is not None
        if beside is not None:
            pipes.widen(beside)
        try:
            self._spawn("tap", beside, stdout=self._pipe)
        except KozmoError as error:
            self.outcome.blame = Blame("tap", self._name("tap"), error.message, [*error.details])
            self._end_of_data(str(error))

    def _spawn(self, side: Side, beside: int | None, **streams: int) -> None:
        command = self._commands[side]
        inherited = {} if beside is None else {lane.VARIABLE: str(beside)}
        self._children[side] = self._workspace.spawn(
            command.argv,
            name=command.plug.name,
            env={**command.env, **inherited},
            inherits=() if beside is None else (beside,),
            secrets=command.secrets,
            on_line=lambda text: self._events.put(("line", side, text)),
            on_exit=lambda code: self._events.put(("exit", side, code)),
            **streams,
        )

    def _read_states(self) -> None:
        descriptor = self._children["target"].stdout
        with suppress(OSError):  # closed at the end, if a stray process still holds the other end
            while chunk := os.read(descriptor, 1 << 16):
                self._events.put(("state", "target", chunk))

    def _on_cancel(self) -> None:
        # Called from signal handlers: SimpleQueue.put may interrupt itself.
        self._events.put(("cancel", "tap", self._cancel.requests))

    def _next(self) -> None:
        try:
            self._handle(*self._events.get(timeout=TICK_SECONDS))
        except Empty:
            self._tick()
        if time.monotonic() - self._last_tick >= TICK_SECONDS:
            self._tick()

    def _handle(self, kind: str, side: Side, value: str | int | bytes) -> None:
        self._last_move = time.monotonic()
        if isinstance(value, bytes):
            self._states.feed(value)
        elif isinstance(value, str):
            self._hear(side, value)
        elif kind == "cancel":
            self._interrupt(urgent=value > 1)
        elif side == "tap":
            self._tap_ended(value)
        else:
            self._target_ended(value)

    def _hear(self, side: Side, text: str) -> None:
        point = metric(text)
        if point is not None and point.metric == RETRYABLE:
            self._lost.add(side)
        elif point is not None:
            self._progress.add(side, point)
        else:
            self._watcher.line(self._name(side), text)

    def _tick(self) -> None:
        now = self._last_tick = time.monotonic()
        for alarm in [a for a in self._alarms if a[0] <= now]:
            self._alarms.remove(alarm)
            if alarm[1] not in self._ended:
                alarm[2]()
        if self._aborting:
            self._try_abort()
        if now - self._last_save >= _SAVE_SECONDS:
            self._save_state()
        if now - self._last_alive >= 1:
            self._last_alive = now
            self._look_after(now)
        self._watcher.tick(self._progress)

    def _look_after(self, now: float) -> None:
        """Once a second: is the lock still ours, is the time over, does anything move."""
        try:
            self._alive()
        except KozmoError as error:
            self._give_up(error.message, *error.details)
        limits = self._limits
        if limits.over(self._progress.seconds):
            self._give_up(f"the run was stopped after {limits.total:g} s (--timeout)")
        if limits.idle is None:
            return
        total = sum(moved(child.pid) for child in self._children.values() if child.running)
        total += pipes.waiting(self._pipe) if self._pipe is not None else 0
        if total != self._moved:
            self._moved, self._last_move = total, now
        elif now - self._last_move > limits.idle:
            self._give_up(
                f"nothing moved for {limits.idle:g} s (--idle-timeout)", self._who_is_stuck()
            )

    def _who_is_stuck(self) -> str:
        if "tap" in self._ended:
            return f"{self._name('target')} did not come to its end"
        if self._pipe is not None and pipes.waiting(self._pipe):
            return f"{self._name('target')} did not read what {self._name('tap')} had sent"
        return f"{self._name('tap')} sent nothing"

    def _interrupt(self, urgent: bool) -> None:
        self.outcome.stopped = self._cancel.why
        if urgent:
            for child in self._children.values():
                child.kill()
        elif not self._stopping:
            self._watcher.line("kozmo", "WARNING stopping; a second signal kills")
        self._stop()

    def _give_up(self, message: str, *details: str) -> None:
        if self._stopping:
            return
        if self.outcome.blame is None:
            self.outcome.blame = Blame("runner", "kozmo", message, list(details))
        self._stop()

    def _stop(self) -> None:
        """Stop in order: the tap, then the end of the target's input, then the target."""
        if self._stopping:
            return
        self._stopping = True
        if "tap" in self._ended or "tap" not in self._children:
            self._hurry_target()
        else:
            self._stop_tap()

    def _stop_tap(self) -> None:
        tap = self._children["tap"]
        tap.terminate()
        self._after(self._limits.grace.tap, "tap", tap.kill)

    def _hurry_target(self) -> None:
        target = self._children["target"]
        grace = self._limits.grace
        self._after(grace.drain, "target", target.terminate)
        self._after(grace.drain + grace.target, "target", target.kill)

    def _after(self, seconds: float, side: Side, act: Callable[[], None]) -> None:
        self._alarms.append((time.monotonic() + seconds, side, act))

    def _tap_ended(self, code: int) -> None:
        self._end("tap")
        self.outcome.tap_code = code
        if code == 0 and not self._stopping and self.outcome.blame is None:
            self._close_pipe()
            return
        if code != 0 and not self._stopping:
            self._blame_tap(code)
        self._end_of_data(self.outcome.stopped or f"{self._name('tap')} {exit_words(code)}")
        if self._stopping:
            self._hurry_target()

    def _blame_tap(self, code: int) -> None:
        """Blame the tap, unless it only lost its reader: then the target's own end tells why."""
        target = self._children["target"]
        lost = broken_pipe(code, self._children["tap"].tail)
        if lost and target.wait(1.0) is not None:
            return
        self._blame("tap", code)

    def _target_ended(self, code: int) -> None:
        self._end("target")
        self.outcome.target_code = code
        early = "tap" in self._children and "tap" not in self._ended
        if (
            not self._stopping
            and (code != 0 or early)
            or not self._stopping
            and self.outcome.tap_code not in (0, None)
        ):
            self._blame("target", code)
        if early and not self._stopping:
            self._stop_tap()

    def _blame(self, side: Side, code: int) -> None:
        if self.outcome.blame is not None:
            return
        name = self._name(side)
        details = [line.strip() for line in reason(self._children[side].tail)]
        if code == 0:
            details = ["it stopped reading before the tap was done"]
        elif side == "target" and details[:1] == ["cannot read the input"]:
            details.append(f"what it reads came from {self._name('tap')}")
        self.outcome.blame = Blame(
            side, name, f"{name} failed ({exit_words(code)})", details, side in self._lost
        )

    def _end_of_data(self, why: str) -> None:
        """Tell the target that its input ends here and is not complete."""
        if self._pipe is None:
            return
        if self._commands["target"].plug.ours:
            self._aborting = why
            self._try_abort()
        else:
            self._close_pipe()

    def _try_abort(self) -> None:
        """Write the ABORT once there is room in the pipe; a dead target makes room too."""
        if self._pipe is not None and write_abort(self._pipe, self._aborting):
            self._aborting = ""
            self._close_pipe()

    def _close_pipe(self) -> None:
        if self._pipe is not None:
            pipes.close(self._pipe)
            self._pipe = None

    def _end(self, side: Side) -> None:
        self._ended.add(side)
        self._workspace.ended(self._children[side])

    def _save_state(self) -> None:
        newest = self._states.newest()
        if newest is not None and newest is not self._stated:
            self._last_save = time.monotonic()
            self._save(newest)
            self._stated = newest

    def _finish(self) -> None:
        """Take what the target said last."""
        if self._reader is not None:
            self._reader.join(timeout=5)
        while not self._events.empty():
            self._handle(*self._events.get())
        self._states.end()
        self._save_state()
        self.outcome.garbage = self._states.garbage
        self._watcher.tick(self._progress)

    def _name(self, side: Side) -> str:
        return self._commands[side].plug.name
