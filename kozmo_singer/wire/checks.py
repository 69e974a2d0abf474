"""Whether texts have the form of their type, a column of them at a time.

A regular expression takes a third of a microsecond a value, so values that look alike are not given
to it one by one: where the first is well formed and all others have its shape (the same characters,
but for digits), what is left to look at are the two-digit numbers that have a range.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

_DATE = r"\d{4,7}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])"
_ZONE = r"(?: ?(?:Z|z|UTC|[+-]\d\d(?::?\d\d(?::\d\d)?)?))"
_CLOCK = r"(?:[01]\d|2[0-4]):[0-5]\d(?::[0-6]\d(?:[.,]\d+)?)?"
_TIMESTAMP = rf"(?:{_DATE}(?:[Tt ]{_CLOCK}{_ZONE}?)?(?: BC)?|-?infinity)"
FORMATS: dict[str, str] = {
    # A date may come as the midnight that it begins with; any other time would be lost.
    "date": rf"(?:{_DATE}(?:[Tt ]00:00(?::00(?:\.0+)?)?{_ZONE}?)?(?: BC)?|-?infinity)",
    "time": rf"{_CLOCK}{_ZONE}?",
    "timestamp": _TIMESTAMP,
    "timestamptz": _TIMESTAMP,
    "uuid": r"\{?[0-9a-fA-F]{8}-?(?:[0-9a-fA-F]{4}-?){3}[0-9a-fA-F]{12}\}?",
    "base16": r"(?:[0-9a-fA-F]{2})*",
    "base64": r"(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?",
}
_ONE = {name: re.compile(pattern, re.ASCII) for name, pattern in FORMATS.items()}
_MANY = {name: re.compile(rf"(?:{pattern}\n)*", re.ASCII) for name, pattern in FORMATS.items()}
_DECIMAL = re.compile(rb"-?0+(?:\.0+)?(?:[eE][+-]?0+)?")
_HUGE = re.compile(rb"[eE][+-]?0{18}")

_DIGITS = bytes.maketrans(b"123456789", b"0" * 9)
_HEX = bytes.maketrans(b"123456789abcdefABCDEF", b"0" * 21)
_VALUES = bytes.maketrans(b"0123456789", bytes(range(10)))
_MONTHS, _DAYS, _HOURS = bytes(range(1, 13)), bytes(range(1, 32)), bytes(range(25))
_MINUTES, _SECONDS = bytes(range(60)), bytes(range(70))
_OF_DATES = ((5, _MONTHS), (8, _DAYS))
_OF_CLOCKS = ((0, _HOURS), (3, _MINUTES), (6, _SECONDS))
_OF_MOMENTS = (*_OF_DATES, *((11 + at, allowed) for at, allowed in _OF_CLOCKS))
# What a shape must begin with, and where it then has numbers of which range.
_RANGES: dict[str, tuple[tuple[bytes, tuple[tuple[int, bytes], ...]], ...]] = {
    "date": ((b"0000-00-00\n", _OF_DATES),),
    "time": ((b"00:00:00", _OF_CLOCKS),),
    "timestamp": ((b"0000-00-00T00:00:00", _OF_MOMENTS), (b"0000-00-00 00:00:00", _OF_MOMENTS)),
    "uuid": ((b"", ()),),
}
_RANGES["timestamptz"] = _RANGES["timestamp"]
_MOST_LENGTHS = 8


def well_formed(name: str, values: Sequence[str]) -> bool:
    """Whether each of *values* is text of the type or encoding *name*, a key of FORMATS."""
    if not values:
        return True
    if name == "base16":
        return not "".join(values).strip("0123456789abcdefABCDEF") and not any(
            len(value) & 1 for value in values
        )
    lengths = set(map(len, values))
    if name not in _RANGES or len(lengths) > _MOST_LENGTHS:
        return _matches(name, values)
    if len(lengths) == 1:
        return _alike(name, values) or _matches(name, values)
    groups = ([value for value in values if len(value) == length] for length in lengths)
    return all(_alike(name, group) or _matches(name, group) for group in groups)


def one_well_formed(name: str, value: str) -> bool:
    """Whether *value* is text of the type or encoding *name*."""
    return _ONE[name].fullmatch(value) is not None


def _matches(name: str, values: Sequence[str]) -> bool:
    return _MANY[name].fullmatch("\n".join([*values, ""])) is not None


def _alike(name: str, values: Sequence[str]) -> bool:
    """Whether all *values*, which are of one length, are like the first, and that well formed."""
    count, width = len(values), len(values[0]) + 1
    text = "\n".join([*values, ""]).encode("utf-8", "replace")
    plain = text.translate(_HEX if name == "uuid" else _DIGITS)
    shape = plain[:width]
    ranges = next((ranges for head, ranges in _RANGES[name] if shape.startswith(head)), None)
    if ranges is None or plain != shape * count or not _ONE[name].fullmatch(values[0]):
        return False
    numbers = text.translate(_VALUES)
    return not any(
        _pairs(numbers[at::width], numbers[at + 1 :: width]).strip(allowed)
        for at, allowed in ranges
    )


def _pairs(tens: bytes, units: bytes) -> bytes:
    """Numbers of two digits, from their digits: as one sum of large integers, a byte a number."""
    total = int.from_bytes(tens, "big") * 10 + int.from_bytes(units, "big")
    return total.to_bytes(len(tens), "big")


def looks(tokens: Sequence[bytes]) -> bytes:
    """Return *tokens* with a 0 for each digit, and a newline before and after each."""
    return b"\n".join([b"", *tokens, b""]).translate(_DIGITS)


def are_numbers(found: bytes) -> bool:
    """Whether tokens that look like this, which are JSON, are numbers all."""
    return not found.translate(None, b"0.-+eE\n")


def are_decimals(found: bytes) -> bool:
    """Whether texts that look like this are numbers all."""
    return all(map(_DECIMAL.fullmatch, set(found.split(b"\n")) - {b""}))


def beyond_decimals(found: bytes) -> bool:
    """Whether a number that looks like this has an exponent that Python's Decimal cannot hold."""
    return (b"e" in found or b"E" in found) and _HUGE.search(found) is not None


def fit_digits(found: bytes, precision: int, scale: int) -> bool:
    """Whether numbers that look like this have surely no more digits than decimal(p,s) holds.

    False where it needs a closer look: zeros at either end count here, and so do exponents.
    """
    whole = b"0" * (precision - scale + 1)
    return not (
        b"." + b"0" * (scale + 1) in found
        or b"\n" + whole in found
        or b"-" + whole in found
        or b"e" in found
        or b"E" in found
    )


def is_utf8(text: bytes) -> bool:
    """Return whether *text* is UTF-8, which msgspec does not look at in what it leaves as JSON."""
    if not text.isascii():
        try:
            text.decode()
        except UnicodeDecodeError:
            return False
    return True
