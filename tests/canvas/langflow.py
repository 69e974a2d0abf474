"""The canvas of Langflow, as far as it is another one than that of KozmoAI."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from playwright.sync_api import Locator

from .node import RUN_SECONDS, Node
from .page import Canvas, Refused

_RUN = "/api/v2/workflows"


class LangflowNode(Node):
    """A node; the page says nothing where a run goes well."""

    def run(self, seconds: float = RUN_SECONDS) -> str:
        """Run it to its end; Refused tells its error."""
        before = len(self.canvas.messages())
        with self.canvas.page.expect_event(
            "requestfinished",
            lambda sent: sent.method == "POST" and sent.url.endswith(_RUN),
            timeout=seconds * 1000,
        ):
            self.element.get_by_test_id(f"button_run_{self.title.lower()}").click()
        self.canvas.settle()
        ran = self.element.get_by_test_id("node_duration_label")
        failed = self.canvas.page.locator(".error-build-message").first
        ran.or_(failed).wait_for()
        told = self.canvas.messages()[before:]
        if told:
            raise Refused(told[0][1])
        return ""

    @contextmanager
    def _dialog(self) -> Iterator[Locator]:
        dialog = self.canvas.page.locator("[role=dialog]:not(.ag-tooltip)")
        dialog.wait_for()
        yield dialog
        dialog.get_by_role("button", name="Close").first.click()
        dialog.wait_for(state="detached")


class LangflowCanvas(Canvas):
    """The page of one flow."""

    node_class = LangflowNode

    def fit(self) -> None:
        """Make all nodes seen, none larger than it is made."""
        page = self.page
        page.get_by_test_id("canvas_controls_dropdown").click()
        page.get_by_test_id("fit_view").click()
        if not page.get_by_test_id("reset_zoom").is_visible():
            page.get_by_test_id("canvas_controls_dropdown").click()
        if self.zoom > 1:
            page.get_by_test_id("reset_zoom").click()
        page.keyboard.press("Escape")
        page.get_by_test_id("fit_view").wait_for(state="detached")
        self.settle()

    @contextmanager
    def _asking(self, templates: Iterable[dict[str, Any]]) -> Iterator[None]:
        # This page asks nothing on its own account.
        yield
        self.settle()
