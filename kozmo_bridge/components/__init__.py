"""Components for KozmoAI's canvas; each spawns plug-ins by the runner.

`kozmo components-path` prints the folder for KOZMOAI_COMPONENTS_PATH. Importing this package
imports nothing of the host; its modules import it. From then on flows of KozmoAI's first data
integration run too: see reference.py.
"""

from typing import TYPE_CHECKING, Any

from kozmo_bridge.components.reference import install

if TYPE_CHECKING:
    from kozmo_bridge.components.registering import (
        register_data_integration_components as register_data_integration_components,
    )

install()


def __getattr__(name: str) -> Any:
    if name != "register_data_integration_components":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from kozmo_bridge.components.registering import register_data_integration_components

    return register_data_integration_components
