"""Configurations: how their sources are understood, and what in them is secret."""

import os

import pytest

from kozmo_runner.abilities import OURS, Abilities
from kozmo_runner.configs import Config, Given, give, origin, sources_of
from kozmo_runner.plugins import Plug
from kozmo_runner.workspace import Workspace
from kozmo_singer.errors import ConfigError
from kozmo_singer.secrets import forms, secrets_in

FOREIGN = Plug("tap-x", "tap", ("/bin/true",), ours=False)
MINE = Plug("tap-sqlite", "tap", ("/bin/true",), ours=True)


def _given(plug: Plug, config: Config) -> Given:
    with Workspace() as workspace:
        return give(plug, config, OURS if plug.ours else Abilities(), workspace)


def test_one_source_or_many() -> None:
    """A mapping, a word, a list, or nothing."""
    assert sources_of(None) == []
    assert sources_of("a.json") == ["a.json"]
    assert sources_of({"a": 1}) == [{"a": 1}]
    assert sources_of(["a.json", {"a": 1}]) == ["a.json", {"a": 1}]


def test_assignments_of_ours_stay_text() -> None:
    """Plug-ins of ours know what kind each setting is; a password of digits stays as it is."""
    values = _given(MINE, ["path=shop.db", "port=0123", "limit:=5"]).values
    assert values == {"path": "shop.db", "port": "0123", "limit": 5}


def test_assignments_of_others_become_what_they_look_like() -> None:
    """Except secrets, and numbers that would not come out the same."""
    config = ["a=5", "b=true", "c=[1]", "d=1e5", "e=007", "password=5", "f={bad", "g=1.50"]
    assert _given(FOREIGN, config).values == {
        "a": 5, "b": True, "c": [1], "d": "1e5", "e": "007", "password": "5", "f": "{bad",
        "g": "1.50",
    }  # fmt: skip


def test_dots_nest_and_later_sources_win() -> None:
    """Objects in objects merge, everything else is replaced."""
    config: Config = [{"a": {"x": 1, "y": 1}, "b": 1}, "a.y:=2", "b:=2", "c.d.e=f"]
    assert _given(FOREIGN, config).values == {
        "a": {"x": 1, "y": 2}, "b": 2, "c": {"d": {"e": "f"}},
    }  # fmt: skip


def test_a_value_may_hold_anything() -> None:
    """Equals signs, spaces, newlines, nothing at all."""
    values = _given(MINE, ["url=a=b&c=d", "text=one\ntwo", "empty="]).values
    assert values == {"url": "a=b&c=d", "text": "one\ntwo", "empty": ""}


def test_an_exact_value_must_be_json() -> None:
    """And the error says how to give text instead."""
    with pytest.raises(ConfigError, match=r"limit:= is not JSON"):
        _given(MINE, "limit:=five")


def test_a_missing_file_is_an_error() -> None:
    """Before anything runs."""
    with pytest.raises(ConfigError, match="cannot read config file"):
        _given(MINE, "nowhere.json")


def test_variables_count_where_nothing_else_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    """A plug-in that reads its environment is told to, for another it is read here."""
    monkeypatch.setenv("TAP_X_ROWS", "5")
    monkeypatch.setenv("TAP_SQLITE_PATH", "shop.db")
    assert _given(FOREIGN, None).values == {"rows": 5}
    assert _given(MINE, None).argv == ["--config", "ENV"]


def test_the_order_of_sources_around_the_environment_is_kept() -> None:
    """What stands behind ENV wins over it, so it goes in a file of its own behind it."""
    argv = _given(MINE, [{"a": 1}, "ENV", {"b": 2}]).argv
    assert [word for word in argv if word in ("--config", "ENV")] == ["--config"] * 2 + [
        "ENV",
        "--config",
    ]


def test_a_plug_in_that_insists_gets_an_empty_configuration() -> None:
    """singer-python's argument parser demands --config."""
    assert _given(FOREIGN, None).argv[0] == "--config"
    assert _given(MINE, None).argv == []


def test_secrets_are_known_by_name_and_in_urls() -> None:
    """At any depth, numbers too, the password of a URL as written and as meant."""
    config = {
        "password": "pass-word",
        "auth": {"user": "me", "pin": 12345},
        "url": "postgresql://me:p%40ss@host/db",
        "api_keys": ["key-1", "key-2"],
        "host": "db.example.org",
        "private_key": "-----BEGIN-----\nMIIEowIBAAKCAQEAwRyz\n-----END-----",
    }
    found = set(forms(secrets_in(config)))
    assert {"pass-word", "me", "12345", "p%40ss", "p@ss", "key-1", "key-2"} <= found
    assert "MIIEowIBAAKCAQEAwRyz" in found
    assert "db.example.org" not in found


def test_the_mark_of_a_source_is_that_of_its_place() -> None:
    """A new password, user or batch size is the same source; another host or path is not."""
    one = origin({"host": "a", "database": "d", "password": "x", "batch": 5})
    assert one == origin({"host": "a", "database": "d", "password": "y", "user": "z"})
    assert one != origin({"host": "b", "database": "d"})
    assert origin({"url": "pg://u:one@h/d"}) == origin({"url": "pg://u:two@h/d"})
    assert origin({"path": "shop.db"}) == origin({"path": os.path.abspath("shop.db")})
    assert origin({"rows": 5}) == ""
