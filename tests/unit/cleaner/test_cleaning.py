"""clean() and Cleaner: faults stay in their column, the log says what was, rules come back."""

import datetime as dt
import json
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kozmo_bridge.cleaner import Cleaner, Rules, clean
from kozmo_bridge.cleaner.actions import HOME, action_of, complete
from kozmo_bridge.cleaner.logbook import SHOWN, Fault
from kozmo_bridge.cleaner.rules import Rule
from kozmo_singer.errors import ConfigError
from unusual_frames import FRAMES

WRONG: list[tuple[dict[str, Any], str]] = [
    ({"action": "trim_whitespce"}, "did you mean 'trim_whitespace'?"),
    ({"action": "trim_whitespace", "sides": "left"}, "did you mean 'side'?"),
    ({"action": "trim_whitespace", "side": "lft"}, "did you mean 'left'?"),
    ({"action": "limit"}, "rule 2 (limit) needs the parameter 'rows'"),
    ({"action": "limit", "rows": "3"}, "parameter 'rows' must be a whole number, got '3'"),
    ({"action": "limit", "rows": True}, "parameter 'rows' must be a whole number"),
    ({"action": "lowercase", "columns": ["nmae"]}, "did you mean 'name'?"),
    ({"action": "sort", "columns": ["nmae"]}, "did you mean 'name'?"),
    ({"action": "fill_nulls", "columns": ["name"]}, "needs the parameter 'value' or 'method'"),
    ({"action": "rename_columns", "mapping": {"name": "n"}}, "two columns would be called 'n'"),
    ({"action": "replace", "old_value": "(", "regex": True}, "is no regular expression"),
    ({"action": "filter", "condition": "nme == 1"}, "did you mean 'name'?"),
    ({"action": "parse_date", "format": "%Q", "columns": ["name"]}, "is no format of dates"),
    ({"action": "parse_number", "dtype": "int7", "columns": ["name"]}, "no type of numbers"),
    ({"action": "parse_number", "decimal": ",", "thousands": ","}, "cannot be the same mark"),
    ({"action": "custom", "code": "df"}, "code in rules is never run"),
    ({"action": "join", "path": "x.pickle", "on": "n"}, "is no file that can be joined"),
    ({"action": "join", "path": "x.csv", "on": "n"}, "cannot read x.csv"),
    ({"action": "join", "table": [{"m": 1}], "on": "n"}, "the other table has no column 'n'"),
    ({"action": "standardize_phone", "region": "Mars"}, "is no region"),
    ({"action": "substring", "columns": ["name"], "into": "x"}, "needs 'start', 'stop' or both"),
    ({"action": "add", "columns": ["n"], "into": "x", "udf": "adition"}, "'addition'"),
    ({"action": "split_column", "columns": ["name"], "separator": "-"}, "'separator' and 'into'"),
]


@pytest.mark.parametrize(("rule", "why"), WRONG, ids=lambda value: str(value)[:60])
def test_a_wrong_rule_is_named_with_what_to_do(rule: dict[str, Any], why: str) -> None:
    """By its number and its action."""
    frame = pl.DataFrame({"name": ["a"], "n": [1]})
    with pytest.raises(ConfigError) as caught:
        clean(frame, [{"action": "uppercase"}, rule])
    assert why in str(caught.value)
    assert "rule 2" in str(caught.value)


def test_a_fault_stays_in_its_column() -> None:
    """The column is as it was before the rule; the others are done, and so are other rules."""
    frame = pl.DataFrame({"a": ["1", " x "], "b": ["1", "2"], "c": [1, 2]})
    rules = [{"action": "parse_number", "columns": ["a", "b"]}, {"action": "trim_whitespace"}]
    result = clean(frame, rules)
    assert result.frame.to_dict(as_series=False) == {"a": ["1", "x"], "b": [1, 2], "c": [1, 2]}
    assert result.faults == (
        Fault("a", "1 cell of 'a' without a number as described: ' x '", 1, "parse_number"),
    )


def test_a_rule_for_numbers_finds_texts() -> None:
    """That is a fault of the column, not of the run."""
    result = clean(
        pl.DataFrame({"a": ["x"], "b": [1.26]}),
        [{"action": "round", "columns": ["a", "b"], "decimals": 1}],
    )
    assert result.frame.row(0) == ("x", 1.3)
    assert [fault.column for fault in result.faults] == ["a"]


def test_the_log_says_what_cells_were() -> None:
    """The most frequent first, at most twenty, and how many others there were."""
    values = ["N/A"] * 3 + [f" {i} " for i in range(30)]
    result = clean(
        pl.DataFrame({"a": values}), [{"action": "null_tokens"}, {"action": "trim_whitespace"}]
    )
    first, second = result.log
    assert (first.step, first.action, first.column, first.cells) == (1, "null_tokens", "a", 3)
    assert first.was == (("N/A", None, 3),)
    assert (second.cells, len(second.was), second.others) == (30, SHOWN, 10)
    assert json.loads(json.dumps(second.to_dict()))["cells"] == 30


def test_a_change_of_type_alone_is_no_change_of_cells() -> None:
    """'1' and 1 are the same; '1,5' and 1.5 are not. The type is noted."""
    [entry] = clean(
        pl.DataFrame({"a": ["1", "1,5"]}), [{"action": "parse_number", "decimal": ","}]
    ).log
    assert (entry.cells, entry.was, entry.note) == (1, (("1,5", 1.5, 1),), "String became Float64")


def test_rows_and_columns_are_logged_too() -> None:
    """How many rows went, and which columns came and went."""
    frame = pl.DataFrame({"a": [1, 1, 2], "b": [1, 1, 1]})
    rules = [
        {"action": "drop_duplicates"},
        {"action": "drop_columns", "columns": ["b"]},
        {"action": "constant", "value": 0, "into": "k"},
        {"action": "sort", "columns": ["a"], "ascending": False},
    ]
    log = clean(frame, rules).log
    assert [(each.step, each.column, each.rows, each.note) for each in log] == [
        (1, None, 1, "rows dropped"),
        (2, "b", 0, "column dropped"),
        (3, "k", 2, "column added"),
        (4, None, 0, "rows in another order"),
    ]


def test_columns_that_no_rule_changes_are_the_same_object() -> None:
    """Not copies of it: what came in can be handed back."""
    original = {"x": 1}
    result = clean([{"a": " x ", "b": original}], [{"action": "trim_whitespace"}])
    assert result.frame == [{"a": "x", "b": {"x": 1}}]
    assert result.frame[0]["b"] is original


def test_categories_stay_categories() -> None:
    """Of a Categorical and of an Enum, whose categories become what they are made."""
    frame = pl.DataFrame(
        {
            "c": pl.Series(["A", None], dtype=pl.Categorical),
            "e": pl.Series(["A", "B"], dtype=pl.Enum(["A", "B", "C"])),
        }
    )
    made = clean(frame, [{"action": "lowercase"}]).frame
    assert made.schema["c"] == pl.Categorical
    assert made.schema["e"] == pl.Enum(["a", "b", "c"])
    assert made.rows() == [("a", "a"), (None, "b")]


def test_rules_are_json_and_come_back() -> None:
    """With what was learned, in full, and without defaults."""
    rules = [
        {"action": "parse_number", "columns": ["n"], "decimal": ","},
        {"type": "fill_nulls", "column": "m", "method": "mean", "reason": "because"},
        {"action": "parse_date", "columns": ["d"]},
    ]
    frame = pl.DataFrame({"n": ["1,5"], "m": [2.0], "d": ["2024-01-02"]})
    done = clean(frame, rules).actions
    assert Rules.of(done.to_json()) == done
    assert [rule.to_dict() for rule in done] == [
        {"action": "parse_number", "columns": ["n"], "decimal": ",", "learned": {"n": "Float64"}},
        {"action": "fill_nulls", "columns": ["m"], "method": "mean", "learned": {"m": 2.0}},
        {"action": "parse_date", "columns": ["d"], "learned": {"d": "date"}},
    ]
    assert clean(frame, done).frame.equals(clean(frame, rules).frame)


def test_drift_is_said_in_words() -> None:
    """Columns that are missing or new, other types and kinds, more gaps, values that do not fit."""
    expects = {
        "a": {"type": "String", "kind": "number", "gaps": 0.0},
        "b": {"type": "Int64", "gaps": 0.0},
        "gone": {"type": "String"},
    }
    rules = Rules((Rule("parse_number", ("a",)), Rule("round", ("gone",))), expects)
    frame = pl.DataFrame({"a": ["x", "yy", "z"], "b": [1.5, None, None], "more": [1, 2, 3]})
    found = {(drift.what, drift.column): drift.text for drift in Cleaner(rules).check(frame)}
    assert set(found) == {
        ("missing column", "gone"), ("new column", "more"), ("type", "b"), ("gaps", "b"),
        ("kind", "a"), ("values", "a"),
    }  # fmt: skip
    assert found["gaps", "b"] == "67% of 'b' are gaps, it was 0%"
    assert "without a number as described" in found["values", "a"]
    assert Cleaner(Rules(rules.rules)).check(pl.DataFrame({"a": ["1"], "gone": [1.0]})) == []


def test_a_column_that_drifted_away_is_a_fault() -> None:
    """Rules that were made for a table that had it go on without it."""
    rules = Rules((Rule("lowercase", ("gone", "a")),), {"gone": {}, "a": {}})
    result = clean(pl.DataFrame({"a": ["X"]}), rules)
    assert result.frame["a"].to_list() == ["x"]
    assert result.faults == (Fault("gone", "there is no such column", 1, "lowercase"),)


def test_auto_applies_what_is_safe_and_no_more() -> None:
    """No row, no column and no value goes; clean data stays as it is."""
    frame = pl.DataFrame({"name": [" Ann", "Bob", "Bob"], "n": ["1,5", "2,5", "2,5"]})
    result = clean(frame)
    assert result.frame.to_dict(as_series=False) == {
        "name": ["Ann", "Bob", "Bob"],
        "n": [1.5, 2.5, 2.5],
    }
    assert clean(result.frame).log == ()


def test_renamed_columns_keep_what_they_were() -> None:
    """Through one renaming after another; objects in cells are the same."""
    thing = {"deep": [1]}
    rules = [
        {"action": "rename_columns", "mapping": {"A b": "C d"}},
        {"action": "clean_column_name"},
    ]
    [row] = clean([{"A b": thing}], rules).frame
    assert row["c_d"] is thing


MAGE: list[tuple[dict[str, Any], dict[str, list[Any]]]] = [
    ({"action_type": "filter", "axis": "row", "action_code": "%{1} == null",
      "action_variables": {"1": {"type": "feature", "feature": {"uuid": "t",
       "column_type": "text"}}}},
     {"t": ["", None]}),
    ({"action_type": "filter", "axis": "row", "action_code": "n > 1 and t != 'b'"}, {"n": [3]}),
    ({"action_type": "drop_duplicate", "axis": "row", "action_arguments": ["t"]},
     {"n": [2, 3, None]}),
    ({"action_type": "remove", "axis": "row", "action_options": {"rows": [0, 1]}},
     {"n": [3, None]}),
    ({"action_type": "remove", "axis": "column", "action_arguments": ["t"]},
     {"n": [1, 2, 3, None]}),
    ({"action_type": "sort", "axis": "row", "action_arguments": ["n"],
     "action_options": {"ascending": False}},
     {"n": [3, 2, 1, None]}),
    ({"action_type": "add", "axis": "column", "action_arguments": ["n"],
     "action_options": {"udf": "addition", "value": 5},
      "outputs": [{"uuid": "r", "column_type": "number"}]}, {"r": [6, 7, 8, None]}),
    ({"action_type": "add", "action_arguments": ["yes", "t"], "action_code": "n > 2",
      "action_options": {"udf": "if_else", "arg1_type": "value", "arg2_type": "column"},
      "outputs": [{"uuid": "r", "column_type": "text"}]}, {"r": ["b", "b", "yes", None]}),
    ({"action_type": "add", "action_arguments": ["k"], "action_options": {"udf": "constant"},
      "outputs": [{"uuid": "r", "column_type": "text"}]}, {"r": ["k"] * 4}),
    ({"action_type": "average", "action_arguments": ["n"],
     "action_options": {"groupby_columns": ["t"]},
      "outputs": [{"uuid": "r", "column_type": "number"}]}, {"r": [1.5, 1.5, 3.0, None]}),
    ({"action_type": "impute", "action_arguments": ["n"], "action_options": {"strategy": "median"}},
     {"n": [1, 2, 3, 2]}),
    ({"action_type": "impute", "action_arguments": ["n"], "action_options": {"value": 0}},
     {"n": [1, 2, 3, 0]}),
    ({"action_type": "shift_down", "action_arguments": ["n"], "outputs": [{"uuid": "r"}]},
     {"r": [None, 1, 2, 3]}),
    ({"action_type": "diff", "action_arguments": ["n"], "outputs": [{"uuid": "r"}]},
     {"r": [None, 1, 1, None]}),
    ({"action_type": "reformat", "action_arguments": ["t"],
      "action_options": {"reformat": "caps_standardization", "capitalization": "uppercase"}},
     {"t": ["B", "B", None, None]}),
    ({"action_type": "fix_syntax_errors", "action_arguments": ["t"],
      "action_variables": {"t": {"feature": {"uuid": "t", "column_type": "email"}}}},
     {"t": ["invalid", "invalid", "invalid", None]}),
    ({"action_type": "select", "action_arguments": ["n"]}, {"n": [1, 2, 3, None]}),
    ({"action_type": "group", "action_arguments": ["t"], "child_actions": [
      {"action_type": "count", "action_arguments": ["n"], "outputs": [{"uuid": "r"}]}]},
       {"r": [2, 2, 1, 0]}),
    ({"action_payload": {"action_type": "join", "action_options": {"left_on": ["t"],
     "right_on": ["u"],
      "table": [{"u": "b", "z": 1}]}}, "title": "Join"}, {"z": [1, 1, None, None]}),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "after"), MAGE, ids=lambda value: str(value)[:50])
def test_rules_in_the_form_of_mage_ai_mean_what_they_mean_there(
    rule: dict[str, Any], after: dict[str, list[Any]]
) -> None:
    """Arguments, options, variables and outputs."""
    frame = pl.DataFrame({"t": ["b", "b", "", None], "n": [1, 2, 3, None]})
    result = clean(frame, [rule])
    assert result.faults == ()
    assert result.frame.select(*after).to_dict(as_series=False) == after


def test_code_of_mage_ai_is_refused() -> None:
    """With the names of what to use instead; nothing is run."""
    rule = {"action_type": "custom", "action_code": "raise SystemExit", "axis": "row"}
    with pytest.raises(ConfigError, match="code in rules is never run"):
        clean(pl.DataFrame({"a": [1]}), [rule])


SERIES = st.one_of(
    st.lists(st.none() | st.text(max_size=8), min_size=3, max_size=3).map(
        lambda values: pl.Series("c", values, dtype=pl.String)
    ),
    st.lists(st.none() | st.integers(-(2**63), 2**63 - 1), min_size=3, max_size=3).map(
        lambda values: pl.Series("c", values, dtype=pl.Int64)
    ),
    st.lists(st.none() | st.floats(), min_size=3, max_size=3).map(
        lambda values: pl.Series("c", values, dtype=pl.Float64)
    ),
    st.lists(st.none() | st.datetimes(), min_size=3, max_size=3).map(
        lambda values: pl.Series("c", values, dtype=pl.Datetime("us"))
    ),
    st.sampled_from(
        [
            pl.Series("c", [True, None, False]),
            pl.Series("c", [None, None, None]),
            pl.Series("c", [[1], None, []]),
            pl.Series("c", [{"a": 1}, None, {"a": None}]),
            pl.Series("c", [b"\xff", None, b""]),
            pl.Series("c", [dt.timedelta(1), None, dt.timedelta(0)]),
            pl.Series("c", [dt.time(1), None, dt.time(0)]),
            pl.Series("c", ["a", None, "b"], dtype=pl.Categorical),
            pl.Series("c", [1, None, 255], dtype=pl.UInt8),
        ]
    ),
)
GIVEN: dict[str, dict[str, Any]] = {
    "change_case": {"case": "title"},
    "reformat": {"reformat": "date_format_conversion"},
    "replace": {"old_value": "a", "new_value": "b"},
    "replace_values": {"mapping": {"1": 2}},
    "unify_spellings": {"mapping": {"a": "b"}},
    "fix_syntax_errors": {"kind": "email"},
    "convert_type": {"dtype": "int"},
}


@settings(max_examples=150, deadline=None)
@given(
    series=SERIES,
    pick=st.sampled_from(sorted(HOME)),
    dtype=st.sampled_from(
        [
            "int",
            "datetime",
            "str",
            "bool",
            "date",
            "decimal(9,2)",
            "category",
            "timedelta",
            "float32",
            "uint8",
            "numeric",
        ]
    ),
)
def test_no_cell_breaks_an_action_of_cells(series: pl.Series, pick: str, dtype: str) -> None:
    """Whatever a column holds, the rule is followed or is a fault; the other column stays."""
    action = action_of(pick)
    if not action.of_cells:
        return
    given_ = {
        **GIVEN.get(action.name, {}),
        **({"dtype": dtype} if action.name == "convert_type" else {}),
    }
    frame = pl.DataFrame([series, pl.Series("k", [1, 2, 3])])
    rule = {"action": action.name, "columns": ["c"], **given_}
    complete(Rule.of(rule), 1)
    result = clean(frame, [rule])
    assert result.frame.height == 3
    assert result.frame["k"].to_list() == [1, 2, 3]


def test_many_cells_with_few_values_come_out_as_few_cells_do() -> None:
    """Distinct values are gone through instead; gaps, categories and counts of misfits stay."""
    few = ["1,5", " x ", None, "", "N/A", "2"]
    frame = pl.DataFrame({"a": few * 1000, "c": pl.Series(few * 1000, dtype=pl.Categorical)})
    rules: list[list[dict[str, Any]]] = [
        [{"action": "trim_whitespace"}, {"action": "null_tokens", "tokens": ["N/A"]}],
        [{"action": "parse_number", "decimal": ",", "on_error": "null"}],
        [{"action": "replace", "old_value": "2", "new_value": None}],
        [{"action": "parse_number", "decimal": ","}],
    ]
    for each in rules:
        whole, small = clean(frame, each), clean(frame.head(6), each)
        assert whole.frame.equals(pl.concat([small.frame] * 1000))
        assert [entry.cells for entry in whole.log] == [1000 * e.cells for e in small.log]
    assert "2000 cells of 'a'" in whole.faults[0].why


def test_what_auto_did_says_what_the_table_was() -> None:
    """So that new rows can be held against it."""
    frame = pl.DataFrame({"n": ["1,5", "2,5", None, "3,5"]})
    rules = clean(frame).actions
    assert rules.expects == {"n": {"type": "String", "kind": "number_with_decimals", "gaps": 0.25}}
    assert Cleaner(rules).check(frame) == []
    assert [drift.what for drift in Cleaner(rules).check(pl.DataFrame({"m": [1]}))] == [
        "new column", "missing column",
    ]  # fmt: skip


def test_a_column_that_did_not_fit_is_left_out_of_the_rules_that_are_kept() -> None:
    """Else the values that could not be read would become null when the rules are applied again."""
    frame = pl.DataFrame({"a": ["1", "x"], "b": ["1", "2"]})
    done = clean(frame, [{"action": "parse_number"}, {"action": "lowercase", "columns": ["a"]}])
    assert [(rule.action, rule.columns) for rule in done.actions] == [
        ("parse_number", ("b",)),
        ("lowercase", ("a",)),
    ]
    again = Cleaner(done.actions.to_json()).apply(frame)
    assert again.equals(done.frame)
    assert clean(frame, [{"action": "parse_number", "columns": ["a"]}]).actions.rules == ()


EVERYTHING: list[dict[str, Any]] = [
    {"action": "trim_whitespace"},
    {"action": "null_tokens"},
    {"action": "fix_mojibake"},
    {"action": "strip_control"},
    {"action": "replace", "old_value": "a", "new_value": "b", "regex": True},
    {"action": "parse_date", "on_error": "null"},
    {"action": "fill_nulls", "method": "mode"},
    {"action": "cap_outliers"},
    {"action": "drop_nulls", "how": "all"},
    {"action": "drop_duplicates"},
    {"action": "clean_column_name"},
    {"action": "add_row_number", "into": "the number of the row"},
]


@pytest.mark.parametrize("name", sorted(FRAMES))
def test_no_frame_breaks_rules_that_are_for_every_column(name: str) -> None:
    """All of the unusual frames, through one rule after another; faults are told, not raised."""
    rules = EVERYTHING[:2] if name.startswith("5,000") else EVERYTHING
    result = clean(FRAMES[name](), rules)
    assert all(fault.why for fault in result.faults)
    assert all(entry.action for entry in result.log)


@pytest.mark.parametrize("given_", [{"value": 0}, {"method": "mean"}])
def test_gaps_of_other_columns_are_filled_where_one_cannot_be(given_: dict[str, Any]) -> None:
    """The column that cannot be filled so is left, in batches as well, and is named."""
    frame = pl.DataFrame({"t": ["x", None], "a": [0, None], "b": [0.0, None]})
    rule = {"action": "fill_nulls", "columns": ["t", "a", "b"], **given_}
    result = clean(frame, [rule])
    assert result.frame.to_dict(as_series=False) == {"t": ["x", None], "a": [0, 0], "b": [0.0, 0.0]}
    assert [(fault.column, fault.step) for fault in result.faults] == [("t", 1)]
    assert [rule.columns for rule in result.actions] == [("a", "b")]
    assert Cleaner([rule]).fit(frame).apply(frame).equals(result.frame)


def test_a_rule_for_one_column_names_it_where_it_fails() -> None:
    """Functions and windows too."""
    frame = pl.DataFrame({"t": ["x"]})
    for rule in ({"action": "diff", "into": "r"}, {"action": "multiply", "value": 2, "into": "r"}):
        result = clean(frame, [{**rule, "columns": ["t"]}])
        assert [fault.column for fault in result.faults] == ["t"]
        assert result.frame.equals(frame)
