"""Singer targets. The console scripts are attributes made from the registry on demand."""

from collections.abc import Callable


def __getattr__(name: str) -> Callable[[], None]:
    from kozmo_singer.scripts import script
    from kozmo_targets.registry import TARGETS

    return script(name.replace("_", "-"), TARGETS)
