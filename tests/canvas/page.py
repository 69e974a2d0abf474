"""The browser and the page of one flow."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Locator, Page, Playwright
from playwright.sync_api import TimeoutError as TookTooLong

from browser import chromium
from servers.kozmoai import Host

from .node import REFRESH, Node

WIDTH, HEIGHT = 1600, 1200
"""A node of twelve fields is seen whole."""
WAIT_SECONDS = 15.0
LOAD_SECONDS = 60.0

# The host's messages slide away after five seconds; this keeps what a user could have read.
_LISTEN = """
window.said = [];
new MutationObserver(changes => {
  const kinds = {success: ".success-alert", error: ".error-build-message"};
  for (const change of changes) for (const node of change.addedNodes) {
    if (!node.querySelectorAll) continue;
    for (const [kind, name] of Object.entries(kinds))
      for (const found of node.matches(name) ? [node] : node.querySelectorAll(name))
        window.said.push([kind, found.innerText]);
  }
}).observe(document, {childList: true, subtree: true});
"""
_ALERTS = ".app-div .nodelete"
_IDS = "() => [...document.querySelectorAll('.react-flow__node')].map(node => node.dataset.id)"
_ZOOM = "pane => new DOMMatrix(getComputedStyle(pane).transform).a"
_MORE = "count => document.querySelectorAll('.react-flow__node').length > count"
_FRAMES = "() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))"
# A picture for the docs shows no path of the machine that made it; the page keeps its values.
_SHORT = """
() => document.querySelectorAll("input").forEach(one => {
  if (!one.value.startsWith("/")) return;
  one.dataset.whole = one.value;
  one.value = one.value.replace(/.*[/]/, "");
})
"""
_WHOLE = """
() => document.querySelectorAll("input[data-whole]").forEach(one => {
  one.value = one.dataset.whole;
  delete one.dataset.whole;
})
"""
_names = (f"canvas {number}" for number in itertools.count(1))


class Refused(AssertionError):
    """The page told an error; this is the text that a user reads."""


def launch(playwright: Playwright) -> Browser:
    """Start Debian's Chromium, which reaches no other machine."""
    arguments = ["--no-sandbox", "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1"]
    return playwright.chromium.launch(executable_path=chromium(), args=arguments)


def logged_in(browser: Browser, host: Host) -> BrowserContext:
    """Return a fresh profile of the browser in which the superuser is logged in.

    The request is the login page's own; its cookies are all that the other pages look for.
    """
    size = {"width": WIDTH, "height": HEIGHT}
    context = browser.new_context(viewport=size, base_url=host.base)  # type: ignore[arg-type]  # a TypedDict of theirs
    context.set_default_timeout(WAIT_SECONDS * 1000)
    context.add_init_script(_LISTEN)
    assert context.request.post("/api/v1/login", form=host.login).ok
    # A new page asks KozmoAI's store, which is on the Internet, four times within eight seconds;
    # each failure takes the Stop button from a flow that runs.
    context.route("**/api/v1/store/tags", lambda asked: asked.fulfill(json=[]))
    return context


class Canvas:
    """The page of one flow."""

    node_class: type[Node] = Node

    def __init__(self, page: Page, host: Host) -> None:
        self.page, self.host, self.flow = page, host, ""

    def open(self, flow: str | None = None) -> Canvas:
        """Open the flow of that id, or a new empty one; it can be used then."""
        self.flow = flow or self.host.empty_flow(next(_names))
        nodes = self.host.api("GET", f"/flows/{self.flow}")["data"]["nodes"]
        with self._asking([node["data"]["node"].get("template", {}) for node in nodes]):
            self.page.goto(f"/flow/{self.flow}")
            self._search.wait_for(timeout=LOAD_SECONDS * 1000)
            self._pane.wait_for()
        return self

    def search(self, text: str) -> list[str]:
        """Type *text* into the sidebar and return the names of the components it shows then."""
        nothing = self.page.get_by_text("No components found.")
        self._search.fill("")
        self._entries.first.or_(nothing).wait_for(state="hidden")
        self._search.fill(text)
        self._entries.first.or_(nothing).wait_for()
        return [name.split("\n")[0] for name in self._entries.all_inner_texts()]

    def drag(self, name: str, at: tuple[float, float] = (60, 60)) -> Node:
        """Search the component called *name*, drag it onto the canvas, return its node.

        *at* is where its upper left corner comes to lie, in pixels of what is seen of the canvas.
        """
        shown = self.search(name)
        assert name in shown, f"a search for {name} shows {shown}"
        before = self._ids()
        place = {"x": at[0], "y": at[1]}
        entry = self._entries.nth(shown.index(name))
        kind = entry.locator("..").get_attribute("data-tooltip-id") or ""
        with self._asking([self.host.template(kind)]):
            entry.drag_to(self._pane, target_position=place)  # type: ignore[arg-type]  # a TypedDict of theirs
            self.page.wait_for_function(_MORE, arg=len(before))
        (made,) = set(self._ids()) - set(before)
        self.fit()
        self.settle()
        return self.node_class(self, made)

    def nodes(self) -> list[Node]:
        """Return all nodes, in the order in which they came."""
        return [self.node_class(self, id) for id in self._ids()]

    def node(self, name: str) -> Node:
        """Return the one node of that title."""
        (found,) = (node for node in self.nodes() if node.title == name)
        return found

    def connect(self, source: Node, output: str, target: Node, field: str) -> None:
        """Draw an edge between two ports, by the names that output and input have in the code."""
        edges = self.page.locator(".react-flow__edge")
        before = edges.count()
        self.fit()
        source.port("name", output).drag_to(target.port("fieldName", field))
        edges.nth(before).wait_for(state="attached")

    def stop(self) -> str:
        """Press Stop while a flow runs and return what the page says to it."""
        before = len(self.messages())
        self.page.get_by_test_id("stop_building_button").click()
        return self.message(before)[1]

    def messages(self) -> list[tuple[str, str]]:
        """Return what the page told so far: ("success" or "error", text)."""
        return [(kind, text) for kind, text in self.page.evaluate("window.said")]

    def message(self, after: int, seconds: float = WAIT_SECONDS) -> tuple[str, str]:
        """Wait until the page has told more than *after* messages and return the next one."""
        try:
            enough = "count => window.said.length > count"
            self.page.wait_for_function(enough, arg=after, timeout=seconds * 1000)
        except TookTooLong as error:
            raise AssertionError(f"the page told nothing for {seconds:g} s") from error
        return self.messages()[after]

    def load(self, path: Path) -> None:
        """Import a flow's JSON file by the menu; its nodes come into the flow that is open.

        A file that is dropped onto the list of flows is taken twice by the page, and the second
        time it is told to be there already.
        """
        nodes = json.loads(path.read_text("utf-8"))["data"]["nodes"]
        before = len(self._ids()), len(self.messages())
        with self._asking([node["data"]["node"].get("template", {}) for node in nodes]):
            self.page.get_by_test_id("flow_menu_trigger").click()
            with self.page.expect_file_chooser() as asked:
                self.page.get_by_test_id("menu_import_flow_button").click()
            asked.value.set_files(path)
            if nodes:
                self.page.wait_for_function(_MORE, arg=before[0] + len(nodes) - 1)
        kind, text = self.message(before[1])
        assert kind == "success", text
        self.fit()

    def saved(self) -> dict[str, Any]:
        """Save the flow by the keyboard and return it as the server holds it then."""
        self.settle()
        stored = f"/flows/{self.flow}"
        with self.page.expect_response(
            lambda told: told.url.endswith(stored) and told.request.method == "PATCH"
        ) as told:
            self.page.keyboard.press("Control+s")
        assert told.value.ok, told.value.text()
        found: dict[str, Any] = self.host.api("GET", stored)
        return found

    def fit(self) -> None:
        """Make all nodes seen, none larger than it is made.

        The events are sent since the page's messages cover the buttons.
        """
        self.page.get_by_test_id("fit_view").dispatch_event("click")
        self.settle()
        while self.zoom > 1.001:
            self.page.get_by_test_id("zoom_out").dispatch_event("click")
            self.settle()

    @property
    def zoom(self) -> float:
        """How large the nodes are shown."""
        return float(self.page.locator(".react-flow__viewport").evaluate(_ZOOM))

    def screenshot(self, path: Path, *, messages: bool = False) -> Path:
        """Take a picture of the page with all nodes in it, and with its messages if asked."""
        self.fit()
        if not messages:
            self.dismiss()
        with self.short_paths():
            self.page.screenshot(path=path)
        return path

    @contextmanager
    def short_paths(self) -> Iterator[None]:
        """Have inputs show of a path only what it ends with."""
        self.page.evaluate(_SHORT)
        yield
        self.page.evaluate(_WHOLE)

    def dismiss(self) -> None:
        """Click all messages away; the page does not tell again what it still shows."""
        self.page.locator(_ALERTS).evaluate_all("all => all.forEach(one => one.click())")
        self.page.wait_for_function(f"() => !document.querySelector('{_ALERTS}')")

    def settle(self) -> None:
        """Let the page draw what it knows by now."""
        self.page.evaluate(_FRAMES)

    @contextmanager
    def _asking(self, templates: Iterable[dict[str, Any]]) -> Iterator[None]:
        """Wait for what the page asks of the components of new nodes on its own account.

        It does so for each input with a refresh and no options, and its one debounce lets the last
        one through. The answer overwrites what was filled in meanwhile.
        """
        if any(_asks(field) for template in templates for field in template.values()):
            with self.page.expect_event("requestfinished", lambda sent: REFRESH in sent.url):
                yield
        else:
            yield
        self.settle()

    def _ids(self) -> list[str]:
        found: list[str] = self.page.evaluate(_IDS)
        return found

    @property
    def _search(self) -> Locator:
        return self.page.get_by_test_id("sidebar-search-input")

    @property
    def _entries(self) -> Locator:
        return self.page.get_by_test_id("shad-sidebar").locator("[draggable=true]")

    @property
    def _pane(self) -> Locator:
        return self.page.locator(".react-flow__pane")


def _asks(field: Any) -> bool:
    """Tell whether the page refreshes this input of a new node without being told to."""
    if not isinstance(field, dict) or not field.get("show") or field.get("advanced"):
        return False
    return bool(field.get("real_time_refresh") or field.get("refresh_button")) and not field.get(
        "options"
    )
