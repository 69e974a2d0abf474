"""Our components on the canvas of a real KozmoAI, driven in a browser as a user does."""

import pytest

LOADER = "Database Loader"


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
    node.screenshot(pictures / "database-loader-new.png")
    log_in(node, shop, password="no-such-word")
    node.press("test_connection")
    refused = verdict(node)
    assert any("refused the login of user" in fact for fact in refused)
    assert "no-such-word" not in str(refused)
    node.screenshot(pictures / "database-loader-refused.png")
    node.set("password", shop.config["password"])
    node.press("test_connection")
    assert verdict(node)[0].startswith("PostgreSQL 18")
    assert {"public.orders", "public.customers", "public.Items"} <= set(node.options("table_name"))
    node.set("table_name", "public.orders")
    with node.table("columns") as columns:
        assert [row["column"] for row in columns.rows] == ["id", "customer", "total", "ordered_at"]
        assert columns.rows[1]["sample"] == "customer 1"
        canvas.screenshot(pictures / "database-loader-columns.png")
    assert node.run() == f"{LOADER} built successfully"
    shown = node.output("DataFrame").rows
    assert shown[0] == {
        "id": "1", "customer": "customer 1", "total": "0.25",
        "ordered_at": "2024-01-01T13:00:00+00:00",
    }  # fmt: skip
    canvas.screenshot(pictures / "database-loader.png")
