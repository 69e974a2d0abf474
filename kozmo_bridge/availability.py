"""Whether the data integration is switched on, and what it lacks here."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import wraps
from importlib.util import find_spec
from typing import ParamSpec, TypeVar

from kozmo_singer.errors import ConfigError

SWITCH = "ENABLE_MAGE_INTEGRATIONS"
TIMEOUT = "MAGE_INTEGRATION_TIMEOUT"
TIMEOUT_SECONDS = 300.0
_ON = ("1", "true", "yes", "on", "t")

P = ParamSpec("P")
T = TypeVar("T")


def enabled() -> bool:
    """Return whether ENABLE_MAGE_INTEGRATIONS switches the components on; they are off without."""
    return os.environ.get(SWITCH, "").strip().lower() in _ON


def require_enabled() -> None:
    """Return if the data integration is switched on; ConfigError says how to do that."""
    if not enabled():
        raise ConfigError(
            "the data integration is switched off",
            f"set {SWITCH}=true in KozmoAI's environment and start it again",
        )


def timeout_seconds() -> float | None:
    """Return how long a component may work: MAGE_INTEGRATION_TIMEOUT, 300 s without; 0 is ever."""
    text = os.environ.get(TIMEOUT, "").strip()
    if not text:
        return TIMEOUT_SECONDS
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds < float("inf"):
        raise ConfigError(f"{TIMEOUT} is no number of seconds: {text[:40]}")
    return seconds or None


def check_mage_available() -> bool:
    """Return whether what the data integration is made of is installed."""
    return not _lacking()


def require_mage() -> Callable[[Callable[P, T]], Callable[P, T]]:
    """Return a decorator: the function raises ImportError where something is not installed.

    The message says what to install.
    """

    def decorate(function: Callable[P, T]) -> Callable[P, T]:
        @wraps(function)
        def checked(*args: P.args, **kwargs: P.kwargs) -> T:
            if lacking := _lacking():
                raise ImportError(
                    f"the data integration needs {', '.join(lacking)}; "
                    "run: pip install kozmoai-base 'kozmo-singer[data-integration]'"
                )
            return function(*args, **kwargs)

        return checked

    return decorate


def _lacking() -> list[str]:
    needed = ("kozmoai", "pandas", "singer_sdk", "sqlalchemy")
    return [package for package in needed if find_spec(package) is None]
