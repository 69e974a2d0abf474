"""The one place that imports KozmoAI. It takes seconds, so it happens on the first use."""

from __future__ import annotations

import warnings
from functools import cache
from typing import Any, NamedTuple

from kozmo_singer.errors import KozmoError, MissingDriver

BREAKING_NAMES = frozenset({"data", "model_dump"})
"""Columns that make KozmoAI take its DataFrame for a Data object or a model, and fail."""


class Host(NamedTuple):
    """KozmoAI's own classes."""

    Data: Any
    DataFrame: Any


class MissingHost(MissingDriver):
    """KozmoAI is not installed beside the bridge."""

    def __init__(self) -> None:
        KozmoError.__init__(
            self,
            "KozmoAI's Data and DataFrame need 'kozmoai-base'; run: pip install kozmoai-base",
            "without it there are to_dicts(), to_pandas() and to_arrow()",
        )


@cache
def host() -> Host:
    """Return KozmoAI's classes; MissingHost where it is not installed."""
    with warnings.catch_warnings():
        # What the host's own dependencies warn of is not for our callers to see or to fail on.
        warnings.simplefilter("ignore")
        try:
            # First of all: kozmoai.custom and kozmoai.io import each other in a circle, which
            # only an import that begins here gets out of.
            import kozmoai.graph  # noqa: F401  # for its effect
            from kozmoai.schema import Data
            from kozmoai.schema.dataframe import DataFrame
        except ModuleNotFoundError as error:
            if (error.name or "").partition(".")[0] == "kozmoai":
                raise MissingHost from error
            raise KozmoError(
                "KozmoAI is installed and cannot be imported", f"it needs '{error.name}'"
            ) from error
    return Host(Data, DataFrame)
