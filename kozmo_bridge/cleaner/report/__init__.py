"""A profile to look at: as a page, in a notebook, in a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

    from kozmo_bridge.cleaner.model import Profile

__all__ = ["html", "notebook", "terminal"]


def html(profile: Profile) -> str:
    """Return one page that needs nothing else: no network, no font, no script to be read.

    Values of cells are shown, never obeyed: the page allows no script but its own.
    """
    from kozmo_bridge.cleaner.report.page import page

    return page(profile)


def notebook(profile: Profile) -> str:
    """Return a short form for `_repr_html_`: its style holds for itself alone, without a script."""
    from kozmo_bridge.cleaner.report.page import inline

    return inline(profile)


def terminal(profile: Profile, console: Console) -> None:
    """Print the profile to *console*, a line to a column, as wide as the console is."""
    from kozmo_bridge.cleaner.report.terminal import show

    show(profile, console)
