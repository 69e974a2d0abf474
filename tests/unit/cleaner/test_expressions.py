"""Conditions: what they mean, what they refuse, and that no text of any kind does more."""

import datetime as dt
from contextlib import suppress

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kozmo_bridge.cleaner.expressions import FUNCTIONS, condition
from kozmo_singer.errors import ConfigError

FRAME = pl.DataFrame(
    {
        "age": [20, 31, 40, None],
        "city": ["New York", "Rome", None, "rome"],
        "x y": [1.5, float("nan"), None, 3.0],
        "t": ["5", "abc", "12", None],
        "b": [True, False, None, True],
        "d": [dt.date(2024, 1, 1), dt.date(2024, 2, 1), None, dt.date(2023, 1, 1)],
        "ts": pl.Series([dt.datetime(2024, 1, 1, 5)] * 4, dtype=pl.Datetime("us", "UTC")),
        "and": [1, 2, 3, 4],
        "empty": ["", " ", None, "x"],
        "cat": pl.Series(["a", "b", None, "a"], dtype=pl.Categorical),
    }
)
GOOD = {
    "age > 30 and city == 'New York'": [],
    "age > 30": [1, 2],
    "not age > 30": [0, 3],
    "age != 31": [0, 2, 3],
    "age <> 31": [0, 2, 3],
    "age in [20, 40]": [0, 2],
    "age not in (20, 40)": [1, 3],
    "city in []": [],
    "city is null": [2],
    "city is not null": [0, 1, 3],
    "city == null": [2],
    "city != None": [0, 1, 3],
    "city contains 'om'": [1, 3],
    "city not contains 'om'": [0, 2],
    "contains(city, 'om')": [1, 3],
    "starts_with(city, 'N')": [0],
    "ends_with(city, 'e')": [1, 3],
    "`x y` > 1": [0, 3],
    "`x y` == null": [1, 2],
    "is_nan(`x y`)": [1],
    "20 < age < 40": [1],
    "40 >= age >= 31": [1, 2],
    "age * 2 + 1 == 63": [1],
    "age / 0 is null": [0, 1, 2, 3],
    "age % 2 = 0": [0, 2],
    "lower(city) == 'rome'": [1, 3],
    "upper(city) = 'ROME'": [1, 3],
    "len(city) = 4": [1, 3],
    "trim(empty) == ''": [0, 1],
    "d >= '2024-01-15'": [1],
    "d == '2024-01-01'": [0],
    "ts > '2024-01-01'": [0, 1, 2, 3],
    "ts > '2024-01-01T04:00:00Z'": [0, 1, 2, 3],
    "year(d) = 2024 and month(d) = 2 and day(d) = 1": [1],
    "t > 5": [2],
    "t == 5": [0],
    "age == '31'": [1],
    "b": [0, 3],
    "b == true": [0, 3],
    "b == 'true'": [0, 3],
    "!b": [1, 2],
    "not not b": [0, 3],
    "not b or age = 20": [0, 1, 2],
    "age > 30 && b || city <> 'Rome'": [0, 2, 3],
    "(age > 30) & (city == 'Rome')": [1],
    "(age > 30) | b": [0, 1, 2, 3],
    "matches(city, '^[NR]')": [0, 1],
    "coalesce(age, 0) = 0": [3],
    "city + 'x' == 'Romex'": [1],
    "`and` > 2": [2, 3],
    "round(age / 3, 1) = 10.3": [1],
    "abs(-age) = 20": [0],
    "-age < -30": [1, 2],
    "1 == 1": [0, 1, 2, 3],
    "null": [],
    "'it\\'s' == \"it's\"": [0, 1, 2, 3],
    "is_null(age) and true": [3],
    "cat == 'a'": [0, 3],
    "age > 1e1": [0, 1, 2],
}
BAD = {
    "": "expected a value, got the end",
    "age": "expected true or false, got a number",
    "age >": "expected a value, got the end",
    "age > > 3": "expected a value, got '>'",
    "((age": "expected ')', got the end",
    "'abc": "this text has no end",
    "age == 1; drop": "did not expect ';'",
    "age == 'abc'": "'abc' is no number",
    "d > 5": "a moment cannot be compared with a number",
    "d > 'soon'": "'soon' is no moment",
    "age > null": "null can be compared with == and != alone",
    "cty == 'a'": "did you mean 'city'?",
    "city == Rome": "there is no column 'Rome'",
    "matches(city, '(')": "'(' is no regular expression",
    "lowr(city) == 'a'": "did you mean 'lower'?",
    "lower() == 'a'": "lower() takes 1 values, got 0",
    "age + 'a' > 2": "expected a number, got a text",
    "city contains 5": "'contains' needs a text in quotes",
    "age not 5": "expected 'in' or 'contains'",
    "age is 5": "expected 'null'",
    "(" * 100 + "b" + ")" * 100: "more than 60 parts",
    "not " * 100 + "b": "more than 60 parts",
    "-" * 100 + "age > 1": "more than 60 parts",
    "b and " * 5000 + "b": "at most 10000 characters",
    "__import__('os').system('x')": "did not expect '.'",
    "age.__class__": "did not expect '.'",
    "lambda: 1": "did not expect ':'",
    "[age for age in b]": "expected a value, got '['",
    "exec('x')": "there is no function 'exec'",
    "b if b else b": "did not expect 'if' here",
    "@pd.io": "did not expect '@'",
    "\x00row > 1": "did not expect",
}


def rows(text: str, empty_is_null: bool = False) -> list[int]:
    """Return the numbers of the rows for which *text* is true."""
    numbered = FRAME.with_row_index("\x00row")
    return numbered.filter(condition(text, numbered, empty_is_null))["\x00row"].to_list()


@pytest.mark.parametrize(("text", "wanted"), GOOD.items())
def test_a_condition_is_true_for_the_rows_it_describes(text: str, wanted: list[int]) -> None:
    """As in pandas: a gap compares false, and != is true for it."""
    assert rows(text) == wanted


@pytest.mark.parametrize(("text", "why"), BAD.items())
def test_a_wrong_condition_says_why_and_where(text: str, why: str) -> None:
    """The error is one of configuration and names what was not understood."""
    with pytest.raises(ConfigError) as caught:
        rows(text)
    assert why in str(caught.value)


def test_an_error_points_at_the_place() -> None:
    """With a caret below the character, in a line that is cut where it is long."""
    with pytest.raises(ConfigError) as caught:
        rows("age > 1 and " * 20 + "cty == 'a'")
    _, line, caret, _ = str(caught.value).split("\n")
    at = caret.index("^")
    assert line[at : at + 3] == "cty"
    assert len(line) < 100


def test_an_empty_text_is_null_where_that_is_asked_for() -> None:
    """As in Mage AI; texts of white space are texts."""
    assert rows("empty == null") == [2]
    assert rows("empty == null", empty_is_null=True) == [0, 2]


def test_long_chains_of_sums_are_no_trouble() -> None:
    """Depth is limited where parts stand within each other; a chain is as long as it may be."""
    assert rows("age" + " + 1" * 300 + " > 330") == [1, 2]
    assert rows(" or ".join(["b"] * 1500)) == [0, 3]
    assert rows(f"age in [{', '.join(['31'] * 2000)}]") == [1]


def test_what_would_grow_without_an_end_is_refused() -> None:
    """Parts that would be computed twice on each level, and sums that make a tree too deep."""
    for text in (
        "b < b < b",
        "coalesce(" * 50 + "age" + ", 1)" * 50 + " > 1",
        "1 / (" * 50 + "age" + ")" * 50 + " > 1",
    ):
        rows(text)
    for text in (
        "b < (" * 50 + "b" + ") < b" * 50,
        "(" * 50 + "b" + " in [b, b])" * 50,
        "age" + " + 1" * 301 + " > 1",
    ):
        with pytest.raises(ConfigError):
            rows(text)


PIECES = st.sampled_from(
    [
        *FUNCTIONS, "age", "city", "`x y`", "t", "b", "d", "ts", "cat", "nope", "and", "or", "not",
        "in", "is", "null", "contains", "true", "(", ")", "[", "]", ",", "==", "!=", "<", ">=", "=",
        "&", "||", "!", "+", "-", "*", "/", "%", "1", "2.5", "'a'", "'2024-01-01'", '"x"', "`", "'",
        "\\", "__class__", ".", ";", "@", "\n", "\x00", "é", "9" * 40, "1e999", "'5'",
    ]
)  # fmt: skip


@settings(max_examples=400, deadline=None)
@given(st.lists(PIECES, max_size=14).map(" ".join))
def test_whatever_is_written_is_read_or_refused(text: str) -> None:
    """Either rows come out, or a ConfigError; nothing else is ever raised."""
    with suppress(ConfigError):
        assert set(rows(text)) <= {0, 1, 2, 3}


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=40))
def test_any_text_at_all_is_read_or_refused(text: str) -> None:
    """Unicode, control characters and quotes that never end."""
    with suppress(ConfigError):
        rows(text)
