"""The File Loader on the canvas of a real KozmoAI, driven in a browser as a user does."""

LOADER = "File Loader"
ORDERS = "id;zip;price\n1;1067;1,50\n2;2000;2,25\n"


def verdict(node):
    """What the last preview has shown, a fact a line."""
    with node.table("preview_verdict") as facts:
        return [row["found"] for row in facts.rows]


def test_a_file_is_looked_at_and_read(canvas, tmp_path, pictures):
    """A wrong path and a right one; a column is left out, another gets its type."""
    (tmp_path / "orders.csv").write_text(ORDERS)
    node = canvas.drag(LOADER)
    shown = ["Source", "Upload", "Path or address", "Format", "Test and preview"]
    assert node.labels == shown
    node.set("file_path", str(tmp_path / "order.csv"))
    node.press("preview")
    assert verdict(node)[0] == f"found no file at {tmp_path / 'order.csv'}"
    node.set("file_path", str(tmp_path / "orders.csv"))
    node.press("preview")
    facts = verdict(node)
    assert facts[:2] == ["CSV, 3 columns, about 2 rows", "1 file, 37 bytes"]
    assert facts[2].startswith("read as utf-8, semicolon, header")
    node.screenshot(pictures / "file-loader.png")
    with node.table("column_choice") as columns:
        assert [row["sample"] for row in columns.rows] == ["1", "1067", "1,50"]
        canvas.screenshot(pictures / "file-loader-columns.png")
        columns.edit(0, "read", "no")
        columns.edit(1, "read_as", "string")
    assert node.run() == f"{LOADER} built successfully"
    expected = [{"zip": "1067", "price": "1,50"}, {"zip": "2000", "price": "2,25"}]
    assert node.output("DataFrame").rows == expected


def test_an_upload_is_looked_at_and_read(canvas, tmp_path):
    """Without a path."""
    (tmp_path / "orders.csv").write_text(ORDERS)
    node = canvas.drag(LOADER)
    node.upload(tmp_path / "orders.csv")
    node.press("preview")
    assert verdict(node)[0] == "CSV, 3 columns, about 2 rows"
    assert node.run() == f"{LOADER} built successfully"
    assert [row["price"] for row in node.output("Data").rows] == ["1,50", "2,25"]


def test_the_login_of_a_store_comes_with_it(canvas, pictures):
    """In place of what belongs to files of this machine."""
    node = canvas.drag(LOADER)
    node.set("source_type", "S3")
    login = ["S3 bucket", "AWS access key ID", "AWS secret access key"]
    assert node.labels == ["Source", "Path or address", *login, "Format", "Test and preview"]
    node.set("source_type", "SFTP")
    assert node.labels[-3:] == ["SSH host", "SSH user", "SSH password"]
    assert "S3 bucket" not in node.labels
