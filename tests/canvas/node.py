"""A component on the canvas."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from playwright.sync_api import Locator, Request

from .fields import Field, upload
from .grids import Grid

if TYPE_CHECKING:
    from .page import Canvas

RUN_SECONDS = 60.0
REFRESH = "/custom_component/update"


@dataclass(frozen=True)
class Shown:
    """What an output's dialog shows: rows of a table, else a text."""

    rows: list[dict[str, str]]
    text: str


class Running:
    """A run that was started."""

    def __init__(self, canvas: Canvas, before: int, request: Request) -> None:
        self._canvas, self._before, self._request = canvas, before, request

    def wait(self, seconds: float = RUN_SECONDS) -> str:
        """Wait for its end and return the page's words of success; Refused tells its error."""
        from .page import Refused

        kind, text = self._canvas.message(self._before, seconds)
        # Until the page has read the whole answer it takes no other run, without a word.
        answer = self._request.response()
        if answer is not None and not self._request.failure:
            answer.finished()
        self._canvas.settle()
        if kind == "error":
            raise Refused(text)
        return text


class Node:
    """A node, by its id in the flow."""

    def __init__(self, canvas: Canvas, id: str) -> None:
        self.canvas, self.id = canvas, id
        self.element = canvas.page.locator(f'.react-flow__node[data-id="{id}"]')

    @property
    def kind(self) -> str:
        """The name of its component in the code."""
        # Langflow says which folder it is from: ext:data:DatabaseLoader@extra-aaaaa.
        return self.id.rpartition("-")[0].rpartition(":")[2].partition("@")[0]

    @property
    def title(self) -> str:
        """What it is called on the canvas."""
        return self.element.get_by_test_id(re.compile("^title-")).first.inner_text()

    @property
    def labels(self) -> list[str]:
        """The labels of the inputs that it shows, from top to bottom."""
        return self.element.get_by_test_id(re.compile("^title-")).all_inner_texts()[1:]

    def get(self, name: str) -> Any:
        """Return what the input shows: a text, True or False, a list of choices."""
        with self._field(name) as field:
            return field.get()

    def set(self, name: str, value: Any, *, refresh: bool | None = None) -> None:
        """Fill in an input, an advanced one in the dialog of all fields.

        Where the component answers to it, that is waited for; *refresh* tells it of an input that
        the component made as it ran.
        """
        if refresh is None:
            known = self.canvas.host.template(self.kind).get(name, {})
            refresh = bool(known.get("real_time_refresh"))
        with self._field(name) as field:
            if refresh and field.get() != value:
                with self.refreshed():
                    field.set(value)
            else:
                field.set(value)

    def options(self, name: str) -> list[str]:
        """Return what a dropdown offers, each with what stands below it."""
        return Field(self.element, name).options()

    def press(self, name: str) -> None:
        """Use a toggle as the button that it is: until the component has answered."""
        with self.refreshed():
            Field(self.element, name).element.click()

    def refresh(self, name: str) -> None:
        """Press the button beside an input that asks the component anew."""
        with self.refreshed():
            self.element.get_by_test_id(f"refresh-button-{name}").click()

    @contextmanager
    def refreshed(self) -> Iterator[None]:
        """Wait until the component has answered to what is done within; Refused tells its error."""
        from .page import Refused

        before = len(self.canvas.messages())
        page = self.canvas.page
        with page.expect_event("requestfinished", lambda sent: REFRESH in sent.url) as asked:
            yield
        answer = asked.value.response()
        if answer is None or not answer.ok:
            raise Refused(self.canvas.message(before)[1])
        self.canvas.settle()

    @contextmanager
    def table(self, name: str) -> Iterator[Grid]:
        """Open a table input, to read and to edit it."""
        Field(self.element, name).element.get_by_role("button").click()
        with self._dialog() as dialog:
            yield Grid(dialog)

    def upload(self, path: Path) -> None:
        """Choose a file in the node's file input."""
        upload(self.element, path)

    def start(self) -> Running:
        """Press the node's own play button: it runs, and what it depends on."""
        self.canvas.dismiss()
        before = len(self.canvas.messages())
        with self.canvas.page.expect_request(re.compile(r"/build/[^/]+/flow")) as request:
            self.element.get_by_test_id(re.compile("^button_run_")).click()
        return Running(self.canvas, before, request.value)

    def run(self, seconds: float = RUN_SECONDS) -> str:
        """Run it to its end and return the page's words of success; Refused tells its error."""
        return self.start().wait(seconds)

    def output(self, name: str) -> Shown:
        """Return what the dialog of an output shows after a run.

        The host shows a list, Data, a DataFrame and a Message as a table, a text of the status and
        an error with its traceback as text.
        """
        with self.inspecting(name) as dialog:
            grid, text = dialog.get_by_role("treegrid"), dialog.locator("textarea")
            empty = dialog.get_by_text("NO OUTPUT")
            grid.or_(text).or_(empty).wait_for()
            if grid.count():
                return Shown(Grid(dialog).rows, "")
            return Shown([], text.input_value() if text.count() else "")

    def log(self, name: str) -> list[dict[str, str]]:
        """Return the log that belongs to an output: name, message, type."""
        with self.inspecting(name) as dialog:
            dialog.get_by_role("tab", name="Logs").click()
            return Grid(dialog).rows

    @contextmanager
    def inspecting(self, name: str) -> Iterator[Locator]:
        """Open the dialog of an output, as for a picture."""
        button = f"output-inspection-{name}-{self.kind}".lower()
        self.element.get_by_test_id(button).first.click()
        with self._dialog() as dialog:
            dialog.get_by_role("tab", name="Logs").wait_for()
            yield dialog

    @contextmanager
    def controls(self) -> Iterator[Locator]:
        """Open the dialog of all fields, where the advanced ones are."""
        self.select()
        self.canvas.page.get_by_test_id("edit-button-modal").click()
        with self._dialog() as dialog:
            yield dialog

    def select(self) -> None:
        """Click its head, so that its toolbar is shown."""
        self.element.get_by_test_id("generic-node-desc").click()

    def port(self, key: str, name: str) -> Locator:
        """Return the port that an edge begins (key: name) or ends at (key: fieldName)."""
        return self.element.locator(f'.react-flow__handle[data-handleid*="œ{key}œ:œ{name}œ"]').first

    def screenshot(self, path: Path) -> Path:
        """Take a picture of the node alone, as large as it is made."""
        page, size = self.canvas.page, self.canvas.page.viewport_size
        assert size is not None
        box = self.element.bounding_box()
        assert box is not None
        tall = int(box["height"] / self.canvas.zoom * 1.3) + 400
        page.set_viewport_size({"width": size["width"], "height": max(tall, size["height"])})
        self.canvas.fit()
        with self.canvas.short_paths():
            self.element.screenshot(path=path)
        page.set_viewport_size(size)
        self.canvas.fit()
        return path

    @contextmanager
    def _field(self, name: str) -> Iterator[Field]:
        field = Field(self.element, name)
        if field.is_shown():
            yield field
            return
        with self.controls() as dialog:
            field = Field(dialog, name)
            pane = dialog.locator(".ag-body-viewport")
            while not field.is_shown():
                moved = pane.evaluate(
                    "pane => { const was = pane.scrollTop; pane.scrollTop += 300;"
                    " return pane.scrollTop !== was }"
                )
                self.canvas.settle()
                assert moved or field.is_shown(), f"{self.title} has no input {name}"
            yield field

    @contextmanager
    def _dialog(self) -> Iterator[Locator]:
        dialog = self.canvas.page.locator("[role=dialog]:not(.ag-tooltip)")
        dialog.wait_for()
        yield dialog
        self.canvas.page.keyboard.press("Escape")
        dialog.wait_for(state="detached")
