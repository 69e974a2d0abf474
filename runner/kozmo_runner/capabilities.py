"""What a plug-in of ours says in its --about that it can do."""

from __future__ import annotations

import hashlib
import json
import os
import sysconfig

from kozmo_runner.asking import about_of
from kozmo_runner.home import home, private_folder, write_private
from kozmo_runner.plugins import Plug
from kozmo_runner.process import Cancel
from kozmo_runner.workspace import Workspace
from kozmo_singer import __version__
from kozmo_singer.errors import ConfigError


def capabilities(plug: Plug, workspace: Workspace, cancel: Cancel | None = None) -> frozenset[str]:
    """Return the capabilities of *plug*, kept until another version or package is installed."""
    path = home() / "plugins" / _file(plug)
    try:
        return frozenset(json.loads(path.read_text()))
    except (OSError, ValueError, TypeError):
        found = frozenset(about_of(plug, workspace, cancel)["capabilities"])
    try:
        private_folder(path.parent)
        write_private(path, json.dumps(sorted(found)).encode())
    except (OSError, ConfigError):
        return found  # asked again next time
    return found


def _file(plug: Plug) -> str:
    installed = os.stat(sysconfig.get_path("purelib")).st_mtime_ns
    text = repr((plug.command, __version__, installed))
    return f"capabilities-{hashlib.sha256(text.encode()).hexdigest()[:32]}.json"
