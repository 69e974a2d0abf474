"""Plain shell pipes: any tap of ours into any target, ours or others'."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from commands import Run
from destinations import DESTINATIONS, PEERS, canonical
from piping import config, pipe
from servers.postgres import Database
from sources import SOURCES

SQL = ["target-postgres", "target-sqlite"]
TARGETS = {**DESTINATIONS, **PEERS}


@pytest.mark.parametrize("target", [*SQL, *PEERS])
@pytest.mark.parametrize("tap", SOURCES)
def test_rows_go_through_a_shell_pipe(
    run: Run,
    tmp_path: Path,
    postgres: Database,
    environment: Callable[[str], Path],
    tap: str,
    target: str,
) -> None:
    """Every row arrives exactly; with the state that came out, only new rows are sent.

    The peers only append, so a row that was sent twice would be seen.
    """
    environment("singer-python")
    source = SOURCES[tap](tmp_path, postgres)
    destination = TARGETS[target](tmp_path, postgres)
    read = [tap, "--config", config(tmp_path, "tap", source.config)]
    write = [*destination.command, "--config", config(tmp_path, "target", destination.config)]

    state = pipe(run, read, write).state
    expected = canonical(source.rows, source.kinds)
    assert canonical(destination.rows(source.stream), source.kinds) == expected

    read += ["--state", config(tmp_path, "state", state)]
    source.insert([source.row(1000), source.row(1001)])
    assert pipe(run, read, write).state != state
    expected = canonical(source.rows, source.kinds)
    assert canonical(destination.rows(source.stream), source.kinds) == expected


@pytest.mark.parametrize("tap", SOURCES)
def test_nothing_is_sent_where_nothing_is_new(
    run: Run, tmp_path: Path, postgres: Database, tap: str
) -> None:
    """A second run over an unchanged table writes no record and the same state."""
    source = SOURCES[tap](tmp_path, postgres)
    command = [tap, "--config", config(tmp_path, "tap", source.config)]
    first = [json.loads(line) for line in run(command).out.splitlines()]
    assert len([m for m in first if m["type"] == "RECORD"]) == len(source.rows)
    state = first[-1]["value"]
    done = run([*command, "--state", config(tmp_path, "state", state)])
    again = [json.loads(line) for line in done.out.splitlines()]
    assert [m["type"] for m in again] == ["SCHEMA", "STATE"]
    assert again[-1]["value"] == state
