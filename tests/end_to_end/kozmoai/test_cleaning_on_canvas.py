"""The Data Cleaner and a flow of the first data integration, on the canvas of a real KozmoAI."""

import json

import pytest

from project import ROOT

pytestmark = pytest.mark.slow
FLOWS = ROOT / "tests" / "fixtures" / "flows"


def test_a_flow_of_the_first_integration_runs_on_the_canvas(canvas, tmp_path, pictures):
    """Imported as it was saved, its nodes run with the code that they carry."""
    (tmp_path / "orders.csv").write_text("id,name,amount\n1,Ann,1.5\n2,Bob,\n")
    flow = json.loads((FLOWS / "first_files.json").read_text("utf-8"))
    template = flow["data"]["nodes"][0]["data"]["node"]["template"]
    template["file_path"]["value"] = str(tmp_path / "orders.csv")
    (tmp_path / "flow.json").write_text(json.dumps(flow), "utf-8")
    canvas.load(tmp_path / "flow.json")
    cleaner = canvas.node("Data Cleaner")
    assert cleaner.run() == "Data Cleaner built successfully"
    assert [row["amount"] for row in cleaner.output("Data").rows] == ["1.5", "0"]


def test_the_form_of_the_data_cleaner_follows_the_operation(canvas, pictures):
    """Few inputs at first; those of an operation come with it."""
    node = canvas.drag("Data Cleaner")
    assert node.labels == ["Rows", "Operation", "Suggestions to apply", "Steps"]
    node.screenshot(pictures / "data-cleaner.png")
    node.set("operation", "Fill Nulls")
    assert {"Columns", "Fill method", "Fill value"} <= set(node.labels)
    assert "Suggestions to apply" not in node.labels
    other = canvas.drag("Type Converter", at=(900, 60))
    assert other.labels == ["Rows", "Types", "Detect other types", "Values that do not fit"]
    other.screenshot(pictures / "type-converter.png")
