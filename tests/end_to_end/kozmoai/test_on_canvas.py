"""Our components on the canvas of a real KozmoAI, driven in a browser as a user does."""

import csv
import sqlite3
import time
from contextlib import closing

import pytest

from canvas import Refused
from project import ROOT
from servers.processes import is_gone

LOADER = "Database Loader"
FLOWS = ROOT / "examples" / "flows"
STOP_SECONDS = 2
ASLEEP = (
    "SELECT pid FROM pg_stat_activity "
    "WHERE state = 'active' AND query LIKE '%pg_sleep%' AND pid <> pg_backend_pid()"
)


@pytest.fixture
def shop(postgres):
    """A shop of 1,000 orders and two more tables, in PostgreSQL."""
    postgres.execute(
        "CREATE TABLE orders (id integer PRIMARY KEY, customer text, total numeric(8,2), "
        "ordered_at timestamptz); "
        'CREATE TABLE customers (id integer PRIMARY KEY); CREATE TABLE "Items" (n integer)'
    )
    add_orders(postgres, 1, 1000)
    postgres.execute("ANALYZE")
    return postgres


def add_orders(postgres, first, last):
    """Orders with these numbers."""
    postgres.execute(
        "INSERT INTO orders SELECT n, 'customer ' || n, n / 4.0, "
        "timestamptz '2024-01-01 12:00+00' + n * interval '1 hour' "
        f"FROM generate_series({first}, {last}) AS n"
    )


def log_in(node, postgres, **others):
    """Fill the fields of a connection."""
    config = {**postgres.config, "username": postgres.config["user"], **others}
    for name in ("host", "port", "username", "password", "database"):
        node.set(name, config[name])


def verdict(node):
    """What the last test has shown, a fact a line."""
    with node.table("verdict") as facts:
        return [row["found"] for row in facts.rows]


def test_a_database_is_tested_looked_through_and_read(canvas, shop, pictures):
    """A wrong password and a right one; tables, columns, samples; the rows as a table."""
    assert LOADER in canvas.search("database")
    node = canvas.drag(LOADER)
    log_in(node, shop, password="no-such-word")
    node.press("test_connection")
    refused = verdict(node)
    assert any("refused the login of user" in fact for fact in refused)
    assert "no-such-word" not in str(refused)
    node.set("password", shop.config["password"])
    node.press("test_connection")
    assert verdict(node)[0].startswith("PostgreSQL 18")
    assert "public.orders 1,000 records" in node.options("table_name")
    node.set("table_name", "public.orders")
    with node.table("columns") as columns:
        assert [row["column"] for row in columns.rows] == ["id", "customer", "total", "ordered_at"]
        assert columns.rows[1]["sample"] == "customer 1"
        canvas.screenshot(pictures / "database-loader-columns.png")
    assert node.run() == f"{LOADER} built successfully"
    shown = node.output("DataFrame").rows
    assert shown[0] == {
        "id": "1", "customer": "customer 1", "total": "0.25",
        "ordered_at": "2024-01-01T13:00:00Z",
    }  # fmt: skip
    canvas.screenshot(pictures / "database-loader.png")


def test_stop_ends_the_tap_and_its_query(canvas, shop, host):
    """Within two seconds, while the server still works on it."""
    node = canvas.drag(LOADER)
    log_in(node, shop)
    node.set("query", "SELECT pg_sleep(600)")
    running = node.start()
    end = time.monotonic() + 60
    while not shop.execute(ASLEEP):
        assert time.monotonic() < end
    taps = host.plugins("tap-postgres")
    assert taps
    assert canvas.stop() == "Build stopped"
    end = time.monotonic() + STOP_SECONDS
    while not all(map(is_gone, taps)):
        assert time.monotonic() < end, "the tap is still there"
    with pytest.raises(Refused, match="Build stopped"):
        running.wait()
    assert shop.execute(ASLEEP) == []


def test_an_incremental_node_reads_what_is_new(canvas, shop, pictures):
    """The second run reads the new rows only; after a reset all of them."""
    node = canvas.drag(LOADER)
    log_in(node, shop)
    node.press("test_connection")
    node.set("table_name", "public.orders")
    node.set("sync_mode", "Incremental")
    assert set(node.options("replication_key")) >= {"id", "ordered_at"}
    node.set("replication_key", "id")
    node.run()
    assert state(node)["rows"] == "1000"
    add_orders(shop, 1001, 1010)
    node.run()
    assert [row["id"] for row in node.output("DataFrame").rows] == [
        str(n) for n in range(1001, 1011)
    ]
    assert state(node)["rows"] == "10"
    node.press("reset_bookmark")
    assert verdict(node) == ["The next run reads everything"]
    node.run()
    assert state(node)["rows"] == "1010"


def state(node):
    """The row of the output State."""
    (row,) = node.output("State").rows
    return row


def test_files_are_cleaned_and_written_to_a_database(canvas, tmp_path, pictures):
    """The example flow, imported by the menu; every row compared; run again it changes nothing."""
    orders, shop = tmp_path / "orders.csv", tmp_path / "shop.db"
    orders.write_bytes((FLOWS / "orders.csv").read_bytes())
    canvas.load(FLOWS / "files-to-database.json")
    canvas.node("File Loader").set("file_path", str(orders))
    exporter = canvas.node("Database Exporter")
    exporter.set("database_file", str(shop))
    for _ in range(2):
        exporter.run()
    canvas.screenshot(pictures / "files-to-database.png")
    with closing(sqlite3.connect(shop)) as database:
        found = database.execute(
            "SELECT order_id, customer, city, quantity, total FROM orders ORDER BY order_id"
        ).fetchall()
    with orders.open(encoding="utf-8", newline="") as file:
        wanted = {int(row["order_id"]): row for row in csv.DictReader(file)}
    assert [row[0] for row in found] == sorted(wanted)
    for id, customer, city, quantity, total in found:
        row = wanted[id]
        assert customer == row["customer"].strip()
        assert (city or "") == row["city"]
        assert (quantity, float(total)) == (int(row["quantity"]), float(row["total"]))
    (result,) = exporter.output("Result").rows
    assert result["rows_written"] == "62"  # two of them are there twice


def test_a_dry_run_shows_what_would_happen(canvas, tmp_path, pictures):
    """Types and statements; nothing is written."""
    shop = tmp_path / "shop.db"
    canvas.load(FLOWS / "files-to-database.json")
    canvas.node("File Loader").set("file_path", str(FLOWS / "orders.csv"))
    exporter = canvas.node("Database Exporter")
    exporter.set("database_file", str(shop))
    exporter.set("dry_run", True)
    exporter.run()
    types = {row["column"]: (row["type"], row["action"]) for row in exporter.output("Result").rows}
    assert types["order_id"] == ("INTEGER", "create")
    assert types["customer"] == ("TEXT", "create")
    (line,) = exporter.log("Result")
    assert line["message"].startswith('CREATE TABLE "main"."orders"')
    canvas.screenshot(pictures / "database-exporter-dry-run.png")
    assert not shop.exists()


def setting(canvas, name):
    """The input that is made of a plug-in's setting."""
    (node,) = canvas.saved()["data"]["nodes"]
    (found,) = (n for n in node["data"]["node"]["template"] if n.endswith(f"_{name}"))
    return found


def test_any_tap_has_a_form(canvas, tmp_path, pictures):
    """Made of its settings; its streams are listed, and one is read."""
    path = tmp_path / "shop.db"
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("CREATE TABLE items (id INTEGER PRIMARY KEY, name TEXT)")
        database.executemany("INSERT INTO items VALUES (?, ?)", [(1, "lamp"), (2, "chair")])
    node = canvas.drag("Singer Source")
    node.set("tap_name", "tap-sqlite")
    assert "Path" in node.labels
    node.screenshot(pictures / "singer-source.png")
    node.set(setting(canvas, "path"), str(path))
    node.press("test_connection")
    node.run()
    assert node.output("DataFrame").rows == [
        {"id": "1", "name": "lamp"}, {"id": "2", "name": "chair"},
    ]  # fmt: skip
