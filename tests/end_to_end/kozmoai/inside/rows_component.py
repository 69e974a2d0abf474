"""A node that gives the rows of a JSON text, for tests of nodes after it."""

import json

from kozmo_bridge.components.base import KozmoComponent
from kozmo_bridge.components.canvas import Data, DataFrame, MultilineInput, Output


class RowsComponent(KozmoComponent):
    """Gives rows as Data and as a DataFrame."""

    display_name = "Rows"
    name = "Rows"
    inputs = [MultilineInput(name="rows_text", display_name="Rows")]
    outputs = [
        Output(name="data", display_name="Data", method="as_data"),
        Output(name="frame", display_name="DataFrame", method="as_frame"),
        Output(name="one", display_name="One", method="as_one"),
    ]

    async def as_data(self) -> list[Data]:
        """The rows as a list."""
        return [Data(data=row) for row in json.loads(self.rows_text)]

    async def as_frame(self) -> DataFrame:
        """The rows as a table."""
        return DataFrame(json.loads(self.rows_text))

    async def as_one(self) -> Data:
        """The first row."""
        return Data(data=json.loads(self.rows_text)[0])
