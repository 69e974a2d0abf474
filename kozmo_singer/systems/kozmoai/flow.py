"""Handing rows to a flow of a running KozmoAI, and knowing that it took them.

Learned from the host (kozmoai-base 0.1.8.post1), and the reason for most of what follows:
- The webhook endpoint answers 202 before the flow runs; only the run endpoint waits for it.
- The run endpoint ignores a tweak for a component that the flow does not have and answers 200.
  So the flow is read first, and each answer must show that the component has run.
- The host turns the two characters backslash and n of any text value into a newline, which would
  break the JSON within; see `unescapable`.
- A tweak loses against an edge into the same field, a frozen component keeps its old result, and
  values of inputs with config or kwargs in their name are parsed once more.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar
from urllib.parse import quote

import msgspec

from kozmo_singer.errors import ConfigError, ConnectError, WriteError
from kozmo_singer.settings import did_you_mean
from kozmo_singer.systems.retry_after import retry_after
from kozmo_singer.systems.tls import is_local, warn_of

if TYPE_CHECKING:
    import httpx

_PATHS = re.compile(
    r"(?P<base>https?://[^?#]+?)/(?:api/v1/(?:run|webhook)|flow)/(?P<flow>[^/?#]+)(?:[/?#].*)?"
)
_FIELDS = {"Webhook": "data", "TextInput": "input_value", "ChatInput": "input_value"}
_MAX_REASON = 300
Answer = TypeVar("Answer", dict[str, Any], list[dict[str, Any]])


class Input(NamedTuple):
    """Where rows go in: a component of the flow, by its id, and the name of one of its fields."""

    component: str
    field: str


class _Temporary(Exception):
    """What may go well the next time; *after* is how long the host asks to wait, in seconds."""

    def __init__(self, error: Exception, after: float | None = None) -> None:
        super().__init__(str(error))
        self.error, self.after = error, after


class Flow:
    """A flow of a running KozmoAI.

    *url* is that of its run endpoint, of its webhook, or of its page on the canvas. *component*
    (id or display name) and *field* name the input; by default the field `data` of the Webhook.
    *stopped* tells whether to give up waiting for another try.
    """

    def __init__(
        self,
        url: str,
        api_key: str | None = None,
        *,
        component: str | None = None,
        field: str | None = None,
        timeout: float = 300.0,
        retries: int = 4,
        stopped: Callable[[], bool] = lambda: False,
    ) -> None:
        match = _PATHS.fullmatch(url.strip())
        if match is None:
            raise ConfigError(
                f"flow_url '{_without_secrets(url)}' is not the URL of a flow",
                "such as http://127.0.0.1:7860/api/v1/run/FLOW, or the flow's page on the canvas",
            )
        self.base, self.flow = match["base"], match["flow"]
        self._place = _without_secrets(self.base)
        self._key, self._component, self._field = api_key, component, field
        self._timeout, self._retries, self._stopped = timeout, retries, stopped
        self._opened: httpx.Client | None = None
        self._input: Input | None = None

    def describe(self) -> str:
        """Return one line about the host, the flow and its input; raise where one is not there."""
        version = self._ask("/api/v1/version", dict).get("version", "?")
        flow = self._flow()
        target = self._find_input(flow)
        return (
            f"KozmoAI {version} at {self._place}, flow '{flow.get('name')}', "
            f"rows go into {target.component}.{target.field}"
        )

    def run(self, payload: bytes) -> None:
        """Run the flow with *payload*, JSON, as its input; return once it has run to its end.

        WriteError says what went wrong. After a failed try the same payload is sent again, so a
        flow may see it twice.
        """
        if self._input is None:
            self._input = self._find_input(self._flow())
        target = self._input
        value = {"value": unescapable(payload).decode(), "load_from_db": False}
        body = {
            "input_type": "any",
            "output_type": "any",
            "output_component": target.component,
            "tweaks": {target.component: {target.field: value}},
        }
        answer = self._tried(
            "POST", f"/api/v1/run/{self.flow}?stream=false", msgspec.json.encode(body)
        )
        if target.component not in _components_run(answer):
            raise WriteError(
                f"the flow {self.flow} ran without its component {target.component}",
                "KozmoAI starts at the Webhook, else at the Chat Input, and runs what follows it",
                "take that component as input_component, or connect yours to it",
            )

    def close(self) -> None:
        """Close the connections."""
        if self._opened is not None:
            self._opened.close()

    def _flow(self) -> dict[str, Any]:
        if re.fullmatch(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", self.flow):
            return self._ask(f"/api/v1/flows/{self.flow}", dict)
        known = self._ask("/api/v1/flows/?get_all=true&header_flows=true", list)
        for flow in known:
            if flow.get("endpoint_name") == self.flow:
                return self._ask(f"/api/v1/flows/{quote(str(flow['id']), safe='')}", dict)
        names = [f["endpoint_name"] for f in known if f.get("endpoint_name")]
        raise ConfigError(
            f"KozmoAI at {self._place} has no flow '{self.flow}' for this API key",
            *did_you_mean(self.flow, names),
        )

    def _find_input(self, flow: Mapping[str, Any]) -> Input:
        graph = flow.get("data") or {}
        nodes = {str(node["id"]): node.get("data") or {} for node in graph.get("nodes") or ()}
        component = self._find_component(nodes)
        node = nodes[component].get("node") or {}
        field = self._field or _FIELDS.get(str(nodes[component].get("type")), "input_value")
        fields = {
            name: value
            for name, value in (node.get("template") or {}).items()
            if isinstance(value, dict) and value.get("type") == "str" and name != "code"
        }
        if field not in fields:
            raise ConfigError(
                f"component {component} of the flow has no text input '{field}'",
                *did_you_mean(field, fields),
                f"it has: {', '.join(fields) or 'none'}; name one by the setting input_field",
            )
        trouble = _trouble(component, field, node, graph.get("edges") or ())
        if trouble:
            raise ConfigError(f"the flow would not take rows at {component}.{field}", trouble)
        return Input(component, field)

    def _find_component(self, nodes: Mapping[str, Any]) -> str:
        named = {
            id: str((data.get("node") or {}).get("display_name")) for id, data in nodes.items()
        }
        wanted = self._component
        if wanted is None:
            found = [id for id, data in nodes.items() if data.get("type") == "Webhook"]
        else:
            found = [id for id in named if id == wanted]
            found = found or [id for id, name in named.items() if name == wanted]
        if len(found) == 1:
            return found[0]
        what = "Webhook" if wanted is None else f"component '{wanted}'"
        have = f"it has: {', '.join(named) or 'no components'}"
        if found:
            raise ConfigError(f"the flow has {len(found)} components called {what}", have)
        raise ConfigError(
            f"the flow {self.flow} has no {what}",
            *did_you_mean(wanted or "Webhook", [*named, *named.values()]),
            have,
            "name the one that takes the rows by the setting input_component",
        )

    def _ask(self, path: str, kind: type[Answer]) -> Answer:
        answer = self._tried("GET", path, None)
        if not isinstance(answer, kind):
            raise ConnectError(f"{self._place} does not answer like KozmoAI", f"GET {path}")
        return answer

    def _tried(self, method: str, path: str, body: bytes | None) -> Any:
        """Send the request until it is answered for good, with growing pauses in between."""
        import tenacity

        pause = tenacity.wait_exponential_jitter(initial=0.5, max=30, jitter=0.5)

        def wait(state: tenacity.RetryCallState) -> float:
            error = state.outcome.exception() if state.outcome else None
            after = error.after if isinstance(error, _Temporary) else None
            return pause(state) if after is None else min(after, 300.0)

        retrying = tenacity.Retrying(
            retry=tenacity.retry_if_exception_type(_Temporary),
            stop=lambda state: state.attempt_number > self._retries or self._stopped(),
            wait=wait,
            sleep=self._sleep,
            reraise=True,
        )
        try:
            return retrying(self._send, method, path, body)
        except _Temporary as failure:
            raise failure.error from failure.__cause__

    def _sleep(self, seconds: float) -> None:
        import time

        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0 and not self._stopped():
            time.sleep(min(left, 0.2))

    def _send(self, method: str, path: str, body: bytes | None) -> Any:
        import httpx

        try:
            answer = self._client().request(method, self.base + path, content=body)
        except httpx.ReadTimeout as error:
            # It may still be running: to send the rows again would have them handled twice at once.
            raise WriteError(
                f"the flow {self.flow} was not done after {self._timeout:g} seconds",
                "raise the setting timeout, or lower batch_size_rows",
            ) from error
        except httpx.TransportError as error:
            reason = str(error) or type(error).__name__
            failure = ConnectError(f"cannot reach KozmoAI at {self._place}", reason)
            raise _Temporary(failure) from error
        if answer.status_code == 429 or answer.status_code >= 500:
            raise _Temporary(self._refused(answer), retry_after(answer.headers.get("retry-after")))
        if answer.status_code != 200:
            raise self._refused(answer)
        try:
            return msgspec.json.decode(answer.content)
        except msgspec.DecodeError as error:
            raise ConnectError(
                f"{self._place} does not answer like KozmoAI", f"{method} {path}: no JSON"
            ) from error

    def _refused(self, answer: httpx.Response) -> Exception:
        status, reason = answer.status_code, _reason(answer)
        if status in (401, 403):
            return ConnectError(
                f"KozmoAI at {self._place} refuses the API key ({status})",
                reason,
                "make a key under Settings, KozmoAI API Keys, and give it as the setting api_key",
            )
        if status == 404:
            return ConfigError(
                f"KozmoAI at {self._place} has no flow '{self.flow}' for this API key", reason
            )
        if answer.request.method == "POST":
            return WriteError(f"the flow {self.flow} failed ({status})", reason)
        return ConnectError(f"KozmoAI at {self._place} answers {status}", reason)

    def _client(self) -> httpx.Client:
        if self._opened is None:
            import logging

            import httpx

            # It would tell of every request, at the level of our own messages.
            logging.getLogger("httpx").setLevel(logging.WARNING)
            headers = {"content-type": "application/json"}
            if self._key:
                headers["x-api-key"] = self._key
            url = httpx.URL(self.base)
            if url.scheme == "http" and not is_local(url.host):
                warn_of(f"the API key and all rows go in the clear to {self._place}; use https")
            timeout = httpx.Timeout(self._timeout, connect=min(self._timeout, 10.0))
            self._opened = httpx.Client(headers=headers, timeout=timeout)
        return self._opened


def unescapable(json_text: bytes) -> bytes:
    r"""Return the same JSON without the two characters \n, which the host takes for a newline.

    A newline is written \u000a, and a backslash \u005c so that none stands before an n.
    """
    return json_text.replace(rb"\\", rb"\u005c").replace(rb"\n", rb"\u000a")


def _without_secrets(url: str) -> str:
    """Return *url* without a login and without its query, which may hold an API key."""
    return re.sub(r"//[^/@]*@", "//", url.partition("?")[0])


def _trouble(component: str, field: str, node: Mapping[str, Any], edges: Any) -> str | None:
    """Why the host would run the flow and leave our value out."""
    if node.get("frozen"):
        return "the component is frozen: it would give its old result again"
    if not node["template"][field].get("show", True):
        return "the input is hidden: the host leaves hidden inputs out"
    if "config" in field or "kwargs" in field:
        return "the host parses values of inputs with config or kwargs in their name; rename it"
    for edge in edges:
        handle = (edge.get("data") or {}).get("targetHandle") or {}
        if edge.get("target") == component and handle.get("fieldName") == field:
            return f"the input is connected to {edge.get('source')}, whose output would be taken"
    return None


def _components_run(answer: Any) -> set[str]:
    found = set()
    for run in answer.get("outputs") or () if isinstance(answer, dict) else ():
        for output in run.get("outputs") or ():
            if isinstance(output, dict):
                found.add(str(output.get("component_id")))
    return found


def _reason(answer: httpx.Response) -> str:
    """What the host says of an error: a sentence, JSON, or JSON as text within JSON."""
    detail: Any = answer.text
    for _ in range(3):
        if isinstance(detail, str):
            try:
                detail = msgspec.json.decode(detail)
            except msgspec.DecodeError:
                break
        if isinstance(detail, dict):
            detail = detail.get("detail", detail.get("message", ""))
        elif isinstance(detail, list) and detail:
            detail = detail[0]
    text = " ".join(str(detail).split())
    return text if len(text) <= _MAX_REASON else text[: _MAX_REASON - 3] + "..."
