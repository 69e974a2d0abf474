"""Suggestions that give texts the type of what they hold."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace

from kozmo_bridge.cleaner.detecting.column import share_of
from kozmo_bridge.cleaner.insights import kind_words, plural
from kozmo_bridge.cleaner.kinds import NUMERIC, WORDS, Kind
from kozmo_bridge.cleaner.model import ColumnProfile, Profile, Risk, Suggestion
from kozmo_bridge.cleaner.parsing import MAGNITUDES, TIMES_OF_DAY, NumberForm
from kozmo_bridge.cleaner.patterns import (
    CURRENCY_MARK,
    MARKS,
    NOTHING,
    UNMISTAKABLE,
)
from kozmo_bridge.cleaner.rules import Rule
from kozmo_bridge.cleaner.suggestions.effect import effect, suggestion
from kozmo_bridge.cleaner.suggestions.texts import text_columns

_PROBE = 1_000
_NO_NUMBERS = frozenset({Kind.IDENTIFIER, Kind.ZIP_CODE, Kind.PHONE_NUMBER})


def nothings(profile: Profile) -> Iterator[Suggestion | None]:
    """Yield what makes null of values that stand for none."""
    texts = {column.label for column in text_columns(profile)}
    for column in profile.columns:
        figures = column.statistics
        if column.label not in texts:
            yield from _sentinels(column)
            continue
        certain: list[str] = []
        others: list[str] = []
        for token in figures.disguised:
            plain = token.strip().lower()
            typed = column.kind not in WORDS and column.kind not in _NO_NUMBERS
            sure = plain in UNMISTAKABLE or (typed and plain in NOTHING | MARKS)
            (certain if sure else others).append(token)
        blank = bool(figures.empty) and column.kind not in WORDS
        if certain or blank:
            yield _tokens(column, certain, "safe", blank=blank)
        if others or (figures.empty and not blank):
            yield _tokens(column, others, "lossy", blank=bool(figures.empty and not blank))


def _tokens(column: ColumnProfile, tokens: list[str], risk: Risk, blank: bool) -> Suggestion | None:
    shown = ", ".join(f"'{token.strip()}'" for token in tokens[:4]) or "blanks"
    given = {
        "tokens": sorted({token.strip() for token in tokens}),
        "ignore_case": False,
        "blank": blank,
    }
    lossy = risk == "lossy"
    verb = "may stand" if lossy else "stands" if len(tokens) == 1 else "stand"
    return suggestion(
        column, Rule("null_tokens", (column.label,), given), risk,
        f"{shown} {verb} for no value",
        0.6 if lossy else 0.95, loses="which word stood there" if lossy else None,
    )  # fmt: skip


def _sentinels(column: ColumnProfile) -> Iterator[Suggestion | None]:
    for mark in column.statistics.disguised:
        rule = Rule(
            "replace",
            (column.label,),
            {"old_value": float(mark) if "." in mark else int(float(mark))},
        )
        yield suggestion(
            column, rule, "lossy", f"{mark} lies far from all other values and comes again", 0.8,
            loses=f"{mark}, if it was a real value",
        )  # fmt: skip


def typing(profile: Profile) -> Iterator[Suggestion | None]:
    """Yield what makes numbers, dates, truths and spans of texts."""
    for column in text_columns(profile):
        if column.kind in NUMERIC or _single_place(column):
            yield _number(column)
        elif column.kind is Kind.DATETIME:
            yield _date(column)
        elif column.kind is Kind.TRUE_OR_FALSE:
            yield _truth(column)
        elif column.kind is Kind.DURATION:
            yield _reading(column, "parse_duration", {}, "spans of time are stored as text",
                           ("lossy", "the units they were written in"))  # fmt: skip


def _single_place(column: ColumnProfile) -> bool:
    """Whether a column of coordinates holds latitudes or longitudes alone: numbers."""
    return column.kind is Kind.GEO and column.guess.unit in ("latitude", "longitude")


def _reading(
    column: ColumnProfile,
    action: str,
    given: Mapping[str, object],
    why: str,
    cost: tuple[Risk, str | None],
) -> Suggestion | None:
    """Return the suggestion to read *column* by *action*; only a safe rule may meet a fault.

    What the column holds that cannot be read becomes null where the risk says so.
    """
    risk, loses = cost
    lenient = Rule(action, (column.label,), {**given, "on_error": "null"})
    rule = Rule(action, (column.label,), given) if risk == "safe" else lenient
    found = effect(column, lenient)
    if found is not None:
        told = column.statistics.disguised
        shown = tuple(pair for pair in found.examples if str(pair[0]) not in told)
        found = replace(found, examples=shown)
    return suggestion(column, rule, risk, why, column.guess.confidence, loses=loses, found=found)


def _risk(column: ColumnProfile, ambiguous: bool) -> tuple[Risk, str | None]:
    """Return the risk of parsing: safe where every value is read, and in one way alone."""
    wrong = column.statistics.invalid
    unsure = any(
        token.strip().lower() not in NOTHING | MARKS and token.strip()
        for token in column.statistics.disguised
        if not _is_number(token)
    )
    if wrong:
        return "destructive", f"{plural(wrong, 'cell')} that cannot be read"
    if ambiguous:
        return "lossy", "the other way to read it"
    if unsure:
        return "lossy", "words that may stand for no value"
    return "safe", None


def _is_number(token: str) -> bool:
    return re.fullmatch(r"[-+]?\d+(?:\.\d+)?(?:e[-+]?\d+)?", token.strip()) is not None


def _number(column: ColumnProfile) -> Suggestion | None:
    guess = column.guess
    form = NumberForm.of(guess.format)
    given: dict[str, object] = {"decimal": form.decimal, "thousands": form.thousands}
    marks = _marks(column)
    if marks:
        given["strip"] = marks
    if column.kind is Kind.CURRENCY and _large(column):
        given["magnitudes"] = True
    what: dict[Kind, str] = {
        Kind.CURRENCY: f"amounts in {guess.unit}",
        Kind.PERCENTAGE: "percentages",
    }
    why = f"{what.get(column.kind, 'numbers')} are stored as text"
    if guess.format:
        why += f" ({guess.format})"
    risk, loses = _risk(column, guess.ambiguous is not None)
    if risk == "safe" and _fine(column, given):
        risk, loses = "lossy", "digits beyond those that numbers keep"
    return _reading(column, "parse_number", given, why, (risk, loses))


_DIGITS = 17
"""Digits that a Float64 may need; it keeps 15 of any number."""


def _fine(column: ColumnProfile, given: Mapping[str, object]) -> bool:
    """Whether numbers have more digits than the type that they would get."""
    assert column.values is not None
    texts = column.values["value"]
    if not (texts.str.count_matches(r"\d") > _DIGITS).any():
        return False
    found = effect(column, Rule("parse_number", (column.label,), {**given, "on_error": "null"}))
    return found is not None and found.after.dtype.is_float()


def _large(column: ColumnProfile) -> bool:
    """Whether amounts are told in thousands, millions or billions: $1.5M."""
    assert column.values is not None
    large = "|".join(pattern for pattern, _ in MAGNITUDES)
    return bool(column.values["value"].str.contains(rf"\d\s*(?:{large})\b").any())


def _marks(column: ColumnProfile) -> list[str]:
    """Return what stands around the numbers of a column: currencies, a percent sign, a unit."""
    assert column.values is not None
    found = column.values["value"].str.extract(f"({CURRENCY_MARK}|%)", 1).drop_nulls().unique()
    marks = sorted(found.to_list())
    if column.kind in (Kind.NUMBER, Kind.NUMBER_WITH_DECIMALS):
        marks = [column.guess.unit] if column.guess.unit else []
    return marks


def _date(column: ColumnProfile) -> Suggestion | None:
    forms = (column.guess.format or "").split(" | ")
    if not forms[0] or any(form in TIMES_OF_DAY for form in forms):
        return None
    risk, loses = _risk(column, column.guess.ambiguous is not None)
    zoned = any("%z" in form or form == "rfc 2822" for form in forms)
    if risk == "safe" and zoned:
        risk, loses = "lossy", "the zone that each moment was told in"
    if risk == "safe" and _finer(column):
        risk, loses = "lossy", "leap seconds, and what is finer than a microsecond"
    given = {"format": forms if len(forms) > 1 else forms[0]}
    why = f"dates are stored as text ({column.guess.format})"
    return _reading(column, "parse_date", given, why, (risk, loses))


def _finer(column: ColumnProfile) -> bool:
    """Whether moments tell what a Datetime in microseconds cannot."""
    assert column.values is not None
    finer = r":60(?:\D|$)|[.,]\d{6}\d*[1-9]"
    return bool(column.values["value"].str.contains(finer).any())


def _truth(column: ColumnProfile) -> Suggestion | None:
    yes, no = (column.guess.format or "true/false").split("/")
    risk, loses = _risk(column, False)
    if risk == "safe" and (yes, no) != ("true", "false"):
        risk, loses = "lossy", f"the words {yes} and {no}"
    given = {"true": [yes], "false": [no]}
    why = f"{yes} and {no} are stored as text"
    return _reading(column, "parse_boolean", given, why, (risk, loses))


def invalid(profile: Profile) -> Iterator[Suggestion | None]:
    """Yield what takes out values that cannot be of their column's kind."""
    checked = (Kind.EMAIL, Kind.URL, Kind.IP, Kind.UUID, Kind.PHONE_NUMBER, Kind.ZIP_CODE)
    for column in text_columns(profile):
        if column.kind not in checked or not column.statistics.invalid:
            continue
        rule = Rule(
            "fix_syntax_errors", (column.label,), {"kind": column.kind.value, "as_null": True}
        )
        yield suggestion(
            column, rule, "destructive",
            f"{plural(column.statistics.invalid, 'cell')} cannot be {kind_words(column)}",
            0.7, loses="the values that cannot be right",
        )  # fmt: skip


def standards(profile: Profile) -> Iterator[Suggestion | None]:
    """Yield what writes phone numbers and countries as their standards say."""
    from importlib.util import find_spec

    for column in text_columns(profile):
        if column.kind is Kind.PHONE_NUMBER and find_spec("phonenumbers"):
            plus = column.values is not None and column.values["value"].str.starts_with("+").any()
            rule = Rule("standardize_phone", (column.label,), {} if plus else {"region": "US"})
            yield suggestion(
                column, rule, "lossy", "phone numbers are written in several ways",
                0.7 if plus else 0.4, loses="how each number was written",
            )  # fmt: skip
        named = bool(re.search(r"(?i)countr|nation", column.label))
        codes = column.kind is Kind.COUNTRY_CODE
        if (named or codes) and column.statistics.distinct <= 400 and find_spec("pycountry"):
            form = (column.guess.format or "alpha-2") if codes else "name"
            found = _countries(column, form)
            if found is not None:
                yield found


def _countries(column: ColumnProfile, form: str) -> Suggestion | None:
    rule = Rule("standardize_country", (column.label,), {"to": form})
    return suggestion(
        column, rule, "lossy", "countries are written in several ways", 0.6,
        loses="how each country was written",
    )  # fmt: skip


def structure(profile: Profile) -> Iterator[Suggestion | None]:
    """Yield what takes apart values that hold several: objects of JSON, composites."""
    taken = {column.label for column in profile.columns}
    for column in text_columns(profile):
        found = None
        if column.kind is Kind.JSON:
            found = _expand(column, taken)
        elif column.kind in (*WORDS, Kind.IDENTIFIER, Kind.GEO, Kind.LIST):
            found = _split(column)
        if found is not None:
            given = found.rule.parameters
            prefix = given.get("prefix", "")
            names = {prefix + name for name in given.get("into") or given["fields"]}
            if taken.isdisjoint(names):
                taken |= names
                yield found


def _expand(column: ColumnProfile, taken: set[str]) -> Suggestion | None:
    import json

    assert column.values is not None
    fields: dict[str, None] = {}
    for text in column.values["value"].head(200).to_list():
        try:
            found = json.loads(text)
        except (ValueError, RecursionError):
            continue
        if isinstance(found, dict):
            fields.update(dict.fromkeys(list(found)[:50]))
    if not fields or len(fields) > 50:
        return None
    given: dict[str, object] = {"fields": list(fields)}
    if not taken.isdisjoint(fields):
        given["prefix"] = f"{column.label}_"
    rule = Rule("expand_json", (column.label,), given)
    return Suggestion(
        rule, "lossy", column.statistics.count, column.statistics.count,
        f"objects of JSON with the fields {', '.join(list(fields)[:6])}", 0.75,
        loses="the text of the objects", exact=column.statistics.exact,
    )  # fmt: skip


_SEPARATORS = (", ", " - ", "|", ";", " / ", "/", "_", ":", ",", " x ")


def _split(column: ColumnProfile) -> Suggestion | None:
    """Return how to split a column whose values all have the same mark as often."""
    assert column.values is not None
    texts = column.values["value"].str.strip_chars()
    if len(texts) < 5:
        return None
    cells = column.values["cells"]
    probe = texts.gather_every(max(1, len(texts) // _PROBE))
    for mark in _SEPARATORS:
        if share_of(probe.str.contains(mark, literal=True)) < 0.9:
            continue
        counts = texts.str.count_matches(mark, literal=True)
        times = int(counts.mode().sort()[0])
        if not 1 <= times <= 3:
            continue
        fits = counts == times
        if int(cells.filter(fits).sum()) < 0.95 * int(cells.sum()):
            continue
        parts = texts.filter(fits).str.split(mark)
        first, last = parts.list.first().n_unique(), parts.list.last().n_unique()
        if min(first, last) > 0.6 * len(parts) or min(first, last) < 2:
            continue
        names = [f"{column.label}_{i + 1}" for i in range(times + 1)]
        rule = Rule("split_column", (column.label,), {"separator": mark, "into": names})
        pairs = tuple(
            (text, " · ".join(text.split(mark))) for text in texts.filter(fits).head(3).to_list()
        )
        return Suggestion(
            rule, "lossy", column.statistics.count, column.statistics.count,
            f"holds {times + 1} values with '{mark}' between them", 0.6, pairs,
            "the values as they were written", column.statistics.exact,
        )  # fmt: skip
    return None
