"""Which state counts, that of the runner's store or the target's, on clocks that go wrong too."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from kozmo_runner import api
from kozmo_runner.job import Silent
from kozmo_runner.report import Report
from kozmo_runner.stores import Saved, open_store

ID = "tap-sqlite-to-target-sqlite"
AHEAD = "99991231T235959.000000Z-00000000"


class Listening(Silent):
    """Notes what is warned of."""

    def __init__(self) -> None:
        self.warnings: list[str] = []

    def line(self, name: str, text: str) -> None:
        if "WARNING" in text:
            self.warnings.append(text)


class Shop:
    """A source that grows, in tables without a key, and a copy of it to which rows are added."""

    def __init__(self, folder: Path) -> None:
        self.source, self.copy = folder / "shop.db", folder / "copy.db"
        self.stores = [str(folder / name) for name in ("one.db", "two.db")]
        self.change(self.source, "CREATE TABLE events (seq INTEGER, name TEXT)")
        self.grow(100)

    def grow(self, to: int) -> None:
        """Add rows to the source."""
        self.change(
            self.source,
            "WITH RECURSIVE n(g) AS (SELECT (SELECT coalesce(max(seq), 0) + 1 FROM events) "
            f"UNION ALL SELECT g + 1 FROM n WHERE g < {to}) "
            "INSERT INTO events SELECT g, 'x' FROM n",
        )

    def run(self, store: int = 0, **options: Any) -> Report:
        """Move what is new, with the state in one of the two stores."""
        report = api.run(
            "tap-sqlite", "target-sqlite",
            tap_config={"path": str(self.source), "replication_key": "seq"},
            target_config={"path": str(self.copy)},
            state_store=self.stores[store], **options,
        )  # fmt: skip
        report.raise_for_failure()
        return report

    def age(self, store: int) -> None:
        """Make it so that the last run was on a machine whose clock is ahead."""
        self.change(self.copy, f"UPDATE _kozmo_state SET run_id = '{AHEAD}'")
        kept = open_store(self.stores[store])
        saved = kept.get(ID)
        assert saved is not None
        kept.save(ID, Saved(AHEAD, saved.saved_at, saved.status, saved.state, saved.origin))

    def forget(self, store: int) -> None:
        """Let the store of the last run have missed its end, as after a kill -9."""
        kept = open_store(self.stores[store])
        last, before = kept.history(ID)[:2]
        kept.save(ID, Saved(last.run_id, last.saved_at, "running", before.state, last.origin))

    @property
    def ids(self) -> list[int]:
        """What was copied, sorted."""
        with closing(sqlite3.connect(self.copy)) as connection:
            return [n for (n,) in connection.execute("SELECT seq FROM events ORDER BY seq")]

    def change(self, path: Path, statement: str) -> None:
        """Run a statement in source or copy."""
        with closing(sqlite3.connect(path)) as connection, connection:
            connection.execute(statement)


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    """Give a shop of a hundred rows."""
    return Shop(tmp_path)


def test_runs_on_two_machines_take_turns(shop: Shop) -> None:
    """Each has a store of its own, and the clock of one of them is ahead."""
    shop.run(0)
    shop.age(0)
    for to, store in ((200, 1), (300, 0), (400, 1), (500, 0)):
        shop.grow(to)
        assert shop.run(store).rows_read == 100
    assert shop.ids == list(range(1, 501))


def test_a_clock_that_was_put_back_changes_nothing(shop: Shop) -> None:
    """The target's state is the newer one although the run before it has a later date."""
    shop.run()
    shop.age(0)
    shop.grow(200)
    shop.run()
    shop.forget(0)
    assert shop.run().rows_read == 0
    assert shop.ids == list(range(1, 201))


@pytest.mark.parametrize("jobs", [1, 2])
def test_what_is_set_by_hand_counts_whatever_the_clock_says(shop: Shop, jobs: int) -> None:
    """At the next run, and at the one after it."""
    shop.run(jobs=jobs)
    shop.age(0)
    store = open_store(shop.stores[0])
    store.clear(ID)
    store.save(ID, Saved("20000101T000000.000000Z-00000000", "", "cleared", {}))
    assert shop.run(jobs=jobs).rows_read == 100
    assert shop.run(jobs=jobs).rows_read == 0
    assert shop.ids == sorted([*range(1, 101)] * 2)


def test_a_table_that_was_dropped_is_a_warning(shop: Shop) -> None:
    """Its earlier rows will not come again. A first run is none, nor is a table that is empty."""
    watcher = Listening()
    shop.run(watcher=watcher)
    shop.change(shop.copy, "DELETE FROM events")
    shop.grow(200)
    shop.run(watcher=watcher)
    assert watcher.warnings == []
    shop.change(shop.copy, "DROP TABLE events")
    shop.grow(300)
    shop.run(watcher=watcher)
    assert len(watcher.warnings) == 1
    assert "table events was not there and is made anew" in watcher.warnings[0]
    assert shop.run(watcher=watcher, full_refresh=True).rows_read == 300
    assert len(watcher.warnings) == 1


def test_the_target_is_to_blame_where_it_cannot_be_asked(shop: Shop, tmp_path: Path) -> None:
    """Before the run the runner asks it for its state."""
    shop.copy.write_bytes(b"this is no database file, whatever its name says" * 100)
    report = api.run(
        "tap-sqlite", "target-sqlite",
        tap_config={"path": str(shop.source)}, target_config={"path": str(shop.copy)},
    )  # fmt: skip
    assert report.error is not None
    assert (report.error.side, report.error.name, report.exit_code) == (
        "target",
        "target-sqlite",
        1,
    )
