"""Sums of a stream's rows: how many there are, and a hash that does not depend on their order.

A row is the texts of its columns in an order of the reader's, each with its length before it; its
hash is MD5, and the halves of the hashes of all rows are added up, so that a row which is there
twice counts twice. Each value has one text, whoever wrote it and wherever it comes from:

- numbers as their digits without exponent and without zeros at the end; NaN, Infinity, -Infinity
- moments in UTC as ``2024-02-29 12:34:56.789+00``, those without a zone likewise; times and dates
  without zeros at the end of their fraction
- binary as base16, uuids in small letters, booleans as true and false
- JSON with sorted keys, no blanks, and numbers as above

It finds damage, and no forger.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timezone
from decimal import Decimal, InvalidOperation
from typing import Any

import msgspec

from kozmo_singer.wire.types import LogicalType

TEXT = "text"
"""The form of a sum of the texts above; sums that a database makes of its own JSON have another."""
_NULL = "-"
_HALF = 1 << 64
_LONGEST = 200_000
_EXACT: msgspec.json.Decoder[Any] = msgspec.json.Decoder(float_hook=Decimal)
_WHOLE = re.compile(r"-?[1-9]\d*|0", re.ASCII)
_POINT = re.compile(r"-?(?:[1-9]\d*\.\d+|0\.\d*[1-9]\d*)", re.ASCII)
_WORDS = {"nan": "NaN", "inf": "Infinity", "infinity": "Infinity", "+infinity": "Infinity",
          "-inf": "-Infinity", "-infinity": "-Infinity"}  # fmt: skip
_DATE = re.compile(
    r"(\d{4,}-\d\d-\d\d)(?:[T ]00:00:00(?:\.0+)?(?:Z|\+00(?::?00)?)?)?( BC)?", re.ASCII
)
_MOMENT = re.compile(
    r"(\d{4,}-\d\d-\d\d)(?:[T ](\d\d:\d\d)(:\d\d)?(\.\d+)? ?(Z|[+-]\d\d(?::?\d\d)?)?)?( BC)?",
    re.ASCII | re.IGNORECASE,
)
_USUAL = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z", re.ASCII)
_FRACTION = re.compile(r"(\.\d*?)0+(?!\d)", re.ASCII)
_UTC = {"", "Z", "z", "+00", "+00:00", "+0000", "-00:00"}
Value = msgspec.Raw
Canonical = Callable[[Value], str]


class Sum(msgspec.Struct):
    """The rows of a stream: their number, and their hash in 32 digits, of a certain *form*."""

    rows: int
    hash: str
    form: str = TEXT


class Summing:
    """Adds up rows."""

    def __init__(self) -> None:
        self._rows = self._first = self._second = 0

    def add(self, rows: Iterable[Sequence[str | None]]) -> None:
        """Take *rows*, each the canonical texts of its columns; None is null."""
        for row in rows:
            text = "".join([_NULL if t is None else f"{len(t)}:{t}" for t in row])
            raw = text.encode("utf-8", "surrogatepass")
            digest = hashlib.md5(raw, usedforsecurity=False).digest()
            self._first += int.from_bytes(digest[:8], "big")
            self._second += int.from_bytes(digest[8:], "big")
            self._rows += 1

    @property
    def sum(self) -> Sum:
        """What came so far."""
        return Sum(self._rows, spelt(self._first, self._second))


def spelt(first: int, second: int) -> str:
    """Return the hash of a stream whose rows' halves add up to *first* and *second*."""
    return f"{first % _HALF:016x}{second % _HALF:016x}"


def canonical(type: LogicalType) -> Canonical:
    """Return what makes the one text of a JSON value, which is not null, of *type*.

    A value that is none of that type is its own text.
    """
    if type.name == "binary":
        return _base64 if type.encoding == "base64" else lambda value: _plain(value).lower()
    return _CANONICAL.get(type.name, _plain)


def _plain(value: Value) -> str:
    text = str(value, "utf-8")
    if not text.startswith('"'):
        return text
    if "\\" not in text:
        return text[1:-1]
    try:
        return str(msgspec.json.decode(value))
    except (msgspec.DecodeError, UnicodeDecodeError):
        return str(json.loads(text))


def _number(value: Value) -> str:
    text = _plain(value)
    if _WHOLE.fullmatch(text):
        return text
    if _POINT.fullmatch(text):
        return text.rstrip("0").rstrip(".")
    word = _WORDS.get(text.lower())
    if word is not None:
        return word
    try:
        return number(Decimal(text))
    except InvalidOperation:
        return text


def number(value: Decimal) -> str:
    """Return a finite *value* as its digits; one with a vast exponent keeps it."""
    sign, digits, exponent = value.as_tuple()
    if not isinstance(exponent, int):
        return str(value)
    text = "".join(map(str, digits))
    kept = text.rstrip("0")
    exponent += len(text) - len(kept)
    kept = kept.lstrip("0")
    minus = "-" if sign else ""
    if not kept:
        return "0"
    if abs(exponent) > _LONGEST:
        return f"{minus}{kept}e{exponent}"
    if exponent >= 0:
        return f"{minus}{kept}{'0' * exponent}"
    whole, part = kept[:exponent] or "0", kept[exponent:]
    return f"{minus}{whole}.{part.rjust(-exponent, '0')}"


def _date(value: Value) -> str:
    text = _plain(value)
    found = _DATE.fullmatch(text)
    return f"{found[1]}{found[2] or ''}" if found else text


def _time(value: Value) -> str:
    text = _plain(value)
    return _FRACTION.sub(lambda found: found[1].rstrip("."), text)


def _moment(value: Value) -> str:
    text = _plain(value)
    if _USUAL.fullmatch(text):
        return f"{text[:10]} {text[11:19]}{text[19:-1].rstrip('0').rstrip('.')}+00"
    found = _MOMENT.fullmatch(text)
    if found is None:
        return text
    day, clock, seconds, fraction, zone, era = found.groups("")
    if zone in _UTC:
        fraction = fraction.rstrip("0").rstrip(".")
        return f"{day} {clock or '00:00'}{seconds or ':00'}{fraction}+00{era.upper()}"
    return text if era else _in_utc(f"{day}T{clock}{seconds or ':00'}", fraction, zone, text)


def _in_utc(moment: str, fraction: str, zone: str, text: str) -> str:
    digits = zone[1:].replace(":", "").ljust(4, "0")
    try:
        found = datetime.fromisoformat(f"{moment}{zone[0]}{digits[:2]}:{digits[2:]}")
        there = found.astimezone(timezone.utc)
    except (ValueError, OverflowError):
        return text
    return f"{there:%Y-%m-%d %H:%M:%S}".rjust(19, "0") + fraction.rstrip("0").rstrip(".") + "+00"


def _base64(value: Value) -> str:
    text = _plain(value)
    try:
        return base64.b64decode(text, validate=True).hex()
    except ValueError:
        return text


def _json(value: Value) -> str:
    try:
        parsed = _EXACT.decode(value)
    except (msgspec.DecodeError, UnicodeDecodeError):
        parsed = json.loads(bytes(value), parse_float=Decimal)
    except RecursionError:
        return str(value, "utf-8")
    try:
        return _document(parsed)
    except RecursionError:
        return str(value, "utf-8")


def _document(value: Any) -> str:
    if isinstance(value, dict):
        pairs = [f"{_text(key)}:{_document(value[key])}" for key in sorted(value)]
        return "{" + ",".join(pairs) + "}"
    if isinstance(value, list):
        return f"[{','.join(map(_document, value))}]"
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, bool) or value is None:
        return {True: "true", False: "false", None: "null"}[value]
    return number(value) if isinstance(value, Decimal) else str(value)


def _text(value: str) -> str:
    return json.dumps(value, ensure_ascii=False)


_CANONICAL: dict[str, Canonical] = {
    **dict.fromkeys(("integer", "float", "decimal"), _number),
    **dict.fromkeys(("timestamp", "timestamptz"), _moment),
    "date": _date,
    "time": _time,
    "uuid": lambda value: _plain(value).lower(),
    "json": _json,
}
