"""The inputs of a node: how each kind is read and filled."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from playwright.sync_api import Locator

# What an element is called: on the node, in its dialog of all fields.
_CALLED = {
    "text": ("popover-anchor-input-{0}", "popover-anchor-input-{0}-edit"),
    "multiline": ("textarea_str_{1}", "textarea_str_edit_{1}"),
    "integer": ("int_int_{1}", "int_int_edit_{1}"),
    "float": ("float_float_{1}", "float_float_edit_{1}"),
    "toggle": ("toggle_bool_{1}", "toggle_bool_edit_{1}"),
    "dropdown": ("dropdown_str_{1}", "dropdown_str_edit_{1}"),
    "choices": ("multiselect_str_{1}", "multiselect_str_edit_{1}"),
    "table": ("div-table_{1}", "div-table_edit_{1}"),
    "dictionary": ("dict_nesteddict_{1}", "dict_nesteddict_edit_{1}"),
}


class Field:
    """An input as it is shown within *place*: on its node, or in the dialog of all fields."""

    def __init__(self, place: Locator, name: str) -> None:
        self.place, self.name = place, name
        page = place.page
        self._ids = {
            called.format(name, name.lower()): kind
            for kind, both in _CALLED.items()
            for called in both
        }
        self._page = page

    @property
    def element(self) -> Locator:
        """What is clicked or typed into."""
        return self.place.locator(",".join(f'[data-testid="{id}"]' for id in self._ids)).first

    def is_shown(self) -> bool:
        """Tell whether the input is there."""
        return self.element.count() > 0

    @property
    def kind(self) -> str:
        """One of text, multiline, integer, float, toggle, dropdown, choices, table."""
        return self._ids[self.element.get_attribute("data-testid") or ""]

    def get(self) -> Any:
        """Return what it shows: True or False of a toggle, a list of choices, else a text."""
        kind = self.kind
        if kind == "toggle":
            return self.element.get_attribute("aria-checked") == "true"
        if kind in ("dropdown", "choices"):
            shown = self.element.locator('[data-testid^="value-dropdown-"]').inner_text().strip()
            return shown.split(", ") if kind == "choices" else shown
        return self.element.inner_text() if kind == "table" else self.element.input_value()

    def set(self, value: Any) -> None:
        """Fill it in as a user does."""
        kind = self.kind
        if kind == "toggle":
            if self.get() != value:
                self.element.click()
        elif kind == "dropdown":
            self._choose([value])
        elif kind == "choices":
            chosen = self.get()
            self._choose([one for one in [*chosen, *value] if (one in chosen) != (one in value)])
            self._page.keyboard.press("Escape")
        elif kind in ("text", "multiline", "integer", "float"):
            self.element.fill(str(value))
            self.element.blur()
        else:
            raise AssertionError(f"open the {kind} to edit it")

    def options(self) -> list[str]:
        """Return what a dropdown offers, each with what stands below it."""
        self.element.click()
        offered = self._options.all_inner_texts()
        self._page.keyboard.press("Escape")
        self._options.first.wait_for(state="detached")
        return [" ".join(text.split()) for text in offered]

    def _choose(self, values: list[str]) -> None:
        self.element.click()
        for value in values:
            self._options.and_(self._page.locator(f'[data-testid^="{value}-"]')).first.click()

    @property
    def _options(self) -> Locator:
        return self._page.locator('[role=option][data-testid$="-option"]')


def upload(place: Locator, path: Path) -> None:
    """Choose *path* in the one file input within *place*; the server has the file then."""
    page = place.page
    with page.expect_response(lambda answer: "/files/upload/" in answer.url) as told:
        with page.expect_file_chooser() as asked:
            place.get_by_test_id("button_upload_file").click()
        asked.value.set_files(path)
    assert told.value.ok, told.value.text()
