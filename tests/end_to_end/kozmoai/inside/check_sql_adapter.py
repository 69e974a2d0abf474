"""SQLSourceAdapter with KozmoAI's own Data; test_database_loader.py starts it there."""

import os
import sqlite3
from contextlib import closing
from urllib.parse import urlsplit

import psycopg
import pytest

from kozmo_bridge.adapters import SQLSourceAdapter
from kozmo_singer.errors import ConfigError

URL = os.environ["POSTGRES_URL"]
PARTS = urlsplit(URL)
LOGIN = {
    "host": PARTS.hostname,
    "port": PARTS.port,
    "database": PARTS.path[1:],
    "username": PARTS.username,
}


@pytest.fixture(autouse=True)
def orders(monkeypatch, tmp_path):
    """Tables in two schemas, and a home for what the runner remembers."""
    monkeypatch.setenv("KOZMO_HOME", str(tmp_path / "kozmo"))
    with psycopg.connect(URL, autocommit=True) as connection:
        connection.execute("CREATE TABLE orders (id int PRIMARY KEY, total numeric(9,2))")
        connection.execute("INSERT INTO orders SELECT i, i / 4.0 FROM generate_series(1, 2500) i")
        connection.execute("CREATE SCHEMA shipping")
        connection.execute("CREATE TABLE shipping.parcels AS SELECT 1 AS id")
        yield
        connection.execute("DROP TABLE orders")
        connection.execute("DROP SCHEMA shipping CASCADE")


@pytest.mark.parametrize(
    "login",
    [{**LOGIN, "password": PARTS.password}, {"connection_string": URL}],
    ids=["fields", "string"],
)
def test_tables_are_read_by_the_adapter(login):
    """A table of public by its name alone, as in the first integration; in batches."""
    with SQLSourceAdapter("postgresql", **login) as shop:
        assert shop.discover_streams() == ["orders", "shipping.parcels"]
        assert shop.get_schema("orders") == {"id": "integer", "total": "numeric(9,2)"}
        batches = list(shop.load_data("orders"))
        assert [len(batch) for batch in batches] == [1000, 1000, 500]
        assert batches[0][1].data == {"id": 2, "total": 0.5}
        for name in ("shipping.parcels", "shipping-parcels"):
            assert [[row.data for row in b] for b in shop.load_data(name)] == [[{"id": 1}]]
        assert [len(batch) for batch in shop.load_data("orders", limit=3)] == [3]
        assert sum(map(len, shop.load_data("orders", limit=0, batch_size=700))) == 2500
        with pytest.raises(ConfigError, match="did you mean 'orders'"):
            shop.load_data("order")
        with pytest.raises(ConfigError, match="nothing to read"):
            shop.load_data()
        started = shop.load_data("orders")
        next(started)
    assert list(started) == []


def test_queries_are_run_by_the_adapter():
    """What they find, at most so many; what changes data is refused."""
    shop = SQLSourceAdapter("postgres", connection_string=URL)
    query = "SELECT id FROM orders WHERE id > 10 ORDER BY id"
    assert [[r.data for r in b] for b in shop.load_data(query=query, limit=2)] == [
        [{"id": 11}, {"id": 12}]
    ]
    with pytest.raises(ConfigError, match="tap-postgres failed"):
        list(shop.load_data(query="DROP TABLE orders"))
    assert shop.discover_streams() == ["orders", "shipping.parcels"]


def test_a_connection_that_fails_says_why():
    """By Python's ConnectionError, without the password."""
    shop = SQLSourceAdapter("postgresql", **LOGIN, password="not-the-password")
    with pytest.raises(ConnectionError) as refused:
        shop.connect()
    assert "refused the login" in str(refused.value)
    assert "not-the-password" not in str(refused.value)
    assert not shop.test_connection()
    assert shop.problem == str(refused.value)
    with pytest.raises(ConfigError, match="there is no tap-mysql here"):
        SQLSourceAdapter("mysql", host="db")


def test_a_file_of_sqlite_is_read_by_the_adapter(tmp_path):
    """It is named as the database."""
    path = tmp_path / "shop.db"
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("CREATE TABLE orders (id INTEGER PRIMARY KEY)")
        database.execute("INSERT INTO orders VALUES (1), (2)")
    with SQLSourceAdapter("sqlite", database=str(path)) as shop:
        assert shop.discover_streams() == ["orders"]
        assert [[r.data for r in b] for b in shop.load_data("orders")] == [[{"id": 1}, {"id": 2}]]
