"""Singer Source, for the sidebar."""

from kozmo_bridge.components.singer_source import SingerSourceComponent


class SingerSource(SingerSourceComponent):
    """Rows of any tap."""
