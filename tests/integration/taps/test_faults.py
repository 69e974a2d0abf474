"""What a tap says when it cannot read: at most six lines, the right code, no secret."""

from __future__ import annotations

from typing import Any

import pytest

from servers.postgres import Database


def refused(said: Any, code: int, *words: str) -> None:
    """The tap ended with *code* and said *words*, shortly."""
    error = said.err[said.err.index("Error: ") :]
    assert said.code == code, said.err
    for each in words:
        assert each in error
    assert len(error.splitlines()) <= 6
    assert "Traceback" not in said.err


def test_a_wrong_password(postgres: Database, tap: Any) -> None:
    """It is not shown, neither alone nor within a URL."""
    config = {**postgres.config, "password": "hunter2-wrong"}
    said = tap("tap-postgres", config)
    refused(said, 1, "refused the login of user", "check the settings user and password")
    url = "postgresql://{user}:hunter2%40wrong@{host}:{port}/{database}".format(**postgres.config)
    said = tap("tap-postgres", {"sqlalchemy_url": url})
    refused(said, 1, "refused the login of user")
    assert "hunter2" not in said.err


def test_a_url_stands_alone(postgres: Database, tap: Any) -> None:
    """Whatever driver it names, and with parameters of its own; other settings are not mixed in."""
    postgres.execute("CREATE TABLE t (id integer)")
    url = postgres.url.replace("postgresql://", "postgresql+psycopg2://") + "?sslmode=disable"
    said = tap("tap-postgres", {"sqlalchemy_url": url, "host": "no.such.host", "database": "x"})
    assert said.code == 0, said.err
    assert said.of("SCHEMA")[0]["stream"] == "public-t"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"port": 1}, ["nothing answers at 127.0.0.1:1", "host and port"]),
        ({"host": "no-such-host.invalid"}, ["the host of no-such-host.invalid", "setting host"]),
        ({"database": "nowhere"}, ["has no database 'nowhere'", "setting database"]),
        ({"sslmode": "require"}, ["speaks no TLS", "sslmode"]),
    ],
)
def test_a_server_that_cannot_be_reached(
    postgres: Database, tap: Any, change: dict[str, Any], words: list[str]
) -> None:
    """The setting to look at is named."""
    refused(tap("tap-postgres", {**postgres.config, **change}), 1, *words)


def test_a_table_that_is_gone(postgres: Database, tap: Any, discover: Any) -> None:
    """Near names are suggested; streams before it are read, and their state said."""
    for name in ("accounts", "orders"):
        postgres.execute(f"CREATE TABLE {name} (id integer PRIMARY KEY)")
        postgres.execute(f"INSERT INTO {name} VALUES (1), (2)")
    config = {**postgres.config, "replication_key": "id"}
    streams = list(discover("tap-postgres", config).values())
    postgres.execute("ALTER TABLE orders RENAME TO order_s")
    said = tap("tap-postgres", config, catalog={"streams": streams})
    refused(said, 1, "there is no table public.orders", "did you mean 'public.order_s'?")
    assert said.records == [{"id": 1}, {"id": 2}]
    assert said.state["bookmarks"]["public-accounts"]["replication_key_value"] == 2


def test_a_replication_key_that_is_no_column(postgres: Database, tap: Any, discover: Any) -> None:
    """Named in the catalog, it must be there."""
    postgres.execute("CREATE TABLE t (id integer, updated_at timestamptz)")
    [stream] = discover("tap-postgres", postgres.config).values()
    [root] = [m["metadata"] for m in stream["metadata"] if not m["breadcrumb"]]
    root |= {"replication-method": "INCREMENTAL", "replication-key": "updatedat"}
    said = tap("tap-postgres", postgres.config, catalog={"streams": [stream]})
    refused(said, 2, "there is no column 'updatedat'", "did you mean 'updated_at'?")


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({"config": "{host"}, "config file"),
        ({"catalog": "no json"}, "catalog file"),
        ({"catalog": "{}"}, "the catalog needs a list of streams"),
        ({"state": "[1]"}, "state file"),
    ],
)
def test_files_that_are_not_what_they_should_be(
    postgres: Database, run: Any, tmp_path: Any, files: dict[str, str], words: str
) -> None:
    """Exit code 2, and the file by name."""
    argv = ["tap-sqlite"]
    for option, text in {"config": '{"path": "x.db"}', **files}.items():
        (tmp_path / option).write_text(text)
        argv += [f"--{option}", str(tmp_path / option)]
    done = run(argv)
    assert done.code == 2
    assert words in done.err
    assert len(done.err.splitlines()) <= 6


def test_a_connection_that_is_cut_leaves_a_state(postgres: Database, tap: Any) -> None:
    """What was read is covered by a state; the error says to run again."""
    postgres.execute("CREATE TABLE a (id integer PRIMARY KEY)")
    postgres.execute("INSERT INTO a SELECT generate_series(1, 100)")
    postgres.execute(
        "CREATE FUNCTION cut(i integer) RETURNS integer LANGUAGE plpgsql AS $$ BEGIN "
        "IF i = 50000 THEN PERFORM pg_terminate_backend(pg_backend_pid()); END IF; RETURN i; END $$"
    )
    postgres.execute("CREATE TABLE b (id integer PRIMARY KEY)")
    postgres.execute("INSERT INTO b SELECT generate_series(1, 60000)")
    postgres.execute("CREATE VIEW c AS SELECT cut(id) AS id FROM b")
    said = tap("tap-postgres", {**postgres.config, "replication_key": "id"})
    refused(said, 1, "could not read", "run again")
    assert said.state["bookmarks"]["public-b"]["replication_key_value"] == 60000


def test_text_that_is_not_utf8_is_an_error(postgres: Database, tap: Any) -> None:
    """A database of encoding SQL_ASCII takes any bytes; the rest of its tables can be read."""
    name = f"{postgres.name}_ascii"
    postgres.execute(f"CREATE DATABASE {name} ENCODING 'SQL_ASCII' TEMPLATE template0")
    config = {**postgres.config, "database": name}
    try:
        with postgres.server.connect(name, client_encoding="SQL_ASCII") as connection:
            connection.execute(b"CREATE TABLE good AS SELECT 1 AS id, 'h\xc3\xa9'::text AS t")
            connection.execute(b"CREATE TABLE odd AS SELECT 2 AS id, 'h\xe9'::text AS t")
        said = tap("tap-postgres", config)
        refused(said, 1, "could not read public.odd", "not UTF-8", "deselect its column")
        assert said.records == [{"id": 1, "t": "h\u00e9"}]
    finally:
        postgres.execute(f"DROP DATABASE {name} WITH (FORCE)")


def test_a_server_that_says_nothing_for_too_long(postgres: Database, tap: Any) -> None:
    """The setting statement_timeout holds for each wait, and rows that came before are kept."""
    postgres.execute("CREATE TABLE a (id integer PRIMARY KEY)")
    postgres.execute("INSERT INTO a VALUES (1), (2)")
    postgres.execute("CREATE VIEW b AS SELECT length(pg_sleep(30)::text) AS n")
    said = tap("tap-postgres", {**postgres.config, "statement_timeout": 1})
    refused(said, 1, "could not read public.b", "longer than statement_timeout allows")
    assert [record["id"] for record in said.records] == [1, 2]
