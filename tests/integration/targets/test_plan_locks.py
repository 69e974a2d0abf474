"""--plan beside others: it waits for nobody for long, and nobody for it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest

from kozmo_singer.wire.planned import Plan
from kozmo_targets.sql.postgres import TargetPostgres
from messages import TEXT, Message, full_table, load, record, schema
from servers.postgres import Database

from .test_plan import of, plan, without_names

ID = {"id": {"type": "integer"}}
OLD = {**ID, "name": TEXT, "gone": TEXT}
NEW = {**ID, "name": TEXT, "more": TEXT}
MODES = pytest.mark.parametrize("mode", ["ACCESS SHARE", "ACCESS EXCLUSIVE"])


def target(postgres: Database, **settings: Any) -> TargetPostgres:
    """A target, as a command would make it."""
    return TargetPostgres({**postgres.config, **settings})


@contextmanager
def planning(target: TargetPostgres, *messages: Message) -> Iterator[Future[Plan]]:
    """Give the plan that is made meanwhile."""
    with ThreadPoolExecutor(1) as pool:
        yield pool.submit(plan, target, *messages)


def read_meanwhile(postgres: Database, table: str, planned: Future[Plan]) -> None:
    """Read *table* again and again; fail where that has to wait."""
    reader = postgres.connect()
    reader.execute("SET statement_timeout = '2s'")
    while not planned.done():
        reader.execute(f"SELECT FROM {table} LIMIT 1".encode())


@MODES
def test_a_table_that_is_locked_holds_up_neither_the_plan_nor_others(
    postgres: Database, mode: str
) -> None:
    """Its change is taken as done; the table changed before it can be read."""
    postgres.execute("CREATE TABLE t (id bigint PRIMARY KEY); CREATE TABLE u (LIKE t)")
    with postgres.connect(autocommit=False) as other:
        other.execute(f"LOCK TABLE u IN {mode} MODE".encode())
        sent = [schema("t", {**ID, "more": TEXT}, ["id"]), schema("u", {**ID, "more": TEXT})]
        with planning(target(postgres), *sent) as planned:
            read_meanwhile(postgres, "t", planned)
    assert planned.result().error is None
    assert planned.result().statements == [
        f'ALTER TABLE "public"."{name}" ADD COLUMN "more" text' for name in "tu"
    ]
    for name in "tu":
        actions = {c.name: c.action for c in of(planned.result(), name).columns}
        assert actions == {"id": "keep", "more": "add"}


@MODES
def test_overwriting_a_table_that_others_hold_is_planned_as_ever(
    postgres: Database, mode: str
) -> None:
    """The load would wait for them; the plan lets the next reader through."""
    load(target(postgres), schema("t", OLD, ["id"]), record("t", {"id": 1}))
    overwriting = {"load_method": "overwrite"}
    free = plan(target(postgres, **overwriting), schema("t", NEW, ["id"]))
    with postgres.connect(autocommit=False) as other:
        other.execute(f"LOCK TABLE t IN {mode} MODE".encode())
        with planning(target(postgres, **overwriting), schema("t", NEW, ["id"])) as planned:
            if mode == "ACCESS SHARE":
                read_meanwhile(postgres, "t", planned)
    (held,) = planned.result().streams
    assert held.error is None
    assert without_names(held.statements) == without_names(free.statements)
    assert held.columns == of(free, "t").columns
    assert {c.name: c.action for c in held.columns} == {
        "id": "keep", "name": "keep", "more": "add", "gone": "drop"
    }  # fmt: skip
    assert held.rows == (1 if mode == "ACCESS SHARE" else None)


@pytest.mark.parametrize("method", ["upsert", "overwrite"])
def test_a_table_that_another_makes_is_planned_as_if_it_were_not_there(
    postgres: Database, method: str
) -> None:
    """It may never be committed, and the plan does not wait for that."""
    sent = [schema("t", OLD, ["id"]), schema("t", NEW, ["id"])]
    free = plan(target(postgres, load_method=method), *sent)
    with postgres.connect(autocommit=False) as other:
        other.execute("CREATE TABLE t (id bigint PRIMARY KEY)")
        found = plan(target(postgres, load_method=method), *sent)
    assert without_names(found.statements) == without_names(free.statements)
    assert (of(found, "t").error, of(found, "t").exists) == (None, False)
    assert of(found, "t").columns == of(free, "t").columns


def test_a_transaction_that_reads_in_another_order_is_not_a_deadlock(postgres: Database) -> None:
    """Two tables are overwritten, and who reads the second then reads the first."""
    overwriting = {"load_method": "overwrite"}
    for name in "tu":
        load(target(postgres, **overwriting), full_table(name, OLD, ["id"]))
    sent = [full_table("t", NEW, ["id"]), full_table("u", NEW, ["id"])]
    with postgres.connect(autocommit=False) as other:
        other.execute("SELECT FROM u")
        with planning(target(postgres, **overwriting), *sent) as planned:
            wait_until_it_waits(postgres, planned)
            other.execute("SELECT FROM t")
            other.commit()
    assert planned.result().error is None


def wait_until_it_waits(postgres: Database, planned: Future[Plan]) -> None:
    """Return once the plan waits for a lock, or is done."""
    deadline = time.monotonic() + 20
    waiting = "SELECT 1 FROM pg_locks WHERE NOT granted"
    while not planned.done() and not postgres.execute(waiting):
        assert time.monotonic() < deadline


def test_what_streams_have_in_common_is_made_once(postgres: Database) -> None:
    """A schema and the table of states outlive the stream that needed them first."""
    postgres.execute("CREATE TABLE here (id bigint); CREATE VIEW v AS SELECT id FROM here")
    settings = {"load_method": "create", "state_id": "s"}
    refused = schema("here", {"id": TEXT})
    sent = [schema("far-t", ID), refused, schema("far-u", ID), schema("far-t", {**ID, "n": TEXT})]
    found = plan(target(postgres, **settings), *sent)
    assert [s.stream for s in found.streams if s.error] == ["here"]
    made, states, *rest = found.statements
    assert (made, "_kozmo_state" in states) == ('CREATE SCHEMA IF NOT EXISTS "far"', True)
    assert rest == [
        'CREATE TABLE "far"."t" ("id" bigint)',
        'CREATE TABLE "far"."u" ("id" bigint)',
        'ALTER TABLE "far"."t" ADD COLUMN "n" text',
    ]
