"""A real KozmoAI server with its own folder, database, superuser and port, and flows in it."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from copy import deepcopy
from functools import cached_property
from pathlib import Path
from typing import Any

import httpx

from servers.processes import plugins

START_SECONDS = 240.0
_STOP_SECONDS = 10.0
_PASSWORD = "a-password-of-the-tests"
# An orphan of the launcher is adopted by the tests, see servers.processes.
_GROUP_END = (ProcessLookupError, ChildProcessError)


class Host:
    """KozmoAI as its API shows it: flows are made of components; it can die and start again.

    It has the components of the folders *components*, and with *frontend* the canvas at .base.
    Langflow, from which it was forked, is started and asked in the same way.
    """

    package = "kozmoai"

    def __init__(
        self,
        folder: Path,
        python: Path,
        *,
        frontend: bool = False,
        components: Sequence[Path] = (),
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self._folder, self._python, self._frontend = folder, python, frontend
        self._folders = [folder / "components", *components]
        self._added = dict(environment or {})
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        self.base = f"http://127.0.0.1:{self.port}"
        self.login: dict[str, str | float | bool] = {"username": "admin", "password": _PASSWORD}
        self.key = ""
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start the server and return once it answers."""
        folder = self._folder
        (folder / "config").mkdir(parents=True, exist_ok=True)
        (folder / "components").mkdir(exist_ok=True)
        where = ["--host", "127.0.0.1", "--port", str(self.port)]
        quiet = ["--no-open-browser", *([] if self._frontend else ["--backend-only"])]
        command = [str(self._python), "-W", "ignore", "-m", self.package, "run", *quiet, *where]
        with open(folder / "server.txt", "ab") as log:
            self._process = subprocess.Popen(
                command, env=self._environment(), cwd=folder, stdin=subprocess.DEVNULL,
                stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip
        self._wait()
        if not self.key:
            self.key = self._make_key()

    def kill(self, number: int = signal.SIGKILL) -> None:
        """Send a signal to all processes of the server and return once none is left."""
        if self._process is None:
            return
        group, self._process = self._process, None
        with suppress(*_GROUP_END):
            os.killpg(group.pid, number)
        end = time.monotonic() + _STOP_SECONDS
        with suppress(*_GROUP_END):
            while True:
                if os.waitpid(-group.pid, os.WNOHANG) != (0, 0):
                    continue
                if time.monotonic() > end:
                    os.killpg(group.pid, signal.SIGKILL)
                time.sleep(0.01)
        group.returncode = -number

    def stop(self) -> None:
        """End the server as a user would, and for good if that takes too long."""
        self.kill(signal.SIGTERM)

    def children(self, command: str) -> list[int]:
        """Return the ids of those processes of the server that run exactly this command line."""
        return self._found("-fx", re.escape(command))

    def plugins(self, name: str) -> list[int]:
        """Return the ids of the running plug-ins called *name* that the server has started."""
        found = [plugins(pid) for pid in self._found("")]
        return [pid for each in found for pid, called in each.items() if called == name]

    def _found(self, *pattern: str) -> list[int]:
        assert self._process is not None
        done = subprocess.run(
            ["pgrep", "-s", str(self._process.pid), *pattern],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        return [int(pid) for pid in done.stdout.split()]

    def api(self, method: str, path: str, body: Any = None) -> Any:
        """Return the JSON answer of the API; anything but success is an error."""
        answer = httpx.request(
            method, f"{self.base}/api/v1{path}", json=body, timeout=120,
            headers={"x-api-key": self.key},
        )  # fmt: skip
        assert answer.is_success, f"{method} {path}: {answer.status_code} {answer.text[:500]}"
        return answer.json()

    def component(self, code: str) -> dict[str, Any]:
        """Return the node of a component that the host makes of *code*."""
        found: dict[str, Any] = self.api("POST", "/custom_component", {"code": code})["data"]
        return found

    def built_in(self, category: str, name: str) -> dict[str, Any]:
        """Return the node of a component that the host has."""
        return deepcopy(self._components[category][name])

    def template(self, name: str) -> dict[str, Any]:
        """Return the inputs of the component of that name, {} of one that the host does not have.

        A node without anything to fill in, such as a note, has none.
        """
        for components in self._components.values():
            if name in components:
                found: dict[str, Any] = components[name]["template"]
                return found
        return {}

    @cached_property
    def _components(self) -> dict[str, dict[str, Any]]:
        """All components by category; what is in their folders does not change while it runs."""
        found: dict[str, dict[str, Any]] = self.api("GET", "/all")
        return found

    def flow(
        self,
        name: str,
        nodes: Mapping[str, dict[str, Any]],
        edges: Sequence[tuple[str, str, str, str]] = (),
    ) -> str:
        """Make a flow and return the URL of its run endpoint."""
        self.make(name, nodes, edges)
        return f"{self.base}/api/v1/run/{name}"

    def make(
        self,
        name: str,
        nodes: Mapping[str, dict[str, Any]],
        edges: Sequence[tuple[str, str, str, str]] = (),
    ) -> str:
        """Make a flow and return its id.

        *nodes* maps ids such as Webhook-a to nodes, *edges* are (source, output, target, input).
        """
        data = {
            "nodes": [_node(id, node) for id, node in nodes.items()],
            "edges": [_edge(nodes, *edge) for edge in edges],
            "viewport": {"x": 0, "y": 0, "zoom": 1},
        }
        made = self.api("POST", "/flows/", {"name": name, "endpoint_name": name, "data": data})
        assert made["endpoint_name"] == name
        return str(made["id"])

    def upload(self, flow: Mapping[str, Any]) -> str:
        """Import a flow as the page does with its JSON file, and return its id."""
        file = ("flow.json", json.dumps(flow).encode(), "application/json")
        answer = httpx.post(
            f"{self.base}/api/v1/flows/upload/", files={"file": file}, timeout=60,
            headers={"x-api-key": self.key},
        )  # fmt: skip
        assert answer.is_success, answer.text[:500]
        (made,) = answer.json()
        return str(made["id"])

    def empty_flow(self, name: str) -> str:
        """Make a flow without nodes and return its id."""
        data = {"nodes": [], "edges": [], "viewport": {"x": 0, "y": 0, "zoom": 1}}
        return str(self.api("POST", "/flows/", {"name": name, "data": data})["id"])

    def _environment(self) -> dict[str, str]:
        folder = self._folder
        settings = {
            "CONFIG_DIR": folder / "config",
            "DATABASE_URL": f"sqlite:///{folder}/{self.package}.db",
            "COMPONENTS_PATH": ",".join(map(str, self._folders)),
            "LOG_FILE": folder / f"{self.package}.log",
            "LOG_LEVEL": "critical",
            "AUTO_LOGIN": "false",
            "SUPERUSER": "admin",
            "SUPERUSER_PASSWORD": _PASSWORD,
            "WORKERS": 1,
            "DEACTIVATE_TRACING": "true",
            "STORE": "false",
            "STORE_ENVIRONMENT_VARIABLES": "false",
            "DO_NOT_TRACK": "true",
            "OPEN_BROWSER": "false",
        }
        return {
            "PATH": f"{self._python.parent}:/usr/local/bin:/usr/bin:/bin",
            "HOME": str(folder),
            "LANG": "C.UTF-8",
            "DO_NOT_TRACK": "true",
            **{f"{self.package.upper()}_{name}": str(value) for name, value in settings.items()},
            **self._added,
        }

    def _wait(self) -> None:
        assert self._process is not None
        end = time.monotonic() + START_SECONDS
        while time.monotonic() < end:
            said = (self._folder / "server.txt").read_text("utf-8", "replace")[-3000:]
            assert self._process.poll() is None, f"{self.package} ended while starting:\n{said}"
            with suppress(httpx.TransportError):
                if httpx.get(f"{self.base}/health", timeout=5).is_success:
                    return
            time.sleep(0.1)
        raise AssertionError(f"{self.package} did not answer within {START_SECONDS:g} s:\n{said}")

    def _make_key(self) -> str:
        token = httpx.post(f"{self.base}/api/v1/login", data=self.login, timeout=60).json()
        answer = httpx.post(
            f"{self.base}/api/v1/api_key/", json={"name": "tests"}, timeout=60,
            headers={"Authorization": f"Bearer {token['access_token']}"},
        )  # fmt: skip
        return str(answer.json()["api_key"])


class Langflow(Host):
    """Langflow, as Host is KozmoAI."""

    package = "langflow"

    def template(self, name: str) -> dict[str, Any]:
        """As of KozmoAI; the folder that a name begins with may be left out."""
        names = [each for components in self._components.values() for each in components]
        found = (each for each in names if f":{name}@" in each)
        return super().template(next(found, name))


@contextmanager
def running(
    folder: Path,
    python: Path,
    *,
    frontend: bool = False,
    components: Sequence[Path] = (),
    environment: Mapping[str, str] | None = None,
    kind: type[Host] = Host,
) -> Iterator[Host]:
    """Run a server of the environment of *python*, its files in *folder*; see Host."""
    host = kind(folder, python, frontend=frontend, components=components, environment=environment)
    try:
        host.start()
        yield host
    finally:
        host.stop()


def _node(id: str, node: dict[str, Any]) -> dict[str, Any]:
    kind = id.partition("-")[0]
    return {
        "id": id,
        "type": "genericNode",
        "position": {"x": 0, "y": 0},
        "data": {"id": id, "type": kind, "node": node},
    }


def _edge(
    nodes: Mapping[str, dict[str, Any]], source: str, output: str, target: str, field: str
) -> dict[str, Any]:
    (types,) = (o["types"] for o in nodes[source]["outputs"] if o["name"] == output)
    taken = nodes[target]["template"][field]
    start = {"dataType": source.partition("-")[0], "id": source, "name": output,
             "output_types": types}  # fmt: skip
    end = {"fieldName": field, "id": target, "inputTypes": taken.get("input_types") or [],
           "type": taken["type"]}  # fmt: skip
    return {
        "id": f"{source}-{target}",
        "source": source,
        "target": target,
        "sourceHandle": _handle(start),
        "targetHandle": _handle(end),
        "data": {"sourceHandle": start, "targetHandle": end},
    }


def _handle(value: Any) -> str:
    """The host writes JSON with another letter for the quotes."""
    return json.dumps(value, separators=(",", ":")).replace('"', "œ")
