"""The transcript in README.md: every command is run, and what it prints is compared."""

import re
from pathlib import Path

from commands import Run
from project import ROOT

TIMES = (
    (r"\d+(\.\d+)? (ms|s)\b", "TIME"),
    (r"\(\d+/s\)", "(RATE)"),
    (r"SQLite \d+\.\d+\.\d+", "SQLite VERSION"),
)


def _transcript() -> list[tuple[str, str]]:
    """Return the commands of the first console block, each with the output shown for it."""
    block = (ROOT / "README.md").read_text().split("```console\n")[1].split("```")[0]
    parts = re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]
    found = []
    for part in parts:
        command = re.match(r"(?:.*\\\n)*.*\n", part)
        assert command
        found.append((command[0].strip(), part[command.end() :]))
    return found


def _timeless(text: str) -> str:
    for pattern, word in TIMES:
        text = re.sub(pattern, word, text)
    return text


def test_the_transcript_is_what_happens(run: Run, tmp_path: Path) -> None:
    """But for times and versions, each command prints what README.md shows."""
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    for command, shown in _transcript():
        done = run(["sh", "-c", f"exec 2>&1; {command}"])
        assert _timeless(done.out.decode()) == _timeless(shown), command
