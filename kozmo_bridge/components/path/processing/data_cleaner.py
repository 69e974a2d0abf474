"""Data Cleaner, for the sidebar."""

from kozmo_bridge.components.data_cleaner import DataCleanerComponent


class DataCleaner(DataCleanerComponent):
    """Clean data."""
