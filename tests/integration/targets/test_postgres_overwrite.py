"""What overwriting a PostgreSQL table keeps, refuses, and lets readers see."""

from __future__ import annotations

import io
import os
import threading
from typing import Any

import pytest

from kozmo_singer.errors import WriteError
from kozmo_targets.sql.postgres import TargetPostgres
from messages import INTEGER, TEXT, lines, load, records, schema
from servers.postgres import Database

PROPERTIES = {"id": {"type": "integer"}, "name": TEXT}
OLD = [{"id": i, "name": f"old {i}"} for i in range(5)]
NEW = [{"id": i, "name": f"new {i}"} for i in range(3, 6)]
START = schema("t", PROPERTIES, ["id"])


def overwriting(postgres: Database, **settings: Any) -> TargetPostgres:
    """A target that overwrites."""
    return TargetPostgres({**postgres.config, "load_method": "overwrite", **settings})


def names(postgres: Database) -> list[str]:
    """The names in the table."""
    return [name for (name,) in postgres.execute("SELECT name FROM t ORDER BY id")]


def test_a_plain_table_gives_way_and_its_key_keeps_its_name(postgres: Database) -> None:
    """The new table is another one, with the primary key under the usual name."""
    load(overwriting(postgres), START, records("t", OLD))
    before = postgres.execute("SELECT 't'::regclass::oid")
    load(overwriting(postgres), START, records("t", NEW))
    assert postgres.execute("SELECT 't'::regclass::oid") != before
    assert names(postgres) == ["new 3", "new 4", "new 5"]
    assert postgres.execute(
        "SELECT conname FROM pg_constraint WHERE conrelid = 't'::regclass AND contype = 'p'"
    ) == [("t_pkey",)]


@pytest.mark.parametrize(
    "extra",
    [
        "CREATE VIEW v AS SELECT * FROM t",
        "CREATE INDEX i ON t (name)",
        "GRANT SELECT ON t TO PUBLIC",
        "COMMENT ON TABLE t IS 'kept'",
        "ALTER TABLE t ADD COLUMN mine integer DEFAULT 7",
        "CREATE TABLE child () INHERITS (t)",
        "CREATE PUBLICATION p FOR TABLE t",
        "ALTER TABLE t ENABLE ROW LEVEL SECURITY",
        "CREATE STATISTICS s ON id, name FROM t",
        "ALTER TABLE t ADD CHECK (id >= 0)",
    ],
)
def test_a_table_that_has_more_than_we_gave_it_keeps_that(postgres: Database, extra: str) -> None:
    """The same table is emptied and filled, in one transaction; new columns are added."""
    load(overwriting(postgres), START, records("t", OLD))
    postgres.execute(extra)
    before = postgres.execute("SELECT 't'::regclass::oid")
    wider = schema("t", {**PROPERTIES, "more": INTEGER}, ["id"])
    load(overwriting(postgres), wider, records("t", [{**row, "more": 1} for row in NEW]))
    assert postgres.execute("SELECT 't'::regclass::oid") == before
    found = postgres.execute("SELECT id, name, more FROM ONLY t ORDER BY id")
    assert found == [(i, f"new {i}", 1) for i in (3, 4, 5)]
    assert not [n for (n,) in postgres.execute("SELECT relname FROM pg_class") if "_kozmo" in n]


def test_a_table_that_others_refer_to_is_not_emptied(postgres: Database) -> None:
    """ON DELETE CASCADE would take the rows of the other table along."""
    load(overwriting(postgres), START, records("t", OLD))
    postgres.execute("CREATE TABLE child (t_id bigint REFERENCES t ON DELETE CASCADE)")
    postgres.execute("INSERT INTO child VALUES (1)")
    with pytest.raises(WriteError, match="child refers to it by a foreign key"):
        load(overwriting(postgres), START, records("t", NEW))
    assert len(names(postgres)) == 5
    assert postgres.execute("SELECT * FROM child") == [(1,)]


def test_readers_see_the_old_rows_until_all_the_new_are_there(postgres: Database) -> None:
    """While batches arrive another connection finds the old rows, and no table beside them."""
    load(overwriting(postgres), START, records("t", OLD))
    reading, writing = os.pipe()
    out = io.BytesIO()
    target = overwriting(postgres, batch_size_rows=1)
    thread = threading.Thread(target=target.run, args=(reading, out))
    thread.start()
    with os.fdopen(writing, "wb") as pipe:
        pipe.write(lines(START, records("t", NEW)))
        pipe.flush()
        # The hidden table is created in a transaction: its lock shows that it is being filled.
        wait_for(postgres, "SELECT 1 FROM pg_stat_activity WHERE query ~ '^RELEASE|^COPY'")
        assert names(postgres) == [f"old {i}" for i in range(5)]
        assert postgres.execute("SELECT relname FROM pg_class WHERE relname ~ '_kozmo'") == []
    thread.join()
    os.close(reading)
    assert names(postgres) == ["new 3", "new 4", "new 5"]


def wait_for(postgres: Database, query: str) -> None:
    """Ask until the database has a row for *query*."""
    import time

    deadline = time.monotonic() + 20
    while not postgres.execute(query):
        assert time.monotonic() < deadline, query
        time.sleep(0.02)


def test_a_schema_that_is_not_there_is_made(postgres: Database) -> None:
    """Named by the stream or by the setting, for streams that are overwritten and for others."""
    other = {**postgres.config, "default_target_schema": 'Sales "x"'}
    load(
        TargetPostgres({**postgres.config, "load_method": "auto"}),
        schema("crm-people", PROPERTIES, ["id"]),
        records("crm-people", OLD),
        schema("crm-full", PROPERTIES, **{"x-kozmo-replication-method": "FULL_TABLE"}),
        records("crm-full", NEW),
    )
    load(TargetPostgres(other), schema("crm-people", PROPERTIES), records("crm-people", NEW))
    assert len(postgres.execute("SELECT * FROM crm.people")) == 5
    assert len(postgres.execute("SELECT * FROM crm.full")) == 3
    assert len(postgres.execute('SELECT * FROM "Sales ""x""".people')) == 3


def test_a_connection_that_is_cut_is_an_error_in_words(postgres: Database) -> None:
    """Rows committed before stand; the message says what to do."""
    target = TargetPostgres({**postgres.config, "batch_size_rows": 1})

    class Cutting(io.BytesIO):
        """Ends the target's connections after the first piece of input."""

        pieces = [lines(START, records("t", OLD)), lines(records("t", NEW))]

        def read(self, size: int | None = -1) -> bytes:
            if len(self.pieces) == 1:
                postgres.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                    "WHERE application_name = 'target-postgres'"
                )
            return self.pieces.pop(0) if self.pieces else b""

    with pytest.raises(WriteError, match="could not write stream t") as caught:
        target.run(Cutting(), io.BytesIO())
    assert "terminat" in str(caught.value)
    assert len(names(postgres)) == 5
