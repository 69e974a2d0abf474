"""What a column can be: a closed set of kinds, the eleven of Mage AI among them."""

from __future__ import annotations

from enum import Enum


class Kind(str, Enum):
    """What the values of a column are, whatever type they are stored as.

    `format` and `unit` of a Guess say more: the pattern of a date, the currency of an amount.
    """

    TRUE_OR_FALSE = "true_or_false"
    """Two values that say yes and no: true/false, yes/no, y/n, t/f, on/off, 1/0."""
    NUMBER = "number"
    """Whole numbers."""
    NUMBER_WITH_DECIMALS = "number_with_decimals"
    CURRENCY = "currency"
    """Amounts that carry their currency; `unit` is its ISO 4217 code."""
    PERCENTAGE = "percentage"
    """Numbers that carry a percent sign."""
    DURATION = "duration"
    """Spans of time: 01:30:00, PT5M, 3 days, timedeltas."""
    DATETIME = "datetime"
    """Dates, times of day and moments."""
    EMAIL = "email"
    PHONE_NUMBER = "phone_number"
    ZIP_CODE = "zip_code"
    """Postal codes of any country."""
    URL = "url"
    IP = "ip"
    """Addresses of IPv4 and IPv6, with or without a mask."""
    UUID = "uuid"
    COUNTRY_CODE = "country_code"
    """ISO 3166 codes of two or three letters."""
    LANGUAGE_CODE = "language_code"
    """ISO 639 codes, and tags such as en-US."""
    GEO = "geo"
    """Latitudes, longitudes, or both in one cell."""
    IDENTIFIER = "identifier"
    """Keys and codes: never numbers, whatever digits they are made of."""
    CATEGORY = "category"
    """Few words that come again and again."""
    CATEGORY_HIGH_CARDINALITY = "category_high_cardinality"
    """Short words of which there are many: names, places."""
    TEXT = "text"
    """Words in a row that hardly come again."""
    LIST = "list"
    JSON = "json"
    """Objects of JSON, structs and dicts."""
    BINARY = "binary"
    EMPTY = "empty"
    """No value at all."""

    __str__ = str.__str__


NUMERIC = frozenset({Kind.NUMBER, Kind.NUMBER_WITH_DECIMALS, Kind.CURRENCY, Kind.PERCENTAGE})
"""Kinds whose values are numbers once they are parsed."""
CATEGORICAL = frozenset({Kind.CATEGORY, Kind.CATEGORY_HIGH_CARDINALITY, Kind.TRUE_OR_FALSE})
WORDS = frozenset({Kind.CATEGORY, Kind.CATEGORY_HIGH_CARDINALITY, Kind.TEXT})
"""Kinds whose values people wrote as words."""
