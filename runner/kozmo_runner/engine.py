"""Processes and the pipes between them, from their start to the end of all.

The tap writes straight into the target, or into the first of the mappers between them, and in the
Arrow lane into a second pipe beside the first; nothing passes through here. The runner keeps one
copy of each pipe's writing end until it knows how its writer ended: closing it tells the reader
that the data is complete, so before that, if the writer failed, a reader of ours gets an ABORT
message. A mapper passes it on, and a target replaces and deletes nothing. A foreign reader cannot
be told and only gets the end of its input; what stands behind it is told once it has ended.
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
from kozmo_runner.progress import Progress
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

    A tap has *tap* seconds from SIGTERM to SIGKILL. A mapper or a target has *drain* seconds from
    the end of its input to SIGTERM, and *target* from there to SIGKILL.
    """

    tap: float = 8.0
    drain: float = 30.0
    target: float = 8.0


@dataclass(frozen=True)
class Command:
    """How one process is started."""

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
    """How all ended, the tap first. *blame* is who failed first, *stopped* why an end was wanted.

    A code is None where the process never ran.
    """

    codes: list[int | None]
    blame: Blame | None = None
    stopped: str = ""
    garbage: int = 0


class Engine:
    """Runs *stages*, a tap, mappers and a target; `run` returns when all have ended."""

    def __init__(
        self,
        stages: Sequence[Command],
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
        self._commands = stages
        self._last = len(stages) - 1
        self._workspace, self._progress, self._watcher = workspace, progress, watcher
        self._save, self._limits, self._cancel, self._alive = save, limits, cancel, alive
        self._events: SimpleQueue[tuple[str, int, str | int | bytes]] = SimpleQueue()
        self._children: dict[int, Child] = {}
        self._ended: set[int] = set()
        self._alarms: list[tuple[float, int, Callable[[], None]]] = []
        self._states = StateLines()
        self._stated: State | None = None
        self._reader: threading.Thread | None = None
        self._pipes: dict[int, int] = {}
        """Of each stage the writing end of the pipe behind it, as long as it is kept here."""
        self._arrow = arrow
        self._aborting: dict[int, str] = {}
        self._stopping = False
        self._lost: set[int] = set()
        self._last_save = self._last_tick = self._last_alive = 0.0
        self._last_move = time.monotonic()
        self._moved = -1
        self.outcome = Outcome([None] * len(stages))

    def run(self) -> Outcome:
        """Start all and follow them to their end."""
        self._cancel.listen(self._on_cancel)
        try:
            self._start()
            while len(self._ended) < len(self._children):
                self._next()
            self._finish()
        finally:
            self._cancel.forget(self._on_cancel)
            for stage in tuple(self._pipes):
                self._close_pipe(stage)
        return self.outcome

    @property
    def tails(self) -> list[list[str]]:
        """The last lines of each stage's stderr; none of a stage that never ran."""
        children = map(self._children.get, range(self._last + 1))
        return [child.tail if child is not None else [] for child in children]

    def _start(self) -> None:
        reading: list[int] = []
        beside = [os.pipe() for _ in range(self._last)] if self._arrow else []
        for stage in range(self._last):
            end, self._pipes[stage] = os.pipe()
            reading.append(end)
        for writing in (*self._pipes.values(), *(end for _, end in beside)):
            pipes.widen(writing)
        try:
            # The target first: if the runner is killed it is also the first to be told.
            for stage in range(self._last, -1, -1):
                if not self._started(stage, reading, beside):
                    break
        finally:
            # With a copy left here neither end would notice that the other is gone.
            for descriptor in (*reading, *(end for pair in beside for end in pair)):
                os.close(descriptor)

    def _started(
        self, stage: int, reading: Sequence[int], beside: Sequence[tuple[int, int]]
    ) -> bool:
        """Start *stage*; False, with the blame, where that fails. Of a target it is raised."""
        rows: dict[str, int] = {}
        if beside and stage:
            rows[lane.VARIABLE] = beside[stage - 1][0]
        if beside and stage < self._last:
            rows[lane.OUT_VARIABLE if stage else lane.VARIABLE] = beside[stage][1]
        stdin = reading[stage - 1] if stage else subprocess.DEVNULL
        if stage == self._last:
            self._spawn(stage, rows, stdin=stdin, stdout=subprocess.PIPE)
            self._reader = threading.Thread(target=self._read_states, name="states", daemon=True)
            self._reader.start()
            return True
        try:
            self._spawn(stage, rows, stdin=stdin, stdout=self._pipes[stage])
        except KozmoError as error:
            kind, name = self._commands[stage].plug.kind, self._name(stage)
            self.outcome.blame = Blame(kind, name, error.message, [*error.details])
            self._end_of_data(stage, str(error))
            return False
        return True

    def _spawn(self, stage: int, rows: Mapping[str, int], **streams: int) -> None:
        command = self._commands[stage]
        self._children[stage] = self._workspace.spawn(
            command.argv,
            name=command.plug.name,
            env={**command.env, **{name: str(end) for name, end in rows.items()}},
            inherits=tuple(rows.values()),
            secrets=command.secrets,
            on_line=lambda text: self._events.put(("line", stage, text)),
            on_exit=lambda code: self._events.put(("exit", stage, code)),
            **streams,
        )

    def _read_states(self) -> None:
        descriptor = self._children[self._last].stdout
        with suppress(OSError):  # closed at the end, if a stray process still holds the other end
            while chunk := os.read(descriptor, 1 << 16):
                self._events.put(("state", self._last, chunk))

    def _on_cancel(self) -> None:
        # Called from signal handlers: SimpleQueue.put may interrupt itself.
        self._events.put(("cancel", 0, self._cancel.requests))

    def _next(self) -> None:
        try:
            self._handle(*self._events.get(timeout=TICK_SECONDS))
        except Empty:
            self._tick()
        if time.monotonic() - self._last_tick >= TICK_SECONDS:
            self._tick()

    def _handle(self, kind: str, stage: int, value: str | int | bytes) -> None:
        self._last_move = time.monotonic()
        if isinstance(value, bytes):
            self._states.feed(value)
        elif isinstance(value, str):
            self._hear(stage, value)
        elif kind == "cancel":
            self._interrupt(urgent=value > 1)
        else:
            self._stage_ended(stage, value)

    def _hear(self, stage: int, text: str) -> None:
        point = metric(text)
        if point is not None and point.metric == RETRYABLE:
            self._lost.add(stage)
        elif point is not None:
            self._progress.add(self._commands[stage].plug.kind, point)
        else:
            self._watcher.line(self._name(stage), text)

    def _tick(self) -> None:
        now = self._last_tick = time.monotonic()
        for alarm in [a for a in self._alarms if a[0] <= now]:
            self._alarms.remove(alarm)
            if alarm[1] not in self._ended:
                alarm[2]()
        for stage in tuple(self._aborting):
            self._try_abort(stage)
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
        total += sum(map(pipes.waiting, self._pipes.values()))
        if total != self._moved:
            self._moved, self._last_move = total, now
        elif now - self._last_move > limits.idle:
            self._give_up(
                f"nothing moved for {limits.idle:g} s (--idle-timeout)", self._who_is_stuck()
            )

    def _who_is_stuck(self) -> str:
        for stage in range(self._last, 0, -1):
            before = stage - 1
            if before in self._pipes and pipes.waiting(self._pipes[before]):
                return f"{self._name(stage)} did not read what {self._name(before)} had sent"
        first = min(self._running, default=self._last)
        if first:
            return f"{self._name(first)} did not come to its end"
        return f"{self._name(0)} sent nothing"

    @property
    def _running(self) -> list[int]:
        return [stage for stage in sorted(self._children) if stage not in self._ended]

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
        """Stop in order: the tap, then each in turn whose input has come to its end."""
        if self._stopping:
            return
        self._stopping = True
        first = min(self._running, default=None)
        if first == 0:
            self._stop_writer(0)
        elif first is not None:
            self._hurry(first)

    def _stop_writer(self, stage: int) -> None:
        """End a process of which nobody wants to read any more."""
        child = self._children[stage]
        child.terminate()
        self._after(self._limits.grace.tap, stage, child.kill)

    def _hurry(self, stage: int) -> None:
        """End a process, whose input is at its end, if it does not do so by itself."""
        child, grace = self._children[stage], self._limits.grace
        self._after(grace.drain, stage, child.terminate)
        self._after(grace.drain + grace.target, stage, child.kill)

    def _after(self, seconds: float, stage: int, act: Callable[[], None]) -> None:
        self._alarms.append((time.monotonic() + seconds, stage, act))

    def _stage_ended(self, stage: int, code: int) -> None:
        self._ended.add(stage)
        self._workspace.ended(self._children[stage])
        self.outcome.codes[stage] = code
        earlier = [each for each in self._running if each < stage]
        if not self._stopping:
            self._judge(stage, code, early=bool(earlier))
            for each in earlier:
                self._stop_writer(each)
        if stage < self._last:
            self._pass_on(stage, code, whole=not earlier)
            if self._stopping and stage + 1 not in self._ended:
                self._hurry(stage + 1)

    def _judge(self, stage: int, code: int, early: bool) -> None:
        """Blame *stage* where it failed, or ended although there was more to read.

        Unless it only lost its reader: then the reader's own end tells why.
        """
        unread = early or self.outcome.codes[max(0, stage - 1)] not in (0, None)
        if code == 0 and not unread:
            return
        lost = code == 0 or broken_pipe(code, self._children[stage].tail)
        if stage < self._last and lost and self._children[stage + 1].wait(1.0) is not None:
            return
        self._blame(stage, code)

    def _pass_on(self, stage: int, code: int, whole: bool) -> None:
        """Tell the reader of *stage* that its input ends, and whether that is complete."""
        outcome = self.outcome
        well = not self._stopping and outcome.blame is None
        if whole and well and not any(outcome.codes[: stage + 1]):
            self._close_pipe(stage)
            return
        failed = outcome.blame.message if outcome.blame is not None and code == 0 else ""
        why = outcome.stopped or failed or f"{self._name(stage)} {exit_words(code)}"
        self._end_of_data(stage, why)

    def _blame(self, stage: int, code: int) -> None:
        if self.outcome.blame is not None:
            return
        name = self._name(stage)
        details = [line.strip() for line in reason(self._children[stage].tail)]
        if code == 0:
            details = ["it stopped reading before the tap was done"]
        elif stage and details[:1] == ["cannot read the input"]:
            details.append(f"what it reads came from {self._name(stage - 1)}")
        self.outcome.blame = Blame(
            self._commands[stage].plug.kind,
            name,
            f"{name} failed ({exit_words(code)})",
            details,
            stage in self._lost,
        )

    def _end_of_data(self, stage: int, why: str) -> None:
        """Tell the reader of *stage* that its input ends here and is not complete."""
        if stage not in self._pipes:
            return
        if self._commands[stage + 1].plug.ours:
            self._aborting[stage] = why
            self._try_abort(stage)
        else:
            self._close_pipe(stage)

    def _try_abort(self, stage: int) -> None:
        """Write the ABORT once there is room in the pipe; a dead reader makes room too."""
        if write_abort(self._pipes[stage], self._aborting[stage]):
            del self._aborting[stage]
            self._close_pipe(stage)

    def _close_pipe(self, stage: int) -> None:
        pipes.close(self._pipes.pop(stage))

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

    def _name(self, stage: int) -> str:
        return self._commands[stage].plug.name
