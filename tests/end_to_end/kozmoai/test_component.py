"""A component on the canvas of a real KozmoAI reads a tap through the bridge."""

import sqlite3
from contextlib import closing

SOURCE = '''
import kozmo_bridge
from kozmoai.custom import Component
from kozmoai.io import MessageTextInput, Output
from kozmoai.schema import Data
from kozmoai.schema.dataframe import DataFrame


class ShopSourceComponent(Component):
    """Reads the orders of a SQLite file."""

    display_name = "Shop source"
    name = "ShopSource"
    inputs = [MessageTextInput(name="path", display_name="Path")]
    outputs = [
        Output(display_name="Data", name="rows", method="as_data"),
        Output(display_name="DataFrame", name="table", method="as_table"),
    ]

    async def as_data(self) -> list[Data]:
        found = []
        async for batch in kozmo_bridge.aread("tap-sqlite", {"path": self.path}):
            found += batch.to_data("{id}: {data}")
        return found

    async def as_table(self) -> DataFrame:
        preview = await kozmo_bridge.apreview("tap-sqlite", {"path": self.path}, rows=2)
        return preview["orders"].to_dataframe()
'''


def test_rows_of_a_tap_are_shown_on_the_canvas(host, tmp_path):
    """Without waiting threads, in forms that the host passes on unharmed, a column `data` too."""
    path = tmp_path / "shop.db"
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("CREATE TABLE orders (id INTEGER PRIMARY KEY, data TEXT, at TIMESTAMP)")
        rows = [(1, "a\nb", "2024-01-02 03:04:05"), (2**60, None, None), (2**62, "é", None)]
        database.executemany("INSERT INTO orders VALUES (?, ?, ?)", rows)
    node = host.component(SOURCE)
    node["template"]["path"]["value"] = str(path)
    host.flow("shop-source", {"ShopSource-a": node})
    body = {"input_type": "any", "output_type": "any", "output_component": "ShopSource-a"}
    answer = host.api("POST", "/run/shop-source?stream=false", body)
    ((output,),) = (run["outputs"] for run in answer["outputs"])
    shown = [
        {"text": f"{row[0]}: {row[1] or ''}", "id": row[0], "data": row[1], "at": row[2]}
        for row in rows
    ]
    assert [item["data"] for item in output["outputs"]["rows"]["message"]] == shown
    table = output["outputs"]["table"]["message"]
    assert table == [{"id": row[0], "data_": row[1], "at": row[2]} for row in rows[:2]]
