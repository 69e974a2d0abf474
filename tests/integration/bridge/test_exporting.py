"""What an export would do, and what it then does."""

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from kozmo_bridge.exporting import aforecast, export
from kozmo_bridge.placing import fitted
from kozmo_singer.errors import WriteError

INTEGER = {"type": ["null", "integer"]}
KNOWN = {"properties": {"id": INTEGER, "n": INTEGER}}
BAD = [{"id": i, "n": n} for i, n in enumerate([1, "a", 2, "b", 3, "c", 4, "d", 5])]


def told(tmp_path: Path, most_rejected: str) -> tuple[list[str] | None, list[str] | None]:
    """Return the error that is foreseen, and the one that then comes."""
    path = tmp_path / "shop.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE t (id integer, n integer)")
    options: dict[str, Any] = {"stream": "t", "most_rejected": most_rejected}
    config = {"path": str(path), "load_method": "append-only"}
    shape = fitted(BAD, KNOWN, {})
    plan = asyncio.run(aforecast("target-sqlite", config, shape, **options))
    assert (plan.records, plan.misfits) == (9, 4)
    try:
        export("target-sqlite", config, shape, **options)
    except WriteError as error:
        return plan.error, [error.message, *error.details]
    return plan.error, None


@pytest.mark.parametrize("most_rejected", ["0", "3", "44%"])
def test_too_many_misfits_are_foreseen_in_the_words_of_the_export(
    tmp_path: Path, most_rejected: str
) -> None:
    """With the first rows, and how many there are."""
    foreseen, came = told(tmp_path, most_rejected)
    assert foreseen == came
    assert foreseen == [
        f"the database refused 4 rows, and at most {most_rejected} may be refused",
        *(
            f'row {row}: n: expected integer, got "{n}"'
            for row, n in ((2, "a"), (4, "b"), (6, "c"))
        ),
        "and 1 more",
        "nothing was written; correct the rows, or let more be refused",
    ]


@pytest.mark.parametrize("most_rejected", ["4", "45%"])
def test_misfits_that_may_be_rejected_are_no_fault(tmp_path: Path, most_rejected: str) -> None:
    """The others are written."""
    assert told(tmp_path, most_rejected) == (None, None)
