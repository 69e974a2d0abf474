"""Settings are checked once, with words that help."""

import json

import pytest

from kozmo_singer.errors import ConfigError
from kozmo_singer.settings import (
    Setting,
    config_schema,
    did_you_mean,
    grouped,
    groups,
    load_config,
    resolve,
    secrets_of,
)

SETTINGS = (
    Setting("host", "The server.", required=True),
    Setting("port", "Its port.", "integer", default=5432, minimum=1),
    Setting("password", "The password.", secret=True),
    Setting("tls", "Encrypt.", "boolean", default=False),
    Setting("mode", "How.", choices=("auto", "append-only")),
    Setting("ratio", "A share.", "number"),
    Setting("streams", "Which.", "array"),
    Setting("maps", "Maps.", "object"),
)


def resolved(**config):
    return resolve("tap-x", SETTINGS, {"host": "h", **config})


def test_every_setting_is_a_key_and_defaults_are_filled_in():
    assert resolved() == {
        "host": "h", "port": 5432, "password": None, "tls": False, "mode": None, "ratio": None,
        "streams": None, "maps": None,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"port": "1"}, {"port": 1}),
        ({"port": ""}, {"port": 5432}),
        ({"tls": "false"}, {"tls": False}),
        ({"tls": "1"}, {"tls": True}),
        ({"ratio": "0.5"}, {"ratio": 0.5}),
        ({"streams": "a, b"}, {"streams": ["a", "b"]}),
        ({"streams": '["a"]'}, {"streams": ["a"]}),
        ({"maps": '{"a": 1}'}, {"maps": {"a": 1}}),
        ({"password": 1234}, {"password": "1234"}),
        ({"password": ""}, {"password": ""}),
    ],
)
def test_text_of_the_environment_becomes_the_kind_of_the_setting(given, expected):
    assert resolved(**given).items() >= expected.items()


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"hots": "x"}, "no setting 'hots'\n  did you mean 'host'?"),
        ({"port": "abc"}, "'port' must be of kind integer, got \"abc\""),
        ({"port": True}, "'port' must be of kind integer"),
        ({"port": 0}, "'port' must be at least 1, got 0"),
        ({"tls": "perhaps"}, "'tls' must be of kind boolean"),
        ({"mode": "apend-only"}, "one of auto, append-only; got 'apend-only'\n  did you mean"),
        ({"maps": "[1]"}, "'maps' must be of kind object"),
        ({"host": None}, "tap-x needs the setting 'host'\n  The server.\n  see: tap-x --help"),
    ],
)
def test_a_wrong_configuration_says_what_is_wrong(given, words):
    with pytest.raises(ConfigError) as caught:
        resolved(**given)
    assert words in str(caught.value)


def test_a_secret_of_the_wrong_kind_is_not_shown():
    with pytest.raises(ConfigError) as caught:
        resolved(password=["hunter2"])
    assert "hunter2" not in str(caught.value)


def test_sources_merge_and_the_environment_is_one(tmp_path, monkeypatch):
    first = tmp_path / "a.json"
    first.write_text('\ufeff{"host": "a", "port": 1}', encoding="utf-8")
    second = tmp_path / "b.json"
    second.write_text('{"port": 2}')
    monkeypatch.setenv("TAP_X_PASSWORD", "secret")
    loaded = load_config("tap-x", SETTINGS, [str(first), str(second), "ENV"])
    assert loaded == {"host": "a", "port": 2, "password": "secret"}
    assert secrets_of(SETTINGS, loaded) == ["secret"]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"{'a': 1}", "is not JSON\n  line 1, column 2"),
        (b"[1]", "must hold a JSON object, not an array"),
        (b"\xff", "is not UTF-8 text"),
        (None, "cannot read config file"),
    ],
)
def test_a_file_that_is_no_configuration_is_refused(tmp_path, content, words):
    path = tmp_path / "config.json"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ConfigError) as caught:
        load_config("tap-x", SETTINGS, [str(path)])
    assert words in str(caught.value)


def test_the_schema_marks_secrets_and_requirements():
    schema = config_schema(SETTINGS)
    assert schema["required"] == ["host"]
    assert schema["properties"]["password"]["secret"] is True
    assert schema["properties"]["mode"]["enum"] == ["auto", "append-only", None]
    json.dumps(schema)


def test_case_alone_is_not_what_hides_a_name():
    """Where all letters differ in case, no name would be close."""
    assert did_you_mean("incremental", ["FULL_TABLE", "INCREMENTAL"]) == [
        "did you mean 'INCREMENTAL'?"
    ]


def test_settings_under_no_heading_come_first():
    """And headings as they are met, whatever stands between them."""
    path, delimiter, keys, quote = (Setting(name, name) for name in ("a", "b", "c", "d"))
    settings = (*grouped("CSV", delimiter), path, *grouped("Keys", keys), *grouped("CSV", quote))
    assert {group: [s.name for s in each] for group, each in groups(settings).items()} == {
        "": ["a"], "CSV": ["b", "d"], "Keys": ["c"],
    }  # fmt: skip
    assert list(groups(settings)) == ["", "CSV", "Keys"]
    assert list(groups(grouped("CSV", path))) == ["CSV"]
