"""What taps and targets have in common: a name, settings, and a way to be asked about."""

from __future__ import annotations

import gc
import json
import signal
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any, ClassVar

from kozmo_singer import __version__
from kozmo_singer.settings import Setting, config_schema, groups, resolve, secrets_of

_PATIENCE_SECONDS = 8
"""How long a process that was asked to end may go on with what it does."""


class Stopping:
    """Whether the process was asked to stop (SIGTERM or SIGINT), and by which signal."""

    signal: int | None = None
    _waiting = 0

    @property
    def requested(self) -> bool:
        """True once a signal asked for an end; engines look at it between two batches."""
        return self.signal is not None

    def listen(self) -> None:
        """Take SIGTERM and SIGINT as a wish to end soon; a second one ends at once.

        What does not end within ten seconds is interrupted wherever it is.
        """
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._ask)

    @contextmanager
    def at_once(self) -> Iterator[None]:
        """Have a signal interrupt the block wherever it is, by KeyboardInterrupt.

        It is for questions to another system, while nothing is half written.
        """
        if self.requested:
            raise KeyboardInterrupt
        self._waiting += 1
        try:
            yield
        finally:
            self._waiting -= 1

    def _ask(self, number: int, _: Any) -> None:
        self.signal = number
        signal.signal(number, signal.SIG_DFL)
        # What is under way may take any time: another session of a database may hold a lock.
        signal.signal(signal.SIGALRM, self._insist)
        signal.alarm(_PATIENCE_SECONDS)
        if self._waiting:
            raise KeyboardInterrupt

    def done(self) -> None:
        """The process has come to its end by itself."""
        if self.requested:
            signal.alarm(0)

    def _insist(self, *_: Any) -> None:
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.alarm(1)
        raise KeyboardInterrupt


stopping = Stopping()


@dataclass(frozen=True)
class Shortcut:
    """An option --NAME N of the command line, which stands for `settings(N)`."""

    name: str
    help: str
    settings: Callable[[int], dict[str, Any]]


class Plugin(ABC):
    """A tap or a target. Making one checks its configuration and opens nothing."""

    name: ClassVar[str]
    summary: ClassVar[str]
    settings: ClassVar[tuple[Setting, ...]] = ()
    capabilities: ClassVar[tuple[str, ...]] = ()
    examples: ClassVar[tuple[str, ...]] = ()
    shortcuts: ClassVar[tuple[Shortcut, ...]] = ()
    needs: ClassVar[Mapping[str, tuple[str, ...]]] = {}
    """Modules without which a capability is not there."""

    def __init__(self, config: Mapping[str, Any]) -> None:
        self.config = resolve(self.name, self.settings, config)

    @property
    def secrets(self) -> list[str]:
        """The values that no output may show."""
        return secrets_of(self.settings, self.config)

    @abstractmethod
    def check(self) -> str:
        """Connect, and return one line in words about what was found."""


def asks_for_maps(config: Mapping[str, Any]) -> bool:
    """Whether *config* wants stream maps or flattening, which kozmo_singer.mapping does."""
    return bool(config.get("stream_maps") or config.get("flattening_enabled"))


def about(plugin: type[Plugin]) -> dict[str, Any]:
    """Return what --about prints, in the shape of the Singer SDK."""
    return {
        "name": plugin.name,
        "description": plugin.summary,
        "version": __version__,
        "sdk_version": None,
        "supported_python_versions": ["3.10", "3.11", "3.12", "3.13"],
        "capabilities": capabilities(plugin),
        "settings": config_schema(plugin.settings),
    }


def capabilities(plugin: type[Plugin]) -> list[str]:
    """Return what *plugin* can do here, with what is installed."""
    return [
        name
        for name in plugin.capabilities
        if all(find_spec(module) for module in plugin.needs.get(name, ()))
    ]


def about_text(plugin: type[Plugin], format: str) -> str:
    """Return --about as json, markdown or plain text."""
    if format == "json":
        return json.dumps(about(plugin), indent=2)
    if format == "markdown":
        title = [f"# `{plugin.name}`", "", plugin.summary + ".", "", "## Settings", ""]
        tables: list[str] = []
        for group, settings in groups(plugin.settings).items():
            tables += ["", f"### {group}", ""] if group else []
            tables += _table(settings)
        able = ["", "## Capabilities", ""] + [f"* `{c}`" for c in capabilities(plugin)]
        return "\n".join([*title, *tables, *able])
    lines = [f"{plugin.name} {__version__}: {plugin.summary}", ""]
    for group, settings in groups(plugin.settings).items():
        lines += ["", f"  {group}", ""] if group else []
        lines += [f"  {s.name}: {_description(s)}" for s in settings]
    return "\n".join([*lines, "", f"  capabilities: {', '.join(capabilities(plugin))}"])


def _table(settings: Sequence[Setting]) -> list[str]:
    head = ["| setting | kind | required | default | description |", "|---|---|---|---|---|"]
    rows = [
        f"| `{s.name}` | {s.kind} | {'yes' if s.required else ''} | {_default(s)} | "
        f"{_description(s)} |"
        for s in settings
    ]
    return [*head, *rows]


def _default(setting: Setting) -> str:
    return "" if setting.default is None else f"`{json.dumps(setting.default)}`"


def _description(setting: Setting) -> str:
    parts = [setting.description]
    if setting.choices:
        parts.append(f"One of: {', '.join(setting.choices)}")
    return ". ".join([*parts, "Secret"] if setting.secret else parts)


@contextmanager
def without_cycles() -> Iterator[None]:
    """Switch the collector of reference cycles off: rows make none, and it walks over all."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()
