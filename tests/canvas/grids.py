"""The tables of KozmoAI's dialogs: of an output, of its log, of a table input."""

from __future__ import annotations

from playwright.sync_api import Locator

# A grid holds only the rows and columns that are seen, so it is read while it is scrolled through.
_READ = """
async grid => {
  const frames = () =>
    new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)));
  const down = grid.querySelector(".ag-body-viewport");
  const across = grid.querySelector(".ag-center-cols-viewport");
  const names = {}, rows = {};
  const collect = () => {
    for (const head of grid.querySelectorAll("[role=columnheader]"))
      names[head.getAttribute("aria-colindex")] = head.getAttribute("col-id");
    for (const row of grid.querySelectorAll("[role=row][row-index]")) {
      const kept = rows[row.getAttribute("row-index")] ??= {};
      for (const cell of row.querySelectorAll("[role=gridcell]"))
        kept[cell.getAttribute("aria-colindex")] = cell.innerText.replace("\\u200e", "").trim();
    }
  };
  const sweep = async (pane, place, size, each) => {
    for (pane[place] = 0, await frames(); ; ) {
      await each();
      const before = pane[place];
      pane[place] += Math.max(pane[size] / 2, 50);
      await frames();
      if (pane[place] === before) return;
    }
  };
  await sweep(down, "scrollTop", "clientHeight",
    () => sweep(across, "scrollLeft", "clientWidth", collect));
  const order = Object.keys(names).sort((a, b) => a - b);
  return Object.keys(rows).sort((a, b) => a - b).map(index => order.map(
    column => [names[column], rows[index][column] ?? ""]));
}
"""


class Grid:
    """A table in an open dialog."""

    def __init__(self, dialog: Locator) -> None:
        self._dialog = dialog
        self._grid = dialog.locator(".ag-root-wrapper")

    @property
    def rows(self) -> list[dict[str, str]]:
        """All rows of the page shown, as texts by the column's name in the code."""
        self._grid.wait_for()
        return [dict(row) for row in self._grid.evaluate(_READ)]

    def edit(self, row: int, column: str, text: str) -> None:
        """Type *text* into a cell."""
        cell = self._grid.locator(f'[row-index="{row}"] [col-id="{column}"]')
        cell.dblclick()
        cell.locator("input").fill(text)
        cell.locator("input").press("Enter")
        cell.locator("input").wait_for(state="detached")

    def close(self) -> None:
        """Close the dialog; the host has taken each edit already."""
        self._dialog.page.keyboard.press("Escape")
        self._dialog.wait_for(state="detached")
