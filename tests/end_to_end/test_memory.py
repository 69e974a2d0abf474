"""Peak memory of tap and target: many rows, large rows, many streams at once; all rows arrive."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from commands import BIN
from servers import processes
from servers.postgres import Database

MOST_TEXT, MOST_ARROW = 150, 250
"""Megabytes."""
SECONDS = 120


MANY = (
    "SELECT g AS id, 'name ' || g AS name, g / 7.0 AS share, now() AS at, g % 3 = 0 AS flag, "
    "md5(g::text) AS digest FROM generate_series(1, 1000000) g"
)
LARGE = "SELECT g AS id, repeat(md5(g::text), 32768) AS text FROM generate_series(1, 200) g"


@pytest.mark.parametrize("rows", [MANY, LARGE], ids=["many", "large"])
def test_rows_pass_a_few_at_a_time(
    postgres: Database, tmp_path: Path, clean_env: dict[str, str], lane: str, rows: str
) -> None:
    """A million of them, whose lines are 170 MB, or 200 of one megabyte each."""
    postgres.execute(f"CREATE TABLE passed AS {rows}")
    _copy(postgres, "passed", lane, tmp_path, clean_env)


def test_many_streams_at_once(
    postgres: Database, tmp_path: Path, clean_env: dict[str, str]
) -> None:
    """Two hundred of them take turns; batches are bounded in bytes over all of them."""
    config = tmp_path / "target.json"
    config.write_text(json.dumps({**postgres.config, "default_target_schema": "copied"}))
    target = subprocess.Popen(
        [BIN / "target-postgres", "--config", config], stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=clean_env,
    )  # fmt: skip
    assert target.stdin is not None
    try:
        for piece in _interleaved(200, 60, 20):
            target.stdin.write(piece)
        peak = _peak(target.pid)
        target.stdin.close()
        assert target.wait(SECONDS) == 0
    finally:
        target.kill()
    counts = [
        postgres.execute(f"SELECT count(*), count(DISTINCT id) FROM copied.s{number}")[0]
        for number in range(200)
    ]
    assert set(counts) == {(1200, 1200)}
    assert peak <= MOST_TEXT


@pytest.fixture(params=["text", "arrow"])
def lane(request: pytest.FixtureRequest) -> str:
    """Either way from tap to target."""
    return str(request.param)


def _interleaved(streams: int, rounds: int, rows: int) -> Iterator[bytes]:
    """Yield messages of many streams that take turns, *rows* rows of about 1 KB at a time."""
    schema = {"properties": {"id": {"type": "integer"}, "text": {"type": "string"}}}
    for number in range(streams):
        message = {"type": "SCHEMA", "stream": f"s{number}", "schema": schema, "key_properties": []}
        yield json.dumps(message).encode() + b"\n"
    for turn in range(rounds):
        for number in range(streams):
            head = b'{"type": "RECORD", "stream": "s%d", "record": {"id": ' % number
            tail = b', "text": "%b"}}\n' % (b"x" * 1000)
            yield b"".join(head + b"%d" % (turn * rows + row) + tail for row in range(rows))


def _copy(database: Database, table: str, lane: str, folder: Path, env: Mapping[str, str]) -> None:
    paths: list[Any] = [folder / "tap.json", folder / "target.json"]
    paths[0].write_text(json.dumps(database.config))
    paths[1].write_text(json.dumps({**database.config, "default_target_schema": "copied"}))
    run = subprocess.Popen(
        [
            BIN / "kozmo", "run", "tap-postgres", "target-postgres", "--tap-config", paths[0],
            "--target-config", paths[1], "--streams", f"public-{table}", "--lane", lane, "-q",
        ],
        env=env,
    )  # fmt: skip
    peaks: dict[str, int] = {}
    deadline = time.monotonic() + SECONDS
    while run.poll() is None:
        assert time.monotonic() < deadline
        for pid, name in processes.plugins(run.pid).items():
            peaks[name] = max(peaks.get(name, 0), _peak(pid))
        time.sleep(0.005)
    assert run.returncode == 0
    digest = "SELECT count(*), sum(hashtext(t::text)::bigint) FROM {} t"
    assert database.execute(digest.format(f"copied.{table}")) == database.execute(
        digest.format(f"public.{table}")
    )
    most = MOST_ARROW if lane == "arrow" else MOST_TEXT
    assert set(peaks) == {"tap-postgres", "target-postgres"}
    assert max(peaks.values()) <= most, peaks


def _peak(pid: int) -> int:
    """The most memory that the process has had, in megabytes; 0 once it is gone."""
    with suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) // 1024
    return 0
