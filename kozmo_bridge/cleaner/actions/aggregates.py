"""Figures of whole columns: as a new column beside the rows, or instead of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import polars as pl

from kozmo_bridge.cleaner.actions import Misfit, Parameter, frames
from kozmo_bridge.cleaner.actions.values import is_text, named
from kozmo_bridge.cleaner.rules import Rule
from kozmo_bridge.cleaner.table import ROW
from kozmo_singer.errors import ConfigError

Memory = dict[str, Any]
INTO = Parameter((str, list), "the new column, or one for each column; else price_sum for price")
GROUPS = Parameter(
    (str, list), "columns whose equal values make a group; without, the whole is one"
)
CONDITION = Parameter(str, "count the rows alone for which this is true; as in `filter`")
WINDOW = Parameter(float, "seconds that timestamp_feature_b may lie before timestamp_feature_a")
STAMP = Parameter(str, "a column of moments, for `window`")


def _values(column: pl.Expr, dtype: pl.DataType) -> pl.Expr:
    return column.drop_nans().drop_nulls() if dtype.is_float() else column.drop_nulls()


def _mode(values: pl.Expr) -> pl.Expr:
    return values.mode().sort().first()


FIGURES: Mapping[str, Callable[[pl.Expr], pl.Expr]] = {
    "average": lambda values: values.mean(),
    "count": lambda values: values.count().cast(pl.Int64),
    "count_distinct": lambda values: values.n_unique().cast(pl.Int64),
    "first": lambda values: values.first(),
    "last": lambda values: values.last(),
    "max": lambda values: values.max(),
    "median": lambda values: values.median(),
    "min": lambda values: values.min(),
    "mode": _mode,
    "sum": lambda values: values.sum(),
}
"""What can be said of the values of a column, gaps left out."""
_OF_NUMBERS = {"average", "median", "sum"}


def _figure(frame: pl.DataFrame, name: str, what: str) -> pl.Expr:
    dtype = frame.schema[name]
    summed = dtype.is_numeric() or dtype == pl.Boolean or isinstance(dtype, pl.Duration)
    if what in _OF_NUMBERS and not summed and (what == "sum" or not dtype.is_temporal()):
        raise Misfit(f"'{name}' holds {dtype}: it has no {what}")
    column = pl.col(name).cast(pl.String) if is_text(dtype) else pl.col(name)
    if what == "sum" and dtype.is_integer():
        column = column.cast(pl.Int64)
    return FIGURES[what](_values(column, dtype))


def _beside(frame: pl.DataFrame, rule: Rule, what: str) -> pl.DataFrame:
    """Return *frame* with the figure of each column, of its group, in a new column."""
    given, columns = rule.parameters, named(frame, rule.columns) if rule.columns else []
    if not columns:
        raise ConfigError("needs a column")
    into = _names(columns, given["into"], what)
    counted = _counted(frame, given)
    figures = [
        _figure(frame, name, what).alias(new) for name, new in zip(columns, into, strict=True)
    ]
    groups = _groups(frame, given["groupby_columns"])
    frame = frame.drop(into, strict=False) if not set(into) & set(groups) else frame
    if not groups:
        one = counted.select(figures)
        return frame.with_columns(each.new_from_index(0, frame.height) for each in one)
    table = counted.group_by(groups, maintain_order=True).agg(figures)
    return frame.join(table, on=groups, how="left", nulls_equal=True, maintain_order="left")


def _names(columns: list[str], into: Any, what: str) -> list[str]:
    names = [into] if isinstance(into, str) else list(into or [f"{c}_{what}" for c in columns])
    if len(names) != len(columns):
        raise ConfigError(f"'into' names {len(names)} columns for {len(columns)}")
    return [str(name) for name in names]


def _groups(frame: pl.DataFrame, given: Any) -> list[str]:
    groups = [given] if isinstance(given, str) else list(given or ())
    return named(frame, groups) if groups else []


def _counted(frame: pl.DataFrame, given: Mapping[str, Any]) -> pl.DataFrame:
    """Return the rows of *frame* that count: in the window, and where the condition is true."""
    from kozmo_bridge.cleaner.expressions import condition

    window, a, b = given["window"], given["timestamp_feature_a"], given["timestamp_feature_b"]
    if window is not None:
        if not (a and b):
            raise ConfigError("'window' needs timestamp_feature_a and timestamp_feature_b")
        named(frame, [a, b])
        apart = (_seconds(frame, a) - _seconds(frame, b)).alias("apart")
        ends = sorted((0.0, float(window)))
        frame = frame.filter(apart.is_between(ends[0], ends[1]).fill_null(False))
    if given["condition"]:
        frame = frame.filter(condition(given["condition"], frame))
    return frame


def _seconds(frame: pl.DataFrame, name: str) -> pl.Series:
    from kozmo_bridge.cleaner.actions.functions import _dates

    made: pl.Series = _dates(frame, name).cast(pl.Datetime("us")).dt.epoch("us") / 1_000_000
    return made


def _declare(what: str, summary: str) -> None:
    def figure(frame: pl.DataFrame, rule: Rule, memory: Memory) -> pl.DataFrame:
        return _beside(frame, rule, what)

    figure.__name__, figure.__doc__ = what, summary
    frames(
        "table",
        into=INTO,
        groupby_columns=GROUPS,
        condition=CONDITION,
        timestamp_feature_a=STAMP,
        timestamp_feature_b=STAMP,
        window=WINDOW,
    )(figure)


for _what, _summary in {
    "average": "Adds the mean of a column, of the whole or of each group.",
    "count": "Adds how many values a column holds, in the whole or in each group.",
    "count_distinct": "Adds how many different values a column holds.",
    "first": "Adds the first value of a column.",
    "last": "Adds the last value of a column.",
    "max": "Adds the greatest value of a column.",
    "median": "Adds the median of a column.",
    "min": "Adds the least value of a column.",
    "mode": "Adds the most frequent value of a column, the least where several are.",
    "sum": "Adds the sum of a column.",
}.items():
    _declare(_what, _summary)


@frames(
    "table",
    figures=Parameter(dict, "new column to [column, figure]: {total: [price, sum]}"),
    actions=Parameter(list, "rules that are applied within each group instead"),
)
def group(frame: pl.DataFrame, rule: Rule, memory: Memory) -> pl.DataFrame:
    """Makes one row of each group of equal values, with figures; or applies rules to each group."""
    given = rule.parameters
    groups = named(frame, rule.columns) if rule.columns else []
    if not groups or bool(given["figures"]) == bool(given["actions"]):
        raise ConfigError("needs columns, and either 'figures' or 'actions'")
    if given["actions"]:
        return _within(frame, groups, given["actions"])
    made = []
    for new, pair in given["figures"].items():
        if not (isinstance(pair, list | tuple) and len(pair) == 2 and pair[1] in FIGURES):
            raise ConfigError(f"figure '{new}' must be [column, one of {', '.join(FIGURES)}]")
        named(frame, [pair[0]])
        made.append(_figure(frame, pair[0], pair[1]).alias(new))
    return frame.drop(ROW, strict=False).group_by(groups, maintain_order=True).agg(made)


def _within(frame: pl.DataFrame, groups: list[str], rules: Any) -> pl.DataFrame:
    from kozmo_bridge.cleaner.cleaning import Cleaner

    parts = frame.partition_by(groups, maintain_order=True)
    cleaned = []
    for part in parts:
        cleaner = Cleaner(rules)
        cleaned.append(cleaner.whole(part))
        if cleaner.faults:
            raise Misfit(cleaner.faults[0].why)
    return pl.concat(cleaned, how="vertical_relaxed") if cleaned else frame
