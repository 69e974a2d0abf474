"""Rows: dropped, kept, put in order, numbered."""

from __future__ import annotations

from typing import Any, cast

import polars as pl

from kozmo_bridge.cleaner.actions import Given, Misfit, Parameter, Scope, frames
from kozmo_bridge.cleaner.actions.numbers import FACTOR, METHOD, fit_fences
from kozmo_bridge.cleaner.actions.values import LEARNED, gap, named, visible
from kozmo_bridge.cleaner.rules import Rule
from kozmo_singer.errors import ConfigError


def _scope_of_duplicates(given: Given) -> Scope:
    return "running" if given["keep"] == "first" else "table"


@frames(
    "table",
    scope_of=_scope_of_duplicates,
    aliases=("drop_duplicate",),
    keep=Parameter(
        (str, bool),
        "which of equal rows stays; false: none of them",
        "first",
        choices=("first", "last", False, "none"),
    ),
)
def drop_duplicates(frame: pl.DataFrame, rule: Rule, memory: dict[str, Any]) -> pl.DataFrame:
    """Drops rows that are equal to another one, in the columns named."""
    keep, columns = rule.parameters["keep"], named(frame, rule.columns)
    if not columns or not frame.height:
        return frame
    if keep != "first":
        how = cast(Any, keep if keep == "last" else "none")
        return frame.unique(columns, keep=how, maintain_order=True)
    frame = frame.unique(columns, keep="first", maintain_order=True)
    keys = frame.select(pl.struct(columns).alias("key")).unnest("key")
    if "seen" in memory:
        known = memory["seen"]
        new = keys.with_row_index("\x00n").join(
            known, on=columns, how="anti", nulls_equal=True, maintain_order="left"
        )
        picked = new.get_column("\x00n")
        frame, keys = frame[picked], keys[picked]
        memory["seen"] = pl.concat([known, keys], how="vertical_relaxed")
    else:
        memory["seen"] = keys
    return frame


@frames(
    "row",
    condition=Parameter(str, "true of rows that stay: age > 30 and city == 'Rome'", "", True),
    empty_is_null=Parameter(bool, "whether a text without a character is null", False),
)
def filter_(frame: pl.DataFrame, rule: Rule, memory: dict[str, Any]) -> pl.DataFrame:
    """Keeps the rows for which a condition is true: age > 30 and city == 'Rome'."""
    from kozmo_bridge.cleaner.expressions import condition

    given = rule.parameters
    if not given["condition"].strip():
        return frame
    return frame.filter(condition(given["condition"], frame, given["empty_is_null"]))


@frames(
    "table",
    ascending=Parameter((bool, list), "from the least, for all columns or a list for each", True),
    nulls=Parameter(str, "where gaps go", "last", choices=("first", "last")),
)
def sort(frame: pl.DataFrame, rule: Rule, memory: dict[str, Any]) -> pl.DataFrame:
    """Puts the rows in the order of columns; equal rows stay in the order that they had."""
    if not rule.columns:
        return frame
    columns, ascending = named(frame, rule.columns), rule.parameters["ascending"]
    ways = [ascending] * len(columns) if isinstance(ascending, bool) else list(ascending)
    if len(ways) != len(columns) or not all(isinstance(way, bool) for way in ways):
        raise ConfigError(f"'ascending' needs true or false for each of {len(columns)} columns")
    keys = [
        pl.col(n).cast(pl.String) if isinstance(frame.schema[n], pl.Categorical)
        else pl.col(n).fill_nan(None) if frame.schema[n].is_float()
        else pl.col(n)
        for n in columns
    ]  # fmt: skip
    last = rule.parameters["nulls"] == "last"
    down = [not way for way in ways]
    return frame.sort(keys, descending=down, nulls_last=last, maintain_order=True)


@frames(
    "running",
    rows=Parameter(list, "numbers of rows, from 0", required=True),
)
def remove_rows(frame: pl.DataFrame, rule: Rule, memory: dict[str, Any]) -> pl.DataFrame:
    """Drops rows by their number."""
    wanted = rule.parameters["rows"]
    if not all(isinstance(row, int) and not isinstance(row, bool) for row in wanted):
        raise ConfigError("'rows' must hold whole numbers, from 0")
    start = _counted(frame, memory)
    here = pl.Series("n", [r - start for r in wanted if 0 <= r - start < frame.height], pl.Int64)
    return frame.filter(~pl.int_range(frame.height, eager=True).is_in(here.implode()))


def _counted(frame: pl.DataFrame, memory: dict[str, Any]) -> int:
    """Return how many rows came before *frame*."""
    start: int = memory.get("rows", 0)
    memory["rows"] = start + frame.height
    return start


@frames("row", "number", fit=fit_fences, method=METHOD, factor=FACTOR, learned=LEARNED)
def remove_outliers(frame: pl.DataFrame, rule: Rule, memory: dict[str, Any]) -> pl.DataFrame:
    """Drops the rows in which a number lies beyond the fences; gaps stay."""
    learned = rule.parameters["learned"] or {}
    keep = pl.lit(True)
    for name in rule.columns or [n for n in learned if n in frame.columns]:
        named(frame, [name])
        if name not in learned:
            raise Misfit(f"'{name}' holds {frame.schema[name]}: no numbers to judge by")
        if learned[name] is not None:
            low, high = learned[name]
            keep &= pl.col(name).is_between(low, high) | gap(frame.schema, name)
    return frame.filter(keep)


@frames(
    "running",
    rows=Parameter(int, "how many", required=True),
    offset=Parameter(int, "how many to pass over first", 0),
)
def limit(frame: pl.DataFrame, rule: Rule, memory: dict[str, Any]) -> pl.DataFrame:
    """Keeps the first rows."""
    start = _counted(frame, memory)
    first = rule.parameters["offset"]
    begin = min(max(first - start, 0), frame.height)
    end = min(max(first + rule.parameters["rows"] - start, begin), frame.height)
    return frame.slice(begin, end - begin)


@frames("row", separator=Parameter(str, "for texts: what stands between the items", ","))
def explode(frame: pl.DataFrame, rule: Rule, memory: dict[str, Any]) -> pl.DataFrame:
    """Makes a row of each item of a list; texts are lists of what stands between separators."""
    if not rule.columns:
        raise ConfigError("needs a column of lists or texts")
    for name in named(frame, rule.columns):
        dtype = frame.schema[name]
        if dtype == pl.String:
            items = pl.col(name).str.split(rule.parameters["separator"])
            frame = frame.with_columns(items.list.eval(pl.element().str.strip_chars()))
        elif not isinstance(dtype, pl.List | pl.Array):
            raise Misfit(f"'{name}' holds {dtype}: neither lists nor texts")
    return frame.explode(list(rule.columns), empty_as_null=True, keep_nulls=True)


@frames(
    "running",
    into=Parameter(str, "the new column", "row_number"),
    start=Parameter(int, "the first number", 1),
)
def add_row_number(frame: pl.DataFrame, rule: Rule, memory: dict[str, Any]) -> pl.DataFrame:
    """Adds a column that numbers the rows."""
    into, first = rule.parameters["into"], rule.parameters["start"]
    if into in visible(frame) and "rows" not in memory:
        raise ConfigError(f"there is a column '{into}' already; name another one with 'into'")
    start = _counted(frame, memory) + first
    numbers = pl.int_range(start, start + frame.height, dtype=pl.Int64)
    return frame.select(numbers.alias(into), pl.all())
