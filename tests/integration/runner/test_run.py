"""Runs that go well: rows, state, selection, configuration, report."""

import json
import os
import stat
from pathlib import Path
from typing import Any

import pytest

from kozmo_runner import api
from kozmo_runner.stores import open_store


def _state(state_id: str = "tap-counting-to-target-lines") -> dict[str, Any] | None:
    saved = open_store().get(state_id)
    return saved.state if saved is not None else None


def test_rows_arrive_and_state_is_kept(tap: str, target: str, landed: Any) -> None:
    """Every row once and in order, and the state of the target's last line."""
    report = api.run(tap, target, tap_config={"rows": 25}, target_config=landed.config)
    assert landed.ids == list(range(1, 26))
    assert (report.status, report.exit_code, report.error) == ("done", 0, None)
    assert (report.rows_read, report.tap.exit_code, report.target.exit_code) == (25, 0, 0)
    assert report.state_before is None
    assert report.state_after == _state() == {"bookmarks": {"numbers": {"id": 25}}}


def test_the_next_run_goes_on(tap: str, target: str, landed: Any) -> None:
    """And a third one finds nothing new, which is no warning."""
    for rows in (25, 40, 40):
        report = api.run(tap, target, tap_config={"rows": rows}, target_config=landed.config)
        report.raise_for_failure()
    assert landed.ids == list(range(1, 41))
    assert (report.rows, report.warnings) == (0, [])


def test_full_refresh_starts_the_selected_streams_again(tap: str, target: str, landed: Any) -> None:
    """The bookmark of a stream that is not selected stays."""
    config = {"rows": 5, "streams": ["a", "b"]}
    api.run(tap, target, tap_config=config, target_config=landed.config)
    config["rows"] = 3
    options = {"tap_config": config, "target_config": landed.config, "streams": ["a"]}
    report = api.run(tap, target, full_refresh=True, **options)
    assert landed.ids == [1, 2, 3, 4, 5] * 2 + [1, 2, 3]
    assert _state() == {"bookmarks": {"a": {"id": 3}, "b": {"id": 5}}}
    assert report.rows_read == 3


def test_streams_are_chosen_by_rules(tap: str, target: str, landed: Any) -> None:
    """Patterns, and exceptions from them."""
    config = {"rows": 2, "streams": ["a1", "a2", "b"]}
    report = api.run(
        tap, target, tap_config=config, target_config=landed.config, streams=["a*", "!a2"]
    )
    assert [s.name for s in report.streams] == ["a1"]
    assert landed.ids == [1, 2]


def test_a_rule_that_matches_nothing_is_an_error(tap: str, target: str, landed: Any) -> None:
    """A misspelt stream must not be a success without rows."""
    report = api.run(tap, target, target_config=landed.config, streams=["number"])
    assert report.exit_code == 2
    assert report.error is not None
    assert report.error.details == ["did you mean 'numbers'?"]
    assert not landed.path.exists()


def test_a_catalog_of_the_user_is_taken_as_it_is(tap: str, target: str, landed: Any) -> None:
    """No discovery; where it selects nothing, nothing is read, and that is said."""
    catalog = api.discover(tap, {"streams": ["a", "b"]}).to_dict()
    options = {"tap_config": {"rows": 2}, "target_config": landed.config}
    nothing = api.run(tap, target, catalog=catalog, **options)
    assert (nothing.status, nothing.exit_code, landed.ids) == ("done", 3, [])
    assert nothing.warnings[0].startswith("no stream is selected")
    catalog["streams"][1]["metadata"][0]["metadata"]["selected"] = True
    assert [s.name for s in api.run(tap, target, catalog=catalog, **options).streams] == ["b"]


def test_an_empty_first_run_is_a_warning(tap: str, target: str, landed: Any) -> None:
    """Perhaps the wrong schema, or no rights to see rows: with an exit code of its own."""
    report = api.run(tap, target, tap_config={"rows": 0}, target_config=landed.config)
    assert (report.status, report.exit_code) == ("done", 3)
    assert report.warnings == ["no rows were read: the selected streams are empty"]


def test_a_tap_without_arguments_discovery_and_metrics(
    bare_tap: str, target: str, landed: Any
) -> None:
    """The least that Singer asks for is enough; its flat state is kept."""
    report = api.run(bare_tap, target, target_config=landed.config)
    assert [json.loads(line) for line in landed.path.read_text().splitlines()] == [
        {"word": word} for word in ("one", "two", "three")
    ]
    assert (report.status, report.rows) == ("done", None)
    assert _state("tap-bare-to-target-lines") == {"seen": 3}


def test_targets_that_print_whole_messages_or_more(tap: str, target: str, landed: Any) -> None:
    """State is found in what they print, and the rest is a warning."""
    config = {**landed.config, "whole": True, "chatter": "welcome"}
    report = api.run(tap, target, tap_config={"rows": 5}, target_config=config)
    assert report.state_after == {"bookmarks": {"numbers": {"id": 5}}}
    assert report.warnings == ["target-lines printed 1 lines that are no state"]


def test_state_ids_and_suffixes_keep_pipelines_apart(tap: str, target: str, landed: Any) -> None:
    """Each starts from its own state."""
    options = {"tap_config": {"rows": 3}, "target_config": landed.config}
    api.run(tap, target, state_id="mine", **options)
    api.run(tap, target, state_suffix="eu", **options)
    assert landed.ids == [1, 2, 3] * 2
    assert open_store().ids() == ["mine", "tap-counting-to-target-lines:eu"]


def test_a_state_left_by_another_source_is_a_warning(tap: str, target: str, landed: Any) -> None:
    """The rows of the new one below the old bookmark would be missed in silence otherwise."""
    warnings = [
        api.run(
            tap, target, tap_config={"rows": 3, "host": host, "password": host},
            target_config=landed.config,
        ).warnings
        for host in ("a.example.org", "a.example.org", "b.example.org")
    ]  # fmt: skip
    assert warnings[:2] == [[], []]
    assert "was left by tap-counting with another source" in warnings[2][0]


def test_without_a_store_every_run_starts_from_the_beginning(
    tap: str, target: str, landed: Any
) -> None:
    """Nothing is kept, nothing is locked."""
    for _ in range(2):
        api.run(
            tap, target, tap_config={"rows": 2}, target_config=landed.config, state_store="none"
        )
    assert landed.ids == [1, 2, 1, 2]


def test_no_secret_leaves_the_private_file(tap: str, target: str, landed: Any) -> None:
    """Neither argv, nor the report, nor what is said on failure; the file is private and goes."""
    config = {"password": "geheim123", "refuse": True}
    report = api.run(tap, target, tap_config=config, target_config=landed.config)
    assert report.exit_code == 1
    assert "geheim123" not in json.dumps(report.to_dict())
    assert report.error is not None
    assert report.error.details == ["ConnectionError: login refused for password ****"]


def test_files_of_a_run_are_private(tmp_path: Path, tap: str, target: str, landed: Any) -> None:
    """Read while the run is under way, by a watcher."""
    modes: dict[str, int] = {}

    class Watcher:
        def tick(self, progress: Any) -> None:
            for path in (tmp_path / "tmp").glob("kozmo-run-*/*"):
                modes[path.name] = stat.S_IMODE(path.stat().st_mode)
                modes["the folder"] = stat.S_IMODE(path.parent.stat().st_mode)

        def line(self, name: str, text: str) -> None:
            return

    api.run(
        tap, target, watcher=Watcher(), target_config=landed.config,
        tap_config={"rows": 5, "pause": 0.1},
    )  # fmt: skip
    assert modes["the folder"] == 0o700
    assert {mode for name, mode in modes.items() if name != "the folder"} == {0o600}
    assert any("config" in name for name in modes)


def test_a_renewed_token_is_kept_in_the_file_that_it_came_from(
    tmp_path: Path, tap: str, target: str, landed: Any
) -> None:
    """Given alone, or together with values that came from elsewhere."""
    file = tmp_path / "tap.json"
    for others in ([], ["rows=3"], [{"rows": 3}]):
        file.write_text(json.dumps({"token": "old", "rows": 2}))
        file.chmod(0o640)
        report = api.run(tap, target, tap_config=[str(file), *others], target_config=landed.config)
        assert json.loads(file.read_text()) == {"token": "renewed", "rows": 2}
        assert stat.S_IMODE(file.stat().st_mode) == 0o640
        assert report.warnings == []


def test_a_renewed_token_without_a_file_is_a_warning(tap: str, target: str, landed: Any) -> None:
    """It would be lost in silence otherwise."""
    report = api.run(tap, target, tap_config={"token": "old"}, target_config=landed.config)
    assert report.warnings == [
        "tap-counting renewed token in its configuration, which is kept in no single file"
    ]


def test_a_plug_in_does_not_see_the_settings_of_the_other(
    tmp_path: Path, target: str, landed: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Variables that configure the target are not in the tap's environment."""
    script = tmp_path / "tap_env.py"
    script.write_text(
        "import json, os\n"
        "names = [n for n in os.environ if n.startswith(('TAP', 'TARGET'))]\n"
        'print(json.dumps({"type": "STATE", "value": {"names": names}}))\n'
    )
    monkeypatch.setenv("TARGET_LINES_PASSWORD", "x")
    monkeypatch.setenv("TAP_ENV_PASSWORD", "y")
    report = api.run(str(script), target, target_config=landed.config)
    assert report.state_after == {"names": ["TAP_ENV_PASSWORD"]}


def test_the_report_is_complete_and_private(
    tmp_path: Path, tap: str, target: str, landed: Any, run: Any
) -> None:
    """Rows, seconds, states, exit codes and tails, as JSON of mode 0600."""
    path = tmp_path / "report.json"
    done = run(
        ["kozmo", "run", tap, target, "--tap-config", "rows=5", "--report", path,
         "--target-config", f"path={landed.path}"],
        env={"KOZMO_HOME": str(tmp_path / "kozmo")},
    )  # fmt: skip
    assert (done.code, done.err) == (0, "tap-counting to target-lines\n")
    lines = done.out.decode().splitlines()
    assert lines[:3] == ["stream   read", "-------  ----", "numbers     5"]
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
    report = json.loads(path.read_text())
    assert report["streams"] == [
        {
            "name": "numbers",
            "rows_read": 5,
            "rows_written": None,
            "bytes": None,
            "quarantined": None,
            "rows_inserted": None,
            "rows_updated": None,
            "quarantine_file": None,
        }
    ]
    assert report["tap"]["stderr_tail"] == ["INFO Starting sync"]
    assert report["state_after"] == {"bookmarks": {"numbers": {"id": 5}}}
    assert 0 < report["seconds"] < 60
    assert report["status"] == "done"


def test_pipelines_of_a_file_run_in_order(
    tmp_path: Path, tap: str, target: str, landed: Any, run: Any
) -> None:
    """The first that fails ends it, unless it may not; each has a state of its own.

    One that had nothing to read ends nothing.
    """
    file = tmp_path / "pipelines.yml"
    file.write_text(
        "defaults:\n"
        f"  tap: {tap}\n  target: {target}\n  target_config: {{path: {landed.path}}}\n"
        "pipelines:\n"
        "  none: {tap_config: {rows: 0}}\n"
        "  one: {tap_config: {rows: 1}}\n"
        "  bad: {tap_config: {rows: 2, die_at: 2}}\n"
        "  two: {tap_config: {rows: 2}}\n"
    )
    env = {"KOZMO_HOME": str(tmp_path / "kozmo")}
    assert run(["kozmo", "run", file], env=env).code == 1
    assert landed.ids == [1, 1]
    report = tmp_path / "report.json"
    done = run(["kozmo", "run", file, "--keep-going", "--report", report], env=env)
    assert done.code == 1
    assert [r["status"] for r in json.loads(report.read_text())] == [
        "done",
        "done",
        "failed",
        "done",
    ]
    assert run(["kozmo", "run", file, "none", "one", "--full-refresh"], env=env).code == 3
    assert run(["kozmo", "run", file, "two"], env=env).code == 0
    ids = [f"tap-counting-to-target-lines:{name}" for name in ("none", "one", "two")]
    assert open_store().ids() == ids
