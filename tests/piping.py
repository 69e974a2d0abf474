"""Two programs joined by a real shell pipe, as a user types it."""

from __future__ import annotations

import json
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from commands import Run

_LINE = """\
{tap} 2>tap.log | {target} 2>target.log >states.jsonl
echo "${{PIPESTATUS[@]}}"
"""


@dataclass(frozen=True)
class Piped:
    """How both sides ended, what they said on stderr, and each state that the target let out."""

    codes: tuple[int, ...]
    tap: str
    target: str
    states: list[Any]

    @property
    def state(self) -> Any:
        """The last state; the pipe must have ended well."""
        assert self.codes == (0, 0), f"{self.tap[-2000:]}\n{self.target[-2000:]}"
        return self.states[-1]


def pipe(run: Run, tap: Sequence[str | Path], target: Sequence[str | Path]) -> Piped:
    """Return how `tap | target` went in a shell of its own, in the test's folder."""
    script = _LINE.format(tap=_quoted(tap), target=_quoted(target))
    done = run(["bash", "-c", script])
    folder = run.folder
    states = (folder / "states.jsonl").read_bytes().split(b"\n")
    return Piped(
        codes=tuple(map(int, done.out.split())),
        tap=(folder / "tap.log").read_text("utf-8", "replace"),
        target=(folder / "target.log").read_text("utf-8", "replace"),
        states=[json.loads(line) for line in states if line],
    )


def config(folder: Path, name: str, settings: Any) -> Path:
    """Write *settings* into the JSON file *name* and return its path."""
    path = folder / f"{name}.json"
    path.write_text(json.dumps(settings), "utf-8")
    return path


def _quoted(command: Sequence[str | Path]) -> str:
    return shlex.join([str(part) for part in command])
