"""What a column is held to be: each kind by its values, its name, and what speaks against it."""

from typing import Any

import polars as pl
import pytest

from kozmo_bridge.cleaner import Kind, profile
from kozmo_bridge.cleaner.model import Guess

MANY = 60


def guess(values: Any, name: str = "column", **options: Any) -> Guess:
    """Return what a column of *values* is held to be."""
    return profile(pl.DataFrame({name: pl.Series(values, **options)}))[name].guess


def spread(*texts: str) -> list[str]:
    """Return *texts* again and again, MANY in all."""
    return [texts[i % len(texts)] for i in range(MANY)]


EACH = range(MANY)
TEXTS: list[tuple[str, str, list[str], Kind]] = [
    ("truths", "column", spread("true", "False"), Kind.TRUE_OR_FALSE),
    ("yes and no", "column", spread("Yes", "no", "YES"), Kind.TRUE_OR_FALSE),
    ("0 and 1", "column", spread("0", "1"), Kind.TRUE_OR_FALSE),
    ("two words", "sex", spread("male", "female"), Kind.CATEGORY),
    ("1 and 2", "column", spread("1", "2"), Kind.NUMBER),
    ("e-mail", "column", [f"a.b+{i}@mail.example.co.uk" for i in EACH], Kind.EMAIL),
    ("e-mail, half wrong", "email", spread("a@b.de", "c@d.org", "nobody", "a@"), Kind.EMAIL),
    ("named e-mail", "column", [f"Ann B <ann{i}@b.org>" for i in EACH], Kind.EMAIL),
    ("url", "column", [f"https://example.com/{i}?q=1#x" for i in EACH], Kind.URL),
    ("domain", "column", [f"host{i}.example.org" for i in EACH], Kind.URL),
    ("IPv4", "column", [f"10.0.{i}.1" for i in EACH], Kind.IP),
    ("network", "column", [f"10.{i}.0.0/16" for i in EACH], Kind.IP),
    ("IPv6", "column", [f"2001:db8::{i:x}" for i in EACH], Kind.IP),
    ("uuid", "column", [f"123e4567-e89b-12d3-a456-4266141740{i:02}" for i in EACH], Kind.UUID),
    ("json", "column", [f'{{"a": {i}, "b": [1, 2]}}' for i in EACH], Kind.JSON),
    ("arrays", "column", [f"[{i}, 2, 3]" for i in EACH], Kind.LIST),
    ("bars", "genres", spread("Drama|Comedy", "Comedy", "Drama", "Action|Drama"), Kind.LIST),
    ("whole", "column", [str(i * 7) for i in EACH], Kind.NUMBER),
    ("negative", "column", [f"-{i}" for i in EACH], Kind.NUMBER),
    ("decimals", "column", [f"{i}.25" for i in EACH], Kind.NUMBER_WITH_DECIMALS),
    ("whole with .0", "column", [f"{i}.0" for i in EACH], Kind.NUMBER),
    ("exponents", "column", [f"{i + 1}.5e-3" for i in EACH], Kind.NUMBER_WITH_DECIMALS),
    ("thousands", "column", [f"{i + 1},000,{i:03}" for i in EACH], Kind.NUMBER),
    ("lakhs", "column", [f"1,2{i % 10},00,{i:03}" for i in EACH], Kind.NUMBER),
    ("decimal comma", "column", [f"{i},5" for i in EACH], Kind.NUMBER_WITH_DECIMALS),
    ("apostrophes", "column", [f"{i + 1}'000.50" for i in EACH], Kind.NUMBER_WITH_DECIMALS),
    ("units", "column", [f"{i} kg" for i in EACH], Kind.NUMBER),
    ("euros", "column", [f"{i}.{i:03},50 €" for i in EACH], Kind.CURRENCY),
    ("dollars", "column", [f"(${i},{i:03}.50)" for i in range(1, MANY)], Kind.CURRENCY),
    ("codes of currency", "column", [f"CHF {i}.05" for i in EACH], Kind.CURRENCY),
    ("millions", "column", [f"${i}.5M" for i in EACH], Kind.CURRENCY),
    ("percent", "column", [f"{i} %" for i in EACH], Kind.PERCENTAGE),
    ("ISO dates", "column", [f"2024-01-{i % 28 + 1:02}" for i in EACH], Kind.DATETIME),
    ("moments", "column", [f"2024-01-02T10:{i:02}:00Z" for i in EACH], Kind.DATETIME),
    ("zones", "column", [f"2024-01-02T10:{i:02}:00+02:00" for i in EACH], Kind.DATETIME),
    ("dotted dates", "column", [f"{i % 28 + 1}.3.2024" for i in EACH], Kind.DATETIME),
    ("words in dates", "column", [f"March {i % 28 + 1}, 2024" for i in EACH], Kind.DATETIME),
    ("months", "column", [f"2024-{i % 12 + 1:02}" for i in EACH], Kind.DATETIME),
    ("clock", "column", [f"10:{i:02}" for i in EACH], Kind.DATETIME),
    ("clock, half day", "column", [f"10:{i:02} PM" for i in EACH], Kind.DATETIME),
    ("log", "column", [f"10/Oct/2000:13:55:{i:02} -0700" for i in EACH], Kind.DATETIME),
    ("mail dates", "column", [f"Mon, 01 Jan 2024 10:{i:02}:00 GMT" for i in EACH], Kind.DATETIME),
    ("digits of dates", "column", [f"202401{i % 28 + 1:02}" for i in EACH], Kind.DATETIME),
    ("spans", "column", [f"{i}h 30m" for i in EACH], Kind.DURATION),
    ("ISO spans", "column", [f"PT{i}M30S" for i in EACH], Kind.DURATION),
    ("days", "column", [f"{i} days" for i in EACH], Kind.DURATION),
    ("long clocks", "duration", [f"{i + 20}:30:00" for i in EACH], Kind.DURATION),
    ("phones", "column", [f"+49 30 12345{i:02}" for i in EACH], Kind.PHONE_NUMBER),
    ("American phones", "column", [f"(555) 123-45{i:02}" for i in EACH], Kind.PHONE_NUMBER),
    ("phones by name", "phone", [f"030 1234{i:02}" for i in EACH], Kind.PHONE_NUMBER),
    ("zips by name", "zip", [f"10{i:03}" for i in EACH], Kind.ZIP_CODE),
    ("British zips", "column", [f"SW{i % 9 + 1}A {i % 9 + 1}AA" for i in EACH], Kind.ZIP_CODE),
    ("zip plus four", "column", [f"1234{i % 10}-67{i:02}" for i in EACH], Kind.ZIP_CODE),
    ("countries", "country", spread("DE", "FR", "US", "GB"), Kind.COUNTRY_CODE),
    ("countries of three", "nation", spread("DEU", "FRA", "USA"), Kind.COUNTRY_CODE),
    ("languages", "language", spread("de", "en-US", "fr"), Kind.LANGUAGE_CODE),
    ("places", "column", [f"48.{i:02}, 11.5{i:02}" for i in EACH], Kind.GEO),
    ("points", "column", [f"POINT(11.{i:02} 48.1)" for i in EACH], Kind.GEO),
    ("latitudes", "lat", [f"48.1{i:02}" for i in EACH], Kind.GEO),
    ("degrees", "column", [f"48° {i}' 12\" N" for i in EACH], Kind.GEO),
    ("leading zeros", "column", [f"{i:05}" for i in EACH], Kind.IDENTIFIER),
    ("cards", "column", [f"4111 1111 1111 {i + 1000}" for i in EACH], Kind.IDENTIFIER),
    ("digits of a key", "customer_id", [str(1000 + i) for i in EACH], Kind.IDENTIFIER),
    ("codes", "column", [f"AB-{i:04}-X" for i in EACH], Kind.IDENTIFIER),
    ("versions", "column", [f"1.{i}.0" for i in EACH], Kind.IDENTIFIER),
    ("hashes", "column", [f"{i:040x}" for i in EACH], Kind.IDENTIFIER),
    ("slugs", "column", [f"how-to-do-it-{i}" for i in EACH], Kind.IDENTIFIER),
    ("few words", "column", spread("red", "green", "dark blue"), Kind.CATEGORY),
    ("names", "column", [f"Ann {chr(65 + i % 26)}{'a' * i}" for i in EACH],
     Kind.CATEGORY_HIGH_CARDINALITY),
    ("sentences", "column", [f"The {i} quick brown foxes jump over it." for i in EACH], Kind.TEXT),
    ("blanks", "column", spread("", " ", "N/A", "-"), Kind.EMPTY),
]  # fmt: skip


@pytest.mark.parametrize(("name", "values", "kind"), [each[1:] for each in TEXTS],
                         ids=[each[0] for each in TEXTS])  # fmt: skip
def test_texts_are_held_to_be_what_they_are(name: str, values: list[str], kind: Kind) -> None:
    """The kind follows from the values, in a few cases from the name as well; it is sure."""
    found = guess(values, name)
    assert (found.kind, found.confidence >= 0.4) == (kind, True), found


@pytest.mark.parametrize(("name", "values", "kind"), [each[1:] for each in TEXTS],
                         ids=[each[0] for each in TEXTS])  # fmt: skip
def test_blanks_and_words_for_nothing_change_no_kind(
    name: str, values: list[str], kind: Kind
) -> None:
    """White space around, nulls, N/A and - beside the values leave the kind as it was."""
    padded = [f" {value}  " for value in values]
    assert guess([*padded, None, "N/A", "-", "", "n/a"], name).kind is kind


TYPED: list[tuple[str, pl.Series, Kind]] = [
    ("flag", pl.Series([True, False, None]), Kind.TRUE_OR_FALSE),
    ("flag of numbers", pl.Series([0, 1, 1, None]), Kind.TRUE_OR_FALSE),
    ("count", pl.Series([3, 1, 2, 2]), Kind.NUMBER),
    ("whole floats", pl.Series([3.0, None, 2.0]), Kind.NUMBER),
    ("amount", pl.Series([3.5, None, 2.0]), Kind.NUMBER_WITH_DECIMALS),
    ("decimal", pl.Series(["3.50", "2.25"]).cast(pl.Decimal(10, 2)), Kind.NUMBER_WITH_DECIMALS),
    ("customer_id", pl.Series([17, 3, 12]), Kind.IDENTIFIER),
    ("orderNo", pl.Series([17, 3, 12]), Kind.IDENTIFIER),
    ("zip", pl.Series([10115, 80331]), Kind.ZIP_CODE),
    ("latitude", pl.Series([48.1, 52.5]), Kind.GEO),
    ("lon", pl.Series([11.5, -120.25]), Kind.GEO),
    ("year", pl.Series([1999, 2024, 2001]), Kind.NUMBER),
    ("timestamp", pl.Series([1_700_000_000, 1_700_000_900]), Kind.DATETIME),
    ("date", pl.Series([20240131, 20231224]), Kind.DATETIME),
    ("day", pl.Series(["2024-01-01"]).str.to_date(), Kind.DATETIME),
    ("span", pl.Series([5]).cast(pl.Duration("ms")), Kind.DURATION),
    ("list", pl.Series([[1, 2], [3]]), Kind.LIST),
    ("struct", pl.Series([{"a": 1}]), Kind.JSON),
    ("bytes", pl.Series([b"\x00\xff"]), Kind.BINARY),
    ("nothing", pl.Series([None, None]), Kind.EMPTY),
    ("words", pl.Series(spread("a", "b")).cast(pl.Categorical), Kind.CATEGORY),
    ("account", pl.Series([4_100_000_000 + i * 7 for i in EACH]), Kind.IDENTIFIER),
]


@pytest.mark.parametrize(("name", "values", "kind"), TYPED, ids=[each[0] for each in TYPED])
def test_columns_with_a_type_are_held_to_be_what_they_are(
    name: str, values: pl.Series, kind: Kind
) -> None:
    """The type of a column decides, and what its numbers and its name say."""
    assert guess(values, name).kind is kind


def test_the_order_of_day_and_month_is_decided_by_the_whole_column() -> None:
    """A single value above 12 tells; without one the column says that it is ambiguous."""
    either = [f"0{i % 9 + 1}/0{i % 7 + 1}/2024" for i in EACH]
    assert guess([*either, "13/01/2024"]).format == "%d/%m/%Y"
    assert guess([*either, "13/01/2024"]).ambiguous is None
    assert guess([*either, "01/13/2024"]).format == "%m/%d/%Y"
    assert "day first" in str(guess(either).ambiguous)
    assert "some values" in str(guess([*either, "13/01/2024", "01/13/2024"]).ambiguous)


def test_the_decimal_mark_is_decided_by_the_whole_column() -> None:
    """1,234 alone could be either; a value that tells the mark decides for all."""
    either = [f"{i + 1},{i:03}" for i in EACH]
    assert "could be" in str(guess(either).ambiguous)
    assert guess([*either, "1,5"]).format == "decimal comma, thousands by point"
    assert guess([*either, "1,234.5"]).format == "decimal point, thousands by comma"
    assert guess([*either, "1,234.5"]).ambiguous is None
    money = [f"€ {i + 1}.{i:03}" for i in EACH]
    assert "could be" in str(guess(money).ambiguous)


def test_a_guess_comes_with_its_evidence() -> None:
    """The share that fits, and the most frequent values that do not."""
    found = guess([*(f"a{i}@b.org" for i in range(18)), "nobody", "nobody"], "mail")
    assert found.kind is Kind.EMAIL
    assert found.share == 0.9
    assert found.counter_examples == ("nobody",)


def test_several_currencies_are_said_aloud() -> None:
    """Amounts in more than one currency are no column of numbers without a word."""
    found = guess([*(f"{i}.50 €" for i in EACH), *(f"${i}.50" for i in EACH)])
    assert found.kind is Kind.CURRENCY
    assert "several currencies" in str(found.ambiguous)


@pytest.mark.parametrize("kind", Kind)
def test_every_kind_is_found_somewhere(kind: Kind) -> None:
    """No kind is declared that detection never answers with."""
    assert kind in {each[3] for each in TEXTS} | {each[2] for each in TYPED}
