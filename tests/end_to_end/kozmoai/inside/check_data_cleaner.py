"""Run in KozmoAI's environment: the Data Cleaner, with Data, one Data, and DataFrames."""

import asyncio
import json
import time

import pandas as pd
import pytest

from kozmo_bridge import _host
from kozmo_bridge.cleaner import clean
from kozmo_bridge.components.base import Problem
from kozmo_bridge.components.data_cleaner import AUTO, STEPS, USES, DataCleanerComponent
from kozmo_bridge.components.steps import options_in, steps_in
from kozmo_bridge.components.stubs import FOLDER

DATA, FRAME, _ = _host.host()
BUILD = _host.module("custom.utils").build_custom_component_template
GRAPH = _host.module("graph").Graph
CODED = _host.module("custom.custom_component.component").Component
ROWS = [
    {"id": 1, "name": " Ann ", "amount": 1.5, "day": "2024-01-31"},
    {"id": 2, "name": None, "amount": None, "day": "2024-02-01"},
    {"id": 3, "name": "BOB", "amount": 2.5, "day": "n/a"},
    {"id": 3, "name": "BOB", "amount": 2.5, "day": "n/a"},
]


def data(rows=ROWS):
    return [DATA(data=dict(row)) for row in rows]


def steps(*rows):
    """Rows of the table of steps. The host's set() takes lists of dicts apart, not of Data."""
    return [DATA(data=row) for row in rows]


def run(**inputs):
    """Return what all outputs give, and the lines of the log."""
    component = DataCleanerComponent(_id="cleaner").set(**inputs)
    results, _ = asyncio.run(component.run())
    logs = [log.message for logs in component._output_logs.values() for log in logs]
    return results, logs, component


def rows_of(results):
    return [row.data for row in results["data"]]


def test_the_stub_is_shown_with_its_outputs():
    """By the host's own builder, which drops broken files without a word."""
    code = (FOLDER / "processing" / "data_cleaner.py").read_text("utf-8")
    node, _ = BUILD(CODED(_code=code))
    outputs = {output["name"]: output["types"] for output in node["outputs"]}
    assert node["display_name"] == "Data Cleaner"
    assert outputs == {
        "data": ["Data"],
        "dataframe": ["DataFrame"],
        "report": ["DataFrame"],
        "suggestions": ["Data"],
    }
    fields = {name: each for name, each in node["template"].items() if isinstance(each, dict)}
    shown = {name for name, each in fields.items() if each.get("show") and not each.get("advanced")}
    assert shown - {"code"} == {"input_data", "operation", "apply_suggestions", "steps"}
    for name in shown - {"code"}:
        assert len(node["template"][name]["display_name"]) <= 28
        assert node["template"][name]["info"]


def test_a_new_node_does_what_loses_nothing():
    """Auto Clean: white space goes, words for nothing become none, dates are dates."""
    results, logs, component = run(input_data=data())
    assert [row["name"] for row in rows_of(results)] == ["Ann", None, "BOB", "BOB"]
    assert [row["day"] for row in rows_of(results)] == ["2024-01-31", "2024-02-01", None, None]
    assert isinstance(results["dataframe"], FRAME)
    assert results["dataframe"]["day"].tolist() == ["2024-01-31", "2024-02-01", None, None]
    assert logs[0].startswith("4 rows, 3 cells changed in ")
    assert "trim_whitespace, name: 1 cell changed" in logs
    asyncio.run(component.clean_data())
    assert component.status[0].data["name"] == "Ann"


@pytest.mark.parametrize(
    ("inputs", "expected"),
    [
        ({"operation": "Drop Nulls"}, [1, 3, 3]),
        ({"operation": "Drop Nulls", "columns": "id, day"}, [1, 2, 3, 3]),
        ({"operation": "Drop Duplicates"}, [1, 2, 3]),
        ({"operation": "Drop Duplicates", "columns": "name"}, [1, 2, 3]),
        ({"operation": "Filter Rows", "filter_condition": "amount > 2 and id == 3"}, [3, 3]),
        ({"operation": "Filter Rows"}, [1, 2, 3, 3]),
        ({"operation": "Sort", "columns": "id", "ascending": False}, [3, 3, 2, 1]),
        ({"operation": "Sort"}, [1, 2, 3, 3]),
    ],
)
def test_operations_of_the_first_integration_on_rows(inputs, expected):
    """They keep their texts and their meaning, for Data and for DataFrames."""
    results, _, _ = run(input_data=data(), **inputs)
    assert [row["id"] for row in rows_of(results)] == expected
    results, _, _ = run(input_data=FRAME(data()), **inputs)
    assert results["dataframe"]["id"].tolist() == expected


@pytest.mark.parametrize(
    ("inputs", "column", "expected"),
    [
        ({"operation": "Trim Whitespace"}, "name", ["Ann", None, "BOB", "BOB"]),
        ({"operation": "Trim Whitespace", "columns": "gone"}, "name",
         [" Ann ", None, "BOB", "BOB"]),
        ({"operation": "Lowercase", "columns": "name, gone"}, "name",
         [" ann ", None, "bob", "bob"]),
        ({"operation": "Uppercase"}, "name", [" ANN ", None, "BOB", "BOB"]),
        ({"operation": "Fill Nulls", "fill_value": "0"}, "amount", [1.5, 0.0, 2.5, 2.5]),
        ({"operation": "Fill Nulls", "fill_value": "?"}, "name", [" Ann ", "?", "BOB", "BOB"]),
        ({"operation": "Fill Nulls", "fill_value": "?"}, "amount", [1.5, None, 2.5, 2.5]),
        ({"operation": "Fill Nulls", "fill_method": "Mode", "columns": "name"}, "name",
         [" Ann ", "BOB", "BOB", "BOB"]),
        ({"operation": "Fill Nulls", "fill_method": "Median"}, "amount", [1.5, 2.5, 2.5, 2.5]),
        ({"operation": "fill nulls", "fill_method": "MEDIAN"}, "amount", [1.5, 2.5, 2.5, 2.5]),
        ({"operation": "Fill Nulls", "fill_method": "Forward Fill"}, "amount",
         [1.5, 1.5, 2.5, 2.5]),
        ({"operation": "Fill Nulls", "fill_method": "Backward Fill"}, "name",
         [" Ann ", "BOB", "BOB", "BOB"]),
    ],
)  # fmt: skip
def test_operations_of_the_first_integration_on_cells(inputs, column, expected):
    """Columns that are not there are passed over where they were; '' is no number."""
    results, _, _ = run(input_data=data(), **inputs)
    assert [row[column] for row in rows_of(results)] == expected


def test_columns_are_dropped():
    """Those that are not there are no error, and none named drops none."""
    results, _, _ = run(input_data=data(), operation="Drop Columns", columns="name, gone, day")
    assert [list(row) for row in rows_of(results)] == [["id", "amount"]] * 4
    given = data()
    results, _, _ = run(input_data=given, operation="Drop Columns")
    assert results["data"] == given


def test_lossy_suggestions_are_applied_where_asked_for():
    """Safe ones alone leave gaps; the others fill them."""
    results, _, _ = run(input_data=data())
    assert rows_of(results)[1]["amount"] is None
    results, _, _ = run(input_data=data(), apply_suggestions="Safe and lossy")
    assert rows_of(results)[1]["amount"] is not None


def test_steps_come_after_the_operation_in_their_order():
    """Many in one node; those that are off are left out, and cells nobody filled are NaN."""
    table = steps(
        {"on": "true", "action": "Trim Whitespace", "columns": "name", "options": float("nan")},
        {"on": "false", "action": "no such", "columns": "", "options": ""},
        {
            "action": "filter",
            "columns": float("nan"),
            "options": "condition=id >= 2 or name == 'x'",
        },
        {"on": "", "action": "rename_columns", "options": '{"mapping": {"name": "who"}}'},
    )
    results, logs, _ = run(input_data=data(), operation="Drop Duplicates", steps=table)
    assert [(row["id"], row["who"]) for row in rows_of(results)] == [(2, None), (3, "BOB")]
    assert logs[0].startswith("4 rows in, 2 out, ")
    assert "filter: 1 rows dropped" in logs


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"action": "trim_whitespce"}, "step 1: there is no action 'trim_whitespce'\n\n"
         "did you mean 'trim_whitespace'?"),
        ({"action": "parse_number", "options": "decimals=,"},
         "step 1: (parse_number) has no parameter 'decimals'\n\ndid you mean 'decimal'?"),
        ({"action": "lowercase", "columns": "nme"},
         "step 1 (lowercase): there is no column 'nme'\n\ndid you mean 'name'?"),
        ({"action": "filter", "options": "id > 2"}, "step 1: the options are not written as "),
        ({"action": "filter", "options": "{id"}, "step 1: the options are no JSON: {id"),
    ],
)  # fmt: skip
def test_faults_in_steps_say_which_and_what_to_do(row, message):
    """In the numbers of the table, whatever the operation before does."""
    with pytest.raises(Problem) as raised:
        run(input_data=data(), operation="Drop Nulls", steps=steps(row))
    assert message in str(raised.value)


@pytest.mark.parametrize(
    ("text", "action", "expected"),
    [
        ("decimal=,, thousands=.", "parse_number", {"decimal": ",", "thousands": "."}),
        ("strip=€", "parse_number", {"strip": ["€"]}),
        ("strip=[€, $], on_error=null", "parse_number", {"strip": ["€", "$"], "on_error": "null"}),
        ("condition=a == 'x, b=3' and b > 1", "filter", {"condition": "a == 'x, b=3' and b > 1"}),
        ("condition=a == \"it's\", empty_is_null=TRUE", "filter",
         {"condition": "a == \"it's\"", "empty_is_null": True}),
        ("value=0", "fill_nulls", {"value": 0}),
        ("value='0'", "fill_nulls", {"value": "0"}),
        ("value=it's, method=mean", "fill_nulls", {"value": "it's", "method": "mean"}),
        ("ascending=false", "sort", {"ascending": False}),
        ("ascending=[true, false], nulls=first", "sort",
         {"ascending": [True, False], "nulls": "first"}),
        ("into=[a, b], separator=1", "split_column", {"into": ["a", "b"], "separator": "1"}),
        ("mapping={\"a\": 1}", "replace_values", {"mapping": {"a": 1}}),
        ("", "sort", {}),
    ],
)  # fmt: skip
def test_options_are_read_as_people_write_them(text, action, expected):
    """Commas in quotes, brackets and values are no ends; texts stay texts where texts are due."""
    assert options_in(text, action) == expected


def test_suggestions_can_be_pasted_into_the_steps():
    """What all of them say, done as steps, is what they promise."""
    results, _, _ = run(input_data=data(), operation=STEPS)
    found = [row.data for row in results["suggestions"]]
    assert {"action", "columns", "options", "risk", "why", "rows", "examples"} <= set(found[0])
    assert json.dumps(found)
    safe = [row for row in found if row["risk"] == "safe"]
    assert len(steps_in(found)) == len(found)
    pasted, _, _ = run(input_data=data(), operation=STEPS, steps=steps(*safe))
    auto, _, _ = run(input_data=data(), operation=AUTO)
    assert rows_of(pasted) == rows_of(auto)


def test_the_report_tells_of_each_column():
    """Of what came in, whatever the operation is; values are such as the canvas can show."""
    results, _, _ = run(input_data=data(), operation="Drop Columns", columns="day")
    report = results["report"]
    assert isinstance(report, FRAME)
    rows = {row["column"]: row for row in report.to_dict("records")}
    assert list(rows) == ["(all)", "id", "name", "amount", "day"]
    assert rows["amount"]["nulls_percent"] == 25
    assert rows["day"]["faults"].startswith("2 hidden gaps: 'n/a'")
    assert rows["day"]["kind"] == "datetime (%Y-%m-%d)"
    assert rows["name"]["type"] == "text"
    assert "(all)" in rows
    assert "1 row" in rows["(all)"]["faults"]


def test_statistics_and_suggestions_as_the_first_integration_gave_them():
    """In place of the rows: one Data with row_count, columns and so on; one with all of them."""
    results, _, _ = run(input_data=data(), get_statistics=True)
    (figures,) = rows_of(results)
    assert (figures["row_count"], figures["column_count"]) == (4, 4)
    assert figures["columns"]["amount"]["null_count"] == 1
    results, _, _ = run(input_data=data(), get_suggestions=True)
    (found,) = rows_of(results)
    assert found["suggestions"][0]["type"]


def test_what_nothing_changes_comes_back_as_it_came():
    """The very list, and the very DataFrame."""
    given = data()
    results, logs, _ = run(input_data=given, operation=STEPS)
    assert all(made is row for made, row in zip(results["data"], given, strict=True))
    assert logs[0] == "4 rows, nothing to do"
    frame = FRAME(pd.DataFrame({"id": [1, 2]}))
    results, _, _ = run(input_data=frame, operation="Drop Nulls")
    assert results["dataframe"] is frame


@pytest.mark.parametrize("given", [[], None, "", FRAME([])], ids=["list", "None", "text", "frame"])
def test_nothing_is_cleaned_to_nothing(given):
    """Whatever the operation needs."""
    for operation in USES:
        inputs = {"input_data": given} if given is not None else {}
        results, _, _ = run(operation=operation, columns="a", **inputs)
        assert len(results["data"]) == len(results["dataframe"]) == len(results["report"]) == 0
        assert results["suggestions"] == []


def test_a_single_data_and_rows_with_different_keys_and_nested_values():
    """Keys that a row lacks stay missing in Data; objects and lists stay as they are."""
    results, _, _ = run(input_data=DATA(data={"a": " x "}), operation="Trim Whitespace")
    assert rows_of(results) == [{"a": "x"}]
    given = [{"a": " x", "o": {"k": [1, " y "]}}, {"b": 2}, {"a": None, "l": [1, {"z": None}]}, {}]
    results, _, _ = run(input_data=data(given), operation="Trim Whitespace")
    assert rows_of(results) == [{"a": "x", "o": {"k": [1, " y "]}}, *given[1:]]
    assert results["dataframe"].columns.tolist() == ["a", "o", "b", "l"]
    results, _, _ = run(input_data=data(given), get_statistics=True)
    assert rows_of(results)[0]["column_count"] == 4


def test_what_a_column_cannot_take_is_told_and_the_others_go_on():
    """The log says which column stayed, in which step, and why."""
    row = {"action": "parse_number", "columns": "name, day", "options": ""}
    results, logs, _ = run(input_data=data(), operation=STEPS, steps=steps(row))
    assert rows_of(results) == ROWS
    assert any(line.startswith("name stays as it was in step 1 (parse_number): ") for line in logs)


def test_the_outputs_of_a_run_share_one_look(monkeypatch):
    """The table is profiled once, however many outputs there are."""
    from kozmo_bridge.cleaner import profiling

    seen = []
    real = profiling.profile
    monkeypatch.setattr(
        profiling, "profile", lambda *args, **kw: seen.append(1) or real(*args, **kw)
    )
    component = DataCleanerComponent(_id="cleaner").set(input_data=data())
    asyncio.run(component.run())
    assert len(seen) == 1


def test_the_form_shows_what_the_operation_looks_at():
    """The rest is among the advanced ones, never hidden: the host would not pass it on."""
    code = (FOLDER / "processing" / "data_cleaner.py").read_text("utf-8")
    node, component = BUILD(CODED(_code=code))
    form = node["template"]
    asyncio.run(component.update_build_config(form, "Fill Nulls", "operation"))
    fields = {name: field for name, field in form.items() if isinstance(field, dict)}
    assert not any(fields[name]["advanced"] for name in ("columns", "fill_method", "fill_value"))
    assert fields["filter_condition"]["advanced"] and fields["apply_suggestions"]["advanced"]
    assert all(field.get("show", True) for field in fields.values())
    table = [{"on": "true", "action": "sort", "columns": "id", "options": ""}]
    asyncio.run(component.update_build_config(form, table, "steps"))
    assert form["steps"]["trigger_text"] == "Steps: 1"
    table.append({"action": "srt"})
    asyncio.run(component.update_build_config(form, table, "steps"))
    assert form["steps"]["trigger_text"] == "Steps: look at step 2"


def test_it_says_how_to_switch_it_on(monkeypatch):
    """Where ENABLE_MAGE_INTEGRATIONS is not set."""
    monkeypatch.delenv("ENABLE_MAGE_INTEGRATIONS")
    with pytest.raises(Problem, match="ENABLE_MAGE_INTEGRATIONS=true"):
        run(input_data=data())


def test_it_works_between_components():
    """In a graph: only the outputs that lead somewhere are made."""
    first = DataCleanerComponent(_id="first").set(input_data=data(), operation="Drop Nulls")
    second = DataCleanerComponent(_id="second").set(
        input_data=first.as_dataframe, operation="Uppercase"
    )
    graph = GRAPH(first, second)
    graph.prepare()
    for _ in graph.start():
        pass
    made = second._outputs_map["data"].value
    assert [row.data["name"] for row in made] == [" ANN ", "BOB", "BOB"]
    assert first._outputs_map["data"].value is _host.module("template.field.base").UNDEFINED


def test_a_hundred_thousand_rows_cost_what_the_cleaner_costs():
    """At most half as much again, and a second."""
    rows = data(
        {"id": i, "name": f" n{i % 997} ", "amount": f"{i % 1000}.50", "ok": i % 2 == 0}
        for i in range(100_000)
    )
    rules = [{"action": "trim_whitespace"}, {"action": "filter", "condition": "id >= 100"}]
    clean(rows[:100], rules)
    start = time.monotonic()
    expected = clean(rows, rules).frame
    alone = time.monotonic() - start
    table = steps(
        {"action": "trim_whitespace"}, {"action": "filter", "options": "condition=id >= 100"}
    )
    component = DataCleanerComponent(_id="c").set(input_data=rows, operation=STEPS, steps=table)
    start = time.monotonic()
    made = asyncio.run(component.clean_data())
    took = time.monotonic() - start
    assert made == expected
    assert took < 1.5 * alone + 1
