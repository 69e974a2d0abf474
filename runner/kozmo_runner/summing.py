"""Adding up the rows that a plug-in writes, stream by stream, while they come."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from kozmo_runner.answers import STOP_SECONDS, Answer, asked
from kozmo_runner.asking import failure
from kozmo_runner.configs import Given
from kozmo_runner.environment import child_environment
from kozmo_runner.pipes import widen
from kozmo_runner.plugins import Plug
from kozmo_runner.process import Cancel
from kozmo_runner.workspace import Workspace
from kozmo_singer.errors import ConfigError, ReadError, RecordError
from kozmo_singer.wire.decode import Reader
from kozmo_singer.wire.messages import Batch, Schema
from kozmo_singer.wire.rows import Rows
from kozmo_singer.wire.sums import Canonical, Sum, Summing, canonical
from kozmo_singer.wire.types import Column

Sums = tuple[dict[str, Sum], dict[str, dict[str, Any]]]
Shape = Sequence[Column]
"""The columns that count of a stream, in order."""


def read_sums(
    plug: Plug,
    argv: Sequence[str],
    given: Given,
    shapes: Mapping[str, Shape] | None,
    workspace: Workspace,
    cancel: Cancel,
) -> Sums:
    """Return the sum of each stream that *argv* writes to its stdout, and the streams' schemas.

    Of *shapes* only those columns count, and a stream that does not come has no rows. Without them
    everything counts. ReadError says why the plug-in failed.
    """
    adding = _Adding(plug.name, shapes)
    fault: RecordError | None = None
    env = child_environment(plug)
    with asked(argv, plug.name, workspace, cancel, secrets=given.secrets, env=env) as child:
        widen(child.stdout)
        try:
            adding.take(child.stdout)
        except RecordError as error:
            fault = error
        code = child.wait() if fault is None else child.wait(STOP_SECONDS)
    if code:
        raise failure(ReadError, f"{plug.name} could not be read", Answer(b"", code, child.tail))
    if fault is not None:
        raise fault
    return adding.sums, adding.schemas


class _Adding:
    """The sums so far."""

    def __init__(self, name: str, shapes: Mapping[str, Shape] | None) -> None:
        self._name, self._shapes = name, shapes
        self._summing = {n: Summing() for n in shapes or ()}
        self._functions: dict[str, dict[str, Canonical]] = {}
        self._places: dict[str, list[int | None]] = {}
        self.schemas: dict[str, dict[str, Any]] = {}

    @property
    def sums(self) -> dict[str, Sum]:
        return {name: each.sum for name, each in self._summing.items()}

    def take(self, source: int) -> None:
        """Add up what comes from the descriptor *source*, to its end."""
        for message in Reader(source, raw=True):
            if isinstance(message, Schema):
                self._begin(message)
            elif isinstance(message, Batch):
                raise ConfigError(
                    f"{self._name} writes its rows into files, and those are not compared",
                    "leave batch_config out",
                )
            elif isinstance(message, Rows) and message.stream in self._places:
                self._add(message)

    def _begin(self, schema: Schema) -> None:
        name = schema.stream
        shape = schema.columns if self._shapes is None else self._shapes.get(name)
        if shape is None:
            return
        self.schemas.setdefault(name, schema.schema)
        there = {column.name: i for i, column in enumerate(schema.columns)}
        own = {column.name: column.type for column in schema.columns}
        self._summing.setdefault(name, Summing())
        self._places[name] = [there.get(column.name) for column in shape]
        self._functions[name] = {}
        for column in shape:
            kind, here = column.type, own.get(column.name)
            if kind.name == "binary" and here is not None and here.name == "binary":
                kind = here  # which base it is written in is a matter of the writer
            self._functions[name][column.name] = canonical(kind)

    def _add(self, rows: Rows) -> None:
        functions, places = self._functions[rows.stream], self._places[rows.stream]
        found = rows.tuples(lambda column: functions.get(column.name))
        if places != list(range(len(rows.columns))):
            found = [tuple(None if p is None else row[p] for p in places) for row in found]
        self._summing[rows.stream].add(found)
