"""Texts as numbers, dates and spans of time: what detection tries and the actions do.

Every function takes a polars Series of texts and returns one as long, null where a text cannot be
read so; none raises for what a text holds.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from kozmo_bridge.cleaner.patterns import CURRENCY_MARK, word_set

GROUPS = {",": ",", ".": r"\.", " ": r"[ \u00a0\u2009\u202f]", "'": "['’]", "_": "_"}
"""Marks between thousands, as they stand in a pattern."""
_MARKS = {" ": "space", "'": "apostrophe", ",": "comma", ".": "point", "_": "underscore"}
MAGNITUDES = (
    (r"(?i:k|tsd|thousand)", "e3"),
    (r"(?i:m|mn|mm|mio|million)", "e6"),
    (r"(?i:b|bn|mrd|billion)", "e9"),
)
"""What stands for thousands, millions and billions after the digits of an amount."""
_MAGNITUDE = "|".join(pattern for pattern, _ in MAGNITUDES)
UNITS = word_set(
    "mg g kg t lb lbs oz st ton tons tonne tonnes mm cm m km in inch inches ft feet yd mi "
    "mile miles nm ml cl dl l liter liters litre litres gal gallon gallons cc mpg mph kmh "
    "km/h kph m/s kn kt kts w kw mw kwh mwh hp bhp ps v kv a ma ah mah hz khz mhz ghz b kb mb "
    "gb tb kib mib gib pb bit mbps bps px pt pts dpi °c °f °k k c f pa hpa kpa bar psi nm j "
    "kj cal kcal rpm lm lx db ppm ppb m² m2 km² km2 sqft sqm ft² ha acre acres m³ m3 pcs pc "
    "people persons items units"
)  # fmt: skip
"""What may follow a number, in lower case, without making a code of it."""
_NEGATIVE = ["-", "−", "–", "()"]


@dataclass(frozen=True)
class NumberForm:
    """How numbers are written: the decimal mark, the mark between thousands ('' for none)."""

    decimal: str = "."
    thousands: str = ""

    @property
    def digits(self) -> str:
        """A pattern of the digits of a number, without sign, currency and unit."""
        point = r"\." if self.decimal == "." else ","
        d = "[0-9]"  # \d is digits of all scripts, which no type of numbers reads
        whole = f"{d}+"
        if self.thousands:
            mark = GROUPS[self.thousands]
            lakhs = rf"{d}{{1,2}}(?:{mark}{d}{{2}})+{mark}{d}{{3}}"
            whole = rf"(?:{d}{{1,3}}(?:{mark}{d}{{3}})+|{lakhs}|{d}+)"
        return rf"(?:{whole}(?:{point}{d}*)?|{point}{d}+)(?:[eE][-+]?{d}{{1,3}})?"

    @property
    def words(self) -> str | None:
        """The form in words, where it is not the plain one."""
        if self == NumberForm():
            return None
        said = "decimal comma" if self.decimal == "," else "decimal point"
        return said + (f", thousands by {_MARKS[self.thousands]}" if self.thousands else "")

    @classmethod
    def of(cls, words: str | None) -> NumberForm:
        """Return the form that `words` tells."""
        decimal, _, thousands = (words or "").partition(", thousands by ")
        marks = {name: mark for mark, name in _MARKS.items()}
        return cls("," if decimal == "decimal comma" else ".", marks.get(thousands, ""))


def marks_around(unit: str = "", money: bool = False) -> str:
    """Return a pattern of what may stand around numbers: *unit*, currencies; '' for nothing."""
    found = [CURRENCY_MARK] if money else []
    return "|".join([*found, *([f"(?i:{re.escape(unit)})"] if unit else [])])


def number_texts(
    texts: pl.Series, form: NumberForm, around: str = "", large: bool = False
) -> pl.Series:
    """Return the numbers of *texts* as Python and SQL write them: '1.234,50 €' is 1234.50.

    Signs, parentheses for negative amounts, and what the pattern *around* says may stand beside
    the digits; what is no such number is null. A percentage keeps its number: 5 of '5 %'. With
    *large*, k, M and bn after the digits count: '1.5 M' is 1.5e6.
    """
    mark = f"(?:{around})?" if around else ""
    power = rf"(?:(?P<large>{_MAGNITUDE})\b)?\s*" if large else ""
    parts = pl.col("t").str.extract_groups(
        rf"^\s*(?P<sign>[(+\-−–]*)\s*{mark}\s*(?P<inner>[+\-−–]?)\s*(?P<digits>{form.digits})"
        rf"\s*{power}{mark}\s*(?P<end>\)?[-−]?)\s*$"
    )
    digits = parts.struct.field("digits")
    if form.thousands:
        digits = digits.str.replace_all(GROUPS[form.thousands], "")
    if form.decimal == ",":
        digits = digits.str.replace(",", ".", literal=True)
    for pattern, exponent in MAGNITUDES if large else ():
        marked = parts.struct.field("large").str.contains(f"^{pattern}$")
        digits = pl.when(marked.fill_null(False)).then(digits + exponent).otherwise(digits)
    signs = parts.struct.field("sign") + parts.struct.field("inner") + parts.struct.field("end")
    # An open parenthesis alone, or two signs, are no number.
    fits = signs.is_in(["", "+", *_NEGATIVE])
    made = pl.when(signs.is_in(_NEGATIVE)).then(pl.lit("-") + digits).when(fits).then(digits)
    return pl.DataFrame({"t": texts}).select(made.alias(texts.name)).to_series()


DATE_FORMATS: tuple[tuple[str, str], ...] = (
    (r"^\d{4}-\d{1,2}-\d{1,2}$", "%Y-%m-%d"),
    (r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?$", "%Y-%m-%dT%H:%M:%S%.f"),
    (r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z$", "%Y-%m-%dT%H:%M:%S%.fZ"),
    (r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?[-+]\d\d:?\d\d$", "%Y-%m-%dT%H:%M:%S%.f%z"),
    (r"^\d{4}-\d\d-\d\dT\d\d:\d\d$", "%Y-%m-%dT%H:%M"),
    (r"^\d{4}-\d{1,2}-\d{1,2} \d{1,2}:\d\d:\d\d(?:\.\d+)?$", "%Y-%m-%d %H:%M:%S%.f"),
    (r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d+)?[-+]\d\d:?\d\d$", "%Y-%m-%d %H:%M:%S%.f%z"),
    (r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d+)? [-+]\d\d:?\d\d$", "%Y-%m-%d %H:%M:%S%.f %z"),
    (r"^\d{4}-\d\d-\d\dT\d\d:\d\d(?:Z|[-+]\d\d:?\d\d)$", "%Y-%m-%dT%H:%M%z"),
    (r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d+)? ?UTC$", "%Y-%m-%d %H:%M:%S%.f UTC"),
    (r"^\d{4}-\d{1,2}-\d{1,2} \d{1,2}:\d\d$", "%Y-%m-%d %H:%M"),
    (r"^\d{4}/\d{1,2}/\d{1,2}$", "%Y/%m/%d"),
    (r"^\d{4}/\d{1,2}/\d{1,2} \d{1,2}:\d\d:\d\d(?:\.\d+)?$", "%Y/%m/%d %H:%M:%S%.f"),
    (r"^\d{4}/\d{1,2}/\d{1,2} \d{1,2}:\d\d$", "%Y/%m/%d %H:%M"),
    (r"^\d{4}\.\d{1,2}\.\d{1,2}$", "%Y.%m.%d"),
    (r"^(?:19|20)\d{6}$", "%Y%m%d"),
    (r"^(?:19|20)\d{6}T?\d{6}$", "%Y%m%dT%H%M%S"),
    (r"^\d{4}-\d\d$", "%Y-%m"),
    (r"^\d{4}/\d\d$", "%Y/%m"),
    (r"(?i)^\d{1,2} [a-z]{3,9}\.?,? \d{4}$", "%d %B %Y"),
    (r"(?i)^\d{1,2} [a-z]{3,9} \d{4} \d{1,2}:\d\d:\d\d$", "%d %B %Y %H:%M:%S"),
    (r"(?i)^\d{1,2}-[a-z]{3,9}-\d{4}$", "%d-%B-%Y"),
    (r"(?i)^\d{1,2}-[a-z]{3}-\d{2}$", "%d-%b-%y"),
    (r"(?i)^\d{1,2}[ ]?[a-z]{3}[ ]?\d{2}$", "%d%b%y"),
    (r"(?i)^[a-z]{3,9}\.? \d{1,2},? \d{4}$", "%B %d %Y"),
    (r"(?i)^[a-z]{3,9}\.? \d{1,2},? \d{4} \d{1,2}:\d\d$", "%B %d %Y %H:%M"),
    (r"(?i)^[a-z]{6,9}, [a-z]{3,9} \d{1,2}, \d{4}$", "%A %B %d %Y"),
    (r"(?i)^\d{4}[- ][a-z]{3,9}[- ]\d{1,2}$", "%Y %B %d"),
    (r"(?i)^\d{1,2} [a-z]{3,9} \d{4} \d{1,2}:\d\d:\d\d [-+]\d{4}$", "%d %B %Y %H:%M:%S %z"),
    (r"(?i)^\d{1,2}[a-z]{3}\d{4}$", "%d%b%Y"),
    (r"(?i)^\d{1,2}[a-z]{3}\d{4}[ :]\d{1,2}:\d\d:\d\d(?:\.\d+)?$", "%d%b%Y %H:%M:%S%.f"),
    (r"(?i)^[a-z]{3,9} \d{4}$", "%B %Y"),
    (r"(?i)^[a-z]{3}-\d{4}$", "%b-%Y"),
    (r"(?i)^[a-z]{3}-\d{2}$", "%b-%y"),
    (r"(?i)^[a-z]{3}, \d{1,2} [a-z]{3} \d{4} \d\d:\d\d:\d\d (?:GMT|UTC|[-+]\d{4})$", "rfc 2822"),
    (r"(?i)^[a-z]{3} [a-z]{3} +\d{1,2} \d\d:\d\d:\d\d \d{4}$", "%a %b %e %H:%M:%S %Y"),
    (r"(?i)^\d\d/[a-z]{3}/\d{4}:\d\d:\d\d:\d\d(?: [-+]\d{4})?$", "%d/%b/%Y:%H:%M:%S %z"),
    (r"^\d{1,2}:\d\d$", "%H:%M"),
    (r"^\d{1,2}:\d\d:\d\d(?:\.\d+)?$", "%H:%M:%S%.f"),
    (r"(?i)^\d{1,2}:\d\d(?::\d\d)? ?[ap]\.?m\.?$", "%I:%M %p"),
)
"""Shapes of dates whose order of day and month is plain, and how they are read."""
_MARKED = (("/", "/"), (".", r"\."), ("-", "-"))
_CLOCKS = (
    (r"", ""),
    (r" \d{1,2}:\d\d", " %H:%M"),
    (r" \d{1,2}:\d\d:\d\d", " %H:%M:%S"),
    (r"(?i: \d{1,2}:\d\d ?[ap]m)", " %I:%M %p"),
    (r"(?i: \d{1,2}:\d\d:\d\d ?[ap]m)", " %I:%M:%S %p"),
)
TURNED_FORMATS: tuple[tuple[str, str, str], ...] = tuple(
    (
        rf"^\d{{1,2}}{mark}\d{{1,2}}{mark}{year}{clock}$",
        f"%d{sign}%m{sign}{reads}{time}",
        f"%m{sign}%d{sign}{reads}{time}",
    )
    for sign, mark in _MARKED
    for year, reads in ((r"\d{4}", "%Y"), (r"\d{2}", "%y"))
    for clock, time in _CLOCKS
)
"""Shapes of dates that say day or month first: the shape, read day first, read month first."""
TIMES_OF_DAY = frozenset({"%H:%M", "%H:%M:%S%.f", "%I:%M %p"})
MONTHS_ALONE = frozenset({"%Y-%m", "%Y/%m", "%B %Y", "%b-%Y", "%b-%y"})


def moments(texts: pl.Series, form: str) -> pl.Series:
    """Return *texts* as Datetime (in UTC, microseconds) of the format *form*, or as Time.

    Months alone are their first day. Commas, points after abbreviations and doubled spaces in
    dates of words do not matter.
    """
    column = pl.col("t").str.strip_chars()
    if form in TIMES_OF_DAY:
        made = column.str.replace_all(r"(?i)\s*([ap])\.?m\.?$", " ${1}m").str.to_time(
            form, strict=False
        )
        return pl.DataFrame({"t": texts}).select(made.alias(texts.name)).to_series()
    if "%B" in form or "%b" in form:
        column = column.str.replace_all(r",|\.\B", "").str.replace_all(r"\s+", " ")
    if form == "%Y %B %d":
        column = column.str.replace_all("-", " ", literal=True)
    if form == "%d%b%Y %H:%M:%S%.f":
        column = column.str.replace(r"^(\w{8,9}):", "${1} ")
    if form == "%Y-%m-%dT%H:%M%z":
        column = column.str.replace("Z$", "+0000")
    if form in MONTHS_ALONE:
        column, form = pl.lit("1 ") + column, f"%d {form}"
    if form == "rfc 2822":
        column = column.str.replace(r"(?i)^[a-z]{3},? *", "").str.replace(
            r"(?i)(?:GMT|UTC)$", "+0000"
        )
        form = "%d %b %Y %H:%M:%S %z"
    if form == "%Y%m%dT%H%M%S":
        column = column.str.replace("T", "", literal=True)
        form = "%Y%m%d%H%M%S"
    if form == "%d%b%y":
        column = column.str.replace_all(" ", "", literal=True)
    made = column.str.to_datetime(form, strict=False, time_unit="us")
    if "%z" in form:
        made = made.dt.convert_time_zone("UTC").dt.replace_time_zone(None)
    return pl.DataFrame({"t": texts}).select(made.alias(texts.name)).to_series()


def moments_of(texts: pl.Series, forms: Sequence[str]) -> pl.Series:
    """Return *texts* read by the first of *forms* that fits each."""
    made = moments(texts, forms[0])
    for form in forms[1:]:
        if made.null_count() == texts.null_count():
            break
        made = made.zip_with(made.is_not_null(), moments(texts, form))
    return made


_SECONDS = {
    "ms": 0.001, "msec": 0.001, "millisecond": 0.001, "s": 1, "sec": 1, "second": 1, "m": 60,
    "min": 60, "minute": 60, "h": 3600, "hr": 3600, "hour": 3600, "d": 86400, "day": 86400,
    "w": 604800, "wk": 604800, "week": 604800, "mo": 2629746, "month": 2629746, "y": 31556952,
    "yr": 31556952, "year": 31556952,
}  # fmt: skip
"""Months and years have the mean length of the Gregorian calendar."""


def spans(texts: pl.Series) -> pl.Series:
    """Return *texts* (01:30:00, PT1H30M, 1 hour 30 min, 2 days) as seconds, Float64."""
    made = [_span(text) for text in texts.to_list()]
    return pl.Series(texts.name, made, dtype=pl.Float64)


def _span(text: str | None) -> float | None:
    if text is None or len(text) > 80:
        return None
    text = text.strip().lower()
    sign, text = (-1, text[1:]) if text.startswith("-") else (1, text)
    clock = re.fullmatch(r"(?:(\d+) days?,? )?(\d{1,4}):([0-5]\d):([0-5]\d(?:[.,]\d+)?)", text)
    if clock:
        days, hours, minutes, seconds = clock.groups()
        whole = int(days or 0) * 86400 + int(hours) * 3600 + int(minutes) * 60
        return sign * (whole + float(seconds.replace(",", ".")))
    if re.fullmatch(r"p(?=.)[\d.ymwdths]+", text):
        return _iso_span(text, sign)
    parts = re.findall(r"(\d+(?:[.,]\d+)?)\s*([a-z]+)\.?", text)
    rest = re.sub(r"\d+(?:[.,]\d+)?\s*[a-z]+\.?|,|\band\b|\s", "", text)
    if not parts or rest:
        return None
    units = [_SECONDS.get(unit, _SECONDS.get(unit.rstrip("s"))) for _, unit in parts]
    if None in units:
        return None
    return sign * sum(
        float(figure.replace(",", ".")) * float(unit or 0)
        for (figure, _), unit in zip(parts, units, strict=True)
    )


def _iso_span(text: str, sign: int) -> float | None:
    date, _, time = text[1:].partition("t")
    total = 0.0
    for part, units in ((date, {"y": 31556952, "m": 2629746, "w": 604800, "d": 86400}),
                        (time, {"h": 3600, "m": 60, "s": 1})):  # fmt: skip
        found = re.findall(r"(\d+(?:\.\d+)?)([a-z])", part)
        if "".join(a + b for a, b in found) != part or any(unit not in units for _, unit in found):
            return None
        total += sum(float(figure) * units[unit] for figure, unit in found)
    return sign * total
