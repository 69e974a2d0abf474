"""Texts: white space, case, invisible characters, encodings."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from typing import Any

import polars as pl

from kozmo_bridge.cleaner.actions import Given, Parameter, cells
from kozmo_bridge.cleaner.actions.values import on_distinct
from kozmo_singer.errors import MissingDriver

INVISIBLE = r"[\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff\u00ad\u180e]"
CONTROL = r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]"
JOINERS = r"(^|[\x00-\x7f])[\u200c\u200d]+"
"""Joiners mean something between letters of Persian or Hindi and in emoji, not after ASCII."""
CURRENCIES = ["$", "€", "£", "¥", "₹", "元", "₽", "₩", "Rs.", "Rs", "CAD", "USD", "EUR", "GBP"]
_SUSPECT = r"[^\x00-\x7f]"
"""ftfy has nothing to do for a text of ASCII, HTML entities aside, which are left alone."""


@cells(
    side=Parameter(str, "where to trim", "both", choices=("both", "left", "right")),
)
def trim_whitespace(column: pl.Series, given: Given) -> pl.Series:
    """Takes white space from the ends of texts."""
    text = column.str
    by_side = {"both": text.strip_chars, "left": text.strip_chars_start}
    return by_side.get(given["side"], text.strip_chars_end)()


@cells()
def lowercase(column: pl.Series, given: Given) -> pl.Series:
    """Writes texts in small letters."""
    return column.str.to_lowercase()


@cells()
def uppercase(column: pl.Series, given: Given) -> pl.Series:
    """Writes texts in capital letters."""
    return column.str.to_uppercase()


@cells(
    case=Parameter(
        str,
        "`title` begins every word with a capital letter, `sentence` the first",
        required=True,
        choices=("lower", "upper", "title", "sentence"),
    )
)
def change_case(column: pl.Series, given: Given) -> pl.Series:
    """Writes texts in small or capital letters, as titles or as sentences."""
    case = given["case"]
    if case == "lower":
        return column.str.to_lowercase()
    if case == "upper":
        return column.str.to_uppercase()
    if case == "title":
        return column.str.to_titlecase()
    made: pl.Series = column.str.head(1).str.to_uppercase() + column.str.slice(1).str.to_lowercase()
    return made


@cells()
def collapse_whitespace(column: pl.Series, given: Given) -> pl.Series:
    """Makes one space of each stretch of white space, and trims the ends."""
    return column.str.replace_all(r"\s+", " ").str.strip_chars()


@cells()
def strip_control(column: pl.Series, given: Given) -> pl.Series:
    """Takes out control characters and such as have no width; tabs and line ends stay."""
    plain = column.str.replace_all(f"{INVISIBLE}|{CONTROL}", "")
    return plain.str.replace_all(JOINERS, "${1}")


@cells(
    form=Parameter(
        str,
        "NFC: accents and letters are one character; NFKC: wide and small letters become plain",
        "NFC",
        choices=("NFC", "NFKC", "NFD", "NFKD"),
    )
)
def normalize_unicode(column: pl.Series, given: Given) -> pl.Series:
    """Writes equal texts with equal characters."""
    return column.str.normalize(given["form"])


@cells(
    thorough=Parameter(
        bool,
        "whether texts are repaired too of which only their bytes tell: for columns that hold many",
        False,
    )
)
def fix_mojibake(column: pl.Series, given: Given) -> pl.Series:
    """Repairs texts that were read in the wrong encoding: schÃ¶n becomes schön."""
    try:
        import ftfy
    except ImportError as error:
        raise MissingDriver("the action fix_mojibake", "ftfy", "clean") from error
    suspect = column.str.contains(_SUSPECT).fill_null(False)
    if not suspect.any():
        return column
    attempt = _repaired if given["thorough"] else ftfy.fix_encoding
    repaired = on_distinct(column.filter(suspect), lambda text: _settled(text, attempt))
    return column.scatter(suspect.arg_true(), repaired)


_LAYERS = 8


def _settled(text: str, repair: Callable[[str], str]) -> str:
    """Return *text* once nothing more is to be repaired: it can have been misread repeatedly.

    Letters written apart from their accents hide what was misread, so they are put together.
    """
    plain = fixed = unicodedata.normalize("NFC", text)
    for _ in range(_LAYERS):
        before, fixed = fixed, repair(fixed)
        if fixed == before:
            break
    return text if fixed == plain else fixed


def _repaired(text: str) -> str:
    """Return what ftfy makes of *text*, or what its bytes say where ftfy is not sure."""
    import ftfy

    fixed: str = ftfy.fix_encoding(text)
    if fixed != text:
        return fixed
    return _decoded(text, "cp1252") or _decoded(text, "latin-1") or text


def _decoded(text: str, encoding: str) -> str | None:
    """Return *text*, whose bytes are UTF-8 that was read as *encoding*; None if they are not."""
    try:
        return text.encode(encoding).decode("utf-8")
    except UnicodeError:
        return None


@cells(
    reformat=Parameter(
        str,
        "what to do",
        required=True,
        choices=("caps_standardization", "currency_to_num", "date_format_conversion", "trim"),
    ),
    capitalization=Parameter(
        str, "for `caps_standardization`", "lowercase", choices=("lowercase", "uppercase")
    ),
    on_error=Parameter(
        str,
        "what becomes of values that are no number or date: the column stays, or they are null",
        "fault",
        choices=("fault", "null"),
    ),
)
def reformat(column: pl.Series, given: Given) -> pl.Series:
    """Mage AI's: one case, amounts as numbers, dates as moments, or ends trimmed."""
    from kozmo_bridge.cleaner.actions import action_of

    what = given["reformat"]
    if what == "caps_standardization":
        upper = given["capitalization"] == "uppercase"
        made = column.str.to_uppercase() if upper else column.str.to_lowercase()
        return made.set(made.str.strip_chars() == "", None)
    if what == "trim":
        return column.str.strip_chars()
    name = "parse_number" if what == "currency_to_num" else "parse_date"
    action = action_of(name)
    assert action.of_cells
    options = {key: each.default for key, each in action.parameters.items()}
    extra: dict[str, Any] = (
        {"dtype": "Float64", "thousands": ",", "strip": CURRENCIES}
        if name == "parse_number"
        else {"dtype": "datetime"}
    )
    return action.of_cells(column, {**options, **extra, "on_error": given["on_error"]})
