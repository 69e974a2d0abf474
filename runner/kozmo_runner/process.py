"""One plug-in's process: a group of its own, its stderr read, its end awaited and explained."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress

from kozmo_runner.speech import metric
from kozmo_singer.errors import KozmoError, scrub

TAIL_LINES = 100
# Colours, and whatever else would be an order to the terminal.
_ESCAPES = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)?"
                      r"|[\x00-\x08\x0b-\x1f\x7f-\x9f]")  # fmt: skip
_LONGEST_LINE = 1 << 14
_LEFTOVER_SECONDS = 5.0


class Interrupted(KozmoError):
    """The user, or the program that uses the runner, asked for an end."""

    exit_code = 130


class Cancel:
    """A wish to stop, given from a signal handler or another thread; a second one is urgent."""

    def __init__(self) -> None:
        self.why = ""
        self.requests = 0
        self._listeners: list[Callable[[], None]] = []

    def request(self, why: str) -> None:
        """Ask for an end. Takes no lock, so that a signal handler may call it."""
        self.why = self.why or why
        self.requests += 1
        for listener in tuple(self._listeners):
            listener()

    def listen(self, listener: Callable[[], None]) -> None:
        """Call *listener* at each request, and at once if there was one."""
        self._listeners.append(listener)
        if self.requests:
            listener()

    def forget(self, listener: Callable[[], None]) -> None:
        """Undo `listen`."""
        if listener in self._listeners:
            self._listeners.remove(listener)

    def check(self) -> None:
        """Raise Interrupted if an end was asked for."""
        if self.requests:
            raise Interrupted(f"stopped: {self.why}")


class Child:
    """A running plug-in.

    It leads a session of its own, so that Ctrl-C in a terminal reaches the runner only, which then
    stops the processes in their order. *on_line* gets each line of stderr without its secrets,
    *on_exit* the exit code, negative for a signal; both are called from threads of the child's own.
    It has the descriptors that it *inherits*, under the same numbers.
    """

    def __init__(
        self,
        argv: Sequence[str],
        *,
        name: str,
        stdin: int = subprocess.DEVNULL,
        stdout: int = subprocess.DEVNULL,
        env: Mapping[str, str] | None = None,
        secrets: Iterable[str] = (),
        on_line: Callable[[str], None] | None = None,
        on_exit: Callable[[int], None] | None = None,
        inherits: Sequence[int] = (),
    ) -> None:
        self.name = name
        self.code: int | None = None
        self.stopped = False
        self._secrets = list(secrets)
        self._on_line, self._on_exit = on_line, on_exit
        self._tail: deque[str] = deque(maxlen=TAIL_LINES)
        self._done = threading.Event()
        self._process = _start(argv, name, stdin, stdout, env, inherits)
        self.pid = self._process.pid
        self._threads = [
            threading.Thread(target=work, name=f"{name} {what}", daemon=True)
            for work, what in ((self._read_stderr, "stderr"), (self._await_exit, "exit"))
        ]
        for thread in self._threads:
            thread.start()

    @property
    def stdin(self) -> int:
        """The descriptor of a stdin that was asked for as a PIPE."""
        assert self._process.stdin is not None
        return self._process.stdin.fileno()

    @property
    def stdout(self) -> int:
        """The descriptor of a stdout that was asked for as a PIPE."""
        assert self._process.stdout is not None
        return self._process.stdout.fileno()

    @property
    def tail(self) -> list[str]:
        """The last lines of stderr that are no metrics, without secrets."""
        return list(self._tail)

    @property
    def running(self) -> bool:
        """Whether the process, or one that it left behind in its group, still lives."""
        return not self._done.is_set()

    def release_stdin(self) -> None:
        """Close this process's own copy of the pipe to stdin."""
        if self._process.stdin is not None:
            self._process.stdin.close()

    def terminate(self) -> None:
        """Ask the whole group to end (SIGTERM)."""
        self.stopped = True
        self._signal(signal.SIGTERM)

    def kill(self) -> None:
        """End the whole group (SIGKILL)."""
        self.stopped = True
        self._signal(signal.SIGKILL)

    def wait(self, timeout: float | None = None) -> int | None:
        """Return the exit code once the process has ended, or None after *timeout* seconds."""
        self._done.wait(timeout)
        return self.code if self._done.is_set() else None

    def stop(self, grace: float) -> None:
        """End the process: SIGTERM, and SIGKILL after *grace* seconds."""
        if self.running:
            self.terminate()
            if self.wait(grace) is None:
                self.kill()
                self.wait()

    def close(self) -> None:
        """Give the pipes back; the process must have ended."""
        for thread in self._threads:
            thread.join(timeout=_LEFTOVER_SECONDS)
        for pipe in (self._process.stdin, self._process.stdout, self._process.stderr):
            if pipe is not None:
                with suppress(OSError):
                    pipe.close()

    def _signal(self, number: signal.Signals) -> None:
        if not self._done.is_set():
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self.pid, number)

    def _await_exit(self) -> None:
        code = self._process.wait()
        self._end_leftovers()
        self.code = code
        # What the process said last belongs to the reason of its end.
        self._threads[0].join(timeout=0.5)
        self._done.set()
        if self._on_exit is not None:
            self._on_exit(code)

    def _end_leftovers(self) -> None:
        """End what the process left running in its group; a wrapper may die before its child."""
        deadline = time.monotonic() + _LEFTOVER_SECONDS
        number = 0 if self.stopped else signal.SIGTERM
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, number)
            while time.monotonic() < deadline:
                time.sleep(0.02)
                os.killpg(self.pid, 0)
            os.killpg(self.pid, signal.SIGKILL)

    def _read_stderr(self) -> None:
        assert self._process.stderr is not None
        descriptor = self._process.stderr.fileno()
        rest = b""
        with suppress(OSError):
            while chunk := os.read(descriptor, 1 << 16):
                *lines, rest = (rest + chunk).split(b"\n")
                for line in lines:
                    self._take(line)
                if len(rest) > _LONGEST_LINE:
                    self._take(rest)
                    rest = b""
        if rest:
            self._take(rest)

    def _take(self, line: bytes) -> None:
        text = _ESCAPES.sub("", line[:_LONGEST_LINE].decode("utf-8", "replace")).rstrip()
        text = scrub(text, self._secrets)
        if text and metric(text) is None:
            self._tail.append(text)
        if text and self._on_line is not None:
            self._on_line(text)


def _start(
    argv: Sequence[str],
    name: str,
    stdin: int,
    stdout: int,
    env: Mapping[str, str] | None,
    inherits: Sequence[int],
) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(
            list(argv),
            stdin=stdin,
            stdout=stdout,
            stderr=subprocess.PIPE,
            env=None if env is None else dict(env),
            pass_fds=inherits,
            start_new_session=True,
            bufsize=0,
        )
    except OSError as error:
        raise KozmoError(
            f"{name} cannot be started: {error.strerror}", f"the command is {argv[0]}"
        ) from error
