"""Dataclasses of the cleaner as what JSON can hold."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from enum import Enum
from typing import Any

UNSAID = frozenset({"values"})
"""Fields that are left out: frames, which are for the cleaner itself."""


def plain(value: Any) -> Any:
    """Return *value* with dataclasses as dicts and whatever JSON lacks as text.

    Infinities and NaN are texts (`inf`, `-inf`, `nan`): JSON has no numbers for them.
    """
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {
            field.name: plain(getattr(value, field.name))
            for field in dataclasses.fields(value)
            if field.name not in UNSAID
        }
    if isinstance(value, Enum):
        return value.value
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, bytes):
        return value.hex()
    return value.isoformat() if hasattr(value, "isoformat") else str(value)
