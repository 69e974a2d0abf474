"""What a column of texts is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from kozmo_bridge.cleaner import patterns
from kozmo_bridge.cleaner.detecting.column import Words, share_of
from kozmo_bridge.cleaner.detecting.dates import dates
from kozmo_bridge.cleaner.detecting.numbers import numeric
from kozmo_bridge.cleaner.kinds import Kind
from kozmo_bridge.cleaner.model import Guess
from kozmo_bridge.cleaner.parsing import spans
from kozmo_bridge.cleaner.patterns import word_set

_LANGUAGE_NAMES = (
    "lang", "language", "languages", "locale", "lng", "iso", "alpha", "bibliographic",
)  # fmt: skip
_WORTH = 0.2
FEW = 100
"""Distinct words up to which a column may be a category."""
AGAIN = 5
"""How often each word of a category comes on average, at least."""
_ID_NAMES = word_set(
    "id ids key alpha uuid guid code codes sku isbn issn iata icao ein vin iban bic swift ticker "
    "symbol hash token serial ref reference barcode ean upc gtin asin doi fips ssn cik isin "
    "cusip tailnum registration plate account passport idx index identifier pk fk uid oid pid"
)


def words_seen(words: Words) -> tuple[Guess, tuple[Guess, ...]]:
    """Return what *words* are held to be, and what else they could be."""
    if not words.total:
        guess = Guess(Kind.EMPTY, 1.0, 1.0, "holds nothing but blanks and words for nothing")
        return guess, ()
    found = [guess for guess in _tries(words) if guess is not None]
    best, others = found[0], found[1:]
    return best, tuple(sorted(others, key=lambda guess: -guess.confidence))[:3]


def _tries(words: Words) -> Iterator[Guess | None]:
    for needs, attempt in _ATTEMPTS:
        if needs and not any(words.holding(sign) >= _WORTH for sign in needs):
            continue
        guess = attempt(words)
        if guess is not None:
            yield guess
            if guess.confidence >= 0.9:
                break
    else:
        yield _wording(words)


def _pattern(
    kind: Kind, pattern: str, least: float, why: str, names: tuple[str, ...] = ()
) -> Callable[[Words], Guess | None]:
    """Return an attempt at *kind*; a name that says it allows for more values that are wrong."""

    def attempt(words: Words) -> Guess | None:
        mask = words.matching(pattern, min(least, 0.3) if words.named(*names) else least)
        if mask is None:
            return None
        guess = words.guess(kind, mask, why)
        return (
            guess if not words.named(*names) else replace(guess, confidence=max(0.9, guess.share))
        )

    return attempt


def _truth(words: Words) -> Guess | None:
    if not 1 <= len(words.values) <= 8:
        return None
    found = set(words.lowered.to_list())
    for yes, no in patterns.TRUTHS:
        if found == {yes, no} or (yes == "true" and found <= {yes, no}):
            everything = words.values.is_not_null()
            return words.guess(
                Kind.TRUE_OR_FALSE, everything, f"holds {yes} and {no} alone", form=f"{yes}/{no}"
            )
    return None


def _json(words: Words) -> Guess | None:
    mask = words.matching(patterns.JSON_OBJECT, 0.8)
    if mask is not None:
        return words.guess(Kind.JSON, mask, "objects of JSON")
    mask = words.matching(patterns.BRACKETED, 0.8)
    return None if mask is None else words.guess(Kind.LIST, mask, "lists in brackets")


def _duration(words: Words) -> Guess | None:
    pattern = f"{patterns.DURATION_ISO}|{patterns.DURATION_WORDS}"
    if words.named("duration", "elapsed", "runtime", "length", "took", "lap", "split", "pace"):
        pattern += f"|{patterns.DURATION_CLOCK}"
    mask = words.matching(pattern, 0.8)
    if mask is None:
        mask = words.matching(r"^-?(?:\d+ days?,? |\d{3,4}:|(?:2[4-9]|[3-9]\d):)[\d:.,]+$", 0.2)
        if mask is None or (mask := words.matching(patterns.DURATION_CLOCK, 0.8)) is None:
            return None
    if spans(words.probe).null_count() > len(words.probe) * 0.3:
        return None
    bare = words.weigh(words.values.str.contains(r"^\d+[smhdwy]$"))
    if bare > 0.9 * words.total and _again(words):
        return None
    return words.guess(Kind.DURATION, mask, "spans of time")


def _codes_of(kind: Kind, known: frozenset[str], names: tuple[str, ...], form: str) -> Any:
    def attempt(words: Words) -> Guess | None:
        wanted = words.named(*names)
        mask = words.fitting(lambda texts: texts.is_in(list(known)), 0.8 if wanted else 0.95)
        if mask is None:
            return None
        if not wanted and len(words.values) < 8:
            return None
        sure = 1.0 if wanted else 0.92
        return words.guess(kind, mask, f"{form} codes of ISO", sure=sure, form=form)

    return attempt


def _languages(words: Words) -> Guess | None:
    named = words.named(*_LANGUAGE_NAMES)
    if named:
        mask = words.matching(patterns.LANGUAGE_TAG, 0.9)
        if mask is None:
            return None
        short = words.values.filter(words.values.str.len_bytes() == 2)
        if share_of(short.is_in(list(patterns.LANGUAGES))) < 0.7 and len(short):
            return None
        return words.guess(Kind.LANGUAGE_CODE, mask, "tags of languages, ISO 639")
    mask = words.fitting(lambda texts: texts.is_in(list(patterns.LANGUAGES)), 0.98)
    if mask is None or len(words.values) < 15:
        return None
    return words.guess(Kind.LANGUAGE_CODE, mask, "codes of ISO 639-1", sure=0.92)


def _domains(words: Words) -> Guess | None:
    if _again(words):
        return None
    mask = words.matching(patterns.DOMAIN, 0.8)
    return None if mask is None else words.guess(Kind.URL, mask, "names of domains", sure=0.9)


def _phone(words: Words) -> Guess | None:
    named = words.named("phone", "tel", "telephone", "mobile", "fax", "cell", "msisdn", "whatsapp")
    mask = words.matching(patterns.PHONE, 0.5 if named else 0.8)
    if mask is None:
        return None
    if not named:
        marked = words.matching(patterns.PHONE_MARKED, 0.6)
        if marked is None or words.matching(r"^\d+[-.]\d+$", 0.5) is not None:
            return None
    return words.guess(Kind.PHONE_NUMBER, mask, "groups of digits as of phone numbers")


def _zip(words: Words) -> Guess | None:
    named = words.named(
        "zip", "zipcode", "postal", "postcode", "plz", "cap", "pincode", "postalcode"
    )
    if named or {"post", "code"} <= words.hints:
        mask = words.matching(patterns.ZIP, 0.5)
        return None if mask is None else words.guess(Kind.ZIP_CODE, mask, "postal codes by name")
    for pattern in patterns.ZIPS[1:4]:
        mask = words.matching(pattern, 0.85)
        if mask is not None and len(words.values) > 3:
            return words.guess(Kind.ZIP_CODE, mask, "written like postal codes", sure=0.95)
    return None


def _geo(words: Words) -> Guess | None:
    mask = words.matching("|".join(patterns.GEO), 0.8)
    if mask is not None:
        return words.guess(Kind.GEO, mask, "coordinates", unit="coordinates")
    return None


def _digits(words: Words) -> Guess | None:
    """Digits that are no numbers: leading zeros, card numbers, what is called an id."""
    versions = words.matching(r"^v?\d+(?:\.\d+){2,}(?:[-.+]?[a-z]\w*)?$", 0.8)
    grouped = words.matching(r"^[1-9]\d{0,2}(?:\.\d{3})+$", 0.95)
    if grouped is None and (versions is not None or words.hints >= {"version"}):
        versions = words.matching(r"^v?\d+(?:\.\d+)*(?:[-.+]?[a-z]\w*)?$", 0.8)
        if versions is not None and not _again(words):
            return words.guess(Kind.IDENTIFIER, versions, "numbers of versions", sure=0.95)
    card = words.matching(patterns.CARD, 0.8)
    if card is not None:
        return words.guess(Kind.IDENTIFIER, card, "as long as numbers of cards", sure=0.97)
    digits = words.matching(r"^\d+$", 0.8)
    if digits is None:
        return None
    zeros = words.weigh(words.values.str.contains(r"^0\d+$"))
    if zeros >= max(1, 0.002 * words.total):
        return words.guess(Kind.IDENTIFIER, digits, "digits, some with zeros before them")
    named = not _ID_NAMES.isdisjoint(words.hints)
    keyed = (named and words.unique > 0.02) or (words.numbered and words.unique > 0.5)
    if keyed or _as_long(words):
        return words.guess(Kind.IDENTIFIER, digits, "digits in a column that is named as a key")
    return None


def _again(words: Words) -> bool:
    """Whether there are few values that come again and again: a category."""
    return words.distinct <= FEW and words.total >= AGAIN * words.distinct


def _as_long(words: Words) -> bool:
    """Whether digits are all of one length, longer than numbers that count or measure."""
    sizes = words.values.str.len_bytes()
    return words.distinct > 20 and bool((sizes == sizes[0]).all()) and int(sizes[0]) >= 9


def _identifier(words: Words) -> Guess | None:
    """Codes: single words with digits in them, in few shapes."""
    single = words.matching(patterns.CODE, 0.9)
    if single is None:
        return _short_codes(words)
    named = not _ID_NAMES.isdisjoint(words.hints)
    with_digits = words.weigh(words.values.str.contains(r"\d") & single) / words.total
    short = words.weigh(words.values.str.contains(r"^[^a-z]{1,6}$") & single) / words.total
    if named and (with_digits > 0.5 or short > 0.9 or words.unique > 0.5) and words.distinct > 2:
        return words.guess(Kind.IDENTIFIER, single, "codes in a column that is named as a key")
    if _again(words):
        return None
    if with_digits > 0.8 and words.distinct > FEW and _shapes(words) <= 0.1:
        return words.guess(Kind.IDENTIFIER, single, "codes of letters and digits", sure=0.93)
    if with_digits > 0.95 and words.unique > 0.9 and words.distinct > 10:
        return words.guess(Kind.IDENTIFIER, single, "codes, hardly one twice", sure=0.92)
    capitals = words.matching(r"^[A-Z0-9]{2,8}$", 0.95)
    many = words.distinct > FEW or (words.unique > 0.9 and words.distinct > 20)
    if capitals is not None and many:
        return words.guess(Kind.IDENTIFIER, capitals, "codes of capitals", sure=0.91)
    slugs = words.matching(patterns.SLUG, 0.95)
    if slugs is not None and words.unique > 0.9:
        return words.guess(Kind.IDENTIFIER, slugs, "words joined to keys", sure=0.92)
    return None


def _short_codes(words: Words) -> Guess | None:
    """Codes of two or three parts, such as CA. 2343."""
    mask = words.matching(patterns.HEXADECIMAL, 0.9)
    if mask is not None:
        return words.guess(Kind.IDENTIFIER, mask, "hexadecimal keys")
    mask = words.matching(r"^[^a-z]{1,24}$", 0.9)
    if mask is None or words.unique < 0.5 or words.distinct < 10:
        return None
    letters = words.weigh(words.values.str.contains(r"\p{L}"))
    if letters < 0.2 * words.total:
        return None
    parts = words.values.str.contains(r"\d") & words.values.str.contains(r"^\S+(?: \S+){0,3}$")
    if words.weigh(parts & mask) < 0.9 * words.total:
        return None
    return words.guess(Kind.IDENTIFIER, mask, "codes of letters and digits", sure=0.9)


def _shapes(words: Words) -> float:
    """Return how many shapes (A for a letter, 9 for a digit) there are to a value."""
    shapes = words.probe.str.replace_all(r"\p{L}+", "A").str.replace_all(r"\d+", "9")
    return shapes.n_unique() / max(1, len(shapes))


def _listing(words: Words) -> Guess | None:
    """Words with a mark between them, from a common stock: Comedy|Drama."""
    for mark, least in (("|", 0.6), (";", 0.6), (",", 0.3)):
        held = words.values.str.contains(mark, literal=True)
        if words.weigh(held) < 0.3 * words.total:
            continue
        parts = words.probe.str.split(mark).explode(empty_as_null=True).str.strip_chars()
        if (parts.str.len_chars() > 40).any() or parts.str.contains("(", literal=True).any():
            continue
        few = parts.n_unique() < least * (len(parts) if mark != "," else len(words.probe))
        if few or (mark != "," and words.weigh(held) > 0.6 * words.total):
            everything = words.values.is_not_null()
            return words.guess(Kind.LIST, everything, f"words with {mark} between them", form=mark)
    return None


def _wording(words: Words) -> Guess:
    everything = words.values.is_not_null()
    lengths = words.values.str.len_chars()
    tokens = words.values.str.count_matches(r"\S+")
    mean_tokens = float((tokens * words.cells).sum() or 0) / words.total
    mean_length = float((lengths * words.cells).sum() or 0) / words.total
    repeated = words.total / max(1, words.distinct)
    sentences = _sentences(words, mean_tokens, mean_length)
    if words.distinct <= FEW and repeated >= AGAIN and mean_tokens <= 8 and not sentences:
        return words.guess(Kind.CATEGORY, everything, f"{words.distinct:,} words, again and again")
    if sentences:
        if repeated >= 20 and mean_length < 100:
            return words.guess(
                Kind.CATEGORY_HIGH_CARDINALITY, everything, "phrases that come again", sure=0.8
            )
        return words.guess(Kind.TEXT, everything, f"{mean_tokens:.0f} words to a cell")
    return words.guess(
        Kind.CATEGORY_HIGH_CARDINALITY, everything, f"{words.distinct:,} different short texts"
    )


def _sentences(words: Words, tokens: float, length: float) -> bool:
    """Whether texts of so many words are sentences and not names, whose words have capitals."""
    if length >= 60 or tokens >= 9:
        return True
    ended = words.weigh(words.values.str.contains(r"\p{Ll}[.!?]$"))
    if tokens >= 4 and ended > 0.5 * words.total:
        return True
    if tokens < 4.5:
        return False
    capitals = words.probe.str.count_matches(r"(?:^|[\s(\"'«-])[\p{Lu}\d]").sum()
    return float(capitals) < 0.45 * float(words.probe.str.count_matches(r"\S+").sum())


_ATTEMPTS: tuple[tuple[str, Callable[[Words], Guess | None]], ...] = (
    ("", _truth),
    ("-", _pattern(Kind.UUID, patterns.FORMS["uuid"], 0.7, "written as UUIDs", ("uuid", "guid"))),
    (
        "@",
        _pattern(
            Kind.EMAIL,
            patterns.FORMS["email"],
            0.6,
            "written as e-mail addresses",
            ("email", "emails", "mail"),
        ),
    ),
    (":.", _pattern(Kind.URL, patterns.URL, 0.6, "written as URLs", ("url", "urls", "link"))),
    (
        ":.",
        _pattern(Kind.IP, patterns.IP, 0.7, "addresses of IPv4 or IPv6", ("ip", "ipv4", "ipv6")),
    ),
    ("{[", _json),
    ("0", _geo),
    ("0", dates),
    ("0", _duration),
    ("0", _phone),
    ("0", _zip),
    ("0", _digits),
    ("0", numeric),
    (
        "",
        _codes_of(
            Kind.COUNTRY_CODE,
            patterns.COUNTRIES,
            ("country", "nation", "cc", "iso", "alpha"),
            "alpha-2",
        ),
    ),
    (
        "",
        _codes_of(
            Kind.COUNTRY_CODE,
            patterns.COUNTRIES_OF_THREE,
            ("country", "nation", "iso", "alpha"),
            "alpha-3",
        ),
    ),
    ("", _languages),
    ("|;,", _listing),
    (".", _domains),
    ("", _identifier),
)
"""What is tried, in this order, and the characters of which a fifth of the values must hold one
for it to be worth trying; 0 stands for any digit."""
