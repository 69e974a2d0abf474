"""Our components on the canvas of a real Langflow, from which KozmoAI was forked."""

import sqlite3
from contextlib import closing

import pytest

from canvas import Refused


def test_a_component_is_found_tested_and_run(canvas, tmp_path, pictures):
    """By search and drag; the rows are a table, and what goes wrong is told in words."""
    # Where the server was started.
    with closing(sqlite3.connect(tmp_path / "langflow" / "shop.db")) as database, database:
        database.execute("CREATE TABLE items (id INTEGER PRIMARY KEY, name TEXT)")
        database.executemany("INSERT INTO items VALUES (?, ?)", [(1, "lamp"), (2, "chair")])
    for name in ("File Loader", "Singer Source", "Singer Target", "Database Exporter",
                 "Data Cleaner", "Type Converter"):  # fmt: skip
        assert name in canvas.search(name)
    node = canvas.drag("Database Loader")
    node.set("database_type", "SQLite")
    node.set("database_file", "shop.db")
    node.press("test_connection")
    assert node.get("verdict").startswith("SQLite 3.")
    node.set("query", "SELECT * FROM lamps")
    with pytest.raises(Refused, match="no such table: lamps"):
        node.run()
    node.set("query", "SELECT * FROM items")
    node.run()
    for output in ("Data", "DataFrame"):
        rows = node.output(output).rows
        assert rows == [{"id": "1", "name": "lamp"}, {"id": "2", "name": "chair"}]
    canvas.fit()
    node.element.screenshot(path=pictures / "langflow.png")
