"""Dates and times in Arrow as the texts that our RECORD messages have for them.

Nothing here loads pandas or pyarrow.compute, as to_pylist() of moments does: to a tap that spells
one row for a bookmark that would be half of its start.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kozmo_singer.wire.arrow import pyarrow

if TYPE_CHECKING:
    import pyarrow as pa

Texts = list[str | None]


def days(array: pa.Array) -> Texts:
    """Return ISO dates."""
    return list(array.cast("string").to_pylist())


def clocks(array: pa.Array) -> Texts:
    """Return ISO times, with a fraction only where there is one, and no zero at its end."""
    return _short(array, "time32[s]")


def moments(array: pa.Array, mark: str = "") -> Texts:
    """Return ISO timestamps, those with a zone in UTC, as `clocks` and with *mark* behind them."""
    # Arrow spells moments with a zone forty times more slowly; without one they stay in UTC.
    texts = _short(array.cast("timestamp[us]"), "timestamp[s]")
    return [None if text is None else text.replace(" ", "T", 1) + mark for text in texts]


def _short(array: pa.Array, whole: str) -> Texts:
    """Texts of *array*; *whole* is the type that has no fractions of a second."""
    pa = pyarrow("Arrow")
    try:
        return list(array.cast(whole).cast("string").to_pylist())
    except pa.ArrowInvalid:
        texts = array.cast("string").to_pylist()
    return [None if text is None else text.rstrip("0").rstrip(".") for text in texts]
