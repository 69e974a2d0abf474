"""Commands as a user runs them: to their end, in a clean environment, with what they cost."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from servers import processes

BIN = Path(sys.executable).parent


@dataclass(frozen=True)
class Result:
    """How a command ended: exit code, standard output, standard error, CPU seconds."""

    code: int
    out: bytes
    err: str
    cpu: float


@dataclass(frozen=True)
class Run:
    """Runs commands in *folder* with the environment *env*; our scripts are on its PATH."""

    folder: Path
    env: Mapping[str, str]

    def __call__(
        self,
        argv: Sequence[str | Path],
        stdin: bytes | None = None,
        env: Mapping[str, str] | None = None,
        timeout: float = 60,
        cwd: Path | None = None,
    ) -> Result:
        """Return how *argv* ended; its input is empty unless *stdin* is given.

        Past *timeout* seconds the whole process group is killed, and the test fails with what
        the command had said until then.
        """
        before = processes.cpu_of_children()
        process = subprocess.Popen(
            [str(part) for part in argv],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**self.env, **(env or {})},
            cwd=cwd or self.folder,
            start_new_session=True,
        )
        try:
            out, err = process.communicate(stdin or b"", timeout)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            out, err = process.communicate()
            text = err.decode("utf-8", "replace")
            pytest.fail(f"{argv} still ran after {timeout} s\n{out[-2000:]!r}\n{text[-2000:]}")
        cpu = processes.cpu_of_children() - before
        return Result(process.returncode, out, err.decode("utf-8", "replace"), cpu)
