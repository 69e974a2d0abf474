"""The reference integration's operations, against what pandas makes of the same rows."""

import json
import math
from typing import Any

import pandas as pd
import pytest

from kozmo_bridge.adapters import DataCleanerTransformer
from kozmo_bridge.cleaner import clean, profile, suggest
from kozmo_singer.errors import ConfigError

FRAME = pd.DataFrame(
    {
        "t": [" A", "b ", None, "A", " A"],
        "n": [1.5, None, 3.0, 1.5, 1.5],
        "k": [3, 1, 2, 3, 3],
    }
)


def reference(operation: dict[str, Any]) -> pd.DataFrame:
    """Return what pandas makes of FRAME."""
    frame, kind = FRAME.copy(), operation["type"]
    columns = operation.get("columns", [])
    made = {
        "drop_nulls": lambda: frame.dropna(subset=columns or None),
        "drop_duplicates": lambda: frame.drop_duplicates(
            subset=columns or None, keep=operation.get("keep", "first")
        ),
        "drop_columns": lambda: frame.drop(columns=columns, errors="ignore"),
        "rename_columns": lambda: frame.rename(columns=operation.get("mapping")),
        "filter": lambda: frame.query(operation["condition"]),
        "sort": lambda: frame.sort_values(
            by=columns, ascending=operation.get("ascending", True), kind="stable"
        ),
        "fill_nulls": lambda: _filled(frame, operation),
        "trim_whitespace": lambda: frame.assign(t=frame["t"].str.strip()),
        "lowercase": lambda: frame.assign(t=frame["t"].str.lower()),
        "uppercase": lambda: frame.assign(t=frame["t"].str.upper()),
        "replace": lambda: frame.replace(
            operation["old_value"], operation["new_value"], regex=operation.get("regex", False)
        ),
        "convert_type": lambda: frame.astype(dict.fromkeys(columns, operation["dtype"])),
    }
    return made[kind]()


def _filled(frame: pd.DataFrame, operation: dict[str, Any]) -> pd.DataFrame:
    name, method = operation["columns"][0], operation.get("method")
    column = frame[name]
    values = {
        "mean": lambda: column.fillna(column.mean()),
        "median": lambda: column.fillna(column.median()),
        "mode": lambda: column.fillna(column.mode()[0]),
        "ffill": column.ffill,
        "bfill": column.bfill,
        None: lambda: column.fillna(operation["value"]),
    }
    return frame.assign(**{name: values[method]()})


OPERATIONS: list[dict[str, Any]] = [
    {"type": "drop_nulls"},
    {"type": "drop_nulls", "columns": ["n"]},
    {"type": "fill_nulls", "columns": ["n"], "value": 0},
    {"type": "fill_nulls", "columns": ["t"], "value": ""},
    {"type": "fill_nulls", "columns": ["n"], "method": "mean"},
    {"type": "fill_nulls", "columns": ["n"], "method": "median"},
    {"type": "fill_nulls", "columns": ["n"], "method": "mode"},
    {"type": "fill_nulls", "columns": ["t"], "method": "mode"},
    {"type": "fill_nulls", "columns": ["n"], "method": "ffill"},
    {"type": "fill_nulls", "columns": ["t"], "method": "bfill"},
    {"type": "drop_duplicates"},
    {"type": "drop_duplicates", "columns": ["k"], "keep": "last"},
    {"type": "drop_duplicates", "keep": False},
    {"type": "drop_columns", "columns": ["n", "nowhere"]},
    {"type": "rename_columns", "mapping": {"t": "text"}},
    {"type": "convert_type", "columns": ["k"], "dtype": "float64"},
    {"type": "trim_whitespace"},
    {"type": "lowercase"},
    {"type": "uppercase", "columns": ["t"]},
    {"type": "replace", "old_value": " A", "new_value": "x"},
    {"type": "replace", "old_value": "A$", "new_value": "x", "regex": True},
    {"type": "filter", "condition": "k > 1 and n == 1.5"},
    {"type": "filter", "condition": "t != 'b '"},
    {"type": "filter", "condition": "k in [1, 2] or not n > 1"},
    {"type": "sort", "columns": ["k"]},
    {"type": "sort", "columns": ["k", "n"], "ascending": [False, True]},
]


@pytest.mark.parametrize("operation", OPERATIONS, ids=str)
def test_an_operation_gives_what_pandas_gives(operation: dict[str, Any]) -> None:
    """Values, the index of the rows, and the names of the columns."""
    made, wanted = clean(FRAME, [operation]).frame, reference(operation)
    assert list(made.columns) == list(wanted.columns)
    assert list(made.index) == list(wanted.index)
    pd.testing.assert_frame_equal(made, wanted, check_dtype=False)


def test_what_does_not_convert_is_reported_and_not_passed_over() -> None:
    """The reference leaves the column without a word."""
    result = clean(FRAME, [{"type": "convert_type", "columns": ["t"], "dtype": "int"}])
    assert result.frame["t"].equals(FRAME["t"])
    assert "without a value of type int" in result.faults[0].why


ROWS = [
    {"a": " x ", "n": "1,5"},
    {"a": "y", "n": "2,5"},
    {"a": "y", "n": "2,5"},
    {"a": None, "n": "3"},
]


def test_the_transformer_cleans_rows() -> None:
    """What comes in comes out; the result of the last run is kept."""
    transformer = DataCleanerTransformer()
    made = transformer.clean(ROWS, [{"type": "trim_whitespace"}, {"type": "drop_duplicates"}])
    assert made == [{"a": "x", "n": "1,5"}, {"a": "y", "n": "2,5"}, {"a": None, "n": "3"}]
    assert transformer.result is not None
    assert [entry.action for entry in transformer.result.log] == [
        "trim_whitespace",
        "drop_duplicates",
    ]
    assert transformer.clean([]) == []
    assert transformer.clean(ROWS) is ROWS


def test_the_transformer_tells_statistics() -> None:
    """By the names of the reference integration, with more beside them."""
    seen = DataCleanerTransformer().get_statistics(FRAME)
    assert (seen["row_count"], seen["column_count"]) == (5, 3)
    figures = seen["columns"]["n"]
    assert figures["dtype"] == str(FRAME["n"].dtype)
    assert figures["null_count"] == 1
    assert figures["null_percentage"] == pytest.approx(20.0)
    assert figures["unique_count"] == FRAME["n"].nunique()
    for name in ("min", "max", "mean", "median", "std"):
        assert figures[name] == pytest.approx(getattr(FRAME["n"], name)())
    assert seen["columns"]["t"]["dtype"] == "object"
    assert "mean" not in seen["columns"]["t"]
    assert DataCleanerTransformer().get_statistics([]) == {}


def test_statistics_of_infinite_numbers_can_be_shown() -> None:
    """KozmoAI stores them as JSON, which has no infinity; words stand for it, as in Data."""
    rows = [{"n": math.inf}, {"n": -math.inf}, {"n": 1.5}, {"n": math.nan}]
    seen = DataCleanerTransformer().get_statistics(rows)
    json.dumps(seen, allow_nan=False)
    figures = seen["columns"]["n"]
    assert [figures[name] for name in ("min", "max", "mean")] == ["-Infinity", "Infinity", 1.5]


def test_suggestions_of_the_transformer_are_operations_that_it_takes() -> None:
    """Each with its reason; what they carry besides does not disturb."""
    transformer = DataCleanerTransformer()
    found = transformer.suggest_cleaning_operations(ROWS)
    assert {"trim_whitespace", "parse_number", "drop_duplicates"} <= {
        each["type"] for each in found
    }
    assert all(each["reason"] and each["details"]["risk"] for each in found)
    made = transformer.clean(ROWS, found)
    assert {"a": "y", "n": 2.5} in made
    assert transformer.suggest_cleaning_operations([]) == []


def test_the_transformer_suggests_nothing_that_its_first_form_would_not_have_done() -> None:
    """Old flows apply all suggestions unseen: no outlier goes, no column is taken apart."""
    rows = [{"n": i % 9, "o": '{"a": 1, "b": 2}', "at": f"{i % 5} - {i % 3}"} for i in range(60)]
    rows.append({"n": 10_000, "o": None, "at": None})
    found = DataCleanerTransformer().suggest_cleaning_operations(rows)
    risky = {each["type"] for each in found if each["details"]["risk"] != "safe"}
    assert risky <= {"fill_nulls", "drop_duplicates", "drop_columns"}
    known = suggest(profile(rows))
    assert any(each.risk != "safe" and each.rule.action not in risky for each in known)


def test_columns_that_are_not_there_are_passed_over_where_they_were() -> None:
    """By the operations on texts; the others say that a column is missing."""
    transformer = DataCleanerTransformer()
    rule = {"type": "uppercase", "columns": ["gone", "a"]}
    assert transformer.clean([{"a": "x"}], [rule]) == [{"a": "X"}]
    rule = {"type": "lowercase", "column": "gone"}
    assert transformer.clean([{"a": "X"}], [rule]) == [{"a": "X"}]
    with pytest.raises(ConfigError, match="there is no column 'gone'"):
        transformer.clean([{"a": "x"}], [{"type": "drop_nulls", "columns": ["gone"]}])
