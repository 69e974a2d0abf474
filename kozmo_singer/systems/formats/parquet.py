"""Parquet: columns with types, in groups of rows of which only what is asked for is read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import pyarrow as pa
import pyarrow.parquet as pq

from kozmo_singer.systems.formats import Look, Options, Source
from kozmo_singer.systems.formats.declared import declared, included, valid
from kozmo_singer.systems.formats.packing import seekable, translated
from kozmo_singer.wire.types import Column

_MOST_ROWS, _FEWEST_ROWS = 1 << 16, 1 << 10
_LINES_BYTES, _ARROW_BYTES = 1 << 21, 1 << 23
"""About how large a batch is, for lines and as Arrow: less is fetched for the first rows."""
_BUFFER_BYTES = 1 << 20
"""What is held of each column's bytes, instead of all that a group of rows has of it."""


class ParquetFile:
    """A file of Parquet."""

    def __init__(self, source: Source, options: Options) -> None:
        self._source = source
        self.beside: set[str] = set()

    def look(self) -> Look:
        """Return the columns that the file declares, and the exact number of rows."""
        with self._open() as file:
            columns = declared(self._source, file.schema_arrow)
            return Look(columns, file.metadata.num_rows, "Parquet")

    def batches(
        self, columns: Sequence[Column], skip: int, arrow: bool
    ) -> Iterator[pa.RecordBatch]:
        """Yield the rows behind the first *skip*, see FileReader; groups before are not read."""
        with self._open() as file:
            schema = file.schema_arrow
            own = declared(self._source, schema)
            names = included(self._source, own, columns) or schema.names[:1]
            self.beside = {*schema.names} - {column.name for column in columns}
            groups = list(range(file.num_row_groups))
            while groups and skip >= file.metadata.row_group(groups[0]).num_rows:
                skip -= file.metadata.row_group(groups.pop(0)).num_rows
            size = sum(file.metadata.row_group(n).total_byte_size for n in groups)
            rows = sum(file.metadata.row_group(n).num_rows for n in groups)
            most = rows * (_ARROW_BYTES if arrow else _LINES_BYTES) // max(size, 1)
            most = max(_FEWEST_ROWS, min(_MOST_ROWS, most))
            found = file.iter_batches(most, row_groups=groups, columns=names)
            yield from valid(self._source, found, skip)

    def count(self) -> int:
        """Return the number of rows."""
        with self._open() as file:
            return int(file.metadata.num_rows)

    @contextmanager
    def _open(self) -> Iterator[pq.ParquetFile]:
        with (
            translated(self._source),
            seekable(self._source) as raw,
            # By itself it would fetch all groups at once, and hold them.
            pq.ParquetFile(raw, buffer_size=_BUFFER_BYTES, pre_buffer=False) as file,
        ):
            yield file
