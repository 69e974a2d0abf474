"""The one place that imports the host: KozmoAI, or Langflow, from which it was forked.

It takes seconds, so it happens on the first use.
"""

from __future__ import annotations

import warnings
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from typing import Any, NamedTuple

from kozmo_singer.errors import KozmoError, MissingDriver

BREAKING_NAMES = frozenset({"data", "model_dump"})
"""Columns that make KozmoAI take its DataFrame for a Data object or a model, and fail."""
HOSTS = ("kozmoai", "lfx")
"""The packages that may be the host, the first one that is installed being it."""
PRODUCTS = {"kozmoai": "KozmoAI", "lfx": "Langflow"}


class Host(NamedTuple):
    """The host's own classes."""

    Data: Any
    DataFrame: Any
    Message: Any


class MissingHost(MissingDriver):
    """KozmoAI is not installed beside the bridge."""

    def __init__(self) -> None:
        KozmoError.__init__(
            self,
            "KozmoAI's Data and DataFrame need 'kozmoai-base'; run: pip install kozmoai-base",
            "without it there are to_dicts(), to_pandas() and to_arrow()",
        )


@cache
def name() -> str:
    """Return the package that is the host; MissingHost where there is none."""
    for package in HOSTS:
        if find_spec(package) is not None:
            return package
    raise MissingHost


def product() -> str:
    """Return what users call the host, KozmoAI where there is none."""
    try:
        return PRODUCTS[name()]
    except MissingHost:
        return PRODUCTS[HOSTS[0]]


def variable(setting: str) -> str:
    """Return the environment variable of a setting of the host, such as COMPONENTS_PATH."""
    return f"{product().upper()}_{setting}"


def module(path: str) -> Any:
    """Return a module of the host, such as `schema.message`."""
    host = name()
    with warnings.catch_warnings():
        # What the host's own dependencies warn of is not for our callers to see or to fail on.
        warnings.simplefilter("ignore")
        try:
            # First of all: custom and io import each other in a circle, which only an import
            # that begins here gets out of.
            import_module(f"{host}.graph")
            return import_module(f"{host}.{path}")
        except ModuleNotFoundError as error:
            raise KozmoError(
                f"{host} is installed and cannot be imported", f"it needs '{error.name}'"
            ) from error


@cache
def host() -> Host:
    """Return the host's classes; MissingHost where it is not installed."""
    return Host(
        module("schema").Data,
        module("schema.dataframe").DataFrame,
        module("schema.message").Message,
    )
