"""Flows of KozmoAI without a browser: a run by the endpoint that its page uses, node by node."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field
from typing import Any

import httpx

from servers.kozmoai import Host


@dataclass(frozen=True)
class NodeRun:
    """What became of a node: its outputs and logs by the output's name, as the page gets them."""

    valid: bool
    outputs: dict[str, Any]
    types: dict[str, str]
    logs: dict[str, list[str]]
    error: str


@dataclass
class FlowRun:
    """What became of a flow; *ended* is False of one that stopped in the middle."""

    nodes: dict[str, NodeRun] = field(default_factory=dict)
    messages: list[str] = field(default_factory=list)
    ended: bool = False
    error: str = ""


def build(host: Host, flow: str, stop_at: str | None = None, seconds: float = 60) -> FlowRun:
    """Run the flow of that id, or only what the node *stop_at* needs, to its end.

    AssertionError after so many *seconds*: the host's answer never ends where a graph cannot be
    made of the flow.
    """
    found = FlowRun()
    end = time.monotonic() + seconds
    try:
        with httpx.stream(
            "POST", f"{host.base}/api/v1/build/{flow}/flow", json={}, timeout=seconds,
            params={"stop_component_id": stop_at} if stop_at else {},
            headers={"x-api-key": host.key},
        ) as answer:  # fmt: skip
            assert answer.is_success, answer.read()
            for line in answer.iter_lines():
                assert time.monotonic() < end, f"no end within {seconds:g} s: {found}"
                if line.strip():
                    _take(found, json.loads(line))
    except httpx.ReadTimeout as error:
        raise AssertionError(f"nothing more came for {seconds:g} s: {found}") from error
    return found


def _take(found: FlowRun, event: dict[str, Any]) -> None:
    data = event["data"]
    if event["event"] == "end_vertex":
        built = data["build_data"]
        found.nodes[built["id"]] = _node(built)
    elif event["event"] == "add_message":
        found.messages.append(data["text"])
    elif event["event"] == "error":
        found.error = str(data.get("text") or data.get("error") or data)
    elif event["event"] == "end":
        found.ended = True


def _node(built: dict[str, Any]) -> NodeRun:
    shown = built["data"]["outputs"]
    logs = built["data"]["logs"]
    failed = [one["message"] for one in shown.values() if one["type"] == "error"]
    return NodeRun(
        built["valid"],
        {name: one["message"] for name, one in shown.items()},
        {name: one["type"] for name, one in shown.items()},
        {name: [line["message"] for line in lines] for name, lines in logs.items()},
        failed[0]["errorMessage"] if failed else "",
    )
