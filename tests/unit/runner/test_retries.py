"""Attempts after a lost connection: how many, how long, and what the report tells of all."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable
from dataclasses import replace

import pytest

from kozmo_runner.engine import Limits
from kozmo_runner.job import Job, Silent
from kozmo_runner.plugins import Plug
from kozmo_runner.process import Cancel
from kozmo_runner.report import Blame, ProcessReport, Report, StreamReport
from kozmo_runner.retries import with_retries
from kozmo_runner.signals import listening

JOB = Job(
    Plug("tap-x", "tap", ("tap-x",), ours=True),
    Plug("target-x", "target", ("target-x",), ours=True),
)


def lost(streams: tuple[StreamReport, ...] = ()) -> Report:
    """Return the report of an attempt whose connection was lost."""
    report = Report("R", "x to x", "s", ProcessReport("tap-x", []), ProcessReport("target-x", []))
    report.error = Blame("target", "target-x", "it failed", ["gone"], retryable=True)
    report.streams, report.seconds = [*streams], 1.0
    report.rows_read = sum(stream.rows_read or 0 for stream in streams)
    return report


def done(*streams: StreamReport) -> Report:
    """Return the report of an attempt that went well."""
    report = lost(streams)
    report.status, report.exit_code, report.error = "done", 0, None
    return report


def answering(*reports: Report) -> tuple[list[Job], Callable[[Job], Report]]:
    """Return what gives *reports*, one an attempt, and the jobs that it is given."""
    given: list[Job] = []

    def run(job: Job) -> Report:
        given.append(job)
        return reports[len(given) - 1]

    return given, run


def test_rows_of_all_attempts_are_told_in_all_and_by_stream() -> None:
    """A stream that the last attempt did not come to is told as well."""
    first = lost((StreamReport("a", 3, 2, 30, 1), StreamReport("b", 4, None, None)))
    given, run = answering(first, done(StreamReport("a", 5, 5, None)))
    report = with_retries(replace(JOB, full_refresh=True), run, Silent(), Cancel())
    assert report.streams == [StreamReport("a", 8, 7, 30, 1), StreamReport("b", 4, None, None)]
    assert (report.rows_read, report.attempts, report.seconds) == (12, 2, 2.0)
    assert [job.full_refresh for job in given] == [True, False]


def test_all_attempts_together_have_the_time_of_the_job() -> None:
    """None begins that would have no time left, and the next one knows what was spent."""
    given, run = answering(lost(), done())
    job = replace(JOB, limits=Limits(total=60))
    assert with_retries(job, run, Silent(), Cancel()).status == "done"
    assert 0.7 < given[1].limits.spent < 10
    assert given[1].limits.over(59.5)
    assert not given[1].limits.over(10)
    given, run = answering(lost())
    report = with_retries(replace(JOB, limits=Limits(total=0.1)), run, Silent(), Cancel())
    assert (len(given), report.status, report.exit_code) == (1, "failed", 1)
    assert report.warnings == ["no time is left to try again (--timeout 0.1)"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_while_it_waits_ends_the_run(number: signal.Signals) -> None:
    """At once, with the exit code of an interrupted run; what went wrong before is told."""
    given, run = answering(lost())
    began = time.monotonic()
    with listening(Cancel()) as cancel:
        threading.Timer(0.2, signal.raise_signal, [number]).start()
        report = with_retries(JOB, run, Silent(), cancel)
    assert time.monotonic() - began < 0.7
    assert (len(given), report.status, report.exit_code) == (1, "interrupted", 130)
    assert report.error is not None
    assert report.error.message.startswith("stopped: ")
    assert report.error.details == ["before another attempt: it failed: gone"]
