"""The canvas of a real KozmoAI in a real browser, driven as all tests of components drive it."""

import json
import time

import pytest

from canvas import Refused
from flows import build
from servers.processes import is_gone

STRIPES = "Stripes of a Zebra"


def test_a_component_is_found_filled_and_run(canvas, tmp_path):
    """Each kind of field is read and filled; the output is seen as its table, and its log."""
    assert canvas.search("no such thing") == []
    assert canvas.search("zebra") == [STRIPES]
    node = canvas.drag(STRIPES)
    assert node.labels[:2] == ["Animal", "Verdict"]
    assert node.options("animal") == ["Zebra", "Tiger", "None"]
    node.set("animal", "Tiger")
    assert (node.get("animal"), node.get("verdict")) == ("Tiger", "a Tiger")
    node.set("password", "four")
    node.press("check")
    assert (node.get("check"), node.get("verdict")) == (False, "Tiger, 4 stripes")
    with node.table("columns") as columns:
        assert columns.rows[1] == {"name": "stripe", "selected": "yes"}
        columns.edit(0, "selected", "no")
    assert node.run() == f"{STRIPES} built successfully"
    assert node.output("DataFrame").rows == [{"stripe": f"no. {number}"} for number in range(40)]
    assert [line["message"] for line in node.log("DataFrame")] == ["waited for 0 s"]
    for picture in (
        canvas.screenshot(tmp_path / "canvas.png"),
        node.screenshot(tmp_path / "n.png"),
    ):
        assert picture.stat().st_size > 10_000


def test_errors_are_told_as_the_page_tells_them(canvas):
    """Of a refresh and of a run; an advanced field is filled in the dialog of all fields."""
    node = canvas.drag(STRIPES)
    with pytest.raises(Refused, match="there is no such animal"):
        node.set("animal", "None")
    node.set("problem", "all stripes are gone")
    with pytest.raises(Refused, match="all stripes are gone"):
        node.run()
    assert "Traceback" in node.output("DataFrame").text


def test_stop_ends_the_child_of_a_component(canvas, host):
    """Within two seconds."""
    node = canvas.drag(STRIPES)
    node.set("seconds", 97)
    running = node.start()
    end = time.monotonic() + 20
    while not (children := host.children("sleep 97.0625")):
        assert time.monotonic() < end
    assert canvas.stop() == "Build stopped"
    end = time.monotonic() + 2
    while not all(map(is_gone, children)):
        assert time.monotonic() < end
    with pytest.raises(Refused, match="Build stopped"):
        running.wait()


def test_an_edge_is_drawn_and_a_flow_is_imported(canvas, host, tmp_path):
    """By the mouse and by the menu; by the API the flow keeps its ids."""
    source, target = canvas.drag(STRIPES), canvas.drag("Parse DataFrame", at=(900, 60))
    canvas.connect(source, "table", target, "df")
    target.set("template", "<{stripe}>")
    flow = canvas.saved()
    assert [edge["source"] for edge in flow["data"]["edges"]] == [source.id]
    (tmp_path / "flow.json").write_text(json.dumps({"name": "stripes", "data": flow["data"]}))
    canvas.open().load(tmp_path / "flow.json")
    again = canvas.node("Parse DataFrame")
    assert again.run() == "Parse DataFrame built successfully"
    assert "<no. 39>" in again.output("Text").text
    copy = host.upload({"name": "stripes", "data": flow["data"]})
    canvas.open(copy)
    assert [node.id for node in canvas.nodes()] == [source.id, target.id]
    ran = build(host, copy)
    assert (ran.ended, ran.error) == (True, "")
    assert ran.nodes[source.id].outputs["table"][39] == {"id": 39, "stripe": "no. 39"}
    assert ran.nodes[source.id].logs["table"] == ["waited for 0 s"]
    assert "<no. 39>" in ran.nodes[target.id].outputs["text"]


def test_a_failing_flow_tells_where(host):
    """Node by node."""
    node = host.built_in("data", "Stripes")
    node["template"]["problem"]["value"] = "no stripes"
    ran = build(host, host.make("stripes-fail", {"Stripes-a": node}))
    assert not ran.nodes["Stripes-a"].valid
    assert ran.nodes["Stripes-a"].error.endswith("no stripes")
