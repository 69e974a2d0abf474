"""Names of streams and columns never leave their quotes, whatever they hold."""

import sqlite3

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kozmo_singer.errors import ConfigError
from kozmo_singer.systems.sql.quoting import quote

NAMES = st.text(min_size=1) | st.sampled_from(
    ['"; DROP TABLE t; --', '""', "'", "a;b", "%s", "%(x)s", "{0}", "\\", "\n", "💥", "rowid", "$$"]
)


@given(table=NAMES, column=NAMES)
def test_sqlite_takes_a_quoted_name_for_a_name(table, column):
    """One table of that name with one column of that name, and nothing else."""
    if "\0" in table + column:
        with pytest.raises(ConfigError, match="no database can have the name"):
            quote("\0")
        return
    connection = sqlite3.connect(":memory:")
    try:
        if table.lower().startswith("sqlite_"):
            return
        connection.execute(f"CREATE TABLE {quote(table)} ({quote(column)} TEXT)")
        assert connection.execute("SELECT name FROM sqlite_master").fetchall() == [(table,)]
        found = connection.execute("SELECT name FROM pragma_table_info(?)", [table]).fetchall()
        assert found == [(column,)]
    finally:
        connection.close()


@pytest.mark.parametrize("name", ["a\0b", "\ud800", "x\udfff"])
def test_what_no_name_can_hold_is_refused(name):
    with pytest.raises(ConfigError):
        quote(name)
