"""Every error that a user of kozmo-singer can meet, and how it is shown.

KozmoError
    ConfigError      settings, arguments or files that name something wrong (exit 2)
    MissingDriver    an optional package is not installed
    ConnectError     the system cannot be reached or refuses the login
    DiscoverError    the catalogue of the system cannot be read
    ReadError        a stream cannot be read
    WriteError       a stream cannot be written
    RecordError      a message or record does not fit its schema
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import Any

RETRYABLE = "retryable"
"""The metric by which a plug-in that failed says that another attempt may do."""


class KozmoError(Exception):
    """What went wrong in one line, then lines that say where and what to do about it."""

    exit_code = 1
    retryable = False
    """Whether another attempt may do: a connection was lost, or another run came first."""

    def __init__(self, message: str, *details: str) -> None:
        super().__init__(message)
        self.message = message
        self.details = details

    def __str__(self) -> str:
        return "\n  ".join((self.message, *self.details))


class ConfigError(KozmoError):
    """Settings, arguments or files that name something wrong; the exit code is that of usage."""

    exit_code = 2


class MissingDriver(KozmoError):
    """An optional package is not installed; the message says which extra brings it."""

    def __init__(self, plugin: str, package: str, extra: str) -> None:
        super().__init__(f"{plugin} needs '{package}'; run: pip install 'kozmo-singer[{extra}]'")


class ConnectError(KozmoError):
    """The system cannot be reached or refuses the login."""


class DiscoverError(KozmoError):
    """The catalogue of the system cannot be read."""


class ReadError(KozmoError):
    """A stream cannot be read."""


class WriteError(KozmoError):
    """A stream cannot be written."""


class RecordError(KozmoError):
    """A message that cannot be taken: which stream, which line of the input, which JSON path.

    rows holds the good records that came before it in the same piece of input, if any; of_record
    is false where no single record is at fault, so that none can be set aside.
    """

    def __init__(
        self,
        message: str,
        *details: str,
        stream: str | None = None,
        line: int | None = None,
        path: str | None = None,
        of_record: bool = True,
    ) -> None:
        place = f"line {line}" if line else ""
        if path:
            place = f"{place}, {path}" if place else path
        where = message if not place else f"{place}: {message}"
        head = f"cannot read stream {stream}" if stream else "cannot read the input"
        super().__init__(head, where, *details)
        self.stream, self.line, self.path, self.reason = stream, line, path, message
        self.rows: Any = None
        self.of_record = of_record


MAX_LINES = 6
_MASK = "****"


def scrub(text: str, secrets: Iterable[str]) -> str:
    """Return *text* with every secret of four or more characters replaced by asterisks."""
    for secret in sorted({s for s in secrets if len(s) >= 4}, key=len, reverse=True):
        text = text.replace(secret, _MASK)
    return text


def show(error: BaseException, secrets: Iterable[str] = ()) -> str:
    """Return *error* as at most six lines for a terminal, without secrets or a traceback."""
    text = str(error) if isinstance(error, KozmoError) else f"{type(error).__name__}: {error}"
    lines = [line.rstrip() for line in text.splitlines() if line.strip()]
    if len(lines) > MAX_LINES:
        lines = [*lines[: MAX_LINES - 1], "  ..."]
    return scrub("Error: " + "\n".join(lines or ["unknown"]), secrets)


def report(error: BaseException, secrets: Iterable[str] = ()) -> int:
    """Print *error* on standard error and return the exit code that goes with it."""
    sys.stderr.write(show(error, secrets) + "\n")
    sys.stderr.flush()
    return error.exit_code if isinstance(error, KozmoError) else 1
