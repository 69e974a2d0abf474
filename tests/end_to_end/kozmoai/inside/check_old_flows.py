"""Run in KozmoAI's environment: flows that were saved with the first data integration.

Their nodes carry code that imports kozmoai.integrations.mage, as that integration's did.
"""

import asyncio
import importlib
import json
import os
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

import kozmo_bridge.components
from kozmo_bridge import _host, adapters
from kozmo_bridge.components.reference import NAMES, ROOT, host_has_its_own
from kozmo_bridge.components.stubs import stubs

FLOWS = Path(__file__).parents[3] / "fixtures" / "flows"
LOAD = _host.module("load").load_flow_from_json
BUILD = _host.module("custom.utils").build_custom_component_template
CODED = _host.module("custom.custom_component.component").Component
STUBS = {
    name: file
    for file in stubs()
    if (name := "".join(part.title() for part in file.stem.split("_")))
    in ("DatabaseLoader", "FileLoader", "DatabaseExporter", "DataCleaner")
}


def saved(name, **values):
    """Return a saved flow with values put into its nodes: node__input=value."""
    flow = json.loads((FLOWS / f"{name}.json").read_text("utf-8"))
    for key, value in values.items():
        kind, _, field = key.partition("__")
        template = template_of(flow, kind)
        template[field]["value"] = value
        if template[field].get("load_from_db"):
            template[field]["load_from_db"] = False
    return flow


def template_of(flow, kind):
    (node,) = (node for node in flow["data"]["nodes"] if node["data"]["type"] == kind)
    return node["data"]["node"]["template"]


def updated(flow, kind):
    """Press Update on a node: the host asks the new code for the node, given the one there is.

    Edges whose ends do not look as before are taken away, as the canvas does.
    """
    (node,) = (node for node in flow["data"]["nodes"] if node["data"]["type"] == kind)
    built, component = BUILD(CODED(_code=STUBS[kind].read_text("utf-8")))
    made = asyncio.run(component.update_frontend_node(built, node["data"]["node"]))
    node["data"]["node"] = made
    flow["data"]["edges"] = [
        edge for edge in flow["data"]["edges"] if edge["target"] != node["id"] or fits(edge, made)
    ]
    return flow


def fits(edge, node):
    """Return whether the canvas would keep an edge to *node*."""
    handle = edge["data"]["targetHandle"]
    field = node["template"][handle["fieldName"]]
    return (field["type"], field["input_types"]) == (handle["type"], handle["inputTypes"])


def run(flow, tmp_path):
    """Return what each node of a saved flow gave, by its kind."""
    file = tmp_path / "flow.json"
    file.write_text(json.dumps(flow), "utf-8")
    graph = LOAD(file)
    graph.prepare()

    async def all_of_it():
        return [result async for result in graph.async_start()]

    asyncio.run(all_of_it())
    made = {vertex.id.partition("-")[0]: vertex.results for vertex in graph.vertices}
    return {
        kind: [row.data for row in results.get("data", results.get("result", []))]
        for kind, results in made.items()
    }


@pytest.fixture
def orders(tmp_path):
    file = tmp_path / "orders.csv"
    file.write_text("id,name,amount\n1,Ann,1.5\n2,Bob,\n3,Cid,2.5\n")
    return file


def test_the_host_brings_no_such_modules():
    """Else its own go before ours, and these tests would prove nothing."""
    assert not host_has_its_own()
    assert find_spec(f"{ROOT}.mage.no_such") is None
    with pytest.raises(ImportError):
        importlib.import_module(f"{ROOT}.other")


def test_modules_of_the_host_go_before_ours(tmp_path, monkeypatch):
    """What a build of the product brings itself is left alone, also where it brings less."""
    folder = tmp_path / "integrations" / "mage"
    folder.mkdir(parents=True)
    for each in (folder.parent, folder):
        (each / "__init__.py").write_text("own = True\n")
    for name in NAMES:
        monkeypatch.delitem(sys.modules, name, raising=False)
    kozmoai = importlib.import_module("kozmoai")
    monkeypatch.setattr(kozmoai, "__path__", [*kozmoai.__path__, str(tmp_path)])
    importlib.invalidate_caches()
    assert host_has_its_own()
    assert importlib.import_module(f"{ROOT}.mage").own
    with pytest.raises(ImportError):
        importlib.import_module(f"{ROOT}.mage.sources")
    for name in NAMES:
        sys.modules.pop(name, None)
    importlib.invalidate_caches()


@pytest.mark.parametrize("name", sorted(NAMES))
def test_the_modules_have_the_names_of_the_first_integration(name):
    """And no others; each is that of kozmo_bridge.adapters."""
    module = importlib.import_module(name)
    for each in NAMES[name]:
        assert getattr(module, each) is getattr(adapters, each)
    assert not hasattr(module, "no_such")


def test_a_flow_of_files_runs_as_it_was_saved(orders, tmp_path):
    """Loader and cleaner, each with its old code."""
    made = run(saved("first_files", FileLoader__file_path=str(orders)), tmp_path)
    assert made["FileLoader"][1] == {"id": 2, "name": "Bob", "amount": None}
    assert made["DataCleaner"] == [
        {"id": 1, "name": "Ann", "amount": 1.5},
        {"id": 2, "name": "Bob", "amount": 0.0},
        {"id": 3, "name": "Cid", "amount": 2.5},
    ]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"operation": "Drop Nulls", "columns": ""}, [1, 3]),
        ({"operation": "Sort", "columns": "id", "ascending": False}, [3, 2, 1]),
        ({"operation": "Filter Rows", "filter_condition": "amount > 2"}, [3]),
        ({"operation": "Drop Duplicates"}, [1, 2, 3]),
    ],
)
def test_nodes_of_the_cleaner_give_the_same_before_and_after_update(
    orders, tmp_path, values, expected
):
    """Update takes our code, and keeps what was typed, also where it is not shown at first."""
    given = {f"DataCleaner__{name}": value for name, value in values.items()}
    flow = saved("first_files", FileLoader__file_path=str(orders), **given)
    assert [row["id"] for row in run(flow, tmp_path)["DataCleaner"]] == expected
    renewed = run(updated(flow, "DataCleaner"), tmp_path)["DataCleaner"]
    assert [row["id"] for row in renewed] == expected


def test_rows_of_several_edges_come_together(orders, tmp_path):
    """As they did; with the old code and with ours."""
    flow = saved(
        "first_files", FileLoader__file_path=str(orders), DataCleaner__operation="Uppercase"
    )
    more = tmp_path / "more.csv"
    more.write_text("id,note\n4,x\n")
    for part in ("nodes", "edges"):
        text = json.dumps(flow["data"][part][0]).replace("FileLoader-first", "FileLoader-second")
        flow["data"][part].append(json.loads(text))
    flow["data"]["nodes"][-1]["data"]["node"]["template"]["file_path"]["value"] = str(more)
    # Which of them comes first is up to the host.
    expected = [1, 2, 3, 4]
    assert sorted(row["id"] for row in run(flow, tmp_path)["DataCleaner"]) == expected
    renewed = run(updated(flow, "DataCleaner"), tmp_path)
    assert sorted(row["id"] for row in renewed["DataCleaner"]) == expected


@pytest.mark.parametrize("kind", sorted(STUBS))
def test_update_finds_every_input_and_output_of_the_first_integration(kind):
    """By its name; every text that could be chosen can be chosen."""
    for flow in map(saved, ("first_files", "first_database")):
        for node in flow["data"]["nodes"]:
            if node["data"]["type"] != kind:
                continue
            ours, _ = BUILD(CODED(_code=STUBS[kind].read_text("utf-8")))
            old = node["data"]["node"]
            for name, field in old["template"].items():
                assert name in ours["template"]
                if isinstance(field, dict):
                    options = set(field.get("options", []))
                    assert options <= set(ours["template"][name].get("options", options))
            assert {each["name"] for each in old["outputs"]} <= {
                each["name"] for each in ours["outputs"]
            }


def test_a_flow_of_a_database_runs_as_it_was_saved(tmp_path):
    """A table is read, cleaned and written, by three nodes with their old code."""
    url = os.environ["POSTGRES"]
    flow = saved(
        "first_database",
        DatabaseLoader__connection_string=url,
        DatabaseExporter__connection_string=url,
    )
    made = run(flow, tmp_path)
    assert [row["id"] for row in made["DatabaseLoader"]] == [1, 2, 3]
    assert [row["id"] for row in made["DataCleaner"]] == [1, 3]
    assert made["DatabaseExporter"][0]["rows_written"] == 2
    again = saved("first_database", DatabaseLoader__connection_string=url,
                  DatabaseLoader__query="select count(*) as n from orders_clean",
                  DataCleaner__operation="Uppercase",
                  DatabaseExporter__connection_string=url,
                  DatabaseExporter__table_name="counts")  # fmt: skip
    assert run(again, tmp_path)["DatabaseLoader"] == [{"n": 2}]


def test_importing_the_components_is_enough():
    """The finder is there once, behind those that find the modules of files."""
    assert kozmo_bridge.components.__doc__
    finders = [getattr(each, "__name__", type(each).__name__) for each in sys.meta_path]
    assert finders.count("Finder") == 1
    assert finders.index("Finder") > finders.index("PathFinder")
