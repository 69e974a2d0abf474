"""Where secrets come from, and the forms in which they must not be seen."""

import json
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kozmo_singer import secrets
from kozmo_singer.errors import ConfigError, show
from kozmo_singer.settings import Setting, load_config

SETTINGS = (
    Setting("host", "Server name"),
    Setting("password", "Password of the role", secret=True),
    Setting("port", "Port of the server", "integer"),
)
PRINT = f"{sys.executable} -c"


def _load(path: Path, **config):
    path.write_text(json.dumps(config))
    return load_config("tap-x", SETTINGS, [str(path)])


def test_variables_in_any_text():
    """With defaults, which may be empty; what is no variable stays, as does any other dollar."""
    value = {"x": ["${A}-${B:-two}", "${C:-}", "$A", "$$", "$${A}", "${A b}", 5]}
    said = ["1-two", "", "$A", "$$", "${A}", "${A b}", 5]
    assert secrets.expand(value, environ={"A": "1"}) == {"x": said}


def test_a_value_of_a_variable_is_not_expanded_again():
    assert secrets.expand("${A}", environ={"A": "${B}"}) == "${B}"


@given(
    st.recursive(
        st.text("${}A:-x") | st.sampled_from(["keyring:a/b", "$$keyring:${A}/b", "keyring:a"]),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
def test_what_is_escaped_comes_back(value):
    """So the runner can hand over a password that looks like a reference."""
    expanded = secrets.expand(secrets.escape({"x": value}), environ={})
    assert secrets.fetch(expanded, lambda name: False) == ({"x": value}, [])
    assert secrets.fetch(secrets.plain({"x": value}), lambda name: False) == ({"x": value}, [])


def test_a_file_refers_to_variables(tmp_path, monkeypatch):
    """A tap alone reads them as well; an environment has values as they are."""
    monkeypatch.setenv("DB_PASSWORD", "geheim")
    assert _load(tmp_path / "c", password="${DB_PASSWORD}") == {"password": "geheim"}
    monkeypatch.setenv("TAP_X_PASSWORD", "${DB_PASSWORD}")
    assert load_config("tap-x", SETTINGS, ["ENV"]) == {"password": "${DB_PASSWORD}"}


def test_a_missing_variable_is_an_error_that_names_the_setting(tmp_path):
    with pytest.raises(ConfigError, match="setting 'password': the environment variable NOT_THERE"):
        _load(tmp_path / "c", password="${NOT_THERE}")


def test_a_command_prints_the_password(tmp_path):
    """Its first line; no shell is there to be talked to."""
    script = "print('p w$HOME'); print('second line')"
    loaded = _load(tmp_path / "c", password_command=f'{PRINT} "{script}"', host="h")
    assert loaded == {"password": "p w$HOME", "host": "h"}


def test_a_command_in_the_environment(monkeypatch):
    monkeypatch.setenv("TAP_X_PASSWORD_COMMAND", "echo geheim")
    assert load_config("tap-x", SETTINGS, ["ENV"]) == {"password": "geheim"}


def test_a_command_for_a_setting_that_is_no_text_is_unknown(tmp_path):
    """It stays what it is, and the plug-in refuses it."""
    assert _load(tmp_path / "c", port_command="echo 5") == {"port_command": "echo 5"}


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (f"{PRINT} \"import sys; print('geheim'); sys.exit('geheim')\"", "failed (exit code 1)"),
        ("true", "printed nothing"),
        (f"{PRINT} \"print(); print('geheim')\"", "printed nothing"),
        (f"{PRINT} \"open(1, 'wb').write(b'geheim \\xff')\"", "printed no UTF-8"),
        ("no-such-program geheim", "cannot be started: No such file"),
        ("", None),
        ("'geheim", "is no command line"),
        ([1], "is no command line"),
        (f"{PRINT} 'import time; print(\"geheim\", flush=True); time.sleep(60)'", "did not end"),
    ],
)
def test_a_command_that_fails_shows_nothing_that_it_said(tmp_path, monkeypatch, command, words):
    """The setting is named. A command that is the empty text is none."""
    monkeypatch.setattr(secrets, "COMMAND_SECONDS", 0.5)
    if words is None:
        assert _load(tmp_path / "c", password_command=command) == {}
        return
    with pytest.raises(ConfigError) as raised:
        _load(tmp_path / "c", password_command=command)
    said = show(raised.value)
    assert words in said
    assert "'password_command'" in said
    assert "geheim" not in said


def test_a_secret_and_its_command_exclude_each_other(tmp_path):
    with pytest.raises(ConfigError, match="'password' and 'password_command' are both given"):
        _load(tmp_path / "c", password="a", password_command="echo b")


def test_the_keyring_is_asked(tmp_path, run):
    """By keyring:SERVICE/USER; one that is not there is an error with the remedy."""
    (tmp_path / "locker.py").write_text(
        "from keyring.backend import KeyringBackend\n"
        "class Locker(KeyringBackend):\n"
        "    priority = 1\n"
        "    def get_password(self, service, username):\n"
        "        return {('a/b', 'me'): 'shop.db'}.get((service, username))\n"
        "    def set_password(self, service, username, password): ...\n"
        "    def delete_password(self, service, username): ...\n"
    )
    env = {"PYTHON_KEYRING_BACKEND": "locker.Locker", "PYTHONPATH": str(tmp_path)}
    said = {}
    for user in ("me", "you"):
        config = tmp_path / "config.json"
        config.write_text(json.dumps({"path": f"keyring:a/b/{user}"}))
        said[user] = run(["tap-sqlite", "--config", config, "--check"], env=env)
    assert "there is no SQLite database shop.db" in said["me"].err
    assert "setting 'path': the keyring holds no password of you for a/b" in said["you"].err
    assert "keyring set 'a/b' 'you'" in said["you"].err
    assert said["you"].code == 2


SECRET = 'p"ä@ s\\5/+'


@pytest.mark.parametrize(
    "shown",
    [
        SECRET,
        json.dumps(SECRET),
        json.dumps(SECRET, ensure_ascii=False),
        repr(SECRET),
        "postgresql://u:p%22%C3%A4%40%20s%5C5%2F%2B@h/d",
        "token=p%22%C3%A4%40+s%5C5%2F%2B",
    ],
)
def test_a_secret_is_masked_in_every_form(shown):
    """As it is, in JSON, in a repr, in a URL, in a form."""
    masked = show(ValueError(f"at {shown} there"), secrets.forms([SECRET]))
    assert "****" in masked
    for part in ("s\\5", "s%5C", "%C3%A4", "ä", "u00e4"):
        assert part not in masked


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({"dsn": "host=h password=geheim"}, "geheim"),
        ({"url": "postgresql://h/d?user=u&password=ge%40heim"}, "ge@heim"),
        ({"url": "https://h/run?x-api-key=geheim"}, "geheim"),
        ({"url": "postgresql://u:ge@heim@h/d"}, "ge@heim"),
        ({"stream_map_config": {"api_token": "geheim"}}, "geheim"),
        ({"headers": [{"authorization": "Bearer geheim"}]}, "Bearer geheim"),
    ],
)
def test_secrets_are_found_by_name_and_within_urls(config, expected):
    assert expected in set(secrets.secrets_in(config))
