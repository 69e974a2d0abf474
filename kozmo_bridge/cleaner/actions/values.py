"""What actions share: kinds of columns, gaps, functions of distinct values, values of rules."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import Any

import polars as pl

from kozmo_bridge.cleaner.actions import Given, Misfit, Parameter
from kozmo_bridge.cleaner.rules import Rule
from kozmo_bridge.cleaner.table import ROW
from kozmo_singer.errors import ConfigError
from kozmo_singer.settings import did_you_mean

WORDS = (pl.String, pl.Categorical, pl.Enum)
ON_ERROR = Parameter(
    str,
    "what becomes of a column in which a value does not fit: it is left as it was, or the value "
    "becomes null",
    "fault",
    choices=("fault", "null"),
)
LEARNED = Parameter(dict, "what the whole table said, by column; found out if it is not given")
SHOWN = 5


def is_text(dtype: pl.DataType) -> bool:
    """Return whether cells of *dtype* are texts, however they are stored."""
    return isinstance(dtype, WORDS)


def is_number(dtype: pl.DataType) -> bool:
    """Return whether cells of *dtype* are numbers."""
    return dtype.is_numeric()


def is_moment(dtype: pl.DataType) -> bool:
    """Return whether cells of *dtype* are dates or moments."""
    return isinstance(dtype, pl.Date | pl.Datetime)


FITS: Mapping[str, Callable[[pl.DataType], bool]] = {
    "text": is_text,
    "number": is_number,
    "moment": is_moment,
    "any": lambda dtype: True,
}


def cast(column: pl.Series, dtype: Any) -> pl.Series:
    """Return *column* as *dtype*; what Series.cast returns has no type of its own to mypy."""
    made: pl.Series = column.cast(dtype)
    return made


def visible(frame: pl.DataFrame) -> list[str]:
    """Return the columns of *frame* without the hidden number of the row."""
    return [name for name in frame.columns if name != ROW]


def named(frame: pl.DataFrame, columns: Iterable[str]) -> list[str]:
    """Return *columns*, or all if there are none; ConfigError for one that *frame* lacks."""
    wanted = list(columns) or visible(frame)
    known = set(frame.columns)
    for name in wanted:
        if name not in known:
            raise ConfigError(f"there is no column '{name}'", *did_you_mean(name, visible(frame)))
    return wanted


def with_dtypes(
    frame: pl.DataFrame,
    rule: Rule,
    takes: Callable[[pl.DataType], bool],
    narrowest: Callable[[pl.Series], str],
) -> Rule:
    """Return *rule* with a `dtype` for each column, where `auto` leaves it to the values."""
    given = rule.parameters
    if given["dtype"] != "auto" or given["learned"] is not None:
        return rule
    columns = [frame.get_column(name) for name in named(frame, rule.columns)]
    learned = {
        column.name: narrowest(column.cast(pl.String).unique())
        for column in columns
        if takes(column.dtype)
    }
    return Rule(rule.action, rule.columns, {**given, "learned": learned})


def gaps(column: pl.Series) -> pl.Series:
    """Return which cells hold no value: null, or NaN."""
    return column.is_null() | column.is_nan() if column.dtype.is_float() else column.is_null()


def gap(schema: Mapping[str, pl.DataType], name: str) -> pl.Expr:
    """Return the expression that says which cells of column *name* hold no value."""
    cell = pl.col(name)
    if schema[name].is_float():
        return cell.is_null() | cell.is_nan().fill_null(False)
    return cell.is_null()


def on_distinct(
    column: pl.Series, function: Callable[[str], Any], dtype: Any = pl.String
) -> pl.Series:
    """Return *column* with *function* applied, once to each distinct text."""
    distinct = column.drop_nulls().unique().sort()
    made = pl.Series("after", [function(text) for text in distinct], dtype=dtype)
    table = pl.DataFrame({"before": distinct, "after": made})
    joined = (
        column.alias("before")
        .to_frame()
        .join(table, on="before", how="left", maintain_order="left")
    )
    return joined.get_column("after").alias(column.name)


def parsed(before: pl.Series, after: pl.Series, given: Given, what: str) -> pl.Series:
    """Return *after*, in which a cell without value is one that could not be read.

    Blank texts and gaps are no values. Others raise Misfit, unless the rule says `null`.
    """
    lost = after.is_null() & ~gaps(before)
    if before.dtype == pl.String:
        lost &= before.str.contains(r"\S")
    if given.get("on_error") == "null" or not lost.any():
        return after
    raise misfit(before.filter(lost), what)


def misfit(values: pl.Series, what: str) -> Misfit:
    """Return the error that says that *values* are not *what*, with the most frequent of them."""
    counted = (
        values.alias("value").to_frame().group_by("value").len()
        .sort(["len", "value"], descending=[True, False]).head(SHOWN)
    )  # fmt: skip
    shown = ", ".join(f"{value!r:.40}" for value in counted.get_column("value").to_list())
    cells = "1 cell" if values.len() == 1 else f"{values.len()} cells"
    return Misfit(f"{cells} of '{values.name}' without a {what}: {shown}")


def fitting(value: Any, dtype: pl.DataType) -> pl.Series:
    """Return *value* as a column of one cell, of *dtype* or of the narrowest type for both.

    Misfit where a column of *dtype* cannot take it: a text among numbers.
    """
    if value is None:
        return pl.Series([None], dtype=dtype)
    try:
        return _fitting(value, dtype)
    except (pl.exceptions.PolarsError, ValueError, TypeError, ArithmeticError) as error:
        raise Misfit(f"{value!r:.80} is no value for a column of {dtype}") from error


def _fitting(value: Any, dtype: pl.DataType) -> pl.Series:
    if is_text(dtype):
        if not isinstance(value, str):
            raise ValueError(value)
        return pl.Series([value])
    if dtype == pl.Boolean:
        if not isinstance(value, bool):
            raise ValueError(value)
        return pl.Series([value])
    if isinstance(dtype, pl.Decimal):
        made: pl.Series = pl.Series([Decimal(str(value))]).cast(dtype)
        return made
    if dtype.is_integer():
        if isinstance(value, float) and not value.is_integer():
            return pl.Series([value])
        return cast(pl.Series([_whole(value)]), dtype)
    if dtype.is_float():
        return cast(pl.Series([_real(value)]), dtype)
    if isinstance(dtype, pl.Date):
        return pl.Series([dt.date.fromisoformat(str(value)[:10])])
    if isinstance(dtype, pl.Datetime):
        return _moment(value, dtype)
    if isinstance(dtype, pl.Duration):
        seconds = value.total_seconds() if isinstance(value, dt.timedelta) else float(value)
        return cast(pl.Series([dt.timedelta(seconds=seconds)]), dtype)
    if isinstance(dtype, pl.Time):
        return pl.Series([dt.time.fromisoformat(str(value))])
    return pl.Series([value], dtype=dtype, strict=True)


def _whole(value: Any) -> int:
    if isinstance(value, bool):
        raise ValueError(value)
    return int(value)


def _real(value: Any) -> float:
    if isinstance(value, bool):
        raise ValueError(value)
    return float(value)


def _moment(value: Any, dtype: pl.Datetime) -> pl.Series:
    moment = value if isinstance(value, dt.datetime) else dt.datetime.fromisoformat(
        str(value).replace("Z", "+00:00")
    )  # fmt: skip
    if dtype.time_zone is None:
        if moment.tzinfo is not None:
            raise ValueError(value)
        made: pl.Series = pl.Series([moment], dtype=pl.Datetime("us")).cast(dtype)
        return made
    if moment.tzinfo is None:
        naive = pl.Series([moment], dtype=pl.Datetime("us"))
        return cast(naive.dt.replace_time_zone(dtype.time_zone), dtype)
    utc = moment.astimezone(dt.timezone.utc).replace(tzinfo=None)
    made = pl.Series([utc], dtype=pl.Datetime("us")).dt.replace_time_zone("UTC")
    done: pl.Series = made.dt.convert_time_zone(dtype.time_zone).cast(dtype)
    return done


def kept(value: Any) -> Any:
    """Return *value* of a cell as JSON takes it; `fitting` makes it a value of the column again."""
    if isinstance(value, dt.timedelta):
        return value.total_seconds()
    if isinstance(value, Decimal):
        return str(value)
    return value.isoformat() if hasattr(value, "isoformat") else value


def filled(column: pl.Series, value: Any) -> pl.Series:
    """Return *column* with *value* of a rule in its gaps; its type widens where it has to.

    The type follows from the type and the value alone, so that batches agree.
    """
    if value is None:
        return column
    one = fitting(value, column.dtype)
    dtype, found = _widened(column.dtype, one), gaps(column)
    if dtype == column.dtype and not found.any():
        return column
    wide = column.cast(dtype)
    made = wide.to_frame("c").select(
        pl.when(found).then(pl.lit(one.first()).cast(wide.dtype)).otherwise(pl.col("c"))
    )
    done: pl.Series = made.to_series().alias(column.name)
    return done


def _widened(dtype: pl.DataType, one: pl.Series) -> pl.DataType:
    if isinstance(dtype, pl.Enum):
        known = dtype.categories.to_list()
        return dtype if one.first() in known else pl.Enum([*known, str(one.first())])
    return one.dtype if dtype.is_integer() and one.dtype.is_float() else dtype


def of_words(column: pl.Series, function: Callable[[pl.Series], pl.Series]) -> pl.Series:
    """Return *function* of the texts of *column*, as categories where it held categories.

    An Enum becomes one of what its categories become: the same for every batch.
    """
    dtype = column.dtype
    if isinstance(dtype, pl.Enum):
        categories = dtype.categories.alias(column.name)
        made = function(categories)
        texts = column.cast(pl.String).replace_strict(categories, made, return_dtype=made.dtype)
        if made.dtype != pl.String:
            done: pl.Series = texts
            return done
        return cast(texts, pl.Enum(made.drop_nulls().unique(maintain_order=True)))
    if isinstance(dtype, pl.Categorical):
        made = function(column.cast(pl.String))
        return made.cast(dtype) if made.dtype == pl.String else made
    return function(column)
