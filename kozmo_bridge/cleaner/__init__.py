"""The cleaner: says what each column is and what is wrong with it, and puts it right.

    from kozmo_bridge.cleaner import clean, profile, suggest

    seen = profile(frame)                 # types, statistics, insights
    rules = suggest(seen)                 # what could be done, with examples and the risk
    result = clean(frame, "auto")         # the safe ones alone; result.frame, result.log

Frames are pandas, polars or Arrow tables, KozmoAI DataFrames, lists of Data or of dicts; what
comes out is of the kind that came in. Importing this package loads no library.
"""

from typing import TYPE_CHECKING, Any

_HOME = {
    "CleanResult": "kozmo_bridge.cleaner.cleaning",
    "Cleaner": "kozmo_bridge.cleaner.cleaning",
    "ColumnProfile": "kozmo_bridge.cleaner.model",
    "Kind": "kozmo_bridge.cleaner.kinds",
    "Profile": "kozmo_bridge.cleaner.model",
    "Rule": "kozmo_bridge.cleaner.rules",
    "Rules": "kozmo_bridge.cleaner.rules",
    "Suggestion": "kozmo_bridge.cleaner.model",
    "clean": "kozmo_bridge.cleaner.cleaning",
    "profile": "kozmo_bridge.cleaner.profiling",
    "suggest": "kozmo_bridge.cleaner.suggesting",
}
__all__ = sorted(_HOME)

if TYPE_CHECKING:
    from kozmo_bridge.cleaner.cleaning import Cleaner as Cleaner
    from kozmo_bridge.cleaner.cleaning import CleanResult as CleanResult
    from kozmo_bridge.cleaner.cleaning import clean as clean
    from kozmo_bridge.cleaner.kinds import Kind as Kind
    from kozmo_bridge.cleaner.model import ColumnProfile as ColumnProfile
    from kozmo_bridge.cleaner.model import Profile as Profile
    from kozmo_bridge.cleaner.model import Suggestion as Suggestion
    from kozmo_bridge.cleaner.profiling import profile as profile
    from kozmo_bridge.cleaner.rules import Rule as Rule
    from kozmo_bridge.cleaner.rules import Rules as Rules
    from kozmo_bridge.cleaner.suggesting import suggest as suggest


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOME[name]), name)


def __dir__() -> list[str]:
    return __all__
