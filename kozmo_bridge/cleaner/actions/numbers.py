"""Numbers: read from texts, rounded, kept within bounds, put to scale."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Any

import polars as pl

from kozmo_bridge.cleaner.actions import Given, Misfit, Parameter, cells
from kozmo_bridge.cleaner.actions.values import (
    LEARNED,
    ON_ERROR,
    is_number,
    is_text,
    named,
    parsed,
    with_dtypes,
)
from kozmo_bridge.cleaner.parsing import GROUPS, NumberForm, number_texts
from kozmo_bridge.cleaner.rules import Rule
from kozmo_singer.errors import ConfigError

_EXACT_DIGITS = 15
"""Decimal digits that a Float64 always keeps."""


def _fit_number(frame: pl.DataFrame, rule: Rule) -> Rule:
    def narrowest(texts: pl.Series) -> str:
        return _narrowest(_plain(texts, rule.parameters))

    return with_dtypes(frame, rule, is_text, narrowest)


def _narrowest(plain: pl.Series) -> str:
    """Return the type that holds all of the numbers *plain* without losing a digit."""
    if plain.str.contains("[eE]").any():
        return "Float64"
    longest = _longest(plain.str.replace_all(r"[^\d]", "").str.strip_chars_start("0"))
    if not plain.str.contains(".", literal=True).any():
        if longest <= 18 or plain.cast(pl.Int64, strict=False).null_count() == plain.null_count():
            return "Int64"
        return "Decimal(38,0)" if longest <= 38 else "Float64"
    scale = _longest(plain.str.extract(r"\.(\d*)$"))
    whole = _longest(plain.str.extract(r"^-?0*(\d*)"))
    if longest <= _EXACT_DIGITS or whole + scale > 38:
        return "Float64"
    return f"Decimal(38,{scale})"


def _longest(texts: pl.Series) -> int:
    found: Any = texts.str.len_chars().max()
    return found or 0


@cells(
    fit=_fit_number,
    decimal=Parameter(str, "the decimal mark", ".", choices=(".", ",")),
    thousands=Parameter(
        str, "the mark between thousands, if there is one", "", choices=("", *GROUPS)
    ),
    strip=Parameter(list, "marks to take off: currencies, units, percent signs", []),
    percent=Parameter(
        str, "whether `12 %` is 12 or 0.12", "number", choices=("number", "fraction")
    ),
    accounting=Parameter(bool, "whether (1,234) is -1234", True),
    magnitudes=Parameter(bool, "whether 1.5k and 2 M are 1500 and 2000000", False),
    dtype=Parameter(
        str,
        "Int64, Float64, Decimal(precision,scale), or `auto`: the narrowest that loses no digit",
        "auto",
    ),
    on_error=ON_ERROR,
    learned=LEARNED,
)
def parse_number(column: pl.Series, given: Given) -> pl.Series:
    """Makes numbers of texts, with the marks and signs that people write them with."""
    plain = _plain(column, given)
    learned = given["learned"] or {}
    wanted = learned.get(column.name) if given["dtype"] == "auto" else given["dtype"]
    dtype = number_type(wanted or _narrowest(plain))
    if dtype == pl.Int64:
        plain = plain.str.replace(r"\.0*$", "")
    made = plain.cast(dtype, strict=False)
    if dtype.is_float():
        made = made.set(made.is_infinite(), None)
    if isinstance(dtype, pl.Decimal):
        made = made.set(plain.str.extract(r"\.(\d*)$").str.len_chars() > dtype.scale, None)
    made = parsed(column, made, given, "number as described")
    if given["percent"] == "fraction":
        done: pl.Series = made.cast(pl.Float64) / 100
        return done
    return made


def _plain(column: pl.Series, given: Given) -> pl.Series:
    """Return the numbers of *column* as -1234.5; null where there is none as described."""
    decimal, thousands = given["decimal"], given["thousands"]
    if decimal == thousands:
        raise ConfigError("'decimal' and 'thousands' cannot be the same mark")
    marks = "|".join(re.escape(each) for each in sorted(map(str, given["strip"]), key=_rank))
    around = f"(?i:{marks})" if marks else ""
    plain = number_texts(column, NumberForm(decimal, thousands), around, given["magnitudes"])
    return plain if given["accounting"] else plain.set(column.str.contains("(", literal=True), None)


def _rank(mark: str) -> tuple[int, str]:
    """Longer marks come first, so that `US$` is not taken for `$`."""
    return -len(mark), mark


def number_type(name: str) -> pl.DataType:
    """Return the type called *name*: Int64, Float64 or Decimal(18,4)."""
    match = re.fullmatch(r"(?i)decimal\((\d{1,2}),\s*(\d{1,2})\)", name)
    if match and 0 < int(match[1]) <= 38 and int(match[2]) <= int(match[1]):
        return pl.Decimal(int(match[1]), int(match[2]))
    known = {"int64": pl.Int64(), "float64": pl.Float64(), "decimal": pl.Decimal(38, 9)}
    if name.lower() not in known:
        raise ConfigError(f"'{name}' is no type of numbers: Int64, Float64 or Decimal(18,4)")
    return known[name.lower()]


@cells("number", decimals=Parameter(int, "digits after the point", 0))
def round_(column: pl.Series, given: Given) -> pl.Series:
    """Rounds numbers; halves go to the even neighbour."""
    if column.dtype.is_integer():
        return column
    return column.round(max(0, given["decimals"]))


@cells(
    "number",
    lower=Parameter(float, "no number is less"),
    upper=Parameter(float, "no number is more"),
)
def clip(column: pl.Series, given: Given) -> pl.Series:
    """Sets numbers beyond a bound to the bound."""
    return _within(column, given["lower"], given["upper"])


def _within(column: pl.Series, low: float | None, high: float | None) -> pl.Series:
    """Return *column* within bounds; those of whole numbers are made whole, inwards."""
    if column.dtype.is_integer():
        low = None if low is None else math.ceil(low)
        high = None if high is None else math.floor(high)
        if low is not None and high is not None and low > high:
            raise Misfit(f"no whole number of '{column.name}' lies within the bounds")
        wide = column.cast(pl.Int128)
        made: pl.Series = wide.clip(low, high).cast(column.dtype, strict=False).fill_null(column)
        return made
    return column.clip(low, high)


def _fit(find: Callable[[pl.Series, Given], list[float] | None]) -> Any:
    """Return a function that learns two figures of each column of numbers."""

    def fit(frame: pl.DataFrame, rule: Rule) -> Rule:
        given = rule.parameters
        if given["learned"] is not None:
            return rule
        learned = {}
        for name in named(frame, rule.columns):
            column = frame.get_column(name)
            if is_number(column.dtype):
                finite = column.cast(pl.Float64)
                learned[name] = find(finite.filter(finite.is_finite()), given)
        return Rule(rule.action, rule.columns, {**given, "learned": learned})

    return fit


def fences(values: pl.Series, given: Given) -> list[float] | None:
    """Return the bounds beyond which *values* are outliers; None where there is no spread."""
    factor = given["factor"]
    if given["method"] == "z_score":
        mean, spread = _figure(values.mean()), _figure(values.std())
        if not spread:
            return None
        reach = spread * (3.0 if factor is None else factor)
        return [mean - reach, mean + reach]
    low = _figure(values.quantile(0.25, "linear"))
    high = _figure(values.quantile(0.75, "linear"))
    reach = (high - low) * (1.5 if factor is None else factor)
    return [low - reach, high + reach] if reach else None


def _figure(value: Any) -> float:
    return 0.0 if value is None else float(value)


METHOD = Parameter(
    str,
    "`iqr`: interquartile ranges outside the quartiles; `z_score`: deviations from the mean",
    "iqr",
    choices=("iqr", "z_score"),
)
FACTOR = Parameter(float, "how many of them: 1.5 and 3 if it is not given")
fit_fences = _fit(fences)


@cells("number", fit=fit_fences, method=METHOD, factor=FACTOR, learned=LEARNED)
def cap_outliers(column: pl.Series, given: Given) -> pl.Series:
    """Sets outliers to the nearest value that is none."""
    bounds = learned_of(column, given)
    return _within(column, *bounds) if bounds else column


def learned_of(column: pl.Series, given: Given) -> Any:
    """Return what was learned of *column*; Misfit if nothing was."""
    learned = given["learned"] or {}
    if column.name not in learned:
        raise Misfit(f"nothing is known of '{column.name}': it held no numbers")
    return learned[column.name]


def _range(values: pl.Series, given: Given) -> list[float] | None:
    low, high = _figure(values.min()), _figure(values.max())
    return [low, high - low]


def _moments(values: pl.Series, given: Given) -> list[float] | None:
    return [_figure(values.mean()), _figure(values.std(ddof=0))]


def _scaled(column: pl.Series, given: Given) -> pl.Series:
    start, width = learned_of(column, given)
    moved = column.cast(pl.Float64) - start
    made: pl.Series = moved / width if width else moved
    return made


@cells("number", fit=_fit(_range), learned=LEARNED)
def normalize(column: pl.Series, given: Given) -> pl.Series:
    """Puts numbers to the scale from 0, the least, to 1, the greatest."""
    return _scaled(column, given)


@cells("number", fit=_fit(_moments), learned=LEARNED)
def standardize(column: pl.Series, given: Given) -> pl.Series:
    """Puts numbers to a mean of 0 and a standard deviation of 1."""
    return _scaled(column, given)
