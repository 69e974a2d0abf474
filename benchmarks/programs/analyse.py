"""Analyse a table with one library, and print what that cost as JSON.

    PYTHON analyse.py kozmo|kozmo-report|mage|ydata|skrub titanic|wide ROWS warm|cold

warm: the library is imported and has had a first run on 200 rows before the clock starts. cold: all
that the process costs from its start, but for making the table.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import resource
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import pandas as pd

sys.path.insert(0, str(Path(__file__).parent))
from mixed import TABLES

Notes = list[str]


def kozmo(frame: pd.DataFrame) -> Notes:
    """Types, statistics and suggestions."""
    from kozmo_bridge.cleaner.profiling import profile
    from kozmo_bridge.cleaner.suggesting import suggest

    found = suggest(profile(frame))
    return [f"{len(found)} suggestions"]


def kozmo_report(frame: pd.DataFrame) -> Notes:
    """The same, and the page."""
    from kozmo_bridge.cleaner.profiling import profile

    return [f"{len(profile(frame).to_html()):,} characters of HTML"]


def mage(frame: pd.DataFrame) -> Notes:
    """What clean() does, step by step; a step that fails on pandas 2 is named and passed over."""
    from mage_ai.data_cleaner.analysis.calculator import AnalysisCalculator
    from mage_ai.data_cleaner.column_types.column_type_detector import infer_column_types
    from mage_ai.data_cleaner.pipelines.base import DEFAULT_RULES, BasePipeline
    from mage_ai.data_cleaner.shared.utils import clean_dataframe
    from mage_ai.data_cleaner.statistics.calculator import StatisticsCalculator

    notes: Notes = []
    types = infer_column_types(frame)
    clean = frame
    with _noted(notes, "clean_dataframe"):
        clean = clean_dataframe(frame, types, dropna=False)
    statistics = {}
    with _noted(notes, "StatisticsCalculator"):
        statistics = StatisticsCalculator(types, verbose=False).process(clean, is_clean=True)
    with _noted(notes, "AnalysisCalculator"):
        AnalysisCalculator(clean, types, statistics).process(clean, is_clean=True)
    suggestions: list[dict[str, object]] = []
    for rule in DEFAULT_RULES:
        with _noted(notes, rule.__name__):
            suggestions += rule(clean, types, statistics, custom_config={}).evaluate() or []
    with _noted(notes, "create_preview_results"):
        BasePipeline().create_preview_results(clean, suggestions)
    return [f"{len(suggestions)} suggestions", f"{len(statistics)} figures", *notes]


@contextlib.contextmanager
def _noted(notes: Notes, step: str):
    try:
        yield
    except Exception as error:  # noqa: BLE001 - a peer may fail as it likes; that is shown
        notes.append(f"{step} failed: {type(error).__name__}: {error}"[:120])


def ydata(frame: pd.DataFrame) -> Notes:
    """The minimal report, as HTML."""
    from ydata_profiling import ProfileReport

    page = ProfileReport(frame, minimal=True, progress_bar=False).to_html()
    return [f"{len(page):,} characters of HTML"]


def skrub(frame: pd.DataFrame) -> Notes:
    """The report of tables, as HTML."""
    from skrub import TableReport

    return [f"{len(TableReport(frame, verbose=0).html()):,} characters of HTML"]


WORK: dict[str, Callable[[pd.DataFrame], Notes]] = {
    "kozmo": kozmo,
    "kozmo-report": kozmo_report,
    "mage": mage,
    "ydata": ydata,
    "skrub": skrub,
}


def _cpu() -> float:
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def main() -> None:
    """Print CPU and wall seconds, the peak of memory and what was made."""
    warnings.simplefilter("ignore")
    logging.disable(logging.CRITICAL)
    peer, table, rows, warm = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4] == "warm"
    work = WORK[peer]
    with contextlib.redirect_stdout(sys.stderr):
        started = _cpu()
        frame = TABLES[table](rows)
        before = _cpu() - started
        if warm:
            work(TABLES[table](200))
            before = _cpu()
        clock = time.perf_counter()
        notes = work(frame)
        cpu, wall = _cpu() - before, time.perf_counter() - clock
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"cpu": cpu, "wall": wall, "rss": peak, "notes": notes}))


if __name__ == "__main__":
    main()
