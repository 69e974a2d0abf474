"""Counts from metrics, and how a run looks when it is over."""

from kozmo_runner.display import Rate, summary
from kozmo_runner.progress import Progress
from kozmo_runner.report import Blame, ProcessReport, Report, StreamReport, masked
from kozmo_runner.speech import Metric


def _rows(stream: str | None, value: float, metric: str = "record_count") -> Metric:
    return Metric("counter", metric, value, stream)


def test_counters_add_up_per_stream_and_side() -> None:
    """Their values are increments, in all three dialects."""
    progress = Progress()
    for stream, rows in (("a", 5), ("b", 1), ("a", 7)):
        progress.add("tap", _rows(stream, rows))
    progress.add("tap", _rows("a", 100, "byte_count"))
    progress.add("target", _rows("a", 6))
    assert {s.name: (s.read, s.written, s.size) for s in progress.streams.values()} == {
        "a": (12, 6, 100),
        "b": (1, None, None),
    }
    assert (progress.read, progress.written, progress.size, progress.rows) == (13, 6, 100, 13)
    assert progress.recent == "a"


def test_what_became_of_the_rows_is_added_up_too() -> None:
    """New, changed, set aside and where; of parts of a run, too."""
    parts = [Progress(), Progress()]
    for part, rows in zip(parts, (2, 3), strict=True):
        part.add("target", _rows("a", rows, "rows_inserted"))
        part.add("target", _rows("a", 0, "rows_updated"))
    parts[1].add("target", Metric("counter", "quarantined", 1, "a", "aside/a.jsonl"))
    whole = Progress()
    whole.total(parts)
    (found,) = whole.streams.values()
    assert (found.inserted, found.updated, found.quarantined) == (5, 0, 1)
    assert found.quarantine_file == "aside/a.jsonl"


def test_other_metrics_count_nothing() -> None:
    """Timers, requests, and counters of no stream."""
    progress = Progress()
    progress.add("tap", _rows("a", 5, "http_request_count"))
    progress.add("tap", _rows(None, 5))
    assert progress.rows is None


def test_rows_written_stand_for_rows_of_a_tap_that_is_silent() -> None:
    """So that a bare script's run still shows how far it is."""
    progress = Progress()
    progress.expect(["a", "b"])
    progress.add("target", _rows("a", 6))
    assert progress.read is None
    assert progress.rows == 6


def test_the_rate_is_that_of_the_last_seconds() -> None:
    """A fast start long ago does not hide that nothing moves now."""
    rate = Rate(0.0)
    points = [(1.0, 1000), (2.0, 1000), (7.5, 1000), (8.0, 1000)]
    assert [rate.at(*point) for point in points][0] == 1000
    assert rate.at(9.0, 1000) == 0


def _report(**changes: object) -> Report:
    values = {
        "run_id": "r", "pipeline": "tap-x to target-y", "state_id": "x",
        "tap": ProcessReport("tap-x", []), "target": ProcessReport("target-y", []),
        "status": "done", "seconds": 2.0, **changes,
    }  # fmt: skip
    return Report(**values)  # type: ignore[arg-type]  # a bag of fields


def test_the_summary_has_a_row_a_stream_and_a_verdict() -> None:
    """Columns that no plug-in told anything of are left out."""
    streams = [StreamReport("a", 1000, None, None), StreamReport("b", 500, None, None)]
    text = summary(_report(streams=streams, rows_read=1500, state_after={"n": 1}))
    assert text.splitlines() == [
        "stream   read",
        "------  -----",
        "a       1,000",
        "b         500",
        "total   1,500",
        "tap-x to target-y: done in 2.00 s, 1,500 rows (750/s)",
        "state saved as x",
    ]


def test_a_second_run_says_that_there_is_nothing_new() -> None:
    """Rather than a rate of zero."""
    state = {"n": 1}
    text = summary(_report(rows_read=0, state_before=state, state_after=state))
    assert text.splitlines() == [
        "tap-x to target-y: done in 2.00 s, nothing new",
        "state unchanged as x",
    ]


def test_a_report_shows_no_secret() -> None:
    """Neither in the words of the plug-ins, nor in states, nor in keys of any depth."""
    report = _report(
        state_after={"token": "geheim123", "list": [{"x": "a geheim123 b"}]},
        error=Blame("tap", "tap-x", "failed with geheim123", ["geheim123"]),
        tap=ProcessReport("tap-x", ["tap-x", "geheim123"], 1, ["said geheim123"]),
    )
    clean = masked(report, ["geheim123"])
    assert "geheim123" not in str(clean.to_dict())
    assert clean.tap.stderr_tail == ["said ****"]
    assert clean.pipeline == report.pipeline
