"""Dates in texts: their formats, and whether day or month comes first, from the whole column."""

from __future__ import annotations

import polars as pl

from kozmo_bridge.cleaner.detecting.column import Words, share_of
from kozmo_bridge.cleaner.kinds import Kind
from kozmo_bridge.cleaner.model import Guess
from kozmo_bridge.cleaner.parsing import DATE_FORMATS, TURNED_FORMATS, moments
from kozmo_bridge.cleaner.patterns import word_set

_LEAST = 0.8
_RARE = 0.01
_NAMED_ONLY = frozenset({"%Y%m%d", "%Y%m%dT%H%M%S", "%d%b%y"})
DATE_NAMES = word_set(
    "date dates datetime time timestamp ts day dob birthday born birth created updated "
    "modified start end deadline due expires expiry since until at on when period"
)


def dates(words: Words) -> Guess | None:
    """Return the guess that *words* are dates or times, with the formats that read them."""
    hit = words.probe.str.contains(r"^.{0,3}\d.{3,40}$|(?i)^[a-z]{3,9}\.?,? +\d.{0,30}$")
    if share_of(hit) < 0.5:
        return None
    forms, ambiguous = _formats(words)
    if not forms:
        return None
    read = words.values.is_null()
    for form in forms:
        read = read | moments(words.values, form).is_not_null()
    if words.weigh(read) < _LEAST * words.total:
        return None
    why = "dates or times" if len(forms) == 1 else f"dates in {len(forms)} formats"
    return words.guess(Kind.DATETIME, read, why, form=" | ".join(forms), ambiguous=ambiguous)


_FAMILIES = (
    (r"^\d{4}[-/.]|^\d{8}", lambda shape: shape.startswith((r"^\d{4}", "^(?:19"))),
    (r"\p{L}{3}", lambda shape: "[a-z]" in shape),
    (r"^\d{1,2}:\d\d", lambda shape: r"^\d{1,2}:" in shape),
)
"""How dates of a family look, and which of the shapes are of it."""
_TURNED = r"^\d{1,2}[-/.]\d{1,2}[-/.]\d{2}"


def _formats(words: Words) -> tuple[list[str], str | None]:
    """Return the formats of the column, the most frequent first, and what is unclear of them."""
    found: dict[str, int] = {}
    ambiguous = None
    for look, of_family in _FAMILIES:
        seen = words.probe.str.contains(look)
        if share_of(seen) <= _RARE:
            continue
        probe = words.probe.filter(seen)
        for shape, form in DATE_FORMATS:
            if not of_family(shape) or share_of(probe.str.contains(shape)) <= _RARE:
                continue
            unnamed = DATE_NAMES.isdisjoint(words.hints)
            if form in _NAMED_ONLY and unnamed and not _plainly(words, form):
                continue
            found[form] = words.weigh(words.values.str.contains(shape))
    turned = words.probe.filter(words.probe.str.contains(_TURNED))
    for shape, day_first, month_first in TURNED_FORMATS if len(turned) else ():
        if share_of(turned.str.contains(shape)) <= _RARE:
            continue
        mask = words.values.str.contains(shape)
        form, unclear = _turned(words, mask, day_first, month_first)
        found[form] = words.weigh(mask)
        ambiguous = ambiguous or unclear
    ordered = sorted(found, key=lambda form: (-found[form], form))
    return ordered, ambiguous


def _plainly(words: Words, form: str) -> bool:
    """Whether digits can hardly be but dates: there are many, and all of them are."""
    return len(words.probe) >= 20 and not moments(words.probe, form).null_count()


def _turned(
    words: Words, mask: pl.Series, day_first: str, month_first: str
) -> tuple[str, str | None]:
    """Return which of the two orders the values of *mask* are in, and why that is unclear."""
    heads = words.values.filter(mask).str.extract_groups(r"^(\d{1,2})\D(\d{1,2})\D").struct.unnest()
    cells = words.cells.filter(mask)
    first = cells.filter(heads.to_series(0).cast(pl.Int32) > 12).sum() or 0
    second = cells.filter(heads.to_series(1).cast(pl.Int32) > 12).sum() or 0
    if first and second:
        form = day_first if first >= second else month_first
        return form, "some values have the day first and some the month"
    if first or second:
        return (day_first if first else month_first), None
    if "." in day_first:
        return day_first, None
    example = words.values.filter(mask)[0]
    return month_first, f"{example} could have the day first: no value has a number above 12 there"
