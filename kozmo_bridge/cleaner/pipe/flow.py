"""The messages of a pipe, one after the other: what is held, what is cleaned, what passes.

Rows wait until there are enough of them for a batch. A STATE goes out right behind the rows that
came before it, and before those that came after it; of several that wait the newest does for all.
While the rules of a stream are being learned everything that comes is held, in its order.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, BinaryIO, NamedTuple

import polars as pl

from kozmo_bridge.cleaner.pipe.columnar import columns_frame
from kozmo_bridge.cleaner.pipe.files import Part, parts_of
from kozmo_bridge.cleaner.pipe.memory import Memory
from kozmo_bridge.cleaner.pipe.policy import Policies
from kozmo_bridge.cleaner.pipe.records import lines_frame
from kozmo_bridge.cleaner.pipe.shape import frame_type
from kozmo_bridge.cleaner.pipe.writing import Held, Opening, Writer, alike
from kozmo_bridge.cleaner.rules import Rules
from kozmo_singer.errors import ReadError, RecordError
from kozmo_singer.wire.decode import Reader
from kozmo_singer.wire.encode import abort_line
from kozmo_singer.wire.messages import Aborted, Batch, Message, Other, Schema, State
from kozmo_singer.wire.rows import Rows

IDLE_SECONDS = 0.5
_MOST_BYTES = 64 << 20
"""Of input that is held while a stream is learned; then what there is must do."""
_BATCH_BYTES = 8 << 20


class _Learning(NamedTuple):
    """A stream whose rules are being learned: what is given, and how many rows are there."""

    schema: Schema
    given: Rules
    rows: int


class Flow:
    """One run of a mapper: reads messages, writes messages."""

    def __init__(
        self,
        policies: Policies,
        memory: Memory,
        write: Callable[[bytes], None],
        batch_rows: int,
        out_pipe: int | None = None,
        stopped: Callable[[], bool] = lambda: False,
    ) -> None:
        self._policies, self._memory = policies, memory
        self._write, self._batch_rows = write, batch_rows
        self._writer = Writer(write, memory, out_pipe)
        self._stopped = stopped
        self._learning: dict[str, _Learning] = {}
        self._held: list[Held] = []
        self._rows = self._size = 0

    def run(self, source: int | BinaryIO) -> None:
        """Pass on all messages of *source*, the last of what was held at its end."""
        reader = Reader(
            source, idle_seconds=IDLE_SECONDS, refuse=self._refused, raw=True, others=True
        )
        try:
            for message in reader:
                if isinstance(message, Aborted):
                    self._abort(message)
                    return
                self._take(message, reader)
        except (ReadError, RecordError):
            # What came before it was good.
            if not self._learning:
                self._release(whole=True)
            raise
        if self._learning and self._stopped():
            return
        self._learn()
        self._release(whole=True)
        if self._memory.unsaid:
            self._writer.state(b"{}")

    def log(self) -> dict[str, Any]:
        """Return what was done so far: of each stream its rows, what changed, what did not fit."""
        return self._writer.log()

    def _refused(self, error: RecordError, line: bytes) -> None:
        """A line that cannot be read passes: what becomes of it is for the target to say."""
        self._hold(Other(line), 0, len(line))

    def _abort(self, message: Aborted) -> None:
        """What was learned of half a sample would count for good, so that is not even begun."""
        if not self._learning:
            self._release(whole=True)
        self._write(abort_line(message.reason))

    def _take(self, message: Message | None, reader: Reader) -> None:
        if message is None:
            if not self._learning:
                self._release(whole=True)
        elif isinstance(message, Rows):
            self._hold(message, len(message), message.size)
        elif isinstance(message, Batch):
            for part in parts_of(message, reader.decoder(message.stream)):
                self._hold(part, len(part), part.size)
        elif isinstance(message, Schema):
            self._schema(message)
        elif isinstance(message, State):
            self._memory.hear(message.text)
            self._held.append(message)
        else:
            self._held.append(message)

    def _hold(self, what: Message | Part, rows: int, size: int) -> None:
        self._held.append(what)
        self._rows += rows
        self._size += size
        learning = self._learning.get(getattr(what, "stream", ""))
        if learning is not None:
            rows += learning.rows
            self._learning[learning.schema.stream] = learning._replace(rows=rows)
            if rows >= self._policies.of(learning.schema.stream).learn:
                self._learn()
        if self._learning and self._size >= _MOST_BYTES:
            self._learn()
        full = self._rows >= self._batch_rows or self._size >= _BATCH_BYTES
        if full and not self._learning:
            self._release(whole=False)

    def _schema(self, schema: Schema) -> None:
        learning = self._learning.get(schema.stream)
        if learning is not None:
            if alike(learning.schema, schema):
                return
            self._learn()
        policy = self._policies.of(schema.stream)
        rules = policy.for_columns(schema.stream, [column.name for column in schema.columns])
        frame = pl.DataFrame(schema=frame_type(schema.columns))
        found: Rules | None = rules
        if policy.needs_rows(rules, frame):
            found = self._memory.recall(schema.stream, policy.mark)
        self._held.append(Opening(schema, found))
        if found is None:
            self._learning[schema.stream] = _Learning(schema, rules, 0)

    def _learn(self) -> None:
        """Learn of every stream that waits for it from the rows that are there."""
        for stream, (schema, given, _) in self._learning.items():
            policy = self._policies.of(stream)
            own = [each for each in self._held if getattr(each, "stream", "") == stream]
            sample = _sample(schema, [e for e in own if isinstance(e, Rows | Part)], policy.learn)
            rules = policy.learned(given, sample)
            self._writer.learned[stream] = rules
            if sample.height:
                self._memory.learn(stream, policy.mark, rules)
        self._learning.clear()

    def _release(self, whole: bool) -> None:
        """Clean and write what is held; with *whole* rows behind the last STATE as well."""
        held, self._held = self._held, []
        if not whole:
            states = [place for place, each in enumerate(held) if isinstance(each, State)]
            cut = states[-1] + 1 if states else len(held)
            rest = sum(len(each) for each in held[cut:] if isinstance(each, Rows | Part))
            if rest < self._batch_rows:
                held, self._held = held[:cut], held[cut:]
        self._rows = sum(len(each) for each in self._held if isinstance(each, Rows | Part))
        self._size = sum(each.size for each in self._held if isinstance(each, Rows | Part))
        self._writer.all(held)


def _sample(schema: Schema, held: Sequence[Rows | Part], most: int) -> pl.DataFrame:
    """The first rows of a stream, at most *most*, as the rules will see them."""
    frames = [pl.DataFrame(schema=frame_type(schema.columns))]
    for each in held:
        if isinstance(each, Part):
            frames.append(columns_frame(each.columns, schema.columns))
        else:
            frames.append(lines_frame([each], schema.columns))
        if sum(frame.height for frame in frames) >= most:
            break
    return pl.concat(frames).head(most)
