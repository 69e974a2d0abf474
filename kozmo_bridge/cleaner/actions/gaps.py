"""Gaps: cells without value are dropped, filled, or seen for what they are."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import polars as pl

from kozmo_bridge.cleaner.actions import Given, Misfit, Parameter, Scope, cells, frames
from kozmo_bridge.cleaner.actions.values import (
    LEARNED,
    filled,
    fitting,
    gap,
    gaps,
    is_number,
    is_text,
    kept,
    named,
)
from kozmo_bridge.cleaner.rules import Rule
from kozmo_singer.errors import ConfigError

TOKENS = ("n/a", "na", "#n/a", "null", "none", "nil", "nan", "-", "--", "?", "missing", "unknown")
_DEFAULTS = {"number": 0, "text": "missing", "boolean": False}


@frames(
    "row",
    how=Parameter(
        str, "drop a row with any gap, or one with nothing else", "any", False, ("any", "all")
    ),
)
def drop_nulls(frame: pl.DataFrame, rule: Rule, memory: dict[str, Any]) -> pl.DataFrame:
    """Drops the rows that have a gap in one of the columns, or in all of them."""
    schema = frame.schema
    found = [gap(schema, name) for name in named(frame, rule.columns)]
    if not found:
        return frame
    every = rule.parameters["how"] == "all"
    return frame.filter(~(pl.all_horizontal(found) if every else pl.any_horizontal(found)))


def _mean(column: pl.Series) -> Any:
    return column.drop_nans().mean() if column.dtype.is_float() else column.mean()


def _median(column: pl.Series) -> Any:
    return column.drop_nans().median() if column.dtype.is_float() else column.median()


def _mode(column: pl.Series) -> Any:
    """Return the most frequent value, the smallest of those where several are."""
    values = column.filter(~gaps(column))
    values = values.cast(pl.String) if is_text(column.dtype) else values
    return values.mode().sort().first() if values.len() else None


_OF_WHOLE: Mapping[str, Callable[[pl.Series], Any]] = {
    "mean": _mean,
    "average": _mean,
    "median": _median,
    "mode": _mode,
}


def _learn(frame: pl.DataFrame, rule: Rule, method: str | None) -> Rule:
    """Return *rule* with the mean, median or mode of each column that has one."""
    if rule.parameters["learned"] is not None or method is None or method not in _OF_WHOLE:
        return rule
    learned = {}
    for name in named(frame, rule.columns):
        column = frame.get_column(name)
        if method == "mode" or is_number(column.dtype):
            try:
                learned[name] = kept(_OF_WHOLE[method](column))
            except pl.exceptions.InvalidOperationError:
                continue
    return Rule(rule.action, rule.columns, {**rule.parameters, "learned": learned})


def _fill_each(
    frame: pl.DataFrame, rule: Rule, values: Mapping[str, Any], strict: bool
) -> pl.DataFrame:
    """Return *frame* with each column's value in its gaps; others stay, or fail if *strict*."""
    made = []
    for name in named(frame, rule.columns):
        if name not in values:
            if strict and rule.columns:
                raise Misfit(f"'{name}' holds {frame.schema[name]}, which has no such value")
            continue
        try:
            made.append(filled(frame.get_column(name), values[name]))
        except Misfit:
            if rule.columns:
                raise
    return frame.with_columns(made) if made else frame


def _forward(frame: pl.DataFrame, columns: list[str], memory: dict[str, Any]) -> pl.DataFrame:
    made = []
    for name in columns:
        column = frame.get_column(name)
        if column.dtype.is_float():
            column = column.fill_nan(None)
        last = memory.get(name)
        if last is not None:
            column = pl.concat([last, column]).fill_null(strategy="forward").slice(1)
        else:
            column = column.fill_null(strategy="forward")
        if column.len():
            memory[name] = column.tail(1)
        made.append(column)
    return frame.with_columns(made)


def _backward(frame: pl.DataFrame, columns: list[str]) -> pl.DataFrame:
    made = []
    for name in columns:
        column = frame.get_column(name)
        column = column.fill_nan(None) if column.dtype.is_float() else column
        made.append(column.fill_null(strategy="backward"))
    return frame.with_columns(made)


def _scope_of_fill(given: Given) -> Scope:
    return {"ffill": "running", "bfill": "table"}.get(given["method"] or "", "cell")  # type: ignore[return-value]  # a Literal of Scope


def _fit_fill(frame: pl.DataFrame, rule: Rule) -> Rule:
    return _learn(frame, rule, rule.parameters["method"])


@frames(
    "table",
    scope_of=_scope_of_fill,
    fit=_fit_fill,
    value=Parameter(object, "what to put into the gaps, where no method is given"),
    method=Parameter(
        str,
        "what to put into the gaps: of the column, or the value before or after",
        choices=("mean", "median", "mode", "ffill", "bfill"),
    ),
    learned=LEARNED,
)
def fill_nulls(frame: pl.DataFrame, rule: Rule, memory: dict[str, Any]) -> pl.DataFrame:
    """Fills gaps with a value, with the column's mean, median or mode, or from the row beside."""
    method, value = rule.parameters["method"], rule.parameters["value"]
    columns = named(frame, rule.columns)
    if method == "ffill":
        return _forward(frame, columns, memory)
    if method == "bfill":
        return _backward(frame, columns)
    if method:
        return _fill_each(frame, rule, rule.parameters["learned"] or {}, True)
    if value is None:
        raise ConfigError("needs the parameter 'value' or 'method'")
    return _fill_each(frame, rule, dict.fromkeys(columns, value), True)


@cells(
    tokens=Parameter(list, "the texts that stand for no value", list(TOKENS)),
    ignore_case=Parameter(bool, "whether `N/A` is `n/a`", True),
    blank=Parameter(bool, "whether texts of white space alone stand for no value", True),
)
def null_tokens(column: pl.Series, given: Given) -> pl.Series:
    """Makes null of texts that stand for no value: N/A, -, null."""
    tokens = [str(token).strip() for token in given["tokens"]]
    texts = column.str.strip_chars()
    if given["ignore_case"]:
        texts, tokens = texts.str.to_lowercase(), [token.lower() for token in tokens]
    if given["blank"]:
        tokens.append("")
    return column.set(texts.is_in(tokens), None)


def _scope_of_impute(given: Given) -> Scope:
    scopes: dict[str, Scope] = {
        "random": "running",
        "sequential": "table" if given["timeseries_index"] else "running",
        "remove_rows": "row",
        "column": "row",
    }
    return scopes.get(given["strategy"], "cell")


def _fit_impute(frame: pl.DataFrame, rule: Rule) -> Rule:
    strategy = rule.parameters["strategy"]
    if strategy == "random" and rule.parameters["learned"] is None:
        learned = {name: _sample(frame.get_column(name)) for name in named(frame, rule.columns)}
        return Rule(rule.action, rule.columns, {**rule.parameters, "learned": learned})
    return _learn(frame, rule, strategy)


def _sample(column: pl.Series, most: int = 1000) -> list[Any]:
    """Return at most *most* values of *column* to draw from, as often as they occur in it."""
    column = column.cast(pl.String) if is_text(column.dtype) else column
    values = column.filter(~gaps(column)).sort()
    step = max(1, -(-values.len() // most))
    return [kept(value) for value in values.gather_every(step).to_list()]


@frames(
    "table",
    scope_of=_scope_of_impute,
    fit=_fit_impute,
    strategy=Parameter(
        str,
        "what to put into the gaps; `remove_rows` drops the rows instead",
        "constant",
        choices=(
            "average", "median", "mode", "random", "sequential", "constant", "column",
            "remove_rows", "no_action",
        ),
    ),
    value=Parameter(object, "the constant, or the column to take the value from"),
    seed=Parameter(int, "for `random`: the same seed fills the same", 0),
    timeseries_index=Parameter((list, str), "for `sequential`: columns that order the rows"),
    learned=LEARNED,
)  # fmt: skip
def impute(frame: pl.DataFrame, rule: Rule, memory: dict[str, Any]) -> pl.DataFrame:
    """Fills gaps by a strategy of Mage AI's; blank texts count as gaps."""
    given, columns = rule.parameters, named(frame, rule.columns)
    schema = frame.schema
    frame = frame.with_columns(
        [_unblank(frame.get_column(n)) for n in columns if schema[n] == pl.String]
    )
    strategy = given["strategy"]
    if strategy == "remove_rows":
        return frame.filter(~pl.any_horizontal([gap(schema, name) for name in columns]))
    if strategy == "column":
        return _from_column(frame, columns, given["value"])
    if strategy == "sequential":
        order = given["timeseries_index"]
        if order:
            order = [order] if isinstance(order, str) else list(order)
            frame = frame.sort(named(frame, order), maintain_order=True)
        return _forward(frame, columns, memory)
    if strategy == "random":
        return _random(frame, columns, given, memory)
    if strategy == "constant":
        return _fill_each(frame, rule, _constants(frame, columns, given["value"]), False)
    if strategy == "no_action":
        return frame
    return _fill_each(frame, rule, given["learned"] or {}, True)


def _unblank(column: pl.Series) -> pl.Series:
    return column.set(column.str.strip_chars() == "", None)


def _constants(frame: pl.DataFrame, columns: list[str], value: Any) -> dict[str, Any]:
    if value is not None:
        return dict.fromkeys(columns, value)
    made: dict[str, Any] = {}
    schema = frame.schema
    for name in columns:
        dtype = schema[name]
        if is_text(dtype) or is_number(dtype) or dtype == pl.Boolean:
            kind = "text" if is_text(dtype) else "number" if is_number(dtype) else "boolean"
            made[name] = _DEFAULTS[kind]
    return made


def _from_column(frame: pl.DataFrame, columns: list[str], source: Any) -> pl.DataFrame:
    if not isinstance(source, str):
        raise ConfigError("strategy 'column' needs the parameter 'value': the column to take from")
    named(frame, [source])
    other = frame.get_column(source)
    made = []
    for name in columns:
        column = frame.get_column(name)
        if name != source:
            both = pl.DataFrame({"a": column, "b": other, "gap": gaps(column)})
            found = both.select(
                pl.when("gap").then(pl.col("b").cast(column.dtype)).otherwise(pl.col("a"))
            )
            made.append(found.to_series().alias(name))
    return frame.with_columns(made)


def _random(
    frame: pl.DataFrame, columns: list[str], given: Given, memory: dict[str, Any]
) -> pl.DataFrame:
    """Fill each gap with a value drawn by the hash of the seed and the number of its row."""
    start = memory.get("rows", 0)
    memory["rows"] = start + frame.height
    drawn = _drawn(start, frame.height, given["seed"])
    made = []
    for name in columns:
        pool = (given["learned"] or {}).get(name) or []
        if not pool:
            continue
        column = frame.get_column(name)
        pools = pl.concat([fitting(value, column.dtype) for value in pool])
        draws = pools.gather(pl.Series(drawn % len(pool))).cast(column.dtype)
        made.append(column.zip_with(~gaps(column), draws.alias(name)))
    return frame.with_columns(made)


def _drawn(start: int, rows: int, seed: int) -> np.ndarray[Any, np.dtype[np.uint64]]:
    """Return a number for each row, by SplitMix64 of the seed and the number of the row."""
    state = np.arange(start, start + rows, dtype=np.uint64)
    state = (state + np.uint64(seed % 2**32 + 1)) * np.uint64(0x9E3779B97F4A7C15)
    state = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    state = (state ^ (state >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    made: np.ndarray[Any, np.dtype[np.uint64]] = state ^ (state >> np.uint64(31))
    return made
