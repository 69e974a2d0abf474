"""What the components that read have in common: one extraction, had as Data, table, text, state."""

from __future__ import annotations

import asyncio
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from kozmo_bridge.batch import Batch
from kozmo_bridge.calls import aread
from kozmo_bridge.components import bookmarks
from kozmo_bridge.components.base import PREVIEW_ROWS, KozmoComponent, Stopwatch, output
from kozmo_bridge.components.bookmarks import Bookmark
from kozmo_bridge.components.canvas import DATA, FRAME, MESSAGE, Data, DataFrame, Message, Output
from kozmo_bridge.components.streams import STREAM
from kozmo_bridge.components.texts import joined, text_of
from kozmo_singer.errors import KozmoError
from kozmo_singer.wire.state import carried

BATCH_ROWS = 50_000
_EMPTY = {"integer": "Int64", "float": "Float64", "decimal": "Float64", "boolean": "boolean"}
"""What a column is in a frame that has no value to tell; targets would make texts of objects."""


@dataclass(frozen=True)
class Wanted:
    """What a component wants of a tap; the fields are those of kozmo_bridge.read.

    origin marks the source, for the bookmark of an *incremental* node.
    """

    tap: str
    config: Mapping[str, Any]
    streams: Sequence[str] = ()
    catalog: Mapping[str, Any] | None = None
    limit: int | None = None
    incremental: bool = False
    discovers: bool = True
    """Whether the tap is asked for its catalog, where none is given."""
    origin: str = ""
    reset_at: str = ""
    """When the bookmark was reset; each new time has one from before it not looked at."""


@dataclass
class Extraction:
    """What a tap gave: *batches* of one stream each, and the *state* that covers them all."""

    batches: list[Batch] = field(default_factory=list)
    state: dict[str, Any] = field(default_factory=dict)

    @property
    def rows(self) -> int:
        """The number of rows of all streams."""
        return sum(map(len, self.batches))

    @property
    def streams(self) -> list[str]:
        """The streams, in the order in which their rows came."""
        return list(dict.fromkeys(batch.stream for batch in self.batches))

    def bookmark(self, stream: str) -> Any:
        """Return where *stream* stands; the whole state of a tap whose state has its own form."""
        marks = self.state.get("bookmarks")
        return marks.get(stream, {}) if isinstance(marks, dict) else self.state


class SourceComponent(KozmoComponent):
    """A component that reads a tap. One run reads it once, whatever outputs are wanted."""

    source_outputs: ClassVar[list[Any]] = [
        Output(name="data", display_name="Data", method="as_data", types=[DATA]),
        Output(
            name="dataframe",
            display_name="DataFrame",
            method="as_dataframe",
            types=[FRAME],
            tool_mode=False,
        ),
        Output(
            name="text", display_name="Text", method="as_text", types=[MESSAGE], tool_mode=False
        ),
        Output(
            name="state", display_name="State", method="as_state", types=[DATA], tool_mode=False
        ),
    ]

    @abstractmethod
    async def wanted(self) -> Wanted:
        """Return what the inputs ask for."""

    def template(self) -> str | None:
        """Return the template for the text of each row, None without."""
        return str(self.given("text_template") or "") or None

    @output
    async def as_data(self) -> list[Data]:
        """Return the rows as Data."""
        extraction = await self.extracted()
        rows: list[Data] = await asyncio.to_thread(data_of, extraction, self.template())
        self.show(rows)
        return rows

    @output
    async def as_dataframe(self) -> DataFrame:
        """Return the rows as a DataFrame."""
        extraction = await self.extracted()
        frame: DataFrame = await asyncio.to_thread(frame_of, extraction)
        self._show_first(extraction)
        return frame

    @output
    async def as_text(self) -> Message:
        """Return the rows as a text: a line of the template each, or a table in Markdown."""
        extraction = await self.extracted()
        text = await asyncio.to_thread(text_of, extraction.batches, self.template())
        shown = first(extraction, PREVIEW_ROWS).batches
        self.status = await asyncio.to_thread(text_of, shown, self.template())
        return Message(text=text)

    @output
    async def as_state(self) -> list[Data]:
        """Return, for each stream, how many rows came and where it stands now."""
        extraction = await self.extracted()
        counts = dict.fromkeys(extraction.streams, 0)
        for batch in extraction.batches:
            counts[batch.stream] += len(batch)
        rows = [
            Data(data={"stream": stream, "rows": count, "bookmark": extraction.bookmark(stream)})
            for stream, count in counts.items()
        ]
        # The host shows the last preview as what this output is.
        self.show(rows)
        return rows

    def extract_data(self, result: Any) -> Any:
        """Return what the dialog of an output shows: of a text its first rows, else as the host.

        The host shows the names of a message's fields in place of its text.
        """
        if isinstance(result, Message) and isinstance(self.status, str):
            return self.status
        return super().extract_data(result)

    async def extracted(self) -> Extraction:
        """Return the rows, read once a run."""
        return await self.once("extraction", self._extract)

    async def _extract(self) -> Extraction:
        wanted = await self.wanted()
        watch = Stopwatch()
        kept = Bookmark({})
        if wanted.incremental:
            kept = await bookmarks.load(self, wanted.origin, wanted.reset_at)
        before = kept.state
        found = Extraction(state=before)
        reading = aread(
            wanted.tap,
            wanted.config,
            wanted.streams,
            before or None,
            wanted.limit,
            catalog=wanted.catalog,
            discovers=wanted.discovers,
            batch_rows=BATCH_ROWS,
        )
        async with reading:
            async for batch in reading:
                found.batches.append(batch)
        # A stream without rows has columns all the same.
        found.batches += [
            Batch(name, schema.columns, [], schema.key_properties)
            for name, schema in reading.schemas.items()
            if name not in found.streams
        ]
        if isinstance(reading.state, dict):
            found.state = dict(carried(before, reading.state))
        streams = f" of {len(found.streams)} streams" if len(found.streams) > 1 else ""
        self.log(f"{found.rows} rows{streams} from {wanted.tap} in {watch}")
        if wanted.incremental and found.state:
            serial = kept.serial + 1
            reached = Bookmark(found.state, wanted.origin, serial=serial, reset_at=wanted.reset_at)
            self.__dict__["_kozmo_reached"] = reached
        return found

    async def _build_results(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """As of the host; the bookmark is committed once all outputs are made."""
        self.__dict__.pop("_kozmo_reached", None)
        made = await super()._build_results()
        reached = self.__dict__.pop("_kozmo_reached", None)
        if reached is not None:
            try:
                await bookmarks.commit(self, reached)
            except KozmoError as error:
                raise self.problem(error) from None
        return made

    def _show_first(self, extraction: Extraction) -> None:
        self.show(data_of(first(extraction, PREVIEW_ROWS), None))


def first(extraction: Extraction, rows: int) -> Extraction:
    """Return the first *rows* rows."""
    taken = Extraction(state=extraction.state)
    for batch in extraction.batches:
        if rows > 0:
            taken.batches.append(batch.head(rows))
            rows -= len(taken.batches[-1])
    return taken


def whole(batches: Sequence[Batch]) -> list[Batch]:
    """Return *batches* with those of the same stream and columns as one.

    The types of a frame's columns are then those of all its values, not of the first ones.
    """
    groups: dict[Any, list[Batch]] = {}
    for batch in batches:
        groups.setdefault((batch.stream, batch.columns), []).append(batch)
    return [one.joined(more) if more else one for one, *more in groups.values()]


def data_of(extraction: Extraction, template: str | None) -> list[Data]:
    """Return the rows as Data; those of several streams say which one they are of."""
    several = len(extraction.streams) > 1
    found: list[Data] = []
    for batch in extraction.batches:
        rows = batch.to_data(template)
        if several:
            for row in rows:
                row.data[STREAM] = batch.stream
        found += rows
    return found


def frame_of(extraction: Extraction) -> DataFrame:
    """Return the rows as the host's DataFrame; those of several streams one after the other."""
    batches = whole(extraction.batches)
    frames = [batch.to_dataframe() for batch in batches]
    for frame, batch in zip(frames, batches, strict=True):
        for place, column in enumerate(batch.columns):
            series = frame.iloc[:, place]
            if column.type.name in _EMPTY and series.dtype == object and series.isna().all():
                frame.isetitem(place, series.astype(_EMPTY[column.type.name]))
        if len(extraction.streams) > 1:
            frame[STREAM] = batch.stream
    return joined(frames)
