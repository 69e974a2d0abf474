"""Columns of the rows before or after: shifts and differences."""

from __future__ import annotations

from typing import Any

import polars as pl

from kozmo_bridge.cleaner.actions import Given, Misfit, Parameter, Scope, frames
from kozmo_bridge.cleaner.actions.values import named
from kozmo_bridge.cleaner.rules import Rule
from kozmo_singer.errors import ConfigError

Memory = dict[str, Any]
INTO = Parameter(str, "the new column", required=True)
PERIODS = Parameter(int, "by how many rows", 1)
GROUPS = Parameter((str, list), "columns whose equal values make a group; rows count within it")


def _one(frame: pl.DataFrame, rule: Rule) -> pl.Series:
    if len(rule.columns) != 1:
        raise ConfigError("is for one column")
    [name] = named(frame, rule.columns)
    return frame.get_column(name)


def _down(column: pl.Series, periods: int, memory: Memory) -> pl.Series:
    """Return *column* moved down, with the last values of the batch before at its top."""
    if periods < 0:
        raise ConfigError("'periods' must not be negative")
    blank = pl.Series([None], dtype=column.dtype).new_from_index(0, periods)
    before = memory.get("before", blank)
    both = pl.concat([before, column])
    memory["before"] = both.tail(periods)
    made: pl.Series = both.head(column.len())
    return made


@frames("running", into=INTO)
def diff(frame: pl.DataFrame, rule: Rule, memory: Memory) -> pl.DataFrame:
    """Adds how much a number or moment is more than that of the row before."""
    column = _one(frame, rule)
    if column.dtype.is_integer():
        column = column.cast(pl.Int64)
    if not (column.dtype.is_numeric() or column.dtype.is_temporal()):
        raise Misfit(f"'{column.name}' holds {column.dtype}: neither numbers nor moments")
    made = column - _down(column, 1, memory)
    return frame.with_columns(made.alias(rule.parameters["into"]))


def _scope(given: Given) -> Scope:
    return "table" if given["groupby_columns"] else "running"


@frames("table", scope_of=_scope, into=INTO, periods=PERIODS, groupby_columns=GROUPS)
def shift_down(frame: pl.DataFrame, rule: Rule, memory: Memory) -> pl.DataFrame:
    """Adds the value of the row before, or of one further up; of the same group, if asked."""
    given, column = rule.parameters, _one(frame, rule)
    if not given["groupby_columns"]:
        made = _down(column, given["periods"], memory)
        return frame.with_columns(made.alias(given["into"]))
    return _grouped(frame, column.name, given, given["periods"])


@frames("table", into=INTO, periods=PERIODS, groupby_columns=GROUPS)
def shift_up(frame: pl.DataFrame, rule: Rule, memory: Memory) -> pl.DataFrame:
    """Adds the value of the row after, or of one further down; of the same group, if asked."""
    given, column = rule.parameters, _one(frame, rule)
    if not given["groupby_columns"]:
        return frame.with_columns(column.shift(-given["periods"]).alias(given["into"]))
    return _grouped(frame, column.name, given, -given["periods"])


def _grouped(frame: pl.DataFrame, name: str, given: Given, periods: int) -> pl.DataFrame:
    groups = given["groupby_columns"]
    groups = named(frame, [groups] if isinstance(groups, str) else groups)
    return frame.with_columns(pl.col(name).shift(periods).over(groups).alias(given["into"]))
