"""all_or_nothing in PostgreSQL: one transaction, whatever the load methods of the streams are."""

from __future__ import annotations

from typing import Any

import pytest

from kozmo_singer.errors import WriteError
from kozmo_targets.sql.postgres import TargetPostgres
from messages import INTEGER, TEXT, full_table, load, record, schema, state
from servers.postgres import Database

ID = {"id": {"type": "integer"}}
PARENT = schema("parent", {**ID, "name": TEXT}, ["id"])
CHILD = {"parent_id": INTEGER, "n": INTEGER}
METHODS = pytest.mark.parametrize(
    ("child", "settings"),
    [
        (schema("child", CHILD), {}),
        (schema("child", CHILD), {"state_id": "s"}),
        (full_table("child", CHILD), {}),
        (full_table("child", CHILD), {"state_id": "s"}),
    ],
    ids=["appended", "appended with states", "overwritten", "overwritten with states"],
)


def whole(postgres: Database, settings: dict[str, Any]) -> TargetPostgres:
    """A target that loads all or nothing."""
    return TargetPostgres({**postgres.config, **settings, "all_or_nothing": True})


def tables(postgres: Database, options: str = "") -> None:
    """Make a table with a row, and an empty one whose rows refer to it."""
    postgres.execute(
        "CREATE TABLE parent (id bigint PRIMARY KEY, name text);"
        "INSERT INTO parent VALUES (1, 'old');"
        f"CREATE TABLE child (parent_id bigint REFERENCES parent {options}, n bigint);"
        # Who waits for itself waits no longer than this.
        f"ALTER DATABASE {postgres.name} SET lock_timeout = '10s'"
    )


@METHODS
def test_what_the_server_refuses_at_the_commit_leaves_nothing(
    postgres: Database, child: dict[str, Any], settings: dict[str, Any]
) -> None:
    """A deferred constraint is checked there; the other stream and the state go with it."""
    tables(postgres, "DEFERRABLE INITIALLY DEFERRED")
    target = whole(postgres, settings)
    sent = [PARENT, record("parent", {"id": 2, "name": "new"}), child]
    with pytest.raises(WriteError, match="could not commit"):
        load(target, *sent, record("child", {"parent_id": 99, "n": 1}), state({"n": 1}))
    assert postgres.execute("SELECT * FROM parent") == [(1, "old")]
    assert postgres.execute("SELECT * FROM child") == []
    assert target.committed("s") == []


@METHODS
def test_rows_may_refer_to_rows_of_the_same_load(
    postgres: Database, child: dict[str, Any], settings: dict[str, Any]
) -> None:
    """Neither does the load wait for its own new column, nor does it miss its own rows."""
    tables(postgres)
    target = whole(postgres, settings)
    wider = schema("parent", {**ID, "name": TEXT, "more": TEXT}, ["id"])
    told = load(
        target,
        wider,
        record("parent", {"id": 2, "name": "new", "more": "x"}),
        child,
        record("child", {"parent_id": 2, "n": 1}),
        state({"n": 1}),
    )
    assert told == [{"n": 1}]
    found = postgres.execute("SELECT * FROM parent ORDER BY id")
    assert found == [(1, "old", None), (2, "new", "x")]
    assert postgres.execute("SELECT * FROM child") == [(2, 1)]
    assert [c.state for c in target.committed("s")] == [{"n": 1}] * bool(settings)


def test_rows_are_merged_in_batches_where_states_are_kept(postgres: Database) -> None:
    """A state that may not be committed yet is no reason to merge the rows before it."""
    tables(postgres)
    postgres.execute(
        "CREATE TABLE merges (at timestamptz);"
        "CREATE FUNCTION merged() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN INSERT INTO merges VALUES (now()); RETURN NULL; END $$;"
        "CREATE TRIGGER merged AFTER INSERT ON parent"
        " FOR EACH STATEMENT EXECUTE FUNCTION merged()"
    )
    sent: list[dict[str, Any]] = []
    for i in range(2, 27):
        sent += [record("parent", {"id": i, "name": "new"}), state({"n": i})]
    load(whole(postgres, {"state_id": "s", "batch_size_rows": 10}), PARENT, sent)
    assert postgres.execute("SELECT count(*) FROM parent") == [(26,)]
    assert postgres.execute("SELECT count(*) FROM merges") == [(3,)]
