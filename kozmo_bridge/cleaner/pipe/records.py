"""RECORD lines by their cells: taken apart column by column, and put together again."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import chain
from typing import Any

import msgspec
import polars as pl

from kozmo_bridge.cleaner.pipe.cells import Cells, cells_of
from kozmo_singer.wire.encode import dumps, row_struct
from kozmo_singer.wire.rows import Rows
from kozmo_singer.wire.types import Column

_ENCODER = msgspec.json.Encoder()


def lines_frame(batch: Sequence[Rows], columns: Sequence[Column]) -> pl.DataFrame:
    """Return rows that came as lines as the rules see them, with all *columns*."""
    tokens = Tokens(batch, [column.name for column in columns])
    found = [cells_of(column.name, column.type, tokens[column.name]) for column in columns]
    return pl.DataFrame([cells.series for cells in found])


class Tokens:
    """The JSON of the cells of a batch, column by column as they are asked for."""

    def __init__(self, batch: Sequence[Rows], names: Sequence[str]) -> None:
        self._batch = batch
        self._places = {name: place for place, name in enumerate(names)}
        self._found: dict[str, list[Any]] = {}

    def __contains__(self, name: str) -> bool:
        return name in self._places

    def __getitem__(self, name: str) -> list[Any]:
        found = self._found.get(name)
        if found is None:
            place = self._places[name]
            found = list(chain.from_iterable(rows.column(place) for rows in self._batch))
            self._found[name] = found
        return found

    @property
    def lines(self) -> list[bytes] | None:
        """The lines of the records as they came; None where they do not stand one by one."""
        lines = [line for rows in self._batch for line in rows.block.split(b"\n")]
        return lines if len(lines) == sum(map(len, self._batch)) else None


def cells_at(
    cells: Cells, places: Sequence[int | None] | None
) -> tuple[pl.Series, pl.Series | None]:
    """Return the cells that the rows which leave had."""
    if places is None:
        return cells.series, cells.odd
    where = pl.Series(places, dtype=pl.UInt32)
    odd = None if cells.odd is None else cells.odd.gather(where).fill_null(False)
    return cells.series.gather(where), odd


def put_odd(values: list[Any], odd: pl.Series, tokens: Sequence[Any], as_text: bool) -> None:
    """Put *tokens* into *values* where they are odd; *as_text*: as strings of JSON."""
    for at in odd.arg_true().to_list():
        text = bytes(tokens[at])
        bare = as_text and not text.startswith(b'"')
        values[at] = msgspec.Raw(msgspec.json.encode(text.decode()) if bare else text)


def marks(
    batch: Sequence[Rows], places: Iterable[int | None]
) -> tuple[list[Any] | None, list[Any] | None]:
    """Return the version and the time of each row; None where there are none."""
    found: list[list[Any] | None] = []
    for name in ("versions", "extracted"):
        each = list(chain.from_iterable(getattr(rows, name) for rows in batch))
        some = any(mark is not None for mark in each)
        found.append([None if p is None else each[p] for p in places] if some else None)
    return found[0], found[1]


def record_lines(stream: str, columns: Sequence[Column]) -> Callable[..., bytes]:
    """Return what makes RECORD lines: of columns of JSON, versions, times, and how many rows."""
    row = row_struct(columns)
    names = [column.name for column in columns]
    head = b'{"type":"RECORD","stream":' + dumps(stream) + b',"record":'

    def lines(
        columns: Sequence[Sequence[Any]],
        versions: list[Any] | None,
        times: list[Any] | None,
        count: int,
    ) -> bytes:
        cells = zip(*columns, strict=True) if columns else iter([()] * count)
        if row is not None:
            records: list[Any] = [row(*values) for values in cells]
        else:
            records = [dict(zip(names, values, strict=True)) for values in cells]
        body: bytes = _ENCODER.encode_lines(records)
        if versions is None and times is None:
            # Encoded JSON holds no raw newline, so each newline is the end of a record.
            return head + body[:-1].replace(b"\n", b"}\n" + head) + b"}\n"
        made = []
        for at, text in enumerate(body.split(b"\n")[:-1]):
            tail = b""
            if versions is not None and versions[at] is not None:
                tail += b',"version":%d' % versions[at]
            if times is not None and times[at] is not None:
                tail += b',"time_extracted":' + _ENCODER.encode(times[at])
            made.append(head + text + tail + b"}\n")
        return b"".join(made)

    return lines
