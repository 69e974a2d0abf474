"""A component of the tests' own, on which the driver of the canvas is tried."""

import asyncio

from kozmoai.custom import Component
from kozmoai.io import (
    BoolInput,
    DropdownInput,
    IntInput,
    Output,
    SecretStrInput,
    StrInput,
    TableInput,
)
from kozmoai.schema.dataframe import DataFrame

COLUMNS = [
    {"name": "name", "display_name": "Name", "type": "str", "disable_edit": True},
    {"name": "selected", "display_name": "Selected", "type": "str", "edit_mode": "inline"},
]


class StripesComponent(Component):
    """Waits for a child process, then gives numbered rows."""

    display_name = "Stripes of a Zebra"
    name = "Stripes"
    icon = "Database"
    inputs = [
        DropdownInput(
            name="animal",
            display_name="Animal",
            options=["Zebra", "Tiger", "None"],
            value="Zebra",
            real_time_refresh=True,
        ),
        StrInput(name="verdict", display_name="Verdict"),
        BoolInput(name="check", display_name="Count the stripes", real_time_refresh=True),
        SecretStrInput(name="password", display_name="Password", load_from_db=False),
        TableInput(
            name="columns",
            display_name="Columns",
            trigger_text="Columns",
            table_schema=COLUMNS,
            value=[{"name": "id", "selected": "yes"}, {"name": "stripe", "selected": "yes"}],
        ),
        IntInput(name="seconds", display_name="Seconds", value=0),
        StrInput(name="problem", display_name="Problem", advanced=True),
    ]
    outputs = [Output(name="table", display_name="DataFrame", method="as_table")]

    def update_build_config(self, build_config, field_value, field_name=None):
        """Fill in the verdict."""
        if field_name == "animal" and field_value == "None":
            raise ValueError("there is no such animal")
        if field_name == "animal":
            build_config["verdict"]["value"] = f"a {field_value}"
        if field_name == "check" and field_value:
            build_config["check"]["value"] = False
            build_config["verdict"]["value"] = f"{self.animal}, {len(self.password)} stripes"
        return build_config

    async def as_table(self) -> DataFrame:
        """Wait, then give the rows."""
        if self.problem:
            raise ValueError(self.problem)
        child = await asyncio.create_subprocess_exec("sleep", f"{self.seconds}.0625")
        try:
            await child.wait()
        except asyncio.CancelledError:
            child.kill()
            await child.wait()
            raise
        self.log(f"waited for {self.seconds} s")
        columns = [row["name"] for row in self.columns if row["selected"] == "yes"]
        rows = [{"id": number, "stripe": f"no. {number}"} for number in range(40)]
        return DataFrame([{name: row[name] for name in columns} for row in rows])
