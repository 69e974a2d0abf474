"""Running a tap to its end, and reading what it said."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest


@dataclass
class Said:
    """What a tap wrote: its messages parsed, its exit code, its standard error."""

    code: int
    err: str
    messages: list[dict[str, Any]]

    def of(self, kind: str) -> list[dict[str, Any]]:
        """The messages of one type."""
        return [message for message in self.messages if message["type"] == kind]

    @property
    def records(self) -> list[dict[str, Any]]:
        """The records of all streams."""
        return [message["record"] for message in self.of("RECORD")]

    @property
    def state(self) -> dict[str, Any]:
        """The last state, or an empty one."""
        states = self.of("STATE")
        return states[-1]["value"] if states else {}


Tap = Callable[..., Said]


@pytest.fixture
def tap(run: Any, tmp_path: Path) -> Tap:
    """Run a tap: tap(name, config, *arguments, state=..., catalog=...) -> Said."""

    def call(
        name: str, config: dict[str, Any], *arguments: str, timeout: float = 60, **files: Any
    ) -> Said:
        argv = [name, *arguments]
        for option, value in {"config": config, **files}.items():
            path = tmp_path / f"{option}.json"
            path.write_text(value if isinstance(value, str) else json.dumps(value))
            argv += [f"--{option}", str(path)]
        done = run(argv, timeout=timeout)
        lines = done.out.split(b"\n")
        plain = [json.loads(line) for line in lines if line.startswith(b'{"type"')]
        return Said(done.code, done.err, plain)

    return call


@pytest.fixture
def discover(run: Any, tmp_path: Path) -> Callable[..., dict[str, dict[str, Any]]]:
    """Return the catalog of a tap by stream: discover(name, config)."""

    def call(name: str, config: dict[str, Any]) -> dict[str, dict[str, Any]]:
        path = tmp_path / "discover.json"
        path.write_text(json.dumps(config))
        done = run([name, "--config", path, "--discover"])
        assert done.code == 0, done.err
        return {s["tap_stream_id"]: s for s in json.loads(done.out)["streams"]}

    return call


def root_of(stream: dict[str, Any]) -> dict[str, Any]:
    """The metadata of the stream itself."""
    [root] = [m["metadata"] for m in stream["metadata"] if not m["breadcrumb"]]
    return root
