"""What the texts of a CSV file are: the narrowest type that changes none of them.

A number is one only if it is written as JSON would write it: 00123, +5 and 1,5 stay text, 1.50
keeps its digits. Dates and moments are ISO 8601. Other words for true and false stay text.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import pyarrow as pa
import pyarrow.compute as pc

from kozmo_singer.systems.formats import UNKNOWN
from kozmo_singer.systems.formats.decimals import decimals
from kozmo_singer.wire.arrow import arrow_type, unhexed
from kozmo_singer.wire.arrow_lines import data_of, literal, number
from kozmo_singer.wire.types import LogicalType

_YEAR_ONE = -719_162
"""The first day of the first year, from 1970 on."""
_ZONE = r"(?:Z|[+-](?:[01][0-9]|2[0-3]):[0-5][0-9])$"
_EMPTY, _MINUS, _Z, _ONE = literal(""), literal("-"), literal("Z"), number(1)
_DAY_ONE = literal("1970-01-01T")
_YEAR_1, _YEAR_10000 = -62135596800 * 10**6, 253402300800 * 10**6
"""Microseconds since 1970."""
_DIGITS = bytes.maketrans(b"123456789", b"0" * 9)
_NUMBER = r"^-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?$"
_DAY = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
_CLOCK = r"(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:\.[0-9]{1,9})?"
PATTERNS = {
    "boolean": r"^(?:true|false|True|False|TRUE|FALSE)$",
    "integer": r"^(?:0|-?[1-9][0-9]*)$",
    "decimal": _NUMBER,
    "float": _NUMBER,
    "date": rf"^{_DAY}$",
    "timestamptz": rf"^{_DAY}[T ]{_CLOCK}(?:Z|[+-][0-9]{{2}}:[0-9]{{2}})$",
    "timestamp": rf"^{_DAY}[T ]{_CLOCK}$",
    "time": rf"^{_CLOCK}$",
    "uuid": r"^[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$",
    "binary": r"^(?:[0-9a-fA-F]{2})*$",
}
INFERRED = tuple(name for name in PATTERNS if name not in ("float", "binary"))
"""The types that are looked for, in order; a float is never guessed, since a decimal is exact."""
TEXTS = ("string", "binary")
"""Types that an empty text is a value of."""
NUMBERS = ("integer", "decimal", "float", "boolean")
"""Types of which a text is its own JSON."""


@dataclass(frozen=True)
class Numbers:
    """How numbers are written, where that is not as JSON has them."""

    decimal: str = "."
    thousands: str = ""

    @property
    def plain(self) -> bool:
        """Whether they are written as JSON has them."""
        return self.decimal == "." and not self.thousands

    def misfit(self, texts: pa.Array) -> int | None:
        """Return the place of the first text that is no number, true or false in this way."""
        point, comma = re.escape(self.decimal), re.escape(self.thousands)
        whole = "0|[1-9][0-9]*"
        if comma:
            whole += f"|[1-9][0-9]{{0,2}}(?:{comma}[0-9]{{3}})+"
        pattern = rf"^-?(?:{whole})(?:{point}[0-9]+)?(?:[eE][+-]?[0-9]+)?$|{PATTERNS['boolean']}"
        fits = pc.match_substring_regex(texts, pattern)
        if pc.all(fits).as_py() is False:
            return int(pc.indices_nonzero(pc.invert(fits))[0].as_py())
        return None

    def read(self, texts: pa.Array) -> pa.Array:
        """Return *texts*, which fit, as JSON has them."""
        if self.thousands:
            texts = pc.replace_substring(texts, self.thousands, "")
        return pc.replace_substring(texts, self.decimal, ".")


PLAIN = Numbers()
_COMMAS = Numbers(",", ".")


def commas(cells: Sequence[pa.Array]) -> bool:
    """Return whether texts look like numbers with decimal commas."""
    present = [without_blanks(each).drop_null() for each in cells if len(each)]
    return any(map(len, present)) and all(
        not len(each) or (b"," in data_of(each) and _COMMAS.misfit(each) is None)
        for each in present
    )


def infer(texts: pa.Array, numbers: Numbers = PLAIN) -> LogicalType:
    """Return the type of *texts*: string where no other holds all, UNKNOWN where there is none."""
    present = without_blanks(texts)
    if present.null_count == len(present):
        return UNKNOWN
    if not numbers.plain:
        if numbers.misfit(present) is None:
            return infer(numbers.read(present))
        found = infer(present)
        return LogicalType("string") if found.name in ("integer", "decimal") else found
    for name in INFERRED:
        if misfit(present, LogicalType(name)) is None:
            return LogicalType(name)
    return LogicalType("string")


def without_blanks(texts: pa.Array) -> pa.Array:
    """Return *texts* with nulls for empty ones, which no type but text has a value for."""
    if pc.min(pc.binary_length(texts)).as_py() != 0:
        return texts
    return pc.if_else(pc.equal(texts, _EMPTY), pa.nulls(1, texts.type)[0], texts)


def misfit(texts: pa.Array, type: LogicalType) -> int | None:
    """Return the place of the first text that is no value of *type*, None where all are."""
    pattern = PATTERNS.get(type.name)
    if pattern is None or (type.name == "integer" and _plainly_whole(texts)):
        return None
    if type.name not in _CHECKS or not _alike(texts, pattern):
        fits = pc.match_substring_regex(texts, pattern)
        if pc.all(fits).as_py() is False:
            return int(pc.indices_nonzero(pc.invert(fits))[0].as_py())
    check = _CHECKS.get(type.name)
    if type.name == "decimal" and pa.types.is_decimal(wanted := arrow_type(type)):
        check = partial(_number, wanted=wanted)
    return None if check is None else _first_refused(texts, check)


def spelt(texts: pa.Array, type: LogicalType) -> pa.Array:
    """Return *texts*, which fit, as they go on the wire: T in moments, Z where they lack a zone."""
    if type.name == "boolean":
        return pc.utf8_lower(texts)
    if type.name in ("timestamp", "timestamptz"):
        if b" " in data_of(texts):
            texts = pc.replace_substring(texts, " ", "T", max_replacements=1)
        if type.name == "timestamp":
            texts = pc.binary_join_element_wise(texts, _Z, _EMPTY)
    return texts


def typed(texts: pa.Array, type: LogicalType) -> pa.Array:
    """Return *texts*, which fit, as an array of the Arrow type, or as text where one has no place.

    That is an integer beyond 64 bit, a moment in nanoseconds, or one that in UTC is in no year from
    1 to 9999.
    """
    wanted = arrow_type(type)
    if wanted == texts.type:
        return texts
    if type.name == "binary":
        return unhexed(texts)
    if type.name == "boolean":
        texts = pc.utf8_lower(texts)
    try:
        if type.name == "time":
            # Arrow reads no time of day alone.
            moments = pc.binary_join_element_wise(_DAY_ONE, texts, _EMPTY)
            return moments.cast(pa.timestamp("us")).cast(wanted)
        made = _number(texts, wanted) if pa.types.is_decimal(wanted) else texts.cast(wanted)
        return made if type.name != "timestamptz" or _in_calendar(made) else spelt(texts, type)
    except pa.ArrowInvalid:
        return spelt(texts, type)


def _in_calendar(moments: pa.Array) -> bool:
    """Whether all are in years that four digits can tell."""
    bounds = pc.min_max(moments.view(pa.int64()))
    least, most = bounds["min"].as_py(), bounds["max"].as_py()
    return least is None or (least >= _YEAR_1 and most < _YEAR_10000)


def _plainly_whole(texts: pa.Array) -> bool:
    """Whether all are certainly integers: by far the quickest way to know it."""
    rest = data_of(texts).translate(None, b"0123456789")
    if rest.strip(b"-"):
        return False
    if rest and pc.sum(pc.starts_with(texts, "-")).as_py() != len(rest):
        return False
    lengths = pc.binary_length(texts)
    if rest and pc.any(pc.starts_with(texts, "-0")).as_py():
        return False
    if pc.min(lengths).as_py() in (None, 0) or (rest and pc.any(pc.equal(texts, _MINUS)).as_py()):
        return False
    zeros = pc.starts_with(texts, "0")
    return not pc.any(pc.and_(zeros, pc.greater(lengths, _ONE))).as_py()


def _alike(texts: pa.Array, pattern: str) -> bool:
    """Whether all have the form of *pattern*, digits aside, and the same one: quickly known."""
    lengths = pc.min_max(pc.binary_length(texts))
    size = lengths["max"].as_py()
    if not size or lengths["min"].as_py() != size:
        return False
    form = data_of(texts).translate(_DIGITS)
    # The hour is the only digit that a pattern is choosy about; what reads them is so too.
    return bool(re.match(pattern, form[:size].decode())) and form == form[:size] * (
        len(form) // size
    )


def _first_refused(texts: pa.Array, check: Callable[[pa.Array], object]) -> int | None:
    """The place of the first value that *check* raises for, found by halves."""
    low, high = 0, len(texts)
    if _passes(texts, check):
        return None
    while high - low > 1:
        middle = (low + high) // 2
        if _passes(texts.slice(low, middle - low), check):
            low = middle
        else:
            high = middle
    return low


def _passes(texts: pa.Array, check: Callable[[pa.Array], object]) -> bool:
    try:
        check(texts)
    except pa.ArrowInvalid:
        return False
    return True


def _number(texts: pa.Array, wanted: pa.DataType) -> pa.Array:
    made = decimals(texts, wanted)
    if made is None:
        raise pa.ArrowInvalid(f"not all of them are {wanted}")
    return made


def _day(texts: pa.Array) -> object:
    return _of_our_era(texts.cast(pa.date32()).cast(pa.int32()), _YEAR_ONE)


def _moment(texts: pa.Array) -> object:
    seconds = pc.utf8_slice_codeunits(texts, 0, 19)
    return _of_our_era(seconds.cast(pa.timestamp("s")).cast(pa.int64()), _YEAR_ONE * 86_400)


def _zoned(texts: pa.Array) -> object:
    # A zone that is none, as +99:99, is refused with the seconds alone as well as with all of it.
    _moment(texts)
    fits = pc.match_substring_regex(texts, _ZONE)
    if pc.all(fits).as_py() is False:
        raise pa.ArrowInvalid("no zone is so far away")
    return texts


def _of_our_era(counts: pa.Array, first: int) -> object:
    """Arrow counts a year 0, which neither JSON Schema's dates nor databases have."""
    least = pc.min(counts).as_py()
    if least is not None and least < first:
        raise pa.ArrowInvalid("before year 1")
    return counts


def _finite(texts: pa.Array) -> object:
    """A number that no float reaches would come out of Arrow as infinity."""
    if pc.all(pc.is_finite(texts.cast(pa.float64()))).as_py() is False:
        raise pa.ArrowInvalid("beyond all floats")
    return texts


_CHECKS: dict[str, Callable[[pa.Array], object]] = {
    "date": _day,
    "float": _finite,
    "timestamp": _moment,
    "timestamptz": _zoned,
}
