"""The cleaner between a tap and a target. The console scripts are attributes made on demand."""

from collections.abc import Callable


def __getattr__(name: str) -> Callable[[], None]:
    from kozmo_bridge.cleaner.pipe.registry import MAPPERS
    from kozmo_singer.scripts import script

    return script(name.replace("_", "-"), MAPPERS)
