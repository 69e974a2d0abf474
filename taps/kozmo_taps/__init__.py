"""Singer taps. The console scripts are attributes made from the registry on demand."""

from collections.abc import Callable


def __getattr__(name: str) -> Callable[[], None]:
    from kozmo_singer.scripts import script
    from kozmo_taps.registry import TAPS

    return script(name.replace("_", "-"), TAPS)
