"""Columns that are made of others: the twelve functions of Mage AI, alone or by `add`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import polars as pl

from kozmo_bridge.cleaner.actions import Given, Misfit, Parameter, action_of, frames
from kozmo_bridge.cleaner.actions.replacing import pattern as checked
from kozmo_bridge.cleaner.actions.replacing import replacement as groups
from kozmo_bridge.cleaner.actions.values import is_moment, is_text, named
from kozmo_bridge.cleaner.rules import Rule
from kozmo_singer.errors import ConfigError

EARTH = 6371.0
"""The mean radius of the Earth in kilometres."""
UNITS = {
    "second": "1s", "minute": "1m", "hour": "1h", "day": "1d", "week": "1w", "month": "1mo",
    "quarter": "1q", "year": "1y",
}  # fmt: skip
TIME_UNITS = {"d": 86_400, "h": 3_600, "m": 60, "min": 60, "s": 1, "ms": 0.001, "w": 604_800}
INTO = Parameter(str, "the new column", required=True)
VALUE = Parameter(object, "a number, where there is no second column")
TIME_UNIT = Parameter(str, "for dates: what the value counts", "d", choices=tuple(TIME_UNITS))
COLUMN_TYPE = Parameter(str, "`datetime`: texts are dates")
Memory = dict[str, Any]
Make = Callable[[pl.DataFrame, list[str], Given], pl.Series]


def _put(make: Make, frame: pl.DataFrame, rule: Rule) -> pl.DataFrame:
    columns = named(frame, rule.columns) if rule.columns else []
    return frame.with_columns(make(frame, columns, rule.parameters).alias(rule.parameters["into"]))


def _numbers(frame: pl.DataFrame, name: str) -> pl.Series:
    """Return column *name* as numbers; texts are those that they hold, or a Misfit."""
    column = frame.get_column(name)
    if column.dtype.is_numeric():
        return column
    if is_text(column.dtype):
        texts = column.cast(pl.String).str.strip_chars()
        made = texts.cast(pl.Float64, strict=False)
        if not (made.is_null() & texts.str.contains(r"\S")).any():
            done: pl.Series = made
            return done
    raise Misfit(f"'{name}' holds {column.dtype}: no numbers")


def _dates(frame: pl.DataFrame, name: str) -> pl.Series:
    """Return column *name* as moments; texts are read as parse_date reads them."""
    column = frame.get_column(name)
    if is_moment(column.dtype):
        return column
    if not is_text(column.dtype):
        raise Misfit(f"'{name}' holds {column.dtype}: no dates")
    action = action_of("parse_date")
    assert action.of_cells
    given = {key: each.default for key, each in action.parameters.items()}
    return action.of_cells(column.cast(pl.String), {**given, "dtype": "datetime"})


def _number(given: Given) -> float | int:
    value = given["value"]
    if isinstance(value, str):
        try:
            return float(value)
        except ValueError:
            pass
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ConfigError(f"'value' must be a number, got {value!r:.80}")
    return value


def _wide(column: pl.Series) -> pl.Series:
    """Return whole numbers as Int64 and others as they are, so that sums do not wrap around."""
    if column.dtype.is_integer() and column.dtype not in (pl.UInt64, pl.Int128):
        made: pl.Series = column.cast(pl.Int64)
        return made
    return column


def _span(given: Given) -> pl.Expr:
    micros = _number(given) * TIME_UNITS[given["time_unit"]] * 1_000_000
    return pl.duration(microseconds=round(micros))


def _moved(column: pl.Series, span: pl.Expr) -> pl.Series:
    moments = column.cast(pl.Datetime("us")) if column.dtype == pl.Date else column
    return moments.to_frame("c").select(pl.col("c") + span).to_series()


def _need(columns: list[str], least: int, given: Given) -> None:
    if len(columns) < least and not (len(columns) == least - 1 and given.get("value") is not None):
        other = " or 'value'" if "value" in given else ""
        raise ConfigError(f"needs {least} columns{other}, got {len(columns)}")


def _addition(frame: pl.DataFrame, columns: list[str], given: Given) -> pl.Series:
    _need(columns, 2, given)
    if len(columns) == 1 and _of_dates(frame, columns, given):
        return _moved(_dates(frame, columns[0]), _span(given))
    total = _wide(_numbers(frame, columns[0]))
    for name in columns[1:]:
        total = total + _wide(_numbers(frame, name))
    return total if given["value"] is None else total + _number(given)


@frames("row", into=INTO, value=VALUE, time_unit=TIME_UNIT, column_type=COLUMN_TYPE)
def addition(frame: pl.DataFrame, rule: Rule, memory: Memory) -> pl.DataFrame:
    """Adds up columns, or a value to one; to dates, a span of time."""
    return _put(_addition, frame, rule)


def _difference(frame: pl.DataFrame, columns: list[str], given: Given) -> pl.Series:
    _need(columns, 2, given)
    dates = _of_dates(frame, columns, given)
    if dates and len(columns) == 1:
        return _moved(_dates(frame, columns[0]), -_span(given))
    if dates:
        left, right = _dates(frame, columns[0]), _dates(frame, columns[1])
        days: pl.Series = (_micros(left) - _micros(right)) // 86_400_000_000
        return days
    left = _wide(_numbers(frame, columns[0]))
    other: Any = _wide(_numbers(frame, columns[1])) if len(columns) > 1 else _number(given)
    made: pl.Series = left - other
    return made


def _of_dates(frame: pl.DataFrame, columns: list[str], given: Given) -> bool:
    """Return whether the columns hold dates, or texts that the rule says are dates."""
    said = given["column_type"] == "datetime"
    return said or any(is_moment(frame.schema[name]) for name in columns[:2])


def _micros(column: pl.Series) -> pl.Series:
    made: pl.Series = column.cast(pl.Datetime("us")).dt.epoch("us")
    return made


@frames("row", into=INTO, value=VALUE, time_unit=TIME_UNIT, column_type=COLUMN_TYPE)
def difference(frame: pl.DataFrame, rule: Rule, memory: Memory) -> pl.DataFrame:
    """Takes a column or a value from a column; of two dates, the whole days between them."""
    return _put(_difference, frame, rule)


def _multiply(frame: pl.DataFrame, columns: list[str], given: Given) -> pl.Series:
    _need(columns, 2, given)
    first = _numbers(frame, columns[0]).cast(pl.Float64)
    other = _numbers(frame, columns[1]).cast(pl.Float64) if len(columns) > 1 else _number(given)
    made: pl.Series = first * other
    return made


@frames("row", into=INTO, value=VALUE)
def multiply(frame: pl.DataFrame, rule: Rule, memory: Memory) -> pl.DataFrame:
    """Multiplies two columns, or one by a value."""
    return _put(_multiply, frame, rule)


def _divide(frame: pl.DataFrame, columns: list[str], given: Given) -> pl.Series:
    _need(columns, 2, given)
    first = _numbers(frame, columns[0]).cast(pl.Float64)
    made: pl.Series
    if len(columns) > 1:
        second = _numbers(frame, columns[1]).cast(pl.Float64)
        made = first / second.set(second == 0, None)
    else:
        value = _number(given)
        made = first / value if value else first.clear(first.len())
    return made


@frames("row", into=INTO, value=VALUE)
def divide(frame: pl.DataFrame, rule: Rule, memory: Memory) -> pl.DataFrame:
    """Divides a column by another one or by a value; by zero is null."""
    return _put(_divide, frame, rule)


def _constant(frame: pl.DataFrame, columns: list[str], given: Given) -> pl.Series:
    made: pl.Series = pl.Series([given["value"]]).new_from_index(0, frame.height)
    return made


@frames("row", into=INTO, value=Parameter(object, "the value", required=True))
def constant(frame: pl.DataFrame, rule: Rule, memory: Memory) -> pl.DataFrame:
    """Puts the same value into every row."""
    return _put(_constant, frame, rule)


def _date_trunc(frame: pl.DataFrame, columns: list[str], given: Given) -> pl.Series:
    _need(columns, 1, given)
    return _dates(frame, columns[0]).dt.truncate(UNITS[given["date_part"]])


@frames(
    "row",
    into=INTO,
    date_part=Parameter(str, "what is kept", required=True, choices=tuple(UNITS)),
)
def date_trunc(frame: pl.DataFrame, rule: Rule, memory: Memory) -> pl.DataFrame:
    """Cuts moments to the start of their second, minute, hour, day, week, month, quarter, year."""
    return _put(_date_trunc, frame, rule)


def _formatted_date(frame: pl.DataFrame, columns: list[str], given: Given) -> pl.Series:
    _need(columns, 1, given)
    try:
        return _dates(frame, columns[0]).dt.strftime(given["format"])
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
        raise ConfigError(f"'{given['format']}' is no format of dates") from error


@frames("row", into=INTO, format=Parameter(str, "as in strftime: %d.%m.%Y", required=True))
def formatted_date(frame: pl.DataFrame, rule: Rule, memory: Memory) -> pl.DataFrame:
    """Writes dates as texts."""
    return _put(_formatted_date, frame, rule)


def _distance_between(frame: pl.DataFrame, columns: list[str], given: Given) -> pl.Series:
    _need(columns, 4, given)
    cells = [_numbers(frame, n).cast(pl.Float64).alias(str(i)) for i, n in enumerate(columns[:4])]
    lat1, lng1, lat2, lng2 = (pl.col(str(i)).radians() for i in range(4))
    half = ((lat2 - lat1) / 2).sin() ** 2
    half = half + lat1.cos() * lat2.cos() * ((lng2 - lng1) / 2).sin() ** 2
    return pl.DataFrame(cells).select(half.clip(0, 1).sqrt().arcsin() * 2 * EARTH).to_series()


@frames("row", into=INTO)
def distance_between(frame: pl.DataFrame, rule: Rule, memory: Memory) -> pl.DataFrame:
    """Says how many kilometres lie between two places: latitude, longitude, and the same again."""
    return _put(_distance_between, frame, rule)


def _if_else(frame: pl.DataFrame, columns: list[str], given: Given) -> pl.Series:
    from kozmo_bridge.cleaner.expressions import condition

    found = condition(given["condition"], frame, given["empty_is_null"])
    sides = []
    for side in ("then", "else"):
        value = given[side]
        of_column = given[f"{side}_type"] == "column"
        if of_column:
            named(frame, [str(value)])
        sides.append(pl.col(str(value)) if of_column else pl.lit(value))
    made = pl.when(found).then(sides[0]).otherwise(sides[1]).alias(given["into"])
    return frame.with_columns(made).get_column(given["into"])


_SIDE = Parameter(str, "what it is", "value", choices=("value", "column"))


@frames(
    "row",
    into=INTO,
    condition=Parameter(str, "a condition as in `filter`", required=True),
    then=Parameter(object, "the value where it is true"),
    else_=Parameter(object, "the value where it is not"),
    then_type=_SIDE,
    else_type=_SIDE,
    empty_is_null=Parameter(bool, "whether a text without a character is null", False),
)
def if_else(frame: pl.DataFrame, rule: Rule, memory: Memory) -> pl.DataFrame:
    """Puts one value where a condition is true, and another one where it is not."""
    return _put(_if_else, frame, rule)


def _texts(frame: pl.DataFrame, columns: list[str], given: Given) -> pl.Series:
    _need(columns, 1, given)
    column = frame.get_column(columns[0])
    if is_text(column.dtype) or column.dtype.is_numeric():
        made: pl.Series = column.cast(pl.String)
        return made
    raise Misfit(f"'{columns[0]}' holds {column.dtype}: no texts")


def _string_replace(frame: pl.DataFrame, columns: list[str], given: Given) -> pl.Series:
    found, into = given["pattern"], given["replacement"]
    texts = _texts(frame, columns, given)
    if given["regex"]:
        return texts.str.replace_all(checked(found), groups(into))
    return texts.str.replace_all(found, into, literal=True)


@frames(
    "row",
    into=INTO,
    pattern=Parameter(str, "what is replaced", required=True),
    replacement=Parameter(str, "what it becomes", ""),
    regex=Parameter(bool, "whether the pattern is a regular expression", True),
)
def string_replace(frame: pl.DataFrame, rule: Rule, memory: Memory) -> pl.DataFrame:
    """Replaces parts of texts."""
    return _put(_string_replace, frame, rule)


def _string_split(frame: pl.DataFrame, columns: list[str], given: Given) -> pl.Series:
    parts = _texts(frame, columns, given).str.split(given["separator"])
    return parts.list.get(given["part_index"], null_on_oob=True).str.strip_chars()


@frames(
    "row",
    into=INTO,
    separator=Parameter(str, "what stands between the parts", required=True),
    part_index=Parameter(int, "which part to take, from 0; -1 is the last", required=True),
)
def string_split(frame: pl.DataFrame, rule: Rule, memory: Memory) -> pl.DataFrame:
    """Takes one part of texts that a separator divides."""
    return _put(_string_split, frame, rule)


def _substring(frame: pl.DataFrame, columns: list[str], given: Given) -> pl.Series:
    start, stop = given["start"], given["stop"]
    if start is None and stop is None:
        raise ConfigError("needs 'start', 'stop' or both")
    texts = _texts(frame, columns, given).alias("t").to_frame()
    length = pl.col("t").str.len_chars().cast(pl.Int64)
    begin, end = _index(start or 0, length), length if stop is None else _index(stop, length)
    return texts.select(pl.col("t").str.slice(begin, (end - begin).clip(0))).to_series()


def _index(place: int, length: pl.Expr) -> pl.Expr:
    """Return *place*, which counts from the end where it is negative, within the text."""
    return pl.min_horizontal(pl.lit(place), length) if place >= 0 else (length + place).clip(0)


@frames(
    "row",
    into=INTO,
    start=Parameter(int, "the first character, from 0; negative ones count from the end"),
    stop=Parameter(int, "the first character that is left out"),
)
def substring(frame: pl.DataFrame, rule: Rule, memory: Memory) -> pl.DataFrame:
    """Takes a part of texts by the numbers of its characters."""
    return _put(_substring, frame, rule)


UDFS: Mapping[str, Make] = {
    "addition": _addition,
    "constant": _constant,
    "date_trunc": _date_trunc,
    "difference": _difference,
    "distance_between": _distance_between,
    "divide": _divide,
    "formatted_date": _formatted_date,
    "if_else": _if_else,
    "multiply": _multiply,
    "string_replace": _string_replace,
    "string_split": _string_split,
    "substring": _substring,
}


@frames(
    "row",
    into=INTO,
    udf=Parameter(str, "the function", required=True, choices=tuple(sorted(UDFS))),
    options=Parameter(dict, "the parameters of the function", {}),
)
def add(frame: pl.DataFrame, rule: Rule, memory: Memory) -> pl.DataFrame:
    """Adds a column that one of the functions makes of others."""
    from kozmo_bridge.cleaner.actions import complete

    given = rule.parameters
    inner = Rule(given["udf"], rule.columns, {**given["options"], "into": given["into"]})
    return _put(UDFS[given["udf"]], frame, complete(inner, 1))
