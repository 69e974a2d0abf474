"""Arrow IPC, which is also Feather: files that can be entered anywhere, and streams."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pyarrow as pa

from kozmo_singer.systems.formats import Look, Options, Source, unreadable
from kozmo_singer.systems.formats.declared import declared, included, valid
from kozmo_singer.systems.formats.packing import seekable, translated, unpacked
from kozmo_singer.wire.types import Column

_FILE, _FEATHER_1 = b"ARROW1", b"FEA1"


class ArrowFile:
    """A file of Arrow record batches."""

    def __init__(self, source: Source, options: Options) -> None:
        self._source = source
        self.beside: set[str] = set()

    def look(self) -> Look:
        """Return the columns that the file declares; rows only where there is one batch."""
        with self._open(None) as (schema, batches):
            columns = declared(self._source, schema)
            first = next(batches, None)
            alone = first is None or next(batches, None) is None
            rows = 0 if first is None else first.num_rows
            return Look(columns, rows if alone else None, "Arrow")

    def batches(
        self, columns: Sequence[Column], skip: int, arrow: bool
    ) -> Iterator[pa.RecordBatch]:
        """Yield the rows behind the first *skip*, see FileReader."""
        with self._open(None) as (schema, _):
            own = declared(self._source, schema)
            names = included(self._source, own, columns) or schema.names[:1]
        self.beside = {*schema.names} - {column.name for column in columns}
        places = [schema.get_field_index(name) for name in names]
        with self._open(places) as (_, batches):
            yield from valid(self._source, batches, skip)

    def count(self) -> int:
        """Return the number of rows."""
        with self._open(None) as (schema, _):
            if not schema.names:
                return 0
        with self._open([0]) as (_, batches):
            return sum(batch.num_rows for batch in batches)

    @contextmanager
    def _open(self, places: list[int] | None) -> Iterator[tuple[pa.Schema, Iterator[Any]]]:
        """Give the schema and the batches, of which the columns at *places* alone are read."""
        options = pa.ipc.IpcReadOptions(included_fields=places)
        with translated(self._source):
            with unpacked(self._source) as stream:
                head = stream.read(len(_FILE))
            if head.startswith(_FEATHER_1):
                raise unreadable(self._source, "Feather of version 1 is not read; write version 2")
            if head == _FILE:
                with (
                    seekable(self._source) as raw,
                    pa.ipc.open_file(raw, options=options) as file,
                ):
                    found = map(file.get_batch, range(file.num_record_batches))
                    yield file.schema, found
                return
            with (
                unpacked(self._source) as stream,
                pa.ipc.open_stream(stream, options=options) as batches,
            ):
                yield batches.schema, iter(batches)
