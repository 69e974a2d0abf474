"""Print as JSON what Mage AI takes the columns of the labelled tables for.

    PYTHON mage_kinds.py FOLDER_OF_TESTS FOLDER_OF_PACKAGES

Its detector alone is run: clean() and analyze() fail on pandas 2.
A column on which it fails is null; so is one that takes longer than PATIENCE: its expression for
lists tries every way to split a text.
"""

from __future__ import annotations

import json
import signal
import sys
import warnings
from pathlib import Path

import pandas as pd

sys.path.insert(0, sys.argv[1])

from mage_ai.data_cleaner.column_types.column_type_detector import infer_column_types

from labels.tables import SOURCES, read

PATIENCE = 5


def kinds(frame: pd.DataFrame) -> list[str | None]:
    """Return a kind for each column, each looked at alone so that one failure costs one column."""
    frame.columns = frame.columns.map(str)
    return [kind(frame[[name]]) for name in frame.columns]


def kind(frame: pd.DataFrame) -> str | None:
    """Return the kind of the only column of *frame*, or None if the detector fails."""
    signal.alarm(PATIENCE)
    try:
        (found,) = infer_column_types(frame).values()
    except Exception:  # noqa: BLE001 - a peer may fail as it likes; the column counts as wrong
        return None
    finally:
        signal.alarm(0)
    return None if found is None else str(found.value)


def late(*_: object) -> None:
    """End the work on a column."""
    raise TimeoutError


def main() -> None:
    """Print a list of kinds for each table."""
    warnings.simplefilter("ignore")
    signal.signal(signal.SIGALRM, late)
    packages = Path(sys.argv[2])
    print(json.dumps({source.name: kinds(read(source, packages)) for source in SOURCES}))


if __name__ == "__main__":
    main()
