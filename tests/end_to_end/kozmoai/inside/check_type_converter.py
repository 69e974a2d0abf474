"""Run in KozmoAI's environment: the Type Converter, with Data and DataFrames."""

import asyncio
import json

import pandas as pd
import pytest
from telling import Tells

from kozmo_bridge import _host
from kozmo_bridge.cleaner.table import Table
from kozmo_bridge.components.base import Problem
from kozmo_bridge.components.stubs import FOLDER
from kozmo_bridge.components.type_converter import MISFITS, TypeConverterComponent
from kozmo_bridge.frames import series_list

DATA, FRAME, _ = _host.host()
BUILD = _host.module("custom.utils").build_custom_component_template
CODED = _host.module("custom.custom_component.component").Component


def data(*rows):
    return [DATA(data=dict(row)) for row in rows]


def run(given, *types, **inputs):
    """Return what all outputs give; types are (column, type, format)."""
    table = [DATA(data=dict(zip(("column", "type", "format"), row, strict=False))) for row in types]
    component = TypeConverterComponent(_id="types")
    component.set(input_data=given, types=table, **inputs)
    return asyncio.run(component.run())[0]


def column(given, *types, name="v", **inputs):
    """Return a column as both outputs have it, which must be the same."""
    found = [row.data.get(name) for row in run(given, *types, **inputs)["data"]]
    frame = run(FRAME(given), *types, **inputs)["dataframe"]
    assert json.dumps(found) == json.dumps(series_list(frame[name]))
    return found


def test_the_stub_is_shown_with_its_outputs():
    """By the host's own builder."""
    code = (FOLDER / "processing" / "type_converter.py").read_text("utf-8")
    node, component = BUILD(CODED(_code=code))
    outputs = {output["name"]: output["types"] for output in node["outputs"]}
    assert outputs == {"data": ["Data"], "dataframe": ["DataFrame"], "failed": ["Data"]}
    table = [{"column": "a", "type": "date"}, {"column": "b", "type": ""}]
    asyncio.run(component.update_build_config(node["template"], table, "types"))
    assert node["template"]["types"]["trigger_text"] == "Types: 1"


@pytest.mark.parametrize(
    ("values", "type_", "form", "expected"),
    [
        (["1", " 2 ", "3.0"], "integer", "", [1, 2, 3]),
        (["1.5", "2"], "number", "", [1.5, 2.0]),
        (["1.234,5", "7"], "number", "1.234,56", [1234.5, 7.0]),
        (["1 234", "7"], "integer", "1 234", [1234, 7]),
        (["1.50", "2"], "decimal(10,2)", "", [1.5, 2.0]),
        (["yes", "0", "TRUE"], "Boolean", "", [True, False, True]),
        (["ja", "Nein"], "boolean", "ja/nein", [True, False]),
        (["2024-02-01", "1 March 2024"], "date", "", ["2024-02-01", "2024-03-01"]),
        (["01/02/2024"], "date", "day first", ["2024-02-01"]),
        (["01/02/2024"], "date", "month first", ["2024-01-02"]),
        (["2024.02.01"], "date", "%Y.%m.%d", ["2024-02-01"]),
        (["2024-02-01T10:00:00"], "datetime", "", ["2024-02-01T10:00:00"]),
        (["2024-02-01T10:00:00+02:00"], "datetime", "", ["2024-02-01T08:00:00+00:00"]),
        ([1700000000], "datetime", "epoch", ["2023-11-14T22:13:20+00:00"]),
        ([1700000000, None], "datetime", "epoch", ["2023-11-14T22:13:20+00:00", None]),
        (["01:30:00"], "duration", "", ["PT1H30M"]),
        (['{"a": [1]}', " ", "3"], "json", "", [{"a": [1]}, None, 3]),
        ([1, 2], "text", "", ["1", "2"]),
        (["", None, "4"], "int", "", [None, None, 4]),
    ],
)
def test_values_get_the_type_that_the_table_says(values, type_, form, expected):
    """With a format where they can be read in two ways; blank texts are no values."""
    given = data(*({"v": value, "other": "x"} for value in values))
    assert column(given, ("v", type_, form), detect=False) == expected


def test_other_columns_get_the_type_that_they_hold():
    """All of a column or none of it; what names a key or can be read in two ways stays text."""
    given = data(
        {"amount": "1,5", "day": "31.12.2024", "zip": "01234", "ok": "yes", "mixed": "1"},
        {"amount": "n/a", "day": "01.01.2025", "zip": "04109", "ok": "no", "mixed": "x"},
    )
    rows = [row.data for row in run(given)["data"]]
    assert rows == [
        {"amount": 1.5, "day": "2024-12-31", "zip": "01234", "ok": True, "mixed": "1"},
        {"amount": None, "day": "2025-01-01", "zip": "04109", "ok": False, "mixed": "x"},
    ]


MIXED = ({"v": "1", "w": "a"}, {"v": "one", "w": "b"}, {"v": None, "w": "c"})
WHY = "v: 'one' is no integer"


def test_values_that_do_not_fit_are_an_error_that_names_them():
    """And says what can be done."""
    with pytest.raises(Problem) as raised:
        run(data(*MIXED), ("v", "integer"), detect=False)
    assert str(raised.value).splitlines() == [
        "1 row does not fit the types",
        "",
        f"row 2: {WHY}",
        "",
        "choose what becomes of them at 'Values that do not fit'",
    ]


@pytest.mark.parametrize(
    ("misfits", "expected"),
    [
        ("Leave empty", [1, None, None]),
        ("Keep as it was", [1, "one", None]),
        ("Set the row aside", [1, None]),
    ],
)
def test_values_that_do_not_fit_become_what_is_chosen(misfits, expected):
    """The rows are in Failed rows as they came in, with why; of a DataFrame too."""
    assert misfits in MISFITS
    given = data(*MIXED)
    assert column(given, ("v", "integer"), detect=False, misfits=misfits) == expected
    for table in (given, FRAME(given)):
        failed = run(table, ("v", "integer"), detect=False, misfits=misfits)["failed"]
        assert [row.data for row in failed] == [{"v": "one", "w": "b", "_why": WHY}]


@pytest.mark.parametrize("names", [("x", "x", "y"), (0, 1, 2), (("a", 1), ("a", 1), ("b", ""))])
@pytest.mark.parametrize("misfits", ["Leave empty", "Keep as it was"])
def test_names_of_columns_may_repeat_and_be_anything(names, misfits):
    """The second x is x_2 on the node; each column goes where its place is."""
    cells = [["1", '{"k": 1}', "2024-02-01"], ["one", "{", "?"]]
    frame = FRAME(pd.DataFrame(cells, columns=pd.Index(names)))
    before = frame.copy()
    types = zip(Table.of(frame).labels, ("integer", "json", "date"), strict=True)
    made = run(frame, *types, misfits=misfits)
    table = made["dataframe"]
    assert list(table.columns) == list(names)
    last = cells[1] if misfits == "Keep as it was" else [None] * 3
    columns = [series_list(table.iloc[:, place]) for place in range(3)]
    assert [list(row) for row in zip(*columns, strict=True)] == [[1, {"k": 1}, "2024-02-01"], last]
    assert len(made["failed"][0].data["_why"].split("; ")) == 3
    pd.testing.assert_frame_equal(frame, before)


def test_texts_that_are_no_json_do_not_fit():
    """They are treated as all other misfits."""
    given = data({"v": "[1"}, {"v": "[1]"})
    assert column(given, ("v", "json"), misfits="Leave empty") == [None, [1]]
    assert column(given, ("v", "json"), misfits="Keep as it was") == ["[1", [1]]


def test_failed_rows_do_not_hold_up_the_server():
    """They are made in a thread of their own; the loop serves other users meanwhile."""
    tells = Tells()
    given = FRAME([{"v": "one", "w": tells}])
    types = [DATA(data={"column": "v", "type": "integer"})]
    component = TypeConverterComponent(_id="types")
    component.set(input_data=given, types=types, detect=False, misfits="Leave empty")
    (row,) = asyncio.run(component.as_failed())
    assert row.data == {"v": "one", "w": "told", "_why": WHY}
    assert tells.aside()


def test_what_nothing_changes_comes_back_as_it_came():
    """The very objects; numbers are numbers already."""
    given = data({"v": 1, "o": {"k": [1]}}, {"v": 2})
    made = run(given, ("v", "integer"))["data"]
    assert all(row is old for row, old in zip(made, given, strict=True))
    frame = FRAME(given)
    assert run(frame, ("v", "integer"))["dataframe"] is frame
    assert run([])["data"] == []


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (("w", "integer"), "there is no column 'w'"),
        (("v", "intger"), "row 1: there is no type 'intger'\n\ndid you mean 'integer'?"),
        (("v", "number", "0,0"), "'0,0' does not show how numbers are written"),
        (("v", "date", "%Q"), "'%Q' is no format of dates"),
    ],
)
def test_faults_in_the_table_are_told(row, message):
    """With what is meant, or how it is written."""
    with pytest.raises(Problem) as raised:
        run(data({"v": "1"}), row)
    assert message in str(raised.value)
