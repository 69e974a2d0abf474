"""Progress lines: how often, and what they add up to."""

import io
import json

from kozmo_runner.speech import metric
from kozmo_singer.metrics import Counter


class Clock:
    """A clock that stands until it is set."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def _points(err: io.StringIO) -> list[tuple[str, str, int]]:
    lines = err.getvalue().splitlines()
    assert all(line.startswith("INFO METRIC: {") for line in lines)
    found = [json.loads(line.removeprefix("INFO METRIC: ")) for line in lines]
    return [(point["tags"]["stream"], point["metric"], point["value"]) for point in found]


def test_lines_come_at_most_once_a_second_and_at_the_end() -> None:
    """A thousand batches within a second make one line; close prints the rest."""
    err, clock = io.StringIO(), Clock()
    with Counter(err=err, clock=clock) as counter:
        for _ in range(1000):
            counter.add("orders", 10)
        assert err.getvalue() == ""
        clock.now = 1.0
        counter.add("orders", 5)
        assert _points(err) == [("orders", "record_count", 10005)]
        counter.add("orders", 7)
    assert _points(err)[1:] == [("orders", "record_count", 7)]


def test_values_are_what_was_added_since_the_line_before() -> None:
    """So that a reader sums up, whichever streams come in between."""
    err, clock = io.StringIO(), Clock()
    with Counter(interval=0, err=err, clock=clock) as counter:
        counter.add("a", 1, size=100)
        counter.add("b", 2)
        counter.add("a", 3, size=50)
    assert _points(err) == [
        ("a", "record_count", 1),
        ("a", "byte_count", 100),
        ("b", "record_count", 2),
        ("a", "record_count", 3),
        ("a", "byte_count", 50),
    ]


def test_a_stream_without_rows_is_told_once() -> None:
    """A stream that was started counts zero; one that was never named prints nothing."""
    err = io.StringIO()
    with Counter(err=err) as counter:
        counter.start("empty")
        counter.flush()
    assert _points(err) == [("empty", "record_count", 0)]


def test_the_runner_reads_the_lines() -> None:
    """A stream's name may hold quotes and anything else."""
    err = io.StringIO()
    with Counter(err=err) as counter:
        counter.add('wild "name"\n', 3)
    point = metric(err.getvalue().rstrip("\n"))
    assert point is not None
    assert (point.stream, point.metric, point.value) == ('wild "name"\n', "record_count", 3)


def test_other_counts_are_told_with_the_rows() -> None:
    """A zero too, since it is known."""
    err = io.StringIO()
    with Counter(err=err) as counter:
        counter.count("a", rows_inserted=2, rows_updated=0)
        counter.add("a", 3)
        counter.count("a", rows_inserted=1, rows_updated=0)
    assert _points(err) == [
        ("a", "record_count", 3),
        ("a", "rows_inserted", 3),
        ("a", "rows_updated", 0),
    ]
