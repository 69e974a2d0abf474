"""The button that makes an incremental node read everything once more."""

from __future__ import annotations

from typing import Any

from kozmo_bridge.components.canvas import BoolInput, StrInput
from kozmo_bridge.components.forms import Form
from kozmo_runner.stores.base import now

BUTTON = "reset_bookmark"
STAMP = "reset_at"


def inputs() -> list[Any]:
    """Return the button, and the input that keeps when it was pressed."""
    return [
        BoolInput(
            name=BUTTON,
            display_name="Reset bookmark",
            info="Switch it on: the next run reads everything again, then goes on from there.",
            value=False,
            real_time_refresh=True,
            advanced=True,
        ),
        StrInput(
            name=STAMP,
            display_name="Bookmark was reset at",
            info="Bookmarks that are older than this moment (UTC) are not used.",
            value="",
            placeholder="never",
            advanced=True,
        ),
    ]


def press(form: Form) -> None:
    """Answer the button: bookmarks that were kept before this moment count no more."""
    form.set(STAMP, now())
