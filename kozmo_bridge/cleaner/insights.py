"""What is remarkable about a table, in sentences with their numbers."""

from __future__ import annotations

from kozmo_bridge.cleaner.model import Insight, Profile


def insights(profile: Profile) -> tuple[Insight, ...]:
    """Return the insights, those that matter most first."""
    return ()
