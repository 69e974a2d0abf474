"""Values of cells as something to look at: short, on one line, with what hides made visible.

A cell is a stranger's text. It may be ten megabytes long, hold what a terminal obeys, turn the
direction of a line around, or be half a character that UTF-8 has no bytes for.
"""

from __future__ import annotations

import html
import itertools
import json
import math
import re
from collections.abc import Iterable, Mapping
from typing import Any

from kozmo_bridge.cleaner.kinds import Kind

CELL = 80
"""Characters that are shown of a value."""
SENTENCE = 600
"""Characters that are shown of what the cleaner says, in which values may be quoted."""

_SIGNS = {"\t": "→", "\n": "⏎", "\r": "↵", "\u00a0": "⍽", "\u2028": "⏎", "\u2029": "⏎"}
# Controls, marks of direction, what has no width, halves of surrogate pairs, and private tags.
_UNSEEN = (
    "\\x00-\\x1f\\x7f-\\xa0\\xad\\u034f\\u061c\\u115f\\u1160\\u180e\\u200b-\\u200f\\u2028-\\u202e"
    "\\u2060-\\u206f\\ufe00-\\ufe0f\\ufeff\\ufff9-\\ufffb\\ud800-\\udfff\\U000e0000-\\U000e0fff"
)
_HIDDEN = re.compile(f"[{_UNSEEN}]")
_MARKED = re.compile(f"[{_UNSEEN}]|^ +| +$|  +")
_ESCAPED = re.compile("[\\x7f-\\x9f\\xad\\u034f\\u061c\\u200b-\\u200f\\u2028-\\u202e\\u2060-\\u206f"
                      "\\ufeff\\ufff9-\\ufffb\\ud800-\\udfff\\U000e0000-\\U000e0fff]")  # fmt: skip


class Html(str):
    """Text that is HTML already. Only what is made of this is not escaped by the templates."""

    __slots__ = ()

    def __html__(self) -> str:
        """Return itself, as markupsafe asks for it."""
        return self


def text(value: Any, limit: int = CELL) -> str:
    """Return *value* as text of at most *limit* characters; `…` stands for what is cut."""
    if isinstance(value, str):
        whole = value
    elif isinstance(value, bytes | bytearray | memoryview):
        whole = bytes(value[: limit + 1]).hex()
    elif isinstance(value, float):
        whole = str(value).removesuffix(".0")
    elif isinstance(value, int) and not isinstance(value, bool):
        # Python refuses to write integers of more than 4,300 digits.
        return (
            str(value) if value.bit_length() < 256 else f"an integer of {value.bit_length()} bits"
        )
    else:
        whole = _structure(value, limit)
    return whole if len(whole) <= limit else whole[: limit - 1] + "…"


def _structure(value: Any, limit: int) -> str:
    if isinstance(value, Mapping):
        items = itertools.islice(value.items(), limit)
        return "{" + ", ".join(f"{text(k, limit)}: {text(v, limit)}" for k, v in items) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(text(item, limit) for item in value[:limit]) + "]"
    moment = hasattr(value, "hour") and hasattr(value, "year")
    return value.isoformat(" ") if moment else str(value)


def line(value: Any, limit: int = CELL) -> str:
    """Return *value* on one line in which nothing hides and nothing is obeyed."""
    return _HIDDEN.sub(lambda found: _sign(found[0]), text(value, limit))


def marked(value: Any, limit: int = CELL) -> Html:
    """Return *value* as HTML: escaped, with white space that matters as marks of its own."""
    if value is None:
        return Html('<span class="null">null</span>')
    shown = text(value, limit)
    if shown == "":
        return Html('<span class="null">empty</span>')
    if not _MARKED.search(shown):
        return Html(html.escape(shown))
    made, done = [], 0
    for found in _MARKED.finditer(shown):
        made += [html.escape(shown[done : found.start()]), "<i>", _signs(found[0]), "</i>"]
        done = found.end()
    return Html("".join((*made, html.escape(shown[done:]))))


def sentence(value: Any) -> str:
    """Return what the cleaner says on one line, cut, with the values in it made harmless."""
    return line(value, SENTENCE)


def rule_json(rule: Mapping[str, Any]) -> str:
    """Return a rule as JSON to copy; what cannot be seen is written as `\\u200b`."""
    written = json.dumps(rule, ensure_ascii=False, default=str)
    return _ESCAPED.sub(lambda found: json.dumps(found[0])[1:-1], written)


def _signs(run: str) -> str:
    return "·" * len(run) if run[0] == " " else _sign(run)


def _sign(character: str) -> str:
    return _SIGNS.get(character) or f"U+{ord(character):04X}"


def figure(value: Any) -> str:
    """Return a number as people read it: 1,234,567, 0.1235, 1.2e+15; other values as text."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return line(value)
    if isinstance(value, float) and not math.isfinite(value):
        return "∞" if value > 0 else "−∞" if value < 0 else "NaN"
    size = abs(value)
    if isinstance(value, int) and value.bit_length() >= 256:
        return text(value)
    if size and not 1e-4 <= size < 1e15:
        made = f"{value:.3g}"
    elif value == int(value):
        made = f"{int(value):,}"
    else:
        places = 1 if size >= 1_000 else 2 if size >= 10 else 4
        made = f"{value:,.{places}f}".rstrip("0").rstrip(".")
    return made.replace("-", "−", 1) if value < 0 else made


def share(part: float, whole: float = 1.0) -> str:
    """Return *part* of *whole* in percent: never 0 % of something, nor 100 % short of all."""
    percent = 100 * part / whole if whole else 0.0
    if 0 < percent < 0.1:
        return "<0.1\u00a0%"
    if 99.9 < percent < 100:
        return ">99.9\u00a0%"
    return f"{percent:.1f}".removesuffix(".0") + "\u00a0%"


def span(seconds: float) -> str:
    """Return a span of time in the unit that suits it: 30 s, 1.5 h, 12 days."""
    for unit, length in (("days", 86400.0), ("h", 3600.0), ("min", 60.0)):
        if abs(seconds) >= length:
            amount = seconds / length
            unit = "day" if unit == "days" and amount == 1 else unit
            return f"{figure(round(amount, 1))} {unit}"
    return f"{figure(round(seconds, 3))} s"


def kind(value: Kind) -> str:
    """Return a kind in words."""
    return value.value.replace("_", " ")


def action(name: str) -> str:
    """Return the name of an action in words."""
    return line(name.replace("_", " "), 60)


def joined(labels: Iterable[str], limit: int = 4) -> str:
    """Return names in a row, cut to *limit* of them: a, b and 7 more."""
    names = [line(label, 40) for label in labels]
    more = f" and {len(names) - limit:,} more" if len(names) > limit else ""
    return ", ".join(names[:limit]) + more


def counted(amount: int, one: str, many: str | None = None) -> str:
    """Return an amount with its noun: 1 row, 2,000 rows."""
    return f"{amount:,} {one if amount == 1 else many or one + 's'}"
