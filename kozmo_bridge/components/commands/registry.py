"""The commands by name. Nothing is imported until one is called."""

from kozmo_singer.scripts import Entry

COMMANDS = {
    "components-path": Entry(
        "kozmo_bridge.components.commands.components_path:command",
        "data-integration",
        "Print the folder for KOZMOAI_COMPONENTS_PATH.",
    ),
}
