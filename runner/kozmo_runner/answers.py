"""Asking a plug-in one question: run it, and take what it prints."""

from __future__ import annotations

import os
import select
import subprocess
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from kozmo_runner.process import Cancel, Child
from kozmo_runner.workspace import Workspace
from kozmo_singer.errors import KozmoError

STOP_SECONDS = 5.0


@dataclass(frozen=True)
class Answer:
    """What was printed, how the process ended, and the last lines of its stderr."""

    out: bytes
    code: int
    tail: list[str]


def ask(
    argv: Sequence[str],
    name: str,
    workspace: Workspace,
    timeout: float | None = None,
    cancel: Cancel | None = None,
    *,
    secrets: Iterable[str] = (),
    env: Mapping[str, str] | None = None,
) -> Answer:
    """Run *argv* without input and return its answer; KozmoError after *timeout* seconds.

    Interrupted is raised when *cancel* asks for an end; the process is gone by then.
    """
    cancel = cancel or Cancel()
    with asked(argv, name, workspace, cancel, secrets=secrets, env=env) as child:
        out = _read(child, timeout)
        if out is None:
            raise KozmoError(f"{name} did not answer within {timeout:g} s")
        code = child.wait(timeout)
    return Answer(out, child.code if code is None else code, child.tail)  # type: ignore[arg-type]


@contextmanager
def asked(
    argv: Sequence[str],
    name: str,
    workspace: Workspace,
    cancel: Cancel,
    *,
    secrets: Iterable[str] = (),
    env: Mapping[str, str] | None = None,
) -> Iterator[Child]:
    """Give the running *argv*, whose stdout is to be read; it is gone when the block is left.

    Interrupted is raised when *cancel* asked for an end.
    """
    cancel.check()
    child = workspace.spawn(argv, name=name, stdout=subprocess.PIPE, secrets=secrets, env=env)
    cancel.listen(child.terminate)
    try:
        yield child
    finally:
        cancel.forget(child.terminate)
        child.stop(STOP_SECONDS)
        workspace.ended(child)
        child.close()
    cancel.check()


def _read(child: Child, timeout: float | None) -> bytes | None:
    """Everything on stdout until its end, or None when the time is over first."""
    deadline = None if timeout is None else time.monotonic() + timeout
    parts: list[bytes] = []
    while True:
        left = None if deadline is None else max(0.0, deadline - time.monotonic())
        if not select.select([child.stdout], [], [], left)[0]:
            return None
        chunk = os.read(child.stdout, 1 << 18)
        if not chunk:
            return b"".join(parts)
        parts.append(chunk)
