"""What a column is that has a type of its own: numbers, dates, lists."""

from __future__ import annotations

import polars as pl

from kozmo_bridge.cleaner.detecting.column import Column
from kozmo_bridge.cleaner.detecting.numbers import coordinate
from kozmo_bridge.cleaner.kinds import Kind
from kozmo_bridge.cleaner.model import Guess
from kozmo_bridge.cleaner.parsing import moments
from kozmo_bridge.cleaner.patterns import word_set

_KEYS = word_set("id ids key index idx no nr num number code pk rowid uid oid sku serial row")
_SURE_KEYS = word_set("id ids key pk rowid uid oid sku serial idx isbn ean fips code codes")
_RANKS = word_set("rank ranking position place level order score day week month year age x y n")
_EPOCHS = (("s", 1e8), ("ms", 1e11), ("us", 1e14), ("ns", 1e17))
"""Units of the time since 1970, and what is 1973 in them."""
_ZIPS = frozenset(["zip", "zipcode", "postal", "postcode", "plz"])
_PHONES = frozenset(["phone", "tel", "telephone", "mobile", "fax"])


def typed_seen(column: Column, dtype: pl.DataType) -> Guess:
    """Return what a column of type *dtype* (any but texts) is held to be."""
    if not column.count:
        return Guess(Kind.EMPTY, 1.0, 1.0, "holds no value")
    if dtype.is_numeric():
        return _number(column, dtype)
    for types, kind, why in _PLAIN:
        if isinstance(dtype, types):
            return Guess(kind, 1.0, 1.0, why)
    return Guess(Kind.TEXT, 0.5, 1.0, f"stored as {dtype}")


_PLAIN: tuple[tuple[tuple[type[pl.DataType], ...], Kind, str], ...] = (
    ((pl.Boolean,), Kind.TRUE_OR_FALSE, "stored as true and false"),
    ((pl.Date, pl.Datetime, pl.Time), Kind.DATETIME, "stored as a date or time"),
    ((pl.Duration,), Kind.DURATION, "stored as a span of time"),
    ((pl.List, pl.Array), Kind.LIST, "stored as lists"),
    ((pl.Struct,), Kind.JSON, "stored as objects"),
    ((pl.Binary,), Kind.BINARY, "stored as bytes"),
    ((pl.Null,), Kind.EMPTY, "holds no value"),
)


def _number(column: Column, dtype: pl.DataType) -> Guess:
    values = column.values
    if not dtype.is_integer():
        values = values.cast(pl.Float64)
    low, high = values.min(), values.max()
    whole = dtype.is_integer() or bool((values.is_finite() & (values == values.floor())).all())
    if whole and (low, high) == (0, 1):
        return Guess(Kind.TRUE_OR_FALSE, 0.95, 1.0, "holds 0 and 1 alone", format="1/0")
    place = coordinate(column.hints, values)
    if place is not None:
        why = f"within the range of a {place}, and named so"
        return Guess(Kind.GEO, 0.95, 1.0, why, unit=place)
    if not whole:
        return Guess(Kind.NUMBER_WITH_DECIMALS, 1.0, 1.0, "stored as numbers with decimals")
    return _whole(column, low, high) or Guess(Kind.NUMBER, 1.0, 1.0, "whole numbers")


def _whole(column: Column, low: object, high: object) -> Guess | None:
    assert isinstance(low, int | float) and isinstance(high, int | float)
    if not column.hints.isdisjoint(_ZIPS) and low >= 100 and high < 1e10:
        return Guess(Kind.ZIP_CODE, 0.95, 1.0, "postal codes by name; leading zeros may be lost")
    if not column.hints.isdisjoint(_PHONES) and low >= 1e6:
        return Guess(Kind.PHONE_NUMBER, 0.95, 1.0, "phone numbers by name")
    named = not column.hints.isdisjoint(_SURE_KEYS)
    if (named or (column.numbered and column.unique > 0.5)) and column.distinct > 2:
        return Guess(Kind.IDENTIFIER, 0.97, 1.0, "whole numbers in a column that is named as a key")
    counted = column.unique == 1 and high - low + 1 == column.distinct and column.distinct > 3
    running = counted and low in (0, 1) and high > 20 and column.hints.isdisjoint(_RANKS)
    if running or (counted and (not column.hints or not column.hints.isdisjoint(_KEYS))):
        return Guess(Kind.IDENTIFIER, 0.95, 1.0, "numbers its rows")
    return _moment(column, low, high) or _long(column, low, high)


def _moment(column: Column, low: float, high: float) -> Guess | None:
    if not column.hints.isdisjoint({"timestamp", "ts", "epoch", "unixtime"}):
        for unit, least in _EPOCHS:
            if least <= low and high < least * 42:
                return Guess(Kind.DATETIME, 0.9, 1.0, "time since 1970", format=f"epoch {unit}")
    if low >= 19000101 and high <= 21001231:
        texts = column.values.cast(pl.Int64, strict=False).cast(pl.String)
        wrong = moments(texts, "%Y%m%d").null_count()
        named = not column.hints.isdisjoint({"date", "day", "ymd"})
        if not wrong and (named or column.distinct >= 20):
            return Guess(Kind.DATETIME, 0.9, 1.0, "dates as whole numbers", format="%Y%m%d")
    return None


def _long(column: Column, low: float, high: float) -> Guess | None:
    """Digits of one length, longer than numbers that count or measure, and no moments."""
    if low < 1e8 or column.distinct <= 20 or len(str(int(low))) != len(str(int(high))):
        return None
    if any(5 * least <= low and high < 23 * least for _, least in _EPOCHS):
        return None
    return Guess(Kind.IDENTIFIER, 0.85, 1.0, "digits all of one length")
