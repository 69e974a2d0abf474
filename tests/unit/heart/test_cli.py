"""The command line of a tap, driven through a small tap of the tests' own."""

import errno
import json
import logging
import signal
import sys
import types

import pytest

from kozmo_singer import __version__, cli
from kozmo_singer.errors import ConnectError
from kozmo_singer.plugin import Plugin, stopping
from kozmo_singer.scripts import Entry, script
from kozmo_singer.settings import Setting
from kozmo_singer.wire import Catalog, Stream, state_line


class TapSmall(Plugin):
    """One stream, and whatever fault a test asks for."""

    name = "tap-small"
    summary = "a tap for tests"
    settings = (
        Setting("fault", "What goes wrong."),
        Setting("password", "Secret of the system.", secret=True),
    )
    capabilities = ("catalog", "discover", "state")
    examples = ("tap-small --config small.json --discover",)

    def check(self):
        self._fail()
        return "all well"

    def discover(self):
        metadata = {(): {"selected": True}}
        return Catalog([Stream("orders", {"properties": {}}, "orders", metadata=metadata)])

    def count(self, catalog):
        return {stream.tap_stream_id: 3 for stream in catalog.selected()}

    def sync(self, catalog, state, out, *, limit=None):
        self._fail()
        names = [stream.tap_stream_id for stream in catalog.selected()]
        out.write(state_line({"was": state, "limit": limit, "streams": names}))

    def _fail(self):
        fault = self.config["fault"]
        if fault == "connect":
            raise ConnectError(f"cannot log in with {self.config['password']}", "check it")
        if fault == "driver":
            raise ModuleNotFoundError("No module named 'nodriver'", name="nodriver.sub")
        if fault == "bug":
            raise ValueError(f"unexpected {self.config['password']}")
        if fault == "pipe":
            raise BrokenPipeError(errno.EPIPE, "Broken pipe")
        if fault == "log":
            logging.getLogger("x").warning("the password is %s", self.config["password"])
        if fault == "signal":
            signal.raise_signal(signal.SIGTERM)


@pytest.fixture
def call(monkeypatch, tmp_path, capfd):
    """Run the command line: call(*arguments, **config) -> (code, stdout, stderr)."""
    module = types.ModuleType("small_tap_module")
    module.TapSmall = TapSmall
    monkeypatch.setitem(sys.modules, "small_tap_module", module)
    monkeypatch.setattr(stopping, "signal", None)
    handlers = {n: signal.getsignal(n) for n in (signal.SIGTERM, signal.SIGINT)}
    root = logging.getLogger()
    before = root.level, root.handlers[:]

    def run(*arguments, **config):
        path = tmp_path / "config.json"
        path.write_text(json.dumps(config))
        argv = [*arguments, *(["--config", str(path)] if config else [])]
        code = cli.main("tap-small", Entry("small_tap_module:TapSmall", "small", ""), argv)
        out, err = capfd.readouterr()
        return code, out, err

    yield run
    root.handlers[:] = before[1]
    root.setLevel(before[0])
    for number, handler in handlers.items():
        signal.signal(number, handler)


def test_version_and_about(call):
    assert call("--version") == (0, f"tap-small {__version__}\n", "")
    code, out, _ = call("--about", "--format", "json")
    about = json.loads(out)
    assert (code, about["name"], about["capabilities"]) == (
        0, "tap-small", ["catalog", "discover", "state"],
    )  # fmt: skip
    assert about["settings"]["properties"]["password"]["secret"] is True
    assert "| `password` |" in call("--about", "--format", "markdown")[1]


def test_help_teaches_the_settings_and_shows_a_command(call):
    code, out, _ = call("--help")
    assert code == 0
    for words in ("a tap for tests.", "password", "Secret of the system", "tap-small --config"):
        assert words in out


def test_discovery_check_count_and_sync(call, tmp_path):
    assert call("--check")[:2] == (0, "all well\n")
    assert json.loads(call("--discover")[1])["streams"][0]["tap_stream_id"] == "orders"
    assert call("--count")[:2] == (0, '{"orders": 3}\n')
    state = tmp_path / "state.json"
    state.write_text('{"bookmarks": {}}')
    code, out, err = call("--state", str(state), "--limit", "5")
    assert (code, err) == (0, "")
    assert json.loads(out)["value"] == {
        "was": {"bookmarks": {}}, "limit": 5, "streams": ["orders"],
    }  # fmt: skip


def test_a_whole_state_message_is_taken_as_well(call, tmp_path):
    state = tmp_path / "state.json"
    state.write_text('{"type": "STATE", "value": {"bookmarks": {"a": 1}}}')
    out = call("--state", str(state))[1]
    assert json.loads(out)["value"]["was"] == {"bookmarks": {"a": 1}}


@pytest.mark.parametrize(
    ("config", "arguments", "code", "words"),
    [
        ({"fault": "connect", "password": "hunter2"}, [], 1, "Error: cannot log in with ****\n"),
        ({"fault": "driver"}, [], 1, "needs 'nodriver'; run: pip install 'kozmo-singer[small]'"),
        ({"fault": "bug", "password": "hunter2"}, [], 1, "Error: ValueError: unexpected ****\n"),
        ({"fault": "pipe"}, [], 1, "the program it writes to has ended"),
        ({"fault": "log", "password": "hunter2"}, [], 0, "WARNING the password is ****\n"),
        ({"fualt": "x"}, [], 2, "no setting 'fualt'\n  did you mean 'fault'?"),
        ({}, ["--bogus"], 2, "see: tap-small --help"),
        ({}, ["--config", "/none.json"], 2, "cannot read config file /none.json"),
        ({}, ["--catalog", "/none.json"], 2, "cannot read catalog file /none.json"),
        ({}, ["--state", "/none.json"], 2, "cannot read state file /none.json"),
        ({}, ["--limit", "0"], 2, "--limit"),
    ],
)
def test_faults_are_short_coded_and_without_secrets(call, config, arguments, code, words):
    got, _, err = call(*arguments, **config)
    assert (got, words in err, "hunter2" in err) == (code, True, False), err
    assert len(err.splitlines()) <= 6
    assert "Traceback" not in err


def test_a_signal_is_answered_by_an_end_in_good_order(call):
    code, out, _ = call(fault="signal")
    assert code == 130
    assert json.loads(out)["value"]["streams"] == ["orders"]


def test_an_unknown_name_is_no_script():
    with pytest.raises(AttributeError):
        script("tap-unknown", {})
