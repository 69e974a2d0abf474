"""The files that the host loads: thin classes over those of this package."""

from __future__ import annotations

from pathlib import Path

FOLDER = Path(__file__).parent / "path"
"""For KOZMOAI_COMPONENTS_PATH; its folders are the categories of the host's sidebar."""


def stubs(folder: Path = FOLDER) -> list[Path]:
    """Return the component files in *folder*, in the order of the sidebar's names."""
    files = [*folder.glob("*.py"), *folder.glob("*/*.py")]
    return sorted(file for file in files if not file.name.startswith("__"))
