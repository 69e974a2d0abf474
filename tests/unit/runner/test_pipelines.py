"""Pipelines in a file."""

from pathlib import Path

import pytest

from kozmo_runner.pipelines import job, load
from kozmo_singer.errors import ConfigError

FILE = """
defaults:
  target: target-jsonl
  target_config: out.json
pipelines:
  orders:
    tap: tap-sqlite
    tap_config: {path: "${SHOP}", dollar: "$${5}"}
    streams: orders
    timeout: 15m
  all:
    tap: tap-sqlite
    tap_config: [ENV, "path=x.db", {busy: 1}]
    state_id: everything
    full_refresh: true
"""


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A file of two pipelines."""
    monkeypatch.setenv("SHOP", "shop.db")
    path = tmp_path / "pipelines.yml"
    path.write_text(FILE)
    return str(path)


def test_pipelines_are_read_with_defaults_and_variables(file: str, tmp_path: Path) -> None:
    """Paths are relative to the file; the state id tells pipelines of the same plug-ins apart."""
    first, second = load(file, [], {})
    assert (first.tap.name, first.target.name) == ("tap-sqlite", "target-jsonl")
    assert first.tap_config == [{"path": "shop.db", "dollar": "${5}"}]
    assert first.target_config == [str(tmp_path / "out.json")]
    assert first.streams == ["orders"]
    assert first.limits.total == 900
    assert first.state_id == "tap-sqlite-to-target-jsonl:orders"
    assert second.tap_config == ["ENV", "path=x.db", {"busy": 1}]
    assert (second.state_id, second.full_refresh) == ("everything", True)


def test_named_pipelines_only_and_options_win(file: str) -> None:
    """Configuration is added to, everything else replaced."""
    overrides = {"tap_config": ["path=y.db"], "streams": ["customers"], "full_refresh": True}
    (found,) = load(file, ["orders"], overrides)
    assert found.tap_config == [{"path": "shop.db", "dollar": "${5}"}, "path=y.db"]
    assert (found.streams, found.full_refresh) == (["customers"], True)


def test_mappers_have_configurations_of_their_own(tmp_path: Path) -> None:
    """Their files are beside that of the pipelines; options say which mapper they are for."""
    path = tmp_path / "p.yml"
    path.write_text(
        "pipelines:\n  a:\n    tap: tap-sqlite\n    target: target-jsonl\n    mappers:\n"
        "      - map-kozmo-clean\n"
        "      - {mapper: sed, config: clean.json}\n      - {mapper: sed, config: {a: 1}}\n"
    )
    options = ["map-kozmo-clean:auto=true", "3:b=2", "map-kozmo-clean:x.json"]
    (found,) = load(str(path), [], {"mapper_config": options})
    assert [mapper.plug.name for mapper in found.mappers] == ["map-kozmo-clean", "sed", "sed"]
    assert [mapper.config for mapper in found.mappers] == [
        ["auto=true", "x.json"], [str(tmp_path / "clean.json")], [{"a": 1}, "b=2"],
    ]  # fmt: skip
    assert found.pipeline == (
        "tap-sqlite through map-kozmo-clean through sed through sed to target-jsonl"
    )


@pytest.mark.parametrize(
    ("mappers", "source", "words"),
    [
        ([], "a=1", "has no mapper to go to"),
        (["map-kozmo-clean", "sed"], "a=1", "begin it with one of: map-kozmo-clean:, sed:"),
        (["sed", "sed"], "sed:a=1", "or with their number"),
    ],
)
def test_a_configuration_that_fits_no_mapper(mappers: list[str], source: str, words: str) -> None:
    """Or more than one."""
    values = {"tap": "tap-sqlite", "target": "target-jsonl", "mappers": mappers}
    with pytest.raises(ConfigError) as raised:
        job({**values, "mapper_config": [source]})
    assert words in str(raised.value)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("pipelines:\n  a: {tap: tap-sqlite}", "the key 'target' is missing"),
        ("pipelines:\n  a: {tap: x, target: y, stream: z}", "did you mean 'streams'?"),
        ("pipelines:\n  a: {tap: 5, target: y}", "'tap' cannot be 5"),
        ("pipelines:\n  a: [1]", "a pipeline is a map"),
        ("pipelines:\n  a: {tap: x, target: y, mappers: [5]}", "a mapper cannot be 5"),
        ("pipelines:\n  a: {tap: x, target: y, mappers: [{mapper: m, confg: 1}]}", "mean 'config'"),
        ("pipeline: {}", "holds no pipelines"),
        ("pipelines:\n  a: {}\npipe: 1", "unknown key 'pipe'"),
        ("[1", "line"),
        ("a: !!python/object/apply:os.system [true]", "is not YAML"),
        (
            "pipelines:\n  a: {tap: '${NOT_SET_ANYWHERE}', target: y}",
            "pipeline a, setting 'tap': the environment variable NOT_SET_ANYWHERE is not set",
        ),
    ],
)
def test_faults_are_named(tmp_path: Path, content: str, words: str) -> None:
    """With the file, the pipeline, and what to do."""
    path = tmp_path / "p.yml"
    path.write_text(content)
    with pytest.raises(ConfigError) as raised:
        load(str(path), [], {})
    assert words in str(raised.value)


def test_an_unknown_pipeline_is_an_error(file: str) -> None:
    """With what was probably meant."""
    with pytest.raises(ConfigError, match=r"no pipeline 'order'\n  did you mean 'orders'"):
        load(file, ["order"], {})


def test_a_missing_file_is_an_error() -> None:
    """In words."""
    with pytest.raises(ConfigError, match="cannot read nowhere.yml: No such file"):
        load("nowhere.yml", [], {})
