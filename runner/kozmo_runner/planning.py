"""What a target would do with streams: its dry run."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from typing import Any, BinaryIO

import msgspec

from kozmo_runner.abilities import abilities
from kozmo_runner.asking import ask_with, failure
from kozmo_runner.capabilities import capabilities
from kozmo_runner.configs import Config, give, take_back
from kozmo_runner.plugins import find
from kozmo_runner.process import Cancel
from kozmo_runner.workspace import Workspace
from kozmo_singer.errors import ConfigError, WriteError
from kozmo_singer.wire.planned import CAPABILITY, Plan

Lines = bytes | Iterable[bytes | Mapping[str, Any]]
"""Singer lines, whole or in pieces, or messages as JSON has them; SCHEMA messages will do."""


def plan(
    target: str,
    config: Config = None,
    lines: Lines = b"",
    *,
    timeout: float | None = None,
    cancel: Cancel | None = None,
) -> Plan:
    """Return what *target* would do with *lines*, table by table; nothing of it is done.

    A fault of one stream, with which a load would end, is in the plan (`Plan.error`). ConfigError
    where the target has no dry run, WriteError where it cannot be made, for example since nothing
    answers.
    """
    plug = find(target, "target")
    with Workspace() as workspace:
        if not plug.ours or CAPABILITY not in capabilities(plug, workspace, cancel):
            raise ConfigError(
                f"{plug.name} has no dry run",
                "of ours the targets of SQL databases have one, such as target-postgres",
            )
        given = give(plug, config, abilities(plug, workspace, cancel), workspace)
        path = workspace.folder / "plan.jsonl"
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            _write(file, lines)
        arguments = ["--plan", "--format", "json", "--input", str(path)]
        answer = ask_with(plug, arguments, given, workspace, timeout, cancel)
        take_back(plug, given)
    # A plan that holds a fault comes with the exit code of a load that failed.
    if not answer.out:
        raise failure(WriteError, f"{plug.name} could not plan the load", answer)
    return msgspec.json.decode(answer.out, type=Plan)


def _write(file: BinaryIO, lines: Lines) -> None:
    for each in [lines] if isinstance(lines, bytes) else lines:
        file.write(each if isinstance(each, bytes) else json.dumps(each).encode() + b"\n")
