"""suggest(): the rules that could be applied to a table, with what they would change."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from kozmo_bridge.cleaner.model import Profile, Suggestion
from kozmo_bridge.cleaner.suggestions import tables, texts, types

_LOOKS: tuple[Callable[[Profile], Iterator[Suggestion | None]], ...] = (
    texts.writing,
    types.nothings,
    types.invalid,
    types.typing,
    texts.spelling,
    types.standards,
    types.structure,
    tables.rows,
    tables.gaps,
    tables.columns,
    tables.names,
)
"""In the order in which their rules are to be applied: writing before reading, reading before
filling, columns after that; names last, as all others go by the names that were."""


def suggest(profile: Profile) -> list[Suggestion]:
    """Return what could be done, in the order in which it is to be done.

    Each names the risk: `safe` rules lose nothing and are what clean(frame, "auto") applies.
    """
    return [found for look in _LOOKS for found in look(profile) if found is not None]
