"""suggest(): the rules that could be applied to a table, with what they would change."""

from __future__ import annotations

from kozmo_bridge.cleaner.model import Profile, Suggestion


def suggest(profile: Profile) -> list[Suggestion]:
    """Return what could be done, the most worthwhile first."""
    return []
