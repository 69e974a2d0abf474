"""Values that a standard says how to write: phone numbers and countries."""

from __future__ import annotations

from functools import cache
from typing import Any

import polars as pl

from kozmo_bridge.cleaner.actions import Given, Parameter, cells
from kozmo_bridge.cleaner.actions.values import on_distinct
from kozmo_singer.errors import ConfigError, MissingDriver

_MORE_NAMES = {
    "usa": "US", "u.s.a.": "US", "u.s.": "US", "america": "US", "uk": "GB", "u.k.": "GB",
    "great britain": "GB", "england": "GB", "scotland": "GB", "wales": "GB", "holland": "NL",
    "russia": "RU", "south korea": "KR", "north korea": "KP", "vietnam": "VN", "iran": "IR",
    "syria": "SY", "turkey": "TR", "czech republic": "CZ", "ivory coast": "CI", "macedonia": "MK",
    "swaziland": "SZ", "burma": "MM", "uae": "AE", "cape verde": "CV", "deutschland": "DE",
    "österreich": "AT", "schweiz": "CH", "españa": "ES", "italia": "IT", "brasil": "BR",
    "méxico": "MX", "türkiye": "TR",
}  # fmt: skip
"""Names that are in use and that ISO 3166 does not have."""
FORMS = {"alpha-2": "alpha_2", "alpha-3": "alpha_3", "name": "name"}


@cells(
    region=Parameter(str, "the country of numbers without a country code: US, DE"),
    form=Parameter(str, "how to write them", "e164", choices=("e164", "international", "national")),
)
def standardize_phone(column: pl.Series, given: Given) -> pl.Series:
    """Writes phone numbers alike; what is none stays as it is."""
    try:
        import phonenumbers
    except ImportError as error:
        raise MissingDriver("the action standardize_phone", "phonenumbers", "clean-all") from error
    region = given["region"].upper() if given["region"] else None
    if region is not None and region not in phonenumbers.SUPPORTED_REGIONS:
        raise ConfigError(f"'{given['region']}' is no region: two letters, such as US or DE")
    forms = {
        "e164": phonenumbers.PhoneNumberFormat.E164,
        "international": phonenumbers.PhoneNumberFormat.INTERNATIONAL,
        "national": phonenumbers.PhoneNumberFormat.NATIONAL,
    }
    form = forms[given["form"]]

    def written(text: str) -> str:
        try:
            number = phonenumbers.parse(text, region)
        except phonenumbers.NumberParseException:
            return text
        if not phonenumbers.is_valid_number(number):
            return text
        made: str = phonenumbers.format_number(number, form)
        extension = number.extension if given["form"] == "e164" else None
        return f"{made};ext={extension}" if extension else made

    return on_distinct(column, written)


@cells(to=Parameter(str, "what to write", "alpha-2", choices=tuple(FORMS)))
def standardize_country(column: pl.Series, given: Given) -> pl.Series:
    """Writes countries alike, as codes of ISO 3166 or by name; what is none stays as it is."""
    known, attribute = _countries(), FORMS[given["to"]]

    def written(text: str) -> str:
        country = known.get(" ".join(text.split()).casefold())
        return text if country is None else str(getattr(country, attribute))

    return on_distinct(column, written)


@cache
def _countries() -> dict[str, Any]:
    """Return the countries by all of their names and codes, in small letters."""
    try:
        import pycountry
    except ImportError as error:
        raise MissingDriver("the action standardize_country", "pycountry", "clean-all") from error
    found: dict[str, Any] = {}
    for name in ("official_name", "common_name", "name", "alpha_3", "alpha_2"):
        for country in pycountry.countries:
            if hasattr(country, name):
                found[getattr(country, name).casefold()] = country
    for name, code in _MORE_NAMES.items():
        found.setdefault(name, pycountry.countries.get(alpha_2=code))
    return found
