"""The benchmark suite runs: what it measures is another matter."""

import pytest

from commands import BIN, Run
from project import ROOT

pytestmark = pytest.mark.slow


def test_every_mode_of_a_small_table_is_measured_and_compared(run: Run) -> None:
    """Ours beside the limit; what has no figures is named."""
    peers = ["--peers", "kozmo,kozmo-run,limit,mage"]
    options = ["--data", "tiny", "--rounds", "1", *peers]
    done = run([BIN / "python", ROOT / "benchmarks" / "pipe.py", *options])
    assert done.code == 0, done.err
    text = done.out.decode()
    rows = [line for line in text.splitlines() if line.startswith(("| kozmo", "| limit"))]
    assert len(rows) == 3 + 3 + 3 + 2
    assert all(row.split(" | ")[1] == "10" for row in rows)
    assert "not there: mage: " in text
