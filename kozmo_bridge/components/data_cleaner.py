"""Data Cleaner: says what columns are and what is wrong with them, and puts it right."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from kozmo_bridge.availability import require_extra
from kozmo_bridge.components import inputs as inputs_of
from kozmo_bridge.components.base import (
    PREVIEW_ROWS,
    KozmoComponent,
    Stopwatch,
    names_in,
    output,
)
from kozmo_bridge.components.canvas import (
    DATA,
    FRAME,
    BoolInput,
    Data,
    DataFrame,
    DropdownInput,
    MessageTextInput,
    Output,
    TableInput,
)
from kozmo_bridge.components.forms import Form
from kozmo_bridge.components.incoming import as_data, as_dataframe, came_in, empty, for_host
from kozmo_bridge.components.reporting import count, done, report_of, suggested
from kozmo_bridge.components.steps import COLUMNS, Step, steps_in
from kozmo_singer.errors import ConfigError

if TYPE_CHECKING:
    from kozmo_bridge.cleaner.cleaning import CleanResult
    from kozmo_bridge.cleaner.model import Profile, Suggestion
    from kozmo_bridge.cleaner.table import Table

AUTO, STEPS = "Auto Clean", "Steps only"
RISKS = {"Safe": ("safe",), "Safe and lossy": ("safe", "lossy")}
METHODS = {
    "Value": None,
    "Mean": "mean",
    "Median": "median",
    "Mode": "mode",
    "Forward Fill": "ffill",
    "Backward Fill": "bfill",
}
USES = {
    AUTO: ("apply_suggestions",),
    STEPS: (),
    "Drop Nulls": ("columns",),
    "Fill Nulls": ("columns", "fill_method", "fill_value"),
    "Drop Duplicates": ("columns",),
    "Drop Columns": ("columns",),
    "Trim Whitespace": ("columns",),
    "Lowercase": ("columns",),
    "Uppercase": ("columns",),
    "Filter Rows": ("filter_condition",),
    "Sort": ("columns", "ascending"),
}
"""The operations, and the inputs that each of them looks at."""
_FORGIVING = ("Trim Whitespace", "Lowercase", "Uppercase", "Drop Columns")
"""Operations that pass over columns that are not there."""
_NEED_COLUMNS = ("Drop Columns", "Sort")
_ONLY_SOME = ("columns", "fill_method", "fill_value", "filter_condition", "ascending")


class DataCleanerComponent(KozmoComponent):
    """Cleans Data or a DataFrame; what nothing changes comes back as it came."""

    display_name = "Data Cleaner"
    description = (
        "Finds what is wrong with your data and puts it right, by itself or by your steps."
    )
    icon = "Sparkles"
    name = "DataCleaner"

    inputs: ClassVar[list[Any]] = [
        inputs_of.rows(),
        DropdownInput(
            name="operation",
            display_name="Operation",
            options=list(USES),
            value=AUTO,
            info="Auto Clean does what the analysis suggests. The steps below come after it.",
            real_time_refresh=True,
        ),
        DropdownInput(
            name="apply_suggestions",
            display_name="Suggestions to apply",
            options=list(RISKS),
            value="Safe",
            info="Safe ones lose nothing. Lossy ones also fill gaps and unify spellings; "
            "the output Suggestions tells what each would lose.",
        ),
        MessageTextInput(
            name="columns",
            display_name="Columns",
            info="Names with commas between them; empty for all columns.",
            value="",
            advanced=True,
        ),
        DropdownInput(
            name="fill_method",
            display_name="Fill method",
            options=list(METHODS),
            value="Value",
            info="What Fill Nulls puts into gaps.",
            advanced=True,
        ),
        MessageTextInput(
            name="fill_value",
            display_name="Fill value",
            info="For the method Value. Columns of numbers take it where it is a number.",
            value="",
            advanced=True,
        ),
        MessageTextInput(
            name="filter_condition",
            display_name="Filter condition",
            info="Rows to keep: age > 18 and country in ['DE', 'AT'].",
            value="",
            advanced=True,
        ),
        BoolInput(
            name="ascending",
            display_name="Sort ascending",
            info="Whether Sort puts the least first.",
            value=True,
            advanced=True,
        ),
        TableInput(
            name="steps",
            display_name="Steps",
            info="Done in this order, after the operation. Rows of the output Suggestions fit in.",
            table_schema=COLUMNS,
            value=[],
            trigger_text="Add steps",
            real_time_refresh=True,
        ),
        BoolInput(
            name="get_statistics",
            display_name="Statistics as Data",
            info="The output Data holds statistics instead of rows. Report shows more.",
            value=False,
            advanced=True,
        ),
        BoolInput(
            name="get_suggestions",
            display_name="Suggestions as Data",
            info="The output Data holds suggestions instead of rows, all in one.",
            value=False,
            advanced=True,
        ),
    ]
    outputs: ClassVar[list[Any]] = [
        Output(name="data", display_name="Data", method="clean_data", types=[DATA]),
        Output(name="dataframe", display_name="DataFrame", method="as_dataframe", types=[FRAME]),
        Output(name="report", display_name="Report", method="as_report", types=[FRAME]),
        Output(
            name="suggestions", display_name="Suggestions", method="as_suggestions", types=[DATA]
        ),
    ]

    async def refresh(self, form: Form, changed: str) -> None:
        """Show the inputs that the operation looks at; the others wait among the advanced ones.

        None is hidden: the host would not pass on what an old flow has in it.
        """
        used = USES.get(str(form.value("operation")), ())
        if changed in ("operation", ""):
            for name in (*_ONLY_SOME, "apply_suggestions"):
                form.note(name, advanced=name not in used)
        if changed in ("steps", ""):
            form.note("steps", trigger_text=_told(form.value("steps")))

    @output
    async def clean_data(self) -> list[Data]:
        """Return the rows, clean; or statistics or suggestions, where these are asked for."""
        if self.given("get_statistics") or self.given("get_suggestions"):
            rows = await self._figures()
        else:
            rows = await asyncio.to_thread(as_data, await self.cleaned())
        self.show(rows)
        return rows

    @output
    async def as_dataframe(self) -> DataFrame:
        """Return the rows, clean, as a DataFrame."""
        table = await self.cleaned()
        frame = await asyncio.to_thread(as_dataframe, table)
        self.show(as_data(table[:PREVIEW_ROWS]))
        return frame

    @output
    async def as_report(self) -> DataFrame:
        """Return what was found out about each column of what came in."""
        table = await self._input()
        rows = [] if empty(table) else await asyncio.to_thread(report_of, await self._profile())
        self.show([Data(data=row) for row in rows[:PREVIEW_ROWS]])
        return as_dataframe(rows)

    @output
    async def as_suggestions(self) -> list[Data]:
        """Return what could be done to what came in, each as a row for the table of steps."""
        table = await self._input()
        found = [] if empty(table) else await self._suggestions()
        rows = [Data(data=suggested(each)) for each in found]
        self.show(rows)
        return rows

    async def cleaned(self) -> Any:
        """Return what came in, clean, done once a run: a list of Data or a DataFrame."""
        return await self.once("cleaned", self._clean)

    async def _clean(self) -> Any:
        table = await self._input()
        steps = steps_in(self.given("steps"))
        if empty(table):
            self.log("nothing came in")
            return table
        watch = Stopwatch()
        first = await self._operation()
        if not first and not steps:
            self.log(f"{count(len(table), 'row')}, nothing to do")
            return table
        result = await asyncio.to_thread(_applied, await self._table(), first, steps)
        if result.log:
            changed = {entry.column or "" for entry in result.log}
            made = await asyncio.to_thread(for_host, result.frame, sorted(changed))
        else:
            made = table
        lines = done(result, len(table), len(made), _names(first, steps))
        self.log(f"{lines[0]} in {watch}")
        for line in lines[1:]:
            self.log(line)
        return made

    async def _operation(self) -> list[Any]:
        """Return the rules of the operation that is chosen."""
        operation = _called(self.text("operation") or AUTO, USES, "operation")
        if operation == STEPS:
            return []
        if operation == AUTO:
            risks = RISKS.get(self.text("apply_suggestions"), RISKS["Safe"])
            return [each.rule for each in await self._suggestions() if each.risk in risks]
        columns = names_in(self.given("columns"))
        if operation in _FORGIVING and columns:
            there = (await self._table()).labels
            columns = [name for name in columns if name in there]
            if not columns:
                return []
        if operation in _NEED_COLUMNS and not columns:
            return []
        return [{"action": _action(operation), "columns": columns, **self._given(operation)}]

    def _given(self, operation: str) -> dict[str, Any]:
        """Return the parameters of the operation's action."""
        if operation == "Sort":
            return {"ascending": bool(self.given("ascending"))}
        if operation == "Filter Rows":
            # The one who typed it meant a backslash and an n, if there is a line's end in it.
            return {"condition": self.text("filter_condition")}
        if operation == "Fill Nulls":
            method = METHODS[_called(self.text("fill_method") or "Value", METHODS, "fill method")]
            return {"method": method} if method else {"value": str(self.given("fill_value") or "")}
        return {}

    async def _input(self) -> Any:
        return await self.once("input", lambda: came_in(self, "input_data"))

    async def _figures(self) -> list[Data]:
        from kozmo_bridge.adapters.cleaner import DataCleanerTransformer

        table, transformer = await self._input(), DataCleanerTransformer()
        if self.given("get_statistics"):
            return [Data(data=await asyncio.to_thread(transformer.get_statistics, table))]
        found = await asyncio.to_thread(transformer.suggest_cleaning_operations, table)
        return [Data(data={"suggestions": found})]

    async def _table(self) -> Table:
        require_extra("clean", "the Data Cleaner")
        from kozmo_bridge.cleaner.table import Table

        async def taken() -> Table:
            return await asyncio.to_thread(Table.of, await self._input())

        return await self.once("table", taken)

    async def _profile(self) -> Profile:
        from kozmo_bridge.cleaner.profiling import profile

        async def seen() -> Profile:
            return await asyncio.to_thread(profile, await self._table())

        return await self.once("profile", seen)

    async def _suggestions(self) -> list[Suggestion]:
        from kozmo_bridge.cleaner.suggesting import suggest

        async def found() -> list[Suggestion]:
            return await asyncio.to_thread(suggest, await self._profile())

        return await self.once("suggestions", found)


def _called(name: str, known: Iterable[str], what: str) -> str:
    """Return the one of *known* that is called *name*, in whatever case."""
    for each in known:
        if name.lower() == each.lower():
            return each
    raise ConfigError(f"there is no {what} '{name[:40]}'", f"there are: {', '.join(known)}")


def _action(operation: str) -> str:
    if operation == "Filter Rows":
        return "filter"
    return operation.lower().replace(" ", "_")


def _applied(table: Table, first: Sequence[Any], steps: Sequence[Step]) -> CleanResult:
    """Return *table* with the rules of the operation and the steps applied."""
    from kozmo_bridge.cleaner.cleaning import clean

    names = _names(first, steps)
    try:
        return clean(table, [*first, *(step.rule for step in steps)])
    except ConfigError as error:
        place = re.match(r"rule (\d+)(?: \([^)]*\))?:? ", error.message)
        if place is None:
            raise
        said = error.message[place.end() :]
        raise ConfigError(f"{names[int(place[1]) - 1]}: {said}", *error.details) from None


def _names(first: Sequence[Any], steps: Sequence[Step]) -> list[str]:
    """Return how the rules are called on the canvas, in their order."""
    return [
        *("the operation" for _ in first),
        *(f"step {step.number} ({step.rule.action})" for step in steps),
    ]


def _told(table: Sequence[Mapping[str, Any]] | None) -> str:
    """Return what the button of the steps says."""
    try:
        steps = steps_in(table)
    except ConfigError as error:
        return f"Steps: look at {error.message.partition(':')[0]}"
    return f"Steps: {len(steps)}" if steps else "Add steps"
