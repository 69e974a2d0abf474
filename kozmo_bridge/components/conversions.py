"""Types for the columns of a table, by the cleaner's actions; and the rows that do not fit."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

import msgspec

from kozmo_bridge.cleaner.cleaning import Cleaner
from kozmo_bridge.cleaner.logbook import LogEntry
from kozmo_bridge.cleaner.rules import Rule
from kozmo_bridge.cleaner.suggesting import suggest
from kozmo_bridge.cleaner.table import Table
from kozmo_bridge.components.canvas import Data
from kozmo_bridge.components.incoming import as_data, for_host, with_columns
from kozmo_bridge.components.steps import cell, rows_in
from kozmo_bridge.convert import is_table, rows_of
from kozmo_bridge.frames import series_list
from kozmo_singer.errors import ConfigError, KozmoError
from kozmo_singer.settings import did_you_mean

Misfits = Literal["stop", "empty", "keep", "aside"]
"""What becomes of values that do not fit: an error, nothing, themselves; or the row is left out."""
TYPES = {
    "text": "string",
    "integer": "int",
    "number": "numeric",
    "decimal": "decimal",
    "boolean": "boolean",
    "date": "date",
    "datetime": "datetime",
    "duration": "duration",
    "json": "json",
}
"""The types by the names on the canvas, and what the cleaner calls them."""
_ALSO = {
    "string": "text", "str": "text", "object": "text", "int": "integer", "float": "number",
    "double": "number", "numeric": "number", "bool": "boolean", "timestamp": "datetime",
    "date and time": "datetime", "timedelta": "duration",
}  # fmt: skip
_AUTO = ("parse_number", "parse_date", "parse_boolean", "parse_duration")
_LOSING = ("parse_boolean", "parse_duration")
"""Actions that are done although how a value was written cannot be told any more."""
_ZONED = r"\d:\d{2}.*(?:Z|UTC|GMT|[+-]\d{2}:?\d{2})\s*$"
_SAMPLE = re.compile(r"1([.,' _]?)234(?:([.,])\d+)?")
_EXAMPLES = "1,234.56 or 1.234,56 or 1 234,56 or 1234,56"
_SHOWN = 3


class Wish(NamedTuple):
    """What a row of the table on the node asks for."""

    column: str
    type: str
    format: str


@dataclass
class Converted:
    """What a conversion gave; *failed* says of each row that has values that do not fit, why."""

    table: Any
    log: list[LogEntry] = field(default_factory=list)
    failed: dict[int, list[str]] = field(default_factory=dict)


def wishes_in(rows: Any) -> list[Wish]:
    """Return what the rows of the table on the node ask for; ConfigError names the row."""
    found: list[Wish] = []
    for number, row in enumerate(rows_in(rows), 1):
        column, called = cell(row.get("column")), cell(row.get("type")).lower()
        if not column or not called:
            continue
        called = _ALSO.get(called, called)
        if called not in TYPES and not called.startswith("decimal("):
            raise ConfigError(
                f"row {number}: there is no type '{called[:40]}'",
                *did_you_mean(called, TYPES),
                f"there are: {', '.join(TYPES)}, decimal(18,4)",
            )
        if any(column == each.column for each in found):
            raise ConfigError(f"row {number}: '{column}' has a type already")
        found.append(Wish(column, called, cell(row.get("format"))))
    return found


def converted(given: Any, wishes: Sequence[Wish], detect: bool, misfits: Misfits) -> Converted:
    """Return *given*, a list of Data or a DataFrame, with the types wished for.

    detect: the other columns get the types that the cleaner finds, where no value is lost.
    KozmoError says what does not fit, where *misfits* is `stop`.
    """
    table = Table.of(given)
    _check(wishes, table)
    plain = [wish for wish in wishes if wish.type != "json"]
    rules = [rule for wish in plain for rule in _rules(wish, table)]
    if detect:
        rules += detected(table, {wish.column for wish in wishes})
    cleaner = Cleaner(rules)
    after = cleaner.whole(table.frame, table.opaque)
    for fault in cleaner.faults:
        raise ConfigError(f"column {fault.column}: {fault.why}")
    made = Converted(given, cleaner.log)
    originals = _Originals(table, given)
    patches = {
        wish.column: _read_json(wish, table, originals, made, misfits)
        if wish.type == "json"
        else _misfits(wish, (table.frame, after), originals, made, misfits)
        for wish in wishes
    }
    if made.failed and misfits == "stop":
        raise KozmoError(*_summary(made.failed))
    if made.log or any(patches.values()):
        back = for_host(table.back(after), [entry.column or "" for entry in made.log])
        made.table = patched(back, patches, originals.names)
    if made.failed and misfits == "aside":
        made.table = without(made.table, made.failed)
    return made


def detected(table: Table, apart_from: set[str]) -> list[Rule]:
    """Return what gives texts the type of what they hold; texts that stand for none are null."""
    from kozmo_bridge.cleaner.profiling import profile

    found = [
        each
        for each in suggest(profile(table))
        if apart_from.isdisjoint(each.rule.columns)
        and (each.risk == "safe" or (each.risk == "lossy" and each.rule.action in _LOSING))
    ]
    typed = {name for each in found if each.rule.action in _AUTO for name in each.rule.columns}
    return [
        each.rule
        for each in found
        if each.rule.action in _AUTO
        or (each.rule.action == "null_tokens" and typed.issuperset(each.rule.columns))
    ]


def failed_rows(given: Any, failed: Mapping[int, Sequence[str]]) -> list[Data]:
    """Return the rows as they came in, each with `_why`."""
    places = sorted(failed)
    if is_table(given):
        rows = [dict(row.data) for row in as_data(given.iloc[places])]
    else:
        listed = rows_of(given)
        rows = [dict(listed[place]) for place in places]
    return [
        Data(data={**row, "_why": "; ".join(failed[place])})
        for place, row in zip(places, rows, strict=True)
    ]


def patched(table: Any, patches: Mapping[str, Mapping[int, Any]], names: Mapping[str, Any]) -> Any:
    """Return *table*, which is ours, with single values put into its columns."""
    if is_table(table):
        import pandas as pd

        made = {}
        for place, label in enumerate(names):
            if not (values := patches.get(label)):
                continue
            column = series_list(table.iloc[:, place])
            for row, value in values.items():
                column[row] = value
            made[place] = pd.Series(column, index=table.index, dtype=object)
        return with_columns(table, made)
    rows = rows_of(table)
    for label, values in patches.items():
        for row, value in values.items():
            rows[row][names[label]] = value  # type: ignore[index]  # rows that back() made are dicts
    return table


def without(table: Any, rows: Mapping[int, Any]) -> Any:
    """Return *table* without the *rows* named by their places."""
    kept = [place for place in range(len(table)) if place not in rows]
    return table.iloc[kept] if is_table(table) else [table[place] for place in kept]


class _Originals:
    """The values as they came in."""

    def __init__(self, table: Table, given: Any) -> None:
        self.names = dict(zip(table.labels, table.names, strict=True))
        self._given = given
        self._rows = [] if is_table(given) else rows_of(given)
        self._columns: dict[str, list[Any]] = {}

    def value(self, row: int, label: str) -> Any:
        if label not in self._columns:
            self._columns[label] = self._column(label)
        return self._columns[label][row]

    def _column(self, label: str) -> list[Any]:
        if is_table(self._given):
            place = list(self.names).index(label)
            return list(self._given.iloc[:, place].tolist())
        name = self.names[label]
        return [row.get(name) for row in self._rows]


def _rules(wish: Wish, table: Table) -> list[Rule]:
    """Return what gives a column the type wished for; what does not fit becomes null."""
    column = table.frame.get_column(wish.column)
    text, kind = str(column.dtype) == "String", wish.type.partition("(")[0]
    epoch = wish.format.startswith("epoch")
    if kind in ("date", "datetime") and (text or epoch):
        zoned = epoch or bool(column.str.contains(_ZONED).any())
        dtype = "datetime_utc" if kind == "datetime" and zoned else kind
        action, given = "parse_date", {"dtype": dtype, **_date_format(wish.format)}
    elif text and (kind == "decimal" or (wish.format and kind in ("integer", "number"))):
        dtype = {"integer": "Int64", "number": "auto"}.get(kind, wish.type)
        action, given = "parse_number", {"dtype": dtype, **_number_format(wish.format)}
    elif text and kind == "boolean" and wish.format:
        yes, _, no = wish.format.partition("/")
        action, given = "parse_boolean", {"true": [yes.strip()], "false": [no.strip()]}
    else:
        action, given = "convert_type", {"dtype": TYPES.get(kind, kind)}
        if kind == "decimal":
            given = {"dtype": wish.type}
    # Frames hold whole numbers beside gaps as floats, which are no ticks of a clock.
    floats = epoch and column.dtype.is_float()
    first = [Rule("convert_type", (wish.column,), {"dtype": "int", "on_error": "null"})]
    rule = Rule(action, (wish.column,), {**given, "on_error": "null"})
    return [*(first if floats else []), rule]


def _date_format(text: str) -> dict[str, Any]:
    plain = text.lower().replace("-", " ").replace("_", " ")
    if plain in ("day first", "month first"):
        return {"day_first": plain == "day first"}
    return {"format": text} if text else {}


def _number_format(text: str) -> dict[str, Any]:
    """Return how numbers are written that look like *text*: 1.234,56."""
    if not text:
        return {}
    match = _SAMPLE.fullmatch(text.strip())
    if match is None or match[1] == match[2]:
        raise ConfigError(
            f"'{text[:40]}' does not show how numbers are written", f"write {_EXAMPLES}"
        )
    return {"thousands": match[1], "decimal": match[2] or ("," if match[1] == "." else ".")}


def _check(wishes: Sequence[Wish], table: Table) -> None:
    """Raise ConfigError for a column that is not there."""
    for wish in wishes:
        if wish.column not in table.labels:
            raise ConfigError(
                f"there is no column '{wish.column}'", *did_you_mean(wish.column, table.labels)
            )


def _misfits(
    wish: Wish, frames: tuple[Any, Any], originals: _Originals, made: Converted, misfits: Misfits
) -> dict[int, Any]:
    """Note the values of a column that were lost; return them by place where they are kept."""
    before, after = (frame.get_column(wish.column) for frame in frames)
    kept = {}
    for row in _lost(before, after):
        value = originals.value(row, wish.column)
        made.failed.setdefault(row, []).append(_why(wish, value))
        if misfits == "keep":
            kept[row] = value
    return kept


def _lost(before: Any, after: Any) -> list[int]:
    """Return the places of the values that became none; blank texts are no values."""
    from kozmo_bridge.cleaner.actions.values import gaps

    lost = after.is_null() & ~gaps(before)
    if str(before.dtype) == "String":
        lost &= before.str.contains(r"\S")
    found: list[int] = lost.arg_true().to_list()
    return found


def _read_json(
    wish: Wish, table: Table, originals: _Originals, made: Converted, misfits: Misfits
) -> dict[int, Any]:
    """Return what texts hold as JSON, by place; values that are none already stay."""
    found: dict[int, Any] = {}
    for row in range(table.frame.height):
        value = originals.value(row, wish.column)
        if not isinstance(value, str):
            continue
        try:
            found[row] = msgspec.json.decode(value) if value.strip() else None
        except (msgspec.DecodeError, RecursionError):
            made.failed.setdefault(row, []).append(_why(wish, value))
            if misfits != "keep":
                found[row] = None
    return found


def _why(wish: Wish, value: Any) -> str:
    shown = value if isinstance(value, str) else json.dumps(value, default=str)
    form = f" as {wish.format}" if wish.format else ""
    return f"{wish.column}: '{shown[:60]}' is no {wish.type}{form}"


def _summary(failed: Mapping[int, Sequence[str]]) -> list[str]:
    first = sorted(failed)[:_SHOWN]
    count = f"{len(failed):,} rows do" if len(failed) > 1 else "1 row does"
    return [
        f"{count} not fit the types",
        *(f"row {row + 1}: {'; '.join(failed[row])}" for row in first),
        "choose what becomes of them at 'Values that do not fit'",
    ]
