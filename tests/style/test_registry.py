"""The registry, the console scripts, the entry points, the extras and the classes agree."""

import re
from importlib import import_module
from importlib.metadata import entry_points

import pytest

from kozmo_bridge.cleaner.pipe.registry import MAPPERS
from kozmo_singer.errors import ConfigError
from kozmo_singer.plugin import Plugin
from kozmo_singer.scripts import Entry
from kozmo_taps.registry import TAPS
from kozmo_targets.registry import TARGETS
from project import pyproject

EVERY = {**TAPS, **MAPPERS, **TARGETS}
PROJECT = pyproject()["project"]


def _load(entry: Entry) -> type[Plugin]:
    module, _, attribute = entry.target.partition(":")
    return getattr(import_module(module), attribute)


@pytest.mark.parametrize(
    ("registry", "prefix"), [(TAPS, "tap-"), (MAPPERS, "map-"), (TARGETS, "target-")]
)
def test_a_registry_is_sorted_and_speaks_of_one_kind(
    registry: dict[str, Entry], prefix: str
) -> None:
    """A reader finds a name where the alphabet puts it."""
    assert list(registry) == sorted(registry)
    assert [name for name in registry if not name.startswith(prefix)] == []


def test_the_console_scripts_are_the_registry() -> None:
    """Each plug-in has its script, no script lacks its plug-in, and they stand in order."""
    wanted = {"kozmo": "kozmo_runner:main"}
    packages = {"kozmo_taps": TAPS, "kozmo_bridge.cleaner.pipe": MAPPERS, "kozmo_targets": TARGETS}
    for package, registry in packages.items():
        wanted |= {name: f"{package}:{name.replace('-', '_')}" for name in registry}
    assert PROJECT["scripts"] == wanted
    assert list(PROJECT["scripts"]) == sorted(wanted)


@pytest.mark.parametrize(
    ("group", "registry"),
    [("kozmo.taps", TAPS), ("kozmo.mappers", MAPPERS), ("kozmo.targets", TARGETS)],
)
def test_the_entry_points_give_the_registry(group: str, registry: dict[str, Entry]) -> None:
    """What a third party's registry looks like to the runner is what ours looks like."""
    loaded = [point.load() for point in entry_points(group=group) if point.name == "kozmo-singer"]
    assert loaded == [registry]


@pytest.mark.parametrize("name", EVERY)
def test_an_extra_brings_the_driver(name: str) -> None:
    """The extra that the error message names exists, and data-integration includes it."""
    extras = PROJECT["optional-dependencies"]
    assert EVERY[name].extra in extras
    assert EVERY[name].extra in _included(extras, "data-integration")


@pytest.mark.parametrize("name", EVERY)
def test_a_class_calls_itself_what_the_registry_calls_it(name: str) -> None:
    """Name and one-line summary are written once more in the class; they must be the same."""
    plugin = _load(EVERY[name])
    assert issubclass(plugin, Plugin)
    assert (plugin.name, plugin.summary) == (name, EVERY[name].summary)


@pytest.mark.parametrize("name", EVERY)
def test_settings_are_fit_to_be_shown(name: str) -> None:
    """Every setting has a snake_case name of its own and a line of text without a full stop."""
    settings = _load(EVERY[name]).settings
    names = [setting.name for setting in settings]
    assert len(names) == len(set(names))
    assert [each for each in names if not re.fullmatch(r"[a-z][a-z0-9_]*", each)] == []
    assert [s.name for s in settings if not re.fullmatch(r"[^\n|]+[^\n|.]", s.description)] == []


@pytest.mark.parametrize("name", EVERY)
def test_an_unknown_setting_is_refused_with_the_one_that_was_meant(name: str) -> None:
    """Of every plug-in, for every setting of it that lost a letter."""
    plugin = _load(EVERY[name])
    for setting in plugin.settings:
        with pytest.raises(ConfigError, match=f"{name} has no setting") as raised:
            plugin({setting.name[:-1] + "_": "x"})
        assert "did you mean '" in str(raised.value)


def test_singer_python_conflicts_with_every_extra_that_brings_the_sdk() -> None:
    """uv is told about each of them, so that it never looks for a version that suits both."""
    extras = PROJECT["optional-dependencies"]
    declared = {
        frozenset(side["extra"] for side in pair) for pair in pyproject()["tool"]["uv"]["conflicts"]
    }
    with_sdk = {name for name in extras if "sdk" in _included(extras, name)}
    assert declared == {frozenset(("singer-python", name)) for name in with_sdk}


def _included(extras: dict[str, list[str]], name: str) -> set[str]:
    """Return *name* and every extra of ours that it draws in."""
    found = {name}
    for requirement in extras[name]:
        if match := re.match(r"kozmo-singer\[([^\]]+)\]", requirement):
            for inner in match[1].split(","):
                found |= _included(extras, inner)
    return found
