"""Programs joined by a real shell pipe, as a user types it."""

from __future__ import annotations

import json
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from commands import Run

_LINE = """\
{tap} 2>tap.log | {mapper}{target} 2>target.log >states.jsonl
echo "${{PIPESTATUS[@]}}"
"""


@dataclass(frozen=True)
class Piped:
    """How both sides ended, what they said on stderr, and each state that the target let out."""

    codes: tuple[int, ...]
    tap: str
    target: str
    states: list[Any]
    mapper: str = ""

    @property
    def state(self) -> Any:
        """The last state; the pipe must have ended well."""
        said = (self.tap, self.mapper, self.target)
        assert not any(self.codes), "\n".join(text[-2000:] for text in said)
        return self.states[-1]


def pipe(
    run: Run,
    tap: Sequence[str | Path],
    target: Sequence[str | Path],
    mapper: Sequence[str | Path] | None = None,
) -> Piped:
    """Return how `tap | target` went in a shell of its own, in the test's folder.

    With a *mapper* it is `tap | mapper | target`.
    """
    between = f"{_quoted(mapper)} 2>mapper.log | " if mapper else ""
    script = _LINE.format(tap=_quoted(tap), mapper=between, target=_quoted(target))
    done = run(["bash", "-c", script])
    folder = run.folder
    log = folder / "mapper.log"
    states = (folder / "states.jsonl").read_bytes().split(b"\n")
    return Piped(
        codes=tuple(map(int, done.out.split())),
        tap=(folder / "tap.log").read_text("utf-8", "replace"),
        target=(folder / "target.log").read_text("utf-8", "replace"),
        states=[json.loads(line) for line in states if line],
        mapper=log.read_text("utf-8", "replace") if mapper else "",
    )


def config(folder: Path, name: str, settings: Any) -> Path:
    """Write *settings* into the JSON file *name* and return its path."""
    path = folder / f"{name}.json"
    path.write_text(json.dumps(settings), "utf-8")
    return path


def _quoted(command: Sequence[str | Path]) -> str:
    return shlex.join([str(part) for part in command])
