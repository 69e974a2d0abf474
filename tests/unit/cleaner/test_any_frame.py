"""Whatever a frame holds, it is profiled, and the rules that are suggested do what they say.

The frames are the unusual ones, and ones that hypothesis makes of values that look like others.
"""

import datetime as dt
import decimal
import io
import json
import math
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rich.console import Console

from kozmo_bridge.cleaner import Cleaner, Profile, Suggestion, clean, profile, suggest
from kozmo_bridge.cleaner.report import terminal
from kozmo_bridge.cleaner.table import ROW, Table
from unusual_frames import FRAMES

LARGE = [name for name in FRAMES if any(word in name for word in ("5,000", "MB", "million"))]
SMALL = [name for name in FRAMES if name not in LARGE]
STRUCTURAL = {"clean_column_name", "drop_columns", "expand_json", "split_column"}
"""Actions of which no cell can be compared with the one before."""


def assert_told(frame: Any) -> tuple[Profile, list[Suggestion]]:
    """Fail unless all that is said of *frame* can be said; return the profile and suggestions."""
    table = Table.of(frame)
    seen = profile(frame)
    assert [column.label for column in seen.columns] == table.labels
    assert [column.position for column in seen.columns] == [*range(len(table.labels))]
    assert seen.rows == table.frame.height
    for column in seen.columns:
        assert column.statistics.cells == seen.rows
        assert 0 <= column.guess.share <= 1 and 0 <= column.guess.confidence <= 1
    json.dumps(seen.to_dict(), allow_nan=False).encode()
    seen.to_html().encode()
    console = Console(file=io.StringIO(), width=100)
    terminal(seen, console)
    suggested = suggest(seen)
    json.dumps([each.to_dict() for each in suggested], allow_nan=False).encode()
    return seen, suggested


def assert_loses_nothing(frame: Any) -> None:
    """Fail unless "auto" keeps rows, columns and values, and does nothing the second time."""
    table = Table.of(frame)
    result = clean(frame, "auto")
    after = Table.of(result.frame).frame
    assert after.shape == table.frame.shape
    for before, now in zip(table.frame.get_columns(), after.get_columns(), strict=True):
        assert now.name == before.name
        lost = before.filter(now.is_null() & before.is_not_null())
        if before.dtype == pl.String:
            assert all(len(text.strip(" \t\r\n\u200b\ufeff")) < 20 for text in lost.to_list())
        else:
            assert not len(lost)
    again = clean(result.frame, result.actions)
    assert Table.of(again.frame).frame.equals(after, null_equal=True)


def assert_does_what_it_says(frame: Any, each: Suggestion, before: list[Suggestion]) -> None:
    """Fail unless the rule of a suggestion, applied alone, changes as much as it says.

    A rule that reads what another, suggested before it, prepares may be a fault alone.
    """
    old = Table.of(frame).frame
    cleaner = Cleaner([each.rule])
    new = cleaner.whole(old)
    if cleaner.faults:
        assert any(set(other.rule.columns) & set(each.rule.columns) for other in before)
        assert new.drop(ROW, strict=False).equals(old, null_equal=True)
    elif new.height < old.height:
        assert each.risk == "destructive"
        assert not each.exact or old.height - new.height == each.rows
    elif each.exact and each.rule.action not in STRUCTURAL:
        changed = sum(changes(old[name], new[name]) for name in each.rule.columns)
        assert changed == each.cells, each


def changes(before: pl.Series, after: pl.Series) -> int:
    """Return how many cells differ; of another type, all that hold a value do."""
    if before.dtype != after.dtype:
        return (
            before.len()
            - before.null_count()
            + (before.null_count() - after.null_count())
            * (before.null_count() > after.null_count())
        )
    differs = before.ne_missing(after)
    if before.dtype.is_float():
        differs = differs & ~(before.is_nan().fill_null(False) & after.is_nan().fill_null(False))
    return int(differs.sum())


def assert_steady(frame: Any, suggested: list[Suggestion], places: list[int]) -> None:
    """Fail unless rules without loss of rows give the same twice, and in batches."""
    old = Table.of(frame).frame
    rules = [each.rule for each in suggested if each.risk != "destructive"]
    cleaner = Cleaner(rules)
    whole = cleaner.whole(old).drop(ROW, strict=False)
    assert whole.height == old.height
    again = Cleaner([rule for rule in cleaner.rules if {*rule.columns} <= {*whole.columns}])
    assert again.whole(whole).drop(ROW, strict=False).equals(whole, null_equal=True)
    if Cleaner(rules).batched[0] and old.width:
        learned = Cleaner(rules).fit(old)
        edges = [0, *sorted(place % (old.height + 1) for place in places), old.height]
        pieces = [old.slice(a, b - a) for a, b in zip(edges, edges[1:], strict=False)]
        made = pl.concat([learned.apply(piece) for piece in pieces])
        assert made.schema == whole.schema
        assert made.equals(whole, null_equal=True)


@pytest.mark.parametrize("name", SMALL)
def test_all_can_be_said_and_done_about_any_frame(name: str) -> None:
    """Every label is in the profile once, the reports are made, and the suggestions hold."""
    frame = FRAMES[name]()
    _, suggested = assert_told(frame)
    assert_loses_nothing(frame)
    for number, each in enumerate(suggested):
        assert_does_what_it_says(frame, each, suggested[:number])
    assert_steady(frame, suggested, [1, 2])


@pytest.mark.parametrize("name", LARGE)
def test_size_alone_is_no_reason_to_fail(name: str) -> None:
    """Thousands of columns, cells of megabytes, a million rows."""
    frame = FRAMES[name]()
    _, suggested = assert_told(frame)
    for number, each in enumerate(suggested[:3]):
        assert_does_what_it_says(frame, each, suggested[:number])


LOOKALIKES: dict[str, list[str]] = {
    "numbers": ["1", "007", "1,234", "1.234,5", "1 234", "1_000", "0x1F", "--5", "(5)", "5-", "€",
                "1e999", "nan", "inf", "-Infinity", "-0", "+1", "1e5", ".", ",", "9" * 5000, "1.5",
                "١٢٣", "１２３", "12%", "%", "5 kg", "NaN"],
    "money": ["$1,234.50", "1.234,50 €", "£3", "USD 5", "CHF 1'234.00", "5 kr", "$", "-$3", "$(4)"],
    "dates": ["2024-02-29", "29.02.2023", "31.02.2024", "01/02/2024", "13/01/2024", "0000-00-00",
              "9999-99-99", "10000-01-01", "24:00", "23:59:60", "2024-12-31T23:59:60Z",
              "2024-10-27T02:30:00+02:00", "2024-03-31 02:30", "5 May 2024", "20240101", "9:15 pm"],
    "nothing": ["", " ", "N/A", "NA", "null", "Null", "None", "-", "--", "?", "-999", "unknown"],
    "truths": ["True", "False", "yes", "no", "Y", "n", "1", "0"],
    "addresses": ["a@b.example", "A@B.EXAMPLE", "not@", "http://x.example/a?b", "127.0.0.1", "::1",
                  "+49 30 1234567", "(212) 555-0100", "4111 1111 1111 1111", "D-10115", "SW1A 1AA"],
    "json": ['{"a": 1}', '{"a": {"b": [1]}}', "[1, 2]", "{", '{"a": NaN}', "[" * 300, "{}", "a|b"],
    "writing": ["schÃ¶n", "â€œxâ€\x9d", " a ", "a  b", "a\u00a0b", "\u200bx", "e\u0301", "\u202ex",
                "\x1b[31mred", "\ufeff", "ﬁ", "A\u030a", "\t", "a\r\nb", "NFC é"],
    "code": ["=cmd|' /C calc'!A0", "__import__('os').system('x')", "${x}", "{{7*7}}", "<script>"],
    "words": ["N.Y.", "NY", "New York", "new york ", "Berlin", "berlin", "Berln", "NA", "a, b"],
}  # fmt: skip
TYPED: tuple[st.SearchStrategy[Any], ...] = (
    st.integers(-5, 5) | st.sampled_from([-999, 2**63 - 1, -(2**63)]),
    st.sampled_from([0.0, -0.0, 1.5, math.inf, -math.inf, math.nan, 1e308, -1e308, 5e-324, 1e20]),
    st.floats(),
    st.dates(),
    st.datetimes(),
    st.booleans(),
    st.decimals(allow_nan=False, allow_infinity=False, places=2, min_value=-1000, max_value=1000),
    st.lists(st.integers(0, 3), max_size=2),
    st.fixed_dictionaries({"k": st.integers(0, 3), "l": st.none() | st.text(max_size=2)}),
    st.binary(max_size=3),
    st.timedeltas(),
    st.text(max_size=6),
)


@st.composite
def frames(draw: st.DrawFn) -> pd.DataFrame:
    """Frames of which each column holds lookalikes of one sort or two, values of a type, or all."""
    rows = draw(st.integers(0, 30))
    made: dict[str, Any] = {}
    names = st.sampled_from(["id", "zip", "country", "date", "phone", "lat", "amount", "x", "a b"])
    for _ in range(draw(st.integers(1, 4))):
        sorts = draw(st.lists(st.sampled_from(sorted(LOOKALIKES)), min_size=1, max_size=2))
        texts = st.sampled_from([text for sort in sorts for text in LOOKALIKES[sort]])
        values = draw(st.sampled_from([texts, texts, texts, *TYPED]))
        cells = draw(st.lists(st.none() | values | values, min_size=rows, max_size=rows))
        array = np.empty(rows, dtype=object)
        for place, cell in enumerate(cells):
            array[place] = cell
        series = pd.Series(array, dtype=object)
        # Texts stay objects: which type pandas gives them depends on its version.
        typed = not any(isinstance(cell, str | decimal.Decimal) for cell in cells)
        made[draw(names)] = series.infer_objects() if typed else series
    return pd.DataFrame(made)


@settings(max_examples=40, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck))
@given(frame=frames(), places=st.lists(st.integers(0, 30), max_size=3))
def test_all_can_be_said_and_done_about_frames_of_lookalikes(
    frame: pd.DataFrame, places: list[int]
) -> None:
    """What holds of the unusual frames holds of any mix of texts that look like something."""
    _, suggested = assert_told(frame)
    assert_loses_nothing(frame)
    for number, each in enumerate(suggested):
        assert_does_what_it_says(frame, each, suggested[:number])
    assert_steady(frame, suggested, places)


KEPT: dict[str, list[Any]] = {
    "leading zeros": [f"{i:05}" for i in range(40)],
    "a single leading zero": ["012", *(str(i) for i in range(100, 400))],
    "cards": [f"4111 1111 1111 {i:04}" for i in range(40)],
    "cards without blanks": [f"411111111111{i:04}" for i in range(40)],
    "phones": [f"+49 30 12345{i:02}" for i in range(40)],
    "phones in America": [f"(212) 555-01{i:02}" for i in range(40)],
    "Namibia": ["NA", "DE", "FR", "US", "IT", "ES", "PT", "CH", "AT", "NL"] * 4,
    "a surname": ["Null", "Smith", "Jones", "Miller", "Nguyen", "Garcia"] * 7,
    "None as a category": ["None", "Small", "Large", "Medium"] * 10,
}


@pytest.mark.parametrize("name", KEPT)
def test_codes_and_words_stay_what_they_are(name: str) -> None:
    """No suggestion makes numbers of codes, and auto changes nothing of clean data."""
    frame = pl.DataFrame({"value": KEPT[name]})
    suggested = suggest(profile(frame))
    assert not {each.rule.action for each in suggested} & {"parse_number", "convert_type"}
    assert clean(frame, "auto").frame.equals(frame)


def test_clean_data_of_every_type_stays_the_same() -> None:
    """The frame that comes out of auto is equal to the one that went in, index included."""
    frame = pd.DataFrame(
        {
            "whole": range(30),
            "gaps": [None if i % 7 == 0 else float(i) for i in range(30)],
            "word": pd.Series([["red", "green", "blue"][i % 3] for i in range(30)], dtype=object),
            "kind": pd.Categorical([["u", "v"][i % 2] for i in range(30)]),
            "when": pd.date_range("2024-03-30", periods=30, freq="h", tz="Europe/Berlin"),
            "day": [dt.date(2024, 1, 1) + dt.timedelta(i) for i in range(30)],
            "nullable": pd.array([None, *range(29)], dtype="Int64"),
        },
        index=pd.Index([f"r{i}" for i in range(30)], name="key"),
    )
    pd.testing.assert_frame_equal(clean(frame, "auto").frame, frame)


@pytest.mark.parametrize(
    "values",
    [
        ["9" * 5000, "5"],
        ["1e999", "5"],
        ["1." + "123456789" * 5, "2.5"],
        ["2024-12-31T23:59:60Z", "2024-12-31T23:59:59Z"],
        ["2024-01-01 00:00:00.1234567", "2024-01-01 00:00:00.1234568"],
        ["١٢٣", "٤٥٦"],
        ["0001-01-01", "9999-12-31"],
    ],
    ids=["5,000 digits", "beyond floats", "46 digits", "leap second", "100 ns", "Arabic", "year 1"],
)
def test_auto_reads_nothing_that_its_type_does_not_hold(values: list[str]) -> None:
    """Texts of which the number or the moment would be another stay texts."""
    frame = pl.DataFrame({"value": values * 6})
    assert clean(frame, "auto").frame.equals(frame)


def test_a_rule_after_one_that_takes_its_column_away_is_a_fault() -> None:
    """Suggestions can be applied together, whichever of them were chosen."""
    frame = pl.DataFrame({"a b": [1, 2]})
    rules = [
        {"action": "drop_columns", "columns": ["a b"]},
        {"action": "clean_column_name", "columns": ["a b"]},
    ]
    [fault] = clean(frame, rules).faults
    assert (fault.column, fault.step) == ("a b", 2)
