"""What a server says of when to ask again."""

from __future__ import annotations

import time
from email.utils import parsedate_to_datetime


def retry_after(header: str | None) -> float | None:
    """Return the seconds that Retry-After asks for, a number or a date; None where it is neither.

    https://www.rfc-editor.org/rfc/rfc9110#field.retry-after
    """
    if not header:
        return None
    try:
        seconds = float(header)
    except ValueError:
        try:
            seconds = parsedate_to_datetime(header).timestamp() - time.time()
        except ValueError:
            return None
    return max(seconds, 0.0)
