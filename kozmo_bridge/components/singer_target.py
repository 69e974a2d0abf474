"""Singer Target: rows into any target, with a form made of what the target tells of itself."""

from __future__ import annotations

import asyncio
from typing import Any, ClassVar

from kozmo_bridge.calls import aload
from kozmo_bridge.components import bookmarks
from kozmo_bridge.components import inputs as inputs_of
from kozmo_bridge.components.arriving import arrived
from kozmo_bridge.components.base import Stopwatch, names_in, output
from kozmo_bridge.components.canvas import Data, Output, StrInput
from kozmo_bridge.components.forms import Form
from kozmo_bridge.components.settings_form import (
    PLAIN_JSON,
    SECRET_JSON,
    STATUS,
    TEST,
    TEST_SECONDS,
    PluginComponent,
    Side,
    picker,
)
from kozmo_bridge.components.streams import DEFAULT_STREAM, STREAM, by_stream, stream_of
from kozmo_bridge.convert import is_table
from kozmo_bridge.writing import Written
from kozmo_runner.api import acheck

_LAST_WORDS = 3


class SingerTargetComponent(PluginComponent):
    """Writes into any target. A subclass that sets `target` writes into that one only."""

    display_name = "Singer Target"
    description = "Writes rows into any Singer target."
    icon = "Workflow"
    name = "SingerTarget"
    side: ClassVar[Side] = "target"
    commits_bookmarks = True
    target: ClassVar[str] = ""
    """The target of a subclass that is for one only."""

    inputs: ClassVar[list[Any]] = [
        inputs_of.rows(required=True),
        picker("target", "Where to: one of these, the path of a program, or a command line."),
        TEST,
        STATUS,
        StrInput(
            name="stream_name",
            display_name="Stream name",
            info="The table or file there. Empty: what the rows say in _stream, else data.",
            value="",
            placeholder="data",
        ),
        StrInput(
            name="key_columns",
            display_name="Key columns",
            info="Columns that tell rows apart, with commas between them, for targets that upsert.",
            value="",
            placeholder="none",
        ),
        PLAIN_JSON,
        SECRET_JSON,
    ]
    outputs: ClassVar[list[Any]] = [
        Output(name="result", display_name="Result", method="as_result"),
    ]

    async def refresh(self, form: Form, changed: str) -> None:
        """Build the form of a target, or test its connection."""
        if changed == self.picker:
            await self.choose(form)
        elif changed == TEST.name:
            target, watch = self.plugin(), Stopwatch()
            config = await self.plugin_config(target)
            said = await acheck(target, config, kind="target", timeout=TEST_SECONDS)
            self.tell(form, f"{said}, {watch}")

    @output
    async def as_result(self) -> Data:
        """Return how the load went, once the rows are durable: rows, target, seconds, state."""
        return await self.once("result", self._write)

    async def _write(self) -> Data:
        target, watch = self.plugin(), Stopwatch()
        config = await self.plugin_config(target)
        keys = names_in(self.text("key_columns"))
        done: dict[str, Written] = {}
        came = await arrived(self, "input_data")
        for stream, part in await asyncio.to_thread(streams_of, came, self.text("stream_name")):
            done[stream] = await aload(target, config, part, stream=stream, key_properties=keys)
        if not done:
            self.log("there are no rows, and nothing tells their columns: nothing is written")
        await bookmarks.settle(self)
        rows = sum(each.rows for each in done.values())
        self.log(f"{rows} rows into {target} in {watch}")
        told = {
            "rows": rows,
            "target": target,
            "streams": {stream: each.rows for stream, each in done.items()},
            "seconds": watch.seconds,
            "state": next((each.state for each in reversed(done.values()) if each.state), None),
            "log": "\n".join(line for each in done.values() for line in each.said[-_LAST_WORDS:]),
        }
        result = Data(data=told)
        self.show([result])
        return result


def streams_of(rows: Any, name: str) -> list[tuple[str, Any]]:
    """Return *rows* by the streams that they go to; none where nothing tells their columns.

    With a *name* all go there, else each where its column _stream says, which is not written.
    """
    if is_table(rows):
        if name or STREAM not in list(rows.columns) or not len(rows):
            return [(name or DEFAULT_STREAM, rows)] if len(rows.columns) else []
        return by_stream(rows)
    if not rows:
        return []
    if name or not any(STREAM in row.data for row in rows):
        return [(name or DEFAULT_STREAM, rows)]
    found: dict[str, list[Data]] = {}
    for row in rows:
        data = {column: value for column, value in row.data.items() if column != STREAM}
        found.setdefault(stream_of(row.data.get(STREAM)), []).append(Data(data=data))
    return list(found.items())
