"""What a name means."""

import os
import sys
from pathlib import Path

import pytest

from kozmo_runner.abilities import Abilities, read_help
from kozmo_runner.plugins import find, on_path, registered
from kozmo_singer.errors import ConfigError

SINGER_PYTHON = """usage: tap-x [-h] -c CONFIG [-s STATE] [-p PROPERTIES] [--catalog CATALOG] [-d]
options:
  -c CONFIG, --config CONFIG   Config file
  -s STATE, --state STATE      State file
  -p PROPERTIES, --properties PROPERTIES
                        Property selections: DEPRECATED, Please use --catalog instead
  --catalog CATALOG     Catalog file
  -d, --discover        Do schema discovery
"""
SDK = """Usage: tap-x [OPTIONS]
Options:
  --version          Display the package version.
  --about            Display package metadata and settings.
  --config TEXT      Configuration file location or 'ENV' to use environment
  --discover         Run the tap in discovery mode.
  --test TEXT        Use --test to sync a single record for each stream.
  --catalog FILENAME Use a Singer catalog file with the tap.
  --state FILENAME   Use a bookmarks file for incremental replication.
"""


def _program(folder: Path, name: str) -> Path:
    path = folder / name
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return path


def test_ours_are_found_by_name_beside_the_interpreter(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever PATH says: another tap of the same name elsewhere is not ours."""
    monkeypatch.setenv("PATH", "")
    plug = find("tap-sqlite")
    assert (plug.name, plug.kind, plug.ours) == ("tap-sqlite", "tap", True)
    assert plug.command == (str(Path(sys.executable).parent / "tap-sqlite"),)
    assert plug.prefix == "TAP_SQLITE_"


def test_any_program_on_path_will_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Called like a plug-in or not."""
    program = _program(tmp_path, "tap-elsewhere")
    _program(tmp_path, "odd")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert find("tap-elsewhere", "tap").command == (str(program),)
    assert not find("tap-elsewhere").ours
    assert find("odd", "target").kind == "target"
    assert on_path() == {"tap-elsewhere": str(program)}


def test_a_path_or_a_command_line_will_do_too(tmp_path: Path) -> None:
    """A script without execute permission is given to this Python."""
    script = tmp_path / "tap_mine.py"
    script.write_text("")
    assert find(str(script)).command == (sys.executable, str(script))
    assert find(str(script)).name == "tap-mine"
    plug = find(f"{sys.executable} {script} --fast")
    assert plug.command == (sys.executable, str(script), "--fast")
    assert plug.name == "tap-mine"


def test_the_path_of_one_of_ours_is_ours() -> None:
    """So that it is told what only ours understand."""
    assert find(str(Path(sys.executable).parent / "target-jsonl")).ours


@pytest.mark.parametrize(
    ("name", "kind", "words"),
    [
        ("tap-sqlit", "tap", ["there is no tap called 'tap-sqlit'", "did you mean 'tap-sqlite'?"]),
        ("target-jsonl", "tap", ["target-jsonl is a target", "kozmo run TAP TARGET"]),
        ("map-kozmo-clean", "target", ["is a mapper", "with the mappers between them"]),
        ("map-kozmo-clen", "mapper", ["did you mean 'map-kozmo-clean'?"]),
        ("nowhere/tap-x", "tap", ["there is no file nowhere/tap-x"]),
        ("", "tap", ["the name of the tap is empty"]),
        ("tap-x 'open", "tap", ["cannot read the command line"]),
    ],
)
def test_what_cannot_be_found_says_what_was_meant(name: str, kind: str, words: list[str]) -> None:
    """Or where to look."""
    with pytest.raises(ConfigError) as raised:
        find(name, kind)  # type: ignore[arg-type]  # parametrize knows no literals
    for word in words:
        assert word in str(raised.value)


@pytest.mark.parametrize(
    "name", ["map-x", "mapper-x", "map_x.py", "meltano-map-transformer", "x-mapper"]
)
def test_mappers_are_known_by_their_names(tmp_path: Path, name: str) -> None:
    """Those that are called otherwise are mappers by their place."""
    assert find(str(_program(tmp_path, name))).kind == "mapper"
    assert find(str(_program(tmp_path, "my-map")), "mapper").kind == "mapper"
    assert find("map-kozmo-clean", "mapper").ours


def test_a_file_that_cannot_be_run_says_how_to_change_that(tmp_path: Path) -> None:
    """chmod, with the path."""
    path = tmp_path / "tap-x"
    path.write_text("")
    with pytest.raises(ConfigError, match=f"chmod \\+x {path}"):
        find(str(path))


def test_registered_plug_ins_are_sorted_and_described() -> None:
    """Read from entry points, so that packages of others can add theirs."""
    taps = registered("tap")
    assert list(taps) == sorted(taps)
    assert "tap-sqlite" in taps
    assert all(entry.summary for entry in taps.values())


def test_help_tells_what_a_program_can_do() -> None:
    """singer-python lists both names of the catalog, and each tap reads only one."""
    assert read_help(SINGER_PYTHON) == Abilities(
        discover=True, catalog=("--catalog", "--properties"), state=True, needs_config=True
    )
    assert read_help(SDK) == Abilities(
        discover=True, catalog=("--catalog",), state=True, about=True, environment=True,
        test=True, needs_config=False,
    )  # fmt: skip


def test_a_script_that_answers_help_with_messages_promises_nothing() -> None:
    """It has run instead of explaining itself."""
    assert read_help('{"type": "SCHEMA", "stream": "--discover"}') == Abilities()


def test_the_executable_is_the_script_that_a_command_runs(tmp_path: Path) -> None:
    """Its change is what makes the runner ask again."""
    script = tmp_path / "tap_mine.py"
    script.write_text("")
    assert find(f"{sys.executable} {script}").executable == script
    assert os.path.exists(find("tap-sqlite").executable)
