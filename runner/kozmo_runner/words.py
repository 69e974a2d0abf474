"""Numbers, times and tables as people read them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from typing import Any

from kozmo_singer.errors import ConfigError

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def number(value: float | None) -> str:
    """Return 1234567 as 1,234,567; a dash for what is not known."""
    return "-" if value is None else f"{value:,.0f}"


def size(value: float | None) -> str:
    """Return bytes as 12.3 MB; a dash for what is not known."""
    if value is None:
        return "-"
    for unit in ("B", "kB", "MB", "GB"):
        if value < 1000:
            return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"
        value /= 1000
    return f"{value:.1f} TB"


def clock(seconds: float) -> str:
    """Return seconds as 0:42 or 1:02:03."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def span(seconds: float) -> str:
    """Return seconds as 0.42 s, 42.1 s, or 1:02:03."""
    return f"{seconds:.2f} s" if seconds < 10 else f"{seconds:.1f} s" if seconds < 60 else (
        clock(seconds)
    )  # fmt: skip


def duration(text: str) -> float:
    """Return the seconds that "90", "90s", "15m", "2h" or "1d" mean."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([smhd]?)", text.strip())
    if not found or float(found[1]) == 0:
        raise ConfigError(f"'{text}' is no time span", "try 90, 90s, 15m, 2h or 1d")
    return float(found[1]) * _UNITS[found[2] or "s"]


def cell(value: Any, width: int = 40) -> str:
    """Return a value on one line of at most *width* characters; what a terminal obeys is shown."""
    if value is None:
        return ""
    text = value if isinstance(value, str) else _plain(value)
    text = _CONTROL.sub(lambda found: found[0].encode("unicode_escape").decode(), text)
    return text if len(text) <= width else text[: width - 1] + "…"


def table(heads: Sequence[str], rows: Iterable[Sequence[str]], right: Sequence[int] = ()) -> str:
    """Return a table in plain text, the columns numbered in *right* flush right."""
    lines = [list(heads), *(list(row) for row in rows)]
    widths = [max(len(line[i]) for line in lines) for i in range(len(heads))]
    lines.insert(1, ["-" * width for width in widths])
    return "\n".join(
        "  ".join(
            text.rjust(width) if i in right else text.ljust(width)
            for i, (text, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    )


def _plain(value: Any) -> str:
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, dict | list | bool):
        return json.dumps(value, ensure_ascii=False, default=str)
    return str(value)
