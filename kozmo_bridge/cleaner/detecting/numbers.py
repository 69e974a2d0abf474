"""Numbers in texts: their decimal mark, their currency or unit, from the whole column."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from kozmo_bridge.cleaner.detecting.column import Words, share_of
from kozmo_bridge.cleaner.kinds import Kind
from kozmo_bridge.cleaner.model import Guess
from kozmo_bridge.cleaner.parsing import MAGNITUDES, UNITS, NumberForm, marks_around
from kozmo_bridge.cleaner.patterns import (
    CURRENCY_CODES,
    CURRENCY_SIGNS,
    word_set,
)

_SPLIT = (
    r"^(?P<before>[^\d.,]{0,8}?)\s*"
    r"(?P<core>[.,]?\d(?:[\d.,'’_ \u00a0\u2009\u202f]*\d)?[.,]?(?:[eE][-+]?\d{1,3})?)"
    r"\s*(?P<after>[^\d]{0,12}?)$"
)
_AROUND = " \t\u00a0\u2009\u202f()+-−–"
_MONEY = frozenset(mark.lower() for mark in (*CURRENCY_SIGNS, *CURRENCY_CODES))
_MAGNITUDE_WORDS = tuple(word for pattern, _ in MAGNITUDES for word in pattern[4:-1].split("|"))
_LARGE = rf"^(?:{'|'.join(_MAGNITUDE_WORDS)})\s+"
_LEAST = 0.8
_LEAST_AMOUNTS = 0.5
"""Where nearly all values begin with a currency, remarks among them are no reason to doubt."""


@dataclass(frozen=True)
class _Marks:
    """What the digits of a column say of its marks, in cells."""

    comma_decimal: int
    point_decimal: int
    unclear_comma: int
    unclear_point: int
    grouped: str
    """The mark between thousands where one is seen, '' otherwise."""


def numeric(words: Words) -> Guess | None:
    """Return the guess that *words* are numbers, amounts or percentages, if they are."""
    if share_of(_Parts(words.probe).right) < 0.5:
        return None
    parts = _Parts(words.values)
    marked = share_of(parts.money) > 0.5
    unit = "%" if share_of(parts.percent) > 0.5 else _unit(words, parts, marked)
    if unit is None:
        return None
    marks = _marks(words, parts.core.filter(parts.right), parts.right)
    form, ambiguous = number_form(marks, marked)
    read = words.numbers(form, marks_around(unit, marked), large=marked)
    mask = read.is_not_null()
    if words.weigh(mask) < (_LEAST_AMOUNTS if marked else _LEAST) * words.total:
        return None
    return _named(words, parts, mask, read, (form, unit, ambiguous))


class _Parts:
    """Texts taken apart: the digits, and what stands before and after them in lower case."""

    def __init__(self, texts: pl.Series) -> None:
        parts = texts.str.extract_groups(_SPLIT).struct.unnest()
        self.core = parts["core"]
        self.before = parts["before"].str.strip_chars(_AROUND).str.to_lowercase()
        self.after = parts["after"].str.strip_chars(_AROUND).str.to_lowercase()
        before = self.before.is_in(_MONEY).fill_null(False)
        self.right = (before | (self.before == "").fill_null(False)) & self.core.is_not_null()
        if (self.after != "").any():
            self.after = self.after.str.replace(_LARGE, "")
        self.money = before | self.after.is_in(_MONEY).fill_null(False)
        self.percent = ((self.before == "%") | (self.after == "%")).fill_null(False)
        self.mark = self.before.zip_with(before, self.after)
        """The currency of each, where `money` says that there is one."""


def _named(
    words: Words,
    parts: _Parts,
    mask: pl.Series,
    read: pl.Series,
    found: tuple[NumberForm, str, str | None],
) -> Guess:
    form, unit, ambiguous = found
    total = words.weigh(mask)
    if unit == "%":
        return words.guess(Kind.PERCENTAGE, mask, "numbers with a percent sign", form=form.words,
                           unit="%", ambiguous=ambiguous)  # fmt: skip
    if words.weigh(parts.money & mask) > 0.5 * total:
        return _amounts(words, mask & parts.money, mask, parts.mark, (form, ambiguous))
    whole = not read.drop_nulls().str.contains(r"\.0*[1-9]|[eE]").any()
    place = coordinate(words.hints, read.cast(pl.Float64, strict=False).drop_nulls())
    if place is not None and not unit:
        why = f"within the range of a {place}"
        return words.guess(Kind.GEO, mask, why, form=form.words, unit=place, ambiguous=ambiguous)
    kind = Kind.NUMBER if whole else Kind.NUMBER_WITH_DECIMALS
    why = "whole numbers" if whole else "numbers"
    if unit:
        why += f" with the unit {unit}"
    return words.guess(kind, mask, why, form=form.words, unit=unit or None, ambiguous=ambiguous)


_PLACES = (
    (word_set("lat latitude lats latitud"), 90, "latitude"),
    (word_set("lon lng long longitude lons longitud"), 180, "longitude"),
)


def coordinate(names: frozenset[str], values: pl.Series) -> str | None:
    """Return `latitude` or `longitude` where a column is named so and in its range."""
    for words, limit, said in _PLACES:
        if not names.isdisjoint(words) and len(values) and bool((values.abs() <= limit).all()):
            return said
    return None


def _amounts(
    words: Words,
    money: pl.Series,
    mask: pl.Series,
    marks: pl.Series,
    found: tuple[NumberForm, str | None],
) -> Guess:
    form, ambiguous = found
    amounts = pl.DataFrame({"m": marks, "n": words.cells}).filter(money)
    counted = amounts.group_by("m").agg(pl.col("n").sum())
    counted = counted.sort(["n", "m"], descending=[True, False])
    codes = list(dict.fromkeys(currency_code(mark) for mark in counted["m"].to_list()))
    mixed = f"several currencies: {', '.join(codes[:4])}" if len(codes) > 1 else None
    return words.guess(
        Kind.CURRENCY, mask, f"amounts in {codes[0]}", form=form.words, unit=codes[0],
        ambiguous=mixed or ambiguous,
    )  # fmt: skip


def currency_code(mark: str) -> str:
    """Return the ISO 4217 code that *mark* of an amount usually means."""
    if mark.upper() in CURRENCY_CODES:
        return mark.upper()
    by_case = {sign.lower(): code for sign, code in CURRENCY_SIGNS.items()}
    return by_case.get(mark.lower(), mark)


def _unit(words: Words, parts: _Parts, amounts: bool) -> str | None:
    """Return the unit that stands after the numbers, '' without one, None for what is none."""
    ends = pl.DataFrame({"u": parts.after, "n": words.cells}).filter(parts.right)
    known = [*_MONEY, "%", "", *(_MAGNITUDE_WORDS if amounts else ())]
    ends = ends.drop_nulls().filter(~pl.col("u").is_in(known))
    counted = ends.group_by("u").agg(pl.col("n").sum())
    if not counted.height:
        return ""
    unit, cells = counted.sort(["n", "u"], descending=[True, False]).row(0)
    if cells < 0.2 * words.total:
        return ""
    if str(unit).lower() in UNITS and cells > 0.5 * words.total:
        return str(unit)
    return None


_GAP = r"[ \u00a0\u2009\u202f]"
_SEEN = {
    "comma": rf"^\d*,(?:\d{{1,2}}|\d{{4,}})$|^0?,\d+$|(?:[.'’]|{_GAP})\d+,\d+$|^\d{{4,}},\d+$",
    "point": rf"^\d*\.(?:\d{{1,2}}|\d{{4,}}|)$|^0?\.\d+$|(?:[,'’]|{_GAP})\d+\.\d+$"
    r"|^\d{4,}\.\d+$|[eE]",
    "commas": r"^\d{1,3}(?:,\d{2,3})+,\d{3}(?:\.\d*)?$|^\d{1,3},\d{3}\.\d*$",
    "points": r"^\d{1,3}(?:\.\d{3}){2,}$",
    "one_comma": r"^[1-9]\d{0,2},\d{3}$",
    "one_point": r"^[1-9]\d{0,2}\.\d{3}$",
    "space": rf"\d{_GAP}\d{{3}}",
    "quote": r"\d['’]\d{3}",
}
"""What the digits of a number look like, and what it says of the marks in it."""


def _marks(words: Words, core: pl.Series, right: pl.Series) -> _Marks:
    frame = pl.DataFrame({"c": core, "n": words.cells.filter(right)})
    seen = frame.select(
        pl.col("n").filter(pl.col("c").str.contains(pattern)).sum().alias(name)
        for name, pattern in _SEEN.items()
    ).row(0, named=True)
    return _Marks(
        int(seen["comma"] + seen["points"]),
        int(seen["point"] + seen["commas"]),
        int(seen["one_comma"]),
        int(seen["one_point"]),
        " " if seen["space"] else "'" if seen["quote"] else "," if seen["commas"] else "",
    )


def number_form(marks: _Marks, money: bool) -> tuple[NumberForm, str | None]:
    """Return how the numbers of a column are written, and what is unclear about it.

    Where nothing tells, 1.234 is a thousand and more if it is *money*, else one and a fraction.
    """
    if not marks.comma_decimal and not marks.point_decimal:
        if marks.unclear_comma and not marks.unclear_point:
            unclear = "1,234 could be 1.234 as well: no value tells which mark the comma is"
            return NumberForm(".", ","), unclear
        if marks.unclear_point:
            unclear = "1.234 could be 1,234 as well: no value tells which mark the point is"
            return NumberForm(",", ".") if money else NumberForm(".", marks.grouped), unclear
        return NumberForm(".", marks.grouped), None
    both = marks.comma_decimal and marks.point_decimal
    if marks.comma_decimal > marks.point_decimal:
        form = NumberForm(",", marks.grouped.replace(",", "") or ".")
    else:
        form = NumberForm(".", marks.grouped or ("," if marks.unclear_comma or both else ""))
    return form, "some values have a comma as the decimal mark, some a point" if both else None
