"""Mappers between tap and target: what passes them, who is blamed, how they end."""

import json
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from kozmo_runner import api
from kozmo_runner.engine import Grace
from kozmo_runner.stores import open_store
from kozmo_singer.errors import ConfigError
from project import ROOT

QUICK = Grace(tap=0.5, drain=0.5, target=0.5)
NAME = "tap-counting-to-target-lines"
MAPPER = str(ROOT / "tests" / "fixtures" / "map_lines.py")


def _saved() -> Any:
    saved = open_store().get(NAME)
    return saved.state if saved is not None else None


def test_rows_pass_all_mappers_in_their_order(tap: str, target: str, landed: Any) -> None:
    """The report names each with its command, and the state passes through."""
    report = api.run(
        tap, target, tap_config={"rows": 25}, target_config=landed.config,
        mappers=[(MAPPER, {"add": 100}), MAPPER, (MAPPER, {"add": 1000})],
    )  # fmt: skip
    assert (report.status, report.exit_code) == ("done", 0)
    assert report.pipeline == (
        "tap-counting through map-lines through map-lines through map-lines to target-lines"
    )
    assert [mapper.exit_code for mapper in report.mappers] == [0, 0, 0]
    assert "--config" not in report.mappers[1].command
    assert landed.ids == list(range(1101, 1126))
    assert (report.rows_read, _saved()) == (25, {"bookmarks": {"numbers": {"id": 25}}})
    again = api.run(
        tap, target, tap_config={"rows": 26}, target_config=landed.config, mappers=[MAPPER]
    )
    assert (again.rows_read, landed.ids[-1]) == (1, 26)


def test_any_filter_of_lines_is_a_mapper(tap: str, target: str, landed: Any) -> None:
    """It gets no --config that nobody asked for."""
    mapper = """sed -e 's/"id": 3}/"id": 33}/'"""
    api.run(
        tap, target, tap_config={"rows": 4}, target_config=landed.config, mappers=[mapper]
    ).raise_for_failure()
    assert landed.ids == [1, 2, 33, 4]


@pytest.mark.parametrize(
    ("config", "message", "details"),
    [
        ({"die_at": 15, "exit_code": 7}, "(exit code 7)", ["the map is torn"]),
        ({"die_at": 15, "signal": 9}, "killed by SIGKILL", ["the map is torn"]),
        ({"quit_at": 15}, "(exit code 0)", ["it stopped reading before the tap was done"]),
    ],
)
@pytest.mark.parametrize("place", [0, 1])
def test_a_mapper_that_ends_early_is_blamed(
    tap: str, target: str, landed: Any, config: Any, message: str, details: list[str], place: int
) -> None:
    """Not the tap's broken pipe, nor another mapper, nor the target's missing input."""
    mappers: list[Any] = [MAPPER, MAPPER]
    mappers[place] = (MAPPER, config)
    report = api.run(
        tap, target, tap_config={"rows": 300_000}, target_config=landed.config, mappers=mappers
    )
    assert (report.status, report.exit_code) == ("failed", 1)
    assert report.error is not None
    assert (report.error.side, report.error.name) == ("mapper", "map-lines")
    assert message in report.error.message
    assert report.error.details == details
    assert landed.ids == list(range(1, 15))
    assert _saved() == {"bookmarks": {"numbers": {"id": 10}}}
    again = api.run(
        tap, target, tap_config={"rows": 30}, target_config=landed.config, mappers=[MAPPER]
    )
    assert (again.exit_code, landed.ids[14:]) == (0, list(range(11, 31)))


@pytest.mark.parametrize("side", ["tap", "target"])
def test_both_ends_are_blamed_as_without_a_mapper(
    tap: str, target: str, landed: Any, side: str
) -> None:
    """A mapper that lost its reader is no reason, and its end is none of the tap's."""
    die = {"die_at": 15, "exit_code": 7}
    report = api.run(
        tap, target, tap_config={"rows": 300_000, **(die if side == "tap" else {})},
        target_config={**landed.config, **(die if side == "target" else {})},
        mappers=[MAPPER, MAPPER],
    )  # fmt: skip
    assert report.error is not None
    assert (report.error.side, report.exit_code) == (side, 1)
    assert "(exit code 7)" in report.error.message
    assert landed.ids == list(range(1, 15))


def test_a_dead_target_ends_a_tap_and_mappers_that_wait(tap: str, target: str, landed: Any) -> None:
    """None of them would notice before the next row."""
    report = api.run(
        tap, target, tap_config={"rows": 3, "pause": 60}, mappers=[MAPPER, MAPPER], grace=QUICK,
        target_config={**landed.config, "die_at": 1},
    )  # fmt: skip
    assert report.error is not None
    assert report.error.name == "target-lines"
    assert report.seconds < 20


def test_a_target_of_ours_hears_behind_a_mapper_that_the_tap_failed(
    tap: str, tmp_path: Path
) -> None:
    """A table that is to be replaced stays as it was, although the mapper took it for the end."""
    config = {"path": str(tmp_path / "x.db"), "load_method": "overwrite"}
    api.run(tap, "target-sqlite", tap_config={"rows": 5}, target_config=config).raise_for_failure()
    report = api.run(
        tap, "target-sqlite", tap_config={"rows": 9, "die_at": 3}, target_config=config,
        mappers=[MAPPER], full_refresh=True,
    )  # fmt: skip
    assert report.error is not None
    assert (report.error.side, report.mappers[0].exit_code) == ("tap", 0)
    found = api.count("tap-sqlite", {"path": config["path"]})
    assert found == {"numbers": 5}


@pytest.mark.parametrize(
    ("extra", "code"),
    [({"hang": True}, -signal.SIGTERM), ({"hang": True, "stubborn": True}, -signal.SIGKILL)],
)
def test_a_mapper_that_never_ends_is_stopped(
    tap: str, target: str, landed: Any, extra: Any, code: int
) -> None:
    """End of input, then SIGTERM, then SIGKILL, and the target loads what came."""
    report = api.run(
        tap, target, tap_config={"rows": 5}, target_config=landed.config, grace=QUICK, timeout=1,
        mappers=[(MAPPER, extra)],
    )  # fmt: skip
    assert (report.mappers[0].exit_code, report.target.exit_code) == (code, 0)
    assert landed.ids == [1, 2, 3, 4, 5]
    assert report.state_after == {"bookmarks": {"numbers": {"id": 5}}}


def test_an_idle_mapper_is_named(tap: str, target: str, landed: Any) -> None:
    """As what did not read what was sent to it."""
    report = api.run(
        tap, target, tap_config={"rows": 300_000}, target_config=landed.config, grace=QUICK,
        idle_timeout=1, mappers=[MAPPER, (MAPPER, {"pause": 60})],
    )  # fmt: skip
    assert report.error is not None
    assert report.error.details == ["map-lines did not read what map-lines had sent"]


def test_ctrl_c_stops_in_order_and_keeps_the_state(
    tap: str, target: str, landed: Any, background: Callable[..., Any], until: Callable[..., Any]
) -> None:
    """The tap first; what it had sent passes the mapper and is loaded."""
    running = background(
        "run", tap, MAPPER, target, "--tap-config", "rows=100000", "--tap-config", "pause:=0.01",
        "--mapper-config", "add=0", "--target-config", f"path={landed.path}",
    )  # fmt: skip
    until(lambda: len(landed.ids) > 20, "no rows arrived")
    running.send(signal.SIGINT)
    code, out, _ = running.end()
    assert (code, "interrupted" in out) == (130, True)
    assert landed.ids == list(range(1, len(landed.ids) + 1))
    assert _saved()["bookmarks"]["numbers"]["id"] == len(landed.ids) // 10 * 10


def test_each_shard_has_its_own_mapper(tap: str, target: str, landed: Any) -> None:
    """Two pairs, two mappers, one report."""
    config = {"rows": 500, "streams": ["a", "b", "c"]}
    report = api.run(
        tap, target, tap_config=config, target_config=landed.config, jobs=2,
        mappers=[(MAPPER, {"add": 1000})],
    )  # fmt: skip
    assert (report.status, len(report.shards) > 1) == ("done", True)
    assert sorted(landed.ids) == sorted([*range(1001, 1501)] * 3)
    assert report.mappers[0].exit_code == 0


def test_a_mapper_in_a_file_of_pipelines(
    tap: str, target: str, landed: Any, tmp_path: Path, run: Any, home: Path
) -> None:
    """Its configuration is a file beside it, and --mapper-config goes before that."""
    (tmp_path / "add.json").write_text(json.dumps({"add": 10, "token": "geheim-1234"}))
    (tmp_path / "p.yml").write_text(
        json.dumps(
            {
                "defaults": {"mappers": [MAPPER, {"mapper": MAPPER, "config": "add.json"}]},
                "pipelines": {
                    "x": {
                        "tap": tap, "target": target, "tap_config": {"rows": 3},
                        "target_config": landed.config,
                    }
                },
            }
        )
    )  # fmt: skip
    done = run(
        ["kozmo", "run", tmp_path / "p.yml", "--mapper-config", "1:add:=100", "-v", "--report",
         tmp_path / "report.json"],
        env={"KOZMO_HOME": str(home)},
    )  # fmt: skip
    assert done.code == 0, done.err
    assert landed.ids == [111, 112, 113]
    assert "geheim-1234" not in done.err + (tmp_path / "report.json").read_text()
    assert "map-lines | WARNING my token is" in done.err


def test_rows_go_as_text_where_a_mapper_knows_no_arrow(tap: str, tmp_path: Path) -> None:
    """And to ask for the Arrow lane is an error that names it."""
    source = {"path": str(tmp_path / "x.db")}
    api.run(tap, "target-sqlite", tap_config={"rows": 5}, target_config=source).raise_for_failure()
    given: dict[str, Any] = {
        "tap_config": source, "target_config": {"path": str(tmp_path)}, "mappers": [MAPPER],
    }  # fmt: skip
    assert api.run("tap-sqlite", "target-arrow", **given).lane == "text"
    refused = api.run("tap-sqlite", "target-arrow", **given, lane="arrow", full_refresh=True)
    assert refused.error is not None
    assert "cannot use the Arrow lane" in refused.error.message


def test_a_run_through_a_mapper_cannot_be_verified(tap: str, target: str) -> None:
    """What arrives is meant to differ."""
    with pytest.raises(ConfigError, match="cannot be verified"):
        api.run(tap, target, mappers=[MAPPER], verify=True)


def test_plug_ins_in_the_wrong_order_are_told_the_right_one(tap: str, target: str) -> None:
    """A mapper is no target, and a tap no mapper."""
    with pytest.raises(ConfigError, match="map-lines is a mapper, and a target is needed"):
        api.run(tap, MAPPER)
    with pytest.raises(ConfigError, match="tap-counting is a tap, and a mapper is needed"):
        api.run(tap, target, mappers=[tap])
