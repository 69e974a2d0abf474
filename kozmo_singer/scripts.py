"""Console scripts made from a registry, so that a name costs nothing until it is called."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from typing import NamedTuple

from kozmo_singer import __version__


class Entry(NamedTuple):
    """Where a plug-in's class is, the extra that brings its driver, and one line about it."""

    target: str
    extra: str
    summary: str


def script(name: str, registry: Mapping[str, Entry]) -> Callable[[], None]:
    """Return the console script of plug-in *name*; raise AttributeError for an unknown one."""
    if name not in registry:
        raise AttributeError(name)

    def run() -> None:
        # The answer to --version must not wait for any other import.
        if sys.argv[1:] == ["--version"]:
            sys.stdout.write(f"{name} {__version__}\n")
            return
        from kozmo_singer.cli import main

        code = main(name, registry[name])
        try:
            sys.stdout.flush()
        except BrokenPipeError:
            # Python would try again at its end, and complain.
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        if "pyarrow" in sys.modules:
            # A thread of Arrow's lets go of a file a little after it was closed; one that has to
            # ask Python for that, where Python is just ending, aborts the process.
            sys.stderr.flush()
            os._exit(code)
        sys.exit(code)

    return run
