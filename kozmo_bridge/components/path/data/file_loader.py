"""File Loader, for the sidebar."""

from kozmo_bridge.components.file_loader import FileLoaderComponent


class FileLoader(FileLoaderComponent):
    """Rows of files."""
