"""A server on the loopback that answers as KozmoAI's API does, and fails when it is told to.

For what the real host cannot be made to do: 429, 503, a dropped connection, a lost component.
"""

from __future__ import annotations

import json
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

FLOW_ID = "4ac84544-a24e-4b10-9231-d719f5c9d601"
KEY = "sk-loopback-secret"


def node(id: str, type: str, fields: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Return a component of a flow; *fields* maps input names to what is special about them."""
    template = {
        name: {"type": "str", "name": name, "show": True, "value": "", **special}
        for name, special in fields.items()
    }
    inner = {"display_name": type, "template": {"_type": "Component", **template}, **more}
    return {"id": id, "data": {"id": id, "type": type, "node": inner}}


def edge(source: str, target: str, field: str) -> dict[str, Any]:
    """Return a connection of two components."""
    return {
        "source": source,
        "target": target,
        "data": {"targetHandle": {"fieldName": field, "id": target}},
    }


WEBHOOK = node("Webhook-aaaaa", "Webhook", {"data": {}})


class Loopback:
    """The flow it has, what was sent to it, and how it answers the next runs.

    Each entry of *failures* is an HTTP status, a (status, headers) pair, "drop" (the connection
    ends without an answer), "lost" (the flow runs without our component) or a number of seconds to
    hold the answer back.
    """

    def __init__(self, url: str) -> None:
        self.base = url
        self.url = f"{url}/api/v1/run/{FLOW_ID}"
        self.endpoint_name = "rows"
        self.nodes = [WEBHOOK]
        self.edges: list[dict[str, Any]] = []
        self.failures: deque[Any] = deque()
        self.attempts: list[dict[str, Any]] = []
        self.taken: list[dict[str, Any]] = []

    @property
    def rows(self) -> list[dict[str, Any]]:
        """The records of all runs that ended well, in their order."""
        return [row for payload in self.taken for row in payload["records"]]

    def get(self, path: str) -> Any:
        """Answer a GET; None is 404."""
        flow = {"id": FLOW_ID, "name": "Rows", "endpoint_name": self.endpoint_name}
        whole = {**flow, "data": {"nodes": self.nodes, "edges": self.edges}}
        return {
            "/api/v1/version": {"version": "9.9"},
            f"/api/v1/flows/{FLOW_ID}": whole,
            "/api/v1/flows/?get_all=true&header_flows=true": [flow],
        }.get(path)

    def run(self, body: dict[str, Any]) -> tuple[int, dict[str, str], Any] | None:
        """Run the flow as the host would: a text value loses its backslashes before an n."""
        ((component, fields),) = body["tweaks"].items()
        ((field, tweak),) = fields.items()
        payload = json.loads(tweak["value"].replace("\\n", "\n"))
        self.attempts.append({"component": component, "field": field, **payload})
        failure = self.failures.popleft() if self.failures else None
        if failure == "drop":
            return None
        if isinstance(failure, float):
            time.sleep(failure)
        status, headers = failure if isinstance(failure, tuple) else (failure, {})
        if isinstance(status, int):
            detail = json.dumps({"message": f"Error running graph: told to say {status}"})
            return status, headers, {"detail": detail}
        self.taken.append(payload)
        ran = [] if failure == "lost" else [{"component_id": body["output_component"]}]
        return 200, {}, {"outputs": [{"inputs": {}, "outputs": ran}]}


@contextmanager
def running() -> Iterator[Loopback]:
    """A server on a port that the kernel chose."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.daemon_threads = True
    server.host = Loopback(f"http://127.0.0.1:{server.server_port}")  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield server.host  # type: ignore[attr-defined]
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        if self._allowed():
            answer = self._host.get(self.path)
            missing = {"detail": "Flow not found"}
            self._send(404 if answer is None else 200, {}, missing if answer is None else answer)

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        if not self._allowed():
            return
        answer = self._host.run(body)
        if answer is None:
            self.close_connection = True
        else:
            self._send(*answer)

    @property
    def _host(self) -> Loopback:
        return self.server.host  # type: ignore[attr-defined, no-any-return]

    def _allowed(self) -> bool:
        allowed = self.headers["x-api-key"] == KEY
        if not allowed:
            self._send(403, {}, {"detail": "Invalid or missing API key"})
        return allowed

    def _send(self, status: int, headers: dict[str, str], answer: Any) -> None:
        body = json.dumps(answer).encode()
        self.send_response(status)
        for name, value in {**headers, "content-length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Nothing is said of each request."""
