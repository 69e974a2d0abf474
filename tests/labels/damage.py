"""Damage of known kinds, done to clean columns with a seed.

Each kind names the actions that are a right answer to it. A kind may leave something that cannot be
had back (a value became 'N/A'): `wanted` is what the table should be after the cure.
"""

from __future__ import annotations

import json
import random
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from labels.clean import CLEAN

Types = dict[str, str]
Change = Callable[[Any, random.Random], Any]
DROP = frozenset({"drop_columns", "remove"})
NUMBER = frozenset({"parse_number", "convert_type"})
DATE = frozenset({"parse_date", "convert_type"})
FLAG = frozenset({"parse_boolean", "convert_type"})
SPACE = frozenset({"trim_whitespace", "collapse_whitespace"})
NULLS = frozenset({"null_tokens", "replace", "replace_values"})
SPELLING = frozenset({"unify_spellings", "replace_values", "change_case"})
DIGITS = 2
"""Decimals are rounded to so many before they are written."""
FEWEST = 10
"""A column takes part where at least so many of its cells can be damaged."""


@dataclass(frozen=True)
class Case:
    """A damaged table: what should be suggested for which column, and what it should become."""

    kind: str
    table: str
    column: str
    actions: frozenset[str]
    damaged: pl.DataFrame = field(repr=False)
    wanted: pl.DataFrame = field(repr=False)

    @property
    def restorable(self) -> bool:
        """Whether there is one table that a cure has to give back."""
        return self.kind not in LOST


LOST = frozenset(
    {"column name", "misspelt", "outlier", "composite", "json", "bad email", "phone", "country"}
)
"""Kinds of which only the suggestion is judged: their cure has more than one right result."""


def cells(kind: str, actions: frozenset[str], takes: str, share: float, change: Change) -> Any:
    """Return a kind that changes a share of the cells of columns whose type *takes* names."""

    def cases(name: str, frame: pl.DataFrame, types: Types, seed: random.Random) -> Iterator[Case]:
        for column in _columns(types, takes):
            before = frame[column].to_list()
            able = [i for i, cell in enumerate(before) if cell is not None]
            able = [i for i in able if change(before[i], random.Random(0)) != before[i]]
            number = max(FEWEST, int(share * len(able)))
            # Where most cells of a word are spoilt, what it was cannot be told any more.
            if len(able) < FEWEST or (share < 0.5 and number > len(able) // 3):
                continue
            hit = set(able if number >= len(able) else seed.sample(able, number))
            after = [change(cell, seed) if i in hit else cell for i, cell in enumerate(before)]
            yield _case(kind, name, column, actions, frame, _with(frame, column, after))

    return cases


def whole_column(
    kind: str,
    actions: frozenset[str],
    takes: str,
    write: Change,
    fits: Callable[[pl.Series], bool] = lambda column: True,
) -> Any:
    """Return a kind that writes every cell of a column as text in one way."""

    def cases(name: str, frame: pl.DataFrame, types: Types, seed: random.Random) -> Iterator[Case]:
        for column in filter(lambda each: fits(frame[each]), _columns(types, takes)):
            values = frame[column]
            before = (values.round(DIGITS) if values.dtype.is_float() else values).to_list()
            after = [None if cell is None else write(cell, seed) for cell in before]
            wanted = _with(frame, column, before)
            yield _case(kind, name, column, actions, wanted, _with(frame, column, after, pl.String))

    return cases


def _thousands(column: pl.Series) -> bool:
    """Whether marks between thousands would be seen."""
    return bool((column.abs() >= 1_000).sum() >= FEWEST)


def _millions(column: pl.Series) -> bool:
    """Whether marks are seen that cannot be decimal ones: two in a number, or fractions."""
    least = 1_000 if column.dtype.is_float() else 1_000_000
    return bool((column.abs() >= least).sum() >= FEWEST)


def to_null(kind: str, actions: frozenset[str], takes: str, token: Any, share: float = 0.08) -> Any:
    """Return a kind that hides a share of the values behind *token*; they should become null."""

    def cases(name: str, frame: pl.DataFrame, types: Types, seed: random.Random) -> Iterator[Case]:
        for column in _columns(types, takes):
            before = frame[column].to_list()
            if token in before:
                continue
            hit = set(seed.sample(range(len(before)), max(FEWEST, int(share * len(before)))))
            # Among numbers a token of words makes texts of all of them.
            texts = isinstance(token, str) and frame[column].dtype != pl.String
            kept = [None if cell is None else str(cell) if texts else cell for cell in before]
            after = [token if i in hit else cell for i, cell in enumerate(kept)]
            wanted = [None if i in hit else cell for i, cell in enumerate(before)]
            cured = _with(frame, column, wanted, frame[column].dtype)
            dtype = pl.String if texts else frame[column].dtype
            found = actions | NUMBER if texts else actions
            yield _case(kind, name, column, found, cured, _with(frame, column, after, dtype))

    return cases


def _columns(types: Types, takes: str) -> list[str]:
    wanted = takes.split()
    return [
        name
        for name, kind in types.items()
        if kind in wanted or ("date" in wanted and kind.startswith("%") and kind[-1] != "Z")
    ]


def _case(
    kind: str,
    table: str,
    column: str,
    actions: frozenset[str],
    wanted: pl.DataFrame,
    damaged: pl.DataFrame,
) -> Case:
    return Case(kind, table, column, actions, damaged, wanted)


def _with(frame: pl.DataFrame, column: str, values: list[Any], dtype: Any = None) -> pl.DataFrame:
    return frame.with_columns(pl.Series(column, values, dtype=dtype or frame[column].dtype))


# Texts


def _padded(text: str, seed: random.Random) -> str:
    return seed.choice([f" {text}", f"{text} ", f"  {text}  ", f"{text}\t"])


def _doubled(text: str, seed: random.Random) -> str:
    return text.replace(" ", "  ", 1)


def _read_as(encoding: str) -> Change:
    """Return what reads the bytes of UTF-8 as another encoding, where that is possible."""

    def change(text: str, seed: random.Random) -> str:
        try:
            return text.encode().decode(encoding)
        except UnicodeDecodeError:
            return text

    return change


def _apart(text: str, seed: random.Random) -> str:
    return unicodedata.normalize("NFD", text)


def _invisible(text: str, seed: random.Random) -> str:
    place = seed.randrange(1, len(text)) if len(text) > 1 else 0
    return text[:place] + seed.choice("\u200b\ufeff\u200e") + text[place:]


def _unbroken(text: str, seed: random.Random) -> str:
    return text.replace(" ", "\u00a0", 1)


def _cased(text: str, seed: random.Random) -> str:
    others = [form for form in (text.lower(), text.upper(), text.title()) if form != text]
    return seed.choice(others) if others else text


def _misspelt(text: str, seed: random.Random) -> str:
    if len(text) < 6 or not text.isascii():
        return text
    place = seed.randrange(1, len(text) - 2)
    return text[:place] + text[place + 1] + text[place] + text[place + 2 :]


def _broken(address: str, seed: random.Random) -> str:
    user, _, host = address.partition("@")
    return seed.choice([f"{user}{host}", f"{user}@@{host}", f"{user}@", f"{user} at {host}"])


def _phone(number: str, seed: random.Random) -> str:
    """Write +3226820008 as people do."""
    rest = number.removeprefix("+32")
    national = f"0{rest[0]} {rest[1:4]} {rest[4:6]} {rest[6:]}"
    return seed.choice([national, f"+32 {national[1:]}", f"0032{rest}", f"0{rest[0]}/{rest[1:]}"])


# Numbers, dates, flags


def _marks(thousands: str, point: str) -> Change:
    def write(value: Any, seed: random.Random) -> str:
        text = f"{value:,}" if isinstance(value, int) else f"{value:,.{DIGITS}f}"
        return text.translate({ord(","): thousands, ord("."): point})

    return write


def _in(form: str, thousands: str, point: str) -> Change:
    return lambda value, seed: form.format(_marks(thousands, point)(value, seed))


def _date(*formats: str) -> Change:
    return lambda value, seed: value.strftime(seed.choice(formats))


def _flag(yes: str, no: str) -> Change:
    return lambda value, seed: yes if value else no


# Tables


def _duplicates(
    name: str, frame: pl.DataFrame, types: Types, seed: random.Random
) -> Iterator[Case]:
    again = seed.sample(range(frame.height), max(FEWEST, frame.height // 20))
    damaged = pl.concat([frame, frame[again]])
    actions = frozenset({"drop_duplicates", "drop_duplicate", "remove_rows"})
    yield Case("duplicate rows", name, "", actions, damaged, frame)


def _added(kind: str, make: Callable[[pl.DataFrame, Types], pl.Series | None]) -> Any:
    """Return a kind that adds a column which should be dropped."""

    def cases(name: str, frame: pl.DataFrame, types: Types, seed: random.Random) -> Iterator[Case]:
        column = make(frame, types)
        if column is not None:
            yield Case(kind, name, column.name, DROP, frame.with_columns(column), frame)

    return cases


def _empty(frame: pl.DataFrame, types: Types) -> pl.Series:
    return pl.Series("remarks", [None] * frame.height, dtype=pl.String)


def _almost_empty(frame: pl.DataFrame, types: Types) -> pl.Series:
    cells = ["see below" if row in (3, 7) else None for row in range(frame.height)]
    return pl.Series("remarks", cells, dtype=pl.String)


def _constant(frame: pl.DataFrame, types: Types) -> pl.Series:
    return pl.Series("source", ["export 7"] * frame.height)


def _collinear(frame: pl.DataFrame, types: Types) -> pl.Series | None:
    numbers = [name for name, kind in types.items() if kind in ("whole", "real")]
    if len(numbers) < 2:
        return None
    total = frame[numbers[0]].cast(pl.Float64) * 2 + frame[numbers[1]].cast(pl.Float64) * 3
    return total.alias("weighted total")


def _sum(frame: pl.DataFrame, types: Types) -> pl.Series | None:
    numbers = [name for name, kind in types.items() if kind in ("whole", "real")]
    if len(numbers) < 2:
        return None
    return frame.select(pl.sum_horizontal(numbers[-2:]).alias("total")).to_series()


def _outliers(name: str, frame: pl.DataFrame, types: Types, seed: random.Random) -> Iterator[Case]:
    actions = frozenset({"cap_outliers", "remove_outliers", "clip"})
    for column in _columns(types, "whole real"):
        before = frame[column].to_list()
        able = [i for i, cell in enumerate(before) if cell and abs(cell) > 1]
        hit = set(seed.sample(able, min(len(able), max(5, frame.height // 200))))
        after = [cell * 1000 if i in hit else cell for i, cell in enumerate(before)]
        yield _case("outlier", name, column, actions, frame, _with(frame, column, after))


def _joined(separator: str) -> Any:
    """Return a kind that joins two columns in one."""

    def cases(name: str, frame: pl.DataFrame, types: Types, seed: random.Random) -> Iterator[Case]:
        words = [name for name, kind in types.items() if kind in ("category", "name", "date")]
        for left, right in zip(words, words[1:], strict=False):
            if frame[[left, right]].null_count().sum_horizontal()[0] or any(
                frame[part].str.contains(separator.strip() or " ", literal=True).any()
                for part in (left, right)
            ):
                continue
            both = pl.concat_str([left, right], separator=separator).alias(f"{left} {right}")
            damaged = frame.with_columns(both).drop(left, right)
            yield Case("composite", name, both.meta.output_name(), SPLIT, damaged, frame)

    return cases


SPLIT = frozenset({"split_column", "string_split"})


def _as_json(name: str, frame: pl.DataFrame, types: Types, seed: random.Random) -> Iterator[Case]:
    for start in range(0, len(types) - 1, 2):
        parts = list(types)[start : start + 2]
        rows = frame[parts].rows(named=True)
        texts = [json.dumps(row, default=str, ensure_ascii=False) for row in rows]
        damaged = frame.drop(parts).with_columns(pl.Series("details", texts))
        actions = frozenset({"expand_json", "expand_column"})
        yield Case("json", name, "details", actions, damaged, frame)


def _countries(name: str, frame: pl.DataFrame, types: Types, seed: random.Random) -> Iterator[Case]:
    """Names of countries, some of them written as their code."""
    if "country" not in types.values():
        return
    actions = frozenset({"standardize_country"})
    for number in range(20):
        rows = seed.choices(range(frame.height), k=500)
        picked = frame[rows]
        named = picked["name"].to_list()
        codes = picked["alpha_2"].to_list()
        mixed = [
            code if seed.random() < 0.1 + number / 50 else text
            for code, text in zip(codes, named, strict=True)
        ]
        damaged = pl.DataFrame({"order": range(500), "country": mixed})
        wanted = pl.DataFrame({"order": range(500), "country": named})
        yield Case("country", f"{name} {number}", "country", actions, damaged, wanted)


def _headings(name: str, frame: pl.DataFrame, types: Types, seed: random.Random) -> Iterator[Case]:
    actions = frozenset({"clean_column_names", "clean_column_name", "rename_columns"})
    for form in (" {} ", "{} (%)", "{}#", "$ {}"):
        column = frame.columns[seed.randrange(len(frame.columns))]
        damaged = frame.rename({column: form.format(column)})
        yield Case("column name", name, form.format(column), actions, damaged, frame)


SHARES = tuple(hundredth / 100 for hundredth in range(1, 21))
"""Of columns of which there is but one: it is damaged more and more."""
_TEXT = "category name country"
_FEW = "category"
_ANY = "category name country whole real"
KINDS: tuple[tuple[str, Any], ...] = tuple(
    (kind, made)
    for kind, makes in {
        "white space at the ends": (cells("white space at the ends", SPACE, _TEXT, 0.1, _padded),),
        "doubled spaces": (
            cells("doubled spaces", frozenset({"collapse_whitespace"}), _TEXT, 0.1, _doubled),
        ),
        "disguised null": tuple(
            to_null("disguised null", NULLS, _ANY, token) for token in ("N/A", "-", "null")
        ),
        "disguised null, number": (
            to_null("disguised null, number", NULLS, "whole real", -999),
            to_null("disguised null, number", NULLS, "whole real", -9999),
        ),
        "mojibake": tuple(
            cells("mojibake", frozenset({"fix_mojibake"}), _TEXT, share, _read_as(encoding))
            for encoding in ("cp1252", "latin-1")
            for share in (1.0, 0.05)
        ),
        "decomposed letters": (
            cells("decomposed letters", frozenset({"normalize_unicode"}), _TEXT, 1.0, _apart),
            cells("decomposed letters", frozenset({"normalize_unicode"}), _TEXT, 0.02, _apart),
        ),
        "invisible characters": (
            cells(
                "invisible characters",
                frozenset({"strip_control", "normalize_unicode"}),
                _TEXT,
                0.1,
                _invisible,
            ),
        ),
        "no-break spaces": (
            cells(
                "no-break spaces",
                frozenset({"collapse_whitespace", "normalize_unicode", "trim_whitespace"}),
                _TEXT,
                0.1,
                _unbroken,
            ),
        ),
        "thousands marks": tuple(
            whole_column("thousands marks", NUMBER, "whole real", _marks(*marks), fits)
            for marks, fits in (
                ((",", "."), _thousands),
                ((".", ","), _millions),
                ((" ", ","), _thousands),
                (("'", "."), _thousands),
            )
        ),
        "decimal comma": (whole_column("decimal comma", NUMBER, "real", _marks("", ",")),),
        "currency": tuple(
            whole_column("currency", NUMBER, "whole real", _in(*form))
            for form in (
                ("${}", ",", "."),
                ("€ {}", ".", ","),
                ("{} €", " ", ","),
                ("£{}", ",", "."),
                ("CHF {}", "'", "."),
            )
        ),
        "percent sign": (
            whole_column("percent sign", NUMBER, "real", _in("{}%", "", ".")),
            whole_column("percent sign", NUMBER, "real", _in("{} %", "", ",")),
        ),
        "unit": (
            whole_column("unit", NUMBER, "whole real", _in("{} kg", "", ".")),
            whole_column("unit", NUMBER, "whole real", _in("{}km", "", ".")),
        ),
        "date as text": tuple(
            whole_column("date as text", DATE, "date", _date(form))
            for form in ("%d.%m.%Y", "%m/%d/%Y", "%d/%m/%Y", "%Y-%m-%d", "%d %b %Y", "%Y%m%d")
        ),
        "mixed dates": (
            whole_column("mixed dates", DATE, "date", _date("%Y-%m-%d", "%d.%m.%Y")),
            whole_column("mixed dates", DATE, "date", _date("%Y-%m-%d", "%B %d, %Y")),
            whole_column("mixed dates", DATE, "date", _date("%d.%m.%Y", "%Y/%m/%d", "%d %b %Y")),
        ),
        "flag as text": tuple(
            whole_column("flag as text", FLAG, "flag", _flag(*words))
            for words in (("yes", "no"), ("Y", "N"), ("TRUE", "FALSE"), ("on", "off"))
        ),
        "case": (cells("case", SPELLING, _FEW, 0.1, _cased),),
        "misspelt": (cells("misspelt", SPELLING, _FEW, 0.03, _misspelt),),
        "duplicate rows": (_duplicates,),
        "empty column": (_added("empty column", _empty), _added("empty column", _almost_empty)),
        "constant column": (_added("constant column", _constant),),
        "collinear column": (
            _added("collinear column", _collinear),
            _added("collinear column", _sum),
        ),
        "outlier": (_outliers,),
        "composite": tuple(map(_joined, (", ", " - ", "/", "|", "; "))),
        "json": (_as_json,),
        "bad email": tuple(
            cells("bad email", frozenset({"fix_syntax_errors"}), "email", share, _broken)
            for share in SHARES
        ),
        "phone": tuple(
            cells("phone", frozenset({"standardize_phone"}), "phone", share, _phone)
            for share in SHARES
        ),
        "country": (_countries,),
        "column name": (_headings,),
    }.items()
    for made in makes
)


def damaged(tables: dict[str, pl.DataFrame], seed: int = 7) -> Iterator[Case]:
    """Yield every case of every kind; the same ones for the same *seed*."""
    for number, (_, cases) in enumerate(KINDS):
        for name, frame in tables.items():
            own = random.Random(f"{seed} {number} {name}")
            yield from cases(name, frame, CLEAN[name], own)
