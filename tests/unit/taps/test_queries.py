"""The setting `queries` as it is read, before any database is opened."""

from __future__ import annotations

from typing import Any

import pytest

from kozmo_singer.errors import ConfigError
from kozmo_taps.sql.queries import Query, keyed, queries
from kozmo_taps.sql.relation import Relation
from kozmo_taps.sql.sqlite import TapSQLite


def test_a_query_is_its_sql_or_an_object_with_keys() -> None:
    """Both forms stand side by side, under the names of their streams."""
    told = {
        "recent": "SELECT 1",
        "sums": {"sql": "SELECT 2", "key_properties": ["id"], "replication_key": "at"},
    }
    assert queries("tap-x", told) == {
        "recent": Query("recent", "SELECT 1"),
        "sums": Query("sums", "SELECT 2", ("id",), "at"),
    }


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ({"q": 1}, "must be SQL or an object with sql, got a number"),
        ({"q": ["SELECT 1"]}, "must be SQL or an object with sql, got an array"),
        ({"q": "  \n"}, "needs a name, and SQL"),
        ({"": "SELECT 1"}, "needs a name, and SQL"),
        ({"q": {}}, "needs a name, and SQL"),
        ({"q": {"sql": "SELECT 1", "keys": ["id"]}}, "unknown part 'keys'"),
        ({"q": {"sql": "SELECT 1", "key_properties": "id"}}, "must be an array of names"),
        ({"q": {"sql": "SELECT 1", "replication_key": 1}}, "must be the name of a column"),
        ({"q": "SELECT 1\0; DROP TABLE t"}, "no SQL can hold"),
        ({"q": "SELECT '\ud800'"}, "no SQL can hold"),
    ],
)
def test_what_is_no_query_is_refused_by_name(told: dict[str, Any], said: str) -> None:
    """The message names the query and what is wrong with it."""
    with pytest.raises(ConfigError, match=said) as caught:
        queries("tap-x", told)
    assert f"query '{next(iter(told))}'" in str(caught.value)


def test_the_setting_is_read_when_a_tap_is_made() -> None:
    """From the environment it comes as JSON."""
    tap = TapSQLite({"path": "x.db", "queries": '{"recent": {"sql": "SELECT 1"}}'})
    assert tap.queries == {"recent": Query("recent", "SELECT 1")}
    with pytest.raises(ConfigError, match="tap-sqlite: query 'recent'"):
        TapSQLite({"path": "x.db", "queries": {"recent": None}})


def test_a_key_that_the_query_does_not_find_is_refused() -> None:
    """With what it was probably meant to be."""
    query = Query("q", "SELECT 1", replication_key="updated")
    relation = Relation(None, "q", columns={"updated_at": None})  # type: ignore[dict-item]
    with pytest.raises(ConfigError, match="finds no column 'updated'") as caught:
        keyed("tap-x", query, relation)
    assert "did you mean 'updated_at'?" in str(caught.value)
