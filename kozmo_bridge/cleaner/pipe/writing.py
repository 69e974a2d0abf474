"""What was held, cleaned and written in its order."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import groupby
from typing import Any, NamedTuple

from kozmo_bridge.cleaner.pipe.files import Part
from kozmo_bridge.cleaner.pipe.memory import Memory
from kozmo_bridge.cleaner.pipe.streams import StreamCleaner
from kozmo_bridge.cleaner.rules import Rules
from kozmo_singer.wire import lane
from kozmo_singer.wire.encode import RecordEncoder, activate_version_line, schema_line
from kozmo_singer.wire.messages import ActivateVersion, Message, Other, Schema, State
from kozmo_singer.wire.rows import Rows


class Opening(NamedTuple):
    """A SCHEMA, and the rules for the rows behind it; None where those of `learned` count."""

    schema: Schema
    rules: Rules | None


Held = Message | Part | Opening


class Writer:
    """Cleans rows by the rules of their streams, and writes all messages in their order.

    Between two STATE messages rows go stream by stream. *learned* holds the rules of streams whose
    SCHEMA came before their rules were known.
    """

    def __init__(
        self, write: Callable[[bytes], None], memory: Memory, out_pipe: int | None = None
    ) -> None:
        self.learned: dict[str, Rules] = {}
        self._write, self._memory, self._out_pipe = write, memory, out_pipe
        self._cleaners: dict[str, StreamCleaner] = {}

    def all(self, held: Iterable[Held]) -> None:
        """Write *held*; of STATE messages with nothing but rows between them only the last."""
        before: list[Rows | Part] = []
        after: list[Rows | Part] = []
        state: State | None = None
        for each in held:
            if isinstance(each, Rows | Part):
                after.append(each)
            elif isinstance(each, State):
                before, after, state = before + after, [], each
            else:
                self._rows(before, state, after)
                before, after, state = [], [], None
                self._control(each)
        self._rows(before, state, after)

    def state(self, text: bytes) -> None:
        """Write a STATE with what was learned in it."""
        self._write(b'{"type":"STATE","value":' + self._memory.said(text) + b"}\n")

    def log(self) -> dict[str, Any]:
        """Return what was done to each stream."""
        return {stream: cleaner.told() for stream, cleaner in self._cleaners.items()}

    def _rows(
        self, before: Sequence[Rows | Part], state: State | None, after: Sequence[Rows | Part]
    ) -> None:
        self._cleaned(before)
        if state is not None:
            self.state(state.text)
        self._cleaned(after)

    def _cleaned(self, rows: Sequence[Rows | Part]) -> None:
        streams: dict[str, list[Rows | Part]] = {}
        for each in rows:
            streams.setdefault(each.stream, []).append(each)
        for stream, own in streams.items():
            cleaner = self._cleaners[stream]
            for columnar, run in groupby(own, lambda each: isinstance(each, Part)):
                parts = list(run)
                if not columnar:
                    self._write(cleaner.lines(parts))  # type: ignore[arg-type]  # Rows alone
                    continue
                for part in parts:
                    assert isinstance(part, Part)
                    self._columns(cleaner, part)

    def _columns(self, cleaner: StreamCleaner, part: Part) -> None:
        head, made = cleaner.columns(part.columns)
        self._write(head)
        if not made.num_rows:
            return
        batch = part.batch
        if self._out_pipe is None:
            from kozmo_singer.wire.arrow_lines import arrow_lines

            encoder = RecordEncoder(batch.stream, cleaner.columns_after, version=batch.version)
            rows = arrow_lines(made, cleaner.columns_after)
            self._write(encoder.encode(rows, batch.time_extracted))
            return
        payload = lane.payload(made)
        extracted = batch.time_extracted or ""
        self._write(lane.batch_line(batch.stream, len(payload), extracted, batch.version))
        lane.send(self._out_pipe, payload)

    def _control(self, message: Message | Part | Opening) -> None:
        if isinstance(message, Opening):
            self._write(b"".join(self._opened(message)))
        elif isinstance(message, ActivateVersion):
            self._write(activate_version_line(message.stream, message.version))
        elif isinstance(message, Other):
            self._write(message.text + b"\n")

    def _opened(self, opening: Opening) -> Iterator[bytes]:
        schema = opening.schema
        rules = self.learned[schema.stream] if opening.rules is None else opening.rules
        known = self._cleaners.get(schema.stream)
        if known is None or known.rules != rules or not alike(known.schema, schema):
            known = self._cleaners[schema.stream] = StreamCleaner(schema, rules)
        if not known.idle:
            yield known.schema_line()
            return
        yield schema_line(
            schema.stream, schema.schema, schema.key_properties, schema.bookmark_properties or ()
        )


def alike(one: Schema, other: Schema) -> bool:
    """Whether two SCHEMA messages say the same."""
    return (one.schema, one.key_properties, one.bookmark_properties) == (
        other.schema, other.key_properties, other.bookmark_properties,
    )  # fmt: skip
