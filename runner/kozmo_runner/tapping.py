"""A tap as a pipe to read from."""

from __future__ import annotations

import io
import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, BinaryIO

import msgspec

from kozmo_runner import pipes
from kozmo_runner.abilities import Abilities, abilities
from kozmo_runner.asking import DISCOVER_SECONDS, as_catalog, discover_with
from kozmo_runner.configs import Config, Given, give, take_back
from kozmo_runner.environment import child_environment
from kozmo_runner.lanes import check_lane, takes_arrow
from kozmo_runner.plugins import Plug, find
from kozmo_runner.process import Cancel, Child
from kozmo_runner.speech import exit_words, reason
from kozmo_runner.workspace import Workspace
from kozmo_singer.errors import ConfigError, ReadError
from kozmo_singer.wire.catalog import Catalog, select
from kozmo_singer.wire.lane import VARIABLE

STOP_SECONDS = 5.0
FEW_ROWS = 200_000
"""With fewer the lane auto is text: to load pyarrow takes a tap longer than its reader gains."""


class TapStream:
    """A running tap: read Singer lines from `stdout` to their end, then `wait`.

    Leaving the `with` block early stops the tap. `catalog` is what it was told to read, None for a
    tap without discovery; `limited` whether the tap itself keeps to the limit; `pipe` the
    descriptor from which the rows of the Arrow lane come, None in the text lane.
    """

    stdout: BinaryIO
    pipe: int | None = None

    def __init__(self, plug: Plug, start: _Start, cancel: Cancel) -> None:
        self.name = plug.name
        self.plug = plug
        self.catalog: Catalog | None = None
        self.limited = plug.ours and start.limit is not None
        self._start, self._cancel = start, cancel
        self._workspace: Workspace | None = None
        self._child: Child | None = None
        self._given = Given()

    def __enter__(self) -> TapStream:
        return self.open()

    def __exit__(self, *_: object) -> None:
        self.close()

    def open(self) -> TapStream:
        """Start the tap, unless it runs; discovery comes first where it has one."""
        if self._workspace is not None:
            return self
        self._workspace = workspace = Workspace()
        try:
            able = abilities(self.plug, workspace, self._cancel)
            self._given = give(self.plug, self._start.config, able, workspace)
            argv = self._argv(able, workspace)
            arrow = self._takes_arrow(workspace)
            self._cancel.check()
            self._child = self._spawned(argv, workspace, arrow)
            pipes.widen(self._child.stdout)
            self.stdout = io.FileIO(self._child.stdout, "r", closefd=False)
            self._cancel.listen(self.stop)
        except BaseException:
            self._workspace = None
            workspace.close()
            self._close_pipe()
            raise
        return self

    def _takes_arrow(self, workspace: Workspace) -> bool:
        lane, limit = self._start.lane, self._start.limit
        if lane == "auto" and limit is not None and limit < FEW_ROWS:
            return False
        return takes_arrow(lane, [self.plug], self.catalog, workspace, self._cancel, FEW_ROWS)

    def _spawned(self, argv: Sequence[str], workspace: Workspace, arrow: bool) -> Child:
        env = child_environment(self.plug)
        inherits: list[int] = []
        if arrow:
            self.pipe, writing = os.pipe()
            inherits.append(writing)
            env = {**env, VARIABLE: str(writing)}
            pipes.widen(writing)
        try:
            return workspace.spawn(
                argv,
                name=self.name,
                stdout=subprocess.PIPE,
                env=env,
                secrets=self._given.secrets,
                inherits=inherits,
            )
        finally:
            # With a copy left here the end of the tap would not be the end of the pipe.
            for descriptor in inherits:
                os.close(descriptor)

    @property
    def tail(self) -> list[str]:
        """The last lines that the tap wrote on stderr, without secrets."""
        return self._child.tail if self._child is not None else []

    def stop(self) -> None:
        """Ask the tap to end; what it still writes can be read."""
        if self._child is not None:
            self._child.terminate()

    def wait(self, timeout: float | None = None) -> None:
        """Return when the tap has ended well or was stopped; ReadError says why it failed."""
        assert self._child is not None
        code = self._child.wait(timeout)
        if code is None:
            raise ReadError(f"{self.name} still runs after {timeout:g} s")
        self._cancel.check()
        if code == 0 or self._child.stopped:
            return
        details = [line.strip() for line in reason(self.tail)] or [exit_words(code)]
        raise (ConfigError if code == 2 else ReadError)(f"{self.name} failed", *details)

    def close(self) -> None:
        """Stop the tap if it runs, and remove its files. Can be called again."""
        workspace, self._workspace = self._workspace, None
        if workspace is None:
            return
        self._cancel.forget(self.stop)
        if self._child is not None:
            with pipes.emptied([self._child.stdout, *([] if self.pipe is None else [self.pipe])]):
                self._child.stop(STOP_SECONDS)
            take_back(self.plug, self._given)
        workspace.close()
        self._close_pipe()

    def _close_pipe(self) -> None:
        if self.pipe is not None:
            pipes.close(self.pipe)
            self.pipe = None

    def _argv(self, able: Abilities, workspace: Workspace) -> list[str]:
        start = self._start
        if not start.discovers:
            able = replace(able, discover=False)
        self.catalog = choose(
            self.plug, self._given, able, workspace, start.catalog, start.streams,
            cancel=self._cancel,
        )  # fmt: skip
        argv = tap_command(self.plug, self._given, able, workspace, self.catalog, start.state)
        if self.limited:
            argv += ["--limit", str(start.limit)]
        return argv


class _Start(msgspec.Struct):
    config: Config
    streams: Sequence[str]
    catalog: Catalog | None
    state: Mapping[str, Any] | None
    limit: int | None
    lane: str
    discovers: bool


def stream(
    tap: str,
    config: Config = None,
    *,
    streams: Sequence[str] = (),
    catalog: Catalog | Mapping[str, Any] | None = None,
    state: Mapping[str, Any] | None = None,
    limit: int | None = None,
    lane: str = "text",
    discovers: bool = True,
    cancel: Cancel | None = None,
) -> TapStream:
    """Return a context manager that runs *tap* and gives its stdout.

    *streams* are rules as of `kozmo select`; without any, all streams are read. *limit* asks for
    that many rows a stream at most; a foreign tap does not know it, so the reader has to stop.
    A tap that *discovers* nothing, whatever its --help says, is run without a catalog of its own.
    In the *lane* arrow, or auto where that pays, rows come as BATCH messages and through `pipe`;
    see kozmo_singer.wire.lane.
    """
    plug = find(tap, "tap")
    start = _Start(config, streams, as_catalog(catalog), state, limit, check_lane(lane), discovers)
    return TapStream(plug, start, cancel or Cancel())


def choose(
    plug: Plug,
    given: Given,
    able: Abilities,
    workspace: Workspace,
    catalog: Catalog | None,
    streams: Sequence[str],
    timeout: float = DISCOVER_SECONDS,
    cancel: Cancel | None = None,
) -> Catalog | None:
    """Return the catalog to give to the tap: the user's or the discovered one, with selections.

    Without rules, and where a discovered catalog selects nothing by itself, everything is taken.
    None means that the tap has no discovery and reads what it reads.
    """
    if catalog is None and able.discover:
        catalog = discover_with(plug, given, able, workspace, timeout, cancel)
        if not streams and not catalog.selected() and catalog.streams:
            return select(catalog, ["*"])
    if catalog is None:
        if streams:
            raise ConfigError(
                f"{plug.name} has no discovery, so its streams cannot be chosen by name",
                "give --catalog FILE as well, or name no stream",
            )
        return None
    return select(catalog, streams) if streams else catalog


def tap_command(
    plug: Plug,
    given: Given,
    able: Abilities,
    workspace: Workspace,
    catalog: Catalog | None,
    state: Mapping[str, Any] | None,
) -> list[str]:
    """Return the command line of a sync, its catalog and state written into the workspace."""
    argv = [*plug.command, *given.argv]
    if catalog is not None:
        path = str(workspace.write("catalog.json", catalog.to_dict()))
        for option in able.catalog or ("--catalog",):
            argv += [option, path]
    if state and able.state:
        argv += ["--state", str(workspace.write("state.json", state))]
    return argv


class _Head(msgspec.Struct):
    type: str
    stream: str | None = None


def count_records(reading: TapStream) -> dict[str, int]:
    """Read *reading* to its end and return the records of each stream; ReadError if it fails."""
    counts: dict[str, int] = {}
    if reading.catalog is not None:
        counts = {stream.tap_stream_id: 0 for stream in reading.catalog.selected()}
    decoder = msgspec.json.Decoder(_Head)
    with os.fdopen(os.dup(reading.stdout.fileno()), "rb", buffering=1 << 18) as lines:
        for line in lines:
            try:
                head = decoder.decode(line)
            except (msgspec.MsgspecError, UnicodeDecodeError):
                continue
            if head.type.upper() == "RECORD" and head.stream is not None:
                counts[head.stream] = counts.get(head.stream, 0) + 1
    reading.wait()
    return counts
