"""Temporary folders, and what becomes of those whose process was killed."""

import subprocess
import sys
import tempfile
from pathlib import Path

from kozmo_runner.workspace import folder_prefix, sweep

MAKE = (
    "import os, tempfile; from kozmo_runner.workspace import folder_prefix; "
    "print(tempfile.mkdtemp(prefix=folder_prefix()), flush=True); os.kill(os.getpid(), 9)"
)


def test_a_folder_of_a_dead_process_is_swept_away():
    """With what is in it, such as rows that a database refused; that of a living one stays."""
    killed = subprocess.run([sys.executable, "-c", MAKE], capture_output=True, text=True)
    dead = Path(killed.stdout.strip())
    (dead / "rows.jsonl").touch()
    with tempfile.TemporaryDirectory(prefix=folder_prefix()) as mine:
        sweep([dead, Path(mine)])
        assert not dead.exists()
        assert Path(mine).exists()
