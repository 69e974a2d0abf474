"""Type Converter: gives columns their types, and tells the rows that do not fit."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, ClassVar

from kozmo_bridge.availability import require_extra
from kozmo_bridge.components import inputs as inputs_of
from kozmo_bridge.components.base import PREVIEW_ROWS, KozmoComponent, Stopwatch, output
from kozmo_bridge.components.canvas import (
    DATA,
    FRAME,
    BoolInput,
    Data,
    DataFrame,
    DropdownInput,
    Output,
    TableInput,
)
from kozmo_bridge.components.forms import Form
from kozmo_bridge.components.incoming import as_data, as_dataframe, came_in, empty
from kozmo_bridge.components.reporting import count, told
from kozmo_bridge.components.steps import cell, rows_in

if TYPE_CHECKING:
    from kozmo_bridge.components.conversions import Converted, Misfits

STOP = "Stop with an error"
MISFITS: dict[str, Misfits] = {
    STOP: "stop",
    "Leave empty": "empty",
    "Keep as it was": "keep",
    "Set the row aside": "aside",
}
COLUMNS = [
    {
        "name": "column",
        "display_name": "Column",
        "type": "text",
        "edit_mode": "inline",
        "description": "The name of a column.",
    },
    {
        "name": "type",
        "display_name": "Type",
        "type": "text",
        "edit_mode": "inline",
        "default": "text",
        "description": "text, integer, number, decimal or decimal(18,4), boolean, date, datetime, "
        "duration, json.",
    },
    {
        "name": "format",
        "display_name": "Format",
        "type": "text",
        "edit_mode": "inline",
        "description": "Where it can be read in two ways. Dates: %d.%m.%Y, day first, epoch. "
        "Numbers: 1.234,56. Booleans: ja/nein.",
    },
]


class TypeConverterComponent(KozmoComponent):
    """Converts columns of Data or a DataFrame; what nothing changes comes back as it came."""

    display_name = "Type Converter"
    description = "Makes numbers, dates and booleans of texts, as you say or as it finds them."
    icon = "ArrowRightLeft"
    name = "TypeConverter"

    inputs: ClassVar[list[Any]] = [
        inputs_of.rows(),
        TableInput(
            name="types",
            display_name="Types",
            info="A column, its type, and how it is written where that can be read in two ways.",
            table_schema=COLUMNS,
            value=[],
            trigger_text="Add types",
            real_time_refresh=True,
        ),
        BoolInput(
            name="detect",
            display_name="Detect other types",
            info="Columns without a type above get the one that their values have, "
            "if all of them do.",
            value=True,
        ),
        DropdownInput(
            name="misfits",
            display_name="Values that do not fit",
            options=list(MISFITS),
            value=STOP,
            info="The output Failed rows holds their rows, each with why.",
        ),
    ]
    outputs: ClassVar[list[Any]] = [
        Output(name="data", display_name="Data", method="as_data", types=[DATA]),
        Output(name="dataframe", display_name="DataFrame", method="as_dataframe", types=[FRAME]),
        Output(name="failed", display_name="Failed rows", method="as_failed", types=[DATA]),
    ]

    async def refresh(self, form: Form, changed: str) -> None:
        """Say on the button how many types there are."""
        rows = rows_in(form.value("types"))
        number = sum(1 for row in rows if cell(row.get("column")) and cell(row.get("type")))
        form.note("types", trigger_text=f"Types: {number}" if number else "Add types")

    @output
    async def as_data(self) -> list[Data]:
        """Return the rows with their types, as Data."""
        found = await self._converted()
        rows = await asyncio.to_thread(as_data, found.table)
        self.show(rows)
        return rows

    @output
    async def as_dataframe(self) -> DataFrame:
        """Return the rows with their types, as a DataFrame."""
        found = await self._converted()
        frame = await asyncio.to_thread(as_dataframe, found.table)
        self.show(as_data(found.table[:PREVIEW_ROWS]))
        return frame

    @output
    async def as_failed(self) -> list[Data]:
        """Return the rows with values that do not fit, as they came in, each with `_why`."""
        from kozmo_bridge.components.conversions import failed_rows

        found = await self._converted()
        rows = await asyncio.to_thread(failed_rows, await self._input(), found.failed)
        self.show(rows)
        return rows

    async def _input(self) -> Any:
        return await self.once("input", lambda: came_in(self, "input_data"))

    async def _converted(self) -> Converted:
        require_extra("clean", "the Type Converter")
        return await self.once("converted", self._convert)

    async def _convert(self) -> Converted:
        from kozmo_bridge.components.conversions import Converted, converted, wishes_in

        table, wishes = await self._input(), wishes_in(self.given("types"))
        if empty(table):
            self.log("nothing came in")
            return Converted(table)
        watch = Stopwatch()
        misfits = MISFITS.get(self.text("misfits"), "stop")
        found = await asyncio.to_thread(
            converted, table, wishes, bool(self.given("detect")), misfits
        )
        self.log(f"{count(len(table), 'row')} in {watch}, {len(found.failed):,} with misfits")
        for entry in found.log:
            self.log(f"{entry.column}: {told(entry)}")
        return found
