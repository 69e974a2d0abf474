"""Profiles made by hand for what shows them: one of a dirty table of people, one of any width."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, median, quantiles, stdev
from typing import Any

from kozmo_bridge.cleaner.kinds import Kind
from kozmo_bridge.cleaner.model import (
    ColumnProfile,
    Dependency,
    Gaps,
    Guess,
    Histogram,
    Insight,
    Lengths,
    Outliers,
    Profile,
    Relations,
    Statistics,
    Suggestion,
)
from kozmo_bridge.cleaner.rules import Rule

ROWS = 2000


@dataclass(frozen=True)
class HandMade(Profile):
    """A profile whose suggestions are given beforehand."""

    made: tuple[Suggestion, ...] = ()

    def suggestions(self) -> list[Suggestion]:
        """Return those that were given."""
        return list(self.made)


def column(
    label: str, position: int = 0, kind: Kind = Kind.TEXT, guess: Any = None, **given: Any
) -> ColumnProfile:
    """Return a column of *kind*; what is not given about it is empty."""
    settled = guess or Guess(kind, 0.99, 1.0, "every value fits")
    dtype = given.pop("dtype", "String")
    return ColumnProfile(label, position, dtype, settled, **{"statistics": Statistics(), **given})


def of_words(values: Sequence[str | None], **more: Any) -> Statistics:
    """Return the figures of texts."""
    present = [value for value in values if value is not None]
    counts: dict[str, int] = {}
    for value in present:
        counts[value] = counts.get(value, 0) + 1
    top = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    lengths = [len(value) for value in present]
    given = {
        "count": len(present),
        "nulls": len(values) - len(present),
        "distinct": len(counts),
        "mode": top[0][0] if top else None,
        "mode_cells": top[0][1] if top else 0,
        "top": tuple(top[:20]),
        "minimum": min(present, default=None),
        "maximum": max(present, default=None),
        "lengths": Lengths(min(lengths), fmean(lengths), max(lengths)) if lengths else None,
    }
    return Statistics(**{**given, **more})


def of_numbers(values: Sequence[float], bins: int = 24, **more: Any) -> Statistics:
    """Return the figures of numbers."""
    low, high = min(values), max(values)
    width = (high - low) / bins or 1.0
    counts = [0] * bins
    for value in values:
        counts[min(bins - 1, int((value - low) / width))] += 1
    cuts = quantiles(values, n=100)
    given = {
        "count": len(values),
        "distinct": len(set(values)),
        "mode": values[0],
        "mode_cells": values.count(values[0]),
        "top": tuple((value, 1) for value in sorted(set(values))[:5]),
        "minimum": low,
        "maximum": high,
        "mean": fmean(values),
        "median": median(values),
        "deviation": stdev(values),
        "skew": 0.4,
        "kurtosis": -0.2,
        "quantiles": {f"{q:g}": cuts[round(100 * q) - 1] for q in QUANTILES},
        "histogram": Histogram(tuple(low + width * i for i in range(bins + 1)), tuple(counts)),
        "negatives": sum(value < 0 for value in values),
    }
    return Statistics(**{**given, **more})


QUANTILES = (0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99)


def people() -> HandMade:
    """Return what a profiler would say of a dirty table of people."""
    dice = random.Random(7)
    columns = [*_who(dice), *_when_and_how_much(dice), *_what(dice)]
    placed = [_at(each, position) for position, each in enumerate(columns)]
    return HandMade(
        ROWS,
        tuple(placed),
        _relations(),
        _insights(),
        tuple(tuple(_sample(each, row) for each in placed) for row in range(12)),
        "people.csv",
        431_220,
        _suggestions(),
    )


def _at(made: ColumnProfile, position: int) -> ColumnProfile:
    return ColumnProfile(**{**vars(made), "position": position})


def _sample(made: ColumnProfile, row: int) -> str | None:
    top = made.statistics.top
    if not top or (made.statistics.nulls > ROWS / 2 and row % 6):
        return None
    return str(top[row % len(top)][0])


def _who(dice: random.Random) -> list[ColumnProfile]:
    first = ["Ann", "Bo", "Zoë", "Jürgen", "Çelik", "María José", "O'Neill", "小林"]
    names = [f"{dice.choice(first)} {dice.choice(first)}" for _ in range(ROWS)]
    mails = [f"{name.lower().replace(' ', '.')}{i}@example.com" for i, name in enumerate(names)]
    mails[::40] = ["ann at example.com"] * 50
    phones: list[str | None] = [f"+49 30 {dice.randint(10**6, 10**7)}" for _ in range(ROWS)]
    phones[300:420] = [None] * 120
    ids = [f"{i:05}" for i in range(1, ROWS + 1)]
    return [
        column("id", kind=Kind.IDENTIFIER, statistics=of_words(ids, order="ascending"), guess=Guess(
            Kind.IDENTIFIER, 0.99, 1.0, "digits of one length with leading zeros, none twice"
        )),
        column("name", kind=Kind.CATEGORY_HIGH_CARDINALITY, statistics=of_words(names), guess=Guess(
            Kind.CATEGORY_HIGH_CARDINALITY, 0.84, 1.0, "short words, 64 of which come again"
        ), alternatives=(Guess(Kind.TEXT, 0.16, 1.0, "words in a row"),)),
        column("e-mail", kind=Kind.EMAIL, statistics=of_words(
            mails, invalid=50, invalid_examples=("ann at example.com",)
        ), guess=Guess(Kind.EMAIL, 0.97, 0.975, "1,950 of 2,000 values are addresses",
                       ("ann at example.com",))),
        column("phone", kind=Kind.PHONE_NUMBER, statistics=of_words(phones), gap_pattern=tuple(
            1.0 if 8 <= i < 10 else 0.4 if i == 10 else 0.0 for i in range(50)
        )),
    ]  # fmt: skip


def _when_and_how_much(dice: random.Random) -> list[ColumnProfile]:
    days = [f"{dice.randint(1, 28):02}.{dice.randint(1, 12):02}.2023" for _ in range(ROWS)]
    months = tuple(f"2023-{m:02}-01T00:00:00" for m in range(1, 13)) + ("2023-12-29T00:00:00",)
    amounts = [dice.lognormvariate(5, 1) for _ in range(ROWS - 137)]
    score = [dice.gauss(50, 9) for _ in range(ROWS - 6)] + [900, 870, 910, -300, 905, 880]
    return [
        column("signup", kind=Kind.DATETIME, statistics=of_words(
            days, minimum="2023-01-01", maximum="2023-12-28",
            histogram=Histogram(months, tuple(dice.randint(130, 190) for _ in range(12))),
            gaps=Gaps(86400.0, 777600.0, "2023-07-19T00:00:00", 3),
        ), guess=Guess(Kind.DATETIME, 0.98, 1.0, "every value reads as day.month.year",
                       format="%d.%m.%Y",
                       ambiguous="812 values read as month.day.year as well; 13 to 28 decided")),
        column("amount", statistics=of_numbers(
            amounts, disguised={"N/A": 98, "-": 32}, nulls=0, count=ROWS, minimum=min(amounts),
            top=(("1.234,50 €", 12), ("12,00 €", 9), ("99,90 €", 7)), mode="1.234,50 €",
            mode_cells=12, invalid=7, invalid_examples=("tba", "see invoice"),
        ), guess=Guess(Kind.CURRENCY, 0.93, 0.9965, "decimal comma and the sign of the euro",
                       ("tba", "see invoice"), "decimal comma", "EUR")),
        column("score", kind=Kind.NUMBER_WITH_DECIMALS, dtype="Float64", statistics=of_numbers(
            score, outliers=Outliers(-7.2, 107.9, 6, (910.0, 905.0, -300.0))
        )),
        column("score of last year", kind=Kind.NUMBER_WITH_DECIMALS, dtype="Float64",
               statistics=of_numbers([dice.gauss(0, 1) for _ in range(ROWS)])),
    ]  # fmt: skip


def _what(dice: random.Random) -> list[ColumnProfile]:
    places = ["Germany", "germany ", "Deutschland", "France", "FR", "United States", "日本"]
    country = [dice.choices(places, (50, 4, 2, 30, 3, 20, 5))[0] for _ in range(ROWS)]
    active = [dice.choice(("yes", "yes", "no")) for _ in range(ROWS)]
    texts = [
        "Gr\u00c3\u00bc\u00c3\u0178e aus M\u00c3\u00bcnchen",
        "called  twice",
        " asks for an invoice",
        "line one\nline two",
        "",
        "wants\u00a0a\u200brefund",
    ]
    remarks = [dice.choice(texts) + (f" {i}" if i % 3 else "") for i in range(ROWS)]
    fax: list[str | None] = [None] * ROWS
    fax[::50] = ["+49 30 1234"] * 40
    return [
        column("country", kind=Kind.CATEGORY, statistics=of_words(country), spellings=(
            ("Germany", "germany ", "Deutschland"), ("France", "FR"),
        )),
        column("active", kind=Kind.TRUE_OR_FALSE, statistics=of_words(active)),
        column("remarks", statistics=of_words(remarks, empty=111)),
        column("fax", kind=Kind.PHONE_NUMBER, statistics=of_words(fax), gap_pattern=(0.98,) * 50),
        column("attachment", kind=Kind.BINARY, dtype="Binary",
               statistics=Statistics(count=1200, nulls=800), gap_pattern=tuple(
                   round((i % 9) / 10, 1) for i in range(50)
               ), fault="the type extension<photo> is not known; seen as bytes"),
    ]  # fmt: skip


def _relations() -> Relations:
    return Relations(
        duplicate_rows=14,
        keys=(("id",), ("name", "signup")),
        correlated=("amount", "score", "score of last year"),
        correlation=((1.0, 0.12, -0.43), (0.12, 1.0, 0.94), (-0.43, 0.94, 1.0)),
        inflation={"score": 8.6, "score of last year": 9.1, "amount": 1.2},
        dependencies=(Dependency("e-mail", "name", 0.998), Dependency("phone", "country", 1.0)),
    )


def _insights() -> tuple[Insight, ...]:
    return (
        Insight("fax lacks a value in 1,960 of 2,000 rows (98 %).", 0.82, ("fax",)),
        Insight("amount holds amounts in euro as text, with a decimal comma.", 0.75, ("amount",)),
        Insight("130 cells of amount say 'N/A' or '-' instead of nothing.", 0.66, ("amount",)),
        Insight("country spells two countries in five ways.", 0.55, ("country",)),
        Insight("score and score of last year move together (0.94).", 0.45,
                ("score", "score of last year")),
        Insight("14 rows are equal to an earlier one.", 0.41),
        Insight("id could be the key: it has a value in every row and none twice.", 0.2, ("id",)),
    )  # fmt: skip


def _suggestions() -> tuple[Suggestion, ...]:
    return (
        Suggestion(
            Rule("parse_numbers", ("amount",), {"decimal": ",", "unit": "EUR"}), "safe", 1863, 1863,
            "The amounts are written with a decimal comma and the sign of the euro.", 0.93,
            (("1.234,50 €", 1234.5), ("12,00 €", 12.0)),
        ),
        Suggestion(
            Rule("trim_whitespace", ("country", "remarks")), "safe", 402, 418,
            "418 cells begin or end with white space.", 1.0,
            (("germany ", "germany"), (" asks for an invoice", "asks for an invoice")),
        ),
        Suggestion(
            Rule("repair_text", ("remarks",)), "safe", 333, 333,
            "UTF-8 was read as Windows-1252.", 0.97,
            (("Gr\u00c3\u00bc\u00c3\u0178e aus M\u00c3\u00bcnchen", "Grüße aus München"),),
        ),
        Suggestion(
            Rule("unify_spellings", ("country",), {"to": {"germany ": "Germany", "FR": "France"}}),
            "lossy", 151, 151, "Two countries are spelled in five ways.", 0.88,
            (("germany ", "Germany"), ("FR", "France")), "which spelling each row had", False,
        ),
        Suggestion(
            Rule("drop_duplicates"), "destructive", 14, 0,
            "14 rows are equal to an earlier one.", 0.7, (), "14 rows",
        ),
        Suggestion(
            Rule("drop_columns", ("fax",)), "destructive", 2000, 2000,
            "98 % of its cells are empty.", 0.6, (("+49 30 1234", None),), "40 values",
        ),
    )  # fmt: skip


def wide(width: int = 200) -> HandMade:
    """Return a profile of *width* columns: numbers, dates, and words by turns, some with gaps."""
    dice = random.Random(3)
    columns = []
    for i in range(width):
        if i % 4 == 3:
            words = [dice.choice(("red", "green", "blue", "grey", "none")) for _ in range(500)]
            made = column(f"colour of part {i}", kind=Kind.CATEGORY, statistics=of_words(words))
        elif i % 4 == 2:
            texts: list[str | None] = [f"remark {i} {n} with some more words" for n in range(490)]
            made = column(
                f"remark_{i}", statistics=of_words([*texts, *[None] * 10]),
                gap_pattern=tuple(round(dice.random(), 2) for _ in range(50)),
            )  # fmt: skip
        else:
            numbers = [dice.gauss(i, 3) for _ in range(500)]
            made = column(f"measure_{i}", kind=Kind.NUMBER_WITH_DECIMALS, dtype="Float64",
                          statistics=of_numbers(numbers))  # fmt: skip
        columns.append(_at(made, i))
    labels = tuple(c.label for c in columns if c.statistics.mean is not None)
    table = tuple(
        tuple(1.0 if i == j else ((i * j) % 21 - 10) / 10 for j in range(len(labels)))
        for i in range(len(labels))
    )
    return HandMade(
        500, tuple(columns), Relations(0, (), labels, table),
        (Insight("200 columns are many.", 0.5),),
        tuple(tuple(_sample(c, row) for c in columns) for row in range(10)), "wide", 10**6,
        _suggestions(),
    )  # fmt: skip
