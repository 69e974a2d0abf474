"""How rows go from tap to target: as lines of text, or as Arrow in a pipe beside them."""

from __future__ import annotations

import hashlib
import json
import os
import sysconfig

from kozmo_runner.asking import capabilities
from kozmo_runner.home import home, private_folder, write_private
from kozmo_runner.plugins import Plug
from kozmo_runner.process import Cancel
from kozmo_runner.workspace import Workspace
from kozmo_singer import __version__
from kozmo_singer.errors import ConfigError
from kozmo_singer.wire.lane import CAPABILITY

LANES = ("auto", "text", "arrow")


def check_lane(lane: str) -> str:
    """Return *lane*; ConfigError if there is none of this name."""
    if lane not in LANES:
        raise ConfigError(f"there is no lane '{lane}'", f"there are: {', '.join(LANES)}")
    return lane


def takes_arrow(
    lane: str, tap: Plug, target: Plug, workspace: Workspace, cancel: Cancel | None = None
) -> bool:
    """Return whether rows go as Arrow: both ends say that they can, and *lane* lets them.

    ConfigError where *lane* asks for it and one of them cannot.
    """
    if lane == "text":
        return False
    for plug in (tap, target):
        if not plug.ours or CAPABILITY not in known_capabilities(plug, workspace, cancel):
            if lane == "arrow":
                raise ConfigError(
                    f"{plug.name} cannot use the Arrow lane",
                    f"its --about lists no capability {CAPABILITY}",
                    "install kozmo-singer[arrow] where it runs, or take --lane auto",
                )
            return False
    return True


def known_capabilities(
    plug: Plug, workspace: Workspace, cancel: Cancel | None = None
) -> frozenset[str]:
    """As `asking.capabilities`, kept until another version or another package is installed."""
    path = home() / "plugins" / _file(plug)
    try:
        return frozenset(json.loads(path.read_text()))
    except (OSError, ValueError, TypeError):
        found = frozenset(capabilities(plug, workspace, cancel))
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
