"""Arrow IPC files, which are also Feather of version 2."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, BinaryIO

import pyarrow as pa

from kozmo_singer.systems.formats.writers.typed import TableWriter, TypedFormat

BATCH_ROWS = 1 << 16


class ArrowFormat(TypedFormat):
    """Files that can be entered at any of their batches."""

    def open(self, file: BinaryIO) -> ArrowWriter:
        packed = None if self.options.packed == "none" else self.options.packed
        options = pa.ipc.IpcWriteOptions(compression=packed)
        return ArrowWriter(pa.ipc.new_file(file, self.schema, options=options))


class ArrowWriter(TableWriter):
    """Writes batches of 65,536 rows, so that who reads them needs little memory."""

    _writer: Any

    def write(self, parts: Sequence[pa.RecordBatch]) -> None:
        table = pa.Table.from_batches(parts).combine_chunks()
        self._writer.write_table(table, max_chunksize=BATCH_ROWS)
