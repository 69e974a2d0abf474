"""Types: texts become dates, booleans and durations, and any column another type."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import polars as pl

from kozmo_bridge.cleaner.actions import Given, Misfit, Parameter, action_of, cells
from kozmo_bridge.cleaner.actions.numbers import number_type
from kozmo_bridge.cleaner.actions.values import (
    LEARNED,
    ON_ERROR,
    cast,
    is_moment,
    is_number,
    is_text,
    parsed,
    with_dtypes,
)
from kozmo_bridge.cleaner.parsing import TIMES_OF_DAY, moments, spans
from kozmo_bridge.cleaner.rules import Rule
from kozmo_singer.errors import ConfigError

TRUE = ("true", "yes", "y", "t", "on", "1")
FALSE = ("false", "no", "n", "f", "off", "0")
_ANY_ORDER = (
    "%Y-%m-%d", "%Y/%m/%d", "%Y.%m.%d", "%Y%m%d", "%d %b %Y", "%d %B %Y", "%d-%b-%Y", "%d-%B-%Y",
    "%b %d, %Y", "%B %d, %Y", "%b %d %Y", "%B %d %Y", "%d. %B %Y", "%a, %d %b %Y",
)  # fmt: skip
_DAY_FIRST = ("%d.%m.%Y", "%d/%m/%Y", "%d-%m-%Y", "%d.%m.%y", "%d/%m/%y", "%d-%m-%y")
_MONTH_FIRST = ("%m/%d/%Y", "%m-%d-%Y", "%m.%d.%Y", "%m/%d/%y", "%m-%d-%y")
_DOTS = ("%d.%m.%Y", "%d.%m.%y")
"""Dates with dots have the day first wherever they are written."""
_PARTS = (
    r"(?i)^(.*?\d)"
    r"(?:(?:T|,?\s+)(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?\s*([ap])?\.?(?:m\.?)?)?"
    r"\s*(Z|UTC|GMT|[+-]\d{2}:?\d{2})?$"
)
_TIMED = ("%H", "%I", "%T", "%R", "%k", "%l", "%s", "%X", "%r", "%c", "%+")
_ZONED = re.compile(r"(?:%[:#]?z|[^%]Z| UTC| GMT)$")
"""How a format ends whose moments have a zone."""
RFC = "rfc 2822"
_FORMAT = re.compile(
    r"(?:[^%]|%[-_0]?(?:[:#]?z|\.?[369]?f|[YCyqmbBhdeaAwuUWGgVjDxFvHkIlPpMSRTXrZsc+tn%]))+"
)
"""Texts in which every percent sign begins what chrono, which reads them, knows."""
EPOCH = {"epoch": 1_000_000, "epoch_ms": 1_000, "epoch_us": 1}
"""Formats of moments that are numbers, and the microseconds of their unit."""


@cells(
    true=Parameter(list, "the texts that mean true, in any case", list(TRUE)),
    false=Parameter(list, "the texts that mean false, in any case", list(FALSE)),
    on_error=ON_ERROR,
)
def parse_boolean(column: pl.Series, given: Given) -> pl.Series:
    """Makes true and false of texts that say yes and no."""
    texts = column.str.strip_chars().str.to_lowercase()
    yes, no = ([str(t).strip().lower() for t in given[name]] for name in ("true", "false"))
    known = pl.DataFrame({"text": [*yes, *no], "is": [True] * len(yes) + [False] * len(no)})
    known = known.unique("text", keep="first", maintain_order=True)
    made = texts.replace_strict(
        known.get_column("text"), known.get_column("is"), default=None, return_dtype=pl.Boolean
    )
    return parsed(column, made, given, "true or false")


def _fit_date(frame: pl.DataFrame, rule: Rule) -> Rule:
    def narrowest(texts: pl.Series) -> str:
        return _kind(_moments(texts, rule.parameters))

    return with_dtypes(frame, rule, lambda dtype: is_text(dtype) or dtype.is_integer(), narrowest)


def _kind(found: pl.DataFrame) -> str:
    """Return the dtype that holds all of the moments *found*."""
    found = found.filter(pl.col("moment").is_not_null())
    if found.get_column("aware").any():
        return "datetime_utc" if found.get_column("aware").all() else "mixed"
    return "datetime" if found.get_column("timed").any() else "date"


@cells(
    "any",
    fit=_fit_date,
    format=Parameter(
        (str, list),
        "how the dates are written, `%d.%m.%Y`; several are tried in turn; epoch, epoch_ms and "
        "epoch_us are numbers since 1970; without one the usual ways are read",
    ),
    day_first=Parameter(bool, "whether 01/02/2024 is in February; such dates need it"),
    dtype=Parameter(
        str,
        "`auto`: the narrowest that loses nothing; datetime_utc has a zone",
        "auto",
        choices=("auto", "date", "datetime", "datetime_utc"),
    ),
    on_error=ON_ERROR,
    learned=LEARNED,
)
def parse_date(column: pl.Series, given: Given) -> pl.Series:
    """Makes dates and moments of texts; those with a zone are told in UTC."""
    epoch = any(each in EPOCH for each in _formats(given) or ())
    if not (is_text(column.dtype) or (epoch and column.dtype.is_integer())):
        return column
    texts = column.cast(pl.String)
    found = _moments(texts, given)
    kind = given["dtype"]
    if kind == "auto":
        kind = (given["learned"] or {}).get(column.name) or _kind(found)
    if kind == "mixed":
        raise Misfit(f"some moments of '{column.name}' have a zone, others none; choose a dtype")
    moment = found.get_column("moment")
    if kind == "date":
        made = moment.dt.date()
    else:
        made = moment.dt.replace_time_zone("UTC") if kind == "datetime_utc" else moment
    return parsed(texts, made.alias(column.name), given, "date as described")


def _formats(given: Given) -> list[str] | None:
    found = given["format"]
    return [found] if isinstance(found, str) else list(found) if found else None


def _moments(texts: pl.Series, given: Given) -> pl.DataFrame:
    """Return of each text its moment (in UTC, if `aware`), and whether it has a time of day."""
    texts = texts.str.strip_chars().str.replace_all(r"\s+", " ")
    formats = _formats(given)
    if formats is None:
        return _usual(texts, given["day_first"])
    moment = pl.Series("moment", [None], dtype=pl.Datetime("us")).new_from_index(0, texts.len())
    timed = aware = pl.Series([False]).new_from_index(0, texts.len())
    for each in formats:
        found = _read(texts, each)
        new = moment.is_null() & found.is_not_null()
        moment = moment.zip_with(~new, found)
        if each in EPOCH or each == RFC or any(mark in each for mark in _TIMED):
            timed = timed | new
        if each in EPOCH or each == RFC or _ZONED.search(each):
            aware = aware | new
    return pl.DataFrame({"moment": moment, "timed": timed, "aware": aware})


def _read(texts: pl.Series, form: str) -> pl.Series:
    """Return the moments of the texts that are written as *form* says; in UTC if it has a zone."""
    if form in EPOCH:
        ticks = texts.cast(pl.Int64, strict=False) * EPOCH[form]
        made: pl.Series = ticks.cast(pl.Datetime("us"))
        return made
    if form != RFC and not _FORMAT.fullmatch(form):
        raise ConfigError(f"'{form}' is no format of dates", "formats are written as in strptime")
    if form in TIMES_OF_DAY:
        raise ConfigError(f"'{form}' is a time of day, without a date")
    if "%z" in form:
        texts = texts.str.replace(r"(?i)\s?(?:Z|UTC|GMT)$", "+0000")
    try:
        made = moments(texts, form)
    except pl.exceptions.PolarsError as error:
        reason = str(error).splitlines()[0]
        raise ConfigError(
            f"'{form}' is no format of dates: {reason}", "formats are written as in strptime"
        ) from error
    return made.set(made.dt.year() < 100, None) if "%Y" in form else made


def _usual(texts: pl.Series, day_first: bool | None) -> pl.DataFrame:
    """Return the moments of texts that are written in one of the usual ways."""
    by_order = {True: _DAY_FIRST, False: _MONTH_FIRST, None: _DOTS}
    parts = texts.str.extract_groups(_PARTS).struct.unnest()
    parts.columns = ["date", "hour", "minute", "second", "fraction", "half", "zone"]
    date = pl.Series("date", [None], dtype=pl.Datetime("us")).new_from_index(0, texts.len())
    for form in (*_ANY_ORDER, *by_order[day_first]):
        open_ = date.is_null() & parts.get_column("date").is_not_null()
        if not open_.any():
            break
        where = open_.arg_true()
        found = _read(parts.get_column("date").gather(where), form)
        date = date.scatter(where, found)
    return parts.with_columns(date=date).select(
        moment=pl.when(_valid_time()).then(pl.col("date") + _time_of_day() - _offset()),
        timed=pl.col("hour").is_not_null(),
        aware=pl.col("zone").is_not_null(),
    )


def _whole(name: str) -> pl.Expr:
    return pl.col(name).cast(pl.Int64).fill_null(0)


def _hour() -> pl.Expr:
    half = pl.col("half").str.to_lowercase()
    hour = _whole("hour")
    return (
        pl.when(half == "p").then(hour % 12 + 12).when(half == "a").then(hour % 12).otherwise(hour)
    )


def _valid_time() -> pl.Expr:
    twelve = pl.col("half").is_null() | _whole("hour").is_between(1, 12)
    return (
        (_whole("hour") < 24) & (_whole("minute") < 60) & (_whole("second") < 61) & twelve
        & (pl.col("zone").is_null() | pl.col("hour").is_not_null())
    )  # fmt: skip


def _time_of_day() -> pl.Expr:
    fraction = pl.col("fraction").str.pad_end(9, "0").cast(pl.Int64).fill_null(0) // 1000
    return pl.duration(
        hours=_hour(), minutes=_whole("minute"), seconds=_whole("second"), microseconds=fraction
    )


def _offset() -> pl.Expr:
    digits = pl.col("zone").str.extract(r"^[+-](\d{2}):?\d{2}$").cast(pl.Int64).fill_null(0)
    minutes = pl.col("zone").str.extract(r"^[+-]\d{2}:?(\d{2})$").cast(pl.Int64).fill_null(0)
    sign = pl.when(pl.col("zone").str.starts_with("-")).then(-1).otherwise(1)
    return pl.duration(minutes=sign * (digits * 60 + minutes))


@cells(
    clock=Parameter(
        str, "what 01:30 is: hours and minutes, or minutes and seconds", "h:m",
        choices=("h:m", "m:s"),
    ),
    on_error=ON_ERROR,
)  # fmt: skip
def parse_duration(column: pl.Series, given: Given) -> pl.Series:
    """Makes spans of time of texts: 01:30:00, PT5M, 3 days, 1h 30m."""
    texts = column.str.strip_chars()
    clock = "${1}${2}m ${3}s" if given["clock"] == "m:s" else "${1}${2}:${3}:00"
    texts = texts.str.replace(r"^(-?)(\d{1,4}):([0-5]\d)$", clock)
    distinct = texts.drop_nulls().unique().sort()
    micros = (spans(distinct) * 1_000_000).round().cast(pl.Int64, strict=False)
    made = texts.replace_strict(distinct, micros, default=None, return_dtype=pl.Int64)
    return parsed(column, made.cast(pl.Duration("us")), given, "span of time")


def _to_number(column: pl.Series, given: Given, dtype: Any) -> pl.Series:
    """Return *column* as numbers of *dtype*; cells that would lose something do not convert."""
    if is_text(column.dtype):
        if isinstance(dtype, pl.Decimal):
            # A cast would round what has more digits after the point.
            exact = f"Decimal({dtype.precision},{dtype.scale})"
            return _by("parse_number", column.cast(pl.String), given, dtype=exact)
        plain = column.cast(pl.String).str.strip_chars().str.strip_prefix("+")
        if dtype.is_integer():
            plain = plain.str.replace(r"\.0*$", "")
        done: pl.Series = plain.cast(dtype, strict=False)
        return done
    if column.dtype == pl.Boolean or is_number(column.dtype):
        made: pl.Series = column.cast(dtype, strict=False)
        if dtype.is_integer() and not column.dtype.is_integer() and column.dtype != pl.Boolean:
            made = made.set(made.cast(pl.Float64) != column.cast(pl.Float64), None)
        if isinstance(dtype, pl.Decimal) and not column.dtype.is_integer():
            made = made.set(made.cast(column.dtype, strict=False) != column, None)
        return made
    if isinstance(column.dtype, pl.Duration) and dtype.is_float():
        return cast(column.dt.total_microseconds() / 1_000_000, dtype)
    raise Misfit(f"'{column.name}' holds {column.dtype}: no numbers")


def _numeric(column: pl.Series, given: Given) -> pl.Series:
    if is_number(column.dtype):
        return column
    if column.dtype == pl.Boolean:
        done: pl.Series = column.cast(pl.Int64)
        return done
    if not is_text(column.dtype):
        return _to_number(column, given, pl.Float64())
    learned = given["learned"] or {}
    return _by("parse_number", column.cast(pl.String), given, learned=learned)


def _datetime(column: pl.Series, given: Given) -> pl.Series:
    if isinstance(column.dtype, pl.Datetime):
        return column
    if column.dtype == pl.Date:
        made: pl.Series = column.cast(pl.Datetime("us"))
        return made
    if not is_text(column.dtype):
        raise Misfit(
            f"'{column.name}' holds {column.dtype}: parse_date with format epoch reads numbers"
        )
    return _by("parse_date", column.cast(pl.String), given, dtype="datetime")


def _date(column: pl.Series, given: Given) -> pl.Series:
    if is_moment(column.dtype):
        made: pl.Series = column.cast(pl.Date)
        return made
    return cast(_datetime(column, given), pl.Date)


def _string(column: pl.Series, given: Given) -> pl.Series:
    if isinstance(column.dtype, pl.Struct):
        return column.struct.json_encode()
    if isinstance(column.dtype, pl.List | pl.Array):
        inner = column.to_frame("v").select(pl.struct("v")).to_series().struct.json_encode()
        made = inner.str.strip_prefix('{"v":').str.strip_suffix("}").alias(column.name)
        return made.set(column.is_null(), None)
    done: pl.Series = column.cast(pl.String)
    return done


def _boolean(column: pl.Series, given: Given) -> pl.Series:
    if column.dtype == pl.Boolean:
        return column
    if is_number(column.dtype):
        done: pl.Series = column.set(~column.is_in([0, 1]), None).cast(pl.Boolean)
        return done
    if not is_text(column.dtype):
        raise Misfit(f"'{column.name}' holds {column.dtype}: neither true nor false")
    return _by("parse_boolean", column.cast(pl.String), given)


def _duration(column: pl.Series, given: Given) -> pl.Series:
    if isinstance(column.dtype, pl.Duration):
        return column
    if not is_text(column.dtype):
        raise Misfit(f"'{column.name}' holds {column.dtype}: no spans of time")
    return _by("parse_duration", column.cast(pl.String), given)


def _category(column: pl.Series, given: Given) -> pl.Series:
    if isinstance(column.dtype, pl.Categorical):
        return column
    made: pl.Series = _string(column, given).cast(pl.Categorical)
    return made


def _by(name: str, column: pl.Series, given: Given, **parameters: Any) -> pl.Series:
    """Return what the action *name* makes of *column*, with its defaults."""
    action = action_of(name)
    assert action.of_cells
    options = {key: each.default for key, each in action.parameters.items()}
    options |= {"day_first": given["day_first"]} if "day_first" in options else {}
    return action.of_cells(column, {**options, **parameters, "on_error": "null"})


_TO: dict[str, Callable[[pl.Series, Given], pl.Series]] = {
    "numeric": _numeric, "number": _numeric, "datetime": _datetime, "datetime64": _datetime,
    "timestamp": _datetime, "date": _date, "str": _string, "string": _string, "text": _string,
    "object": _string, "bool": _boolean, "boolean": _boolean, "category": _category,
    "categorical": _category, "timedelta": _duration, "timedelta64": _duration,
    "duration": _duration,
}  # fmt: skip
_NUMBERS: dict[str, pl.DataType] = {
    "int": pl.Int64(), "integer": pl.Int64(), "float": pl.Float64(), "double": pl.Float64(),
    "int8": pl.Int8(), "int16": pl.Int16(), "int32": pl.Int32(), "int64": pl.Int64(),
    "uint8": pl.UInt8(), "uint16": pl.UInt16(), "uint32": pl.UInt32(), "uint64": pl.UInt64(),
    "float32": pl.Float32(), "float64": pl.Float64(),
}  # fmt: skip


def _fit_convert(frame: pl.DataFrame, rule: Rule) -> Rule:
    """Return *rule* with the type of number that `numeric` is for each column of text."""
    given = rule.parameters
    if _TO.get(_called(given["dtype"])) is not _numeric or given["learned"] is not None:
        return rule
    action = action_of("parse_number")
    assert action.fit
    options = {key: each.default for key, each in action.parameters.items()}
    found = action.fit(frame, Rule("parse_number", rule.columns, options))
    learned = found.parameters["learned"]
    return Rule(rule.action, rule.columns, {**given, "learned": learned})


def _called(dtype: str) -> str:
    return dtype.lower().partition("[")[0].strip()


@cells(
    "any",
    fit=_fit_convert,
    dtype=Parameter(
        str,
        "numeric, int, float, decimal(18,4), datetime, date, string, boolean, category, duration; "
        "pandas' names are known too",
        required=True,
    ),
    day_first=Parameter(bool, "for dates: whether 01/02/2024 is in February"),
    on_error=ON_ERROR,
    learned=LEARNED,
)
def convert_type(column: pl.Series, given: Given) -> pl.Series:
    """Makes another type of a column; nothing is cut off to make it fit."""
    called = _called(given["dtype"])
    if called in _TO:
        made = _TO[called](column, given)
    else:
        dtype = _NUMBERS.get(called) or number_type(given["dtype"])
        made = _to_number(column, given, dtype)
    if made is column or made.dtype == column.dtype:
        return column
    return parsed(column, made.alias(column.name), given, f"value of type {given['dtype']}")
