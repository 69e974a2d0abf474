"""Database Exporter, for the sidebar."""

from kozmo_bridge.components.database_exporter import DatabaseExporterComponent


class DatabaseExporter(DatabaseExporterComponent):
    """Rows into a table of a database."""
