"""Rows into one table, all of them or none, and what became of them."""

from __future__ import annotations

import json
import re
import tempfile
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from kozmo_bridge.calls import in_thread
from kozmo_bridge.shapes import Shape
from kozmo_bridge.values import native
from kozmo_bridge.writing import send, stream_lines
from kozmo_runner import api
from kozmo_runner.api import Cancel
from kozmo_runner.speech import metric
from kozmo_runner.workspace import folder_prefix
from kozmo_singer.errors import WriteError
from kozmo_singer.secrets import plain
from kozmo_singer.wire.planned import StreamPlan
from kozmo_singer.wire.types import Column, LogicalType

_DAY = r"\d{4}-\d\d-\d\d"
_CLOCK = r"(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{1,6})?"
_MOMENTS = {
    "date": re.compile(_DAY),
    "timestamp": re.compile(f"{_DAY}[T ]{_CLOCK}"),
    "timestamptz": re.compile(rf"{_DAY}[T ]{_CLOCK}(?:Z|[+-](?:0\d|1[0-4]):[0-5]\d)"),
}
_SHOWN = 3
_FULL = "max_bad_records is"


@dataclass(frozen=True)
class Rejected:
    """A record that the target or the database refused; *row* counts from 1."""

    row: int | None
    column: str | None
    reason: str
    record: dict[str, Any]


@dataclass(frozen=True)
class Written:
    """What became of rows: *rows* are in the table, *rejected* are not.

    *inserted* and *updated* are what the target counted, None where it counts nothing.
    """

    rows: int
    inserted: int | None = None
    updated: int | None = None
    rejected: list[Rejected] = field(default_factory=list)


def export(
    target: str,
    config: Mapping[str, Any],
    data: Any,
    *,
    stream: str,
    key_properties: Sequence[str] = (),
    schema: Mapping[str, Any] | None = None,
    most_rejected: str = "0",
    cancel: Cancel | None = None,
) -> Written:
    """Load *data* (as of `write`, or a Shape) and return what became of each row.

    Rows that the database does not take are set aside, up to *most_rejected*, a number or a share.
    Beyond it, and on any other error, the table is as it was before.
    """
    counts: Counter[str] = Counter()

    def hear(line: str) -> None:
        point = metric(line)
        if point is not None:
            counts[point.metric] += int(point.value)

    with tempfile.TemporaryDirectory(prefix=folder_prefix()) as folder:
        settings = {
            **config,
            "all_or_nothing": True,
            "on_bad_record": "quarantine",
            "quarantine_path": folder,
            "max_bad_records": plain(most_rejected),
        }
        try:
            with api.feed(target, settings, cancel=cancel, on_line=hear) as feed:
                sent = send(feed, data, stream, key_properties, schema)
        except WriteError as error:
            rejected = list(_rejected(Path(folder)))
            if rejected and _FULL in str(error):
                raise _too_many(rejected, most_rejected, len(rejected)) from None
            raise
        rejected = list(_rejected(Path(folder)))
    told = "rows_inserted" in counts or "rows_updated" in counts
    return Written(
        sent - len(rejected),
        counts["rows_inserted"] if told else None,
        counts["rows_updated"] if told else None,
        rejected,
    )


async def aexport(target: str, config: Mapping[str, Any], data: Any, **options: Any) -> Written:
    """As `export`, without holding up the event loop; cancelling it leaves the table as it was."""
    cancel = Cancel()
    return await in_thread(lambda: export(target, config, data, cancel=cancel, **options), cancel)


async def aforecast(
    target: str,
    config: Mapping[str, Any],
    shape: Shape,
    *,
    stream: str,
    key_properties: Sequence[str] = (),
    most_rejected: str = "0",
) -> StreamPlan:
    """Return what `export` would do to the table; nothing of it is done."""
    settings = {
        **config,
        "on_bad_record": "quarantine",
        "max_bad_records": plain(most_rejected),
    }
    lines = (piece for piece, _ in stream_lines(stream, shape, key_properties))
    plan = (await api.aplan(target, settings, lines)).streams[0]
    if plan.error and _FULL in plan.error[0]:
        first = [_rejected_row(each.line, each.path, each.reason) for each in plan.first_misfits]
        error = _too_many(first, most_rejected, plan.misfits)
        plan.error = [error.message, *error.details]
    return plan


def with_moments(shape: Shape, known: Collection[str]) -> Shape:
    """Return *shape* with the type of dates and moments where all texts of a column are such.

    That is how they stand in Data. Columns that are *known* keep their types.
    """
    columns = [
        column
        if column.name in known or column.type != LogicalType("string")
        else Column(column.name, LogicalType(_moment_type(shape, place)))
        for place, column in enumerate(shape.columns)
    ]
    return Shape(columns, shape.rows)


def _moment_type(shape: Shape, place: int) -> str:
    values = (row[place] for row in shape.rows)
    texts = (value for value in values if value is not None)
    first = next(texts, None)
    for name, form in _MOMENTS.items():
        if _is_moment(form, first):
            return name if all(_is_moment(form, text) for text in texts) else "string"
    return "string"


def _is_moment(form: re.Pattern[str], text: Any) -> bool:
    if not isinstance(text, str) or form.fullmatch(text) is None:
        return False
    try:
        date.fromisoformat(text[:10])
    except ValueError:
        return False
    return True


def _rejected(folder: Path) -> Iterator[Rejected]:
    """What the quarantine files in *folder* hold; see docs/bad-data.md."""
    for path in sorted(folder.glob("*.jsonl")):
        for line in path.read_bytes().splitlines():
            entry = json.loads(line)
            if "reason" not in entry:
                continue
            where = entry.get("line"), entry.get("path")
            yield _rejected_row(*where, entry["reason"], _record(entry))


def _rejected_row(
    line: Any, path: str | None, reason: str, record: dict[str, Any] | None = None
) -> Rejected:
    # The first line of the target's input is the schema.
    row = line - 1 if isinstance(line, int) else None
    column = (path or "").removeprefix("$").removeprefix(".") or None
    return Rejected(row, column, reason, record or {})


def _record(entry: Mapping[str, Any]) -> dict[str, Any]:
    message = json.loads(entry.get("raw") or "{}", parse_float=Decimal)
    record = message.get("record") if isinstance(message, dict) else None
    return {name: native(value) for name, value in (record or {}).items()}


def _too_many(first: Sequence[Rejected], most: str, count: int) -> WriteError:
    reasons = [f"row {each.row}: {_words(each)}" for each in first[:_SHOWN]]
    more = [f"and {count - _SHOWN} more"] if count > _SHOWN else []
    return WriteError(
        f"the database refused {counted(count)}, and at most {most} may be refused",
        *reasons,
        *more,
        "nothing was written; correct the rows, or let more be refused",
    )


def counted(rows: int) -> str:
    """Return a number of rows in words."""
    return f"{rows:,} row{'' if rows == 1 else 's'}"


def _words(rejected: Rejected) -> str:
    return f"{rejected.column}: {rejected.reason}" if rejected.column else rejected.reason
