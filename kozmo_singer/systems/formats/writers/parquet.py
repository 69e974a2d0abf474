"""Parquet: columns with types and statistics, in groups of many rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from kozmo_singer import __version__
from kozmo_singer.systems.formats.writers.typed import TableWriter, TypedFormat

GROUP_ROWS = 1 << 20


class ParquetFormat(TypedFormat):
    """Files that say which stream they hold, and which columns are its key."""

    def open(self, file: BinaryIO) -> TableWriter:
        told = {
            "kozmo.stream": self.options.stream,
            "kozmo.key_properties": ",".join(self.options.keys),
            "kozmo.version": __version__,
        }
        schema = self.schema.with_metadata(
            {name: value.encode("utf-8", "backslashreplace") for name, value in told.items()}
        )
        writer = pq.ParquetWriter(file, schema, compression=self.options.packed)
        return ParquetWriter(writer)


class ParquetWriter(TableWriter):
    """Writes a group for each table."""

    def write(self, parts: Sequence[pa.RecordBatch]) -> None:
        table = pa.Table.from_batches(parts).replace_schema_metadata(self._writer.schema.metadata)
        self._writer.write_table(table, row_group_size=GROUP_ROWS)
