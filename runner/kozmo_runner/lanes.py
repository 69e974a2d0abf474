"""How rows go from tap to target: as lines of text, or as Arrow in a pipe beside them."""

from __future__ import annotations

from collections.abc import Sequence

from kozmo_runner.capabilities import capabilities
from kozmo_runner.plugins import Plug
from kozmo_runner.process import Cancel
from kozmo_runner.workspace import Workspace
from kozmo_singer.errors import ConfigError
from kozmo_singer.wire.catalog import Catalog
from kozmo_singer.wire.lane import CAPABILITY, FEW_ROWS

LANES = ("auto", "text", "arrow")


def check_lane(lane: str) -> str:
    """Return *lane*; ConfigError if there is none of this name."""
    if lane not in LANES:
        raise ConfigError(f"there is no lane '{lane}'", f"there are: {', '.join(LANES)}")
    return lane


def takes_arrow(
    lane: str,
    plugs: Sequence[Plug],
    catalog: Catalog | None,
    workspace: Workspace,
    cancel: Cancel | None = None,
    few_rows: int = FEW_ROWS,
) -> bool:
    """Return whether rows go as Arrow: all *plugs* say that they can, and *lane* lets them.

    By itself only where *catalog* selects a table that may have *few_rows* or more. ConfigError
    where *lane* asks for it and one of them cannot.
    """
    selected = catalog.selected() if catalog is not None else []
    large = any(s.row_count is None or s.row_count >= few_rows for s in selected)
    if lane == "text" or (lane == "auto" and not large):
        return False
    for plug in plugs:
        if not plug.ours or CAPABILITY not in capabilities(plug, workspace, cancel):
            if lane == "arrow":
                raise ConfigError(
                    f"{plug.name} cannot use the Arrow lane",
                    f"its --about lists no capability {CAPABILITY}",
                    "install kozmo-singer[arrow] where it runs, or take the lane auto",
                )
            return False
    return True
