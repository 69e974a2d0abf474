"""Suggestions for how texts are written: white space, encodings, spellings, case."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import polars as pl

from kozmo_bridge.cleaner.actions import action_of, complete
from kozmo_bridge.cleaner.cleaning import run
from kozmo_bridge.cleaner.detecting.column import share_of
from kozmo_bridge.cleaner.insights import plural
from kozmo_bridge.cleaner.kinds import CATEGORICAL, NUMERIC, Kind
from kozmo_bridge.cleaner.model import ColumnProfile, Profile, Suggestion
from kozmo_bridge.cleaner.rules import Rule
from kozmo_bridge.cleaner.suggestions.effect import effect, suggestion

_MOJIBAKE = (
    r"[ÂÃÄÅÆÐÑÎÏØÙà-ðÀ-Ï][\u0080-\u00bf€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ]|â€|ï»¿|\u00ef\u00bf\u00bd"
)
_REMARKABLE = r"[^\x20-\x7e]|^ |  | $"
"""Whatever is not printable ASCII with single spaces within."""
_NEARLY_ALL = 0.8
_MOST_WORDS = 1_000
_PROBE = 1_000
_SEVERAL = 3


def text_columns(profile: Profile) -> Iterator[ColumnProfile]:
    """Yield the columns that are stored as texts and could be looked at."""
    for column in profile.columns:
        if column.values is not None and column.values["value"].dtype == pl.String:
            if column.dtype.startswith(("List", "Array", "Struct")):
                continue
            yield column


def writing(profile: Profile) -> Iterator[Suggestion | None]:
    """Yield what mends the writing of texts and keeps what they say."""
    for column in text_columns(profile):
        name = (column.label,)
        if not _holds(column, _REMARKABLE):
            continue
        if _holds(column, _MOJIBAKE):
            yield _mojibake(column)
        if _holds(column, r"[\u200b\u2060\ufeff\u00ad\x00-\x08\x0b\x0c\x0e-\x1f\x7f]"):
            yield suggestion(column, Rule("strip_control", name), "safe",
                             "holds characters that cannot be seen", 0.95)  # fmt: skip
        if _holds(column, r"[^\x00-\x7f]"):
            yield suggestion(column, Rule("normalize_unicode", name), "safe",
                             "writes the same letters with different characters", 0.97)  # fmt: skip
        if _holds(column, r"^\s|\s$"):
            yield suggestion(column, Rule("trim_whitespace", name), "safe",
                             "has white space around its values", 0.98)  # fmt: skip
        yield _spaces(column)


def _mojibake(column: ColumnProfile) -> Suggestion | None:
    """Return the rule for texts read in a wrong encoding; several of them tell of all others."""
    why = "was read in another encoding than it was written in"
    rule = Rule("fix_mojibake", (column.label,))
    found = effect(column, rule)
    if found is not None and len(found.examples) >= _SEVERAL:
        rule = Rule("fix_mojibake", (column.label,), {"thorough": True})
    return suggestion(column, rule, "safe", why, 0.95)


def _spaces(column: ColumnProfile) -> Suggestion | None:
    if column.kind in (Kind.JSON, Kind.LIST, Kind.BINARY) or not _holds(
        column, r"\S(?:\s{2,}|[\t\u00a0\u2000-\u200a\u202f\u3000])\S"
    ):
        return None
    if column.kind in NUMERIC:
        return None
    return suggestion(
        column, Rule("collapse_whitespace", (column.label,)), "lossy",
        "has doubled or unusual spaces within its values", 0.8 if column.kind is Kind.TEXT else 0.9,
        loses="how many spaces there were",
    )  # fmt: skip


def _holds(column: ColumnProfile, pattern: str) -> bool:
    assert column.values is not None
    return bool(column.values["value"].str.contains(pattern).any())


def spelling(profile: Profile) -> Iterator[Suggestion | None]:
    """Yield what writes values that mean the same in one way."""
    for column in text_columns(profile):
        if column.spellings and column.kind in CATEGORICAL:
            mapping = _mapping(column.spellings)
            few = column.kind is Kind.CATEGORY
            rule = Rule("unify_spellings", (column.label,), {"mapping": mapping})
            yield suggestion(
                column, rule, "lossy",
                f"writes {plural(len(column.spellings), 'value')} in several ways",
                0.85 if few else 0.6, loses="which spelling stood where",
            )  # fmt: skip
        yield _case(column)


def _mapping(spellings: tuple[tuple[str, ...], ...]) -> dict[str, str]:
    """Return what each word becomes; words as they are, and as the rules before leave them.

    What those rules mend is not brought back by the most frequent spelling.
    """
    words = pl.Series([word for group in spellings for word in group])
    mended = words
    for action in ("fix_mojibake", "strip_control", "normalize_unicode", "collapse_whitespace"):
        done = complete(Rule(action), 1)
        mended = run(action_of(action), mended, done.parameters)
    plain = dict(zip(words.to_list(), mended.to_list(), strict=True))
    return {
        form: plain[group[0]]
        for group in spellings
        for word in group
        for form in (word, plain[word])
        if form != plain[group[0]]
    }


def _upper(texts: pl.Series) -> pl.Series:
    return texts.str.contains(r"\p{Lu}{2}") & ~texts.str.contains(r"\p{Ll}")


def _lower(texts: pl.Series) -> pl.Series:
    return texts.str.contains(r"\p{Ll}{2}") & ~texts.str.contains(r"\p{Lu}")


_CASES: dict[str, Callable[[pl.Series], pl.Series]] = {
    "upper": _upper,
    "lower": _lower,
    "title": lambda texts: ~(_upper(texts) | _lower(texts)),
}


def _case(column: ColumnProfile) -> Suggestion | None:
    """Return what writes the few values of another case as nearly all others are written."""
    assert column.values is not None
    if column.kind is Kind.EMAIL:
        return suggestion(
            column, Rule("lowercase", (column.label,)), "lossy",
            "addresses are the same in any case", 0.85, loses="capital letters",
        )  # fmt: skip
    if column.kind not in CATEGORICAL:
        return None
    texts, cells = column.values["value"], column.values["cells"]
    total = int(cells.sum())
    for case, fits in _CASES.items():
        some = fits(texts.gather_every(max(1, len(texts) // _PROBE)))
        if share_of(some) < 0.5:
            continue
        share = int(cells.filter(fits(texts)).sum()) / total if total else 0.0
        if _NEARLY_ALL <= share < 1:
            return _recased(column, case, share, texts.filter(~_CASES["title"](texts)))
    return None


def _recased(
    column: ColumnProfile, case: str, share: float, others: pl.Series
) -> Suggestion | None:
    """Return the rule for one case; titles keep small words, so only plain values become them."""
    rule = Rule("change_case", (column.label,), {"case": case})
    if case == "title":
        known = {word for group in column.spellings for word in group}
        mapping = {text: text.title() for text in others.to_list() if text.strip() not in known}
        mapping = {text: titled for text, titled in mapping.items() if len(text) > 3}
        if not mapping or len(mapping) > _MOST_WORDS:
            return None
        rule = Rule("unify_spellings", (column.label,), {"mapping": mapping})
    why = f"{100 * share:.0f} % of the values are in {case} case, the others not"
    return suggestion(column, rule, "lossy", why, 0.5 + 0.4 * share, loses="the case of the others")
