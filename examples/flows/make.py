"""Write the example flows from the components as they are; runs with KozmoAI's Python.

.envs/kozmoai/bin/python examples/flows/make.py [FOLDER]
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

HERE = Path(__file__).parent


class Node(NamedTuple):
    """A node: where its component's file is, where it stands, what the user has put in.

    *chosen* are inputs after whose change the form is refreshed, in this order. What begins with
    "setting " is a setting of the plug-in that was chosen.
    """

    id: str
    file: str
    place: tuple[int, int]
    values: Mapping[str, Any] = {}
    chosen: Sequence[str] = ()


class Flow(NamedTuple):
    """A flow; edges are (node, output, node, input)."""

    name: str
    description: str
    nodes: Sequence[Node]
    edges: Sequence[tuple[str, str, str, str]]


SHOP = {"database_type": "SQLite", "database_file": "shop.db"}
ANSWER = """You answer questions about the orders of a shop. These are all of them:

{table}

Question: {question}

Answer in one or two sentences, and name the orders that you looked at."""

FLOWS = {
    "files-to-database": Flow(
        "Files to a database",
        "Reads orders.csv, cleans it, and writes it into the table orders of shop.db.",
        [
            Node("FileLoader-files", "data/file_loader", (0, 0),
                 {"file_path": "examples/flows/orders.csv"}),
            Node("DataCleaner-clean", "processing/data_cleaner", (1, 0)),
            Node("DatabaseExporter-shop", "outputs/database_exporter", (2, 0),
                 {**SHOP, "table_name": "orders", "write_mode": "Upsert",
                  "key_columns": "order_id"}, ["database_type", "write_mode"]),
        ],
        [
            ("FileLoader-files", "dataframe", "DataCleaner-clean", "input_data"),
            ("DataCleaner-clean", "dataframe", "DatabaseExporter-shop", "input_data"),
        ],
    ),
    "database-to-answer": Flow(
        "Ask a database",
        "Reads a table, cleans it, and lets a model answer questions about it in the Playground.",
        [
            Node("DatabaseLoader-shop", "data/database_loader", (0, 0),
                 {**SHOP, "table_name": "orders"}, ["database_type"]),
            Node("DataCleaner-clean", "processing/data_cleaner", (1, 0)),
            Node("ParseDataFrame-text", "kozmoai:processing/parse_dataframe", (2, 0),
                 {"template": "order {order_id}: {customer}, {quantity} x {product}, {total}"}),
            Node("ChatInput-question", "kozmoai:inputs/chat", (2, 1)),
            Node("Prompt-context", "kozmoai:prompts/prompt", (3, 0), {"template": ANSWER}),
            Node("OpenAIModel-answer", "kozmoai:models/openai", (4, 0)),
            Node("ChatOutput-answer", "kozmoai:outputs/chat", (5, 0)),
        ],
        [
            ("DatabaseLoader-shop", "dataframe", "DataCleaner-clean", "input_data"),
            ("DataCleaner-clean", "dataframe", "ParseDataFrame-text", "df"),
            ("ParseDataFrame-text", "text", "Prompt-context", "table"),
            ("ChatInput-question", "message", "Prompt-context", "question"),
            ("Prompt-context", "prompt", "OpenAIModel-answer", "input_value"),
            ("OpenAIModel-answer", "text_output", "ChatOutput-answer", "input_value"),
        ],
    ),
    "tap-to-vectors": Flow(
        "Any tap to a vector store",
        "Reads new rows of any Singer tap, and keeps their texts in a vector store to search in.",
        [
            Node("SingerSource-orders", "data/singer_source", (0, 0),
                 {"tap_name": "tap-sqlite", "setting path": "shop.db",
                  "text_template": "{customer} of {city} ordered {quantity} x {product}"},
                 ["tap_name"]),
            Node("OpenAIEmbeddings-vectors", "kozmoai:embeddings/openai", (0, 1)),
            Node("QdrantVectorStoreComponent-orders", "kozmoai:vectorstores/qdrant", (1, 0),
                 {"collection_name": "orders", "host": "", "path": "shop-vectors"}),
        ],
        [
            ("SingerSource-orders", "data", "QdrantVectorStoreComponent-orders", "ingest_data"),
            ("OpenAIEmbeddings-vectors", "embeddings", "QdrantVectorStoreComponent-orders",
             "embedding"),
        ],
    ),
}  # fmt: skip


def main(folder: Path) -> None:
    """Write the flows into *folder*."""
    with tempfile.TemporaryDirectory() as scratch:
        os.environ["KOZMOAI_CONFIG_DIR"] = scratch
        os.environ["KOZMOAI_DATABASE_URL"] = f"sqlite:///{scratch}/kozmoai.db"
        os.environ["KOZMOAI_LOG_LEVEL"] = "critical"
        os.environ["ENABLE_MAGE_INTEGRATIONS"] = "true"
        for name, flow in FLOWS.items():
            text = json.dumps(asyncio.run(made(flow)), indent=1, ensure_ascii=False)
            (folder / f"{name}.json").write_text(text + "\n", "utf-8")


async def made(flow: Flow) -> dict[str, Any]:
    """Return *flow* as KozmoAI imports it."""
    nodes = {node.id: await _node(node) for node in flow.nodes}
    return {
        "name": flow.name,
        "description": flow.description,
        "is_component": False,
        "endpoint_name": None,
        "data": {
            "nodes": list(nodes.values()),
            "edges": [_edge(nodes, *edge) for edge in flow.edges],
            "viewport": {"x": 60, "y": 60, "zoom": 0.6},
        },
    }


async def _node(node: Node) -> dict[str, Any]:
    import kozmoai.graph  # noqa: F401  # the host's modules import each other in a circle
    from kozmoai.custom.custom_component.component import Component
    from kozmoai.custom.utils import build_custom_component_template

    made, instance = build_custom_component_template(Component(_code=_file(node.file).read_text()))
    template = made["template"]
    for name in node.chosen:
        template[name]["value"] = node.values[name]
        await _refreshed(instance, template, name)
    for name, value in node.values.items():
        field = template[_input(template, name)]
        field["value"] = value
        # A dropdown shows what it offers only.
        if "options" in field and value not in field["options"]:
            field["options"].append(value)
    if "prompt" in node.file:
        instance.set(template=node.values["template"])
        made = instance.to_frontend_node()["data"]["node"]
    x, y = node.place
    return {
        "id": node.id,
        "type": "genericNode",
        "position": {"x": x * 440, "y": y * 820},
        "data": {"id": node.id, "type": node.id.partition("-")[0], "node": made},
    }


async def _refreshed(instance: Any, template: dict[str, Any], name: str) -> None:
    instance.set_attributes({n: f.get("value") for n, f in template.items() if isinstance(f, dict)})
    await instance.update_build_config(template, template[name]["value"], name)


def _input(template: Mapping[str, Any], name: str) -> str:
    from kozmo_bridge.components.plugin_settings import setting_name

    setting = name.removeprefix("setting ")
    if setting == name:
        return name
    return next(each for each in template if setting_name(each) == setting)


def _file(name: str) -> Path:
    import kozmoai

    from kozmo_bridge.components.stubs import FOLDER

    host = Path(next(iter(kozmoai.__path__)), "components")
    folder, name = (host, name.partition(":")[2]) if ":" in name else (FOLDER, name)
    return folder / f"{name}.py"


def _edge(
    nodes: Mapping[str, Any], source: str, output: str, target: str, field: str
) -> dict[str, Any]:
    start, end = nodes[source]["data"], nodes[target]["data"]
    (types,) = (o["types"] for o in start["node"]["outputs"] if o["name"] == output)
    taken = end["node"]["template"][field]
    handles = {
        "sourceHandle": {
            "dataType": start["type"], "id": source, "name": output, "output_types": types,
        },
        "targetHandle": {
            "fieldName": field, "id": target, "inputTypes": taken.get("input_types") or [],
            "type": taken["type"],
        },
    }  # fmt: skip
    return {
        "id": f"{source}-{output}-{target}-{field}",
        "source": source,
        "target": target,
        "data": handles,
        **{name: json.dumps(handle).replace('"', "œ") for name, handle in handles.items()},
    }


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else HERE)
