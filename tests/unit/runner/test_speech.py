"""What plug-ins say on stderr, understood."""

import json
import signal

import pytest

from kozmo_runner.speech import Metric, broken_pipe, exit_words, level, metric, reason

POINT = {"type": "counter", "metric": "record_count", "value": 5, "tags": {"stream": "orders"}}
TEXT = json.dumps(POINT)
DIALECTS = {
    "singer-python": f"INFO METRIC: {TEXT}",
    "the SDK": f"2026-11-23 09:20:48,399 | INFO     | singer_sdk.metrics | METRIC: {TEXT}",
    "the SDK, structured": json.dumps(
        {"level": "info", "event": "METRIC", "metric_info": POINT, "message": "METRIC"}
    ),
}
TRACEBACK = """\
INFO Starting sync
Traceback (most recent call last):
  File "tap.py", line 3, in main
    connect()
ValueError: inner

During handling of the above exception, another exception occurred:

Traceback (most recent call last):
  File "tap.py", line 9, in <module>
    main()
psycopg.OperationalError: connection failed: FATAL: no such user
HINT: create it""".splitlines()


@pytest.mark.parametrize("line", DIALECTS.values(), ids=DIALECTS)
def test_metrics_are_read_in_every_dialect(line: str) -> None:
    """singer-python's, the SDK's, and the SDK's in structured logs."""
    assert metric(line) == Metric("counter", "record_count", 5, "orders")


@pytest.mark.parametrize(
    "line",
    [
        "INFO METRIC: {broken",
        "INFO METRIC: [1]",
        'INFO METRIC: {"metric": "record_count", "value": "many", "tags": {}}',
        '{"metric_info": null}',
        "the METRIC system",
        "",
    ],
)
def test_what_only_looks_like_a_metric_is_none(line: str) -> None:
    """Nothing a plug-in prints makes the runner stumble."""
    assert metric(line) is None


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("INFO hello", "info"),
        ("2026-01-01 00:00:00 | WARNING  | tap | slow", "warning"),
        ("WARN slow", "warning"),
        ("CRITICAL it burns", "error"),
        ("Error: no such table", "error"),
        ('{"level": "error", "event": "x"}', "error"),
        ("a line without any", "info"),
    ],
)
def test_levels(line: str, expected: str) -> None:
    """Of log lines in all dialects."""
    assert level(line) == expected


def test_the_reason_is_our_error_with_its_details() -> None:
    """At most four lines, without the word Error, which the runner puts in front again."""
    tail = ["INFO x", "Error: cannot read stream a", "  line 3: bad", "  hint", "INFO later"]
    assert reason(tail) == ["cannot read stream a", "  line 3: bad", "  hint"]


def test_the_reason_is_the_exception_that_ends_the_last_traceback() -> None:
    """No line of the traceback itself is shown."""
    assert reason(TRACEBACK) == [
        "psycopg.OperationalError: connection failed: FATAL: no such user",
        "HINT: create it",
    ]


def test_the_reason_is_what_was_logged_as_an_error() -> None:
    """Without the time, the level and the logger."""
    head = "2026-01-01 00:00:00,1 | ERROR    | tap-x                | "
    tail = [f"{head}'path' is a required property", "INFO closing", f"{head}wrong", f"{head}wrong"]
    assert reason(tail) == ["'path' is a required property", "wrong"]


def test_the_reason_is_what_was_said_last() -> None:
    """Where nothing looks like an error; metrics are passed over."""
    assert reason(["one", "two", "three", DIALECTS["the SDK"]]) == ["two", "three"]
    assert reason([]) == []


def test_structured_logs_give_their_words() -> None:
    """A JSON line is read, not quoted."""
    line = {"level": "error", "event": "sync failed", "exception": {"message": "no route"}}
    assert reason([json.dumps(line)]) == ["sync failed: no route"]


def test_ends_in_words() -> None:
    """Exit codes and signals, with a hint where one is known."""
    assert exit_words(3) == "exit code 3"
    assert exit_words(-signal.SIGKILL).startswith("killed by SIGKILL: kill -9, or")
    assert exit_words(-signal.SIGTERM) == "killed by SIGTERM"
    assert exit_words(-99) == "killed by signal 99"


def test_a_lost_reader_is_recognised() -> None:
    """By the signal, or by what Python and Node say of it."""
    assert broken_pipe(-signal.SIGPIPE, [])
    assert broken_pipe(1, ["BrokenPipeError: [Errno 32] Broken pipe"])
    assert broken_pipe(1, ["Error: write EPIPE"])
    assert not broken_pipe(1, ["KeyError: 'id'"])
