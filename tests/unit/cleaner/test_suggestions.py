"""What suggest() says could be done, what it would change, and what it would cost."""

from typing import Any

import polars as pl
import pytest

from kozmo_bridge.cleaner import Profile, Suggestion, clean, profile, suggest

EACH = range(60)


def of(frame: dict[str, Any], action: str, column: str | None = None) -> Suggestion:
    """Return the one suggestion of *action* for *column* of *frame*."""
    found = [
        each
        for each in suggest(profile(pl.DataFrame(frame)))
        if each.rule.action == action and (column is None or column in each.rule.columns)
    ]
    assert len(found) == 1, [each.rule for each in found]
    return found[0]


def actions(frame: dict[str, Any], risk: str | None = None) -> list[str]:
    """Return the actions that are suggested for *frame*."""
    found = suggest(profile(pl.DataFrame(frame)))
    return [each.rule.action for each in found if risk in (None, each.risk)]


def test_white_space_around_values_is_taken_off_safely() -> None:
    """The suggestion counts the cells, shows what they were and become, and is safe."""
    found = of({"name": [" Ann", "Bob ", "Cid", "Cid"]}, "trim_whitespace")
    assert (found.risk, found.rows, found.cells, found.exact) == ("safe", 2, 2, True)
    assert found.examples == ((" Ann", "Ann"), ("Bob ", "Bob"))
    assert found.loses is None


@pytest.mark.parametrize(
    ("values", "parameters"),
    [
        ([f"{i}.{i:03},50 €" for i in EACH], {"decimal": ",", "thousands": ".", "strip": ["€"]}),
        ([f"${i + 1},{i:03}.25" for i in EACH], {"decimal": ".", "thousands": ",", "strip": ["$"]}),
        ([f"{i},5 %" for i in EACH], {"decimal": ",", "thousands": ".", "strip": ["%"]}),
        ([f"{i}.5 kg" for i in EACH], {"decimal": ".", "thousands": "", "strip": ["kg"]}),
        ([f"{i}" for i in EACH], {"decimal": ".", "thousands": ""}),
    ],
    ids=["euros", "dollars", "percent", "unit", "plain"],
)
def test_numbers_in_texts_are_read_as_the_column_writes_them(
    values: list[str], parameters: dict[str, Any]
) -> None:
    """Decimal mark, thousands, currency and unit come from the whole column; reading is safe."""
    found = of({"amount": values}, "parse_number")
    assert found.risk == "safe"
    assert found.rule.parameters == parameters


def test_what_could_be_read_in_two_ways_is_not_safe() -> None:
    """Neither 1,234 nor 01/02/2024 nor 1.234 € is changed by auto where nothing tells."""
    comma = of({"a": [f"{i + 1},{i:03}" for i in EACH]}, "parse_number")
    date = of({"a": [f"0{i % 9 + 1}/0{i % 7 + 1}/2024" for i in EACH]}, "parse_date")
    money = of({"a": [f"{i + 1}.{i:03} €" for i in EACH]}, "parse_number")
    assert {comma.risk, date.risk, money.risk} == {"lossy"}
    assert money.examples[0] == ("1.000 €", 1000)


def test_values_that_cannot_be_read_make_reading_destructive() -> None:
    """They would be lost, and the suggestion says how many there are."""
    found = of({"a": [*(f"{i}" for i in EACH), "about five"]}, "parse_number")
    assert (found.risk, found.rule.parameters["on_error"]) == ("destructive", "null")
    assert found.loses == "1 cell that cannot be read"


def test_reading_moments_loses_no_zone() -> None:
    """Those with a Z stay moments in UTC; some with and some without are left alone."""
    column = {"at": ["2024-05-01T10:00:00Z", "2024-05-02T11:30:00.5Z"]}
    made = clean(pl.DataFrame(column), suggest(profile(pl.DataFrame(column)))).frame
    assert made.schema["at"] == pl.Datetime("us", "UTC")
    assert made["at"].dt.hour().to_list() == [10, 11]
    assert suggest(profile(pl.DataFrame({"at": [column["at"][0], "2024-05-01T10:00:00"]}))) == []


def test_words_for_nothing_become_null_before_numbers_are_read() -> None:
    """N/A among numbers is safe to empty, and the numbers are safe to read after it."""
    frame = {"age": [*(f"{i}" for i in EACH), "N/A", "-"]}
    assert actions(frame, "safe") == ["null_tokens", "parse_number"]
    result = clean(pl.DataFrame(frame), "auto")
    assert result.frame["age"].to_list() == [*EACH, None, None]
    assert result.faults == ()


def test_words_for_nothing_among_words_are_only_a_question() -> None:
    """None, null and NA may be a name, a word or Namibia; N/A may not."""
    frame = {"name": [*(f"Ann {'b' * i}" for i in EACH), "Null", "NA", "N/A"]}
    risks = {
        token: each.risk
        for each in suggest(profile(pl.DataFrame(frame)))
        if each.rule.action == "null_tokens"
        for token in each.rule.parameters["tokens"]
    }
    assert risks == {"N/A": "safe", "NA": "lossy", "Null": "lossy"}


def test_identifiers_are_never_made_numbers() -> None:
    """Leading zeros, card numbers, phone numbers and zips stay what they are."""
    frame = {
        "code": [f"{i:05}" for i in EACH],
        "card": [f"411111111111{i + 1000}" for i in EACH],
        "phone": [f"0301234{i:03}" for i in EACH],
        "zip": [f"1{i:04}" for i in EACH],
    }
    assert not {"parse_number", "convert_type"} & set(actions(frame))


def test_far_numbers_that_stand_for_none_are_told() -> None:
    """-999 among counts is a lossy suggestion, and no figure counts it."""
    seen = profile(pl.DataFrame({"n": [*range(50), -999, -999, -999]}))
    assert seen["n"].statistics.disguised == {"-999": 3}
    assert seen["n"].statistics.mean == 24.5
    found = next(each for each in suggest(seen) if each.rule.action == "replace")
    assert (found.risk, found.cells) == ("lossy", 3)


def test_spellings_that_mean_the_same_are_brought_together() -> None:
    """By case, signs, initials and single letters; the most frequent spelling stays."""
    values = ["New York"] * 20 + ["N.Y."] * 3 + ["new york "] * 2 + ["Berlin"] * 20 + ["Berlni"] * 2
    found = of({"city": [*values, *["Rome"] * 20]}, "unify_spellings")
    assert found.rule.parameters["mapping"] == {
        "N.Y.": "New York", "new york": "New York", "Berlni": "Berlin",
    }  # fmt: skip
    assert (found.risk, found.loses) == ("lossy", "which spelling stood where")


def test_rows_and_columns_go_only_by_destructive_rules() -> None:
    """Equal rows, empty columns, single values and columns that follow from others."""
    frame = {
        "a": [float(i % 40) for i in EACH],
        "b": [float((i * 7) % 11) for i in EACH],
        "sum": [i % 40 + 2.0 * ((i * 7) % 11) for i in EACH],
        "one": ["x"] * 60,
        "none": [None] * 60,
    }
    whole = {name: [*values, values[0]] for name, values in frame.items()}
    found = {
        (each.rule.action, each.rule.columns): each
        for each in suggest(profile(pl.DataFrame(whole)))
        if each.risk == "destructive"
    }
    assert found["drop_duplicates", ()].rows == 1
    assert "follows from" in found["drop_columns", ("sum",)].why
    assert {("drop_columns", ("one",)), ("drop_columns", ("none",))} <= found.keys()


def test_gaps_are_filled_with_a_value_that_is_told() -> None:
    """The mean where it is not drawn aside, the median where it is, the mode of categories."""
    frame = {
        "even": [*(i * 2 + 0.5 for i in EACH), None],
        "skewed": [*(float(2**i) for i in range(30)), *[1.0] * 30, None],
        "word": [*["red"] * 40, *["blue"] * 20, None],
    }
    values = {
        each.rule.columns[0]: each.examples[0][1]
        for each in suggest(profile(pl.DataFrame(frame)))
        if each.rule.action == "fill_nulls"
    }
    assert values == {"even": 59.5, "skewed": 1, "word": "red"}


def test_every_suggestion_can_be_applied_and_changes_what_it_says() -> None:
    """Rows and cells are counted on all distinct values, so they are what clean() changes."""
    frame = pl.DataFrame(
        {
            "name": [f" Ann{i}" if i % 5 == 0 else f"Ann{i}" for i in EACH],
            "city": [("Berlin", "berlin", "Rome")[i % 3] for i in EACH],
            "when": [f"{i % 28 + 1}.1.2024" for i in EACH],
            "mail": [f"a{i}@b.org" if i % 10 else "nobody" for i in EACH],
        }
    )
    for each in suggest(profile(frame)):
        result = clean(frame, [each])
        assert result.faults == ()
        assert sum(entry.cells for entry in result.log) == each.cells, each


def test_the_safe_rules_twice_change_nothing_more() -> None:
    """What auto did needs no second time."""
    frame = pl.DataFrame({"a": [f" {i},50 € " for i in EACH], "b": ["x ", None, "N/A"] * 20})
    once = clean(frame, "auto").frame
    again = clean(once, "auto")
    assert again.frame.equals(once)
    assert again.log == ()


def test_insights_are_sentences_in_the_order_of_their_weight() -> None:
    """Each ends with a full stop, says its numbers, and names columns that there are."""
    seen: Profile = profile(
        pl.DataFrame({"a": [*EACH, 9_999_999], "b": ["x"] * 61, "c": [None, *["01/02/2024"] * 60]})
    )
    texts = [each.text for each in seen.insights]
    assert texts and all(text.endswith(".") for text in texts)
    assert "b holds one value alone: x." in texts
    assert any(text.startswith("a has 1 outlier") for text in texts)
    assert any("c is ambiguous" in text for text in texts)
    weights = [each.weight for each in seen.insights]
    assert weights == sorted(weights, reverse=True)


def test_what_is_valid_to_detection_is_valid_to_the_rule() -> None:
    """The rule for wrong addresses takes as many cells as are invalid, and none with a name."""
    values = [*(f"Ann <ann{i}@b.org>" for i in EACH), *(f"c{i}@d.de" for i in EACH), "nobody"]
    found = of({"mail": values}, "fix_syntax_errors")
    assert (found.cells, found.examples) == (1, (("nobody", None),))
    figures = profile(pl.DataFrame({"mail": [*values, None]}))["mail"].statistics
    assert (figures.invalid, figures.cells) == (1, 122)
    assert (figures.completeness, figures.validity) == (121 / 122, 120 / 122)
