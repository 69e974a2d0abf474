"""Chromium without a window, for pages that must open without a complaint."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from functools import cache
from pathlib import Path

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
SECONDS = 60
_COMPLAINT = re.compile(r":CONSOLE[:(].*")


@cache
def chromium() -> str:
    """Return the program; install it where that can be done, else fail and say how."""
    found = _found()
    if not found and os.geteuid() == 0 and shutil.which("apt-get"):
        for command in (["update", "-qq"], ["install", "-qq", "-y", "chromium"]):
            subprocess.run(["apt-get", *command], capture_output=True, check=False, timeout=600)
        found = _found()
    if not found:
        pytest.fail("needs chromium; on Debian: apt install chromium")
    return found


def _found() -> str | None:
    return next(filter(None, map(shutil.which, NAMES)), None)


def opened(page: Path, folder: Path, width: int = 1440) -> tuple[str, list[str]]:
    """Open *page* and return its document after its scripts, and what the console complained of."""
    done = subprocess.run(
        [
            chromium(), "--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run",
            "--disable-crash-reporter", f"--user-data-dir={folder}", f"--window-size={width},900",
            "--enable-logging=stderr", "--dump-dom", page.as_uri(),
        ],
        capture_output=True, text=True, timeout=SECONDS, check=True,
        env={**os.environ, "HOME": str(folder), "DBUS_SESSION_BUS_ADDRESS": "disabled:"},
    )  # fmt: skip
    return done.stdout, _COMPLAINT.findall(done.stderr)
