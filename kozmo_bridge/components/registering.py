"""The components as classes, for a host that registers them itself."""

from __future__ import annotations

import logging
from importlib import import_module
from inspect import isclass
from pathlib import Path
from typing import Any

from kozmo_bridge.availability import lacking, require_enabled
from kozmo_bridge.components.stubs import FOLDER, stubs
from kozmo_singer.errors import KozmoError

LOG = logging.getLogger("kozmo_bridge")


def register_data_integration_components(folder: Path = FOLDER) -> list[type]:
    """Return the classes of all components, in the order of their names.

    The list is empty, and a warning in the log says what to do, where the integration is switched
    off, the host or a library is not installed, or a module cannot be loaded.
    """
    try:
        require_enabled()
    except KozmoError as error:
        return _none(str(error))
    if missing := lacking():
        return _none(
            f"{', '.join(missing)} is not installed; "
            "run: pip install kozmoai-base 'kozmo-singer[data-integration]'"
        )
    found, name = [], ""
    try:
        for name in sorted(file.stem for file in stubs(folder)):
            found += _classes(import_module(f"kozmo_bridge.components.{name}"))
    except Exception as error:  # noqa: BLE001 - whatever is wrong with it, the host goes on
        return _none(f"{name} cannot be loaded: {type(error).__name__}: {error}")
    return found


def _classes(module: Any) -> list[type]:
    """Return the components that *module* defines: those with a name of their own."""
    return [
        found
        for found in vars(module).values()
        if isclass(found)
        and found.__module__ == module.__name__
        and "name" in vars(found)
        and hasattr(found, "update_build_config")
    ]


def _none(why: str) -> list[type]:
    LOG.warning("no data integration components: %s", " ".join(why.split()))
    return []
