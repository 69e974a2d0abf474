"""Names in SQL, as the standard quotes them."""

from __future__ import annotations

import re

from kozmo_singer.errors import ConfigError

_NO_NAME = re.compile("[\0\ud800-\udfff]")


def is_text(text: str) -> bool:
    """Return whether SQL can hold *text*: no NUL is in it, and no half of a surrogate pair."""
    return not _NO_NAME.search(text)


def quote(identifier: str) -> str:
    """Return *identifier* as a quoted SQL name.

    A NUL and half a surrogate pair, which no name can hold, are refused.
    """
    if not is_text(identifier):
        raise ConfigError(f"no database can have the name {identifier!r}")
    return '"' + identifier.replace('"', '""') + '"'
