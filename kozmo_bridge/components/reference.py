"""The modules of KozmoAI's first data integration, for flows that were saved with it.

The nodes of such a flow carry their code, which imports kozmoai.integrations.mage. Where the host
has no such modules, a finder behind all others answers with ours: names of kozmo_bridge.adapters,
looked up when they are used. Nothing of the host is changed.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

ROOT = "kozmoai.integrations"
_SOURCES = ("BaseSourceAdapter", "FileSourceAdapter", "S3SourceAdapter", "SQLSourceAdapter")
_DESTINATIONS = ("BaseDestinationAdapter", "SQLDestinationAdapter")
_CONVERTERS = (
    "clean_dataframe_types",
    "data_list_to_dataframe",
    "dataframe_to_data_list",
    "singer_record_to_data",
)
_AVAILABILITY = ("check_mage_available", "require_mage")
_PACKAGES = {
    "": (),
    ".mage": ("check_mage_available",),
    ".mage.destinations": _DESTINATIONS,
    ".mage.sources": _SOURCES,
    ".mage.transformers": ("DataCleanerTransformer",),
    ".mage.utils": (*_AVAILABILITY, *_CONVERTERS),
}
_MODULES = {
    ".mage.destinations.base": ("BaseDestinationAdapter",),
    ".mage.destinations.sql": ("SQLDestinationAdapter",),
    ".mage.sources.base": ("BaseSourceAdapter",),
    ".mage.sources.file": ("FileSourceAdapter", "S3SourceAdapter"),
    ".mage.sources.sql": ("SQLSourceAdapter",),
    ".mage.transformers.cleaner": ("DataCleanerTransformer",),
    ".mage.utils.availability": _AVAILABILITY,
    ".mage.utils.converters": _CONVERTERS,
}
NAMES = {f"{ROOT}{name}": names for name, names in {**_PACKAGES, **_MODULES}.items()}
"""By module, what flows may import from it."""


class Finder(MetaPathFinder, Loader):
    """Finds the modules of NAMES; also loads them."""

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return our module of that name, None where its parent is the host's own.

        The host's own `integrations` may lack `mage`; within its own `mage` nothing is ours.
        """
        if name not in NAMES:
            return None
        parent = sys.modules.get(name.rpartition(".")[0])
        if name.startswith(f"{ROOT}.mage.") and not _ours(parent):
            return None
        package = name.removeprefix(ROOT) in _PACKAGES
        return ModuleSpec(name, self, origin="kozmo_bridge.adapters", is_package=package)

    def exec_module(self, module: ModuleType) -> None:
        """Give *module* its names."""
        names = NAMES[module.__name__]

        def get(name: str) -> Any:
            if name in names:
                from kozmo_bridge import adapters

                return getattr(adapters, name)
            raise AttributeError(f"module {module.__name__!r} has no attribute {name!r}")

        module.__doc__ = "Of kozmo_bridge.adapters, for flows of the first data integration."
        module.__dict__.update(__getattr__=get, __all__=list(names))


def install() -> None:
    """Put the finder behind all others, once."""
    if not any(isinstance(finder, Finder) for finder in sys.meta_path):
        sys.meta_path.append(Finder())


def host_has_its_own() -> bool:
    """Return whether the host brings modules of a data integration itself."""
    from importlib.util import find_spec

    found = find_spec(f"{ROOT}.mage") if find_spec("kozmoai") is not None else None
    return found is not None and not isinstance(found.loader, Finder)


def _ours(module: ModuleType | None) -> bool:
    spec = getattr(module, "__spec__", None)
    return spec is not None and isinstance(spec.loader, Finder)
