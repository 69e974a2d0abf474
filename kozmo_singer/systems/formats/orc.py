"""ORC: columns with types, in stripes that are read one after the other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import pyarrow as pa
from pyarrow import orc

from kozmo_singer.systems.formats import Look, Options, Source, unreadable
from kozmo_singer.systems.formats.declared import declared, included, valid
from kozmo_singer.systems.formats.packing import seekable, translated
from kozmo_singer.wire.types import Column


class OrcFile:
    """A file of ORC; a stripe of it is held in memory, of the columns that are asked for."""

    def __init__(self, source: Source, options: Options) -> None:
        self._source = source
        self.beside: set[str] = set()

    def look(self) -> Look:
        """Return the columns that the file declares, and the exact number of rows."""
        with self._open() as file:
            return Look(declared(self._source, file.schema), int(file.nrows), "ORC")

    def batches(
        self, columns: Sequence[Column], skip: int, arrow: bool
    ) -> Iterator[pa.RecordBatch]:
        """Yield the rows behind the first *skip*, see FileReader."""
        with self._open() as file:
            schema = file.schema
            if not schema.names:
                return
            own = declared(self._source, schema)
            names = included(self._source, own, columns) or schema.names[:1]
            self.beside = {*schema.names} - {column.name for column in columns}
            stripes = (file.read_stripe(n, columns=names) for n in range(file.nstripes))
            yield from valid(self._source, stripes, skip)

    def count(self) -> int:
        """Return the number of rows."""
        with self._open() as file:
            return int(file.nrows)

    @contextmanager
    def _open(self) -> Iterator[orc.ORCFile]:
        with translated(self._source), seekable(self._source) as raw:
            if not self._source.size:
                raise unreadable(self._source, "it is empty, which no ORC file is")
            yield orc.ORCFile(pa.PythonFile(raw, "r"))
