"""Singer Source: rows of any tap, with a form made of what the tap tells of itself."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any, ClassVar

from kozmo_bridge.components import inputs as inputs_of
from kozmo_bridge.components import resetting
from kozmo_bridge.components.base import Stopwatch, names_in
from kozmo_bridge.components.canvas import (
    DropdownInput,
    MultiselectInput,
    StrInput,
    TableInput,
)
from kozmo_bridge.components.forms import Form
from kozmo_bridge.components.settings_form import (
    PLAIN_JSON,
    SECRET_JSON,
    STATUS,
    TEST,
    TEST_SECONDS,
    PluginComponent,
    Side,
    picker,
)
from kozmo_bridge.components.source import Extraction, SourceComponent, Wanted
from kozmo_bridge.components.stream_picking import (
    AS_TOLD,
    MODES,
    chosen,
    column_rows,
    keeps_state,
    offered,
    unread,
    whole,
)
from kozmo_runner.api import acheck, adiscover, origin
from kozmo_runner.plugins import find
from kozmo_singer.errors import DiscoverError
from kozmo_singer.wire.catalog import Catalog

COLUMNS = [
    {"name": name, "display_name": name.title(), "type": "text", "disable_edit": name != "read",
     "edit_mode": "inline"}
    for name in ("stream", "column", "read", "type", "key")
]  # fmt: skip
_CATALOGS: dict[str, Catalog] = {}
"""What connection tests of this process have found, for the table of columns."""
_MOST_CATALOGS = 16


class SingerSourceComponent(PluginComponent, SourceComponent):
    """Reads any tap. A subclass that sets `tap` reads that one only and needs nothing else."""

    display_name = "Singer Source"
    description = "Rows of any Singer tap, all of them or those that are new."
    icon = "Workflow"
    name = "SingerSource"
    side: ClassVar[Side] = "tap"
    tap: ClassVar[str] = ""
    """The tap of a subclass that is for one only."""

    inputs: ClassVar[list[Any]] = [
        picker("tap", "The tap to read: one of these, the path of a program, or a command line."),
        TEST,
        STATUS,
        MultiselectInput(
            name="streams",
            display_name="Streams",
            info="What is read; all of it if nothing is chosen. Test connection finds them.",
            options=[],
            value=[],
            real_time_refresh=True,
            advanced=True,
        ),
        TableInput(
            name="columns",
            display_name="Columns",
            info="Write no under Read to leave a column out; always cannot be changed.",
            table_schema=COLUMNS,
            table_options={"block_add": True, "block_delete": True},
            real_time_refresh=True,
            value=[],
            trigger_text="Columns",
            advanced=True,
        ),
        DropdownInput(
            name="sync_mode",
            display_name="Read mode",
            info="Full table: all rows at each run. Incremental: those new since the last one.",
            options=list(MODES),
            value=AS_TOLD,
            advanced=True,
        ),
        StrInput(
            name="replication_key",
            display_name="New rows by",
            info="The column that grows with every change, such as updated_at (replication key).",
            value="",
            placeholder="as the tap says",
            advanced=True,
        ),
        *resetting.inputs(),
        inputs_of.row_limit(10_000),
        inputs_of.text_template(),
        PLAIN_JSON,
        SECRET_JSON,
    ]
    outputs: ClassVar[list[Any]] = SourceComponent.source_outputs

    async def refresh(self, form: Form, changed: str) -> None:
        """Build the form of a tap, test its connection, or list columns."""
        if changed == self.picker:
            self._show_streams(form, [])
            self._show_columns(form, [])
            await self.choose(form)
        elif changed == TEST.name:
            await self._test(form)
        elif changed in ("streams", "columns") and form.options("streams"):
            await self._list_again(form)
        elif changed == resetting.BUTTON:
            resetting.press(form)

    async def wanted(self) -> Wanted:
        """Return what the inputs ask of the tap."""
        tap = self.plugin()
        settings = await self.settings(tap)
        mode = self.text("sync_mode") or AS_TOLD
        catalog = await self._catalog(tap)
        if catalog is not None:
            names, columns = self.given("streams") or [], self.given("columns")
            catalog = chosen(catalog, names, columns, mode, self.text("replication_key"))
        self.__dict__["_kozmo_whole"] = whole(catalog)
        return Wanted(
            tap,
            await self.plugin_config(tap),
            catalog=catalog.to_dict() if catalog is not None else None,
            discovers=catalog is not None,
            limit=self.number("limit"),
            incremental=keeps_state(catalog, mode),
            origin=f"{find(tap, 'tap').name} {origin(settings)}".strip(),
            reset_at=self.text(resetting.STAMP),
        )

    async def _extract(self) -> Extraction:
        """As of the base; tells where the limit cut, and forgets how far whole tables were read."""
        found = await super()._extract()
        limit, counts = self.number("limit"), dict.fromkeys(found.streams, 0)
        for batch in found.batches:
            counts[batch.stream] += len(batch)
        cut = [name for name, rows in counts.items() if rows == limit]
        if cut:
            self.log(f"read up to the row limit of {limit}: {', '.join(cut)}")
        bookmarks = found.state.get("bookmarks")
        if cut and isinstance(bookmarks, Mapping):
            left = set(self.__dict__.get("_kozmo_whole", ()))
            kept = {name: value for name, value in bookmarks.items() if name not in left}
            found.state["bookmarks"] = kept
        return found

    async def _catalog(self, tap: str) -> Catalog | None:
        """What the tap has; None where it cannot say and all of it is wanted."""
        try:
            return await adiscover(tap, await self.plugin_config(tap))
        except DiscoverError as error:
            narrowed = self.given("streams") or unread(self.given("columns"))
            if narrowed or find(tap, "tap").ours:
                raise
            self.log(f"it is run without a catalog: {'; '.join(self._words(error))}")
            return None

    async def _test(self, form: Form) -> None:
        tap, watch = self.plugin(), Stopwatch()
        config = await self.plugin_config(tap)
        said = ""
        if find(tap, "tap").ours:
            said = await acheck(tap, config, timeout=TEST_SECONDS)
        try:
            catalog = await adiscover(tap, config, timeout=TEST_SECONDS)
        except DiscoverError:
            if said:
                raise
            # It has no discovery, or this fails once more and says why.
            self.tell(form, await acheck(tap, config, timeout=TEST_SECONDS))
            return
        while len(_CATALOGS) >= _MOST_CATALOGS:
            _CATALOGS.pop(next(iter(_CATALOGS)))
        _CATALOGS[_key(tap, config)] = catalog
        names = offered(catalog)
        self._show_streams(form, names)
        self._list_columns(form, catalog)
        streams = f"{len(names)} stream{'' if len(names) == 1 else 's'}"
        self.tell(form, said or f"{streams}, {watch}")

    async def _list_again(self, form: Form) -> None:
        """List columns after a choice, as far as that takes no time.

        What is typed while the page waits is lost, and it asks by itself when a flow is opened.
        """
        tap = self.plugin()
        catalog = _CATALOGS.get(_key(tap, await self.plugin_config(tap))) if _CATALOGS else None
        if catalog is not None:
            self._list_columns(form, catalog)
        else:
            self._show_columns(form, form.value("columns") or [])

    def _show_streams(self, form: Form, names: list[str]) -> None:
        form.offer("streams", names)
        form.set("streams", [name for name in names_in(form.value("streams")) if name in names])
        # The host shows a list without choices as "No parameters are available for display".
        form.place("streams", True, rare=not names)

    def _list_columns(self, form: Form, catalog: Catalog) -> None:
        names = names_in(form.value("streams"))
        self._show_columns(form, column_rows(catalog, names, form.value("columns")))

    def _show_columns(self, form: Form, rows: list[dict[str, str]]) -> None:
        form.set("columns", rows)
        read = sum(row["read"] != "no" for row in rows)
        words = f"Columns: {read} of {len(rows)}" if rows else "Columns"
        form.note("columns", trigger_text=words, advanced=not rows)


def _key(tap: str, config: Mapping[str, Any]) -> str:
    """A mark of a tap with its settings, from which no secret can be read."""
    text = json.dumps([tap, config], sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()
