"""What an export is asked for, and what is told of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from kozmo_bridge.components.base import literal
from kozmo_bridge.components.steps import cell
from kozmo_bridge.exporting import Rejected, Written
from kozmo_bridge.placing import Place, place, spelled
from kozmo_bridge.shapes import Shape
from kozmo_singer.errors import ConfigError, WriteError
from kozmo_singer.settings import did_you_mean
from kozmo_singer.wire.catalog import Stream
from kozmo_singer.wire.planned import StreamPlan
from kozmo_singer.wire.types import NAMES, LogicalType

APPEND, UPSERT, REPLACE, CREATE = "Append", "Upsert", "Replace", "Fail if exists"
MODES = {APPEND: "append-only", UPSERT: "upsert", REPLACE: "overwrite", CREATE: "create"}
"""The load methods of the targets, as the node names them."""
_TYPES = {"text": "string", "number": "decimal", "datetime": "timestamptz"}
TYPE_WORDS = (
    "text, integer, number, float, boolean, date, time, timestamp, timestamptz, uuid, json, binary"
)
REASON, COLUMN = "_reason", "_column"
"""What stands before the columns of a row that was refused."""


@dataclass(frozen=True)
class Job:
    """What the inputs ask for."""

    target: str
    connection: dict[str, Any]
    table: str
    schema: str
    mode: str
    keys: list[str]
    most_rejected: str

    @property
    def place(self) -> Place:
        """How rows get to the table."""
        return place(self.table, self.schema)

    @property
    def config(self) -> dict[str, Any]:
        """The settings of the target."""
        more = {**self.place.settings, "load_method": MODES[self.mode]}
        return {**self.connection, **literal(more)}

    @contextmanager
    def in_words(self) -> Iterator[None]:
        """Tell of a table that is there already in the words of the node."""
        try:
            yield
        except WriteError as error:
            if self.mode != CREATE or "is there already" not in str(error):
                raise
            raise WriteError(
                f"the table {self.table} is there already, and '{CREATE}' makes new ones",
                "nothing was written; choose another write mode, or another name",
            ) from None

    def result(self, status: str, rows: int = 0, **more: Any) -> dict[str, Any]:
        """Return what Result says."""
        head = {"table": self.table, "schema": self.schema or None, "mode": self.mode}
        return {"status": status, **head, "rows_written": rows, **more}


@dataclass(frozen=True)
class Outcome:
    """What a run did: what Result says, a preview of it, and the rows that were refused."""

    result: dict[str, Any]
    preview: list[dict[str, Any]]
    rejected: list[Rejected] = field(default_factory=list)


def outcome(job: Job, written: Written, seconds: float) -> Outcome:
    """Return what is told of rows that were written."""
    result = job.result(
        "success",
        written.rows,
        inserted=written.inserted,
        updated=written.updated,
        rejected=len(written.rejected),
        seconds=round(seconds, 3),
    )
    return Outcome(result, [result], written.rejected)


def forecast(job: Job, plan: StreamPlan) -> Outcome:
    """Return what is told of rows that would be written."""
    columns = [
        {
            "column": column.name,
            "type": column.type,
            "type_now": column.type_now,
            "action": column.action,
            "why": column.reason,
        }
        for column in plan.columns
    ]
    result = job.result(
        "would fail" if plan.error else "dry run",
        rows_to_write=plan.records - plan.misfits,
        rows_to_reject=plan.misfits,
        table_exists=plan.exists,
        rows_there=plan.rows,
        key=plan.key,
        columns=columns,
        statements=plan.statements,
        notes=plan.notes,
        error="; ".join(plan.error) if plan.error else None,
    )
    return Outcome(result, columns or [result])


def refused(rejected: Rejected) -> dict[str, Any]:
    """Return a row that was refused, after the reason and the column that it is about."""
    return {REASON: rejected.reason, COLUMN: rejected.column, **rejected.record}


def mode_called(name: str) -> str:
    """Return the write mode called *name*, in whatever case; ConfigError if there is none."""
    for mode in MODES:
        if name.strip().lower() == mode.lower():
            return mode
    raise ConfigError(f"there is no write mode '{name[:40]}'", f"there are: {', '.join(MODES)}")


def keys_of(
    job: Job, shape: Shape, there: Stream | None, fold: Callable[[str], str] = str
) -> list[str]:
    """Return the key columns; of an upsert without any those of the table that is *there*.

    They are spelled as the rows spell them, from which *fold* makes the same.
    """
    if job.mode == APPEND:
        return []
    names = [column.name for column in shape.columns]
    keys = job.keys
    if not keys and job.mode == UPSERT:
        keys = there.key_properties if there is not None else []
        if not keys:
            has = "the table has no primary key" if there is not None else "the table is new"
            raise ConfigError(
                f"Upsert needs key columns, and {has}",
                f"name them under 'Key columns'; the rows have: {', '.join(names)}",
            )
    keys = spelled(keys, shape, fold)
    for key in keys:
        if key not in names:
            raise ConfigError(
                f"the key column '{key}' is not among the columns of the rows",
                *(did_you_mean(key, names) or [f"they have: {', '.join(names)}"]),
            )
    return keys


def types_in(rows: Iterable[Mapping[str, Any]]) -> dict[str, LogicalType]:
    """Return the types of columns that a table of them names; ConfigError for one not known."""
    found = {}
    for row in rows:
        column, word = (cell(row.get(part)) for part in ("column", "type"))
        if not column or not word:
            continue
        name = _TYPES.get(word.lower(), word.lower())
        if name not in NAMES:
            raise ConfigError(
                f"there is no type '{word[:40]}', which column '{column[:40]}' is to have",
                *did_you_mean(word.lower(), [*_TYPES, *NAMES]),
                f"there are: {TYPE_WORDS}",
            )
        found[column] = LogicalType(name)
    return found


def no_columns(job: Job, rows: Sequence[Any] | Any) -> Outcome | None:
    """Return the outcome of an export without rows; None where it has something to do.

    An empty table with columns can replace another, or be made; an empty list has no columns.
    """
    columns = list(getattr(rows, "columns", ()))
    if columns and job.mode in (REPLACE, CREATE):
        return None
    result = job.result("empty", inserted=0, updated=0, rejected=0, seconds=0.0)
    if job.mode == REPLACE:
        result["note"] = "no rows came, so the columns are unknown: the table is left as it was"
    return Outcome(result, [result])
