"""target-kozmo hands rows to a flow: retried, never acknowledged too early, in clear words."""

import json
import os
import signal
import subprocess
import time

import pytest

from messages import INTEGER, TEXT, lines, record, schema, state
from piping import config
from servers.kozmoai_loopback import FLOW_ID, KEY, WEBHOOK, edge, node

SCHEMA = schema("notes", {"id": INTEGER, "text": TEXT}, ["id"])


def rows(first: int, last: int) -> list[dict]:
    """Records, each with what the host is known to break."""
    texts = ["plain", "two\nlines", r"back\nslash \\ n", '"quoted" \t é \U0001f600', None]
    return [{"id": i, "text": texts[i % len(texts)]} for i in range(first, last + 1)]


def notes(first: int, last: int, every: int = 5) -> bytes:
    """Singer lines with a state after each *every* rows."""
    found = [SCHEMA]
    for row in rows(first, last):
        found.append(record("notes", row))
        if row["id"] % every == 0:
            found.append(state({"last": row["id"]}))
    return lines(*found)


@pytest.fixture
def load(run, tmp_path, kozmoai):
    """Run target-kozmo on Singer lines, with pauses between tries that do not hold up a test."""

    def call(stdin, argv=(), **settings):
        given = {"flow_url": kozmoai.url, "api_key": KEY, "batch_size_rows": 5, **settings}
        given = {name: value for name, value in given.items() if value is not None}
        return run(["target-kozmo", "--config", config(tmp_path, "flow", given), *argv], stdin)

    return call


def states(out: bytes) -> list:
    """The states that came out."""
    return [json.loads(line) for line in out.splitlines()]


def test_rows_arrive_as_they_are(load, kozmoai):
    """In runs of at most batch_size_rows; each run says what it is about."""
    done = load(notes(1, 12))
    assert done.code == 0, done.err
    assert kozmoai.rows == rows(1, 12)
    assert [len(payload["records"]) for payload in kozmoai.taken] == [5, 5, 2]
    heads = [{k: v for k, v in p.items() if k not in ("records", "batch")} for p in kozmoai.taken]
    assert (
        heads
        == [{"stream": "notes", "key_properties": ["id"], "text_key": "text", "default_value": ""}]
        * 3
    )
    assert len({payload["batch"] for payload in kozmoai.taken}) == 3
    assert states(done.out)[-1] == {"last": 10}


@pytest.mark.parametrize("name", ["../../flows", "a/b?c=d#e", "x\r\nX-Api-Key: y", "%2e%2e", "💥"])
def test_the_name_of_a_stream_is_in_no_path_and_no_head(load, kozmoai, name):
    """The loopback knows the one right path, and whatever else is asked for fails."""
    done = load(lines(schema(name, {"id": INTEGER}, ["id"]), record(name, {"id": 1})))
    assert done.code == 0, done.err
    assert [payload["stream"] for payload in kozmoai.taken] == [name]


def test_what_fails_for_now_is_sent_again(load, kozmoai):
    """429, 5xx and a dropped connection; under the same id, and each row is taken once."""
    kozmoai.failures += [(429, {"retry-after": "0"}), (503, {"retry-after": "0"}), "drop"]
    done = load(notes(1, 5))
    assert done.code == 0, done.err
    assert [len(attempt["records"]) for attempt in kozmoai.attempts] == [5, 5, 5, 5]
    assert len({attempt["batch"] for attempt in kozmoai.attempts}) == 1
    assert kozmoai.rows == rows(1, 5)
    assert states(done.out) == [{"last": 5}]


def test_only_what_a_flow_has_done_is_acknowledged(load, kozmoai):
    """After the last try: exit 1, the reason, and the state of the runs that went well."""
    kozmoai.failures += [None, *[(500, {"retry-after": "0"})] * 3]
    done = load(notes(1, 12), max_retries=2)
    assert done.code == 1
    assert done.err.splitlines()[-2:] == [
        f"Error: the flow {FLOW_ID} failed (500)",
        "  Error running graph: told to say 500",
    ]
    assert [attempt["records"][0]["id"] for attempt in kozmoai.attempts] == [1, 6, 6, 6]
    assert kozmoai.rows == rows(1, 5)
    assert all(value["last"] <= 5 for value in states(done.out))


def test_a_run_that_leaves_our_component_out_is_no_success(load, kozmoai):
    """The host answers 200 although nobody has seen the rows."""
    kozmoai.failures.append("lost")
    done = load(notes(1, 5))
    assert (done.code, done.out) == (1, b"")
    assert f"the flow {FLOW_ID} ran without its component Webhook-aaaaa" in done.err


def test_a_run_that_takes_too_long_is_not_started_twice(load, kozmoai):
    """It may still be at work."""
    kozmoai.failures.append(1.0)
    done = load(notes(1, 5), timeout=0.3)
    assert (done.code, done.out) == (1, b"")
    assert done.err.splitlines()[-2:] == [
        f"Error: the flow {FLOW_ID} was not done after 0.3 seconds",
        "  raise the setting timeout, or lower batch_size_rows",
    ]
    assert len(kozmoai.attempts) == 1


def test_a_signal_ends_the_wait_for_another_try(tmp_path, clean_env, kozmoai):
    """The host has asked for five minutes; SIGTERM does not wait for them."""
    kozmoai.failures += [(503, {"retry-after": "300"})] * 9
    settings = {"flow_url": kozmoai.url, "api_key": KEY}
    process = subprocess.Popen(
        ["target-kozmo", "--config", config(tmp_path, "flow", settings)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=clean_env,
        executable=f"{clean_env['PATH'].partition(':')[0]}/target-kozmo",
    )  # fmt: skip
    with process:
        process.stdin.write(notes(1, 5))
        process.stdin.close()
        deadline = time.monotonic() + 30
        while not kozmoai.attempts and time.monotonic() < deadline:
            os.sched_yield()
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 1
        assert b"told to say 503" in process.stderr.read()
        assert process.stdout.read() == b""


def test_a_template_makes_the_text(load, kozmoai):
    """Beside the row, under the text's key."""
    done = load(notes(1, 2), text_template="{id}: {text}", text_key="about")
    assert done.code == 0, done.err
    assert kozmoai.taken[0]["text_key"] == "about"
    expected = [{"about": f"{r['id']}: {r['text'] or ''}", **r} for r in rows(1, 2)]
    assert kozmoai.rows == expected


def test_large_records_make_small_runs(load, kozmoai):
    """A run holds at most batch_size_bytes, unless a record alone has more."""
    big = [{"id": i, "text": "x" * size} for i, size in enumerate([400, 400, 3000, 10, 10])]
    done = load(
        lines(SCHEMA, *[record("notes", row) for row in big]),
        batch_size_bytes=1000, batch_size_rows=100,
    )  # fmt: skip
    assert done.code == 0, done.err
    assert [len(payload["records"]) for payload in kozmoai.taken] == [2, 1, 2]
    assert kozmoai.rows == big


@pytest.mark.parametrize(
    "url",
    [
        "{base}/api/v1/run/rows",
        "{base}/api/v1/run/rows?stream=false",
        "{base}/api/v1/webhook/" + FLOW_ID,
        "{base}/flow/" + FLOW_ID + "/folder/1",
    ],
)
def test_a_flow_is_named_by_any_of_its_urls(load, kozmoai, url):
    """The run endpoint's by id or name, the webhook's, the page's."""
    done = load(notes(1, 3), flow_url=url.format(base=kozmoai.base))
    assert done.code == 0, done.err
    assert kozmoai.rows == rows(1, 3)


def test_another_component_can_be_given_the_rows(load, kozmoai):
    """By its id or display name; its input by name."""
    kozmoai.nodes = [WEBHOOK, node("TextInput-b", "TextInput", {"input_value": {}}),
                     node("Sink-c", "Sink", {"payload": {}, "code": {}})]  # fmt: skip
    done = load(notes(1, 1), input_component="TextInput-b")
    assert done.code == 0, done.err
    done = load(notes(2, 2), input_component="Sink", input_field="payload")
    assert done.code == 0, done.err
    assert [(a["component"], a["field"]) for a in kozmoai.attempts] == [
        ("TextInput-b", "input_value"), ("Sink-c", "payload")
    ]  # fmt: skip
    assert kozmoai.rows == rows(1, 2)


TROUBLES = {
    "frozen": (
        [node("Webhook-aaaaa", "Webhook", {"data": {}}, frozen=True)], {},
        "the component is frozen: it would give its old result again",
    ),
    "hidden": (
        [node("Webhook-aaaaa", "Webhook", {"data": {"show": False}})], {},
        "the input is hidden: the host leaves hidden inputs out",
    ),
    "parsed": (
        [node("Sink-c", "Sink", {"my_config": {}})],
        {"input_component": "Sink", "input_field": "my_config"},
        "the host parses values of inputs with config or kwargs in their name; rename it",
    ),
    "connected": (
        [WEBHOOK, node("Other-b", "Other", {})], {},
        "the input is connected to Other-b, whose output would be taken",
    ),
    "no webhook": (
        [node("Chat-b", "ChatInput", {"input_value": {}})], {},
        f"the flow {FLOW_ID} has no Webhook",
    ),
    "two webhooks": (
        [WEBHOOK, node("Webhook-b", "Webhook", {"data": {}})], {},
        "the flow has 2 components called Webhook",
    ),
    "misspelt component": ([WEBHOOK], {"input_component": "webhok"}, "did you mean 'Webhook'?"),
    "misspelt field": ([WEBHOOK], {"input_field": "dato"}, "did you mean 'data'?"),
}  # fmt: skip


@pytest.mark.parametrize("trouble", TROUBLES)
@pytest.mark.parametrize("argv", [["--check"], []], ids=["check", "run"])
def test_a_flow_that_would_not_take_the_rows_is_refused_at_once(load, kozmoai, trouble, argv):
    """Exit 2, before any row is sent: the host itself would say nothing."""
    kozmoai.nodes, settings, said = TROUBLES[trouble]
    if trouble == "connected":
        kozmoai.edges = [edge("Other-b", "Webhook-aaaaa", "data")]
    done = load(notes(1, 3), argv, **settings)
    assert (done.code, done.out) == (2, b"")
    assert said in done.err
    assert kozmoai.attempts == []


@pytest.mark.parametrize("argv", [["--check"], []], ids=["check", "run"])
def test_a_wrong_key_is_named_and_not_shown(load, kozmoai, argv):
    """With where to make one."""
    done = load(notes(1, 3), argv, api_key="sk-wrong-secret")
    assert (done.code, done.out) == (1, b"")
    assert done.err.splitlines()[-3:] == [
        f"Error: KozmoAI at {kozmoai.base} refuses the API key (403)",
        "  Invalid or missing API key",
        "  make a key under Settings, KozmoAI API Keys, and give it as the setting api_key",
    ]
    assert "secret" not in done.err


def test_a_flow_that_is_not_there_is_named(load, kozmoai):
    """By the name or id that was asked for."""
    done = load(b"", ["--check"], flow_url=f"{kozmoai.base}/api/v1/run/row")
    assert done.code == 2
    assert "has no flow 'row' for this API key\n  did you mean 'rows'?" in done.err
    other = FLOW_ID.replace("4", "5")
    done = load(b"", ["--check"], flow_url=f"{kozmoai.base}/flow/{other}")
    assert done.code == 2
    assert f"has no flow '{other}' for this API key" in done.err


def test_what_is_reached_is_told(load, kozmoai):
    """In one line."""
    done = load(b"", ["--check"])
    assert done.code == 0, done.err
    assert done.out.decode() == (
        f"KozmoAI 9.9 at {kozmoai.base}, flow 'Rows', rows go into Webhook-aaaaa.data\n"
    )


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"flow_url": "http://user:hidden@host/x?key=hidden"}, "'http://host/x' is not the URL"),
        ({"flow_url": "http://127.0.0.1:9/flow/x"}, "cannot reach KozmoAI at http://127.0.0.1:9"),
        ({"output": "folder"}, "to output or to flow_url, not to both"),
        ({"load_method": "overwrite"}, "a flow cannot be overwritten"),
        ({"flow_url": None}, "set flow_url as well"),
        ({"text_template": "{"}, "text_template has '{' at character 1"),
    ],
)
def test_a_configuration_that_cannot_work_says_why(load, settings, said):
    """In a line or two, without the key."""
    done = load(b"", ["--check"], **settings)
    assert done.code in (1, 2)
    assert said in done.err
    assert "hidden" not in done.err
    assert len(done.err.splitlines()) <= 6
