"""--plan: what a load would do, told by the code that does it, and nothing done."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from commands import BIN, Run
from kozmo_singer.errors import ReadError, RecordError, WriteError
from kozmo_singer.systems.sql import sqlite as sqlite_system
from kozmo_singer.wire.planned import ColumnPlan, Misfit, Plan, StreamPlan
from kozmo_targets.target import Target
from messages import (
    INTEGER,
    NUMBER,
    TEXT,
    Message,
    activate,
    full_table,
    lines,
    load,
    load_bytes,
    records,
    schema,
)

from .conftest import Place, Postgres

ID = {"id": {"type": "integer"}}
OLD = {**ID, "name": {"type": ["string", "null"], "maxLength": 5}, "n": INTEGER, "gone": TEXT}
NEW = {**ID, "name": TEXT, "n": NUMBER, "more": TEXT}
ROWS = [{"id": 1, "name": "a", "n": 1}, {"id": 2, "name": "b", "n": 2}]
DATA = [
    schema("shop-old", OLD, ["id"]),
    records("shop-old", ROWS),
    schema("shop-old", NEW, ["id"]),
    records("shop-old", ROWS[:1]),
    full_table("far-new", NEW),
    records("far-new", ROWS),
]


def plan(target: Target, *messages: Message | list[Message]) -> Plan:
    """Return what *target* would do with the messages."""
    return target.plan(BytesIO(lines(*messages)))  # type: ignore[attr-defined]  # of SQL targets


def everything(place: Place) -> dict[str, Any]:
    """Return all there is: schemas, tables, their columns, and their rows with their places."""
    if isinstance(place, Postgres):
        schemas = place.query("SELECT nspname, oid::int FROM pg_namespace ORDER BY 1")
        files = place.query(
            "SELECT n.nspname, relname, c.oid::int, relfilenode::int FROM pg_class c "
            "JOIN pg_namespace n ON n.oid = relnamespace "
            "WHERE nspname !~ '^pg_|^information' ORDER BY 1, 2"
        )
        tables = [f'"{n}"."{t}"' for n, t, *_ in files if not t.endswith(("_pkey", "_idx"))]
        rows = {t: place.query(f"SELECT ctid::text, xmin::text, * FROM {t}") for t in tables}
        return {"schemas": schemas, "files": files, "rows": rows}
    return {"file": Path(place.config["path"]).read_bytes()}


@contextmanager
def heard(place: Place, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Give the DDL that is run meanwhile, as the database itself tells it."""
    found: list[str] = []
    if isinstance(place, Postgres):
        with place.database.connect() as connection:
            connection.execute(
                b"CREATE TABLE IF NOT EXISTS public.heard (n serial, tag text, said text);"
                b"CREATE OR REPLACE FUNCTION public.hear() RETURNS event_trigger LANGUAGE plpgsql"
                b" AS $$ BEGIN INSERT INTO public.heard (tag, said)"
                b" VALUES (tg_tag, current_query()); END $$;"
                b"CREATE EVENT TRIGGER hear ON ddl_command_end EXECUTE FUNCTION public.hear()"
            )
            try:
                yield found
            finally:
                connection.execute(b"DROP EVENT TRIGGER hear")
            said = connection.execute(b"SELECT said FROM public.heard ORDER BY n").fetchall()
            found += [text for (text,) in said if "kozmo_stage" not in text]
        return
    connect: Callable[..., sqlite3.Connection] = sqlite3.connect

    def listening(*arguments: Any, **options: Any) -> sqlite3.Connection:
        connection = connect(*arguments, **options)
        connection.set_trace_callback(found.append)
        return connection

    with monkeypatch.context() as patch:
        patch.setattr(sqlite_system.sqlite3, "connect", listening)
        yield found
    found[:] = [text for text in found if re.match("CREATE|ALTER|DROP", text)]


def of(plan: Plan, stream: str) -> StreamPlan:
    """Return the plan of *stream*."""
    (found,) = [each for each in plan.streams if each.stream == stream]
    return found


def without_names(statements: list[str]) -> list[str]:
    """Return *statements* with the names that are new in each run in one form."""
    return [re.sub("_kozmo_[0-9a-f]{16}", "_kozmo_hidden", text) for text in statements]


@pytest.mark.parametrize("keeps", [{}, {"state_id": "s"}], ids=["plain", "with states"])
@pytest.mark.parametrize("method", ["auto", "append-only", "upsert", "overwrite"])
def test_a_load_runs_the_statements_of_its_plan_and_the_plan_none(
    place: Place, method: str, keeps: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Schemas, tables, columns and types; in their order; whatever was there is as it was."""
    key = [] if method == "append-only" else ["id"]
    load(place.target(), schema("shop-old", OLD, key), records("shop-old", ROWS))
    before = everything(place)
    settings = {"load_method": method, **keeps}
    planned = plan(place.target(**settings), *DATA)
    assert everything(place) == before
    with heard(place, monkeypatch) as said:
        load(place.target(**settings), *DATA)
    assert without_names(said) == without_names(planned.statements)
    assert planned.error is None
    assert planned.statements
    assert [(each.stream, each.records) for each in planned.streams] == [
        ("shop-old", 3), ("far-new", 2)
    ]  # fmt: skip


@pytest.mark.parametrize("ignored", [False, True])
@pytest.mark.parametrize("hard", [False, True])
@pytest.mark.parametrize("method", ["append-only", "upsert", "overwrite"])
def test_columns_of_versions_are_planned(
    place: Place, method: str, hard: bool, ignored: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From the first record on that has one; streams without any get none."""
    settings = {
        "load_method": method,
        "hard_delete": hard,
        "process_activate_version_messages": not ignored,
    }
    load(place.target(), schema("t", ID, ["id"]), records("t", [{"id": 9}]))
    sent = [
        schema("t", {**ID, "a": TEXT}, ["id"]),
        records("t", [{"id": 1}]),
        schema("u", ID, ["id"]),
        records("t", [{"id": 2}, {"id": 3}], version=5),
        records("u", [{"id": 1}]),
        schema("t", {**ID, "a": TEXT, "b": TEXT}, ["id"]),
        records("t", [{"id": 4}], version=5),
        activate("t", 5),
        activate("u", 5),
    ]
    planned = plan(place.target(**settings), *sent)
    with heard(place, monkeypatch) as said:
        load(place.target(**settings), *sent)
    assert without_names(said) == without_names(planned.statements)
    for stream in "tu":
        columns = {c.name for c in of(planned, stream).columns if c.action != "left alone"}
        assert columns == set(place.types(stream))
    marks = {"_sdc_table_version", "_sdc_deleted_at"} & set(place.types("t"))
    assert len(marks) == (0 if ignored else 1 if hard else 2)


@pytest.mark.parametrize("method", ["append-only", "upsert"])
def test_columns_are_told_with_what_becomes_of_them(place: Place, method: str) -> None:
    """Kept, widened, added, left alone; a table that is not there is created."""
    load(place.target(), schema("t", OLD, ["id"]), records("t", ROWS))
    target = place.target(load_method=method)
    found = of(plan(target, schema("t", NEW, ["id"]), schema("u", ID)), "t")
    types = {
        "postgres": ("bigint", "character varying(5)", "text", "bigint", "numeric"),
        "sqlite": ("INTEGER", "VARCHAR(5)", "TEXT", "INTEGER", "DECIMAL_TEXT"),
    }
    integer, short, text, number, wide = types[place.name]
    assert found.columns == [
        ColumnPlan("id", "id", integer, integer, "keep"),
        ColumnPlan("name", "name", text, short, "widen"),
        ColumnPlan("n", "n", wide, number, "widen"),
        ColumnPlan("more", "more", text, None, "add"),
        ColumnPlan(None, "gone", text, text, "left alone"),
    ]
    where = "public" if place.name == "postgres" else "main"
    assert (found.table, found.quoted) == ("t", f'"{where}"."t"')
    assert (found.exists, found.rows, found.count) == (True, 2, "exact")
    assert (found.load_method, found.key) == (method, ["id"] if method == "upsert" else [])
    other = of(plan(place.target(), schema("u", ID)), "u")
    assert other.columns == [ColumnPlan("id", "id", integer, None, "create")]
    assert (other.exists, other.rows, other.count) == (False, None, None)


def test_a_plain_table_gives_way_when_it_is_overwritten(place: Place) -> None:
    """In PostgreSQL with its columns; SQLite keeps the table."""
    load(place.target(), schema("t", OLD, ["id"]), records("t", ROWS))
    target = place.target(load_method="overwrite")
    found = {c.name: c.action for c in plan(target, schema("t", NEW, ["id"])).streams[0].columns}
    plain = {"id": "keep", "name": "replace", "n": "replace", "more": "add", "gone": "drop"}
    kept = {"id": "keep", "name": "widen", "n": "widen", "more": "add", "gone": "left alone"}
    assert found == (plain if place.name == "postgres" else kept)


def test_a_column_that_cannot_be_widened_is_a_conflict(place: Place) -> None:
    """In the words with which the load then ends; the other streams are planned all the same."""
    load(place.target(), schema("t", OLD, ["id"]), records("t", ROWS))
    place.query("CREATE INDEX i ON t (n)")
    place.query("CREATE VIEW v AS SELECT n FROM t")
    changed = schema("t", {**ID, "n": TEXT}, ["id"])
    found = plan(place.target(), changed, schema("u", ID))
    with pytest.raises(WriteError) as caught:
        load(place.target(), changed)
    error = of(found, "t").error
    assert error == [caught.value.message, *caught.value.details]
    (column,) = [c for c in of(found, "t").columns if c.name == "n"]
    assert column.action == "conflict"
    assert column.reason
    assert of(found, "u").error is None
    assert of(found, "u").columns[0].action == "create"


def test_nothing_is_made_where_nothing_was(place: Place) -> None:
    """No file, no schema."""
    before = everything(place) if place.name == "postgres" else None
    plan(place.target(state_id="s"), *DATA)
    if before is None:
        assert not place.path.exists()  # type: ignore[attr-defined]  # the file of SQLite
    else:
        assert everything(place) == before


def test_a_large_table_is_neither_counted_nor_rewritten(postgres: Any) -> None:
    """The server's estimate; what would take long is planned as if it had been done."""
    place = Postgres(postgres)
    place.query("CREATE TABLE t AS SELECT n AS id, repeat('x', 100) AS v, n AS w "
                "FROM generate_series(1, 700000) n")  # fmt: skip
    place.query("ANALYZE t")
    with place.database.connect() as other:
        # Whoever reads meanwhile holds up what would change the table.
        other.execute(b"BEGIN; SELECT FROM t LIMIT 1")
        found = plan(place.target(), schema("t", {"w": TEXT}), schema("t", {"w": TEXT, "x": TEXT}))
        other.execute(b"COMMIT")
    (one,) = found.streams
    assert one.count == "estimate"
    assert 600_000 < (one.rows or 0) < 800_000
    assert one.statements == [
        'ALTER TABLE "public"."t" ALTER COLUMN "w" TYPE text USING "w"::text::text',
        'ALTER TABLE "public"."t" ADD COLUMN "x" text',
    ]
    assert {c.name: c.action for c in one.columns} == {
        "id": "left alone", "v": "left alone", "w": "widen", "x": "add"
    }  # fmt: skip


def test_a_user_without_permission_hears_what_the_load_would_say(postgres: Any) -> None:
    """Nobody may create in the schema, or change the table of another."""
    place = Postgres(postgres)
    place.query("CREATE TABLE theirs (id bigint)")
    role = f"reader_{postgres.name}"
    place.query(f"CREATE ROLE {role} LOGIN PASSWORD 'secret-word'")
    try:
        place.query(f"GRANT ALL ON theirs TO {role}")
        place.query("REVOKE CREATE ON SCHEMA public FROM public")
        login = {"user": role, "password": "secret-word"}
        for stream in ("mine", "theirs", "far-away"):
            sent = schema(stream, {**ID, "more": TEXT})
            said = plan(place.target(**login), sent).error
            with pytest.raises(WriteError) as caught:
                load(place.target(**login), sent)
            assert said == [caught.value.message, *caught.value.details], stream
            assert "permission" in " ".join(said) or "owner" in " ".join(said)
    finally:
        place.query(f"DROP OWNED BY {role}")
        place.query(f"DROP ROLE {role}")


def test_a_missing_unique_index_is_spelled_out(place: Place) -> None:
    """For an upsert into the table of somebody else; with it there is nothing to say."""
    place.query("CREATE TABLE t (id integer, name text)")
    sent = schema("t", {**ID, "name": TEXT}, ["id"])
    (note,) = plan(place.target(), sent).streams[0].notes
    table = '"public"."t"' if place.name == "postgres" else '"t"'
    statement = f'CREATE UNIQUE INDEX "t_id_key" ON {table} ("id")'
    assert note.endswith(f"to have one: {statement}")
    place.query(statement)
    assert plan(place.target(), sent).streams[0].notes == []


BAD = [{"id": 1}, {"id": "x"}, {"id": 2}, {"id": "y"}, {"id": 3}]


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"on_bad_record": "quarantine", "max_bad_records": "1"},
        {"on_bad_record": "quarantine", "max_bad_records": "39%"},
        {"on_bad_record": "quarantine", "max_bad_records": "1", "all_or_nothing": True},
    ],
)
def test_records_that_do_not_fit_end_a_plan_as_they_end_the_load(
    place: Place, tmp_path: Path, settings: dict[str, Any]
) -> None:
    """In its words; the first of them are told with their lines; nothing is set aside."""
    settings = {**settings, "quarantine_path": str(tmp_path / "aside")}
    sent = [schema("t", ID, ["id"]), records("t", BAD)]
    (planned,) = plan(place.target(**settings), *sent).streams
    assert not (tmp_path / "aside").exists()
    assert (planned.records, planned.misfits) == (5, 2)
    assert planned.first_misfits == [
        Misfit(line, "$.id", f'expected integer, got "{value}"')
        for line, value in ((3, "x"), (5, "y"))
    ]
    with pytest.raises((WriteError, RecordError)) as caught:
        load(place.target(**settings), *sent)
    assert planned.error == [caught.value.message, *caught.value.details]


@pytest.mark.parametrize("bearable", ["2", "40%"])
def test_records_that_may_be_set_aside_are_no_fault_of_a_plan(place: Place, bearable: str) -> None:
    """They are counted."""
    target = place.target(on_bad_record="quarantine", max_bad_records=bearable)
    (planned,) = plan(target, schema("t", ID, ["id"]), records("t", BAD)).streams
    assert (planned.misfits, planned.error) == (2, None)


def test_lines_that_are_no_messages_are_faults_too(place: Place, tmp_path: Path) -> None:
    """As in the load, be they nothing or records of a stream without a SCHEMA."""
    good = lines(schema("t", ID, ["id"]), records("t", [{"id": 1}]))
    for bad in (b"not JSON\n", lines(records("unknown", [{"id": 1}]))):
        sent = BytesIO(good + bad + good)
        found = place.target().plan(sent)  # type: ignore[attr-defined]  # of SQL targets
        assert (found.strays, found.streams[0].records, found.streams[0].error) == (1, 2, None)
        with pytest.raises(RecordError) as caught:
            load_bytes(place.target(), good + bad + good)
        assert found.error == found.fault == [caught.value.message, *caught.value.details]
        settings = {"on_bad_record": "quarantine", "quarantine_path": str(tmp_path / "aside")}
        target = place.target(**settings)
        found = target.plan(BytesIO(good + bad))  # type: ignore[attr-defined]  # as above
        assert (found.strays, found.error) == (1, None)
        target = place.target(**settings, max_bad_records="0")
        found = target.plan(BytesIO(good + bad))  # type: ignore[attr-defined]  # as above
        assert found.error[0] == "1 of 2 records are bad, and max_bad_records is 0"


def test_records_of_batches_are_counted(place: Place, tmp_path: Path) -> None:
    """With those that do not fit, and their versions; a file that is missing is an error."""
    file = tmp_path / "batch.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in BAD))
    batch = {"type": "BATCH", "stream": "t", "encoding": {"format": "jsonl", "compression": "none"},
             "manifest": [file.as_uri()], "version": 5}  # fmt: skip
    sent = [schema("t", ID, ["id"]), batch, records("t", BAD[:1])]
    (planned,) = plan(place.target(), *sent).streams
    assert (planned.records, planned.misfits) == (6, 2)
    assert planned.error is not None
    assert f'expected integer, got "x", in line or row 2 of {file.as_uri()}' in planned.error[1]
    assert "_sdc_table_version" in {column.name for column in planned.columns}
    file.unlink()
    with pytest.raises(ReadError, match="No such file"):
        plan(place.target(), *sent)


def test_the_command_prints_json_or_words(place: Place, run: Run) -> None:
    """A plan that holds a fault is printed, then told as the error of a load; exit code 1."""
    command = [BIN / f"target-{place.name}", "--config", "config.json", "--plan"]
    sent = lines(schema("t", {**ID, "name": TEXT}, ["id"]),
                 records("t", [{"id": 1}, {"id": "no integer"}]))  # fmt: skip
    config = {**place.config, "on_bad_record": "quarantine"}
    (run.folder / "config.json").write_text(json.dumps(config))
    done = run(command, stdin=sent)
    assert done.code == 0, done.err
    found = json.loads(done.out)
    assert found["streams"][0]["records"] == 2
    assert found["streams"][0]["misfits"] == 1
    done = run([*command, "--format", "text"], stdin=sent)
    assert done.out.decode().splitlines()[0] == (
        "stream t: 2 records, 1 of them do not fit its schema"
    )
    (run.folder / "config.json").write_text(json.dumps(place.config))
    done = run(command, stdin=sent)
    assert done.code == 1
    assert json.loads(done.out)["streams"][0]["misfits"] == 1
    assert done.err.startswith("Error: cannot read stream t\n")
    bad = lines(schema("t", {"a": TEXT, "a\0": TEXT}))
    done = run(command, stdin=bad)
    assert done.code == 1
    assert json.loads(done.out)["streams"][0]["error"][0] == "cannot write stream t"
    assert done.err.startswith("Error: cannot write stream t\n")
