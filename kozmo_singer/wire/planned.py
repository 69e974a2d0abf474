"""What a target would do with streams: the answer to its --plan."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import msgspec

CAPABILITY = "plan"
"""Of targets that tell what a load would do, and do nothing."""
Action = Literal["create", "keep", "add", "widen", "replace", "conflict", "left alone", "drop"]


Count = Literal["exact", "estimate"]


class ColumnPlan(msgspec.Struct):
    """A column before the load and after it.

    *field* is its name in the stream, None for one of the target's own and for one that the stream
    lacks. *type* is what it will be, *type_now* what it is, None where it is not there. *reason*
    says why a conflict is one.
    """

    field: str | None
    name: str
    type: str | None
    type_now: str | None
    action: Action
    reason: str | None = None


class Misfit(msgspec.Struct):
    """A record that does not fit: its line in the input, the JSON path in it, and why."""

    line: int | None
    path: str | None
    reason: str


class StreamPlan(msgspec.Struct):
    """What a load would do with one stream.

    *quoted* is schema and table as SQL has them. *rows* are in the table now; *count* says whether
    they were counted (exact) or are what the server thinks (estimate). *records* came with the
    stream, of which *misfits* do not fit its schema; *first_misfits* are some of these.
    *statements* are the DDL that the load would run for it, *notes* what it would warn of, and
    *error* are the words with which it would end: the message, then details.
    """

    stream: str
    schema: str | None = None
    table: str | None = None
    quoted: str | None = None
    exists: bool = False
    rows: int | None = None
    count: Count | None = None
    load_method: str | None = None
    key: list[str] = []
    columns: list[ColumnPlan] = []
    statements: list[str] = []
    notes: list[str] = []
    records: int = 0
    misfits: int = 0
    error: list[str] | None = None
    first_misfits: list[Misfit] = []


class Plan(msgspec.Struct):
    """What a load would do, stream by stream; *statements* are all of them in their order.

    *strays* are lines that are no messages, and records of streams without a SCHEMA; *fault* are
    the words with which the load would end because of them.
    """

    target: str
    streams: list[StreamPlan] = []
    statements: list[str] = []
    strays: int = 0
    fault: list[str] | None = None

    @property
    def error(self) -> list[str] | None:
        """The words with which the load would end, None where it would go on."""
        return next((each.error for each in self.streams if each.error), self.fault)

    def to_json(self) -> bytes:
        """Return the plan as JSON, laid out for people too."""
        return msgspec.json.format(msgspec.json.encode(self), indent=2) + b"\n"

    def words(self) -> str:
        """Return the plan as lines for a terminal."""
        lines = [line for each in self.streams for line in _lines(each)] or ["no stream came"]
        if self.strays:
            lines.append(
                f"lines that are no messages, or records without a SCHEMA: {self.strays:,}"
            )
        return "\n".join((*lines, *_failing(self.fault)))


# Before threads meet here first, see kozmo_runner.report.
msgspec.json.Decoder(Plan)


def _lines(plan: StreamPlan) -> Iterator[str]:
    misfits = f", {plan.misfits:,} of them do not fit its schema" if plan.misfits else ""
    yield f"stream {plan.stream}: {plan.records:,} records{misfits}"
    if plan.quoted:
        there = "exists, " + _rows(plan) if plan.exists else "does not exist yet"
        yield f"  table {plan.quoted}: {there}"
    if plan.load_method:
        key = f", key {', '.join(plan.key)}" if plan.key else ""
        yield f"  load method {plan.load_method}{key}"
    width = max((len(column.name) for column in plan.columns), default=0)
    for column in plan.columns:
        yield f"    {column.name:{width}}  {_change(column)}"
    for statement in plan.statements:
        yield f"  {statement};"
    for note in plan.notes:
        yield f"  note: {note}"
    yield from _failing(plan.error)


def _failing(error: list[str] | None) -> Iterator[str]:
    if error:
        yield f"  the load would fail: {error[0]}"
        yield from (f"    {detail}" for detail in error[1:])


def _rows(plan: StreamPlan) -> str:
    if plan.rows is None:
        return "rows unknown"
    return f"{'about ' if plan.count == 'estimate' else ''}{plan.rows:,} rows"


def _change(column: ColumnPlan) -> str:
    if column.action in ("create", "add"):
        said = f"{column.action} {column.type}"
    elif column.action in ("widen", "replace"):
        said = f"{column.action} {column.type_now} -> {column.type}"
    elif column.action == "conflict":
        said = f"conflict: {column.type_now or 'none'} -> {column.type}: {column.reason}"
    else:
        said = f"{column.action} {column.type_now}"
    renamed = column.field is not None and column.field != column.name
    return f"{said} (field {column.field})" if renamed else said
