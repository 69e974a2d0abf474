"""Names of columns, which may be anything, as labels: unique texts that every library takes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from kozmo_bridge.cleaner.cells import text_of

NUL_SIGN = "\u2400"
"""Stands for NUL, which ends names in Arrow, and begins the names of hidden columns."""


def labels_of(names: Iterable[Any], taken: Iterable[str] = ()) -> list[str]:
    """Return a text for each of *names*: `a`, the second one `a_2`, or the next that is free.

    Texts stay what they are, but for NUL, halves of characters, and the few that polars takes for
    patterns (`*`, `^…$`), which get an underscore at the end. The levels of a tuple are joined by
    ` / `; None is `null`. What is in *taken* is used already.
    """
    texts = [_label(name) for name in names]
    reserved, used = set(texts), set(taken)
    if not used and len(reserved) == len(texts):
        return texts
    found, numbers = [], dict.fromkeys(texts, 2)
    for text in texts:
        unique = text
        while unique in used or (unique != text and unique in reserved):
            unique = f"{text}_{numbers[text]}"
            numbers[text] += 1
        used.add(unique)
        found.append(unique)
    return found


def _label(name: Any) -> str:
    if isinstance(name, tuple):
        return " / ".join(_label(part) for part in name if part != "") if name else ""
    text = text_of(name, missing="null").replace("\0", NUL_SIGN)
    pattern = text == "*" or (text.startswith("^") and text.endswith("$"))
    return f"{text}_" if pattern else text
