"""Whether others on the way can listen, and what is said of it."""

from __future__ import annotations

import logging
from functools import cache

_log = logging.getLogger("kozmo_singer")


def is_local(host: str) -> bool:
    """Return whether *host* is this machine, so that the wire cannot be listened to."""
    return not host or host in ("localhost", "::1") or host.startswith(("127.", "/", "@"))


@cache
def warn_of(risk: str) -> None:
    """Log *risk* as a warning, once in the life of the process."""
    _log.warning("%s", risk)
