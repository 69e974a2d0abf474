"""Batches give what the whole gives, wherever the rows are cut."""

import datetime as dt
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kozmo_bridge.cleaner.actions import HOME, action_of, complete
from kozmo_bridge.cleaner.cleaning import Cleaner, clean
from kozmo_bridge.cleaner.rules import Rule
from kozmo_singer.errors import ConfigError

ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "t": st.sampled_from([None, "", " a ", "B", "b", "-", "schÃ¶n", "x-1", "n/a"]),
            "n": st.sampled_from([None, "1", "2.5", "1,000", "$3", "(4)", " "]),
            "i": st.sampled_from([None, 0, 1, 2, 3, 100]),
            "f": st.sampled_from([None, float("nan"), -1.5, 0.0, 2.25, 99.0]),
            "b": st.sampled_from([None, "yes", "no"]),
            "d": st.sampled_from([None, "2024-01-02", "3.4.2024"]),
            "s": st.sampled_from([None, "1:30", "PT5M"]),
            "w": st.sampled_from([None, dt.date(2024, 1, 2), dt.date(2023, 5, 31)]),
            "j": st.sampled_from([None, '{"a": 1}', "no"]),
            "l": st.sampled_from([None, [1, 2], [3]]),
            "c": st.sampled_from([None, "u", "V "]),
        }
    ),
    min_size=1,
    max_size=25,
)
SCHEMA = {
    "t": pl.String, "n": pl.String, "i": pl.Int64, "f": pl.Float64, "b": pl.String,
    "d": pl.String, "s": pl.String, "w": pl.Date, "j": pl.String, "l": pl.List(pl.Int64),
    "c": pl.Enum(["u", "V "]),
}  # fmt: skip
RULES: list[dict[str, Any]] = [
    {"action": "drop_nulls", "columns": ["i", "f"]},
    {"action": "drop_nulls", "how": "all", "columns": ["i", "f"]},
    {"action": "fill_nulls", "columns": ["i"], "value": 0.5},
    {"action": "fill_nulls", "columns": ["c"], "value": "new"},
    {"action": "fill_nulls", "columns": ["i", "f"], "method": "mean"},
    {"action": "fill_nulls", "columns": ["i", "f"], "method": "median"},
    {"action": "fill_nulls", "columns": ["t", "w", "c"], "method": "mode"},
    {"action": "fill_nulls", "method": "ffill"},
    {"action": "null_tokens"},
    {"action": "impute", "columns": ["f"], "strategy": "average"},
    {"action": "impute", "columns": ["t"], "strategy": "mode"},
    {"action": "impute", "columns": ["i", "t", "w", "c"], "strategy": "random", "seed": 3},
    {"action": "impute", "columns": ["t"], "strategy": "sequential"},
    {"action": "impute", "columns": ["t"], "strategy": "constant"},
    {"action": "impute", "columns": ["i"], "strategy": "column", "value": "f"},
    {"action": "impute", "columns": ["t"], "strategy": "remove_rows"},
    {"action": "trim_whitespace"},
    {"action": "lowercase"},
    {"action": "uppercase"},
    {"action": "change_case", "case": "sentence"},
    {"action": "collapse_whitespace"},
    {"action": "strip_control"},
    {"action": "normalize_unicode"},
    {"action": "fix_mojibake"},
    {"action": "reformat", "reformat": "currency_to_num", "columns": ["n"], "on_error": "null"},
    {"action": "replace", "old_value": "a", "new_value": "z", "regex": True},
    {"action": "replace", "columns": ["i"], "old_value": 1, "new_value": 0.5},
    {"action": "replace_values", "columns": ["c"], "mapping": {"u": "w"}},
    {"action": "unify_spellings", "columns": ["t"], "mapping": {"B": "b"}},
    {"action": "extract", "columns": ["t"], "pattern": "[a-z]"},
    {"action": "fix_syntax_errors", "columns": ["n"], "kind": "number"},
    {"action": "parse_number", "columns": ["n"], "thousands": ",", "strip": ["$"]},
    {"action": "round", "columns": ["f"], "decimals": 1},
    {"action": "clip", "columns": ["i", "f"], "lower": 0.5, "upper": 3},
    {"action": "cap_outliers", "columns": ["i", "f"]},
    {"action": "normalize", "columns": ["i", "f"]},
    {"action": "standardize", "columns": ["i", "f"]},
    {"action": "convert_type", "columns": ["i"], "dtype": "string"},
    {"action": "convert_type", "columns": ["n"], "dtype": "numeric", "on_error": "null"},
    {"action": "parse_boolean", "columns": ["b"]},
    {"action": "parse_date", "columns": ["d"]},
    {"action": "parse_duration", "columns": ["s"]},
    {"action": "standardize_phone", "columns": ["n"], "region": "US"},
    {"action": "standardize_country", "columns": ["t"]},
    {"action": "drop_duplicates"},
    {"action": "drop_duplicates", "columns": ["i", "f"]},
    {"action": "filter", "condition": "i > 0 and t is not null or f < 3"},
    {"action": "remove_rows", "rows": [0, 3, 7]},
    {"action": "remove_outliers", "columns": ["f", "i"]},
    {"action": "limit", "rows": 5, "offset": 2},
    {"action": "explode", "columns": ["l"]},
    {"action": "explode", "columns": ["t"], "separator": "-"},
    {"action": "add_row_number"},
    {"action": "drop_columns", "columns": ["i"]},
    {"action": "rename_columns", "mapping": {"i": "k"}},
    {"action": "clean_column_name"},
    {"action": "select", "columns": ["f", "i"]},
    {"action": "split_column", "columns": ["t"], "separator": "-", "into": ["x", "y"]},
    {"action": "expand_json", "columns": ["j"], "fields": ["a"]},
    {"action": "addition", "columns": ["i", "f"], "into": "r"},
    {"action": "difference", "columns": ["w", "d"], "into": "r"},
    {"action": "multiply", "columns": ["i", "f"], "into": "r"},
    {"action": "divide", "columns": ["i", "f"], "into": "r"},
    {"action": "constant", "value": 1, "into": "r"},
    {"action": "date_trunc", "columns": ["w"], "date_part": "quarter", "into": "r"},
    {"action": "formatted_date", "columns": ["w"], "format": "%Y", "into": "r"},
    {"action": "distance_between", "columns": ["i", "f", "f", "i"], "into": "r"},
    {"action": "if_else", "condition": "i > 1", "then": 1, "else": 0, "into": "r"},
    {"action": "string_replace", "columns": ["t"], "pattern": "a", "into": "r"},
    {"action": "string_split", "columns": ["t"], "separator": "-", "part_index": 0, "into": "r"},
    {"action": "substring", "columns": ["t"], "start": 1, "into": "r"},
    {"action": "add", "columns": ["i"], "udf": "addition", "options": {"value": 1}, "into": "r"},
    {"action": "diff", "columns": ["f"], "into": "r"},
    {"action": "shift_down", "columns": ["t"], "into": "r", "periods": 2},
    {"action": "join", "on": "t", "table": [{"t": "B", "z": 1}, {"t": "b", "z": 2}]},
]
REFUSED = {"custom"}


def cut(frame: pl.DataFrame, places: list[int]) -> list[pl.DataFrame]:
    """Return *frame* in pieces that begin at *places*."""
    edges = [0, *sorted(place % (frame.height + 1) for place in places), frame.height]
    return [frame.slice(a, b - a) for a, b in zip(edges, edges[1:], strict=False)]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["action"])
@settings(max_examples=12, deadline=None)
@given(rows=ROWS, places=st.lists(st.integers(0, 30), max_size=4))
def test_batches_give_what_the_whole_gives(
    rule: dict[str, Any], rows: list[dict[str, Any]], places: list[int]
) -> None:
    """Values, types and faults; in batches that may be empty."""
    frame = pl.DataFrame(rows, schema=SCHEMA)
    whole = clean(frame, [rule])
    cleaner = Cleaner([rule])
    assert cleaner.batched == (True, "")
    cleaner.fit(frame)
    made = pl.concat([cleaner.apply(piece) for piece in cut(frame, places)])
    assert made.schema == whole.frame.schema
    assert made.equals(whole.frame)
    assert tuple(cleaner.faults) == whole.faults
    if rule["action"] != "explode":  # cells are counted where the rows stay the same
        assert tuple(cleaner.log) == whole.log


def test_every_action_that_works_in_batches_is_tried_here() -> None:
    """All whose scope can be less than the table."""
    tried = {complete(Rule.of(rule), 1).action for rule in RULES}
    known = {action_of(name).name: action_of(name) for name in HOME}
    whole = {n for n, each in known.items() if each.scope == "table" and not each.scope_of}
    assert set(known) - whole - REFUSED == tried


def test_a_rule_that_has_to_see_the_table_is_named() -> None:
    """By its number and its action."""
    rules = [{"action": "lowercase"}, {"action": "sort", "columns": ["a"]}]
    assert Cleaner(rules).batched == (False, "rule 2 (sort) has to see the whole table")
    assert Cleaner([{"action": "fill_nulls", "method": "bfill"}]).batched[0] is False
    assert Cleaner([{"action": "fill_nulls", "method": "ffill"}]).batched[0] is True


def test_what_was_learned_is_applied_to_new_rows() -> None:
    """The rules of a result need no fit, and mean what they meant."""
    learned = clean(
        pl.DataFrame({"a": [1.0, None, 3.0]}), [{"type": "fill_nulls", "method": "mean"}]
    )
    again = Cleaner(learned.actions.to_json())
    assert again.apply(pl.DataFrame({"a": [None, 9.0]}))["a"].to_list() == [2.0, 9.0]


def test_a_rule_that_has_learned_nothing_says_so() -> None:
    """Rather than learning from the first batch what may not hold for the others."""
    with pytest.raises(ConfigError, match=r"rule 1 \(normalize\): has to see the whole table"):
        Cleaner([{"action": "normalize", "columns": ["a"]}]).apply(pl.DataFrame({"a": [1.0]}))


def test_a_value_of_a_later_batch_that_cannot_be_read_is_null_and_reported() -> None:
    """The type of the column holds from batch to batch; the log says what was there."""
    cleaner = Cleaner([{"action": "parse_number", "columns": ["a"]}])
    cleaner.fit(pl.DataFrame({"a": ["1", "2"]}))
    assert cleaner.apply(pl.DataFrame({"a": ["3"]}))["a"].to_list() == [3]
    assert cleaner.apply(pl.DataFrame({"a": ["x", "4"]}))["a"].to_list() == [None, 4]
    assert [fault.why for fault in cleaner.faults] == [
        "1 cell of 'a' without a number as described: 'x'"
    ]
    assert ("x", None, 1) in cleaner.log[0].was
