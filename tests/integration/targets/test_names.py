"""Names drawn at random become names of PostgreSQL and nothing else."""

from contextlib import closing

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kozmo_singer.systems.sql.quoting import quote
from kozmo_targets.sql.postgres_database import NAMING
from servers.postgres import Database

LETTERS = st.characters(exclude_categories=["Cs"], exclude_characters="\0")
NAMES = st.text(LETTERS, min_size=1) | st.sampled_from(
    ['"; DROP TABLE t; --', '""', "'", "a;b", "%s", "%(x)s", "\\", "\n", "💥", "ctid ", "$$", "$1"]
)


def test_a_quoted_name_is_a_name(postgres: Database) -> None:
    """One table of that name, cut if it is too long, with one column of that name."""

    @settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
    @given(table=NAMES, column=NAMES)
    def check(table: str, column: str) -> None:
        table, column = NAMING.fitted(table), NAMING.fitted(column)
        with connection.transaction(force_rollback=True):
            statement = f"CREATE TABLE {quote(table)} ({quote(column)} text)"
            connection.execute(statement.encode())
            found = connection.execute(
                b"SELECT c.relname, a.attname FROM pg_class c JOIN pg_attribute a"
                b" ON a.attrelid = c.oid AND a.attnum > 0"
                b" WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r'"
            ).fetchall()
            assert found == [(table, column)]

    with closing(postgres.connect()) as connection:
        check()
