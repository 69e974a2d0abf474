"""Run in Langflow's environment by test_inside_langflow: every component, in its flows."""

import json
import os
import sqlite3
from contextlib import closing
from uuid import uuid4

import psycopg
import pytest
from check_singer import Node, run

from kozmo_bridge.components.canvas import DATA, FRAME, MESSAGE
from kozmo_bridge.components.database_loader import INCREMENTAL
from kozmo_bridge.components.stubs import FOLDER

FILES = sorted(FOLDER.glob("*/*.py"))
POSTGRES = json.loads(os.environ["POSTGRES"])
LOGIN = {
    **{name: POSTGRES[name] for name in ("host", "port", "password", "database")},
    "username": POSTGRES["user"],
}


def node(folder, file, **values):
    """A component of ours with its inputs filled in, its type written as Langflow does."""
    code = (FOLDER / folder / f"{file}.py").read_text()
    name = file.title().replace("_", "")
    made = Node(code, f"ext:{folder}:{name}@extra")
    if "database_type" in values:
        made.change("database_type", values["database_type"])
        # The text itself, not the name of a variable of the host's.
        made.form["password"]["load_from_db"] = False
    return made.fill(**values)


def test_every_component_has_the_hosts_own_types():
    """By the host's own builder: what comes out and what is taken can be connected."""
    assert len(FILES) == 7
    assert (DATA, FRAME, MESSAGE) == ("JSON", "Table", "Message")
    for file in FILES:
        made = node(file.parent.name, file.stem).data
        outputs = {each for output in made["outputs"] for each in output["types"]}
        assert outputs <= {DATA, FRAME, MESSAGE}
        assert all(output["group_outputs"] for output in made["outputs"])
        taken = made["template"].get("input_data")
        assert taken is None or set(taken["input_types"]) == {DATA, FRAME}


@pytest.mark.parametrize("where", ["PostgreSQL", "SQLite"])
def test_new_rows_go_through_a_whole_flow(tmp_path, where):
    """Loader, cleaner, converter, exporter; what an exporter did not write is read again."""
    shop, copy, flow = tmp_path / "shop.db", tmp_path / "copy.db", str(uuid4())
    with closing(sqlite3.connect(shop)) as database, database:
        database.execute("CREATE TABLE orders (id integer PRIMARY KEY, total text)")
        database.executemany("INSERT INTO orders VALUES (?, ?)", [(1, " 1.5"), (2, "2")])
    to = LOGIN if where == "PostgreSQL" else {"database_file": str(copy)}
    ids = [f"ext:{name}@extra-aaaaa" for name in (
        "data:DatabaseLoader", "processing:DataCleaner", "processing:TypeConverter",
        "outputs:DatabaseExporter")]  # fmt: skip
    nodes = dict(zip(ids, (
        node("data", "database_loader", database_type="SQLite", database_file=str(shop),
             table_name="orders", sync_mode=INCREMENTAL, replication_key="id"),
        node("processing", "data_cleaner",
             steps=[{"action": "trim_whitespace", "columns": "total", "options": ""}]),
        node("processing", "type_converter", types=[{"column": "total", "type": "number"}]),
        node("outputs", "database_exporter", database_type=where, **to, table_name="copied",
             write_mode="No such mode"),
    ), strict=True))  # fmt: skip
    edges = [
        (ids[0], "dataframe", ids[1], "input_data"),
        (ids[1], "data", ids[2], "input_data"),
        (ids[2], "dataframe", ids[3], "input_data"),
    ]
    with pytest.raises(Exception, match="there is no write mode 'No such mode'"):
        run(nodes, edges, flow)
    nodes[ids[3]].fill(write_mode="Append")
    run(nodes, edges, flow)
    with closing(sqlite3.connect(shop)) as database, database:
        database.execute("INSERT INTO orders VALUES (3, '3')")
    run(nodes, edges, flow)
    connect = psycopg.connect(os.environ["POSTGRES_URL"]) if to is LOGIN else sqlite3.connect(copy)
    with closing(connect) as database:
        rows = database.execute("SELECT id, total FROM copied ORDER BY id").fetchall()
    # Appended: what was read twice would be there twice.
    assert [(int(id), float(total)) for id, total in rows] == [(1, 1.5), (2, 2.0), (3, 3.0)]


def test_files_and_postgresql_are_read(tmp_path):
    """As Data, DataFrame and text."""
    path = tmp_path / "items.csv"
    path.write_text("id,zip\n1,01067\n2,02000\n")
    rows = [{"id": 1, "zip": "01067"}, {"id": 2, "zip": "02000"}]
    query = "SELECT 1 AS id, '01067' AS zip UNION ALL SELECT 2, '02000' ORDER BY id"
    for made in (
        node("data", "file_loader", file_path=str(path)),
        node("data", "database_loader", database_type="PostgreSQL", **LOGIN, query=query),
    ):
        found = run({"a": made})["a"]
        assert [row.data for row in found["data"]] == rows
        assert found["dataframe"].to_dict("records") == rows
        assert type(found["dataframe"]).__name__ == FRAME
        assert "01067" in found["text"].text
