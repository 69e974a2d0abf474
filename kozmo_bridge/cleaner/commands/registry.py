"""The commands by name. Nothing is imported until one is called."""

from kozmo_singer.scripts import Entry

_HERE = "kozmo_bridge.cleaner.commands"
COMMANDS = {
    "profile": Entry(
        f"{_HERE}.profile:command", "clean", "Show what a file or a stream holds, and its faults."
    ),
    "clean": Entry(
        f"{_HERE}.clean:command", "clean", "Suggest how a file can be put right, and do it."
    ),
}
