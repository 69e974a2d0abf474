"""A target as a pipe to write to."""

from __future__ import annotations

import io
import json
import os
import select
import subprocess
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any, BinaryIO

from kozmo_runner.abilities import abilities
from kozmo_runner.bookmarks import State, StateLines
from kozmo_runner.configs import Config, Given, give, take_back
from kozmo_runner.environment import child_environment
from kozmo_runner.pipes import widen
from kozmo_runner.plugins import Plug, find
from kozmo_runner.process import Cancel, Child
from kozmo_runner.progress import Progress
from kozmo_runner.report import StreamReport, stream_report
from kozmo_runner.speech import exit_words, metric, reason
from kozmo_runner.workspace import Workspace
from kozmo_singer.errors import ConfigError, WriteError

STOP_SECONDS = 5.0


class TargetFeed:
    """A running target: write Singer lines to `stdin`, then `finish` for its last state.

    Leaving the `with` block by an exception, or without `finish`, tells the target that the data is
    incomplete (`abort`), so that it replaces and deletes nothing.
    """

    stdin: BinaryIO

    def __init__(
        self,
        plug: Plug,
        config: Config,
        cancel: Cancel,
        on_line: Callable[[str], None] | None = None,
    ) -> None:
        self.name, self.plug = plug.name, plug
        self._on_line = on_line
        self._progress = Progress()
        self._config, self._cancel = config, cancel
        self._workspace: Workspace | None = None
        self._child: Child | None = None
        self._given = Given()
        self._lines = StateLines()
        self._reader: threading.Thread | None = None

    def __enter__(self) -> TargetFeed:
        return self.open()

    def __exit__(self, *_: object) -> None:
        self.close()

    def open(self) -> TargetFeed:
        """Start the target, unless it runs."""
        if self._workspace is not None:
            return self
        self._workspace = workspace = Workspace()
        try:
            able = abilities(self.plug, workspace, self._cancel)
            self._given = give(self.plug, self._config, able, workspace)
            self._cancel.check()
            self._child = workspace.spawn(
                [*self.plug.command, *self._given.argv],
                name=self.name,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                env=child_environment(self.plug),
                secrets=self._given.secrets,
                on_line=self._take_line,
            )
            widen(self._child.stdin)
            self.stdin = io.FileIO(os.dup(self._child.stdin), "w")
            self._child.release_stdin()
            self._reader = threading.Thread(target=self._read, daemon=True)
            self._reader.start()
            self._cancel.listen(self.stop)
        except BaseException:
            self._workspace = None
            workspace.close()
            raise
        return self

    @property
    def tail(self) -> list[str]:
        """The last lines that the target wrote on stderr, without secrets."""
        return self._child.tail if self._child is not None else []

    @property
    def streams(self) -> list[StreamReport]:
        """What the target tells of each stream so far; all of it once `finish` has returned."""
        return [stream_report(stream) for stream in self._progress.streams.values()]

    @property
    def state(self) -> State | None:
        """The newest state that the target gave out, None before the first."""
        return self._lines.newest()

    def finish(self, timeout: float | None = None) -> State | None:
        """Say that the data is complete and return the last state once it is all written.

        WriteError says why the target failed.
        """
        self._end_input()
        return self._result(timeout)

    def abort(self, why: str) -> None:
        """Say that no more comes and that the data is incomplete."""
        if self.stdin.closed:
            return
        if self.plug.ours:
            write_abort(self.stdin.fileno(), why, STOP_SECONDS)
        self._end_input()

    def stop(self) -> None:
        """Ask the target to end now."""
        if self._child is not None:
            self._child.terminate()

    def close(self) -> None:
        """End the target, if `finish` did not, and remove its files. Can be called again."""
        workspace, self._workspace = self._workspace, None
        if workspace is None:
            return
        self._cancel.forget(self.stop)
        if self._child is not None:
            self.abort("the data ended early")
            if self._child.wait(STOP_SECONDS) is None:
                self._child.stop(STOP_SECONDS)
            take_back(self.plug, self._given)
        workspace.close()

    def _end_input(self) -> None:
        if not self.stdin.closed:
            self.stdin.close()

    def _result(self, timeout: float | None) -> State | None:
        assert self._child is not None and self._reader is not None
        code = self._child.wait(timeout)
        if code is None:
            raise WriteError(f"{self.name} was not done within {timeout:g} s")
        self._reader.join(STOP_SECONDS)
        self._cancel.check()
        if code != 0:
            details = [line.strip() for line in reason(self.tail)] or [exit_words(code)]
            raise (ConfigError if code == 2 else WriteError)(f"{self.name} failed", *details)
        return self.state

    def _take_line(self, line: str) -> None:
        point = metric(line)
        if point is not None:
            self._progress.add("target", point)
        if self._on_line is not None:
            self._on_line(line)

    def _read(self) -> None:
        assert self._child is not None
        while chunk := os.read(self._child.stdout, 1 << 16):
            self._lines.feed(chunk)
        self._lines.end()


def feed(
    target: str,
    config: Config = None,
    *,
    cancel: Cancel | None = None,
    on_line: Callable[[str], None] | None = None,
) -> TargetFeed:
    """Return a context manager that runs *target* and takes Singer lines on its stdin.

    *on_line* is called, from another thread, with each line that the target writes on stderr.
    """
    return TargetFeed(find(target, "target"), config, cancel or Cancel(), on_line)


def abort_line(why: str) -> bytes:
    """Return the message that tells a target of ours that its input is incomplete.

    It begins with a newline, since a tap that died may have left half a line.
    """
    message: dict[str, Any] = {"type": "ABORT", "reason": why[:2000]}
    return b"\n" + json.dumps(message).encode() + b"\n"


def write_abort(descriptor: int, why: str, timeout: float = 0.0) -> bool:
    """Write `abort_line`; return False if the pipe is still full after *timeout* seconds.

    A target that is gone need not be told.
    """
    if not select.select([], [descriptor], [], timeout)[1]:
        return False
    with suppress(OSError):
        os.write(descriptor, abort_line(why))
    return True
