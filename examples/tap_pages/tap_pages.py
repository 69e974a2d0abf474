"""A tap of your own: an API that gives JSON in pages, on the seam that our taps use.

Command line, settings, catalog, selection, STATE, progress and errors come from kozmo-singer; what
is said here is where the rows come from.
"""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

from kozmo_singer.errors import ConnectError, ReadError
from kozmo_singer.plugin import stopping
from kozmo_singer.scripts import Entry, script
from kozmo_singer.settings import Setting
from kozmo_singer.wire import Catalog, Column, LogicalType, Stream, to_schema
from kozmo_singer.wire.types import REPLICATION_METHOD
from kozmo_taps.tap import SETTINGS, Tap

TAPS = {"tap-pages": Entry("tap_pages:TapPages", "tap-pages", "Items of an API, page by page")}
main = script("tap-pages", TAPS)

COLUMNS = [
    Column("id", LogicalType("integer", bits=64), nullable=False),
    Column("name", LogicalType("string")),
    Column("price", LogicalType("decimal")),
]


class TapPages(Tap):
    """Reads GET {url}/items?page=1, 2, ... until a page is empty."""

    name = "tap-pages"
    summary = TAPS["tap-pages"].summary
    settings = (
        Setting("url", "Root of the API, for example https://shop.example.org/v1", required=True),
        Setting("token", "Bearer token, if the API asks for one", secret=True),
        *SETTINGS,
    )

    def discover(self) -> Catalog:
        """Return the one stream that the API has."""
        properties = {column.name: to_schema(column.type, column.nullable) for column in COLUMNS}
        schema = {"type": "object", "properties": properties}
        stream = Stream("items", schema, key_properties=["id"])
        stream.root().update({"inclusion": "available", "selected-by-default": True})
        return Catalog([stream])

    @contextmanager
    def session(self, streams: Sequence[Stream]) -> Iterator[Api]:
        """Nothing has to be opened: every page is a request of its own."""
        yield Api(self.config["url"], self.config["token"])

    def check(self) -> str:
        """Ask for the first page."""
        items = Api(self.config["url"], self.config["token"]).page(1)
        return f"{self.config['url']} answers; {len(items)} items on its first page"


class Api:
    """The API, and what the engine asks of it."""

    def __init__(self, url: str, token: str | None) -> None:
        self._url = f"{url.rstrip('/')}/items?page="
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}

    def open(self, stream: Stream, bookmark: Mapping[str, Any], limit: int | None) -> Pages:
        """Return the reading of *stream*."""
        return Pages(self, stream, limit)

    def count(self, stream: Stream) -> int:
        """Return the number of rows, which the API tells by giving them all."""
        return sum(map(len, self.open(stream, {}, None).batches()))

    def page(self, number: int) -> list[dict[str, Any]]:
        """Return the items of one page; decimals are kept as their digits."""
        url = f"{self._url}{number}"
        try:
            request = urllib.request.Request(url, headers=self._headers)
            with urllib.request.urlopen(request) as answer:
                items: list[dict[str, Any]] = json.load(answer, parse_float=Decimal)
        except urllib.error.HTTPError as error:
            said = f"{error.code} {error.reason}"
            raise ReadError(f"tap-pages could not read {url}", said) from error
        except urllib.error.URLError as error:
            raise ConnectError(f"tap-pages cannot reach {url}", str(error.reason)) from error
        return items


class Pages:
    """The stream while it is read."""

    key_properties = ["id"]
    bookmark_properties: list[str] = []
    version = None

    def __init__(self, api: Api, stream: Stream, limit: int | None) -> None:
        self._api, self._limit = api, limit
        names = stream.selected_columns()
        self.columns = [column for column in COLUMNS if column.name in names]
        # So that a target knows to replace what an earlier run brought.
        self.schema = {**stream.masked_schema(), REPLICATION_METHOD: "FULL_TABLE"}
        self.complete = False

    def batches(self) -> Iterator[Sequence[tuple[Any, ...]]]:
        """Yield a page of rows at a time."""
        left, number = self._limit, 1
        while not stopping.requested and (items := self._api.page(number)[:left]):
            yield [tuple(item.get(column.name) for column in self.columns) for item in items]
            number += 1
            if left is not None and not (left := left - len(items)):
                break
        self.complete = True

    def bookmark(self) -> dict[str, Any]:
        """Return nothing to go on from: the stream is read whole each time."""
        return {}
