"""Type Converter, for the sidebar."""

from kozmo_bridge.components.type_converter import TypeConverterComponent


class TypeConverter(TypeConverterComponent):
    """Convert types."""
