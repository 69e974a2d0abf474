"""Trying again where a connection was lost: from the last safe state, a bounded number of times."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from kozmo_runner.engine import Watcher
from kozmo_runner.process import Cancel
from kozmo_runner.report import Report

if TYPE_CHECKING:
    from kozmo_runner.job import Job

RETRIES = 5
FIRST_SECONDS, LONGEST_SECONDS = 1.0, 30.0


def with_retries(
    job: Job, run: Callable[[Job], Report], watcher: Watcher, cancel: Cancel
) -> Report:
    """Return the report of *run*, called again while a lost connection may come back.

    A run that failed for another reason is not tried again; nor is a first one that could not even
    connect. Of several attempts the report tells the rows and the seconds of all.
    """
    stopped = threading.Event()
    cancel.listen(stopped.set)
    reports: list[Report] = []
    try:
        while True:
            report = run(job if not reports else replace(job, full_refresh=False))
            reports.append(report)
            if len(reports) > job.retries or not _worth(reports) or cancel.requests:
                return _together(reports)
            seconds = _pause(len(reports))
            watcher.line(
                "kozmo",
                f"WARNING {_words(report)}; trying again in {seconds:.0f} s "
                f"({len(reports)} of {job.retries})",
            )
            stopped.wait(seconds)
            if cancel.requests:
                return _together(reports)
    finally:
        cancel.forget(stopped.set)


def _worth(reports: list[Report]) -> bool:
    """Whether another attempt may do better: while a server restarts, it cannot be reached."""
    last = reports[-1]
    if last.status != "failed" or last.error is None:
        return False
    return last.error.connection_lost or (
        len(reports) > 1 and not last.rows and last.exit_code == 1
    )


def _pause(attempts: int) -> float:
    """Seconds to wait: twice as long each time, and never the same for two runs at once."""
    longest: float = min(LONGEST_SECONDS, FIRST_SECONDS * 2 ** (attempts - 1))
    return longest * random.uniform(0.75, 1.25)  # nosec B311 - no secret


def _words(report: Report) -> str:
    error = report.error
    assert error is not None
    return ": ".join([error.message, *error.details[:1]])


def _together(reports: list[Report]) -> Report:
    """The last report, with what the attempts before it moved."""
    *earlier, last = reports
    for number, report in enumerate(earlier, 1):
        last.warnings.append(f"attempt {number} moved {report.rows or 0:,} rows: {_words(report)}")
    for name in ("rows_read", "rows_written", "bytes"):
        counts = [getattr(report, name) for report in reports]
        known = [count for count in counts if count is not None]
        setattr(last, name, sum(known) if known else None)
    last.seconds = round(sum(report.seconds for report in reports), 3)
    last.started_at, last.state_before = reports[0].started_at, reports[0].state_before
    last.attempts = len(reports)
    return last
