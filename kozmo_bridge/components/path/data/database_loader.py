"""Database Loader, for the sidebar."""

from kozmo_bridge.components.database_loader import DatabaseLoaderComponent


class DatabaseLoader(DatabaseLoaderComponent):
    """Rows of a database."""
