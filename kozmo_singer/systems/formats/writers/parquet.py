"""Parquet: columns with types and statistics, in groups of many rows."""

from __future__ import annotations

from typing import BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from kozmo_singer import __version__
from kozmo_singer.systems.formats.writers.typed import TableWriter, TypedFormat

_LONG = 1024
"""Texts of so many bytes on average have no statistics: a file keeps them until its end."""


class ParquetFormat(TypedFormat):
    """Files that say which stream they hold, and which columns are its key."""

    group = 1 << 20

    def open(self, file: BinaryIO) -> TableWriter:
        told = {
            "kozmo.stream": self.options.stream,
            "kozmo.key_properties": ",".join(self.options.keys),
            "kozmo.version": __version__,
        }
        schema = self.schema.with_metadata(
            {name: value.encode("utf-8", "backslashreplace") for name, value in told.items()}
        )

        def make(table: pa.Table) -> pq.ParquetWriter:
            short = [n for n, c in zip(schema.names, table.columns, strict=True) if not _long(c)]
            return pq.ParquetWriter(
                file, schema, compression=self.options.packed, write_statistics=short
            )

        return ParquetWriter(schema, make)


class ParquetWriter(TableWriter):
    """Writes a group for each table."""

    def _add(self, table: pa.Table) -> None:
        self._writer.write_table(table, row_group_size=ParquetFormat.group)


def _long(column: pa.ChunkedArray) -> bool:
    return bool(column.nbytes > _LONG * max(len(column), 1))
