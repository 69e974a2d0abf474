"""Trying again where a connection was lost: from the last safe state, a bounded number of times."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from kozmo_runner.engine import TICK_SECONDS, Watcher
from kozmo_runner.process import Cancel, Interrupted
from kozmo_runner.report import Blame, Report, StreamReport

if TYPE_CHECKING:
    from kozmo_runner.job import Job

RETRIES = 5
FIRST_SECONDS, LONGEST_SECONDS = 1.0, 30.0


def with_retries(
    job: Job, run: Callable[[Job], Report], watcher: Watcher, cancel: Cancel
) -> Report:
    """Return the report of *run*, called again while a lost connection may come back.

    A run that failed for another reason is not tried again; nor is a first one that could not even
    connect. Of several attempts the report tells the rows and the seconds of all, and all of them
    together have the time that the job has.
    """
    began, limits = time.monotonic(), job.limits
    reports = [run(job)]
    while len(reports) <= job.retries and _worth(reports) and not cancel.requests:
        last, seconds = reports[-1], _pause(len(reports))
        if limits.over(time.monotonic() - began + seconds):
            last.warnings.append(f"no time is left to try again (--timeout {limits.total:g})")
            break
        watcher.line(
            "kozmo",
            f"WARNING {_words(last)}; trying again in {seconds:.0f} s "
            f"({len(reports)} of {job.retries})",
        )
        if not _waited(seconds, cancel):
            _interrupt(last, cancel.why)
            break
        spent = replace(limits, spent=time.monotonic() - began)
        reports.append(run(replace(job, full_refresh=False, limits=spent)))
    return _together(reports)


def _waited(seconds: float, cancel: Cancel) -> bool:
    """Wait; False at once if the user wants an end.

    A signal handler may not touch the lock that an Event has, so it is looked at now and then.
    """
    end = time.monotonic() + seconds
    while not cancel.requests and (left := end - time.monotonic()) > 0:
        time.sleep(min(left, TICK_SECONDS))
    return not cancel.requests


def _interrupt(report: Report, why: str) -> None:
    """Let *report* tell that nobody waited for another attempt."""
    words = f"before another attempt: {_words(report)}"
    report.status, report.exit_code = "interrupted", Interrupted.exit_code
    report.error = Blame("runner", "kozmo", f"stopped: {why}", [words])


def _worth(reports: list[Report]) -> bool:
    """Whether another attempt may do better: while a server restarts, it cannot be reached."""
    last = reports[-1]
    if last.status != "failed" or last.error is None:
        return False
    return last.error.retryable or (len(reports) > 1 and not last.rows and last.exit_code == 1)


def _pause(attempts: int) -> float:
    """Seconds to wait: twice as long each time, and never the same for two runs at once."""
    longest: float = min(LONGEST_SECONDS, FIRST_SECONDS * 2 ** (attempts - 1))
    return longest * random.uniform(0.75, 1.25)  # nosec B311 - no secret


def _words(report: Report) -> str:
    error = report.error
    assert error is not None
    return ": ".join([error.message, *error.details[:1]])


_COUNTS = ("rows_read", "rows_written", "bytes", "quarantined")


def _together(reports: list[Report]) -> Report:
    """The last report, with what the attempts before it moved."""
    *earlier, last = reports
    for number, report in enumerate(earlier, 1):
        last.warnings.append(f"attempt {number} moved {report.rows or 0:,} rows: {_words(report)}")
    streams: dict[str, list[StreamReport]] = {}
    for stream in (stream for report in reports for stream in report.streams):
        streams.setdefault(stream.name, []).append(stream)
    last.streams = [_summed(name, found) for name, found in streams.items()]
    last.rows_read, last.rows_written, last.bytes, last.quarantined = _added_up(reports, *_COUNTS)
    last.seconds = round(sum(report.seconds for report in reports), 3)
    last.started_at, last.state_before = reports[0].started_at, reports[0].state_before
    last.attempts = len(reports)
    return last


def _summed(name: str, reports: list[StreamReport]) -> StreamReport:
    read, written, size, quarantined, inserted, updated = _added_up(
        reports, *_COUNTS, "rows_inserted", "rows_updated"
    )
    files = [report.quarantine_file for report in reports if report.quarantine_file]
    file = files[-1] if files else None
    return StreamReport(name, read, written, size, quarantined, inserted, updated, file)


def _added_up(counted: Sequence[Report | StreamReport], *names: str) -> list[int | None]:
    """The counts of these *names* of all; None where nobody counted."""
    sums: list[int | None] = []
    for name in names:
        known = [n for n in (getattr(each, name) for each in counted) if n is not None]
        sums.append(sum(known) if known else None)
    return sums
