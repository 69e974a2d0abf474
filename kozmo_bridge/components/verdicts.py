"""The input that tells how a test, or the last choice, went: a button that opens a list of facts.

No other input can be read but not be typed over; the node shows some 34 characters of it.
"""

from __future__ import annotations

import re
from typing import Any

from kozmo_bridge.components.canvas import TableInput
from kozmo_bridge.components.forms import Form

NAME = "verdict"
_SHOWN = 34
_FRAME = re.compile(r"^\S+ (is not ready|failed|could not .*)$")
"""First lines that name the plug-in only; why comes in the second."""
_PLACE = re.compile(r" at [\w.:\[\]-]*:\d+")
_FIXED = ("add", "delete", "edit", "sort", "filter", "hide", "select")


def verdict(name: str = NAME) -> Any:
    """Return the input, which is not shown before there is something to tell."""
    return TableInput(
        name=name,
        display_name="Status",
        info="What the last test or choice has shown; open it to read all.",
        trigger_text="not tested yet",
        trigger_icon="Unplug",
        table_schema=[
            {
                "name": "found",
                "display_name": "Found",
                "type": "str",
                "edit_mode": "inline",
                "disable_edit": True,
            }
        ],
        table_options={
            **{f"block_{what}": True for what in _FIXED},
            "hide_options": True,
            "description": "What the last test or choice has shown.",
        },
        value=[],
        show=False,
    )


def tell(form: Form, name: str, words: str, good: bool = True) -> None:
    """Show *words*, a line a fact, or that nothing is known where there are none."""
    lines = [line.strip() for line in words.splitlines() if line.strip()]
    icon = ("CheckCircle2" if good else "XCircle") if lines else "Unplug"
    form.set(name, [{"found": line} for line in lines])
    form.show([name], bool(lines))
    form.note(name, trigger_text=_headline(lines), trigger_icon=icon)


def _headline(lines: list[str]) -> str:
    if not lines:
        return "not tested yet"
    line = lines[1] if len(lines) > 1 and _FRAME.match(lines[0]) else lines[0]
    if len(line) > _SHOWN:
        line = _PLACE.sub("", line)
    if len(line) <= _SHOWN:
        return line
    cut = line[:_SHOWN].rpartition(" ")[0].rstrip(",;:") or line[: _SHOWN - 1]
    return f"{cut}…"
