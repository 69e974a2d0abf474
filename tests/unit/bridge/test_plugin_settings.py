"""Settings of plug-ins as inputs of the canvas, and what was typed for them as a configuration."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kozmo_bridge.components.plugin_settings import (
    MAX_TITLE,
    NOT_SET,
    input_name,
    setting_name,
    settings_of,
)
from kozmo_bridge.components.typed_settings import config_of, json_object, typed
from kozmo_singer.errors import ConfigError

ABOUT = {
    "settings": {
        "properties": {
            "stream_maps": {"type": ["object", "null"]},
            "batch_size_rows": {"type": ["integer", "null"], "default": 100},
            "host": {"type": ["string", "null"], "description": "Server  name", "title": "Host"},
            "api_token": {"type": "string"},
            "pin": {"type": ["integer", "null"], "secret": True, "default": 1234},
            "port": {"type": ["integer", "null"], "default": 5432},
            "ratio": {"type": ["number", "null"]},
            "fast": {"type": ["boolean", "null"]},
            "safe": {"type": ["boolean", "null"], "default": True},
            "level": {"type": ["integer", "null"], "enum": [1, 2, None]},
            "mode": {"type": "string", "enum": ["a", "b"], "default": "a"},
            "tags": {"type": ["array", "null"], "items": {"type": "string"}},
            "sizes": {"type": "array", "items": {"type": ["integer"]}},
            "auth": {"oneOf": [{"type": "object"}, {"type": "string"}]},
            "files": {"type": "array", "items": {"type": "object"}},
            "login": {"type": "object", "properties": {"password": {"type": "string"}}},
        },
        "required": ["api_token", "mode"],
    }
}
SETTINGS = {each.name: each for each in settings_of(ABOUT)}


def read(**values):
    """The configuration of what was typed."""
    return config_of([*SETTINGS.values()], values)


@given(st.text(min_size=1), st.integers(1, 999))
def test_any_name_comes_back_and_no_input_is_spoilt(name, number):
    """The host parses inputs with config or kwargs in their names as JSON."""
    spelt = input_name(number, name)
    assert setting_name(spelt) == name
    assert re.fullmatch(r"\w+", spelt, re.ASCII)
    assert not re.search("config|kwargs", spelt, re.IGNORECASE)


@pytest.mark.parametrize(
    "name",
    ["batch_config", "CONFIG", "_x66_", "a_x66_config", "_x5f_x66_", "KWargs.x-y", "ünï", "İſK"],
)
def test_names_that_look_like_their_own_spelling_come_back(name):
    """What is spelt differently stays apart."""
    assert setting_name(input_name(7, name)) == name
    assert "config" not in input_name(7, name).lower()


def test_inputs_of_a_node_are_no_settings():
    """Only names that begin with s and three digits are."""
    assert [setting_name(n) for n in ("streams", "s3_bucket", "s12_x", "settings_json")] == [
        None
    ] * 4


def test_the_order_is_required_own_rare_and_maps():
    """The host sorts by name, and the number begins it."""
    names = [*SETTINGS]
    assert names[:2] == ["api_token", "mode"]
    assert names[2:6] == ["host", "pin", "port", "ratio"]
    loose = settings_of({"settings": {**ABOUT["settings"], "required": []}})
    assert [each.name for each in loose if each.shown] == [
        "host", "api_token", "pin", "port", "ratio", "fast"
    ]  # fmt: skip
    assert names[-2:] == ["batch_size_rows", "stream_maps"]
    shown = [name for name, each in SETTINGS.items() if each.shown]
    assert shown == names[:4]
    spelt = [input_name(number, name) for number, name in enumerate(names, 1)]
    assert sorted(spelt) == spelt


def test_kinds_titles_and_secrets_are_told():
    """By the JSON Schema, and by the names of what looks like a secret."""
    kinds = {name: each.kind for name, each in SETTINGS.items()}
    assert kinds == {
        "api_token": "text", "mode": "choice", "host": "text", "pin": "integer",
        "port": "integer", "ratio": "number", "fast": "boolean", "safe": "boolean",
        "level": "choice", "tags": "list", "sizes": "list", "auth": "json", "files": "json",
        "login": "json", "batch_size_rows": "integer", "stream_maps": "json",
    }  # fmt: skip
    assert {n for n, each in SETTINGS.items() if each.secret} == {
        "api_token", "pin", "auth", "login"
    }  # fmt: skip
    assert [n for n, each in SETTINGS.items() if each.required] == ["api_token"]
    assert (SETTINGS["host"].title, SETTINGS["api_token"].title) == ("Host", "API token")
    assert SETTINGS["host"].info == "host: Server name."
    assert "Default: 5432." in SETTINGS["port"].info
    assert "1234" not in SETTINGS["pin"].info
    long = settings_of({"settings": {"properties": {"a_" * 40: {"description": "word " * 90}}}})
    assert len(long[0].title) <= MAX_TITLE
    assert long[0].info.endswith("word ...")


def test_what_is_untouched_is_not_sent():
    """Nothing, the default, an empty text and "(not set)" are left to the plug-in."""
    untouched = {"host": "", "port": 5432, "fast": NOT_SET, "safe": True, "mode": "a", "tags": ""}
    assert read(**untouched, level=NOT_SET, ratio=None, auth="", files=[]) == {}
    assert read(mode="b", safe=False, fast="false", port=0) == {
        "mode": "b", "safe": False, "fast": False, "port": 0
    }  # fmt: skip


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("port", "99", 99),
        ("port", 99.0, 99),
        ("pin", "0042", 42),
        ("ratio", "0.5", 0.5),
        ("ratio", "2", 2),
        ("level", "2", 2),
        ("tags", "a, b,,c", ["a", "b", "c"]),
        ("tags", '["a,b", "c"]', ["a,b", "c"]),
        ("tags", ["a"], ["a"]),
        ("sizes", "1, 2", [1, 2]),
        ("auth", '{"user": "x"}', {"user": "x"}),
        ("auth", "just text", "just text"),
        ("files", '[{"path": "C:\\\new"}]', [{"path": "C:\\new"}]),
        ("login", {"password": "x"}, {"password": "x"}),
        ("host", "C:\new", "C:\\new"),
        ("host", "  db \n", "db"),
        ("safe", "no", False),
    ],
)
def test_what_is_typed_gets_its_type(name, value, expected):
    """Also where the host gives a text, or a newline for a backslash and an n."""
    assert read(**{name: value}) == {name: expected}


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("port", "many", "expected a whole number"),
        ("port", 1.5, "expected a whole number"),
        ("ratio", "half", "expected a number"),
        ("fast", "perhaps", "expected true or false"),
        ("level", "3", "expected one of 1, 2"),
        ("sizes", "1, two", "expected a whole number"),
        ("files", '{"path": "x"}', "expected array"),
        ("login", '{"password": "s3cret', "is no JSON: "),
        ("login", '["s3cret"]', "expected object"),
        ("pin", "s3cret", "expected a whole number"),
    ],
)
def test_what_cannot_be_read_names_the_setting_and_not_the_value(name, value, words):
    """Values of settings may be secrets."""
    with pytest.raises(ConfigError) as caught:
        read(**{name: value})
    assert f"setting '{name}'" in str(caught.value)
    assert words in str(caught.value)
    assert "s3cret" not in str(caught.value)


def test_keys_and_documents_keep_their_lines():
    """A private key in PEM, and the JSON of a service account."""
    pem = "-----BEGIN KEY-----\nabc\n-----END KEY-----"
    assert typed(pem) == pem
    assert typed('{\n "private_key": "a\nb"\n}') == '{"private_key": "a\\nb"}'
    assert typed("{a\nb") == "{a\\nb"


def test_a_box_of_json_holds_an_object():
    """For plug-ins that tell no settings."""
    assert json_object("", "Settings") == {}
    assert json_object('{"a": [1]}', "Settings") == {"a": [1]}
    for text in ("[1]", "{1}"):
        with pytest.raises(ConfigError, match="Settings"):
            json_object(text, "Settings")


@pytest.mark.parametrize("told", [{}, {"settings": {}}, {"settings": []}, {"settings": None}])
def test_a_plugin_may_tell_nothing(told):
    """Then there are no settings."""
    assert settings_of(told) == []
