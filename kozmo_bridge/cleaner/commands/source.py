"""Rows for the cleaner: of a file, by tap-files, or of any tap."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from kozmo_singer.errors import ConfigError, KozmoError, ReadError
from kozmo_singer.settings import did_you_mean

if TYPE_CHECKING:
    from kozmo_runner.process import Cancel
    from kozmo_singer.wire.types import Column

_BATCH = 100_000
_REMEDY = re.compile(r"to read the column as text: columns: (\{.*\})$")
_SEED = 2_026


@dataclass
class Source:
    """One stream of a tap.

    columns: its columns, known once its first rows were read. texts: columns of a file that are
    read as text, since a cell further down was not what a sample told.
    """

    tap: str
    config: list[Any]
    stream: str
    name: str
    path: Path | None = None
    columns: tuple[Column, ...] = ()
    texts: dict[str, str] = field(default_factory=dict)

    @property
    def sources(self) -> list[Any]:
        """The configuration of the tap."""
        return [*self.config, {"columns": self.texts}] if self.texts else self.config

    def frames(
        self, cancel: Cancel, rows: int | None = None, tell: Callable[[int], None] | None = None
    ) -> Iterator[pl.DataFrame]:
        """Yield the rows, at most *rows*, as the rules of a mapper would see them."""
        import kozmo_bridge
        from kozmo_bridge.cleaner.pipe.columnar import columns_frame

        count = 0
        reading = kozmo_bridge.read(
            self.tap, self.sources, [self.stream], limit=rows, batch_rows=_BATCH, cancel=cancel
        )
        with reading:
            for batch in reading:
                self.columns = batch.columns
                for part in batch.to_arrow().combine_chunks().to_batches():
                    count += part.num_rows
                    if tell is not None:
                        tell(count)
                    yield columns_frame(part, batch.columns)
            if not count:
                yield self._empty(reading.schemas)

    def relaxed(self, error: KozmoError) -> bool:
        """Take a column for text where *error* says that it must be; False for other errors."""
        found = [match[1] for line in error.details if (match := _REMEDY.search(line))]
        new = {**self.texts, **json.loads(found[0])} if found else self.texts
        changed, self.texts = new != self.texts, new
        return changed

    def _empty(self, schemas: Any) -> pl.DataFrame:
        from kozmo_bridge.cleaner.pipe.shape import frame_type

        for schema in schemas.values():
            self.columns = tuple(schema.columns)
        return pl.DataFrame(schema=frame_type(self.columns))


def source_of(
    what: str, stream: str | None, config: list[Any], catalog: Any, cancel: Cancel
) -> Source:
    """Return the stream *stream* of *what*, a file or a tap; its only one where none is named."""
    tap, settings, path = what, config, None
    if _is_file(what):
        tap, settings = "tap-files", [{"path": what}, *config]
        path = None if "://" in what else Path(what)
    names = _streams(tap, settings, cancel)
    chosen = _chosen(what, stream, names)
    name = Path(what).name if path is not None else f"{chosen} of {what}"
    return Source(tap, settings, chosen, name, path)


def attempts(source: Source, work: Callable[[], Any]) -> Any:
    """Return what *work* does, again where a column of the file turns out to be text."""
    try:
        return work()
    except (ReadError, ConfigError) as error:
        if source.path is None or not source.relaxed(error):
            raise
    return attempts(source, work)


def sampled(frames: Iterator[pl.DataFrame], rows: int) -> pl.DataFrame:
    """Return *rows* rows drawn from all over *frames*, in their order; the same ones each time."""
    kept: pl.DataFrame | None = None
    seen = 0
    for frame in frames:
        numbers = pl.Series("\x00at", range(seen, seen + frame.height), dtype=pl.Int64)
        lots = numbers.hash(_SEED).alias("\x00lot")
        seen += frame.height
        drawn = frame.with_columns(numbers, lots)
        kept = drawn if kept is None else pl.concat([kept, drawn], how="vertical_relaxed")
        kept = kept.sort("\x00lot", "\x00at").head(rows)
    assert kept is not None
    return kept.sort("\x00at").drop("\x00at", "\x00lot")


def _is_file(what: str) -> bool:
    from kozmo_runner.plugins import registered

    if "://" in what:
        return True
    known = what in registered("tap")
    if not known and os.path.isfile(what) and not os.access(what, os.X_OK):
        return True
    suffix = Path(what).suffix
    if not known and suffix and suffix != ".py" and os.path.isfile(what):
        return True
    if not known and suffix and suffix != ".py" and not what.startswith("tap-"):
        raise ConfigError(f"there is no file {what}")
    return False


def _streams(tap: str, config: list[Any], cancel: Cancel) -> list[str]:
    from kozmo_runner import api

    return [each.tap_stream_id for each in api.discover(tap, config, cancel=cancel).streams]


def _chosen(what: str, stream: str | None, names: list[str]) -> str:
    if stream is None and len(names) == 1:
        return names[0]
    shown = ", ".join(names[:12]) + (f" and {len(names) - 12} more" if len(names) > 12 else "")
    if stream is None:
        raise ConfigError(f"{what} has {len(names)} streams; name one", f"there are: {shown}")
    if stream not in names:
        hint = did_you_mean(stream, names) or [f"there are: {shown}"]
        raise ConfigError(f"{what} has no stream '{stream}'", *hint)
    return stream
