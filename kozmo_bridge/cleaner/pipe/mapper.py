"""map-kozmo-clean: a Singer mapper that cleans rows between a tap and a target."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, BinaryIO

from kozmo_singer.plugin import Plugin, Shortcut, stopping, without_cycles
from kozmo_singer.settings import Setting
from kozmo_singer.wire import lane


class MapKozmoClean(Plugin):
    """Cleans rows by rules that are given, or learned from the first rows of each stream."""

    name = "map-kozmo-clean"
    summary = "Rows on their way, cleaned by rules"
    capabilities = ("about", "stream-maps", "batch", lane.CAPABILITY)
    needs = {lane.CAPABILITY: ("pyarrow",)}
    settings = (
        Setting(
            "rules",
            "What is to be done: a list of rules, or the path of a file that `kozmo clean "
            "--save-rules` wrote. A rule whose columns a stream lacks is left out there",
            kind="array",
        ),
        Setting(
            "expects",
            "What the rules were made for. It stands in what `kozmo clean --save-rules` wrote; "
            "such a file can be the whole configuration",
            kind="object",
        ),
        Setting("version", "The version of such a file", kind="integer"),
        Setting(
            "auto",
            "Learn rules from the first rows of each stream, and keep them in the state",
            kind="boolean",
            default=False,
        ),
        Setting(
            "learn",
            "How many rows of a stream are looked at to learn",
            kind="integer",
            default=10_000,
            minimum=1,
        ),
        Setting(
            "risk",
            "How far learned rules may go. safe: nothing is lost; lossy: what was there cannot be "
            "told any more; destructive: rows, columns or values may go",
            default="safe",
            choices=("safe", "lossy", "destructive"),
        ),
        Setting(
            "streams",
            "What differs by stream: by name or by a pattern such as public-*, an object with some "
            "of rules, auto, learn, risk, skip. The first that fits counts",
            kind="object",
        ),
        Setting(
            "learned_path",
            "File that keeps what was learned, where no state is handed over, as in Meltano",
        ),
        Setting(
            "log_path",
            "File for what was done, written at the end as JSON: of each stream its rows, which "
            "cells were what before, and what a rule could not take",
        ),
        Setting(
            "batch_size_rows",
            "Clean so many rows at once",
            kind="integer",
            default=10_000,
            minimum=1,
        ),
    )
    examples = (
        "tap-csv --config tap.json | map-kozmo-clean --config rules.json | target-jsonl",
        "tap-csv --config tap.json | map-kozmo-clean --learn 10000 | target-jsonl",
        "kozmo run tap-csv map-kozmo-clean target-sqlite --tap-config path=orders.csv "
        "--mapper-config auto=true --target-config path=shop.db",
    )

    shortcuts = (
        Shortcut(
            "learn",
            "Learn from the first N rows of each stream: the settings auto and learn.",
            lambda rows: {"auto": True, "learn": rows},
        ),
    )

    def __init__(self, config: Mapping[str, Any]) -> None:
        super().__init__(config)
        from kozmo_bridge.cleaner.pipe.policy import Policies

        self._policies = Policies(self.config)

    def check(self) -> str:
        """Return how many rules there are; making the mapper has read all of them."""
        return f"{self._policies.words} for each stream"

    def run(self, source: int | BinaryIO, out: BinaryIO, state: Mapping[str, Any]) -> None:
        """Write the messages of *source* to *out*, rows clean; *state* is that of the tap."""
        from kozmo_bridge.cleaner.pipe.flow import Flow
        from kozmo_bridge.cleaner.pipe.memory import Memory, write_log

        def write(data: bytes) -> None:
            view = memoryview(data)
            while view:
                view = view[out.write(view) :]

        memory = Memory(state, self.config["learned_path"])
        rows = self.config["batch_size_rows"]
        out_pipe = lane.descriptor(lane.OUT_VARIABLE)
        flow = Flow(self._policies, memory, write, rows, out_pipe, lambda: stopping.requested)
        with without_cycles():
            flow.run(source)
        if self.config["log_path"]:
            write_log(self.config["log_path"], flow.log())
