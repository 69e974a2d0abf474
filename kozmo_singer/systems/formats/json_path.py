"""Where the records of a JSON document stand, in words that are a part of JSONPath."""

from __future__ import annotations

import re

Step = str | None
"""The name of a member, or None for all elements of an array."""
_STEP = re.compile(r"""\.?([^.\[\]'"$\s]+)|\.?\[(\*?)\]|\[(?:'([^']*)'|"([^"]*)")\]""")


def parsed_path(text: str) -> tuple[Step, ...]:
    """Return the steps of a path such as data.items or $.pages[*].items; ValueError for others."""
    steps: list[Step] = []
    place = 1 if text.startswith("$") else 0
    while place < len(text):
        match = _STEP.match(text, place)
        if match is None:
            raise ValueError(
                f"json_path names members and arrays, as data.items or $.pages[*].items, got {text}"
            )
        steps.append(next((name for name in match.group(1, 3, 4) if name is not None), None))
        place = match.end()
    return tuple(steps)
