"""The environment of a plug-in's process."""

from __future__ import annotations

import os

from kozmo_runner.plugins import Plug


def child_environment(plug: Plug, other: Plug | None = None) -> dict[str, str]:
    """Return the environment for *plug*: without the variables that configure *other*."""
    env = {
        name: value
        for name, value in os.environ.items()
        if other is None or other.prefix == plug.prefix or not name.startswith(other.prefix)
    }
    if plug.kind == "target" and not plug.ours:
        # A Python target would keep its STATE lines in a buffer until its end.
        env.setdefault("PYTHONUNBUFFERED", "1")
    return env
