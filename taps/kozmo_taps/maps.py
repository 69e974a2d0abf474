"""Stream maps and flattening on the way out of a tap."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from kozmo_singer.mapping import Mapper

if TYPE_CHECKING:
    from kozmo_taps.tap import PlainLines, Row


class MappedLines:
    """The messages of a reading as the maps of *config* change them; there may be none."""

    waiting = False

    def __init__(self, plugin: str, config: Mapping[str, Any], lines: PlainLines) -> None:
        self._mapper = Mapper(plugin, config)
        self._lines = lines

    def schema(self) -> bytes:
        """Return the SCHEMA messages, one for each stream that the maps make of this one."""
        return self._mapped(self._lines.schema())

    def records(self, rows: Sequence[Row], extracted: str | None) -> bytes:
        """Return the RECORD messages that *rows* become."""
        return self._mapped(self._lines.records(rows, extracted))

    def flush(self) -> bytes:
        """Return nothing: no row waits."""
        return b""

    def activate(self, version: int) -> bytes:
        """Return the ACTIVATE_VERSION messages."""
        return self._mapped(self._lines.activate(version))

    def _mapped(self, lines: bytes) -> bytes:
        change = self._mapper.line
        return b"".join([change(line + b"\n", 0) for line in lines.split(b"\n")[:-1]])
