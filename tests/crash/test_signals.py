"""SIGTERM and SIGINT at any instant, to tap and target in a plain pipe: they end, and say so."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from commands import BIN
from crash.harness import END_SECONDS, TABLES, InPostgres, World, in_postgres

pytestmark = pytest.mark.slow
TABLE = "events"


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """As many signals as --crashes says."""
    metafunc.parametrize("seed", range(metafunc.config.getoption("--crashes")))


@pytest.fixture(scope="module")
def destination(world: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[InPostgres]:
    """One place for all: what is of interest here is how processes end."""
    with in_postgres(tmp_path_factory.mktemp("signals"), world.server) as into:
        assert isinstance(into, InPostgres)
        pipe = _pipe(world, into, tmp_path_factory.mktemp("undisturbed"))
        assert [each.wait(60) for each in pipe.values()] == [0, 0]
        assert into.count(TABLE) == TABLES[TABLE].rows
        yield into


def test_a_signal_ends_each_process(
    world: World, destination: InPostgres, seed: int, tmp_path: Path
) -> None:
    """Within ten seconds, not with 0 unless it was done, and no connection stays open."""
    dice = random.Random(seed)
    victims = dice.choice((["tap"], ["target"], ["tap", "target"]))
    kind = dice.choice((signal.SIGTERM, signal.SIGINT))
    destination.database.execute("DROP SCHEMA IF EXISTS shop CASCADE")
    pipe = _pipe(world, destination, tmp_path)
    try:
        time.sleep(dice.uniform(0, 0.9))
        struck = [name for name in victims if pipe[name].poll() is None]
        for name in struck:
            pipe[name].send_signal(kind)
        deadline = time.monotonic() + END_SECONDS
        codes = {name: each.wait(deadline - time.monotonic()) for name, each in pipe.items()}
    finally:
        for each in pipe.values():
            with suppress(ProcessLookupError):
                os.killpg(each.pid, signal.SIGKILL)
            each.wait()
    whole = destination.count(TABLE) == TABLES[TABLE].rows
    for name in struck:
        assert codes[name] != 0 or whole, f"{kind.name} to {name}: {codes}"
    _expect_no_connection(world)


def _pipe(world: World, into: InPostgres, folder: Path) -> dict[str, subprocess.Popen[bytes]]:
    configs = {
        "tap": {**world.source.config, "filter_schemas": ["shop"], "replication_key": "seq"},
        "target": {**into.config, "batch_size_rows": 5_000},
    }
    command: dict[str, list[str]] = {}
    for name, config in configs.items():
        path = folder / f"{name}.json"
        path.write_text(json.dumps(config))
        command[name] = [str(BIN / f"{name}-postgres"), "--config", str(path)]
    env = {"PATH": os.environ["PATH"], "HOME": str(folder)}
    tap = subprocess.Popen(
        [*command["tap"], "--catalog", _catalog(world, folder)], stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL, env=env, start_new_session=True,
    )  # fmt: skip
    target = subprocess.Popen(
        command["target"], stdin=tap.stdout, stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL, env=env, start_new_session=True,
    )  # fmt: skip
    assert tap.stdout is not None
    tap.stdout.close()
    return {"tap": tap, "target": target}


def _catalog(world: World, folder: Path) -> str:
    columns = {name: {} for name in TABLES[TABLE].columns.split(", ")}
    root = {"selected": True, "schema-name": "shop", "table-name": TABLE}
    stream = {
        "tap_stream_id": f"shop-{TABLE}", "stream": f"shop-{TABLE}",
        "schema": {"type": "object", "properties": columns},
        "metadata": [{"breadcrumb": [], "metadata": root}],
    }  # fmt: skip
    path = folder / "catalog.json"
    path.write_text(json.dumps({"streams": [stream]}))
    return str(path)


def _expect_no_connection(world: World) -> None:
    query = "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 't%-postgres'"
    deadline = time.monotonic() + END_SECONDS
    with world.server.connect() as connection:
        while connection.execute(query).fetchall() != [(0,)]:
            assert time.monotonic() < deadline, "a connection stays open"
            time.sleep(0.02)
