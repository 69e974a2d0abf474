"""Whether the data integration is switched on, and what it lacks here."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from functools import wraps
from importlib.util import find_spec
from typing import ParamSpec, TypeVar

from kozmo_singer.errors import ConfigError, MissingDriver

SWITCH = "ENABLE_MAGE_INTEGRATIONS"
TIMEOUT = "MAGE_INTEGRATION_TIMEOUT"
TIMEOUT_SECONDS = 300.0
PACKAGE = "kozmo-singer"
HOSTS = ("kozmoai", "lfx")
_CORE = ("pandas", "singer-sdk", "sqlalchemy")
_NAMED = re.compile(r"([A-Za-z0-9._-]+)(?:\[([^\]]*)\])?")
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


def check_mage_available(extra: str | None = None) -> bool:
    """Return whether what the data integration, or the *extra* named, is made of is installed."""
    return not lacking(extra)


def require_extra(extra: str, who: str) -> None:
    """Return if all of *extra* is installed, which *who* needs; MissingDriver says what to do."""
    if missing := lacking(extra):
        raise MissingDriver(who, "', '".join(missing), extra)


def require_mage(extra: str | None = None) -> Callable[[Callable[P, T]], Callable[P, T]]:
    """Return a decorator: the function raises ImportError where something is not installed.

    The message names what is missing, and the extra to install.
    """

    def decorate(function: Callable[P, T]) -> Callable[P, T]:
        @wraps(function)
        def checked(*args: P.args, **kwargs: P.kwargs) -> T:
            if missing := lacking(extra):
                raise ImportError(_told(missing, extra))
            return function(*args, **kwargs)

        return checked

    return decorate


def lacking(extra: str | None = None) -> list[str]:
    """Return the distributions that are not installed: those that *extra* names.

    Without an extra: the host, and what all parts of the data integration need. ConfigError where
    there is no such extra.
    """
    if extra is not None:
        return [name for name in _asked(extra) if not _installed(name)]
    host = [] if any(find_spec(name) for name in HOSTS) else ["kozmoai-base"]
    return host + [name for name in _CORE if not _installed(name)]


def _asked(extra: str) -> list[str]:
    """Return what *extra* and the extras within it ask for, as the installed package says."""
    from importlib.metadata import PackageNotFoundError, metadata

    try:
        package = metadata(PACKAGE)
    except PackageNotFoundError:
        return [PACKAGE]
    known = package.get_all("Provides-Extra") or []
    if extra not in known:
        from kozmo_singer.settings import did_you_mean

        raise ConfigError(f"there is no extra '{extra}'", *did_you_mean(extra, known))
    asked: dict[str, None] = {}
    todo, seen = [extra], {extra}
    while todo:
        mark = re.compile(rf"extra == ['\"]{re.escape(todo.pop())}['\"]")
        for line in package.get_all("Requires-Dist") or []:
            named, _, when = line.partition(";")
            match = _NAMED.match(named.strip()) if mark.search(when) else None
            if match and match[1].lower() == PACKAGE:
                within = {name.strip() for name in (match[2] or "").split(",")} - seen
                seen |= within
                todo += sorted(within)
            elif match:
                asked[match[1]] = None
    return list(asked)


def _installed(name: str) -> bool:
    from importlib.metadata import PackageNotFoundError, distribution

    try:
        distribution(name)
    except PackageNotFoundError:
        return False
    return True


def _told(missing: list[str], extra: str | None) -> str:
    host = "kozmoai-base " if "kozmoai-base" in missing else ""
    what = f"'{PACKAGE}[{extra or 'data-integration'}]'"
    part = f"the extra {extra}" if extra else "the data integration"
    return f"{part} needs {', '.join(missing)}; run: pip install {host}{what}"
