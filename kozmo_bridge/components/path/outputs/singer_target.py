"""Singer Target, for the sidebar."""

from kozmo_bridge.components.singer_target import SingerTargetComponent


class SingerTarget(SingerTargetComponent):
    """Rows into any target."""
